"""Archives within a dataset: the JSON in them is cleaned, and who packed them when is taken out.

Other kinds of files in an archive are copied as they are, and counted: nobody cleans them there.
"""

from __future__ import annotations

import contextlib
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from bidsanon.bids.sidecars import LARGEST_JSON, SidecarError
from bidsanon.careful_tar import CarefulTarInfo
from bidsanon.packing import Member, pack_tar_gz, pack_zip

ARCHIVES = (".zip", ".tar.gz", ".tgz", ".tar", ".tar.xz", ".tar.bz2")
_ZIP, _TAR_GZ = ".zip", (".tar.gz", ".tgz")
_JSON = ".json"
_CHUNK = 1 << 20
_EARLIEST = (1980, 1, 1, 0, 0, 0)
_ENCRYPTED = 1
_FIELD = struct.Struct("<HH")
_LARGE_SIZES = 1
_MOST_MEMBERS = 100_000
_HARMLESS_BYTES = 1 << 30
_HIGHEST_RATIO = 100
_HARMLESS_HEADERS = frozenset({"path", "size"})
_DAMAGED = (
    *(EOFError, OSError, NotImplementedError, RuntimeError, ValueError, KeyError, struct.error),
    *(tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError),
)

ScrubMember = Callable[[str, bytes], bytes | None]
"""Gives what a member that is JSON is to hold, by its name and bytes; None: as it is."""


class ArchiveError(ValueError):
    """An archive cannot be cleaned. The text holds nothing of its content."""


@dataclass(frozen=True, kw_only=True)
class ScrubbedArchive:
    """What is changed in an archive.

    Attributes
    ----------
    members
        How many JSON files change.
    packer_told
        Whether it says by whom or when it was packed.
    not_cleaned
        How many files in it are of kinds that are not cleaned there.
    """

    members: int
    packer_told: bool
    not_cleaned: int

    @property
    def words(self) -> tuple[str, ...]:
        """What changes, in words."""
        return (
            *((f"{self.members} JSON file(s) in it cleaned",) if self.members else ()),
            *(("who packed it and when taken out",) if self.packer_told else ()),
        )


@dataclass(frozen=True, kw_only=True)
class _Stored:
    """A file as it is in an archive."""

    name: str
    size: int
    told: bool
    open: Callable[[], IO[bytes]]


def scrub_stored_archive(source: Path, target: Path | None, scrub: ScrubMember) -> ScrubbedArchive:
    """Write an archive anew where something in it changes.

    Parameters
    ----------
    source
        A zip or a tar, compressed or not.
    target
        Where it is written if it changes; None: it is only looked at.
    scrub
        Cleans a member.

    Raises
    ------
    ArchiveError
        If it is damaged or encrypted, unpacks to far more than it is, or has to be written in a
        form that is only read.
    """
    with _damage_as_archive_error():
        found = _look(source, scrub)
        if not found.words:
            return found
        if not source.name.lower().endswith((_ZIP, *_TAR_GZ)):
            raise ArchiveError("it would have to change, and only .zip and .tar.gz are written")
        if target is not None:
            pack = pack_zip if source.name.lower().endswith(_ZIP) else pack_tar_gz
            pack((_member(one, scrub) for one in _stored(source)), target)
    return found


def _look(source: Path, scrub: ScrubMember) -> ScrubbedArchive:
    changed = others = 0
    told = False
    for stored in _stored(source):
        told = told or stored.told
        if not stored.name.lower().endswith(_JSON):
            others += 1
            _read_through(stored)
        elif scrub(stored.name, _read(stored)) is not None:
            changed += 1
    return ScrubbedArchive(members=changed, packer_told=told, not_cleaned=others)


def _member(stored: _Stored, scrub: ScrubMember) -> Member:
    if stored.name.lower().endswith(_JSON):
        raw = _read(stored)
        content = scrub(stored.name, raw)
        held = raw if content is None else content
        return Member(name=stored.name, size=len(held), chunks=lambda: iter((held,)))
    return Member(name=stored.name, size=stored.size, chunks=lambda: _chunks(stored))


def _chunks(stored: _Stored) -> Iterator[bytes]:
    with stored.open() as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk


def _read_through(stored: _Stored) -> None:
    """Read a file to its end, so that damage is found before anything is written."""
    for _ in _chunks(stored):
        pass


def _read(stored: _Stored) -> bytes:
    if stored.size > LARGEST_JSON:
        raise ArchiveError(f"a JSON file in it is larger than {LARGEST_JSON >> 20} MB")
    with stored.open() as stream:
        return stream.read(LARGEST_JSON)


def _stored(source: Path) -> Iterator[_Stored]:
    """Yield the files in an archive.

    Raises
    ------
    ArchiveError
        If they are far more than the archive, or one is neither a file nor a folder.
    """
    most = max(_HARMLESS_BYTES, _HIGHEST_RATIO * source.stat().st_size)
    total = 0
    found = _zipped(source) if source.name.lower().endswith(_ZIP) else _tarred(source)
    for count, stored in enumerate(found, start=1):
        total += stored.size
        if count > _MOST_MEMBERS or total > most:
            raise ArchiveError("it unpacks to far more than it is")
        yield stored


def _zipped(source: Path) -> Iterator[_Stored]:
    with zipfile.ZipFile(source) as packed:
        for info in packed.infolist():
            if info.flag_bits & _ENCRYPTED:
                raise ArchiveError("it is encrypted")
            told = info.date_time != _EARLIEST or bool(info.comment or packed.comment)
            told = told or _has_telling_field(info.extra)
            if not info.is_dir():
                yield _Stored(
                    name=info.filename,
                    size=info.file_size,
                    told=told,
                    open=lambda info=info: packed.open(info),  # type: ignore[misc]
                )


def _has_telling_field(extra: bytes) -> bool:
    """Tell whether fields are there beside that of large sizes: times, owners, names."""
    while len(extra) >= _FIELD.size:
        kind, size = _FIELD.unpack_from(extra)
        if kind != _LARGE_SIZES:
            return True
        extra = extra[_FIELD.size + size :]
    return bool(extra)


def _tarred(source: Path) -> Iterator[_Stored]:
    with tarfile.open(source, "r:*", tarinfo=CarefulTarInfo) as tar:
        for info in tar:
            if info.isdir():
                continue
            if not info.isfile():
                raise ArchiveError("it holds links or devices")
            owned = bool(info.uname or info.gname or info.uid or info.gid or info.mtime)
            yield _Stored(
                name=info.name,
                size=info.size,
                told=owned or not _HARMLESS_HEADERS.issuperset(info.pax_headers),
                open=lambda info=info: cast("IO[bytes]", tar.extractfile(info)),  # type: ignore[misc]
            )


@contextlib.contextmanager
def _damage_as_archive_error() -> Iterator[None]:
    try:
        yield
    except (ArchiveError, SidecarError):
        raise
    except _DAMAGED as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk, not the archive
        raise ArchiveError("it is damaged, or packed in a way that cannot be read") from error
