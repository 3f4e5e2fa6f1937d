"""A DICOM file on a disk, read by itself, and the text of what it says at its top level."""

from __future__ import annotations

from pathlib import Path

from bidsanon.dicom.charset import character_set, decode_text
from bidsanon.dicom.file_format import DicomFile, read_file
from bidsanon.dicom.parsing import BEYOND_ALL_TAGS
from bidsanon.files import content_of


def read_path(path: Path, *, until: int = BEYOND_ALL_TAGS) -> DicomFile:
    """Read a file; what of a large one nobody looks at is not read from the disk.

    Parameters
    ----------
    path
        The file.
    until
        The first tag at the top level that is not wanted: see
        :func:`~bidsanon.dicom.file_format.read_file`.

    Raises
    ------
    NotUnderstoodError
        If that much of it cannot be understood.
    OSError
        If it cannot be read.
    """
    with path.open("rb", buffering=0) as stream:
        return read_file(content_of(stream), until=until)


def text_of(file: DicomFile, tag: int) -> str:
    """Return the text of a value of the top level without padding; empty where there is none."""
    return decode_text(file.value(tag), character_set(file.content, file.data_set))
