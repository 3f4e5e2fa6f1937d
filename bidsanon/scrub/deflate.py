"""Compressed streams with a new beginning: all but the first blocks stay as they were compressed.

What a block of deflate holds may refer to the 32 kB before it and to nothing earlier. So the
beginning of a stream can be replaced without touching the rest, if at least that much of what
follows the change is compressed anew with it, and the rest begins at a block. Blocks begin at any
bit: empty ones fill up what is missing. RFC 1951 is meant where a clause is named.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from bidsanon.files import GZIP_LEVEL

WINDOW = 1 << 15
"""How far back a block may refer (clause 2)."""

_STORED, _FIXED, _DYNAMIC = range(3)
_END_OF_BLOCK = 256
_MOST_SYMBOLS = 1 << 20
"""A stream whose first blocks hold more is compressed anew as a whole: that is faster."""
_MOST_LITERALS = 286
_ORDER = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)
_LENGTH_BASE = (
    *(3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31),
    *(35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258),
)
_LENGTH_EXTRA = (*(0,) * 8, *(1,) * 4, *(2,) * 4, *(3,) * 4, *(4,) * 4, *(5,) * 4, 0)
_DISTANCE_EXTRA = (0, 0, *(n // 2 for n in range(28)))

# An empty block with fixed codes takes ten bits, and one with codes of its own an odd number: with
# these a block can be made to begin at any bit. This one has codes of one bit for 255, for the end
# and for one distance; its own lengths are written as 138 and 117 zeros and three ones.
_EMPTY_FIXED = "0" + "10" + "0" * 7
_EMPTY_DYNAMIC = (
    *("0", "01", "00000", "00000", "0111"),
    *("000" * 2, "100", "000" * 14, "100"),
    *("1", "1111111", "1", "0101011", "000", "1"),
)


class DeflateError(ValueError):
    """A stream cannot be cut: it is damaged, or has no place for it."""


@dataclass(frozen=True, kw_only=True)
class Cut:
    """A place between two blocks of a stream.

    Attributes
    ----------
    bit
        How many bits of the stream are before it.
    size
        How many bytes these stand for.
    """

    bit: int
    size: int


def find_cut(stream: bytes, *, at_least: int) -> Cut:
    """Find the first place between blocks before which a stream holds some bytes.

    Parameters
    ----------
    stream
        The beginning of a deflate stream; what is missing of it is not needed, or an error.
    at_least
        How many bytes.

    Raises
    ------
    DeflateError
        If there is no such place before the last block, or it would take too long to find.
    """
    bits = _Bits(stream)
    size = symbols = 0
    while size < at_least:
        if bits.take(1):
            raise DeflateError("the last block begins before")
        kind = bits.take(2)
        if kind == _STORED:
            size += bits.skip_stored()
        elif kind in {_FIXED, _DYNAMIC}:
            codes = _fixed_codes() if kind == _FIXED else _read_codes(bits)
            held, count = _measure_block(bits, *codes, most=_MOST_SYMBOLS - symbols)
            size, symbols = size + held, symbols + count
        else:
            raise DeflateError("a block of no kind")
    return Cut(bit=bits.position, size=size)


def begin_anew(content: bytes, rest: bytes, *, bit: int) -> bytes:
    """Compress another beginning so that the rest of a stream can follow it.

    Parameters
    ----------
    content
        What the stream is to begin with.
    rest
        The byte of the stream in which the rest begins, and as many after it as are at hand.
    bit
        At which bit of that byte it begins.

    Returns
    -------
    The beginning, with `rest` as its end.
    """
    compressor = zlib.compressobj(GZIP_LEVEL, wbits=-zlib.MAX_WBITS)
    begun = compressor.compress(content) + compressor.flush(zlib.Z_SYNC_FLUSH)
    if not bit:
        return begun + rest
    filling = "".join(_EMPTY_DYNAMIC) if bit % 2 else ""
    while len(filling) % 8 != bit:
        filling += _EMPTY_FIXED
    whole, part = len(filling) // 8, filling[-bit:]
    full = bytes(int(filling[8 * n : 8 * n + 8][::-1], 2) for n in range(whole))
    joined = int(part[::-1], 2) | rest[0] >> bit << bit
    return begun + full + bytes([joined]) + rest[1:]


_Codes = tuple[list[int], int]
"""For the next bits: the symbol times 16 plus its length, or 0; and how many bits these are."""


class _Bits:
    """Reads a stream bit by bit, the lowest of each byte first (clause 3.1.1)."""

    def __init__(self, stream: bytes) -> None:
        self._stream = stream
        self.position = 0

    def peek(self) -> int:
        """Return the next 56 bits and more; those behind the end are zero."""
        byte = self.position >> 3
        return int.from_bytes(self._stream[byte : byte + 8], "little") >> (self.position & 7)

    def take(self, count: int) -> int:
        value = self.peek() & ((1 << count) - 1)
        self.move(self.position + count)
        return value

    def move(self, position: int) -> None:
        if position > 8 * len(self._stream):
            raise DeflateError("it ends within a block")
        self.position = position

    def skip_stored(self) -> int:
        self.move(-(-self.position // 8) * 8)
        size, check = self.take(16), self.take(16)
        if size ^ check != 0xFFFF:  # noqa: PLR2004 - its complement, clause 3.2.4
            raise DeflateError("a stored block has a wrong length")
        self.move(self.position + 8 * size)
        return size


def _measure_block(
    bits: _Bits, literals: _Codes, distances: _Codes, *, most: int
) -> tuple[int, int]:
    """Return how many bytes a block holds, and in how many symbols (clause 3.2.3)."""
    table, width = literals
    distance_table, distance_width = distances
    mask, distance_mask = (1 << width) - 1, (1 << distance_width) - 1
    size = count = 0
    while count < most:
        count += 1
        ahead = bits.peek()
        code = table[ahead & mask]
        symbol, used = code >> 4, code & 15
        if symbol < _END_OF_BLOCK:
            size += 1
        else:
            if symbol == _END_OF_BLOCK:
                bits.move(bits.position + _present(used))
                return size, count
            extra = _LENGTH_EXTRA[symbol - 257]
            size += _LENGTH_BASE[symbol - 257] + (ahead >> used & ((1 << extra) - 1))
            used += extra
            code = distance_table[ahead >> used & distance_mask]
            used += _present(code & 15) + _DISTANCE_EXTRA[code >> 4]
        bits.move(bits.position + _present(used))
    raise DeflateError("its blocks are too long")


def _present(used: int) -> int:
    if not used:
        raise DeflateError("bits that are no code")
    return used


def _read_codes(bits: _Bits) -> tuple[_Codes, _Codes]:
    """Read the codes of a block that has its own (clause 3.2.7)."""
    literals, distances, written = bits.take(5) + 257, bits.take(5) + 1, bits.take(4) + 4
    if literals > _MOST_LITERALS or distances > len(_DISTANCE_EXTRA):
        raise DeflateError("more codes than there are")
    lengths = [0] * len(_ORDER)
    for symbol in _ORDER[:written]:
        lengths[symbol] = bits.take(3)
    table, width = _codes(lengths)
    found: list[int] = []
    while len(found) < literals + distances:
        code = table[bits.peek() & ((1 << width) - 1)]
        bits.move(bits.position + _present(code & 15))
        found += _repeated(bits, code >> 4, found)
    if len(found) != literals + distances:
        raise DeflateError("more codes than it says")
    return _codes(found[:literals]), _codes(found[literals:])


def _repeated(bits: _Bits, symbol: int, before: list[int]) -> Iterator[int]:
    """Yield the lengths that a symbol of the code of lengths stands for."""
    if symbol < 16:  # noqa: PLR2004 - a length itself
        yield symbol
    elif symbol == 16:  # noqa: PLR2004 - the one before, again
        if not before:
            raise DeflateError("nothing to repeat")
        yield from [before[-1]] * (3 + bits.take(2))
    else:
        yield from [0] * (3 + bits.take(3) if symbol == 17 else 11 + bits.take(7))  # noqa: PLR2004


@cache
def _fixed_codes() -> tuple[_Codes, _Codes]:
    """Return the codes of clause 3.2.6, without the two lengths that never occur."""
    return _codes([8] * 144 + [9] * 112 + [7] * 24 + [8] * 6), _codes([5] * 30)


def _codes(lengths: list[int]) -> _Codes:
    """Make the table of a code of its lengths (clause 3.2.2)."""
    width = max(lengths, default=0)
    table = [0] * (1 << width)
    code = 0
    for length in range(1, width + 1):
        code <<= 1
        for symbol in (s for s, own in enumerate(lengths) if own == length):
            if code >> length:
                raise DeflateError("codes that are ambiguous")
            reversed_code = int(f"{code:0{length}b}"[::-1], 2)
            entry = symbol << 4 | length
            for place in range(reversed_code, 1 << width, 1 << length):
                table[place] = entry
            code += 1
    return table, width
