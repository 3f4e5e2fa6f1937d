"""Finds where in voxels a searched form could begin, many times faster than by reading them.

Voxels are hundreds of times as long as everything else that is published. A form counts there from
eight characters on, so its first eight are looked for, as bytes and as UTF-16 of either byte order.
Wherever eight characters begin, they hold a word of four that is aligned; only aligned words are
looked at, therefore. Those of characters in the range of the forms' are looked up in two tables of
hashes of the forms' words (Bloom, 1970), and what is in both is compared exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

LENGTH = 8
"""How many characters a form must have, at least."""

_WORD = 4
_OFFSETS = range(LENGTH - _WORD + 1)
"""Where in the first characters of a form an aligned word can lie."""
_BLOCK = 1 << 18
"""What is looked at in one go: its arrays stay in the processor's cache."""
_FOUR = 0x01010101
_FOUR_EVEN = 0x0001000100010001
_FOUR_ODD = 0x0100010001000100
"""Flags of the bytes of a word, as a number whose lowest byte comes first."""
_CASE = np.uint32(0x20202020)
"""The bits in which the cases of four characters differ."""
_WORD_BITS = 32
_MULTIPLIERS = (0x9E3779B1, 0x85EBCA77)
_ROOM = 5
"""A table has at least so many bits more than are needed to count the words."""
_SMALLEST_TABLE = 16

Octets = NDArray[np.uint8]
Words = NDArray[np.uint32]
Indices = NDArray[np.intp]


class Beginning(NamedTuple):
    """Where forms begin with their first characters, in one reading of some bytes.

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
        prefixes = {form[:LENGTH].encode("latin-1") for form in forms if _is_long(form)}
        self._plain = _Prefixes(prefixes)
        self._wide = _Prefixes({prefix for prefix in prefixes if 0 not in prefix})

    def find(self, content: bytes) -> Iterator[Beginning]:
        """Yield where forms begin with their first characters."""
        octets = np.frombuffer(content, np.uint8)
        for start in range(0, max(1, len(octets) - LENGTH + 1), _BLOCK):
            block = octets[start : start + _BLOCK + 2 * LENGTH]
            for found, first, step in self._in_block(block):
                # What begins in what blocks have in common is the next one's.
                starts = found[found * step + first < _BLOCK]
                if len(starts):
                    yield Beginning(octets[start + first :: step], starts, start + first, step)

    def _in_block(self, block: Octets) -> Iterator[tuple[Indices, int, int]]:
        """Yield the beginnings in each reading of a block."""
        if self._plain:
            fits = _words(self._plain.in_range(block), "<u4")
            perhaps = np.flatnonzero(fits == _FOUR)
            words = _words(block, "<u4")[perhaps]
            yield self._plain.starts(block, words, perhaps), 0, 1
        if self._wide:
            fits = _words(self._wide.in_range(block), "<u8")
            for first, flags in enumerate((_FOUR_EVEN, _FOUR_ODD)):
                perhaps = np.flatnonzero(fits == np.uint64(flags))
                words = _narrow(_words(block, "<u8")[perhaps] >> np.uint64(8 * first))
                yield self._wide.starts(block[first:], words, perhaps, step=2), first, 2


class _Prefixes:
    """The first characters of forms.

    Parameters
    ----------
    prefixes
        In lower case, eight characters each.
    """

    def __init__(self, prefixes: Iterable[bytes]) -> None:
        ordered = sorted(prefixes)
        joined = b"".join(ordered)
        self._codes = np.sort(np.frombuffer(joined, np.uint64))
        self._least = min(joined.upper(), default=0)
        self._span = max(joined, default=0) - self._least
        words = {prefix[offset : offset + _WORD] for prefix in ordered for offset in _OFFSETS}
        self._words = _WordSet(np.frombuffer(b"".join(sorted(words)), "<u4"))

    def __bool__(self) -> bool:
        return len(self._codes) > 0

    def in_range(self, octets: Octets) -> NDArray[np.bool_]:
        """Tell of each byte whether it lies in the range of the characters."""
        return np.asarray((octets - np.uint8(self._least)) <= np.uint8(self._span))

    def starts(self, octets: Octets, words: Words, places: Indices, *, step: int = 1) -> Indices:
        """Return where prefixes begin of which some words could be a part.

        Parameters
        ----------
        octets
            The characters, and with a step of 2 what must be zeros between them.
        words, places
            Four characters each, and how many fours are before them.
        step
            How far it is from one character to the next.
        """
        held = self._words.may_hold(words)
        if not len(held):
            return held
        begins = _WORD * places[held, None] - np.arange(len(_OFFSETS))
        last = (len(octets) - 1) // step - LENGTH + 1
        begins = begins[(begins >= 0) & (begins <= last)]
        rows = octets[::step][begins[:, None] + np.arange(LENGTH)]
        codes = np.ascontiguousarray(_LOWER[rows]).view(np.uint64)[:, 0]
        nearest = np.minimum(np.searchsorted(self._codes, codes), len(self._codes) - 1)
        found = np.unique(begins[self._codes[nearest] == codes])
        if step > 1 and len(found):
            between = octets[1::step][found[:, None] + np.arange(LENGTH - 1)]
            found = found[~between.any(axis=1)]
        return found


class _WordSet:
    """Words of four characters, in two tables of hashes, where their case makes no difference.

    Parameters
    ----------
    words
        Each a little-endian number.
    """

    def __init__(self, words: Words) -> None:
        bits = max(_SMALLEST_TABLE, len(words).bit_length() + _ROOM)
        self._shift = np.uint32(_WORD_BITS - bits)
        self._tables = [(m, np.zeros(1 << bits, np.bool_)) for m in map(np.uint32, _MULTIPLIERS)]
        for multiplier, table in self._tables:
            table[self._hashed(words | _CASE, multiplier)] = True

    def may_hold(self, words: Words) -> Indices:
        """Return which of some words are in both tables: all of the set, and few others."""
        perhaps = np.arange(len(words))
        folded = words | _CASE
        for multiplier, table in self._tables:
            perhaps = perhaps[table[self._hashed(folded[perhaps], multiplier)]]
        return perhaps

    def _hashed(self, folded: Words, multiplier: np.uint32) -> Words:
        return folded * multiplier >> self._shift


_LOWER = np.frombuffer(bytes(range(256)).lower(), np.uint8)


def _is_long(form: str) -> bool:
    return len(form) >= LENGTH and max(form[:LENGTH]) < "\u0100"


def _words(octets: NDArray[np.generic], kind: str) -> NDArray[Any]:
    """Return the aligned words of some bytes; what is left over at their end is none."""
    size = np.dtype(kind).itemsize
    return octets[: len(octets) // size * size].view(kind)


def _narrow(words: NDArray[np.uint64]) -> Words:
    """Return of words of eight bytes the four even ones, as words."""
    halves = words & np.uint64(0x00FF00FF00FF00FF)
    halves = (halves | halves >> np.uint64(8)) & np.uint64(0x0000FFFF0000FFFF)
    return (halves | halves >> np.uint64(16)).astype(np.uint32)
