"""The options of every command that removes faces."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from bidsanon.cli.options import taking

if TYPE_CHECKING:
    from bidsanon.deface import DefaceOptions

_SWITCH = "--deface"
_ENGINES = ("auto", "bidsanon", "pydeface", "none")
_HOW = (
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
)
_OPTIONS = (
    click.option(
        _SWITCH,
        "engine",
        type=click.Choice(_ENGINES),
        default="auto",
        show_default=True,
        help="What registers the template head; pydeface needs FSL, and none keeps the faces.",
    ),
    *_HOW,
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
        deface = _asked(engine, because, faces, also, keep_ears=keep_ears, masks=defacemasks)
        return command(deface=deface, **others)

    return taking(_OPTIONS, with_options)


_WHERE_ASKED = (
    click.option(
        _SWITCH,
        "engine",
        type=click.Choice(_ENGINES),
        metavar="[ENGINE]",
        help="Remove faces and write that back into the DICOM files. ENGINE (auto, bidsanon, "
        "pydeface, none) is what registers the template head: auto unless one is named; pydeface "
        "needs FSL, and none keeps the faces.",
    ),
    *_HOW,
)


def switched_deface_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Let a command take what is asked of defacing as `deface`, None where nobody asks for it.

    The command's class is :class:`SwitchedDefaceCommand`.
    """

    @functools.wraps(command)
    def with_options(
        *,
        engine: str | None,
        because: str,
        faces: str,
        keep_ears: bool,
        also: tuple[str, ...],
        **others: Any,
    ) -> Any:
        deface = None
        if engine is not None:
            deface = _asked(engine, because, faces, also, keep_ears=keep_ears)
        elif because or faces != "whole" or keep_ears or also:
            raise click.UsageError(f"options of defacing were given without {_SWITCH}")
        return command(deface=deface, **others)

    return taking(_WHERE_ASKED, with_options)


class SwitchedDefaceCommand(click.Command):
    """A command that takes `--deface` alone, as well as with an engine's name behind it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the command line; what stands behind `--deface` and is no engine is no value of it.

        Click would take a SOURCE for one.
        """
        following = [*args[1:], ""]
        named = [
            f"{one}={_ENGINES[0]}" if one == _SWITCH and behind not in _ENGINES else one
            for one, behind in zip(args, following, strict=True)
        ]
        return super().parse_args(ctx, named)


def _asked(
    engine: str,
    because: str,
    faces: str,
    also: tuple[str, ...],
    *,
    keep_ears: bool,
    masks: bool = False,
) -> DefaceOptions:
    from bidsanon.deface import DefaceOptions  # noqa: PLC0415 - start-up time
    from bidsanon.deface.options import Also, Faces  # noqa: PLC0415 - start-up time

    return DefaceOptions(
        engine=engine,
        because=because,
        faces=Faces(faces),
        keep_ears=keep_ears,
        also=frozenset(map(Also, also)),
        masks=masks,
    )
