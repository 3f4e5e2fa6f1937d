"""Writes a DICOM file anew in another encoding, its values untouched.

The same file in Implicit VR, or with private attributes whose representation nobody knows, is what
archives make of it. What is said of an attribute must not depend on that.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum, auto
from pathlib import Path

from bidsanon.dicom.elements import DataSet, Element, encoding_of_items, holds_items
from bidsanon.dicom.encoding import (
    EXPLICIT_LITTLE,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_LITTLE,
    IMPLICIT_VR_LITTLE_ENDIAN,
    NotUnderstoodError,
)
from bidsanon.dicom.file_format import read_file, write_file_head
from bidsanon.dicom.parsing import read_item, read_items
from bidsanon.dicom.writing import write_element, write_sequence

_SOP_CLASS_UID = 0x00080016
_SOP_INSTANCE_UID = 0x00080018
_PRIVATE = 0x10000
_LAST_BLOCK = 0xFF
_ITEMS_AT = len(write_element(0, "UN", b"", IMPLICIT_LITTLE))


class Form(Enum):
    """How a file is written anew."""

    IMPLICIT = auto()
    """Implicit VR Little Endian: no element says what its representation is."""
    UNKNOWN = auto()
    """Explicit VR Little Endian, with VR UN for all private attributes, sequences included."""


def reencoded(path: Path, form: Form) -> bytes:
    """Return a file's bytes in another encoding.

    Raises
    ------
    NotUnderstoodError
        If it cannot be read, if its pixels are compressed, or if it is big-endian.
    """
    file = read_file(path.read_bytes())
    if not file.data_set.encoding.little_endian:
        raise NotUnderstoodError("it is big-endian")
    implicit = form is Form.IMPLICIT
    head = write_file_head(
        sop_class_uid=file.value(_SOP_CLASS_UID),
        sop_instance_uid=file.value(_SOP_INSTANCE_UID),
        transfer_syntax_uid=IMPLICIT_VR_LITTLE_ENDIAN if implicit else EXPLICIT_VR_LITTLE_ENDIAN,
    )
    return head + _data_set(file.content, file.data_set, form, depth=0)


def _data_set(content: bytes, data_set: DataSet, form: Form, *, depth: int) -> bytes:
    return b"".join(
        _element(content, element, data_set, form, depth=depth) for element in data_set.elements
    )


def _element(
    content: bytes, element: Element, data_set: DataSet, form: Form, *, depth: int
) -> bytes:
    implicit = form is Form.IMPLICIT
    encoding = IMPLICIT_LITTLE if implicit else EXPLICIT_LITTLE
    private = bool(element.tag & _PRIVATE) and element.tag & 0xFFFF > _LAST_BLOCK
    hidden = private and not implicit
    if not holds_items(content, element):
        if element.after != element.end:
            raise NotUnderstoodError("its pixels are compressed")
        value = content[element.body : element.end]
        return write_element(element.tag, "UN" if hidden else element.vr, value, encoding)
    within = Form.IMPLICIT if hidden else form
    items = (
        (_data_set(content, item, within, depth=depth + 1), False)
        for item in _items(content, element, data_set, depth=depth + 1)
    )
    sequence = Element(element.tag, "SQ", 0, 0, 0, 0)
    if not hidden:
        return write_sequence(sequence, items, encoding)
    value = write_sequence(sequence, items, IMPLICIT_LITTLE)[_ITEMS_AT:]
    return write_element(element.tag, "UN", value, encoding)


def _items(content: bytes, element: Element, data_set: DataSet, *, depth: int) -> Iterator[DataSet]:
    inner = encoding_of_items(element, data_set.encoding)
    for item in read_items(content, element, data_set.encoding, depth=depth):
        yield read_item(content, item, inner, depth=depth)
