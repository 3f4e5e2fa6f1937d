"""Archives as sources: what kind of file it is, and unpacking it without being led astray.

Nothing but regular files and folders is ever written, and only below the folder that is given.
An archive with a member that leads elsewhere is refused as a whole: nobody packs a scanner's
export that way.
"""

from __future__ import annotations

import errno
import gzip
import importlib
import lzma
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from bidsanon.careful_tar import CarefulTarInfo
from bidsanon.errors import MissingToolError, SourceError
from bidsanon.files import PRIVATE_FILE_MODE, make_private_folder, storage_errors

_MAGIC_LENGTH = 265
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_GZIP = b"\x1f\x8b"
_XZ = b"\xfd7zXZ\x00"
_ZSTANDARD = b"\x28\xb5\x2f\xfd"
_TAR = b"ustar"
_CHUNK = 1 << 20
_MOST_MEMBERS = 1_000_000
_HARMLESS_SIZE = 1 << 30
_HIGHEST_RATIO = 100
_SHARE_OF_FREE_SPACE = 0.9
_DAMAGED = (
    EOFError,
    NotImplementedError,
    gzip.BadGzipFile,
    lzma.LZMAError,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
)
_NAMES_REFUSED = {
    errno.EEXIST,
    errno.EILSEQ,
    errno.EINVAL,
    errno.EISDIR,
    errno.ENAMETOOLONG,
    errno.ENOTDIR,
}


class DamagedArchiveError(SourceError):
    """An archive or compressed file is damaged, or ends early."""


class Packing(Enum):
    """How a file is packed, by its first bytes."""

    ZIP = "zip"
    """A ZIP archive."""
    TAR = "tar"
    """A tar archive that is not compressed."""
    GZIP = "gzip"
    """One compressed file: a tar archive or DICOM."""
    XZ = "xz"
    """The same, by xz."""
    ZSTANDARD = "zstd"
    """The same, by Zstandard."""


def packing_of(path: Path) -> Packing | None:
    """Tell how a file is packed; None if it is not."""
    with path.open("rb") as stream:
        head = stream.read(_MAGIC_LENGTH)
    if head.startswith(_ZIP):
        return Packing.ZIP
    if head.startswith(_GZIP):
        return Packing.GZIP
    if head.startswith(_XZ):
        return Packing.XZ
    if head.startswith(_ZSTANDARD):
        return Packing.ZSTANDARD
    return Packing.TAR if head[257:262] == _TAR else None


def unpack(archive: Path, packing: Packing, into: Path, *, place: str) -> None:
    """Unpack an archive into a private folder; one compressed file gives that file.

    Parameters
    ----------
    archive
        The archive.
    packing
        From :func:`packing_of`.
    into
        A folder, made here.
    place
        How the archive is called in messages ("SOURCE number 2").

    Raises
    ------
    SourceError
        If it is damaged, encrypted, or holds members that lead elsewhere or are no files, or if
        it would unpack to more than there is room for.
    MissingToolError
        If nothing here can decompress it.
    """
    make_private_folder(into)
    budget = _Budget(archive, into, place)
    with _archive_errors(place), storage_errors("the private folder"):
        if packing is Packing.ZIP:
            _unpack_zip(archive, into, budget)
            return
        with _decompressed(archive, packing) as stream:
            head = stream.read(_MAGIC_LENGTH)
        with _decompressed(archive, packing) as stream:
            if head[257:262] == _TAR:
                _unpack_tar(stream, into, budget)
            else:
                _copy(stream, into / archive.stem, budget)


def unpack_gzip(path: Path, into: Path, *, place: str) -> None:
    """Decompress one gzip file to the path `into`, with the same limits as an archive.

    Raises
    ------
    DamagedArchiveError
        If it is damaged.
    SourceError
        If it would decompress to more than there is room for.
    """
    make_private_folder(into.parent)
    with _archive_errors(place), storage_errors("the private folder"), gzip.open(path) as stream:
        _copy(cast("BinaryIO", stream), into, _Budget(path, into.parent, place))


def gzip_prefix(path: Path, length: int) -> bytes:
    """Return the first bytes of what a gzip file holds; fewer where it is damaged."""
    try:
        with gzip.open(path) as stream:
            return stream.read(length)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        return b""


