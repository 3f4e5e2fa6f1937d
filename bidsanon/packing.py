"""Archives of which the bytes depend on names and contents alone: no times, owners or order."""

from __future__ import annotations

import os
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from bidsanon.errors import ConflictError
from bidsanon.files import write_gzip

_FILE_MODE = 0o644
_PROGRAM_MODE = 0o755
_FOLDER_MODE = 0o755
_EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The first moment that a ZIP archive can write."""
_LEVEL = 4
_CHUNK = 1 << 20
_UNIX = 3
_COMPRESSED = ".gz"
"""What ends so gains nothing by being compressed again, and most of a dataset's bytes do."""


@dataclass(frozen=True, kw_only=True)
class Member:
    """A file of an archive.

    Attributes
    ----------
    name
        Its place in the archive, with forward slashes.
    size
        How many bytes it holds.
    chunks
        Gives these bytes, piece by piece; asked once, when all members before it are packed.
    is_program
        Whether it can be run once it is unpacked.
    """

    name: str
    size: int
    chunks: Callable[[], Iterator[bytes]]
    is_program: bool = False

    @property
    def mode(self) -> int:
        """Its permissions: one of two, whatever they were."""
        return _PROGRAM_MODE if self.is_program else _FILE_MODE


def members_of(folder: Path, *, top: str) -> Iterator[Member]:
    """Yield all files below a folder by their names.

    Parameters
    ----------
    folder
        What is packed.
    top
        The name of the folder in the archive that holds all.
    """
    files = [path for path in folder.rglob("*") if path.is_file()]
    for path in sorted(files, key=lambda path: os.fsencode(path.relative_to(folder))):
        yield Member(
            name=f"{top}/{path.relative_to(folder).as_posix()}",
            size=path.stat().st_size,
            chunks=partial(file_chunks, path),
        )


def file_chunks(path: Path) -> Iterator[bytes]:
    """Yield a file's bytes, piece by piece."""
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk


def pack_zip(members: Iterable[Member], archive: Path) -> None:
    """Pack files into a ZIP archive.

    Parameters
    ----------
    members
        What is packed, in this order; what is in a folder stands together.
    archive
        The file to write.

    Raises
    ------
    ConflictError
        If a file does not hold as many bytes as was said.
    """
    with zipfile.ZipFile(archive, "x", allowZip64=True) as packed:
        for name, member in _with_folders(members):
            entry = zipfile.ZipInfo(name, _EARLIEST)
            entry.create_system = _UNIX
            if member is None:
                entry.external_attr = (0o040000 | _FOLDER_MODE) << 16 | 0x10
                packed.writestr(entry, b"")
                continue
            entry.external_attr = (0o100000 | member.mode) << 16
            if not name.endswith(_COMPRESSED):
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry._compresslevel = _LEVEL  # type: ignore[attr-defined]  # noqa: SLF001 (no other way)
            entry.file_size = member.size
            with packed.open(entry, "w") as target:
                for chunk in _content(member):
                    target.write(chunk)


def pack_tar_gz(members: Iterable[Member], archive: Path, *, threads: int = 1) -> None:
    """Pack files into a tar archive, compressed by gzip.

    Parameters
    ----------
    members, archive
        As for :func:`pack_zip`.
    threads
        How many blocks are compressed at once; the bytes do not depend on it.

    Raises
    ------
    ConflictError
        As for :func:`pack_zip`.
    """
    write_gzip(archive, _tar(members), threads=threads, dense=True)


def _tar(members: Iterable[Member]) -> Iterator[bytes]:
    for name, member in _with_folders(members):
        entry = tarfile.TarInfo(name)
        if member is None:
            entry.type, entry.mode = tarfile.DIRTYPE, _FOLDER_MODE
            yield entry.tobuf(tarfile.PAX_FORMAT)
            continue
        entry.size, entry.mode = member.size, member.mode
        yield entry.tobuf(tarfile.PAX_FORMAT)
        yield from _content(member)
        yield bytes(-member.size % tarfile.BLOCKSIZE)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _with_folders(members: Iterable[Member]) -> Iterator[tuple[str, Member | None]]:
    """Yield each member's name and itself, and before it the folders that are new, ending in /."""
    known: set[str] = set()
    for member in members:
        for above in reversed(PurePosixPath(member.name).parents[:-1]):
            folder = f"{above}/"
            if folder not in known:
                known.add(folder)
                yield folder, None
        yield member.name, member


def _content(member: Member) -> Iterator[bytes]:
    """Yield a member's bytes, as many as its entry in the archive says."""
    left = member.size
    for chunk in member.chunks():
        left -= len(chunk)
        if left < 0:
            break
        yield chunk
    if left:
        raise ConflictError(
            "a file grew or shrank while it was packed",
            cure="wait until nobody writes there any more, and run it again",
        )
