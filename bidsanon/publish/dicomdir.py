"""A medium's directory (DICOMDIR, PS3.3 annex F), written anew from the files that it lists.

The records stand in the order patient, study, series, instance, each before what is below it. An
attribute that a record needs and an instance lacks gets the value that says nothing.
"""

from __future__ import annotations

import hashlib
import itertools
import re
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from pydicom.uid import UID

from bidsanon.dicom.charset import SPECIFIC_CHARACTER_SET
from bidsanon.dicom.elements import Element
from bidsanon.dicom.encoding import EXPLICIT_LITTLE, EXPLICIT_VR_LITTLE_ENDIAN
from bidsanon.dicom.file_format import DicomFile, read_file, write_file_head
from bidsanon.dicom.writing import write_element, write_sequence

DICOMDIR = "DICOMDIR"
_MEDIA_STORAGE_DIRECTORY = b"1.2.840.10008.1.3.10"
_SOP_CLASS_UID = 0x00080016
_SOP_INSTANCE_UID = 0x00080018
_STUDY_UID = 0x0020000D
_SERIES_UID = 0x0020000E
_FIRST_RECORD = 0x00041200
_LAST_RECORD = 0x00041202
_SEQUENCE = 0x00041220
_NEXT = 0x00041400
_LOWER = 0x00041420
_INSTANCE_NUMBER = 0x00200013
_NUMBERS = {"PATIENT": 0, "STUDY": 0, "SERIES": 0x00200011}
_WHOLE_NUMBER = re.compile(r"[+-]?\d{1,12}", re.ASCII)
_ITEM_HEADER = 8
_UL, _US = 12, 10
"""How long elements of these VRs are."""
_KEYS: dict[str, tuple[tuple[int, str, bytes], ...]] = {
    "PATIENT": ((0x00100010, "PN", b""), (0x00100020, "LO", b"ANON")),
    "STUDY": (
        (0x00080020, "DA", b"19000101"),
        (0x00080030, "TM", b"000000"),
        (0x00080050, "SH", b""),
        (0x00081030, "LO", b""),
        (_STUDY_UID, "UI", b""),
        (0x00200010, "SH", b"ANON"),
    ),
    "SERIES": (
        (0x00080060, "CS", b"OT"),
        (_SERIES_UID, "UI", b""),
        (0x00200011, "IS", b"0"),
    ),
    "IMAGE": ((0x00200013, "IS", b"0"),),
    "RAW DATA": (
        (0x00080023, "DA", b"19000101"),
        (0x00080033, "TM", b"000000"),
        (0x00200013, "IS", b"0"),
    ),
}
"""The attributes of each kind of record (PS3.3 F.5), and what stands for one that is not there."""


@dataclass(kw_only=True)
class _Record:
    """One record, and those below it."""

    kind: str
    keys: list[bytes]
    number: int
    below: dict[str, _Record] = field(default_factory=dict)
    offset: int = 0

    @property
    def children(self) -> list[_Record]:
        """The records below, by their numbers."""
        return sorted(self.below.values(), key=lambda record: record.number)

    def all(self) -> Iterator[_Record]:
        yield self
        for record in self.children:
            yield from record.all()


def write_dicomdir(root: Path, files: Iterable[Path]) -> int:
    """Write a medium's directory, and return how many files it cannot list.

    It lists images and raw data; for objects of other kinds the standard wants records that are
    made of their content.

    Parameters
    ----------
    root
        The medium's folder.
    files
        The DICOM files below it, by names that a medium may have.
    """
    patients: dict[str, _Record] = {}
    instances: list[str] = []
    unlisted = 0
    for path in sorted(files):
        file = read_file(path.read_bytes())
        kind = _kind(file.ascii(_SOP_CLASS_UID))
        if not kind:
            unlisted += 1
            continue
        _enter(file, path.relative_to(root).parts, kind, patients)
        instances.append(file.ascii(_SOP_INSTANCE_UID))
    (root / DICOMDIR).write_bytes(_directory(list(patients.values()), instances))
    return unlisted


