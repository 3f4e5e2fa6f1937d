"""Takes a file apart into what can be searched: members, headers, fields, text and voxels.

Everything is read as a stream, in bounded memory. What cannot be read to its end cannot be
searched, and raises :class:`NotSearchableError`: it must not be published.
"""

from __future__ import annotations

import io
import math
import re
import struct
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from bidsanon.apart import Kind, Record, read_apart
from bidsanon.pdf import READER as PDF_READER
from bidsanon.validate.residue_body import Body
from bidsanon.validate.residue_json import LARGEST, Field, json_fields, json_stretches
from bidsanon.validate.residue_needles import Context
from bidsanon.validate.residue_pdf import PdfParts
from bidsanon.validate.residue_pieces import Piece, end_of
from bidsanon.validate.residue_sealed import LONGEST_BEFORE_PDF, Seals, is_blosc, is_pdf
from bidsanon.validate.residue_unpack import (
    BZIP2,
    CHUNK,
    DAMAGED,
    DEEPEST,
    GZIP,
    TEXT_COSTS,
    UNREADABLE_HERE,
    XZ,
    ZIP,
    Ahead,
    Budget,
    Decompressed,
    Gunzip,
    NotSearchableError,
    tar_members,
    zip_members,
)
from bidsanon.validate.residue_within import LONG_RUN, without_long_runs

_HEAD = LONGEST_BEFORE_PDF
_JSON = (".json", ".ipynb", ".jsonld", ".geojson")
_NUMPY = b"\x93NUMPY"
_MEASURED = re.compile(r"\.(?:bvals?|bvecs?|tsv)$")
_LISTS = re.compile(r"(?:^|_)(?:participants|sessions|scans|samples)\.tsv$")


@dataclass(frozen=True, kw_only=True)
class _Nifti:
    """Where a version of NIfTI has what in its header."""

    magic: tuple[int, tuple[bytes, ...]]
    dimensions: tuple[int, str]
    bits: tuple[int, str]
    offset: tuple[int, str]
    texts: tuple[tuple[str, int, int], ...]


_NIFTI = {
    348: _Nifti(
        magic=(344, (b"n+1\0", b"ni1\0")),
        dimensions=(40, "8h"),
        bits=(72, "h"),
        offset=(108, "f"),
        texts=(
            *(("data_type", 4, 14), ("db_name", 14, 32), ("descrip", 148, 228)),
            *(("aux_file", 228, 252), ("intent_name", 328, 344)),
        ),
    ),
    540: _Nifti(
        magic=(4, (b"n+2\0", b"ni2\0")),
        dimensions=(16, "8q"),
        bits=(14, "h"),
        offset=(168, "q"),
        texts=(("descrip", 240, 320), ("aux_file", 320, 344), ("intent_name", 508, 524)),
    ),
}
_MOST_DIMENSIONS = 7


def pieces(path: Path) -> Iterator[Piece]:
    """Take a file apart.

    Raises
    ------
    NotSearchableError
        If it is damaged, encrypted, packed in a way that cannot be read here, or unpacks to more
        than any image would.
    OSError
        If it cannot be read.
    """
    with path.open("rb", buffering=0) as stream:
        size = path.stat().st_size
        taken, ahead = _Apart(Budget(size), stream), Ahead(stream)
        if is_blosc(ahead.peek(_HEAD), size):
            taken.problems.append("it is packed by blosc, which cannot be read here")
        yield from taken.pieces(ahead, path.name, 0)
    if taken.problems:
        raise NotSearchableError("; ".join(dict.fromkeys(taken.problems)))


