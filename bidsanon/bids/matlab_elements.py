"""The elements that a MATLAB file (level 5) consists of, as they stand there or unpacked."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol

HEADING_BYTES = 128
MATRIX, PACKED = 14, 15
ALIGNED = 8
CHUNK = 1 << 18
_ALWAYS_UNPACKED, _MOST_TIMES = 1 << 28, 100


class MatlabError(ValueError):
    """It is no such file, or damaged. The text holds nothing of its content."""


class Source(Protocol):
    """What bytes are read from, one after the other."""

    position: int

    def read(self, size: int) -> bytes:
        """Return so many bytes; fewer at the end."""

    def skip(self, size: int) -> None:
        """Leave out so many bytes."""


@dataclass(kw_only=True)
class Plain:
    """An element as it stands in the file."""

    stream: BinaryIO
    left: int
    position: int = 0

    def read(self, size: int) -> bytes:
        """Return so many bytes; fewer at the end."""
        content = self.stream.read(min(size, self.left))
        self.left -= len(content)
        self.position += len(content)
        return content

    def skip(self, size: int) -> None:
        """Leave out so many bytes."""
        if size > self.left:
            raise MatlabError("it ends within an element")
        self.stream.seek(size, 1)
        self.left -= size
        self.position += size


class Unpacked:
    """What is packed in an element."""

    def __init__(self, packed: Plain) -> None:
        self._packed = packed
        self._most = _ALWAYS_UNPACKED + _MOST_TIMES * packed.left
        self._inflater = zlib.decompressobj()
        self._waiting = b""
        self.position = 0

    def read(self, size: int) -> bytes:
        """Return so many bytes; fewer at the end."""
        parts, missing = [], size
        while missing and not self._inflater.eof:
            self._waiting = self._waiting or self._packed.read(CHUNK)
            if not self._waiting:
                raise MatlabError("it is damaged")
            part = self._inflater.decompress(self._waiting, missing)
            self._waiting = self._inflater.unconsumed_tail
            parts.append(part)
            missing -= len(part)
        content = b"".join(parts)
        self.position += len(content)
        if self.position > self._most:
            raise MatlabError("it unpacks to more than a hundred times its size")
        return content

    def skip(self, size: int) -> None:
        """Leave out so many bytes."""
        while size > 0:
            content = self.read(min(size, CHUNK))
            if not content:
                raise MatlabError("it ends within an element")
            size -= len(content)


@dataclass(frozen=True, kw_only=True)
class Element:
    """Where an element stands in the file, and whether a variable is packed in it."""

    begin: int
    data: int
    end: int
    is_packed: bool

    def whole(self, stream: BinaryIO) -> Plain:
        """Return it as it stands, with its tag."""
        stream.seek(self.begin)
        return Plain(stream=stream, left=self.end - self.begin)

    def source(self, stream: BinaryIO) -> Source:
        """Return the variable, unpacked where it is packed."""
        return self.unpacked(stream) if self.is_packed else self.whole(stream)

    def unpacked(self, stream: BinaryIO) -> Unpacked:
        """Return the variable that is packed in it."""
        stream.seek(self.data)
        return Unpacked(Plain(stream=stream, left=self.end - self.data))


def elements(stream: BinaryIO, order: str) -> Iterator[Element]:
    """Yield the elements of a file, wherever it was read meanwhile."""
    begin, size = HEADING_BYTES, stream.seek(0, 2)
    while begin < size:
        stream.seek(begin)
        tag = stream.read(ALIGNED)
        if len(tag) < ALIGNED:
            raise MatlabError("it ends within an element")
        kind, length = struct.unpack(order + "II", tag)
        data = begin + ALIGNED
        if kind not in {MATRIX, PACKED} or data + length > size:
            raise MatlabError("it is damaged")
        yield Element(begin=begin, data=data, end=data + length, is_packed=kind == PACKED)
        begin = data + length
