"""DICOM files (PS3.10): the preamble, the file meta information, and the data set behind them.

Files are read that have neither, that say of their data set what is not so, or that were cut off.
"""

from __future__ import annotations

import re
import struct
import zlib
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

from bidsanon.dicom.elements import DataSet, Element, Known, by_tag
from bidsanon.dicom.encoding import (
    DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    EXPLICIT_VR_BIG_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_LITTLE,
    IMPLICIT_VR_LITTLE_ENDIAN,
    TAG_LENGTH,
    TAG_VR_LENGTH,
    TAG_VR_LONG_LENGTH,
    Encoding,
    NotUnderstoodError,
)
from bidsanon.dicom.parsing import (
    BEYOND_ALL_TAGS,
    has_vr,
    read_data_set,
    read_whole_elements,
)
from bidsanon.dicom.vrs import LONG_VRS, SHORT_VRS
from bidsanon.dicom.writing import write_element

IMPLEMENTATION_CLASS_UID = "2.25.199317352209716245172146917431385474261"
IMPLEMENTATION_VERSION_NAME = "BIDSANON"

_STANDARD_TRANSFER_SYNTAX = re.compile(r"1\.2\.840\.10008\.1\.2(\.\d{1,3}){1,3}")
_GE_PRIVATE_IMPLICIT = "1.2.840.113619.5.2"
_TRANSFER_SYNTAX_UID = 0x00020010
_NATIVE = {
    IMPLICIT_VR_LITTLE_ENDIAN: IMPLICIT_LITTLE,
    EXPLICIT_VR_LITTLE_ENDIAN: EXPLICIT_LITTLE,
    EXPLICIT_VR_BIG_ENDIAN: EXPLICIT_BIG,
}
_NATIVE_UID = {encoding: uid for uid, encoding in _NATIVE.items()}

_LONGEST_INFLATED = 1 << 32
_HARMLESS_INFLATED = 1 << 28
_HIGHEST_RATIO = 100
_LONGEST_BEGINNING = 1 << 24
_INFLATED_AT_ONCE = 1 << 12


@dataclass(frozen=True, kw_only=True)
class DicomFile:
    """One DICOM file.

    Attributes
    ----------
    content
        The bytes in which the elements of `data_set` lie (inflated where they were deflated).
    data_set
        All elements but the file meta information.
    transfer_syntax_uid
        (0002,0010), or what the bytes show where the file does not say, or says it wrongly.
    meta
        The values of group 0002 by tag.
    """

    content: bytes
    data_set: DataSet
    transfer_syntax_uid: str
    meta: dict[int, bytes]

    @cached_property
    def top(self) -> dict[int, Element]:
        """The elements of the top level by tag; of several with one tag, the first."""
        backwards = self.data_set.elements[::-1]
        return dict(zip(map(by_tag, backwards), backwards, strict=True))

    def groups(self, first: int) -> list[int]:
        """Return the groups at the top level, from one on."""
        elements = self.data_set.elements
        later = elements[bisect_left(elements, (first << 16,)) :]
        return sorted({element.tag >> 16 for element in later})

    def value(self, tag: int) -> bytes:
        """Return a value of the top level without padding; empty where there is none."""
        element = self.top.get(tag)
        return self.content[element.body : element.end].strip(b" \0") if element else b""

    def ascii(self, tag: int) -> str:
        """Return a value of the top level that is made of ASCII: a UID, a date, a code."""
        return self.value(tag).decode("ascii", "replace")


def read_file(
    content: bytes, *, known: Known | None = None, until: int = BEYOND_ALL_TAGS
) -> DicomFile:
    """Read a DICOM file of any transfer syntax, with or without preamble and file meta.

    Parameters
    ----------
    content
        The file.
    known
        What was learnt from the files read before, and learns from this one. It makes reading
        faster, and nothing else.
    until
        The first tag at the top level that is not wanted: what stands there and behind it is not
        looked at.

    Raises
    ------
    NotUnderstoodError
        If any of it cannot be understood.
    """
    start = 132 if content[128:132] == b"DICM" else 0
    try:
        meta, start = _read_meta(content, start)
    except struct.error as error:
        raise NotUnderstoodError("it ends within its file meta information") from error
    stated = meta.get(_TRANSFER_SYNTAX_UID, b"").strip(b" \0").decode("ascii", "replace")
    if stated == DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN:
        content, start = _inflate(content[start:]), 0
    first_trouble = None
    for uid, encoding in _ways_to_read(content, start, stated):
        try:
            data_set = read_data_set(content, start, encoding, known=known, until=until)
        except NotUnderstoodError as error:
            first_trouble = first_trouble or error
            continue
        return DicomFile(content=content, data_set=data_set, transfer_syntax_uid=uid, meta=meta)
    raise first_trouble or NotUnderstoodError("it holds no data set")


