"""Items, sequences and files of DICOM written byte by byte, with lengths or without them."""

from __future__ import annotations

import struct

from bidsanon.dicom.encoding import (
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_LITTLE,
    Encoding,
)
from bidsanon.dicom.file_format import write_file_head
from bidsanon.dicom.writing import write_element

TRANSFER_SYNTAXES = {
    EXPLICIT_LITTLE: "1.2.840.10008.1.2.1",
    EXPLICIT_BIG: "1.2.840.10008.1.2.2",
    IMPLICIT_LITTLE: "1.2.840.10008.1.2",
}
_UNDEFINED = 0xFFFFFFFF


def item(body: bytes, encoding: Encoding = EXPLICIT_LITTLE, *, undefined: bool = False) -> bytes:
    mark = struct.Struct("<HHL" if encoding.little_endian else ">HHL").pack
    if undefined:
        return mark(0xFFFE, 0xE000, _UNDEFINED) + body + mark(0xFFFE, 0xE00D, 0)
    return mark(0xFFFE, 0xE000, len(body)) + body


def sequence(
    tag: int,
    items: bytes,
    encoding: Encoding = EXPLICIT_LITTLE,
    *,
    vr: str = "SQ",
    undefined: bool = False,
) -> bytes:
    if not undefined:
        return write_element(tag, vr, items, encoding)
    order = "<" if encoding.little_endian else ">"
    head = write_element(tag, vr, b"", encoding)[:-4] + struct.pack(order + "L", _UNDEFINED)
    return head + items + struct.pack(order + "HHL", 0xFFFE, 0xE0DD, 0)


def file_of(body: bytes, *, syntax: str = EXPLICIT_VR_LITTLE_ENDIAN) -> bytes:
    head = write_file_head(
        sop_class_uid=b"1.2", sop_instance_uid=b"1.3", transfer_syntax_uid=syntax
    )
    return head + body
