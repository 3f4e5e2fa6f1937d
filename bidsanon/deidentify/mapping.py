"""Who became whom in one session, read from the originals and from their copies."""

from __future__ import annotations

from pathlib import Path

from bidsanon.audit import MapEntry
from bidsanon.dicom.file_format import DicomFile
from bidsanon.dicom.reading import read_path, text_of
from bidsanon.session import DeidentifiedSession

_PATIENT_ID = 0x00100020
_PATIENT_NAME = 0x00100010
_STUDY_UID = 0x0020000D
_STUDY_DATE = 0x00080020


def map_entries(deidentified: DeidentifiedSession) -> tuple[MapEntry, ...]:
    """Return one entry for each study of a session, whatever its profile keeps. Identified.

    Parameters
    ----------
    deidentified
        The session, with its copies where the de-identification put them.
    """
    entries = set()
    for series in deidentified.series:
        if series.files:
            # A copy is called by its place among the originals, some of which may be lost.
            copy = series.files[0]
            original = series.source.instances[int(copy.stem) - 1].path
            entries.add(map_entry(original, copy))
    return tuple(sorted(entries))


def map_entry(original: Path, copy: Path) -> MapEntry:
    """Return the entry of one file and the copy that was made of it. Identified."""
    before, after = read_path(original), read_path(copy)
    return MapEntry(
        original_id=_text(before, _PATIENT_ID),
        original_name=_text(before, _PATIENT_NAME),
        new_id=_text(after, _PATIENT_ID),
        new_name=_text(after, _PATIENT_NAME),
        original_study_uid=_text(before, _STUDY_UID),
        new_study_uid=_text(after, _STUDY_UID),
        original_study_date=_text(before, _STUDY_DATE),
        new_study_date=_text(after, _STUDY_DATE),
    )


def _text(file: DicomFile, tag: int) -> str:
    return text_of(file, tag).strip(" \0")
