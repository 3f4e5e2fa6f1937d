"""What one file of the source says about itself: whose it is, what it is, and whether it is whole.

A file is known as DICOM by its content. One that can be read to its last byte is read by the same
parser as de-identification uses, so that what passes here is understood there. What is left of a
damaged file is read leniently: it must still be said whose it was, and which series lacks it.
"""

from __future__ import annotations

import contextlib
import io
import re
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.filereader import read_partial
from pydicom.tag import BaseTag

from bidsanon.dicom.charset import decode_text
from bidsanon.dicom.dates import DATES_AND_TIMES
from bidsanon.dicom.elements import Known
from bidsanon.dicom.encoding import UNDEFINED, NotUnderstoodError
from bidsanon.dicom.file_format import DicomFile, read_file
from bidsanon.dicom.pixel_data import FORM, PHOTOMETRIC, PixelForm, pixel_form
from bidsanon.dicom.quiet import quiet_pydicom
from bidsanon.files import content_of
from bidsanon.source.person import Patient

MEDIA_STORAGE_DIRECTORY = "1.2.840.10008.1.3.10"

_PREFIX = 132
_MAGIC = b"DICM"
_FIRST_GROUPS = (b"\x02\x00", b"\x08\x00", b"\x00\x02", b"\x00\x08")
_PIXEL_DATA = (0x7FE00008, 0x7FE00009, 0x7FE00010)
_UID = re.compile(r"[0-2](\.\d+)+", re.ASCII)
_PADDING = " \0\t\r\n"

_CHARACTER_SET = 0x00080005
_IMAGE_TYPE = 0x00080008
_SOP_CLASS_UID = 0x00080016
_SOP_INSTANCE_UID = 0x00080018
_STUDY_DATE = 0x00080020
_ACQUISITION_DATETIME = 0x0008002A
_MODALITY = 0x00080060
_CONVERSION_TYPE = 0x00080064
_SERIES_DESCRIPTION = 0x0008103E
_PATIENT_NAME = 0x00100010
_PATIENT_ID = 0x00100020
_ISSUER = 0x00100021
_BIRTH_DATE = 0x00100030
_CAPTURED_BY = (0x00181012, 0x00181016, 0x00181018, 0x00181019)
"""Date of Secondary Capture; its device's manufacturer, model and software."""
_PROTOCOL_NAME = 0x00181030
_STUDY_UID = 0x0020000D
_SERIES_UID = 0x0020000E
_SERIES_NUMBER = 0x00200011
_INSTANCE_NUMBER = 0x00200013
_BURNED_IN = 0x00280301
_WANTED = frozenset(
    {
        *(tag for pair in DATES_AND_TIMES for tag in pair),
        *(_CHARACTER_SET, _IMAGE_TYPE, _SOP_CLASS_UID, _SOP_INSTANCE_UID, _ACQUISITION_DATETIME),
        *(_MODALITY, _CONVERSION_TYPE, _SERIES_DESCRIPTION, _PATIENT_NAME, _PATIENT_ID, _ISSUER),
        *(_BIRTH_DATE, _PROTOCOL_NAME, _STUDY_UID, _SERIES_UID, _SERIES_NUMBER, _INSTANCE_NUMBER),
        *(_BURNED_IN, *_CAPTURED_BY, *FORM),
    }
)
_META_SOP_CLASS_UID = 0x00020002
_META_TRANSFER_SYNTAX_UID = 0x00020010

_LENIENT_ERRORS = (
    ArithmeticError,
    AttributeError,
    BytesLengthException,
    InvalidDicomError,
    LookupError,
    NotImplementedError,
    OSError,
    TypeError,
    ValueError,
    EOFError,
    struct.error,
    zlib.error,
    RecursionError,
)
"""What pydicom raises on damaged files (found by mutating real ones)."""


