"""Dummies: values that mean nothing, and fit where they stand (action D of PS3.15 Table E.1-1a).

A dummy fits its VR, so that a reader takes it for a value; a dummy sequence has one item with the
attributes that the standard requires in it, so that the object stays valid. They are the same for
everybody: a dummy tells nothing apart.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

from bidsanon.deidentify.context import Context
from bidsanon.dicom.charset import encode_text
from bidsanon.dicom.elements import Element, encoding_of_items
from bidsanon.dicom.encoding import Encoding
from bidsanon.dicom.vrs import FLOATS, NUMBERS
from bidsanon.dicom.writing import write_element, write_sequence
from bidsanon.errors import PolicyError

_WORD = "ANON"
TEXTS = {
    "AE": _WORD,
    "AS": "000Y",
    "CS": _WORD,
    "DA": "19000101",
    "DS": "0",
    "DT": "19000101000000",
    "IS": "0",
    "LO": _WORD,
    "LT": _WORD,
    "PN": _WORD,
    "SH": _WORD,
    "ST": _WORD,
    "TM": "000000",
    "UC": _WORD,
    "UR": "about:blank",
    "UT": _WORD,
}
"""The dummy of each VR of text."""
_ZEROS = {"AT": 4, "OB": 2, "OD": 8, "OF": 4, "OL": 4, "OV": 8, "OW": 2, "UN": 2}


@dataclass(frozen=True, kw_only=True)
class _Required:
    """An attribute that a dummy item needs.

    Attributes
    ----------
    tag, vr
        The attribute's.
    text
        Its value, where any would not do.
    items
        The items of a sequence.
    """

    tag: int
    vr: str
    text: str = ""
    items: tuple[tuple[_Required, ...], ...] = ()


def _code(
    value: str = _WORD, scheme: str = "99BIDSANON", meaning: str = _WORD
) -> tuple[_Required, ...]:
    """Return what a code needs (PS3.3 8.8)."""
    return (
        _Required(tag=0x00080100, vr="SH", text=value),
        _Required(tag=0x00080102, vr="SH", text=scheme),
        _Required(tag=0x00080104, vr="LO", text=meaning),
    )


_PERFORMED_PROCEDURE_STEP = "1.2.840.10008.3.1.2.3.3"
_ITEMS = {
    # Institution Code Sequence
    0x00080082: _code(),
    # Operator Identification Sequence: PS3.3 10.1, Person Identification Macro
    0x00081072: (
        _Required(tag=0x00080080, vr="LO"),
        _Required(tag=0x00401101, vr="SQ", items=(_code(),)),
    ),
    # Referenced Performed Procedure Step Sequence: PS3.3 10.8, SOP Instance Reference Macro
    0x00081111: (
        _Required(tag=0x00081150, vr="UI", text=_PERFORMED_PROCEDURE_STEP),
        _Required(tag=0x00081155, vr="UI"),
    ),
    # Flow Identifier Sequence: PS3.3 C.33.1
    0x00340001: (_Required(tag=0x00340002, vr="OB"),),
    # Person Identification Code Sequence
    0x00401101: _code(),
    # Verifying Observer Sequence: PS3.3 C.17.2
    0x0040A073: (
        _Required(tag=0x0040A027, vr="LO"),
        _Required(tag=0x0040A030, vr="DT"),
        _Required(tag=0x0040A075, vr="PN"),
        _Required(tag=0x0040A088, vr="SQ"),
    ),
    # Content Sequence: PS3.3 C.17.3, a comment that says nothing
    0x0040A730: (
        _Required(tag=0x0040A010, vr="CS", text="CONTAINS"),
        _Required(tag=0x0040A040, vr="CS", text="TEXT"),
        _Required(tag=0x0040A043, vr="SQ", items=(_code("121106", "DCM", "Comment"),)),
        _Required(tag=0x0040A160, vr="UT"),
    ),
    # Waveform Annotation Sequence: PS3.3 C.10.10
    0x0040B020: (
        _Required(tag=0x0040A0B0, vr="US", text="1\\0"),
        _Required(tag=0x00700006, vr="ST"),
    ),
    # Graphic Annotation Sequence: PS3.3 C.10.5
    0x00700001: (_Required(tag=0x00700002, vr="CS"),),
}


def dummy_value(vr: str, text: str, context: Context) -> bytes:
    """Return a value of non-zero length that fits a VR: `text`, or what means nothing.

    Raises
    ------
    PolicyError
        If `text` is no value of a number's VR.
    """
    return _value(vr, text, context.encoding, context.tools.replace.uid, context.character_set)


def dummy_sequence(sequence: Element, context: Context) -> bytes:
    """Return a sequence of one item, with what the standard requires in it."""
    inner = encoding_of_items(sequence, context.encoding)
    item = _item(_ITEMS.get(sequence.tag, ()), inner, context.tools.replace.uid)
    return write_sequence(sequence, [(item, False)], context.encoding)


def _item(required: tuple[_Required, ...], encoding: Encoding, uid: Callable[[str], str]) -> bytes:
    """Write an item, in one of the character sets that all have in common."""
    pieces = []
    for attribute in required:
        if attribute.vr == "SQ":
            sequence = Element(attribute.tag, "SQ", 0, 0, 0, 0)
            items = [(_item(inner, encoding, uid), False) for inner in attribute.items]
            pieces.append(write_sequence(sequence, items, encoding))
        else:
            value = _value(attribute.vr, attribute.text, encoding, uid, b"")
            pieces.append(write_element(attribute.tag, attribute.vr, value, encoding))
    return b"".join(pieces)


def _value(
    vr: str, text: str, encoding: Encoding, uid: Callable[[str], str], character_set: bytes
) -> bytes:
    if vr in NUMBERS:
        return _numbers(vr, text or "0", encoding)
    if vr == "UI":
        return (text or uid("0")).encode("ascii", "replace")
    if vr in TEXTS:
        return encode_text(text or TEXTS[vr], character_set)
    return bytes(_ZEROS.get(vr, 2))


def _numbers(vr: str, text: str, encoding: Encoding) -> bytes:
    order = "<" if encoding.little_endian else ">"
    kind = float if vr in FLOATS else int
    try:
        numbers = [kind(part) for part in text.split("\\")]
        return struct.pack(f"{order}{len(numbers)}{NUMBERS[vr]}", *numbers)
    except (ValueError, struct.error) as error:
        raise PolicyError(
            f"the profile forces a value that does not fit an attribute of VR {vr}",
            cure="give a number that fits, in the profile's [force] table",
        ) from error
