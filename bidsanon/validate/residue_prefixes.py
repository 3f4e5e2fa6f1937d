"""Finds where in voxels a searched form could begin, many times faster than by reading them.

Voxels are hundreds of times as long as everything else that is published. A form counts there from
eight characters on, so its first eight are looked for, as bytes and as UTF-16 of either byte order.
Comparisons of whole arrays leave the runs that lie in the range of the forms' characters and hold
what there is least of in voxels; tables of bits (eight sets of forms, one bit each: the idea of
Hyperscan's "Teddy", Wang et al., NSDI 2019) leave of these what could begin a form; and what is
then left is compared exactly.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LENGTH = 8
"""How many characters a form must have, at least."""

_SETS = 8
_BYTES = 256
_BLOCK = 1 << 18
"""What is looked at in one go: its arrays stay in the processor's cache."""
_WORD, _LONG_WORD = 4, 8
_FOUR_IN_RANGE = 0x01010101
_EVEN_IN_RANGE = 0x0001000100010001
_ODD_IN_RANGE = 0x0100010001000100
"""Flags of so many bytes in a row, as a number whose lowest byte comes first."""
_FEW = 12
"""So many comparisons take less time than a look at each byte."""

Octets = NDArray[np.uint8]
Indices = NDArray[np.intp]
Flags = NDArray[np.bool_]


class Beginning(NamedTuple):
    """Where forms could begin, in one reading of some bytes.

    Attributes
    ----------
    octets
        The bytes as they are, or of UTF-16 every second one.
    starts
        Indices in them, ascending.
    first, step
        Which byte of all the first of `octets` is, and how far it is from one to the next.
    """

    octets: Octets
    starts: Indices
    first: int
    step: int


