"""What a MATLAB file (level 5) says in words: EEGLAB keeps its recordings in such files (.set).

A file is a heading of 128 bytes and elements: a type, a length and data; variables may be packed by
zlib. Only texts are read, never numbers. What takes the place of a text has as many bytes, so that
nothing else moves (MAT-File Format, MathWorks).
"""

from __future__ import annotations

import math
import re
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple

from bidsanon.bids.matlab_elements import (
    ALIGNED,
    CHUNK,
    HEADING_BYTES,
    MATRIX,
    PACKED,
    MatlabError,
    Source,
    elements,
)

EXTENSION = ".set"
"""Of EEGLAB; other MATLAB files may hold anything."""

_TEXT_BYTES = 116
_BEGIN = b"MATLAB 5.0 MAT-file"
_ORDERS = {b"IM": "<", b"MI": ">"}
_CELL, _STRUCT, _OBJECT, _CHAR, _FUNCTION, _OPAQUE = 1, 2, 3, 4, 16, 17
_CODECS = {1: "utf-8", 2: "utf-8", 16: "utf-8", 4: "utf-16", 17: "utf-16", 18: "utf-32"}
_DEEPEST = 32
_MOST_ELEMENTS = 1 << 22
_LONGEST_TEXT, _MOST_CHARACTERS = 1 << 24, 1 << 25
_BLANKS = {1: " ", 2: "\N{NO-BREAK SPACE}", 3: "\N{EM SPACE}", 4: "\U0001d159"}
"""What shows nothing, by the bytes that UTF-8 needs for it."""


class Place(NamedTuple):
    """Where a text stands: in which element, and at which byte of it, unpacked."""

    element: int
    offset: int


@dataclass(frozen=True, kw_only=True)
class MatlabText:
    """A text in a file.

    Attributes
    ----------
    names
        The variable's and the fields' names above it.
    text
        What it says; rows are lines.
    place, content, codec
        Where its bytes stand, the bytes, and how they are read.
    rows
        How many rows it has, whose letters stand column by column.
    """

    names: tuple[str, ...]
    text: str
    place: Place
    content: bytes
    codec: str
    rows: int

    def written(self, text: str) -> bytes:
        """Return what says a text in as many bytes; blanks where that is not possible."""
        if self.rows == 1 and len(text) <= len(self.text):
            content = text.ljust(len(self.text)).encode(self.codec, "replace")
            if len(content) == len(self.content):
                return content
        signs = self.content.decode(self.codec, "replace")
        if not self.codec.startswith("utf-8"):
            return (" " * len(signs)).encode(self.codec)
        blanks = "".join(_BLANKS[len(sign.encode())] for sign in signs).encode()
        return blanks if len(blanks) == len(self.content) else b" " * len(self.content)


@dataclass(kw_only=True)
class MatlabFacts:
    """What a file says.

    Attributes
    ----------
    heading
        What its heading says: which program wrote it, and when.
    texts
        Its texts.
    unread
        How many of its variables are objects, which only MATLAB understands.
    """

    heading: str
    texts: list[MatlabText] = field(default_factory=list)
    unread: int = 0


def is_matlab(begin: bytes) -> bool:
    """Tell such a file by its first bytes."""
    return begin.startswith(_BEGIN) and begin[126:128] in _ORDERS


def read_matlab(stream: BinaryIO) -> MatlabFacts:
    """Read what a file says.

    Parameters
    ----------
    stream
        The file, at its beginning; it can be read in any order.

    Raises
    ------
    MatlabError
        If it is none, is damaged, or holds more than anybody reads.
    """
    heading = stream.read(HEADING_BYTES)
    if not is_matlab(heading):
        raise MatlabError("it is no MATLAB file of level 5")
    facts = MatlabFacts(heading=heading[:_TEXT_BYTES].decode("latin-1").strip("\0 "))
    order = _ORDERS[heading[126:128]]
    try:
        for number, element in enumerate(elements(stream, order)):
            _Reading(element.source(stream), order, number, facts).element(())
    except (zlib.error, struct.error) as error:
        raise MatlabError("it is damaged") from error
    return facts


def contents(stream: BinaryIO, changes: Mapping[Place, bytes]) -> Iterator[bytes]:
    """Yield everything that a file holds behind its heading, unpacked, with other bytes in places.

    Two files that hold the same give the same, however they are packed.
    """
    order = _ORDERS[stream.read(HEADING_BYTES)[126:128]]
    for number, element in enumerate(elements(stream, order)):
        yield from _changed(element.source(stream), number, changes)


def write_changed(
    stream: BinaryIO, target: BinaryIO, heading: str, changes: Mapping[Place, bytes]
) -> None:
    """Write a file anew with other bytes in some places; other variables stay as they are packed.

    Parameters
    ----------
    stream, target
        The file and its copy.
    heading
        What the copy's heading says.
    changes
        What stands where.
    """
    fixed = stream.read(HEADING_BYTES)
    target.write(heading.encode("latin-1", "replace")[:_TEXT_BYTES].ljust(_TEXT_BYTES))
    target.write(fixed[_TEXT_BYTES:])
    order = _ORDERS[fixed[126:128]]
    touched = {place.element for place in changes}
    for number, element in enumerate(elements(stream, order)):
        if not (element.is_packed and number in touched):
            target.writelines(_changed(element.whole(stream), number, changes))
            continue
        begin = target.tell()
        target.write(bytes(ALIGNED))
        packing = zlib.compressobj()
        target.writelines(
            map(packing.compress, _changed(element.unpacked(stream), number, changes))
        )
        target.write(packing.flush())
        end = target.tell()
        target.seek(begin)
        target.write(struct.pack(order + "II", PACKED, end - begin - ALIGNED))
        target.seek(end)


