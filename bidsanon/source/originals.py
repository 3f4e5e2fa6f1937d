"""Every DICOM file of a source, whatever it is of: for who asks what a source says, not what it is.

A session is one person's images; this is anything from which something about somebody can be read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bidsanon.errors import SourceError
from bidsanon.progress import Progress
from bidsanon.source.reading import read_files
from bidsanon.source.walk import collect_files


@dataclass(frozen=True, kw_only=True)
class Originals:
    """The DICOM files of a source. Identified.

    Attributes
    ----------
    files
        In the order in which they were found; those of which little can be read too.
    names
        Every name that the user gave or that lies below it.
    other_files
        How many files are no DICOM: what they say is not known.
    """

    files: tuple[Path, ...]
    names: tuple[str, ...]
    other_files: int


def find_originals(sources: Sequence[Path], *, unpack_into: Path, progress: Progress) -> Originals:
    """Find the DICOM files of a source, of one person or of many.

    Parameters
    ----------
    sources
        Folders, archives, DICOMDIRs and single files, as the user gave them.
    unpack_into
        Where private folders are made for what is unpacked.
    progress
        Who listens.

    Raises
    ------
    UsageError
        If a SOURCE is not there.
    SourceError
        If something in the source cannot be read, an archive is refused, or there is no DICOM.
    """
    found = collect_files(sources, unpack_into=unpack_into)
    reading = read_files(found, unpack_into=unpack_into, progress=progress)
    found.require_all_read()
    files = (*(file.path for file in reading.files), *reading.unreadable)
    if not files:
        raise SourceError(
            f"there is no DICOM in the source, and {reading.other_files} file(s) of other kinds",
            cure="give the folder, archive or DICOMDIR that holds the scanner's files",
        )
    return Originals(files=files, names=tuple(sorted(found.names)), other_files=reading.other_files)
