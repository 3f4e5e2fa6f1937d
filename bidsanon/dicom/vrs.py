"""Value representations (PS3.5 6.2): their headers' form, their padding, and the dictionary's."""

from __future__ import annotations

from functools import lru_cache

from pydicom.datadict import dictionary_VR

SHORT_VRS = {
    b"AE": "AE",
    b"AS": "AS",
    b"AT": "AT",
    b"CS": "CS",
    b"DA": "DA",
    b"DS": "DS",
    b"DT": "DT",
    b"FD": "FD",
    b"FL": "FL",
    b"IS": "IS",
    b"LO": "LO",
    b"LT": "LT",
    b"PN": "PN",
    b"SH": "SH",
    b"SL": "SL",
    b"SS": "SS",
    b"ST": "ST",
    b"TM": "TM",
    b"UI": "UI",
    b"UL": "UL",
    b"US": "US",
}
LONG_VRS = {
    b"OB": "OB",
    b"OD": "OD",
    b"OF": "OF",
    b"OL": "OL",
    b"OV": "OV",
    b"OW": "OW",
    b"SQ": "SQ",
    b"SV": "SV",
    b"UC": "UC",
    b"UN": "UN",
    b"UR": "UR",
    b"UT": "UT",
    b"UV": "UV",
}
ONE_TEXT = frozenset({"LT", "ST", "UR", "UT"})
"""A backslash within these parts no values."""
NUMBERS = {
    "FD": "d",
    "FL": "f",
    "SL": "l",
    "SS": "h",
    "SV": "q",
    "UL": "L",
    "US": "H",
    "UV": "Q",
}
"""The VRs of binary numbers, each with its letter in :mod:`struct`."""
FLOATS = frozenset({"FD", "FL"})
_PADDED_WITH_ZERO = frozenset({"UI", "OB", "OD", "OF", "OL", "OV", "OW", "SV", "UN", "UV"})
_CHOICES = {"US or SS": "US", "OB or OW": "OW", "US or OW": "OW", "US or SS or OW": "OW"}
# What pydicom 3.0.2's dictionary lacks of the attributes in Table E.1-1: without VRs in a file,
# their dates could not be shifted nor their descriptions cleaned.
_LATER_ATTRIBUTES = {
    **dict.fromkeys((0x00081301, 0x00081302, 0x00081303, 0x00081304), "SQ"),
    **dict.fromkeys((0x00100011, 0x00100014, 0x00100015, 0x00100041), "SQ"),
    **dict.fromkeys((0x00100043, 0x00100044, 0x00100046), "SQ"),
    **dict.fromkeys((0x0040A034, 0x0040A035, 0x0040B034, 0x0040B036), "DT"),
    **dict.fromkeys((0x00100012, 0x0040B03B, 0x0040B03F, 0x3004007F), "LO"),
    **dict.fromkeys((0x00100013, 0x00100016, 0x00100042, 0x00100045), "UT"),
    **dict.fromkeys((0x00100047, 0x0040E012), "UR"),
    0x00102162: "UC",
}


@lru_cache(maxsize=1 << 16)
def dictionary_vr(tag: int) -> str:
    """Return the VR that the data dictionary gives a tag; "UN" where it does not know it.

    Of several possible ones the first that fits (US of "US or SS", OW of "OB or OW"). A private
    creator is LO.
    """
    if tag & 0x10000:
        return "LO" if 0x10 <= tag & 0xFFFF <= 0xFF else "UN"  # noqa: PLR2004 (PS3.5 7.8.1)
    if not tag & 0xFFFF:
        return "UL"
    try:
        vr = dictionary_VR(tag)
    except KeyError:
        return _LATER_ATTRIBUTES.get(tag, "UN")
    return _CHOICES.get(vr, vr)


def padded(vr: str, value: bytes) -> bytes:
    """Return a value of even length (PS3.5 6.2)."""
    if len(value) & 1:
        value += b"\0" if vr in _PADDED_WITH_ZERO else b" "
    return value