def _enter(file: DicomFile, name: Sequence[str], kind: str, patients: dict[str, _Record]) -> None:
    """Put the record of a file where it belongs, and those above it where they are not there."""
    patient = f"{file.value(0x00100020)!r} {file.value(0x00100010)!r}"
    levels = (
        ("PATIENT", patient),
        ("STUDY", file.ascii(_STUDY_UID)),
        ("SERIES", file.ascii(_SERIES_UID)),
    )
    below = patients
    for level, key in levels:
        record = below.get(key)
        if record is None:
            record = _Record(kind=level, keys=_elements(file, level), number=_number(file, level))
            below[key] = record
        below = record.below
    reference = [
        write_element(tag, vr, value, EXPLICIT_LITTLE)
        for tag, vr, value in (
            (0x00041500, "CS", "\\".join(name).encode()),
            (0x00041510, "UI", file.value(_SOP_CLASS_UID)),
            (0x00041511, "UI", file.value(_SOP_INSTANCE_UID)),
            (0x00041512, "UI", file.transfer_syntax_uid.encode()),
        )
    ]
    below["/".join(name)] = _Record(
        kind=kind, keys=[*reference, *_elements(file, kind)], number=_number(file, kind)
    )


def _elements(file: DicomFile, kind: str) -> list[bytes]:
    """Write the attributes of a record, with the character set that their texts need."""
    values = [(tag, vr, file.value(tag) or otherwise) for tag, vr, otherwise in _KEYS[kind]]
    character_set = file.value(SPECIFIC_CHARACTER_SET)
    needed = any(not value.isascii() or b"\x1b" in value for _, _, value in values)
    if needed and character_set:
        values.insert(0, (SPECIFIC_CHARACTER_SET, "CS", character_set))
    return [write_element(tag, vr, value, EXPLICIT_LITTLE) for tag, vr, value in values]


def _number(file: DicomFile, kind: str) -> int:
    """Return by which number records of a kind stand in order; 0 where the file does not say."""
    tag = _NUMBERS.get(kind, _INSTANCE_NUMBER)
    text = file.ascii(tag) if tag else ""
    return int(text) if _WHOLE_NUMBER.fullmatch(text) else 0


def _directory(patients: Sequence[_Record], instances: Iterable[str]) -> bytes:
    digest = hashlib.sha256("\0".join(sorted(instances)).encode()).digest()
    head = write_file_head(
        sop_class_uid=_MEDIA_STORAGE_DIRECTORY,
        sop_instance_uid=f"2.25.{int.from_bytes(digest[:16])}".encode(),
        transfer_syntax_uid=EXPLICIT_VR_LITTLE_ENDIAN,
    )
    file_set_id = write_element(0x00041130, "CS", b"", EXPLICIT_LITTLE)
    sequence_header = 12
    position = len(head) + len(file_set_id) + 2 * _UL + _US + sequence_header
    records = [record for patient in patients for record in patient.all()]
    for record in records:
        record.offset = position
        position += _ITEM_HEADER + len(_item(record, 0))
    following = dict(_following(patients))
    items = [(_item(record, following.get(record.offset, 0)), False) for record in records]
    ends = (patients[0].offset, patients[-1].offset) if patients else (0, 0)
    return b"".join(
        (
            head,
            file_set_id,
            write_element(_FIRST_RECORD, "UL", struct.pack("<L", ends[0]), EXPLICIT_LITTLE),
            write_element(_LAST_RECORD, "UL", struct.pack("<L", ends[1]), EXPLICIT_LITTLE),
            write_element(0x00041212, "US", b"\0\0", EXPLICIT_LITTLE),
            write_sequence(Element(_SEQUENCE, "SQ", 0, 0, 0, 0), items, EXPLICIT_LITTLE),
        )
    )


def _item(record: _Record, following: int) -> bytes:
    lower = next((below.offset for below in record.children), 0)
    return b"".join(
        (
            write_element(_NEXT, "UL", struct.pack("<L", following), EXPLICIT_LITTLE),
            write_element(0x00041410, "US", b"\xff\xff", EXPLICIT_LITTLE),
            write_element(_LOWER, "UL", struct.pack("<L", lower), EXPLICIT_LITTLE),
            write_element(0x00041430, "CS", record.kind.encode(), EXPLICIT_LITTLE),
            *record.keys,
        )
    )


def _following(siblings: Sequence[_Record]) -> Iterator[tuple[int, int]]:
    """Yield where each record stands, and where the next one of its level does."""
    for record, after in itertools.pairwise(siblings):
        yield record.offset, after.offset
    for record in siblings:
        yield from _following(record.children)


@cache
def _kind(sop_class_uid: str) -> str:
    """Return the kind of record of a SOP class; empty where its record is not written here."""
    name = UID(sop_class_uid).name
    if "Presentation State" in name:
        return ""
    if "Image Storage" in name:
        return "IMAGE"
    return "RAW DATA" if name == "Raw Data Storage" else ""
