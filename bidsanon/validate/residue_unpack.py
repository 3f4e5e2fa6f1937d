"""Unpacks what is packed as a stream, within bounds of memory and time.

A few kilobytes can unpack to as many gigabytes, and an archive's heading can ask for as much
memory. What would go beyond the bounds raises :class:`NotSearchableError`, as does what is damaged
or packed in a way that cannot be read here: it must not be published.
"""

from __future__ import annotations

import bz2
import lzma
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple, Protocol, Self, cast

CHUNK = 1 << 20
_PACKED_CHUNK = 1 << 17
_ALWAYS_UNPACKED = 1 << 30
_MOST_TIMES = 100
"""What images pack to less than a hundredth, as masks do, is smaller than a gibibyte unpacked."""
MOST_MEMORY = 1 << 27
DEEPEST = 6
TEXT_COSTS = 3
"""Text takes longer to search than voxels: so many times its bytes count more."""
_LONGEST_LABEL = 1 << 20
_ZIP_IN_MEMORY = 1 << 22
_BYTES_OF_GZIP_HEAD = 10
_BYTES_OF_GZIP_TAIL = 8
_DEFLATED = 8

GZIP = b"\x1f\x8b"
BZIP2 = b"BZh"
XZ = b"\xfd7zXZ\x00"
ZIP = (b"PK\x03\x04", b"PK\x05\x06")
UNREADABLE_HERE = {
    b"\x28\xb5\x2f\xfd": "zstd",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "rar",
    b"\x04\x22\x4d\x18": "lz4",
    b"\x1f\x9d": "compress",
    b"LZIP": "lzip",
}
"""What archives begin with that nothing here can read."""

DAMAGED = (
    EOFError,
    OSError,
    ValueError,
    struct.error,
    zlib.error,
    lzma.LZMAError,
    tarfile.TarError,
    zipfile.BadZipFile,
    RuntimeError,
    NotImplementedError,
)
"""What the modules that unpack raise for what is damaged, encrypted, or not known to them."""


class NotSearchableError(Exception):
    """A file cannot be searched to its end. The text says why, and nothing of the content."""


class Reader(Protocol):
    """What bytes are read from."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes; none at the end."""


class Budget:
    """How many bytes a file may unpack to, in all that is packed in it together.

    Parameters
    ----------
    size
        How long the file is.
    """

    def __init__(self, size: int) -> None:
        self._left = _ALWAYS_UNPACKED + _MOST_TIMES * size

    def spend(self, size: int) -> None:
        """Take note of bytes that were unpacked.

        Raises
        ------
        NotSearchableError
            If it is too much.
        """
        self._left -= size
        if self._left < 0:
            raise NotSearchableError(f"it unpacks to more than {_MOST_TIMES} times its size")


class Ahead:
    """A stream into which one can look ahead, and that counts what was read."""

    def __init__(self, stream: Reader) -> None:
        self._stream = stream
        self._held = b""
        self.position = 0

    def peek(self, size: int) -> bytes:
        """Return the next bytes without reading them."""
        while len(self._held) < size and (more := self._stream.read(size - len(self._held))):
            self._held += more
        return self._held[:size]

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes; none at the end."""
        if not self._held:
            taken = self._stream.read(size)
        else:
            taken, self._held = self._held[:size], self._held[size:]
        self.position += len(taken)
        return taken

    def unread(self, content: bytes) -> None:
        """Put bytes back in front."""
        self._held = content + self._held
        self.position -= len(content)

    def read_exactly(self, size: int) -> bytes:
        """Return `size` bytes; fewer only at the end."""
        parts = []
        while size > 0 and (part := self.read(size)):
            parts.append(part)
            size -= len(part)
        return b"".join(parts)


class Gunzip:
    """Decompresses gzip members one after another, and remembers what their headers say."""

    def __init__(self, stream: Ahead, budget: Budget) -> None:
        self._stream = stream
        self._budget = budget
        self._inflater: Any = None
        self._waiting = b""
        self.labels: list[bytes] = []

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes; none at the end."""
        while self._inflater is not None or self._enter_member():
            waiting = self._waiting or self._stream.read(_PACKED_CHUNK)
            content: bytes = self._inflater.decompress(waiting, size)
            self._waiting = self._inflater.unconsumed_tail
            if self._inflater.eof:
                self._leave_member()
            elif not waiting and not content:
                raise EOFError
            if content:
                self._budget.spend(len(content))
                return content
        return b""

    def _enter_member(self) -> bool:
        if self._stream.peek(2) != GZIP:
            return False
        fixed = self._stream.read_exactly(_BYTES_OF_GZIP_HEAD)
        if len(fixed) < _BYTES_OF_GZIP_HEAD or fixed[2] != _DEFLATED:  # RFC 1952
            raise EOFError
        flags = fixed[3]
        if flags & 4:
            (length,) = struct.unpack("<H", self._stream.read_exactly(2))
            self.labels.append(self._stream.read_exactly(length))
        for flag in (8, 16):
            if flags & flag:
                self.labels.append(self._text())
        if flags & 2:
            self._stream.read_exactly(2)
        self._inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        return True

    def _text(self) -> bytes:
        text = bytearray()
        while (byte := self._stream.read(1)) not in {b"", b"\0"}:
            text += byte
            if len(text) > _LONGEST_LABEL:
                raise NotSearchableError("it has a heading that is too long")
        return bytes(text)

    def _leave_member(self) -> None:
        self._stream.unread(self._inflater.unused_data)
        self._inflater = None
        if len(self._stream.read_exactly(_BYTES_OF_GZIP_TAIL)) < _BYTES_OF_GZIP_TAIL:
            raise EOFError


