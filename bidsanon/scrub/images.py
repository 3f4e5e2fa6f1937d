"""NIfTI images: texts and extensions leave the header, the voxels stay as they are.

The image is copied in one pass and in bounded memory, compressed anew without name and time, and
read back: its voxels must have the checksum of those that were read.
"""

from __future__ import annotations

import contextlib
import gzip
import math
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from bidsanon.files import is_gzip, write_gzip

_CHUNK = 1 << 20
_FIRST_STATISTIC, _LAST_STATISTIC = 2, 24
_MOST_DIMENSIONS = 7
_NO_EXTENSION = bytes(4)

ByteOrder = Literal["<", ">"]


class ImageError(ValueError):
    """An image is no NIfTI file or is damaged. The text holds nothing of its content."""


@dataclass(frozen=True, kw_only=True)
class _Layout:
    """Where a version of NIfTI has what in its header: offset, and length or format.

    ``texts`` are free text, and bytes that the version leaves unused.
    """

    size: int
    magic: tuple[int, bytes]
    dimensions: tuple[int, str]
    bits_per_voxel: tuple[int, str]
    voxel_offset: tuple[int, str]
    intent_code: tuple[int, str]
    intent_name: tuple[int, int]
    texts: dict[str, tuple[int, int]]


_NIFTI_1 = _Layout(
    size=348,
    magic=(344, b"n+1\0"),
    dimensions=(40, "8h"),
    bits_per_voxel=(72, "h"),
    voxel_offset=(108, "f"),
    intent_code=(68, "h"),
    intent_name=(328, 16),
    texts={"data_type": (4, 10), "db_name": (14, 18), "descrip": (148, 80), "aux_file": (228, 24)},
)
_NIFTI_2 = _Layout(
    size=540,
    magic=(4, b"n+2\0\r\n\x1a\n"),
    dimensions=(16, "8q"),
    bits_per_voxel=(14, "h"),
    voxel_offset=(168, "q"),
    intent_code=(504, "i"),
    intent_name=(508, 16),
    texts={"descrip": (240, 80), "aux_file": (320, 24), "unused_str": (525, 15)},
)


@dataclass(frozen=True, kw_only=True)
class ScrubbedImage:
    """What was taken out of an image.

    Attributes
    ----------
    cleared
        The header's fields that held something.
    extension_bytes
        How long the header's extensions were.
    trailing
        Whether there was something behind the last voxel.
    """

    cleared: tuple[str, ...]
    extension_bytes: int
    trailing: bool


@dataclass(frozen=True, kw_only=True)
class _Header:
    layout: _Layout
    order: ByteOrder
    raw: bytes

    def number(self, field: tuple[int, str]) -> float:
        value: float = struct.unpack_from(self.order + field[1], self.raw, field[0])[0]
        return value

    @property
    def voxel_bytes(self) -> int:
        offset, form = self.layout.dimensions
        count, *sizes = struct.unpack_from(self.order + form, self.raw, offset)
        if not 1 <= count <= _MOST_DIMENSIONS or min(sizes[:count]) < 1:
            raise ImageError("its header has impossible dimensions")
        bits = int(self.number(self.layout.bits_per_voxel))
        voxels: int = math.prod(sizes[:count])
        return -(-voxels * bits // 8)

    @property
    def voxel_offset(self) -> int:
        offset = self.number(self.layout.voxel_offset)
        if not offset >= self.layout.size + len(_NO_EXTENSION) or offset != int(offset):
            raise ImageError("its header says that the voxels begin within the header")
        return int(offset)

    def scrubbed(self) -> tuple[bytes, tuple[str, ...]]:
        """Return the header to write, and which fields held something."""
        layout, raw = self.layout, bytearray(self.raw)
        texts = dict(layout.texts)
        if not _FIRST_STATISTIC <= self.number(layout.intent_code) <= _LAST_STATISTIC:
            texts["intent_name"] = layout.intent_name
        cleared = []
        for name, (offset, length) in texts.items():
            if any(raw[offset : offset + length]):
                cleared.append(name)
                raw[offset : offset + length] = bytes(length)
        offset, form = layout.voxel_offset
        struct.pack_into(self.order + form, raw, offset, layout.size + len(_NO_EXTENSION))
        return bytes(raw) + _NO_EXTENSION, tuple(cleared)


def scrub_image(source: Path, target: Path, *, threads: int = 1) -> ScrubbedImage:
    """Copy an image without what its header says in words.

    Parameters
    ----------
    source
        NIfTI-1 or NIfTI-2 in one file, gzip or not, whatever its name says.
    target
        Where the copy goes: gzip if its name ends in ``.gz``.
    threads
        How many blocks are compressed at once.

    Raises
    ------
    ImageError
        If the source is no such image, is damaged, or the copy's voxels are not the source's.
    """
    with _damage_as_image_error(), _open(source) as stream:
        header = _read_header(stream)
        written, cleared = header.scrubbed()
        _skip(stream, header.voxel_offset - header.layout.size)
        voxels = _Voxels(stream, header.voxel_bytes)
        _write(target, written, voxels, threads=threads)
        trailing = bool(stream.read(1))
    _verify(target, written, voxels)
    return ScrubbedImage(
        cleared=cleared,
        extension_bytes=header.voxel_offset - len(written),
        trailing=trailing,
    )


class _Voxels:
    """The voxels' bytes, read once; afterwards their checksum."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self.size = size
        self.checksum = 0

    def __iter__(self) -> Iterator[bytes]:
        left = self.size
        while left:
            chunk = self._stream.read(min(_CHUNK, left))
            if not chunk:
                raise ImageError("it ends before its voxels do")
            self.checksum = zlib.crc32(chunk, self.checksum)
            left -= len(chunk)
            yield chunk


def _write(target: Path, header: bytes, voxels: _Voxels, *, threads: int) -> None:
    def content() -> Iterator[bytes]:
        yield header
        yield from voxels

    if target.name.endswith(".gz"):
        write_gzip(target, content(), threads=threads)
        return
    with target.open("wb") as stream:
        stream.writelines(content())


def _verify(target: Path, header: bytes, voxels: _Voxels) -> None:
    with _damage_as_image_error(), _open(target) as stream:
        same = stream.read(len(header)) == header
        copied = _Voxels(stream, voxels.size)
        for _ in copied:
            pass
        same = same and copied.checksum == voxels.checksum and not stream.read(1)
    if not same:
        raise ImageError("the copy that was to be published differs from it")


def _open(path: Path) -> BinaryIO:
    if is_gzip(path):
        return gzip.open(path, "rb")  # type: ignore[return-value]
    return path.open("rb")


@contextlib.contextmanager
def _damage_as_image_error() -> Iterator[None]:
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ImageError("its compressed data are damaged") from error


def _read_header(stream: BinaryIO) -> _Header:
    raw = stream.read(_NIFTI_1.size)
    order: ByteOrder
    for order in ("<", ">"):
        for layout in (_NIFTI_1, _NIFTI_2):
            if raw[:4] == struct.pack(order + "i", layout.size):
                raw += stream.read(layout.size - len(raw))
                header = _Header(layout=layout, order=order, raw=raw)
                offset, magic = layout.magic
                if len(raw) == layout.size and raw[offset : offset + len(magic)] == magic:
                    return header
    raise ImageError("it is no NIfTI image in one file")


def _skip(stream: BinaryIO, count: int) -> None:
    while count:
        chunk = stream.read(min(_CHUNK, count))
        if not chunk:
            raise ImageError("it ends before its voxels begin")
        count -= len(chunk)
