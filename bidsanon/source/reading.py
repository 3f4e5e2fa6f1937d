"""Reads what the files of the source turn out to be: DICOM, compressed DICOM, or something else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from bidsanon.dicom.passages import Passages
from bidsanon.progress import Progress
from bidsanon.source.archive import (
    DamagedArchiveError,
    Packing,
    gzip_prefix,
    packing_of,
    unpack_gzip,
)
from bidsanon.source.header import (
    MEDIA_STORAGE_DIRECTORY,
    Header,
    may_be_dicom,
    read_header,
    says_dicom,
)
from bidsanon.source.medium import references
from bidsanon.source.walk import FoundFile, SourceFiles

_DICOM_SUFFIXES = (".dcm", ".ima", ".dicom", ".dcm.gz", ".ima.gz", ".dicom.gz")
_APPLE_DOUBLE = b"\x00\x05\x16\x07"
_TAR = b"ustar"
_PREFIX = 265


@dataclass(frozen=True, kw_only=True, slots=True)
class Readable:
    """A DICOM file of which something could be read."""

    path: Path
    header: Header


@dataclass(kw_only=True)
class Reading:
    """What the files turned out to be.

    Attributes
    ----------
    files
        DICOM, in the order in which it was found.
    unreadable
        Files that were meant to be DICOM and of which nothing can be read.
    other_files
        How many files are no DICOM.
    archives
        How many of these are archives: they are not opened.
    dangling
        How many references of DICOMDIRs lead to nothing.
    roots
        The folders in which the files are, those of unpacked ones included.
    unpacked
        The file of which each folder or file was unpacked.
    known
        The passages that files have in common.
    """

    files: list[Readable] = field(default_factory=list)
    unreadable: list[Path] = field(default_factory=list)
    other_files: int = 0
    archives: int = 0
    dangling: int = 0
    roots: list[Path] = field(default_factory=list)
    unpacked: dict[Path, Path] = field(default_factory=dict)
    known: Passages = field(default_factory=Passages, repr=False)


def read_files(found: SourceFiles, *, unpack_into: Path, progress: Progress) -> Reading:
    """Read the header of each file once. Files that cannot be read are counted in `found`.

    Parameters
    ----------
    found
        The files.
    unpack_into
        Where a private folder is made for compressed files.
    progress
        Who listens.
    """
    reading = Reading(
        roots=list(found.roots), unpacked=dict(found.unpacked), other_files=found.special
    )
    blank: list[Path] = []
    with progress.step("reading headers", total=len(found.files)) as step:
        for file in found.files:
            try:
                _read_one(file, reading, blank, unpack_into)
            except OSError:
                found.unread[file.number] += 1
            step.advance()
    _place_blank(blank, reading)
    return reading


def _read_one(file: FoundFile, reading: Reading, blank: list[Path], unpack_into: Path) -> None:
    header = read_header(file.path, known=reading.known)
    if header is None:
        _read_packed(file, reading, blank, unpack_into)
        return
    reading.files.append(Readable(path=file.path, header=header))
    if header.sop_class_uid == MEDIA_STORAGE_DIRECTORY:
        reading.dangling += references(file.path).dangling


def _read_packed(file: FoundFile, reading: Reading, blank: list[Path], unpack_into: Path) -> None:
    """Read a file that is no DICOM as it is: compressed DICOM, an archive, or something else."""
    path = file.path
    packing = packing_of(path)
    inside = gzip_prefix(path, _PREFIX) if packing is Packing.GZIP else b""
    if may_be_dicom(inside) and _read_compressed(file, reading, unpack_into):
        return
    with path.open("rb") as stream:
        prefix = stream.read(_PREFIX)
    if says_dicom(inside) or (_is_named_dicom(path) and not prefix.startswith(_APPLE_DOUBLE)):
        reading.unreadable.append(path)
    elif not prefix.strip(b"\0"):
        blank.append(path)
    else:
        reading.other_files += 1
        reading.archives += inside[257:262] == _TAR or packing not in {None, Packing.GZIP}


def _read_compressed(file: FoundFile, reading: Reading, unpack_into: Path) -> bool:
    """Read a gzip file that seems to hold DICOM; dcm2niix cannot, so a copy is unpacked."""
    root = unpack_into / f"source-{file.number}-compressed"
    copy = root / f"{len(reading.files) + 1:06d}" / file.path.stem
    try:
        unpack_gzip(file.path, copy, place=f"a compressed file of SOURCE number {file.number}")
    except DamagedArchiveError:
        return False
    header = read_header(copy)
    if header is None:
        copy.unlink()
        return False
    reading.files.append(Readable(path=copy, header=header))
    reading.unpacked[copy] = file.path
    if root not in reading.roots:
        reading.roots.append(root)
    return True


def _is_named_dicom(path: Path) -> bool:
    return path.name.lower().endswith(_DICOM_SUFFIXES)


def _place_blank(blank: Iterable[Path], reading: Reading) -> None:
    """Take files without content for failed copies where DICOM of the same kind of name lies."""
    neighbours = {(file.path.parent, file.path.suffix) for file in reading.files}
    for path in blank:
        if (path.parent, path.suffix) in neighbours:
            reading.unreadable.append(path)
        else:
            reading.other_files += 1
