"""One gzip file (RFC 1952) with another head or another beginning, and the rest as it stands.

Each byte that is written is decompressed at once, so what is there afterwards has been read whole:
its length and checksum are right, and nothing stands behind it.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from bidsanon.files import GZIP_HEADER

_CHUNK = 1 << 20
_HEAD_BYTES = 10
_LONGEST_HEAD = 1 << 16
_TRAILER = struct.Struct("<II")
_HEAD_CHECKSUM, _EXTRA, _NAME, _COMMENT = 2, 4, 8, 16
_TELLING = _EXTRA | _NAME | _COMMENT | _HEAD_CHECKSUM
_POLYNOMIAL = 0xEDB88320


class NotOneMemberError(ValueError):
    """A gzip file is not one member alone, or none at all: it is to be compressed anew."""


@dataclass(frozen=True, kw_only=True)
class GzipFile:
    """What a gzip file says of itself.

    Attributes
    ----------
    head_bytes
        How long its head is.
    tells
        Whether the head holds a time, a name, a comment or another field.
    checksum, size
        Of its content; the size modulo 2**32.
    file_bytes
        How long the file is.
    """

    head_bytes: int
    tells: bool
    checksum: int
    size: int
    file_bytes: int

    @property
    def deflated_bytes(self) -> int:
        """How long what stands between head and trailer is."""
        return self.file_bytes - _TRAILER.size - self.head_bytes

    @property
    def trailer(self) -> bytes:
        """What ends the file."""
        return _TRAILER.pack(self.checksum, self.size & 0xFFFFFFFF)


def read_gzip(stream: BinaryIO) -> GzipFile:
    """Read what a gzip file says of itself.

    Raises
    ------
    NotOneMemberError
        If it is no whole gzip file, or its head is longer than any program writes it.
    """
    begin = stream.read(_LONGEST_HEAD)
    file_bytes = stream.seek(0, os.SEEK_END)
    if file_bytes < _HEAD_BYTES + _TRAILER.size:
        raise NotOneMemberError("it is too short")
    stream.seek(file_bytes - _TRAILER.size)
    checksum, size = _TRAILER.unpack(stream.read(_TRAILER.size))
    flags = begin[3]
    return GzipFile(
        head_bytes=_head_bytes(begin, flags),
        tells=bool(flags & _TELLING or any(begin[4:8])),
        checksum=checksum,
        size=size,
        file_bytes=file_bytes,
    )


def _head_bytes(begin: bytes, flags: int) -> int:
    end = _HEAD_BYTES
    if flags & _EXTRA:
        end += 2 + int.from_bytes(begin[end : end + 2], "little")
    for flag in (_NAME, _COMMENT):
        if flags & flag:
            end = begin.find(b"\0", end) + 1
            if not end:
                raise NotOneMemberError("its head does not end")
    end += 2 if flags & _HEAD_CHECKSUM else 0
    if end > len(begin):
        raise NotOneMemberError("its head does not end")
    return end


def with_beginning(file: GzipFile, old: bytes, new: bytes, *, content_bytes: int) -> GzipFile:
    """Return what a file says of itself once its content has another beginning.

    Parameters
    ----------
    file
        What it says now.
    old, new
        How the content begins, and how it is to begin.
    content_bytes
        How long the content is.
    """
    difference = zlib.crc32(old) ^ zlib.crc32(new)
    return GzipFile(
        head_bytes=file.head_bytes,
        tells=file.tells,
        checksum=file.checksum ^ _moved(difference, content_bytes - len(old)),
        size=content_bytes - len(old) + len(new),
        file_bytes=file.file_bytes,
    )


def copied(
    stream: BinaryIO,
    target: BinaryIO | None,
    file: GzipFile,
    *,
    skip: int = 0,
    beginning: bytes = b"",
    said: GzipFile | None = None,
) -> Iterator[bytes]:
    """Copy a gzip file with a head that tells nothing, and yield its content as it is written.

    Parameters
    ----------
    stream
        The file.
    target
        Where the copy goes; None: it is only read.
    file
        What it says of itself.
    skip, beginning
        How many bytes after the head are left out, and the compressed ones in their place.
    said
        What the copy says of itself; None: the same.

    Raises
    ------
    NotOneMemberError
        If something stands behind the first member.
    zlib.error
        If it is damaged.
    EOFError
        If it ends too early.
    """
    inflate = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    for part in _parts(stream, file, skip, beginning, (said or file).trailer):
        if target is not None:
            target.write(part)
        yield from _inflated(inflate, part)
    if not inflate.eof:
        raise EOFError
    if inflate.unused_data:
        raise NotOneMemberError("something stands behind its first member")


def _parts(
    stream: BinaryIO, file: GzipFile, skip: int, beginning: bytes, trailer: bytes
) -> Iterator[bytes]:
    yield GZIP_HEADER + beginning
    position = stream.seek(file.head_bytes + skip)
    left = file.file_bytes - _TRAILER.size - position
    while left > 0:
        part = stream.read(min(_CHUNK, left))
        if not part:
            raise EOFError
        left -= len(part)
        yield part
    yield trailer


def _inflated(inflate: zlib._Decompress, part: bytes) -> Iterator[bytes]:
    """Yield what a part stands for, in pieces: some kilobytes may stand for gigabytes."""
    if inflate.eof and part:
        raise NotOneMemberError("something stands behind its first member")
    piece = inflate.decompress(part, _CHUNK)
    yield piece
    while inflate.unconsumed_tail or len(piece) == _CHUNK:
        piece = inflate.decompress(inflate.unconsumed_tail, _CHUNK)
        yield piece


def _moved(checksum: int, count: int) -> int:
    """Return what becomes of a CRC-32 by as many bytes of zero after it.

    Over the field of two elements that is a matrix to a power (as in zlib's crc32_combine).
    """
    matrix = [_POLYNOMIAL, *(1 << bit for bit in range(31))]
    power = count * 8
    while power:
        if power & 1:
            checksum = _times(matrix, checksum)
        matrix = [_times(matrix, column) for column in matrix]
        power >>= 1
    return checksum


def _times(matrix: list[int], vector: int) -> int:
    product = 0
    for column in matrix:
        if vector & 1:
            product ^= column
        vector >>= 1
    return product
