"""NIfTI images: texts and extensions leave the header, the voxels stay as they are.

The image is copied in one pass and in bounded memory, compressed anew without name and time, and
read back: its voxels must have the checksum of those that were read.
"""

from __future__ import annotations

import contextlib
import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from bidsanon.bids.nifti import ImageError, read_header
from bidsanon.files import is_gzip, write_gzip

_CHUNK = 1 << 20
_MOST_BEHIND = 1 << 16


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
    gzip_head
        Whether the head of the compressed file held a name, a time or a comment, or there were
        several compressed files in one.
    """

    cleared: tuple[str, ...]
    extension_bytes: int
    trailing: bool
    gzip_head: bool = False


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
    with damage_as_image_error(), _open(source) as stream:
        header = read_header(stream)
        written, cleared = header.scrubbed()
        _skip(stream, header.voxel_offset - header.layout.size)
        voxels = _Voxels(stream, header.voxel_bytes)
        _write(target, written, voxels, threads=threads)
        trailing = _is_something_behind(stream)
    _verify(target, written, voxels)
    return ScrubbedImage(
        cleared=cleared,
        extension_bytes=header.voxel_offset - len(written),
        trailing=trailing,
    )


def look_at_image(source: Path) -> ScrubbedImage:
    """Say what :func:`scrub_image` would take out of an image, and write nothing.

    Raises
    ------
    ImageError
        If the source is no such image, or is damaged.
    """
    with damage_as_image_error(), _open(source) as stream:
        header = read_header(stream)
        written, cleared = header.scrubbed()
        _skip(stream, header.voxel_offset - header.layout.size)
        for _ in _Voxels(stream, header.voxel_bytes):
            pass
        trailing = _is_something_behind(stream)
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
    with damage_as_image_error(), _open(target) as stream:
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
def damage_as_image_error() -> Iterator[None]:
    """Turn what damaged gzip raises into an :class:`~bidsanon.bids.nifti.ImageError`."""
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ImageError("its compressed data are damaged") from error


def _is_something_behind(stream: BinaryIO) -> bool:
    """Tell whether something is behind the voxels, and read it, so that its checksum is looked at.

    Raises
    ------
    ImageError
        If it is so much that it may be voxels that the header forgets.
    """
    behind = 0
    while chunk := stream.read(_MOST_BEHIND):
        behind += len(chunk)
        if behind > _MOST_BEHIND:
            raise ImageError("it is longer than its header says by more than a few bytes")
    return bool(behind)


def _skip(stream: BinaryIO, count: int) -> None:
    while count:
        chunk = stream.read(min(_CHUNK, count))
        if not chunk:
            raise ImageError("it ends before its voxels begin")
        count -= len(chunk)
