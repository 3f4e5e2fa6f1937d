"""The options by which field maps are linked to what they correct."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from bidsanon.cli.options import taking

_BOTH = "both"
_NONE = "none"
_LINKS = ("intended-for", "b0-field")
_CRITERIA = ("shim", "geometry", "time")

_OPTIONS = (
    click.option(
        "--field-maps",
        "links",
        type=click.Choice([_BOTH, *_LINKS, _NONE]),
        default=_BOTH,
        show_default=True,
        help="How field maps are linked to what they correct: by IntendedFor, by "
        "B0FieldIdentifier and B0FieldSource, by both or not at all.",
    ),
    click.option(
        "--field-maps-by",
        "criteria",
        type=click.Choice(_CRITERIA),
        multiple=True,
        help="What decides which field map corrects an image. Repeatable.  [default: all three]",
    ),
)


def field_map_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Let a command take what is asked of field maps as `field_maps`.

    It is a :class:`bidsanon.bids.field_maps.FieldMapOptions`.
    """

    @functools.wraps(command)
    def with_options(*, links: str, criteria: tuple[str, ...], **others: Any) -> Any:
        from bidsanon.bids.field_maps import (  # noqa: PLC0415 - start-up time
            Criterion,
            FieldMapOptions,
            Link,
        )

        chosen = {_BOTH: _LINKS, _NONE: ()}.get(links, (links,))
        field_maps = FieldMapOptions(
            links=frozenset(map(Link, chosen)),
            by=frozenset(map(Criterion, criteria or _CRITERIA)),
        )
        return command(field_maps=field_maps, **others)

    return taking(_OPTIONS, with_options)
