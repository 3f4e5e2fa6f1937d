"""Unique identifiers: which are the standard's own, and what replaces the others."""

from __future__ import annotations

import hashlib
import hmac
import re

PADDING = " \0"
LONGEST_UID = 64

_ROOT = "2.25."
_VALID = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))+")
_WELL_KNOWN = re.compile(r"1\.2\.840\.10008(\.[0-9]{1,4}){1,11}")
_UUID_VERSION = 8
_UUID_VARIANT = 0b10


def is_valid_uid(text: str) -> bool:
    """Tell whether a text is a UID by PS3.5 chapter 9: digits and dots, 64 characters at most."""
    return len(text) <= LONGEST_UID and _VALID.fullmatch(text) is not None


def is_well_known_uid(text: str) -> bool:
    """Tell whether a UID is the standard's own: a SOP class, a transfer syntax, an atlas.

    The standard's UIDs lie below 1.2.840.10008 and have components of four digits at most. An
    instance that was wrongly numbered below the standard's root holds longer ones (a date, a
    serial number), and is not taken for well known.
    """
    return _WELL_KNOWN.fullmatch(text) is not None


def replace_uid(text: str, *, key: bytes) -> str:
    """Return what replaces a UID: the same one for the same key, whatever file it stands in.

    The replacement is derived from a UUID (PS3.5 B.2) that is made of the keyed hash of the
    original. The standard's own UIDs stay. What is no valid UID is replaced all the same: it may
    identify as well as a valid one.

    Parameters
    ----------
    text
        One UID; padding is ignored. An empty one gives an empty one.
    key
        The vault's UID key.
    """
    uid = text.strip(PADDING)
    if not uid or is_well_known_uid(uid):
        return uid
    number = int.from_bytes(hmac.digest(key, uid.encode(), hashlib.sha256)[:16])
    number = _with_bits(number, _UUID_VERSION, shift=76, width=4)
    return f"{_ROOT}{_with_bits(number, _UUID_VARIANT, shift=62, width=2)}"


def _with_bits(number: int, bits: int, *, shift: int, width: int) -> int:
    return (number & ~(((1 << width) - 1) << shift)) | (bits << shift)
