"""Takes a file apart into what can be searched: members, headers, fields, text and voxels.

Everything is read as a stream, in bounded memory. What cannot be read to its end cannot be
searched, and raises :class:`NotSearchableError`: it must not be published.
"""

from __future__ import annotations

import bz2
import io
import json
import lzma
import math
import re
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol, cast

from bidsanon.validate.residue_needles import Context
from bidsanon.validate.residue_words import is_known_key

CHUNK = 1 << 22
OVERLAP = 1 << 10
_DEEPEST = 6
_LARGEST_ZIP_IN_MEMORY = 1 << 28
_LARGEST_JSON = 1 << 26
_HEAD = 600
_GZIP = b"\x1f\x8b"
_BZIP2 = b"BZh"
_XZ = b"\xfd7zXZ\x00"
_ZIP = b"PK\x03\x04"
_UNREADABLE_HERE = (b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07")
_MEASURED = re.compile(r"\.(?:bvals?|bvecs?|tsv)$")
_LISTS = re.compile(r"(?:^|_)(?:participants|sessions|scans|samples)\.tsv$")
_KEY_OF_TIME = re.compile("time|date", re.IGNORECASE)
_SHORTEST_CLOCK = 10_000
_DESCRIPTORS = frozenset({"SeriesDescription", "ProtocolName"})


class NotSearchableError(ValueError):
    """A file cannot be searched to its end. The text says why, and nothing of the content."""


class Piece(NamedTuple):
    """Something to search through.

    Attributes
    ----------
    content
        Bytes, or text that was decoded already.
    context
        What kind of content it is.
    place
        Where it stands within the file: a header field, a JSON pointer; empty for the body.
    offset
        Where bytes begin within the file, decompressed.
    is_key
        Whether it is the name of a member of a JSON object.
    """

    content: bytes | str
    context: Context
    place: tuple[str, ...] = ()
    offset: int = 0
    is_key: bool = False


class Reader(Protocol):
    """What bytes are read from."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes; none at the end."""


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
        If it is damaged, encrypted, or packed in a way that cannot be read here.
    OSError
        If it cannot be read.
    """
    with path.open("rb") as stream:
        try:
            yield from _pieces(_Ahead(stream), path.name, 0)
        except (EOFError, struct.error, zlib.error, lzma.LZMAError, tarfile.TarError) as error:
            raise NotSearchableError("it is compressed, and damaged") from error


class _Ahead:
    """A stream into which one can look ahead, and that counts what was read."""

    def __init__(self, stream: Reader) -> None:
        self._stream = stream
        self._held = b""
        self.position = 0

    def peek(self, size: int) -> bytes:
        while len(self._held) < size and (more := self._stream.read(size - len(self._held))):
            self._held += more
        return self._held[:size]

    def read(self, size: int = -1, /) -> bytes:
        if size < 0:
            return b"".join(iter(lambda: self.read(CHUNK), b""))
        taken, self._held = self._held[:size], self._held[size:]
        if len(taken) < size:
            taken += self._stream.read(size - len(taken))
        self.position += len(taken)
        return taken

    def unread(self, content: bytes) -> None:
        """Put bytes back in front."""
        self._held = content + self._held
        self.position -= len(content)

    def read_exactly(self, size: int) -> Iterator[bytes]:
        """Yield `size` bytes in chunks; fewer only at the end."""
        while size > 0 and (chunk := self.read(min(size, CHUNK))):
            size -= len(chunk)
            yield chunk


class _Gunzip:
    """Decompresses gzip members one after another, and remembers what their headers say."""

    def __init__(self, stream: _Ahead) -> None:
        self._stream = stream
        self._inflater: Any = None
        self.labels: list[bytes] = []

    def read(self, size: int, /) -> bytes:
        while True:
            if self._inflater is None and not self._enter_member():
                return b""
            waiting = self._inflater.unconsumed_tail or self._stream.read(CHUNK // 4)
            content: bytes = self._inflater.decompress(waiting, size)
            if self._inflater.eof:
                self._leave_member()
            elif not waiting and not content:
                raise EOFError
            if content:
                return content

    def _enter_member(self) -> bool:
        if self._stream.peek(2) != _GZIP:
            return False
        fixed = self._stream.read(10)
        if len(fixed) < 10 or fixed[2] != 8:  # noqa: PLR2004 (RFC 1952)
            raise EOFError
        flags = fixed[3]
        if flags & 4:
            (length,) = struct.unpack("<H", self._stream.read(2))
            self.labels.append(self._stream.read(length))
        for flag in (8, 16):
            if flags & flag:
                self.labels.append(self._text())
        if flags & 2:
            self._stream.read(2)
        self._inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        return True

    def _text(self) -> bytes:
        text = bytearray()
        while (byte := self._stream.read(1)) not in {b"", b"\0"}:
            text += byte
        return bytes(text)

    def _leave_member(self) -> None:
        self._stream.unread(self._inflater.unused_data)
        self._inflater = None
        if len(self._stream.read(8)) < 8:  # noqa: PLR2004 (the checksum and the length)
            raise EOFError


def _pieces(stream: _Ahead, name: str, depth: int) -> Iterator[Piece]:
    if depth > _DEEPEST:
        raise NotSearchableError(f"it is packed more than {_DEEPEST} times over")
    head = stream.peek(_HEAD)
    if head.startswith(_GZIP):
        yield from _in_gzip(stream, name, depth)
    elif head.startswith(_ZIP):
        yield from _in_zip(stream, depth)
    elif head.startswith(_BZIP2):
        with bz2.BZ2File(cast("BinaryIO", stream)) as inside:
            yield from _pieces(_Ahead(inside), name.removesuffix(".bz2"), depth + 1)
    elif head.startswith(_XZ):
        with lzma.LZMAFile(cast("BinaryIO", stream)) as unpacked:
            yield from _pieces(_Ahead(unpacked), name.removesuffix(".xz"), depth + 1)
    elif head.startswith(_UNREADABLE_HERE):
        raise NotSearchableError("it is compressed in a way that cannot be read here")
    elif head[257:262] == b"ustar":
        yield from _in_tar(stream, depth)
    elif layout := _nifti_layout(head):
        yield from _in_nifti(stream, *layout)
    elif name.removesuffix(".gz").endswith(".json"):
        yield from _in_json(stream)
    else:
        yield from _in_text(stream, name)


def _in_gzip(stream: _Ahead, name: str, depth: int) -> Iterator[Piece]:
    inside = _Gunzip(stream)
    yield from _pieces(_Ahead(inside), name.removesuffix(".gz"), depth + 1)
    for label in inside.labels:
        yield Piece(label, Context.TEXT, ("gzip header",))
    yield from _in_text(stream, name)


def _in_zip(stream: _Ahead, depth: int) -> Iterator[Piece]:
    content = b"".join(stream.read_exactly(_LARGEST_ZIP_IN_MEMORY + 1))
    if len(content) > _LARGEST_ZIP_IN_MEMORY:
        raise NotSearchableError("it is too large an archive to be searched")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            yield Piece(packed.comment, Context.TEXT, ("archive comment",))
            for member in packed.infolist():
                yield Piece(member.filename, Context.TEXT, ("name of an archive member",))
                yield Piece(member.comment + member.extra, Context.TEXT, ("archive comment",))
                if not member.is_dir():
                    with packed.open(member) as inside:
                        yield from _pieces(_Ahead(inside), member.filename, depth + 1)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise NotSearchableError("it is an archive that is damaged or encrypted") from error


def _in_tar(stream: _Ahead, depth: int) -> Iterator[Piece]:
    with tarfile.open(fileobj=cast("BinaryIO", stream), mode="r|") as packed:
        for member in packed:
            labels = [member.name, member.linkname, member.uname, member.gname]
            labels += member.pax_headers.values()
            yield Piece("\n".join(labels), Context.TEXT, ("name of an archive member",))
            inside = packed.extractfile(member) if member.isreg() else None
            if inside is not None:
                yield from _pieces(_Ahead(cast("BinaryIO", inside)), member.name, depth + 1)


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


def _in_nifti(stream: _Ahead, layout: _Nifti, order: str, size: int) -> Iterator[Piece]:
    header = stream.read(size)
    for name, start, end in layout.texts:
        yield Piece(header[start:end], Context.TEXT, (f"header field {name}",), start)
    yield Piece(header, Context.BYTES, ("header",))
    first_voxel, length = _voxels(header, layout, order)
    for chunk in _overlapping(stream, first_voxel - size):
        yield Piece(chunk, Context.TEXT, ("header extension",), stream.position - len(chunk))
    for chunk in _overlapping(stream, length):
        yield Piece(chunk, Context.VOXELS, ("voxels",), stream.position - len(chunk))
    for chunk in _overlapping(stream, None):
        yield Piece(chunk, Context.TEXT, ("after the voxels",), stream.position - len(chunk))


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


def _in_json(stream: _Ahead) -> Iterator[Piece]:
    content = b"".join(stream.read_exactly(_LARGEST_JSON))
    if not stream.peek(1):
        try:
            document = json.loads(
                content, object_pairs_hook=_Pairs, parse_int=_Number, parse_float=_Number
            )
        except (ValueError, RecursionError):
            pass
        else:
            yield from _in_value(document, ())
            return
    stream.unread(content)
    yield from _in_text(stream, "")


class _Pairs(list[tuple[str, Any]]):
    """A JSON object with all its members, those of the same name too."""


class _Number(str):
    """A JSON number as it is written."""

    __slots__ = ()


def _in_value(value: object, pointer: tuple[str, ...]) -> Iterator[Piece]:
    if isinstance(value, _Pairs):
        for key, inner in value:
            yield Piece(key, Context.TEXT, (*pointer, key), is_key=True)
            yield from _in_value(inner, (*pointer, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _in_value(inner, (*pointer, str(index)))
    elif isinstance(value, str):
        yield Piece(str(value), _context_of_value(value, pointer), pointer)


def _context_of_value(value: str, pointer: tuple[str, ...]) -> Context:
    if isinstance(value, _Number):
        is_clock = any(map(_KEY_OF_TIME.search, pointer)) and _is_large(value)
        is_measured = any(map(is_known_key, pointer)) and not is_clock
        return Context.MEASURED if is_measured else Context.TEXT
    return Context.DESCRIPTOR if pointer and pointer[-1] in _DESCRIPTORS else Context.TEXT


def _is_large(number: str) -> bool:
    try:
        return float(number) >= _SHORTEST_CLOCK
    except ValueError:
        return True


def _in_text(stream: _Ahead, name: str) -> Iterator[Piece]:
    measured = bool(_MEASURED.search(name)) and not _LISTS.search(name)
    for chunk in _overlapping(stream, None):
        context = Context.TEXT
        if measured:
            context = Context.MEASURED
        elif _is_binary(chunk):
            context = Context.BYTES
        yield Piece(chunk, context, (), stream.position - len(chunk))


_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")
_CONTROLS = bytes(i for i in range(32) if i not in b"\t\n\r\f\x0b\x1b\0")


def _is_binary(chunk: bytes) -> bool:
    """Whether bytes are not text in any encoding (UTF-16 holds zeros, and few other controls)."""
    if chunk.startswith(_BYTE_ORDER_MARKS):
        return False
    sample = chunk[:: max(1, len(chunk) // 65536)]
    controls = len(sample) - len(sample.translate(None, _CONTROLS))
    return controls * 50 > len(sample)


def _overlapping(stream: _Ahead, size: int | None) -> Iterator[bytes]:
    """Yield a stream in chunks, each beginning with the end of the one before."""
    left = math.inf if size is None else size
    tail = b""
    while left > 0 and (chunk := stream.read(int(min(left, CHUNK)))):
        left -= len(chunk)
        joined = tail + chunk
        yield joined
        tail = _tail(joined)


def _tail(chunk: bytes) -> bytes:
    """Return the end of a chunk, from the beginning of a character on."""
    start = max(0, len(chunk) - OVERLAP)
    while start and start < len(chunk) and chunk[start] & 0xC0 == 0x80:  # noqa: PLR2004 (UTF-8)
        start -= 1
    return chunk[start:]