class Soundness(Enum):
    """How far a file can be read."""

    WHOLE = "whole"
    """To its last byte, and its pixel data are as long as its header says."""
    WITHOUT_PIXELS = "without pixels"
    """To its last byte, and it holds no pixel data: a document, or an image that lost them."""
    ENDS_EARLY = "ends early"
    """It ends before its pixel data do."""
    NOT_UNDERSTOOD = "not understood"
    """Something in it follows no encoding of PS3.5."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Header:
    """What a file says about itself. Identified.

    Attributes
    ----------
    start
        When it was acquired, ``YYYYMMDDHHMMSS.FFFFFF`` as far as it says; else empty.
    captured
        Whether it says when, or by what, it was captured from a screen or a film.
    photometric
        (0028,0004).
    form
        How its pixel data are written.
    patient
        Who it says it is of.
    """

    soundness: Soundness
    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    study_uid: str
    series_uid: str
    modality: str
    image_type: tuple[str, ...]
    conversion_type: str
    burned_in: str
    description: str
    study_date: str
    start: str
    series_number: int | None
    instance_number: int | None
    captured: bool
    photometric: str
    form: PixelForm
    patient: Patient


def read_header(path: Path, *, known: Known | None = None) -> Header | None:
    """Read what a file says about itself; None if it is no DICOM.

    Parameters
    ----------
    path
        The file.
    known
        What was learnt from the files read before: it makes reading faster.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    with path.open("rb") as stream:
        prefix = stream.read(_PREFIX)
        if not may_be_dicom(prefix):
            return None
        content = content_of(stream)
    try:
        file = read_file(content, known=known)
    except NotUnderstoodError:
        return _read_what_is_left(content)
    values = file.data_set.values(file.content, _WANTED)
    if not says_dicom(prefix) and not _UID.fullmatch(_text(values, _SOP_CLASS_UID)):
        return None
    return _header(
        values,
        soundness=_soundness(file, values),
        little_endian=file.data_set.encoding.little_endian,
        sop_class_uid=file.meta.get(_META_SOP_CLASS_UID, b""),
        transfer_syntax_uid=file.transfer_syntax_uid,
    )


def says_dicom(prefix: bytes) -> bool:
    """Tell whether a file's first bytes claim that it is DICOM (PS3.10 7.1)."""
    return prefix[128:_PREFIX] == _MAGIC


def may_be_dicom(prefix: bytes) -> bool:
    """Tell whether a file that begins so is DICOM, or a data set without its file meta."""
    return says_dicom(prefix) or prefix.startswith(_FIRST_GROUPS)


def _soundness(file: DicomFile, values: Mapping[int, bytes]) -> Soundness:
    """Compare the pixel data's length with what rows, columns, samples and frames ask for."""
    found = [e for tag in _PIXEL_DATA if (e := file.data_set.find(tag))]
    if not found:
        return Soundness.WITHOUT_PIXELS
    element = found[0]
    needed = 1  # fragments, of which the parser has seen the end
    if element.after == element.end:
        needed = pixel_form(values, little_endian=file.data_set.encoding.little_endian).length
    return Soundness.WHOLE if element.end - element.body >= needed else Soundness.ENDS_EARLY


def _read_what_is_left(content: bytes) -> Header | None:
    """Read a damaged file as far as it goes; None if it does not even say that it is DICOM."""
    pixel_length: list[int] = []

    def at_pixel_data(tag: BaseTag, vr: str | None, length: int) -> bool:  # noqa: ARG001
        if tag in _PIXEL_DATA:
            pixel_length.append(length)
        return tag in _PIXEL_DATA

    stream = io.BytesIO(content)
    values: dict[int, bytes] = {}
    meta: Mapping[int, bytes] = {}
    little_endian = True
    with quiet_pydicom(), contextlib.suppress(*_LENIENT_ERRORS):
        data_set = read_partial(stream, at_pixel_data, force=True, specific_tags=sorted(_WANTED))
        values = _raw_values(data_set)
        meta = _raw_values(data_set.file_meta)
        little_endian = data_set.original_encoding[1] is not False
    if not says_dicom(content[:_PREFIX]) and not _UID.fullmatch(_text(values, _SOP_CLASS_UID)):
        return None
    return _header(
        values,
        soundness=_what_is_wrong(content, stream, pixel_length),
        little_endian=little_endian,
        sop_class_uid=meta.get(_META_SOP_CLASS_UID, b""),
        transfer_syntax_uid=_clean(meta.get(_META_TRANSFER_SYNTAX_UID, b"")),
    )