def read_beginning(content: bytes) -> DicomFile:
    """Read a damaged file as far as it can be understood: the elements before the first trouble.

    Whose it is stands before its pixel data, where most damaged files end. Nothing of it may be
    passed on.

    Raises
    ------
    NotUnderstoodError
        If not even one element can be.
    """
    start = 132 if content[128:132] == b"DICM" else 0
    meta: dict[int, bytes] = {}
    with suppress(NotUnderstoodError, struct.error):
        meta, start = _read_meta(content, start)
    stated = meta.get(_TRANSFER_SYNTAX_UID, b"").strip(b" \0").decode("ascii", "replace")
    if stated == DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN:
        content, start = _inflate_beginning(content[start:]), 0
    longest = None
    for uid, encoding in _ways_to_read(content, start, stated):
        whole = read_whole_elements(content, start, encoding)
        if whole and (longest is None or len(whole) > len(longest.data_set.elements)):
            data_set = DataSet(whole, encoding)
            longest = DicomFile(
                content=content, data_set=data_set, transfer_syntax_uid=uid, meta=meta
            )
    if longest is None:
        raise NotUnderstoodError("nothing of it can be understood")
    return longest


def write_file_head(
    *, sop_class_uid: bytes, sop_instance_uid: bytes, transfer_syntax_uid: str
) -> bytes:
    """Write an empty preamble and the file meta information that PS3.10 7.1 requires."""
    values = (
        (0x00020001, "OB", b"\x00\x01"),
        (0x00020002, "UI", sop_class_uid),
        (0x00020003, "UI", sop_instance_uid),
        (_TRANSFER_SYNTAX_UID, "UI", transfer_syntax_uid.encode()),
        (0x00020012, "UI", IMPLEMENTATION_CLASS_UID.encode()),
        (0x00020013, "SH", IMPLEMENTATION_VERSION_NAME.encode()),
    )
    body = b"".join(write_element(tag, vr, value, EXPLICIT_LITTLE) for tag, vr, value in values)
    length = write_element(0x00020000, "UL", struct.pack("<L", len(body)), EXPLICIT_LITTLE)
    return bytes(128) + b"DICM" + length + body


def deflate(data_set: bytes) -> bytes:
    """Compress a data set for the deflated transfer syntax (PS3.5 A.5)."""
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    deflated = compressor.compress(data_set) + compressor.flush()
    return deflated + b"\0" * (len(deflated) & 1)


def _read_meta(content: bytes, position: int) -> tuple[dict[int, bytes], int]:
    values = {}
    while content[position : position + 2] == b"\x02\x00":
        _, number, code, length = TAG_VR_LENGTH[True].unpack_from(content, position)
        body = position + 8
        if code in LONG_VRS or code not in SHORT_VRS:
            *_, length = TAG_VR_LONG_LENGTH[True].unpack_from(content, position)
            body = position + 12
        if code not in LONG_VRS and code not in SHORT_VRS:
            _, _, length = TAG_LENGTH[True].unpack_from(content, position)
            body = position + 8
        position = body + length
        if position > len(content):
            raise NotUnderstoodError("it ends within its file meta information")
        values[0x00020000 | number] = content[body:position]
    return values, position


def _ways_to_read(content: bytes, start: int, stated: str) -> Iterator[tuple[str, Encoding]]:
    if start >= len(content):
        return
    shown = _shown(content, start)
    if stated in ("", *_NATIVE):
        if stated:
            yield stated, _NATIVE[stated]
        if shown != _NATIVE.get(stated):
            yield _NATIVE_UID[shown], shown
    elif stated == _GE_PRIVATE_IMPLICIT:
        yield stated, IMPLICIT_LITTLE
    elif _STANDARD_TRANSFER_SYNTAX.fullmatch(stated):
        yield stated, EXPLICIT_LITTLE
    else:
        raise NotUnderstoodError("its transfer syntax is not known")


def _shown(content: bytes, start: int) -> Encoding:
    if not has_vr(content, start):
        return IMPLICIT_LITTLE
    high_byte_first = content[start] == 0 and content[start + 1] != 0
    return EXPLICIT_BIG if high_byte_first else EXPLICIT_LITTLE


def _inflate(content: bytes) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflated = inflater.decompress(content, _longest_inflated(len(content)))
    except zlib.error as error:
        raise NotUnderstoodError("its deflated data set cannot be inflated") from error
    if not inflater.eof:
        raise NotUnderstoodError("its deflated data set does not end")
    return inflated


def _longest_inflated(deflated: int) -> int:
    """Return how long a deflated data set may become before it counts as a bomb."""
    return min(_LONGEST_INFLATED, max(_HARMLESS_INFLATED, _HIGHEST_RATIO * deflated))


def _inflate_beginning(content: bytes) -> bytes:
    inflated = b""
    with suppress(zlib.error):
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        for begin in range(0, len(content), _INFLATED_AT_ONCE):
            part = content[begin : begin + _INFLATED_AT_ONCE]
            inflated += inflater.decompress(part, _LONGEST_BEGINNING - len(inflated))
            if len(inflated) >= _LONGEST_BEGINNING:
                break
    return inflated
