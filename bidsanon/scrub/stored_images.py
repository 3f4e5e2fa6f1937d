"""Images that are stored already: a clean one is left alone, of others little is rewritten.

An image is read whole either way, so that damage and what hides behind the voxels are found. Where
only its header changes, the compressed voxels are copied as they are.
"""

from __future__ import annotations

import contextlib
import io
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from bidsanon.bids.nifti import ImageError, NiftiHeader, read_header
from bidsanon.files import DEFLATE_END, is_gzip
from bidsanon.scrub.deflate import WINDOW, DeflateError, begin_anew, find_cut
from bidsanon.scrub.gzip_member import (
    GzipFile,
    NotOneMemberError,
    copied,
    read_gzip,
    with_beginning,
)
from bidsanon.scrub.images import (
    ScrubbedImage,
    damage_as_image_error,
    look_at_image,
    scrub_image,
)

_LONGEST_BEGINNING = 1 << 22
_LONGEST_HEADER = 544
_BEGINNING = 1 << 23
_SHORT = 1 << 16
"""To compress so much anew takes less time than to find where it could be cut."""


def scrub_stored_image(
    source: Path, target: Path | None, *, threads: int = 1
) -> ScrubbedImage | None:
    """Write an image without what its header says in words, where it says something.

    Parameters
    ----------
    source
        NIfTI-1 or NIfTI-2 in one file, gzip or not, whatever its name says.
    target
        Where it is written if it changes; None: it is only looked at.
    threads
        How many blocks are compressed at once, where all of it has to be.

    Returns
    -------
    ScrubbedImage or None
        What is taken out of it; None where nothing is, and nothing is written.

    Raises
    ------
    ImageError
        If it is no such image, is damaged, or would not be understood without its extension.
    """
    with damage_as_image_error():
        if not is_gzip(source):
            return _scrub_plain(source, target, threads)
        try:
            return _scrub_compressed(source, target)
        except (NotOneMemberError, DeflateError):
            return _scrub_anew(source, target, threads)


def _scrub_anew(source: Path, target: Path | None, threads: int) -> ScrubbedImage:
    if target is None:
        found = look_at_image(source)
    else:
        target.unlink(missing_ok=True)
        found = scrub_image(source, target, threads=threads)
    said = found.cleared or found.extension_bytes or found.trailing
    return replace(found, gzip_head=not said or _tells(source))


def _tells(source: Path) -> bool:
    with source.open("rb") as stream:
        try:
            return is_gzip(source) and read_gzip(stream).tells
        except NotOneMemberError:
            return True


def _scrub_plain(source: Path, target: Path | None, threads: int) -> ScrubbedImage | None:
    with source.open("rb") as stream:
        image = _Image.read(stream.read(_LONGEST_HEADER))
    if not image.changes and source.stat().st_size == image.content_bytes:
        return None
    return _scrub_anew(source, target, threads)


@dataclass(frozen=True, kw_only=True)
class _Image:
    """An image's header as it is, and as it is to be."""

    header: NiftiHeader
    written: bytes
    cleared: tuple[str, ...]
    changes: bool

    @classmethod
    def read(cls, begin: bytes) -> _Image:
        header = read_header(io.BytesIO(begin))
        if header.is_cifti:
            raise ImageError("it is a CIFTI image, which holds what it is in a header's extension")
        written, cleared = header.scrubbed()
        same = begin[: len(written)] == written and header.voxel_offset == len(written)
        return cls(header=header, written=written, cleared=cleared, changes=not same)

    @property
    def content_bytes(self) -> int:
        """How long the image is, not compressed, if it is whole and nothing is behind it."""
        return self.header.voxel_offset + self.header.voxel_bytes


def _scrub_compressed(source: Path, target: Path | None) -> ScrubbedImage | None:
    with source.open("rb") as stream, contextlib.ExitStack() as stack:
        file = read_gzip(stream)
        stream.seek(file.head_bytes)
        begin = stream.read(_LONGEST_HEADER * 4)
        image = _Image.read(zlib.decompressobj(-zlib.MAX_WBITS).decompress(begin, _LONGEST_HEADER))
        if file.size != image.content_bytes & 0xFFFFFFFF:
            raise NotOneMemberError("it holds more or less than the image")
        if not image.changes and not file.tells:
            _require_size(copied(stream, None, file), image.content_bytes)
            return None
        if target is None:
            _require_size(copied(stream, None, file), image.content_bytes)
        else:
            written = stack.enter_context(target.open("wb"))
            _copy(stream, written, file, image)
    return ScrubbedImage(
        cleared=image.cleared,
        extension_bytes=image.header.voxel_offset - len(image.written),
        trailing=False,
        gzip_head=file.tells,
    )


def _copy(stream: BinaryIO, target: BinaryIO, file: GzipFile, image: _Image) -> None:
    if not image.changes:
        _require_size(copied(stream, target, file), image.content_bytes)
        return
    at_least = image.header.voxel_offset + WINDOW
    if at_least > _LONGEST_BEGINNING:
        raise DeflateError("its extensions are too long")
    stream.seek(file.head_bytes)
    compressed = stream.read(_BEGINNING)
    if image.content_bytes > _SHORT:
        cut = find_cut(compressed, at_least=at_least)
        skip, bit = cut.bit // 8 + 1, cut.bit % 8
        old = zlib.decompressobj(-zlib.MAX_WBITS).decompress(compressed, cut.size)
        rest = compressed[skip - 1 : skip]
    else:
        skip, bit = file.deflated_bytes, 0
        old = _whole(compressed[:skip], image.content_bytes)
        rest = DEFLATE_END
    new = image.written + old[image.header.voxel_offset :]
    said = with_beginning(file, old, new, content_bytes=image.content_bytes)
    beginning = begin_anew(new, rest, bit=bit)
    content = copied(stream, target, file, skip=skip, beginning=beginning, said=said)
    _require_size(content, said.size)


def _whole(compressed: bytes, size: int) -> bytes:
    """Return what a stream stands for; it is compressed anew where it is not of that size."""
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    content = inflate.decompress(compressed, size + 1)
    if len(content) != size or not inflate.eof or inflate.unused_data:
        raise NotOneMemberError("it holds more or less than the image")
    return content


def _require_size(content: Iterable[bytes], size: int) -> None:
    read = 0
    for piece in content:
        read += len(piece)
        if read > size:
            raise ImageError("its compressed data are damaged")
    if read != size:
        raise ImageError("it ends before its voxels do")
