"""Which texts are values of which VR (PS3.5 6.2): for values that a user gives."""

from __future__ import annotations

import re
import struct

from bidsanon.dicom.dates import is_valid_datetime, is_valid_time, parse_date
from bidsanon.dicom.uids import is_valid_uid
from bidsanon.dicom.vrs import FLOATS, NUMBERS, ONE_TEXT

_BETWEEN_VALUES = "\\"
_NOT_GIVEN_AS_TEXT = frozenset({"AT", "OB", "OD", "OF", "OL", "OV", "OW", "SQ", "UN"})
_LONGEST = {
    "AE": 16,
    "CS": 16,
    "DS": 16,
    "IS": 12,
    "LO": 64,
    "LT": 10_240,
    "SH": 16,
    "ST": 1_024,
}
_LONGEST_NAME_GROUP = 64
_MOST_NAME_GROUPS = 3
_FORMS = {
    "AE": re.compile(r"[\x20-\x5b\x5d-\x7e]*[!-\x5b\x5d-~][\x20-\x5b\x5d-\x7e]*"),
    "AS": re.compile(r"\d{3}[DWMY]"),
    "CS": re.compile(r"[A-Z0-9_ ]+"),
    "DS": re.compile(r" *[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)? *"),
    "IS": re.compile(r" *[+-]?\d+ *"),
    "UR": re.compile(r"[!-~]+"),
}
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
_LARGEST_INTEGER_STRING = 2**31 - 1


def why_no_value(vr: str, text: str) -> str:
    """Say, to follow "the value", why a text is no value of a VR; '' where it is one.

    The text itself is not repeated: it may be identifying.

    Parameters
    ----------
    vr
        The value representation.
    text
        One value or, with backslashes between them, several.
    """
    if vr in _NOT_GIVEN_AS_TEXT:
        return f"cannot be given as text: the attribute's VR is {vr}"
    if _CONTROL.search(text):
        return "holds control characters"
    parts = [text] if vr in ONE_TEXT else text.split(_BETWEEN_VALUES)
    if not all(_is_value(vr, part) for part in parts):
        return f"is none of VR {vr}"
    return ""


def count_of_values(vr: str, text: str) -> int:
    """Return how many values a text holds."""
    return 1 if vr in ONE_TEXT else text.count(_BETWEEN_VALUES) + 1


def _is_value(vr: str, text: str) -> bool:
    if len(text) > _LONGEST.get(vr, len(text)):
        return False
    if vr in NUMBERS:
        return _is_number(vr, text)
    if vr in _FORMS:
        return _FORMS[vr].fullmatch(text) is not None and (vr != "IS" or _is_integer_string(text))
    if vr == "PN":
        groups = text.split("=")
        return len(groups) <= _MOST_NAME_GROUPS and all(
            len(group) <= _LONGEST_NAME_GROUP for group in groups
        )
    return {
        "DA": lambda: parse_date(text) is not None,
        "DT": lambda: is_valid_datetime(text),
        "TM": lambda: is_valid_time(text),
        "UI": lambda: is_valid_uid(text),
    }.get(vr, lambda: True)()


def _is_integer_string(text: str) -> bool:
    return -_LARGEST_INTEGER_STRING <= int(text) <= _LARGEST_INTEGER_STRING


def _is_number(vr: str, text: str) -> bool:
    try:
        struct.pack(f"<{NUMBERS[vr]}", float(text) if vr in FLOATS else int(text))
    except (ValueError, OverflowError, struct.error):
        return False
    return True
