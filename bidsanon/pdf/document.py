"""Everything that a PDF holds, object by object: texts, what pages show, and files in it.

Pages, drawings, forms, notes, attachments, titles and scripts all are objects. To go through all
of them needs no list of the places where something can stand, and finds what no page refers to.
"""

from __future__ import annotations

import io
import logging
import re
import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

from pypdf import PageObject, PdfReader
from pypdf.errors import DependencyError, PyPdfError
from pypdf.generic import (
    ArrayObject,
    ByteStringObject,
    ContentStream,
    DictionaryObject,
    IndirectObject,
    NameObject,
    StreamObject,
    TextStringObject,
)

from bidsanon.apart import LARGEST_RECORD, Kind, Record
from bidsanon.pdf.letters import Letters, letters_of, resolved
from bidsanon.pdf.shown import Shown, inherited, read_shown

LARGEST = 1 << 28
_MOST_VERSIONS = 16
_END = re.compile(rb"startxref\s{1,4}(\d{1,12})\s{1,4}%%EOF")
_TABLE = re.compile(rb"\s{0,4}(?:xref|\d{1,10}\s{1,4}\d{1,5}\s{1,4}obj)")
_BEGIN = 1 << 10
_TEXTS_AT_ONCE = 1 << 18
_MOST_PARTS = 1 << 22
_NOTHING_PACKED = 16
_FEW_LETTERS = 200
_NEARLY_ALL = 0.8
_MANY_STROKES = 100
"""A form to be filled in has lines and boxes; writing that became outlines has thousands."""
_DAMAGED = (
    *(PyPdfError, ValueError, KeyError, IndexError, TypeError, AttributeError, EOFError, OSError),
    *(RecursionError, NotImplementedError, OverflowError, AssertionError, zlib.error, struct.error),
)
"""What pypdf raises for what is damaged, or for what it does not know."""


class PdfError(ValueError):
    """A PDF, or a version of it, cannot be read at all. The text says why."""


class _Total(NamedTuple):
    """What a page or a drawing shows, with the drawings within it."""

    letters: int = 0
    area: float = 0.0
    strokes: int = 0


def read_document(stream: BinaryIO) -> Iterator[Record]:
    """Yield what a PDF holds, and why some of it cannot be read.

    Parameters
    ----------
    stream
        It can be read in any order.
    """
    problems: list[str] = []
    try:
        for version in _versions(stream):
            yield from _Document(version, problems).records()
    except PdfError as error:
        problems.append(str(error))
    for problem in dict.fromkeys(problems):
        yield Record(Kind.PROBLEM, problem.encode())


def _versions(stream: BinaryIO) -> Iterator[BinaryIO]:
    """Yield a PDF, and what it was before each change that was appended (7.5.6)."""
    if stream.seek(0, io.SEEK_END) > LARGEST:
        raise PdfError("it is a PDF that is too large to be read")
    yield stream
    stream.seek(0)
    content = stream.read()
    ends = [end for end in _ends(content) if content[end:].strip()]
    if b"/Linearized" in content[:_BEGIN]:
        ends = ends[1:]  # that of its first part, which is no version
    if len(ends) > _MOST_VERSIONS:
        raise PdfError("it is a PDF of too many versions")
    for end in ends:
        yield io.BytesIO(content[:end])


def _ends(content: bytes) -> Iterator[int]:
    """Yield where versions end, but not those of a PDF that is attached."""
    for end in _END.finditer(content):
        place = int(end[1])
        if _TABLE.match(content, place):
            yield end.end()


