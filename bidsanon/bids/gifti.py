"""Who made a GIFTI surface, where and when: its metadata, and where they stand in the file.

GIFTI 1.0 is XML. It is read as a stream, without its data; positions are those of bytes, so that
what is changed leaves every byte of the data as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple
from xml.parsers import expat
from xml.sax.saxutils import escape

EXTENSION = ".gii"

_CHUNK = 1 << 18
_LONGEST_TEXT = 1 << 20
_LONGEST_TAG = 1 << 12
_MOST_ENTRIES = 1 << 20
_DEEPEST = 64
_ENTRY, _KEY, _VALUE, _LABEL = "MD", "Name", "Value", "Label"
_ENCODINGS = frozenset({None, "utf-8", "us-ascii", "ascii", "iso-8859-1", "latin-1"})
_FILE_ATTRIBUTE = "ExternalFileName"
_KEPT = re.compile(
    r"name|description|anatomicalstructure(?:primary|secondary)|geometrictype|topologicaltype"
    r"|uniqueid|timestep|intent(?:_code|_p[123])?|encoding|gifticlib-version|caret-version|version"
    r"|surfacecenter[xyz]|volgeom\w{1,16}|scalardatatype|palettecolormapping"
    r"|column-(?:average-threshold|color-mapping)|dataspace|transformedspace",
    re.IGNORECASE,
)
"""What metadata of surfaces are about: Table 2 of GIFTI 1.0, FreeSurfer, Caret, Workbench."""
_TEXTS = frozenset({"name", "description"})


class GiftiError(ValueError):
    """It is no GIFTI, or damaged. The text holds nothing of its content."""


class Span(NamedTuple):
    """Where something stands: its first byte, and the first behind it."""

    begin: int
    end: int


@dataclass(frozen=True, kw_only=True)
class GiftiEntry:
    """A name and a value of metadata, and where they stand.

    Attributes
    ----------
    key, value
        What they say.
    whole
        Where the entry stands.
    """

    key: str
    value: str
    whole: Span

    @property
    def is_about_data(self) -> bool:
        """Whether its key says that it is about the surface, and not about who made it."""
        return _KEPT.fullmatch(self.key) is not None

    @property
    def is_text(self) -> bool:
        """Whether its value is free text, in which people and programs write names of files."""
        return self.key.lower() in _TEXTS

    def written(self, value: str) -> bytes:
        """Return the entry with another value."""
        key, value = escape(self.key), escape(value)
        return f"<MD><Name>{key}</Name><Value>{value}</Value></MD>".encode(
            "ascii", "xmlcharrefreplace"
        )


@dataclass(kw_only=True)
class GiftiFacts:
    """What a GIFTI says beside its data.

    Attributes
    ----------
    entries
        Its metadata, in their order.
    asides
        Where comments and instructions to programs stand.
    texts
        Its other texts: what labels are called, where data lie that are not in it.
    """

    entries: list[GiftiEntry] = field(default_factory=list)
    asides: list[Span] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)


def read_gifti(stream: BinaryIO) -> GiftiFacts:
    """Read what a GIFTI says.

    Parameters
    ----------
    stream
        The file, at its beginning; it can be read in any order.

    Raises
    ------
    GiftiError
        If it is none, is damaged, or is written in a way that nothing here can follow.
    OSError
        If it cannot be read.
    """
    reading = _Reading()
    try:
        while chunk := stream.read(_CHUNK):
            reading.parser.Parse(chunk, False)
        reading.parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise GiftiError("it is no XML, or damaged") from error
    except (UnicodeError, LookupError) as error:
        raise GiftiError("it is in an encoding that is not read here") from error
    return reading.facts_of(stream)


def written_gifti(source: Path, target: Path, changes: dict[Span, bytes]) -> None:
    """Copy a file with other bytes in some places.

    Parameters
    ----------
    source, target
        The file and its copy.
    changes
        What stands in place of each span.
    """
    with source.open("rb") as old, target.open("wb") as new:
        for span, content in sorted(changes.items()):
            _copy(old, new, span.begin - old.tell())
            new.write(content)
            old.seek(span.end)
        while chunk := old.read(_CHUNK):
            new.write(chunk)


def _copy(old: BinaryIO, new: BinaryIO, size: int) -> None:
    while size > 0 and (chunk := old.read(min(size, _CHUNK))):
        new.write(chunk)
        size -= len(chunk)


class _Reading:
    """What is told while a file goes by."""

    def __init__(self) -> None:
        self.parser: Any = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CommentHandler = self._comment
        self.parser.ProcessingInstructionHandler = self._instruction
        self.parser.EntityDeclHandler = self._entity
        self.parser.XmlDeclHandler = self._declaration
        self._path: list[str] = []
        self._text: list[str] = []
        self._length = 0
        self._said: dict[str, str] = {}
        self._begin = 0
        self._entries: list[GiftiEntry] = []
        self._asides: list[tuple[int, bytes]] = []
        self._facts = GiftiFacts()

    def facts_of(self, stream: BinaryIO) -> GiftiFacts:
        """Return what was told; where things end is looked up in the file."""
        self._facts.asides = [
            Span(begin, _end_of(stream, begin, mark)) for begin, mark in self._asides
        ]
        for entry in self._entries:
            end = _end_of(stream, entry.whole.end, b">")
            whole = Span(entry.whole.begin, end)
            self._facts.entries.append(GiftiEntry(key=entry.key, value=entry.value, whole=whole))
        return self._facts

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if not self._path and name != "GIFTI":
            raise GiftiError("it is no GIFTI")
        self._path.append(name)
        if len(self._path) > _DEEPEST:
            raise GiftiError("it is nested too deeply")
        if name == _ENTRY:
            self._begin, self._said = self.parser.CurrentByteIndex, {}
        if self._is_text(name):
            self._text, self._length = [], 0
            self.parser.CharacterDataHandler = self._characters
        if attributes.get(_FILE_ATTRIBUTE):
            self._facts.texts.append(attributes[_FILE_ATTRIBUTE])

    def _end(self, name: str) -> None:
        self._path.pop()
        if self._is_text(name):
            self.parser.CharacterDataHandler = None
            text = "".join(self._text).strip()
            if name == _LABEL:
                self._facts.texts.append(text)
            else:
                self._said[name] = text
        elif name == _ENTRY:
            whole = Span(self._begin, self.parser.CurrentByteIndex)
            key, value = self._said.get(_KEY, ""), self._said.get(_VALUE, "")
            self._entries.append(GiftiEntry(key=key, value=value, whole=whole))
            if len(self._entries) > _MOST_ENTRIES:
                raise GiftiError("it has more metadata than any surface")

    def _is_text(self, name: str) -> bool:
        return name == _LABEL or (name in {_KEY, _VALUE} and _ENTRY in self._path)

    def _characters(self, text: str) -> None:
        self._length += len(text)
        if self._length > _LONGEST_TEXT:
            raise GiftiError("it holds a text of more than a megabyte")
        self._text.append(text)

    def _comment(self, _: str) -> None:
        self._asides.append((self.parser.CurrentByteIndex, b"-->"))

    def _instruction(self, _: str, __: str) -> None:
        self._asides.append((self.parser.CurrentByteIndex, b"?>"))

    def _entity(self, *_: object) -> None:
        raise GiftiError("it defines words of its own, which no surface needs")

    def _declaration(self, _: str, encoding: str | None, __: int) -> None:
        if (encoding.lower() if encoding else None) not in _ENCODINGS:
            raise GiftiError("it is in an encoding that is not read here")


def _end_of(stream: BinaryIO, begin: int, mark: bytes) -> int:
    """Return where a tag, a comment or an instruction ends that begins somewhere."""
    stream.seek(begin)
    held, position = b"", begin
    while chunk := stream.read(_LONGEST_TAG):
        found = (held + chunk).find(mark)
        if found >= 0:
            return position - len(held) + found + len(mark)
        position += len(chunk)
        held = (held + chunk)[-len(mark) :]
    raise GiftiError("it is no XML, or damaged")
