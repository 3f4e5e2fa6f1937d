"""Finds what is packed within other bytes, by what it begins with, and unpacks it as it goes by.

PDF, MATLAB's files, HDF5, PNG and git hold streams of zlib; recordings and archives hold archives;
pages and notebooks hold images in base64. One look for the beginnings of all of these stands here
for a reader of each format. Bytes that only look like a beginning fail within a few.
"""

from __future__ import annotations

import binascii
import bz2
import lzma
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol

from bidsanon.validate.residue_runs import alphabet_table
from bidsanon.validate.residue_unpack import (
    BZIP2,
    CHUNK,
    GZIP,
    MOST_MEMORY,
    XZ,
    Budget,
    NotSearchableError,
)

_COST_OF_BEGINNING = 1 << 14
"""To try whether something begins takes as long as to unpack so many bytes."""
_MOST_OPEN = 16
_HELD = 64
_ZIP_HEAD = struct.Struct("<4s5H3I2H")
_STORED, _DEFLATED = 0, 8
_ZIP_METHODS = frozenset((*range(20), *range(93, 100)))
_NEWEST_ZIP = 63
_LONGEST_ZIP_NAME = 1 << 10
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_RUN = re.compile(rb"[A-Za-z0-9+/_-]{28,}+")
_DIGITS = alphabet_table(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-")
_SHORTEST_RUN, _SHORTEST_LINE = 28, 56
_LINE_END = rb"\r?\n[ \t]*+|\\++[nr]|&#(?:10|13|xA|xD);|%0[AaDd]"
_BASE64_RUN = re.compile(
    rb"(?>(?:[A-Za-z0-9+/_-]++|\\++/|%2[BbFf]|" + _LINE_END + rb")*)", re.IGNORECASE
)
_HEX_RUN = re.compile(rb"(?>(?:[0-9A-Fa-f]++|" + _LINE_END + rb")*)")
_FULL_LINES = re.compile(
    rb"(?>(?:[A-Za-z0-9+/_-]{56,}+={0,2}(?>(?:" + _LINE_END + rb")*))+)", re.IGNORECASE
)
_SEPARATOR = re.compile(_LINE_END + rb"|\\++", re.IGNORECASE)
_LONGEST_SEPARATOR = 8
_ALL_HEX = re.compile(rb"[0-9A-Fa-f]++")
LONG_RUN = 1 << 10
_PACKED_HEADS = (
    *(GZIP, BZIP2, XZ, b"PK\x03\x04", b"x\x01", b"x\x5e", b"x\x9c", b"x\xda"),
    *(b"\x89PNG", b"\xff\xd8\xff", b"%PDF", b"GIF8", b"<"),
)


def without_long_runs(content: bytes) -> tuple[bytes, list[tuple[int, bytes]]]:
    """Blank what is decoded anyway: long runs, in which short words stand by chance.

    Returns
    -------
    bytes
        The rest, with blanks.
    list
        Where each run begins, and the run.
    """
    if not _has_run(content, _SHORTEST_LINE):
        return content, []
    runs = [
        (match.start(), match[0])
        for match in _FULL_LINES.finditer(content)
        if len(match[0]) >= LONG_RUN
    ]
    blanked = bytearray(content)
    for start, run in runs:
        blanked[start : start + len(run)] = b" " * len(run)
    return bytes(blanked), runs


def _has_run(content: bytes, length: int) -> bool:
    """Tell, faster than a regular expression does, whether there is a run of some length."""
    return b"\1" * length in content.translate(_DIGITS)


class Opened(Protocol):
    """Something that has begun, and is unpacked as it goes by.

    Attributes
    ----------
    label
        What it is called as a place.
    is_over
        Whether nothing more comes of it.
    """

    label: str
    is_over: bool

    def feed(self, content: memoryview) -> Iterator[bytes]:
        """Take what follows, and yield what it holds."""


class Unpacked(NamedTuple):
    """Some of what something holds."""

    of: Opened
    content: bytes


class Within:
    """Finds and unpacks what is packed within bytes that go by.

    Parameters
    ----------
    budget
        What is left to unpack.
    problems
        Is told why something cannot be unpacked.
    skipped
        Where members of a ZIP archive begin that are unpacked already.
    """

    def __init__(
        self, budget: Budget, problems: list[str], skipped: frozenset[int] = frozenset()
    ) -> None:
        self._budget = budget
        self._problems = problems
        self._skipped = skipped
        self._open: list[Opened] = []
        self._run: _Run | None = None
        self._held = b""
        self._position = 0

    def find(self, chunk: bytes) -> Iterator[Unpacked]:
        """Yield what streams hold that begin in a chunk, or that go on in it.

        Parameters
        ----------
        chunk
            What follows the chunk before.
        """
        whole, seen = self._held + chunk, len(self._held)
        begun, self._open = self._open, []
        for opened in begun:
            yield from self._go_on(opened, memoryview(chunk))
        yield from self._in_runs(whole, seen)
        for pattern, make in _BEGINNINGS:
            for match in pattern.finditer(whole):
                at = self._position - seen + match.start()
                if match.end() > seen and at not in self._skipped:
                    self._budget.spend(_COST_OF_BEGINNING)
                    opened = make(self._budget, self._problems)
                    yield from self._go_on(opened, memoryview(whole)[match.start() :])
        self._held = whole[-_HELD:]
        self._position += len(chunk)

    def _go_on(self, opened: Opened, content: memoryview) -> Iterator[Unpacked]:
        for unpacked in opened.feed(content):
            yield Unpacked(opened, unpacked)
        if not opened.is_over:
            self._open.append(opened)
            if len(self._open) > _MOST_OPEN:
                raise NotSearchableError("more is packed within it at once than any file needs")

    def _in_runs(self, whole: bytes, seen: int) -> Iterator[Unpacked]:
        """Yield what long runs of base64 and of hexadecimal numbers hold."""
        position = 0
        if self._run is not None:
            run = self._run
            for unpacked in run.feed(memoryview(whole)[seen:]):
                yield Unpacked(run, unpacked)
            if not run.is_over:
                return
            self._run, position = None, seen + max(0, run.taken)
        if not _has_run(whole, _SHORTEST_RUN):
            return
        while match := _RUN.search(whole, position):
            is_hex = _ALL_HEX.fullmatch(match[0]) is not None
            run = _Run(is_hex=is_hex)
            end = run.end_in(whole, match.start())
            goes_on = end > len(whole) - _LONGEST_SEPARATOR
            is_worth_it = end - match.start() >= LONG_RUN or run.is_packed(match[0])
            if match.end() > seen and (goes_on or is_worth_it):
                self._budget.spend(_COST_OF_BEGINNING)
                for unpacked in run.feed(memoryview(whole)[match.start() :]):
                    yield Unpacked(run, unpacked)
                if not run.is_over:
                    self._run = run
                    return
            position = max(end, match.end())


class _Inflated:
    """A stream of zlib, gzip, or nothing but deflate."""

    label = "compressed within"

    def __init__(self, budget: Budget, *, bits: int) -> None:
        self._budget = budget
        self._inflater: Any = zlib.decompressobj(bits)
        self.is_over = False

    def feed(self, content: memoryview) -> Iterator[bytes]:
        waiting: Any = content
        try:
            while len(waiting) and not self._inflater.eof:
                inflated = self._inflater.decompress(waiting, CHUNK)
                waiting = self._inflater.unconsumed_tail
                self._budget.spend(len(inflated))
                if inflated:
                    yield inflated
        except zlib.error:
            self.is_over = True  # other bytes that happened to look like the beginning of a stream
        self.is_over = self.is_over or self._inflater.eof


class _Decompressed:
    """A stream of bzip2 or xz, whose beginnings are too long to be there by chance."""

    label = "compressed within"

    def __init__(self, budget: Budget, problems: list[str], *, is_xz: bool) -> None:
        self._budget = budget
        self._problems = problems
        self._decompressor: Any = (
            lzma.LZMADecompressor(memlimit=MOST_MEMORY) if is_xz else bz2.BZ2Decompressor()
        )
        self.is_over = False

    def feed(self, content: memoryview) -> Iterator[bytes]:
        waiting: Any = content
        try:
            while not self._decompressor.eof and (
                len(waiting) or not self._decompressor.needs_input
            ):
                unpacked = self._decompressor.decompress(waiting, CHUNK)
                waiting = b""
                self._budget.spend(len(unpacked))
                if unpacked:
                    yield unpacked
        except (OSError, EOFError, lzma.LZMAError):
            self._problems.append("what is packed within it is damaged")
            self.is_over = True
        self.is_over = self.is_over or self._decompressor.eof


class _ZipMember:
    """A member of a ZIP archive, by its own heading: it may be in no list, or the list be lost."""

    label = "compressed within"

    def __init__(self, budget: Budget, problems: list[str]) -> None:
        self._budget = budget
        self._problems = problems
        self._head = b""
        self._inside: _Inflated | None = None
        self.is_over = False

    def feed(self, content: memoryview) -> Iterator[bytes]:
        if self._inside is None:
            missing = self._length() - len(self._head)
            while missing > 0 and len(content):
                self._head += content[:missing]
                content = content[missing:]
                missing = self._length() - len(self._head)
            if missing > 0:
                return
            self._inside = self._entered()
        if self._inside is None:
            self.is_over = True
            return
        yield from self._inside.feed(content)
        self.is_over = self._inside.is_over

    def _length(self) -> int:
        """Return how long the heading is, as far as it is known."""
        if len(self._head) < _ZIP_HEAD.size:
            return _ZIP_HEAD.size
        *_, name, extra = _ZIP_HEAD.unpack_from(self._head)
        return _ZIP_HEAD.size + int(name) + int(extra) if name <= _LONGEST_ZIP_NAME else 0

    def _entered(self) -> _Inflated | None:
        _, version, flags, method, _, _, _, size, _, length, _ = _ZIP_HEAD.unpack_from(self._head)
        name = self._head[_ZIP_HEAD.size : _ZIP_HEAD.size + length]
        is_heading = (
            version & 0xFF <= _NEWEST_ZIP
            and method in _ZIP_METHODS
            and 0 < length <= _LONGEST_ZIP_NAME
            and not _CONTROL.search(name)
        )
        if not is_heading or (method == _STORED and not flags & 1):
            return None
        if flags & 1:
            self._problems.append("an encrypted archive is within it")
            return None
        if method != _DEFLATED:
            if size or flags & 8:
                self._problems.append("an archive within it is packed in a way not known here")
            return None
        return _Inflated(self._budget, bits=-zlib.MAX_WBITS)


class _Run:
    """A long run of base64 or of hexadecimal numbers, over any lines.

    Parameters
    ----------
    is_hex
        Which of them.

    Attributes
    ----------
    taken
        How much of what was fed last is of the run.
    """

    def __init__(self, *, is_hex: bool) -> None:
        self._is_hex = is_hex
        self._pattern = _HEX_RUN if is_hex else _BASE64_RUN
        self._waiting = b""
        self._digits = b""
        self.label = "hexadecimal within" if is_hex else "base64 within"
        self.is_over = False
        self.taken = 0

    def end_in(self, content: bytes, start: int) -> int:
        """Return where a run ends that begins in some bytes."""
        match = self._pattern.match(content, start)
        return match.end() if match else start

    def is_packed(self, digits: bytes) -> bool:
        """Whether a run that begins with some digits is something of a known kind."""
        return self._decoded(digits[: len(digits) // 4 * 4]).startswith(_PACKED_HEADS)

    def feed(self, content: memoryview) -> Iterator[bytes]:
        """Take what follows, and yield what it holds."""
        whole = self._waiting + bytes(content)
        end = self.end_in(whole, 0)
        self.taken = end - len(self._waiting)
        self.is_over = end <= len(whole) - _LONGEST_SEPARATOR
        self._waiting = b"" if self.is_over else whole[end:]
        digits = self._digits + _SEPARATOR.sub(b"", whole[:end])
        if b"%" in digits:
            digits = re.sub(rb"%2[Bb]", b"+", re.sub(rb"%2[Ff]", b"/", digits))
        whole_groups = len(digits) // 4 * 4
        self._digits = digits[whole_groups:]
        decoded = self._decoded(digits[:whole_groups])
        if self.is_over and self._digits:
            decoded += self._decoded(self._digits)
        if decoded:
            yield decoded

    def _decoded(self, digits: bytes) -> bytes:
        if self._is_hex:
            return bytes.fromhex(digits[: len(digits) // 2 * 2].decode("ascii"))
        padded = digits + b"AAA"[: -len(digits) % 4]
        return binascii.a2b_base64(padded.replace(b"-", b"+").replace(b"_", b"/"))


_BEGINNINGS: tuple[tuple[re.Pattern[bytes], Callable[[Budget, list[str]], Opened]], ...] = (
    (re.compile(rb"\x78[\x01\x5e\x9c\xda]"), lambda budget, _: _Inflated(budget, bits=15)),
    (re.compile(rb"\x1f\x8b\x08[\x00-\x1f]"), lambda budget, _: _Inflated(budget, bits=31)),
    (re.compile(rb"BZh[1-9]1AY&SY"), lambda b, p: _Decompressed(b, p, is_xz=False)),
    (re.compile(rb"\xfd7zXZ\x00"), lambda b, p: _Decompressed(b, p, is_xz=True)),
    (re.compile(rb"PK\x03\x04"), _ZipMember),
)