class _Apart:
    """Takes one file apart, and what is packed in it."""

    def __init__(self, budget: Budget, file: BinaryIO) -> None:
        self._budget = budget
        self._file = file
        self.problems: list[str] = []

    def pieces(self, stream: Ahead, name: str, depth: int) -> Iterator[Piece]:
        """Take a stream apart by what it begins with."""
        if depth > DEEPEST:
            raise NotSearchableError(f"it is packed more than {DEEPEST} times over")
        head = stream.peek(_HEAD)
        unreadable = next((n for m, n in UNREADABLE_HERE.items() if head.startswith(m)), "")
        if unreadable:
            raise NotSearchableError(f"it is packed by {unreadable}, which cannot be read here")
        if head.startswith((GZIP, BZIP2, XZ, *ZIP)) or head[257:262] == b"ustar":
            yield from self._unpacked(stream, head, name, depth)
        elif head.startswith(_NUMPY) and _is_numpy_text(head):
            yield from self._in_numpy_text(stream)
        elif layout := _nifti_layout(head):
            yield from self._in_nifti(stream, *layout, depth=depth)
        elif is_pdf(head):
            yield from self._in_pdf(stream, depth)
        elif name.removesuffix(".gz").endswith(_JSON):
            yield from self._in_json(stream, depth)
        else:
            yield from self._in_text(stream, name, depth)

    def _unpacked(self, stream: Ahead, head: bytes, name: str, depth: int) -> Iterator[Piece]:
        members: set[int] = set()
        if head.startswith(GZIP):
            packed = self._in_gzip(stream, name, depth)
        elif head.startswith((BZIP2, XZ)):
            inside = Ahead(Decompressed(stream, self._budget))
            packed = self.pieces(inside, name.removesuffix(".bz2").removesuffix(".xz"), depth + 1)
        else:
            packed = self._in_archive(stream, depth, members, is_zip=head.startswith(ZIP))
        try:
            yield from packed
        except DAMAGED as error:
            raise NotSearchableError("it is packed, and damaged or encrypted") from error
        if depth == 0 and head.startswith(ZIP):
            self._file.seek(0)  # what lies between the members, which nobody unpacks
            stream = Ahead(self._file)
        yield from self._in_text(stream, name, depth, frozenset(members))

    def _in_gzip(self, stream: Ahead, name: str, depth: int) -> Iterator[Piece]:
        inside = Gunzip(stream, self._budget)
        yield from self.pieces(Ahead(inside), name.removesuffix(".gz"), depth + 1)
        for label in inside.labels:
            yield Piece(label, Context.TEXT, ("gzip header",))

    def _in_archive(
        self, stream: Ahead, depth: int, begun: set[int], *, is_zip: bool
    ) -> Iterator[Piece]:
        """Take an archive apart, and take note of where members of a ZIP archive begin."""
        file = self._file if depth == 0 else None
        members = zip_members(stream, file, self._budget) if is_zip else tar_members(stream)
        for member in members:
            yield Piece(member.name, Context.TEXT, ("name of an archive member",))
            for label in member.labels:
                yield Piece(label, Context.TEXT, ("archive comment",))
            if member.begin is not None:
                begun.add(member.begin)
            if member.content is not None:
                yield from self.pieces(member.content, member.name, depth + 1)

    def _in_json(self, stream: Ahead, depth: int) -> Iterator[Piece]:
        content = stream.read_exactly(LARGEST)
        fields = None if stream.peek(1) else json_fields(content)
        if fields is not None:
            yield Piece([*map(_without_long_runs, fields)], Context.TEXT, (), len(content))
            for _, run in without_long_runs(content)[1]:
                yield Piece(run, Context.VOXELS)
            yield from Body(self._budget, self.problems, depth).within(content)
            return
        is_large = bool(stream.peek(1))
        stream.unread(content)
        if is_large:
            yield from self._in_large_json(stream, depth)
        else:
            yield from self._in_text(stream, "", depth)

    def _in_large_json(self, stream: Ahead, depth: int) -> Iterator[Piece]:
        body = Body(self._budget, self.problems, depth)
        taken: list[bytes] = []

        def chunks() -> Iterator[bytes]:
            for chunk in self._chunks(stream, depth):
                taken.append(chunk)
                yield chunk

        for stretch in json_stretches(chunks()):
            offset = max(0, stream.position - len(stretch.content))
            yield Piece(stretch.content, stretch.context, (), offset)
            while taken:
                yield from body.within(taken.pop())

    def _in_numpy_text(self, stream: Ahead) -> Iterator[Piece]:
        """Yield what an array of texts holds: UTF-32 in fields of one length (NEP 1)."""
        before, found, _ = stream.peek(_HEAD).partition(b"\n")
        yield Piece(stream.read_exactly(len(before + found)), Context.TEXT)
        order = "utf-32-be" if b"'>U" in before else "utf-32-le"
        for chunk in _overlapping(self._chunks(stream, 1)):
            whole = len(chunk) // 4 * 4
            yield Piece(chunk[:whole].decode(order, "replace"), Context.TEXT, (), None)

    def _in_text(
        self, stream: Ahead, name: str, depth: int, skipped: frozenset[int] = frozenset()
    ) -> Iterator[Piece]:
        measured = bool(_MEASURED.search(name)) and not _LISTS.search(name)
        context = Context.MEASURED if measured else None
        body = Body(
            *(self._budget, self.problems, depth),
            context=context,
            offset=stream.position,
            skipped=skipped,
        )
        for chunk in self._chunks(stream, depth):
            yield from body.feed(chunk)

    def _in_pdf(self, stream: Ahead, depth: int) -> Iterator[Piece]:
        """Yield the bytes of a PDF, with what is packed in them, and what it says as a document."""
        seals, parts = Seals(read_pdfs=2), PdfParts()
        between = Body(self._budget, self.problems, depth, seals=seals)
        inside = Body(self._budget, self.problems, depth, context=Context.VOXELS, seals=seals)
        with ExitStack() as opened:
            spooled = opened.enter_context(tempfile.TemporaryFile()) if depth else None
            for chunk in self._chunks(stream, depth):
                yield from between.within(chunk)
                part = parts.feed(chunk)
                yield from between.written(bytes(part.between))
                yield from inside.written(bytes(part.inside))
                if spooled is not None:
                    spooled.write(chunk)
            rest = parts.rest()
            yield from between.written(bytes(rest.between))
            yield from inside.written(bytes(rest.inside))
            file = spooled or opened.enter_context(Path(self._file.name).open("rb", buffering=0))
            file.flush()
            for record in read_apart(PDF_READER, cast("BinaryIO", file), what="a PDF"):
                yield from self._in_record(record, depth)

    def _in_record(self, record: Record, depth: int) -> Iterator[Piece]:
        self._budget.spend(TEXT_COSTS * len(record.content))
        if record.kind is Kind.PROBLEM:
            self.problems.append(record.content.decode())
        elif record.kind is Kind.TEXT:
            yield Piece(record.content.decode(), Context.TEXT, ("text of the PDF",), None)
        else:
            for piece in self.pieces(Ahead(io.BytesIO(record.content)), "", depth + 1):
                yield piece._replace(place=piece.place or ("within the PDF",), offset=None)

    def _chunks(self, stream: Ahead, depth: int) -> Iterator[bytes]:
        while chunk := stream.read(CHUNK):
            if depth:
                self._budget.spend(TEXT_COSTS * len(chunk))
            yield chunk

    def _in_nifti(
        self, stream: Ahead, layout: _Nifti, order: str, size: int, *, depth: int
    ) -> Iterator[Piece]:
        header = stream.read_exactly(size)
        for name, start, end in layout.texts:
            yield Piece(header[start:end], Context.TEXT, (f"header field {name}",), start)
        yield Piece(header, Context.BYTES, ("header",))
        first_voxel, length = _voxels(header, layout, order)
        yield from self._around_voxels(stream, first_voxel - size, "header extension", depth)
        for chunk in _overlapping(_limited(stream, length)):
            yield Piece(chunk, Context.VOXELS, ("voxels",), stream.position - len(chunk))
        yield from self._around_voxels(stream, None, "after the voxels", depth)

    def _around_voxels(
        self, stream: Ahead, size: int | None, place: str, depth: int
    ) -> Iterator[Piece]:
        body = Body(
            *(self._budget, self.problems, depth),
            context=Context.TEXT,
            place=(place,),
            offset=stream.position,
        )
        for chunk in _limited(stream, size):
            yield from body.feed(chunk)