class Decompressed:
    """Decompresses bzip2 and xz, of which several streams may follow each other."""

    def __init__(self, stream: Ahead, budget: Budget) -> None:
        self._stream = stream
        self._budget = budget
        self._magic = BZIP2 if stream.peek(len(BZIP2)) == BZIP2 else XZ
        self._decompressor: Any = None

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes; none at the end."""
        while self._decompressor is not None or self._enter_stream():
            needed = self._decompressor.needs_input
            waiting = self._stream.read(_PACKED_CHUNK) if needed else b""
            content: bytes = self._decompressor.decompress(waiting, size)
            if self._decompressor.eof:
                self._stream.unread(self._decompressor.unused_data)
                self._decompressor = None
            elif needed and not waiting and not content:
                raise EOFError
            if content:
                self._budget.spend(len(content))
                return content
        return b""

    def _enter_stream(self) -> bool:
        if self._stream.peek(len(self._magic)) != self._magic:
            return False
        xz = self._magic == XZ
        self._decompressor = (
            lzma.LZMADecompressor(memlimit=MOST_MEMORY) if xz else bz2.BZ2Decompressor()
        )
        return True


class Member(NamedTuple):
    """What an archive holds.

    Attributes
    ----------
    name
        As the archive has it.
    labels
        What else it says of the member.
    content
        Its bytes; None where it has none.
    begin
        Where its heading begins in the archive; None where that is not known.
    """

    name: str
    labels: tuple[str | bytes, ...]
    content: Ahead | None
    begin: int | None = None


def zip_members(stream: Ahead, file: BinaryIO | None, budget: Budget) -> Iterator[Member]:
    """Yield what a ZIP archive holds.

    Parameters
    ----------
    stream
        The archive.
    file
        Where it can be read in any order; None: it is put by, since a ZIP's list is at its end.
    budget
        What is left to unpack.
    """
    with tempfile.SpooledTemporaryFile(_ZIP_IN_MEMORY) as spooled:
        if file is None:
            while part := stream.read(CHUNK):
                spooled.write(part)
        with zipfile.ZipFile(file or cast("BinaryIO", spooled)) as packed:
            yield Member("", (packed.comment,), None)
            for member in packed.infolist():
                labels = (member.comment + member.extra,)
                if member.is_dir():
                    yield Member(member.filename, labels, None)
                    continue
                with packed.open(member) as inside:
                    content = Ahead(_Counted(cast("Reader", inside), budget))
                    yield Member(member.filename, labels, content, member.header_offset)


def tar_members(stream: Ahead) -> Iterator[Member]:
    """Yield what a tar archive holds."""
    with tarfile.open(
        fileobj=cast("BinaryIO", stream), mode="r|", tarinfo=_BoundedTarInfo
    ) as packed:
        for member in packed:
            labels = (member.linkname, member.uname, member.gname, *member.pax_headers.values())
            inside = packed.extractfile(member) if member.isreg() else None
            content = Ahead(cast("Reader", inside)) if inside is not None else None
            yield Member(member.name, labels, content)


class _Counted:
    """A stream of which every byte is counted."""

    def __init__(self, stream: Reader, budget: Budget) -> None:
        self._stream = stream
        self._budget = budget

    def read(self, size: int, /) -> bytes:
        content = self._stream.read(size)
        self._budget.spend(len(content))
        return content


class _BoundedTarInfo(tarfile.TarInfo):
    """Refuses headings that tarfile would read into memory as a whole, however long they are."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Read a member's heading.

        Raises
        ------
        NotSearchableError
            If it is followed by a name or by attributes that are too long.
        """
        found = super().frombuf(buf, encoding, errors)
        if found.type in _LABEL_TYPES and found.size > _LONGEST_LABEL:
            raise NotSearchableError("it is an archive with a heading that is too long")
        return found


_LABEL_TYPES = (
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
)