class _Budget:
    """How much may still be written before it counts as a decompression bomb."""

    def __init__(self, archive: Path, into: Path, place: str) -> None:
        size = archive.stat().st_size
        room = int(shutil.disk_usage(into).free * _SHARE_OF_FREE_SPACE)
        self._left = min(room, max(_HARMLESS_SIZE, size * _HIGHEST_RATIO))
        self._members = _MOST_MEMBERS
        self._place = place

    def spend(self, size: int) -> None:
        """Take `size` bytes from what is left."""
        self._left -= size
        if self._left < 0:
            raise SourceError(
                f"{self._place} unpacks to more than there is room for, or to more than "
                f"{_HIGHEST_RATIO} times its size",
                cure="unpack it yourself where there is room, and give the folder",
            )

    def enter(self) -> None:
        """Count one more member."""
        self._members -= 1
        if self._members < 0:
            raise SourceError(
                f"{self._place} holds more than {_MOST_MEMBERS} members",
                cure="unpack it yourself, and give the folder",
            )

    def target(self, name: str, into: Path) -> Path:
        """Return where a member goes, apart from one that has been there already."""
        self.enter()
        parts = PurePosixPath(name.replace("\\", "/")).parts
        if not parts or ".." in parts or parts[0] == "/" or parts[0].endswith(":") or "\0" in name:
            raise self.astray()
        wanted = into.joinpath(*parts)
        make_private_folder(wanted.parent)
        path, again = wanted, 1
        while path.exists():
            again += 1
            path = wanted.with_name(f"{wanted.name}~{again}")
        return path

    def encrypted(self) -> SourceError:
        """Say that a member needs a password."""
        return SourceError(
            f"{self._place} is encrypted", cure="unpack it yourself, and give the folder"
        )

    def astray(self) -> SourceError:
        """Say that a member leads elsewhere, or is no file."""
        return SourceError(
            f"{self._place} is an archive with members that lead outside of it or are no files",
            cure="do not trust it; if it is yours, unpack it yourself, and give the folder",
        )


def _unpack_zip(archive: Path, into: Path, budget: _Budget) -> None:
    with zipfile.ZipFile(archive) as packed:
        for member in packed.infolist():
            if member.flag_bits & 1:
                raise budget.encrypted()
            if member.is_dir():
                budget.enter()
                continue
            if _is_unix_special(member):
                raise budget.astray()
            target = budget.target(member.filename, into)
            with packed.open(member) as stream:
                _copy(cast("BinaryIO", stream), target, budget)


def _is_unix_special(member: zipfile.ZipInfo) -> bool:
    """Whether a member was a link or a device (the file type in the upper attribute bits)."""
    kind = member.external_attr >> 28
    return member.create_system == 3 and kind not in {0, 8}  # noqa: PLR2004 (Unix; S_IFREG)


def _unpack_tar(stream: BinaryIO, into: Path, budget: _Budget) -> None:
    with tarfile.open(fileobj=stream, mode="r|", tarinfo=CarefulTarInfo) as packed:
        for member in packed:
            if member.isdir():
                budget.enter()
            elif member.isreg():
                content = packed.extractfile(member)
                target = budget.target(member.name, into)
                if content is not None:
                    _copy(cast("BinaryIO", content), target, budget)
            elif not _is_link_within(member):
                raise budget.astray()


def _is_link_within(member: tarfile.TarInfo) -> bool:
    """Whether a member is a link to another one: that is unpacked itself, and the link is not."""
    if not (member.issym() or member.islnk()):
        return False
    start = PurePosixPath(member.name).parent if member.issym() else PurePosixPath()
    if PurePosixPath(member.linkname).is_absolute():
        return False
    depth = 0
    for part in (start / member.linkname).parts:
        depth += -1 if part == ".." else 1
        if depth < 0:
            return False
    return True


def _copy(stream: BinaryIO, target: Path, budget: _Budget) -> None:
    with target.open("xb") as copy:
        target.chmod(PRIVATE_FILE_MODE)
        while chunk := stream.read(_CHUNK):
            budget.spend(len(chunk))
            copy.write(chunk)


@contextmanager
def _decompressed(archive: Path, packing: Packing) -> Iterator[BinaryIO]:
    openers: dict[Packing, Callable[[Path], object]] = {
        Packing.TAR: lambda path: path.open("rb"),
        Packing.GZIP: gzip.open,
        Packing.XZ: lzma.open,
        Packing.ZSTANDARD: _open_zstandard,
    }
    with cast("BinaryIO", openers[packing](archive)) as stream:
        yield stream


def _open_zstandard(path: Path) -> object:
    for name in ("compression.zstd", "zstandard"):
        try:
            return importlib.import_module(name).open(path, "rb")
        except ModuleNotFoundError:
            continue
    raise MissingToolError(
        "nothing here can decompress Zstandard", cure="pip install zstandard, or unpack it yourself"
    )


@contextmanager
def _archive_errors(place: str) -> Iterator[None]:
    try:
        yield
    except _DAMAGED as error:
        raise DamagedArchiveError(
            f"{place} is an archive that is damaged or ends early",
            cure="copy it again, or unpack it yourself, and give the folder",
        ) from error
    except OSError as error:
        if error.errno not in _NAMES_REFUSED:
            raise
        raise SourceError(
            f"{place} is an archive with names that cannot be written here",
            cure="unpack it yourself, and give the folder",
        ) from error
