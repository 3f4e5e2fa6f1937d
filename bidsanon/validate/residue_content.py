"""Takes a file apart into what can be searched: members, headers, fields, text and voxels.

Everything is read as a stream, in bounded memory. What cannot be read to its end cannot be
searched, and raises :class:`NotSearchableError`: it must not be published.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

from bidsanon.validate.residue_json import LARGEST, Field, json_fields, json_stretches
from bidsanon.validate.residue_needles import Context
from bidsanon.validate.residue_unpack import (
    BZIP2,
    CHUNK,
    DAMAGED,
    GZIP,
    UNREADABLE_HERE,
    XZ,
    ZIP,
    Ahead,
    Budget,
    Decompressed,
    Gunzip,
    NotSearchableError,
    ZlibStreams,
    tar_members,
    zip_members,
)

OVERLAP = 1 << 10
_DEEPEST = 6
_HEAD = 600
_TEXT_COSTS = 3
"""Text takes longer to search than voxels: so many times its bytes count more."""
_JSON = (".json", ".ipynb", ".jsonld", ".geojson")
_MEASURED = re.compile(r"\.(?:bvals?|bvecs?|tsv)$")
_LISTS = re.compile(r"(?:^|_)(?:participants|sessions|scans|samples)\.tsv$")


class Piece(NamedTuple):
    """Something to search through.

    Attributes
    ----------
    content
        Bytes, text that was decoded already, or the fields of a JSON document.
    context
        What kind of content it is; each field has its own.
    place
        Where it stands within the file: a header field; empty for the body.
    offset
        Where bytes begin within the file, decompressed; None where that says nothing.
    """

    content: bytes | str | list[Field]
    context: Context
    place: tuple[str, ...] = ()
    offset: int | None = 0

    @property
    def end(self) -> int:
        """Where bytes end within the file; 0 where that is not known."""
        length = len(self.content) if isinstance(self.content, bytes) else 0
        return 0 if self.offset is None else self.offset + length


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
        taken = _Apart(Budget(path.stat().st_size), stream)
        yield from taken.pieces(Ahead(stream), path.name, 0)


class _Apart:
    """Takes one file apart, and what is packed in it."""

    def __init__(self, budget: Budget, file: BinaryIO) -> None:
        self._budget = budget
        self._file = file

    def pieces(self, stream: Ahead, name: str, depth: int) -> Iterator[Piece]:
        """Take a stream apart by what it begins with."""
        if depth > _DEEPEST:
            raise NotSearchableError(f"it is packed more than {_DEEPEST} times over")
        head = stream.peek(_HEAD)
        unreadable = next((n for m, n in UNREADABLE_HERE.items() if head.startswith(m)), "")
        if unreadable:
            raise NotSearchableError(f"it is packed by {unreadable}, which cannot be read here")
        if head.startswith((GZIP, BZIP2, XZ, *ZIP)) or head[257:262] == b"ustar":
            yield from self._unpacked(stream, head, name, depth)
        elif layout := _nifti_layout(head):
            yield from _in_nifti(stream, *layout)
        elif name.removesuffix(".gz").endswith(_JSON):
            yield from self._in_json(stream, depth)
        else:
            yield from self._in_text(stream, name, depth)

    def _unpacked(self, stream: Ahead, head: bytes, name: str, depth: int) -> Iterator[Piece]:
        if head.startswith(GZIP):
            packed = self._in_gzip(stream, name, depth)
        elif head.startswith((BZIP2, XZ)):
            inside = Ahead(Decompressed(stream, self._budget))
            packed = self.pieces(inside, name.removesuffix(".bz2").removesuffix(".xz"), depth + 1)
        else:
            packed = self._in_archive(stream, depth, is_zip=head.startswith(ZIP))
        try:
            yield from packed
        except DAMAGED as error:
            raise NotSearchableError("it is packed, and damaged or encrypted") from error
        if depth == 0 and head.startswith(ZIP):
            self._file.seek(0)  # what lies between the members, which nobody unpacks
            stream = Ahead(self._file)
        yield from self._in_text(stream, name, depth)

    def _in_gzip(self, stream: Ahead, name: str, depth: int) -> Iterator[Piece]:
        inside = Gunzip(stream, self._budget)
        yield from self.pieces(Ahead(inside), name.removesuffix(".gz"), depth + 1)
        for label in inside.labels:
            yield Piece(label, Context.TEXT, ("gzip header",))

    def _in_archive(self, stream: Ahead, depth: int, *, is_zip: bool) -> Iterator[Piece]:
        file = self._file if depth == 0 else None
        members = zip_members(stream, file, self._budget) if is_zip else tar_members(stream)
        for member in members:
            yield Piece(member.name, Context.TEXT, ("name of an archive member",))
            for label in member.labels:
                yield Piece(label, Context.TEXT, ("archive comment",))
            if member.content is not None:
                yield from self.pieces(member.content, member.name, depth + 1)

    def _in_json(self, stream: Ahead, depth: int) -> Iterator[Piece]:
        content = stream.read_exactly(LARGEST)
        fields = None if stream.peek(1) else json_fields(content)
        if fields is not None:
            yield Piece(fields, Context.TEXT, (), len(content))
            return
        is_large = bool(stream.peek(1))
        stream.unread(content)
        if is_large:
            for stretch in json_stretches(self._chunks(stream, depth)):
                offset = max(0, stream.position - len(stretch.content))
                yield Piece(stretch.content, stretch.context, (), offset)
        else:
            yield from self._in_text(stream, "", depth)

    def _in_text(self, stream: Ahead, name: str, depth: int) -> Iterator[Piece]:
        measured = bool(_MEASURED.search(name)) and not _LISTS.search(name)
        compressed = ZlibStreams(self._budget)
        position = stream.position
        for chunk in _overlapping(self._chunks(stream, depth)):
            context = Context.TEXT
            if measured:
                context = Context.MEASURED
            elif _is_binary(chunk):
                context = Context.BYTES
                for content in compressed.find(chunk[position - stream.position :]):
                    inside = Context.BYTES if _is_binary(content) else Context.TEXT
                    yield Piece(content, inside, ("compressed within",), None)
            position = stream.position
            yield Piece(chunk, context, (), stream.position - len(chunk))

    def _chunks(self, stream: Ahead, depth: int) -> Iterator[bytes]:
        while chunk := stream.read(CHUNK):
            if depth:
                self._budget.spend(_TEXT_COSTS * len(chunk))
            yield chunk


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


def _in_nifti(stream: Ahead, layout: _Nifti, order: str, size: int) -> Iterator[Piece]:
    header = stream.read_exactly(size)
    for name, start, end in layout.texts:
        yield Piece(header[start:end], Context.TEXT, (f"header field {name}",), start)
    yield Piece(header, Context.BYTES, ("header",))
    first_voxel, length = _voxels(header, layout, order)
    parts = (
        (first_voxel - size, Context.TEXT, "header extension"),
        (length, Context.VOXELS, "voxels"),
        (None, Context.TEXT, "after the voxels"),
    )
    for part, context, place in parts:
        for chunk in _overlapping(_limited(stream, part)):
            yield Piece(chunk, context, (place,), stream.position - len(chunk))


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


_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")
_CONTROLS = bytes(i for i in range(32) if i not in b"\t\n\r\f\x0b\x1b\0")


def _is_binary(chunk: bytes) -> bool:
    """Whether bytes are not text in any encoding (UTF-16 holds zeros, and few other controls)."""
    if chunk.startswith(_BYTE_ORDER_MARKS):
        return False
    sample = chunk[:: max(1, len(chunk) // 65536)]
    controls = len(sample) - len(sample.translate(None, _CONTROLS))
    return controls * 50 > len(sample)


def _overlapping(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield chunks, each beginning with the end of the one before."""
    tail = b""
    for chunk in chunks:
        joined = tail + chunk if tail else chunk
        yield joined
        tail = _tail(joined)


def _tail(chunk: bytes) -> bytes:
    """Return the end of a chunk, from the beginning of a character on."""
    start = max(0, len(chunk) - OVERLAP)
    while start and start < len(chunk) and chunk[start] & 0xC0 == 0x80:  # noqa: PLR2004 (UTF-8)
        start -= 1
    return chunk[start:]
