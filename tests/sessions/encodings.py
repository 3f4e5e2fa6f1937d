"""The same T1w, written in the ways that a parser must cope with."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from pydicom import Dataset, dcmread
from pydicom.dataelem import DataElement
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian

from bidsanon.demo.person import MARA, Person
from sessions.siemens import siemens_t1w, t1w_slices
from sessions.writing import write_series

_ITEM = b"\xfe\xff\x00\xe0"
_SEQUENCE_END = b"\xfe\xff\xdd\xe0\0\0\0\0"
_PREAMBLE_BYTES = 128


def implicit_vr(folder: Path, *, person: Person = MARA) -> list[Path]:
    """In Implicit VR Little Endian, in which a file does not say what its elements are."""
    return write_series(folder, t1w_slices(person), transfer_syntax=ImplicitVRLittleEndian)


def big_endian(folder: Path, *, person: Person = MARA) -> list[Path]:
    """In the retired Explicit VR Big Endian."""
    slices = t1w_slices(person)
    for dataset in slices:
        pixels = np.frombuffer(dataset.PixelData, dtype="<u2")
        dataset.PixelData = pixels.astype(">u2").tobytes()
    return write_series(folder, slices, transfer_syntax=ExplicitVRBigEndian)


def un_encoded_sequence(folder: Path, *, person: Person = MARA) -> list[Path]:
    """With names in sequences that an earlier system, not knowing them, wrote as UN.

    (0008,1140) has a defined length; the private (0031,1002) an undefined one.
    """
    named = Dataset()
    named.PatientName = person.name
    named.InstitutionName = person.institution
    item = _implicit_item(named)
    slices = t1w_slices(person)
    for dataset in slices:
        dataset[0x00081140] = DataElement(0x00081140, "OB", item)
        block = dataset.private_block(0x0031, "ALDWYN SLEEP COHORT")
        block.add_new(0x02, "OB", item + _SEQUENCE_END)
    paths = write_series(folder, slices)
    length = struct.pack("<I", len(item + _SEQUENCE_END))
    for path in paths:
        content = path.read_bytes()
        content = content.replace(b"\x08\x00\x40\x11OB", b"\x08\x00\x40\x11UN")
        content = content.replace(
            b"\x31\x00\x02\x10OB\0\0" + length, b"\x31\x00\x02\x10UN\0\0\xff\xff\xff\xff"
        )
        path.write_bytes(content)
    return paths


def japanese_name(folder: Path, *, person: Person = MARA) -> list[Path]:
    """With the name in three scripts, in ISO 2022."""
    slices = t1w_slices(person)
    for dataset in slices:
        dataset.SpecificCharacterSet = ["", "ISO 2022 IR 87"]
        dataset.PatientName = "Yamada^Tarou=山田^太郎=やまだ^たろう"
    return write_series(folder, slices)


def preamble_and_ae_titles(folder: Path, *, person: Person = MARA) -> list[Path]:
    """With the person's name in the preamble, and the station's in the file meta."""
    paths = siemens_t1w(folder, person=person)
    note = f"exported for {person.family_name}".encode().ljust(_PREAMBLE_BYTES, b"\0")
    for path in paths:
        dataset = dcmread(path)
        dataset.file_meta.SourceApplicationEntityTitle = person.station
        dataset.file_meta.PrivateInformationCreatorUID = person.uid("export")
        dataset.file_meta.PrivateInformation = person.patient_id.encode()
        dataset.preamble = note
        dataset.save_as(path, enforce_file_format=True)
    return paths


def _implicit_item(dataset: Dataset) -> bytes:
    buffer = DicomBytesIO()
    buffer.is_little_endian = True
    buffer.is_implicit_VR = True
    write_dataset(buffer, dataset)
    content = buffer.getvalue()
    return _ITEM + struct.pack("<I", len(content)) + content
