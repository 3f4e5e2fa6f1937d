"""A piece of a text that is to be cut, and why; and what the shapes of such pieces are made of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from bidsanon.notes import NoteReason

BEGINS = r"(?<![^\W_])"
"""No letter or digit before; an underscore may be."""
ENDS = r"(?![^\W_])"
"""No letter or digit after."""

Shapes = tuple[tuple[re.Pattern[str], NoteReason], ...]


class Span(NamedTuple):
    """A piece of a text that is to be cut, and why."""

    start: int
    end: int
    reason: NoteReason


def compiled(shapes: Mapping[NoteReason, Iterable[str]], flags: int = re.IGNORECASE) -> Shapes:
    """Compile regular expressions, in verbose form, by why what they find is cut."""
    return tuple(
        (re.compile(shape, flags | re.VERBOSE), reason)
        for reason, group in shapes.items()
        for shape in group
    )


def find_shapes(text: str, shapes: Shapes) -> Iterator[Span]:
    """Yield what has one of the shapes."""
    for shape, reason in shapes:
        yield from (Span(*match.span(), reason) for match in shape.finditer(text))
