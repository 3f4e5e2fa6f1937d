"""Archives of which the bytes depend on names and contents alone: no times, owners or order."""

from __future__ import annotations

import os
import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from bidsanon.files import write_gzip

_FILE_MODE = 0o644
_FOLDER_MODE = 0o755
_EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The first moment that a ZIP archive can write."""
_LEVEL = 4
_CHUNK = 1 << 20
_UNIX = 3


def pack_zip(folder: Path, archive: Path, *, top: str) -> None:
    """Pack a folder into a ZIP archive.

    Parameters
    ----------
    folder
        What is packed.
    archive
        The file to write.
    top
        The name of the folder in the archive that holds all.
    """
    with zipfile.ZipFile(archive, "x", allowZip64=True) as packed:
        for path in _entries(folder):
            name = f"{top}/{path.relative_to(folder).as_posix()}"
            member = zipfile.ZipInfo(f"{name}/" if path.is_dir() else name, _EARLIEST)
            member.create_system = _UNIX
            if path.is_dir():
                member.external_attr = (0o040000 | _FOLDER_MODE) << 16 | 0x10
                packed.writestr(member, b"")
                continue
            member.external_attr = (0o100000 | _FILE_MODE) << 16
            member.compress_type = zipfile.ZIP_DEFLATED
            member._compresslevel = _LEVEL  # type: ignore[attr-defined]  # noqa: SLF001 (no other way)
            member.file_size = path.stat().st_size
            with path.open("rb") as source, packed.open(member, "w") as target:
                shutil.copyfileobj(source, target, _CHUNK)


def pack_tar_gz(folder: Path, archive: Path, *, top: str, threads: int = 1) -> None:
    """Pack a folder into a tar archive, compressed by gzip.

    Parameters
    ----------
    folder, archive, top
        As for :func:`pack_zip`.
    threads
        How many blocks are compressed at once; the bytes do not depend on it.
    """
    write_gzip(archive, _tar(folder, top), threads=threads)


def _tar(folder: Path, top: str) -> Iterator[bytes]:
    for path in _entries(folder):
        member = tarfile.TarInfo(f"{top}/{path.relative_to(folder).as_posix()}")
        if path.is_dir():
            member.type, member.mode = tarfile.DIRTYPE, _FOLDER_MODE
            yield member.tobuf(tarfile.PAX_FORMAT)
            continue
        member.size, member.mode = path.stat().st_size, _FILE_MODE
        yield member.tobuf(tarfile.PAX_FORMAT)
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                yield chunk
        yield bytes(-member.size % tarfile.BLOCKSIZE)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _entries(folder: Path) -> list[Path]:
    """List folders and files by their names, so that a folder comes before what it holds."""
    return sorted(folder.rglob("*"), key=lambda path: os.fsencode(path.relative_to(folder)))