class _Document:
    """One version of a PDF.

    Parameters
    ----------
    stream
        Where it is read from.
    problems
        Is told what cannot be read.
    """

    def __init__(self, stream: BinaryIO, problems: list[str]) -> None:
        self._problems = problems
        self._damage = _Damage()
        self._letters: dict[Any, Letters] = {}
        self._totals: dict[int, _Total] = {}
        self._pages: Counter[bool] = Counter()
        try:
            self._reader = PdfReader(stream)
            locked = self._reader.is_encrypted and not self._reader.decrypt("")
            self._objects = _objects(self._reader)
        except DependencyError as error:
            raise PdfError("it is an encrypted PDF") from error
        except _DAMAGED as error:
            raise PdfError("it is a PDF that is damaged") from error
        if locked:
            raise PdfError("it is an encrypted PDF")

    def records(self) -> Iterator[Record]:
        """Yield what all objects hold, and say what cannot be read."""
        damaged = 0
        with self._damage:
            for reference in self._objects:
                try:
                    yield from self._in_object(self._reader.get_object(reference))
                except _DAMAGED:
                    damaged += 1
            yield from _texts(_strings_of(self._reader.trailer, _Count()))
        if damaged or self._damage.noticed:
            self._problems.append("it is a PDF of which a part is damaged")
        if not all(letters.are_known for letters in self._letters.values()):
            self._problems.append(
                "it is a PDF with text in a font of which nobody can tell the letters"
            )
        if self._pages[True]:
            self._problems.append(
                f"{self._pages[True]} of {self._pages.total()} page(s) of the PDF are pictures, "
                "whose writing nobody can read here"
            )
        if not self._pages:
            self._problems.append("it is a PDF in which no page is found")

    def _in_object(self, found: Any) -> Iterator[Record]:
        yield from _texts(_strings_of(found, _Count()))
        if resolved(found, "/Type") == "/Page":
            yield from self._page(found)
        if isinstance(found, StreamObject):
            yield from self._in_stream(found)

    def _page(self, found: DictionaryObject) -> Iterator[Record]:
        page = PageObject(self._reader)
        page.update(found)
        content = page.get_contents()
        if content is None:
            self._pages[False] += 1
            return
        shown = read_shown(content.operations, inherited(page, "/Resources"), self._letters_of)
        yield from _texts(shown.texts)
        yield from self._laid_out(page, content)
        total = self._total(shown)
        self._pages[_is_picture(total, page)] += 1

    def _in_stream(self, found: StreamObject) -> Iterator[Record]:
        if resolved(found, "/Subtype") == "/Image":
            yield from self._picture(found)
            return
        is_drawing = resolved(found, "/Subtype") == "/Form"
        if is_drawing or resolved(found, "/Resources") is not None:
            yield from _texts(self._drawing(found).texts)
            yield from self._laid_out(found, ContentStream(found, self._reader))
        content = found.get_data()
        if not content and int(resolved(found, "/Length") or 0) > _NOTHING_PACKED:
            raise PdfError("a stream is damaged")
        if not self._is_searched_packed(found, content):
            if len(content) > LARGEST_RECORD:
                raise PdfError("it is a PDF that holds too much to be read")
            yield Record(Kind.FILE, content)

    def _laid_out(self, unit: DictionaryObject, content: ContentStream) -> Iterator[Record]:
        """Yield what pypdf reads, which puts blanks where parts stand apart.

        Drawings within are read by themselves: here, one within another would be without end.
        """
        page = PageObject(self._reader)
        resources = DictionaryObject(inherited(unit, "/Resources") or {})
        resources.pop("/XObject", None)
        page[NameObject("/Resources")] = resources
        page[NameObject("/Contents")] = content
        yield from _texts([page.extract_text()])

    def _picture(self, found: StreamObject) -> Iterator[Record]:
        """Yield a picture that is a file of its own, with what cameras write into it."""
        filters = resolved(found, "/Filter")
        last = filters[-1:] if isinstance(filters, ArrayObject) else [filters]
        if last and last[0] in {"/DCTDecode", "/JPXDecode"}:
            yield Record(Kind.FILE, found.get_data())

    def _is_searched_packed(self, found: StreamObject, content: bytes) -> bool:
        """Tell what is found without this: what is packed by zlib alone."""
        if b"%PDF-" in content[:_BEGIN] or self._reader.is_encrypted:
            return False
        kind = str(resolved(found, "/Type"))
        if kind in {"/EmbeddedFile", "/ObjStm"}:
            return kind == "/ObjStm"
        filters = resolved(found, "/Filter")
        names = filters if isinstance(filters, ArrayObject) else [filters]
        plain = [name in {"/FlateDecode", "/Fl"} for name in names]
        return plain == [True] and resolved(found, "/DecodeParms") is None

    def _drawing(self, found: StreamObject) -> Shown:
        content = ContentStream(found, self._reader)
        return read_shown(content.operations, inherited(found, "/Resources"), self._letters_of)

    def _letters_of(self, font: Any) -> Letters:
        known = getattr(font, "indirect_reference", None) or id(font)
        key = known.idnum if isinstance(known, IndirectObject) else ("direct", known)
        if key not in self._letters:
            self._letters[key] = letters_of(font)
        return self._letters[key]

    def _total(self, shown: Shown) -> _Total:
        """Return what is shown, with the drawings within; one that holds itself is empty there."""
        letters = sum(map(_letters_in, shown.texts))
        area, strokes = sum(shown.pictures), shown.strokes
        for drawing, times in shown.drawings:
            inside = self._total_of(drawing)
            letters += inside.letters
            strokes += inside.strokes
            area += inside.area * times
        return _Total(letters, area, strokes)

    def _total_of(self, drawing: Any) -> _Total:
        if not isinstance(drawing, StreamObject):
            return _Total()
        if id(drawing) not in self._totals:
            self._totals[id(drawing)] = _Total()
            total = self._total(self._drawing(drawing))
            matrix = resolved(drawing, "/Matrix")
            a, b, c, d = map(float, matrix[:4]) if matrix else (1.0, 0.0, 0.0, 1.0)
            self._totals[id(drawing)] = total._replace(area=total.area * abs(a * d - b * c))
        return self._totals[id(drawing)]