class PrefixFilter:
    """Looks for the beginnings of forms.

    Parameters
    ----------
    forms
        In lower case, as Latin-1. Nothing is looked for of those with other characters, or with
        fewer than eight.
    """

    def __init__(self, forms: Iterable[str]) -> None:
        sorts: dict[_Sort, set[bytes]] = defaultdict(set)
        for form in forms:
            if _is_long(form):
                prefix = form[:LENGTH].encode("latin-1")
                sorts[_sort(prefix)].add(prefix)
        self._groups = [_Group(sort, sorted(found)) for sort, found in sorted(sorts.items())]
        self._least = min((group.least for group in self._groups), default=0)
        self._most = max((group.least + group.span for group in self._groups), default=0)

    def find(self, content: bytes) -> Iterator[Beginning]:
        """Yield where forms could begin."""
        octets = np.frombuffer(content, np.uint8)
        for start in range(0, max(1, len(octets) - LENGTH + 1), _BLOCK):
            block = octets[start : start + _BLOCK + 2 * LENGTH]
            for reading in self._readings(block) if self._groups else ():
                starts = self._starts(reading)
                first, step = reading.first, reading.step
                # What begins in what blocks have in common is the next one's.
                starts = starts[starts * step + first < _BLOCK]
                if len(starts):
                    yield Beginning(octets[start + first :: step], starts, start + first, step)

    def _readings(self, block: Octets) -> Iterator[_Reading]:
        """Yield the readings of a block in which there is any run of characters in range."""
        fits = _in_range(block, self._least, self._most - self._least)
        if _holds(fits, _WORD, _FOUR_IN_RANGE):
            yield _Reading(block, first=0, step=1)
        knows_zeros = self._least > 0  # where zero is in range, it does not tell UTF-16
        even = not knows_zeros or _holds(fits, _LONG_WORD, _EVEN_IN_RANGE)
        odd = not knows_zeros or _holds(fits, _LONG_WORD, _ODD_IN_RANGE)
        if not (even or odd):
            return
        halves = [block[: len(block) // 2 * 2 : 2].copy(), block[1::2].copy()]
        if even:
            yield _Reading(halves[0], first=0, step=2, zeros=halves[1] == 0)
        if odd:
            yield _Reading(halves[1], first=1, step=2, zeros=halves[0][1:] == 0)

    def _starts(self, reading: _Reading) -> Indices:
        found = [starts for g in self._groups if len(starts := g.starts(reading))]
        return np.unique(np.concatenate(found)) if found else _NOWHERE


class _Reading:
    """The characters of a block: each of its bytes, or every second where zeros lie between them.

    Parameters
    ----------
    octets
        The characters.
    first, step
        Which byte of the block the first is, and how far it is from one to the next.
    zeros
        In UTF-16: whether there is a zero between each and the next.
    """

    def __init__(
        self, octets: Octets, *, first: int, step: int, zeros: Flags | None = None
    ) -> None:
        self.octets = octets
        self.first = first
        self.step = step
        self._between = None if zeros is None else _runs(zeros, LENGTH - 1)
        self._known: dict[tuple[int, int], Flags] = {}
        self._letters: Flags | None = None

    def runs(self, least: int, span: int) -> Flags:
        """Tell of each character whether eight that are in range begin there."""
        known = self._known.get((least, span))
        if known is None:
            fits = _in_range(self.octets, least, span)
            # A run of eight holds an aligned word of four, wherever it begins.
            known = _runs(fits, LENGTH) if _holds(fits, _WORD, _FOUR_IN_RANGE) else _NEVER
            if self._between is not None and len(known):
                length = min(len(known), len(self._between))
                known = known[:length] & self._between[:length]
            self._known[least, span] = known
        return known

    @property
    def letters(self) -> Flags:
        """Tell of each character whether it is one of ASCII's letters."""
        if self._letters is None:
            self._letters = ((self.octets | np.uint8(0x20)) - np.uint8(ord("a"))) < np.uint8(26)
        return self._letters


def _in_range(octets: Octets, least: int, span: int) -> Flags:
    return np.asarray((octets - np.uint8(least)) <= np.uint8(span))


def _holds(fits: Flags, size: int, pattern: int) -> bool:
    """Tell whether a pattern is among the aligned words of some flags, lowest byte first."""
    words = fits[: len(fits) // size * size].view(f"<u{size}")
    return bool((words == words.dtype.type(pattern)).any())


class _Sort(IntEnum):
    """Of what the first eight characters of a form are: decides by what they are looked for."""

    FIGURES = 0
    """Digits and what stands between them."""
    WORDS = 1
    """ASCII, with three letters in a row."""
    LABELS = 2
    """ASCII, with fewer letters."""
    NOT_ASCII = 3
    """A character that is none of ASCII's, as some character set has it."""


def _sort(prefix: bytes) -> _Sort:
    if not prefix.isascii():
        return _Sort.NOT_ASCII
    if max(prefix) <= ord(":"):
        return _Sort.FIGURES
    return _Sort.WORDS if _THREE_LETTERS.search(prefix) else _Sort.LABELS


class _Group:
    """Forms that are looked for alike: by a run of characters in range, with a mark in it.

    The mark is what there is least of in voxels: letters, or a byte that is no ASCII.
    """

    def __init__(self, sort: _Sort, prefixes: list[bytes]) -> None:
        self._sort = sort
        self._codes = np.sort(np.frombuffer(b"".join(prefixes), np.uint64))
        self._tables = _tables(prefixes)
        beginning = b"".join(prefixes)
        self.least = min(*beginning, *_RANGE[sort])
        self.span = max(*beginning, *_RANGE[sort]) - self.least
        marks = [m for m in map(_MARK[sort].search, prefixes) if m]
        self._places = sorted({mark.start() for mark in marks})
        self._marks = sorted({mark[0][0] for mark in marks})

    def starts(self, reading: _Reading) -> Indices:
        """Return where one of the forms begins in a reading."""
        runs = reading.runs(self.least, self.span)
        if self._places and len(runs):
            runs = runs & self._with_mark(reading, len(runs))
        return self._exactly(reading.octets, self._by_tables(reading.octets, np.flatnonzero(runs)))

    def _with_mark(self, reading: _Reading, length: int) -> Flags:
        """Tell of each position whether a mark stands where a form that begins there has it."""
        marks = self._marked(reading)
        found = np.zeros(length, np.bool_)
        for place in self._places:
            marked = marks[place : place + length]
            found[: len(marked)] |= marked
        return found

    def _marked(self, reading: _Reading) -> Flags:
        if self._sort is _Sort.WORDS:
            return _runs(reading.letters, 3)
        if self._sort is _Sort.LABELS:
            return reading.letters
        if len(self._marks) > _FEW:
            return np.asarray(reading.octets >= np.uint8(self._marks[0]))
        found = reading.octets == np.uint8(self._marks[0])
        for mark in self._marks[1:]:
            found |= reading.octets == np.uint8(mark)
        return np.asarray(found)

    def _by_tables(self, reading: Octets, perhaps: Indices) -> Indices:
        """Return where all characters could be those of one form, of what perhaps fits."""
        sets = np.full(len(perhaps), _BYTES - 1, np.uint8)
        for place, table in enumerate(self._tables):
            if not len(perhaps):
                break
            sets &= table[reading[perhaps + place]]
            kept = np.flatnonzero(sets)
            perhaps, sets = perhaps[kept], sets[kept]
        return perhaps

    def _exactly(self, reading: Octets, perhaps: Indices) -> Indices:
        if not len(perhaps):
            return perhaps
        rows = reading[perhaps[:, None] + np.arange(LENGTH)]
        codes = np.ascontiguousarray(_LOWER[rows]).view(np.uint64)[:, 0]
        nearest = np.minimum(np.searchsorted(self._codes, codes), len(self._codes) - 1)
        same: Indices = perhaps[self._codes[nearest] == codes]
        return same


_NOWHERE = np.zeros(0, np.intp)
_NEVER = np.zeros(0, np.bool_)
_LOWER = np.frombuffer(bytes(range(_BYTES)).lower(), np.uint8)
_THREE_LETTERS = re.compile(rb"[a-z]{3}")
_RANGE = {
    _Sort.FIGURES: b" :",
    _Sort.WORDS: b" z",
    _Sort.LABELS: b" z",
    _Sort.NOT_ASCII: b" ",
}
"""The least that is looked for, so that two kinds of forms share one comparison."""
_MARK = {
    _Sort.FIGURES: re.compile(rb"(?!)"),
    _Sort.WORDS: _THREE_LETTERS,
    _Sort.LABELS: re.compile(rb"[a-z]"),
    _Sort.NOT_ASCII: re.compile(rb"[\x80-\xff]"),
}


def _is_long(form: str) -> bool:
    return len(form) >= LENGTH and max(form[:LENGTH]) < "\u0100"


def _runs(fits: Flags, length: int) -> Flags:
    """Tell of each position whether so many that fit begin there."""
    runs, have = fits, 1
    while have < length:
        more = min(have, length - have)
        runs = runs[: max(0, len(runs) - more)] & runs[more:]
        have += more
    return runs


def _tables(prefixes: list[bytes]) -> list[Octets]:
    """Return of each place a table: which sets of forms have a byte there, in either case."""
    tables = [np.zeros(_BYTES, np.uint8) for _ in range(LENGTH)]
    for number, prefix in enumerate(prefixes):
        bit = np.uint8(1 << number * _SETS // len(prefixes))
        for table, lower, upper in zip(tables, prefix, prefix.upper(), strict=True):
            table[lower] |= bit
            table[upper] |= bit
    return tables