def _changed(source: Source, number: int, changes: Mapping[Place, bytes]) -> Iterator[bytes]:
    own = sorted((place.offset, new) for place, new in changes.items() if place.element == number)
    for offset, new in own:
        while source.position < offset:
            yield source.read(min(CHUNK, offset - source.position))
        source.read(len(new))
        yield new
    while chunk := source.read(CHUNK):
        yield chunk


class _Tag(NamedTuple):
    """The beginning of an element: its type, its length, and its data where they are short."""

    kind: int
    size: int
    inside: bytes | None


class _Reading:
    """Reads one variable."""

    def __init__(self, source: Source, order: str, number: int, facts: MatlabFacts) -> None:
        self._source = source
        self._order = order
        self._number = number
        self._facts = facts
        self._elements = 0
        self._characters = 0

    def element(self, names: tuple[str, ...]) -> None:
        """Read an array, and the arrays in it."""
        tag = self._tag()
        if tag.kind != MATRIX:
            raise MatlabError("it is damaged")
        if not tag.size:
            return
        if len(names) > _DEEPEST:
            raise MatlabError("it is nested too deeply")
        end = self._source.position + tag.size
        (flags,) = struct.unpack_from(self._order + "I", self._data(8))
        kind = flags & 0xFF
        if kind in {_FUNCTION, _OPAQUE}:
            self._facts.unread += 1
        else:
            sizes = self._numbers()
            own = self._data(CHUNK).decode("utf-8", "replace")
            self._inside(kind, sizes, (*names, own) if own else names)
        self._skip(end)

    def _inside(self, kind: int, sizes: tuple[int, ...], names: tuple[str, ...]) -> None:
        count = math.prod(sizes)
        if kind == _CHAR:
            self._text(sizes, names)
        elif kind == _CELL:
            for _ in range(count):
                self.element(names)
        elif kind in {_STRUCT, _OBJECT}:
            if kind == _OBJECT:
                self._data(CHUNK)
            (length,) = self._numbers()
            listed = self._data(CHUNK)
            if length < 1:
                raise MatlabError("it is damaged")
            fields = [
                listed[begin : begin + length].partition(b"\0")[0].decode("utf-8", "replace")
                for begin in range(0, len(listed), length)
            ]
            for _ in range(count if fields else 0):
                for one in fields:
                    self.element((*names, one))

    def _text(self, sizes: tuple[int, ...], names: tuple[str, ...]) -> None:
        tag = self._tag()
        if tag.kind not in _CODECS:
            raise MatlabError("it holds a text in a form that is not known here")
        self._characters += tag.size
        if tag.size > _LONGEST_TEXT or self._characters > _MOST_CHARACTERS:
            raise MatlabError("it holds a text of many megabytes")
        offset = self._source.position - (4 if tag.inside is not None else 0)
        content = tag.inside if tag.inside is not None else self._source.read(tag.size)
        if tag.inside is None:
            self._skip(self._source.position + -tag.size % ALIGNED)
        codec = _CODECS[tag.kind]
        if codec != "utf-8":
            codec += "-le" if self._order == "<" else "-be"
        text = content.decode(codec, "replace")
        rows = max(1, sizes[0]) if sizes else 1
        if rows > max(1, len(text)):
            raise MatlabError("it is damaged")
        lines = [text[row::rows].rstrip() for row in range(rows)]
        self._facts.texts.append(
            MatlabText(
                names=names,
                text="\n".join(lines) if rows > 1 else text,
                place=Place(self._number, offset),
                content=content,
                codec=codec,
                rows=rows,
            )
        )

    def _tag(self) -> _Tag:
        """Read a tag; of a short element its data too (small data element format)."""
        self._elements += 1
        if self._elements > _MOST_ELEMENTS:
            raise MatlabError("it holds more than anybody reads")
        first = self._exactly(4)
        (word,) = struct.unpack(self._order + "I", first)
        if word >> 16:
            size = word >> 16
            inside = self._exactly(4)
            if size > len(inside):
                raise MatlabError("it is damaged")
            return _Tag(word & 0xFFFF, size, inside[:size])
        (size,) = struct.unpack(self._order + "I", self._exactly(4))
        return _Tag(word, size, None)

    def _data(self, most: int) -> bytes:
        """Read an element's data, and what fills it up."""
        tag = self._tag()
        if tag.inside is not None:
            return tag.inside
        if tag.size > most:
            raise MatlabError("it is damaged")
        content = self._exactly(tag.size)
        self._exactly(-tag.size % ALIGNED)
        return content

    def _numbers(self) -> tuple[int, ...]:
        content = self._data(CHUNK)
        found = struct.unpack(
            f"{self._order}{len(content) // 4}i", content[: len(content) // 4 * 4]
        )
        if any(number < 0 for number in found):
            raise MatlabError("it is damaged")
        return found

    def _exactly(self, size: int) -> bytes:
        content = self._source.read(size)
        if len(content) < size:
            raise MatlabError("it ends within an element")
        return content

    def _skip(self, end: int) -> None:
        if end < self._source.position:
            raise MatlabError("it is damaged")
        self._source.skip(end - self._source.position)


_CREATED = re.compile(r",?\s*Created on:.*", re.DOTALL)


def without_moment(heading: str) -> str:
    """Return a heading without when the file was written."""
    return _CREATED.sub("", heading)