def _what_is_wrong(content: bytes, stream: BinaryIO, pixel_length: list[int]) -> Soundness:
    if not pixel_length:
        return Soundness.ENDS_EARLY if stream.tell() >= len(content) else Soundness.NOT_UNDERSTOOD
    if pixel_length[0] == UNDEFINED or stream.tell() + pixel_length[0] > len(content):
        return Soundness.ENDS_EARLY
    return Soundness.NOT_UNDERSTOOD


def _raw_values(data_set: Dataset) -> dict[int, bytes]:
    """Take the undecoded values out of a data set that pydicom has read."""
    raw = {tag: data_set.get_item(tag).value for tag in data_set.keys()}  # noqa: SIM118 (no dict)
    return {int(tag): value for tag, value in raw.items() if isinstance(value, bytes)}


def _header(
    values: Mapping[int, bytes],
    *,
    soundness: Soundness,
    little_endian: bool,
    sop_class_uid: bytes,
    transfer_syntax_uid: str,
) -> Header:
    return Header(
        soundness=soundness,
        sop_class_uid=_text(values, _SOP_CLASS_UID) or _clean(sop_class_uid),
        sop_instance_uid=_text(values, _SOP_INSTANCE_UID),
        transfer_syntax_uid=transfer_syntax_uid,
        study_uid=_text(values, _STUDY_UID),
        series_uid=_text(values, _SERIES_UID),
        modality=_text(values, _MODALITY),
        image_type=tuple(part.strip() for part in _text(values, _IMAGE_TYPE).split("\\")),
        conversion_type=_text(values, _CONVERSION_TYPE),
        burned_in=_text(values, _BURNED_IN),
        description=_text(values, _SERIES_DESCRIPTION) or _text(values, _PROTOCOL_NAME),
        study_date=_text(values, _STUDY_DATE),
        start=_start(values),
        series_number=_integer(values, _SERIES_NUMBER),
        instance_number=_integer(values, _INSTANCE_NUMBER),
        captured=any(_text(values, tag) for tag in _CAPTURED_BY),
        photometric=_text(values, PHOTOMETRIC),
        form=pixel_form(values, little_endian=little_endian),
        patient=Patient(
            id=_text(values, _PATIENT_ID),
            issuer=_text(values, _ISSUER),
            name=_text(values, _PATIENT_NAME),
            birth_date=_text(values, _BIRTH_DATE),
        ),
    )


def _start(values: Mapping[int, bytes]) -> str:
    """Return when it was acquired, from the first of the date and time pairs that is filled."""
    moment = _text(values, _ACQUISITION_DATETIME).split("+")[0].split("-")[0]
    if not moment:
        pairs = ((_text(values, day), _text(values, time)) for day, time in DATES_AND_TIMES)
        moment = next((day + time.replace(":", "") for day, time in pairs if day), "")
    whole, _, fraction = moment.replace(".", "", moment.count(".") - 1).partition(".")
    return f"{whole:0<14}.{fraction:0<6}" if whole else ""


def _text(values: Mapping[int, bytes], tag: int) -> str:
    return _clean(values.get(tag, b""), values.get(_CHARACTER_SET, b""))


@lru_cache(maxsize=1 << 12)
def _clean(value: bytes, character_set: bytes = b"") -> str:
    return decode_text(value, character_set).strip(_PADDING)


def _integer(values: Mapping[int, bytes], tag: int) -> int | None:
    """Return the first number of an IS value; None where it holds none."""
    try:
        return int(float(_text(values, tag).split("\\")[0]))
    except (ValueError, OverflowError):
        return None
