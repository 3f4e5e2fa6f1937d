"""The options of every command that removes faces."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

_OPTIONS = (
    click.option(
        "--deface",
        "engine",
        type=click.Choice(["auto", "bidsanon", "pydeface", "none"]),
        default="auto",
        show_default=True,
        help="What registers the template head; pydeface needs FSL, and none keeps the faces.",
    ),
    click.option(
        "--because",
        default="",
        metavar="REASON",
        help='Why faces are kept, for the report and the journal: "consent for faces".',
    ),
    click.option(
        "--faces",
        type=click.Choice(["whole", "pydeface"]),
        default="whole",
        show_default=True,
        help="What goes: eyes, nose, mouth and ears, or pydeface's mask exactly.",
    ),
    click.option("--keep-ears", is_flag=True, help="Let the ears stay."),
    click.option(
        "--deface-also",
        "also",
        type=click.Choice(["dwi", "bold"]),
        multiple=True,
        help="Deface diffusion or functional images too. Repeatable.",
    ),
    click.option(
        "--defacemasks",
        is_flag=True,
        help="Write, beside each defaced anatomical image, the mask of what stayed.",
    ),
)


def deface_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Let a command take what is asked of defacing as `deface`.

    It is a :class:`bidsanon.deface.DefaceOptions`, not yet checked by
    :func:`bidsanon.deface.require_options`.
    """

    @functools.wraps(command)
    def with_options(
        *,
        engine: str,
        because: str,
        faces: str,
        keep_ears: bool,
        also: tuple[str, ...],
        defacemasks: bool,
        **others: Any,
    ) -> Any:
        from bidsanon.deface import DefaceOptions  # noqa: PLC0415 - start-up time
        from bidsanon.deface.options import Also, Faces  # noqa: PLC0415 - start-up time

        deface = DefaceOptions(
            engine=engine,
            because=because,
            faces=Faces(faces),
            keep_ears=keep_ears,
            also=frozenset(map(Also, also)),
            masks=defacemasks,
        )
        return command(deface=deface, **others)

    decorated: Callable[..., Any] = with_options
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated
