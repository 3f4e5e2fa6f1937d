"""Reduces bytes to the runs in which text could stand, so that voxels need not be searched whole.

Voxels are hundreds of times as long as everything else that is published. A look-up of each byte
and a few comparisons by numpy leave those bytes that stand side by side with others of which the
searched forms are made: directly, or with a zero between them as in UTF-16.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_BYTES = 256
_THREE_ZEROS = bytes(3)
_PRINTABLE = bytes(byte in b"\t\n\r" or 32 <= byte < 127 for byte in range(_BYTES))  # noqa: PLR2004
_SHORTEST_PASSAGE = b"\1" * 16
_PASSAGE = re.compile(rb"[\t\n\r -~\x80-\xff]+")
_BEFORE_PASSAGE = 16
"""So many bytes before a passage may belong to it: letters that are no ASCII."""

Flags = NDArray[np.bool_]


class Run(NamedTuple):
    """What is left of some bytes.

    Attributes
    ----------
    text
        The runs, each with what stands before and after it, read as Latin-1; ASCII letters are in
        lower case.
    positions
        At which byte each character stands.
    """

    text: str
    positions: NDArray[np.intp]


def alphabet_table(alphabet: Iterable[int]) -> bytes:
    """Return a table for :func:`runs` that lets the bytes of an alphabet pass."""
    letters = frozenset(alphabet)
    return bytes(byte in letters for byte in range(_BYTES))


def spans(
    text: str, table: bytes, shortest: int, *, joints: bytes = b"", fewest: int = 0
) -> Iterator[tuple[int, int]]:
    """Yield where runs of an alphabet begin and end in a text.

    Parameters
    ----------
    text
        A text.
    table
        From :func:`alphabet_table`, of ASCII alone.
    shortest
        How many characters a run must have, at least.
    joints, fewest
        A table of characters of which a run must hold so many.
    """
    content = text.encode("latin-1", "replace")
    fits = content.translate(table)
    if b"\1" * shortest not in fits:  # which is so of most texts
        return
    flags = np.zeros(len(content) + 2, np.bool_)
    flags[1:-1] = np.frombuffer(fits, np.bool_)
    edges = np.flatnonzero(flags[1:] != flags[:-1])
    starts, ends = edges[::2], edges[1::2]
    long = ends - starts >= shortest
    starts, ends = starts[long], ends[long]
    if fewest and len(starts):
        counted = np.cumsum(np.frombuffer(content.translate(joints), np.bool_), dtype=np.intp)
        enough = counted[ends - 1] - counted[starts] >= fewest
        starts, ends = starts[enough], ends[enough]
    yield from zip(starts.tolist(), ends.tolist(), strict=True)


def runs(content: bytes, table: bytes, shortest: int) -> Iterator[Run]:
    """Yield the runs of bytes as they are, and those of UTF-16 and UTF-32 of either byte order.

    Parameters
    ----------
    content
        Bytes.
    table
        From :func:`alphabet_table`.
    shortest
        How many characters a run must have, at least.
    """
    fits = np.frombuffer(content.translate(table), np.bool_)
    yield from _runs(content, fits, shortest, step=1)
    zeros = np.frombuffer(content, np.uint8) == 0
    before_zero = fits[:-1] & zeros[1:]
    yield from _runs(content, before_zero, shortest, step=2)
    if _THREE_ZEROS in content:
        before_zeros = before_zero[:-2] & zeros[2:-1] & zeros[3:]
        yield from _runs(content, before_zeros, shortest, step=4)


def passages(content: bytes) -> str:
    """Return the stretches of text that stand between other bytes, each on a line."""
    printable = content.translate(_PRINTABLE)
    found, end = [], 0
    while (start := printable.find(_SHORTEST_PASSAGE, end)) >= 0:
        begin = max(end, start - _BEFORE_PASSAGE)
        match = _PASSAGE.match(content, start)
        end = match.end() if match else start + 1
        found.append(content[begin:end])
    return b"\n".join(found).decode("utf-8", "replace")


def _runs(content: bytes, fits: Flags, shortest: int, *, step: int) -> Iterator[Run]:
    starts = _run_starts(fits, shortest, step)
    if not starts.any():
        return
    inside = np.zeros(len(content) + 2 * step, np.bool_)  # a character more on either side
    inside[: len(starts)] = starts
    _spread(inside, shortest + 2, step)
    kept = np.flatnonzero(inside[step:-step])
    for first in range(step):
        positions = kept[kept % step == first]
        if len(positions):
            text = np.frombuffer(content, np.uint8)[positions].tobytes().lower()
            yield Run(text.decode("latin-1"), positions)


def _run_starts(fits: Flags, length: int, step: int) -> Flags:
    """Tell of each position whether a run of `length` begins there."""
    result, have = fits, 1
    while have < length:
        shift = min(have, length - have) * step
        if len(result) <= shift:
            return np.zeros(0, np.bool_)
        result = result[:-shift] & result[shift:]
        have += shift // step
    return result


def _spread(flags: Flags, length: int, step: int) -> None:
    """Set the flags that follow each flag that is set, `length` of them with itself."""
    have = 1
    while have < length:
        shift = min(have, length - have) * step
        flags[shift:] |= flags[:-shift].copy()
        have += shift // step