def _without_long_runs(field: Field) -> Field:
    if len(field.text) < LONG_RUN or not field.text.isascii():
        return field
    return field._replace(text=without_long_runs(field.text.encode())[0].decode())


def _is_numpy_text(head: bytes) -> bool:
    """Whether an array of NumPy is one of texts."""
    return re.search(rb"'descr': *'[<>=|]U\d+'", head.partition(b"\n")[0]) is not None


def _nifti_layout(head: bytes) -> tuple[_Nifti, str, int] | None:
    """Return the layout of a NIfTI header, its byte order, and its size."""
    for order in "<>":
        size = struct.unpack_from(order + "i", head)[0] if len(head) >= 4 else 0  # noqa: PLR2004
        layout = _NIFTI.get(size)
        if layout is not None and len(head) >= size:
            at, magics = layout.magic
            if head[at : at + 4] in magics:
                return layout, order, size
    return None


def _voxels(header: bytes, layout: _Nifti, order: str) -> tuple[int, int]:
    """Return where the voxels begin and how many bytes they take; none in a header of its own."""
    at, magics = layout.magic
    if header[at : at + 4] == magics[-1]:
        return len(header), 0
    (offset,) = struct.unpack_from(order + layout.offset[1], header, layout.offset[0])
    count, *sizes = struct.unpack_from(order + layout.dimensions[1], header, layout.dimensions[0])
    (bits,) = struct.unpack_from(order + layout.bits[1], header, layout.bits[0])
    voxels = math.prod(max(1, n) for n in sizes[: min(max(count, 0), _MOST_DIMENSIONS)])
    begin = max(len(header), int(offset)) if math.isfinite(offset) else len(header)
    return begin, voxels * max(bits, 0) // 8


def _limited(stream: Ahead, size: int | None) -> Iterator[bytes]:
    """Yield the next bytes of a stream in chunks; all that are left where no size is given."""
    left = math.inf if size is None else size
    while left > 0 and (chunk := stream.read(int(min(left, CHUNK)))):
        left -= len(chunk)
        yield chunk


def _overlapping(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield chunks, each beginning with the end of the one before."""
    tail = b""
    for chunk in chunks:
        joined = tail + chunk if tail else chunk
        yield joined
        tail = end_of(joined)