def _objects(reader: PdfReader) -> list[IndirectObject]:
    """Return all objects that the tables of a PDF list, in their order."""
    listed = {
        (number, generation) for generation, places in reader.xref.items() for number in places
    }
    listed |= {(number, 0) for number in reader.xref_objStm}
    return [IndirectObject(*one, reader) for one in sorted(listed)]


def _is_picture(total: _Total, page: PageObject) -> bool:
    """Tell a page that is scanned, or whose writing is drawn: of few letters, or of none."""
    if not total.letters:
        return total.area > 0 or total.strokes > _MANY_STROKES
    left, low, right, high = map(float, inherited(page, "/MediaBox"))
    size = abs((right - left) * (high - low))
    return total.letters < _FEW_LETTERS and total.area > _NEARLY_ALL * size


def _letters_in(text: str) -> int:
    return sum(map(str.isalnum, text))


class _Count:
    """Counts parts of an object, so that one that has no end is left."""

    def __init__(self) -> None:
        self._left = _MOST_PARTS

    def down(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise PdfError("it is a PDF that holds too much to be read")


def _strings_of(found: Any, count: _Count) -> Iterator[str]:
    """Yield the texts and names of an object, but not of those that it refers to."""
    waiting = [found]
    while waiting:
        count.down()
        part = waiting.pop()
        if isinstance(part, DictionaryObject):
            waiting += reversed(part.values())
            yield from (str(key)[1:] for key in part)
        elif isinstance(part, ArrayObject):
            waiting += reversed(part)
        elif isinstance(part, TextStringObject):
            yield str(part)
        elif isinstance(part, ByteStringObject):
            yield part.decode("latin-1")
        elif isinstance(part, NameObject):
            yield str(part)[1:]


def _texts(texts: Any) -> Iterator[Record]:
    """Yield texts, each on a line, some together."""
    held: list[str] = []
    size = 0
    for text in texts:
        held.append(text)
        size += len(text)
        if size > _TEXTS_AT_ONCE:
            yield _record(held)
            held, size = [], 0
    if held:
        yield _record(held)


def _record(texts: list[str]) -> Record:
    return Record(Kind.TEXT, "\n".join(texts).encode("utf-8", "replace"))


class _Damage(logging.Handler):
    """Notices that pypdf reads on where a stream is damaged, which it only logs."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.noticed = False

    def emit(self, _: logging.LogRecord) -> None:
        """Take note."""
        self.noticed = True

    def __enter__(self) -> None:
        logger = logging.getLogger("pypdf.filters")
        logger.propagate = False
        logger.addHandler(self)

    def __exit__(self, *_: object) -> None:
        logging.getLogger("pypdf.filters").removeHandler(self)
