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
_NUMBER = re.compile(r"[1-9][0-9]{23,38}")
_UUID_VERSION = 8
_UUID_VARIANT = 0b10
_CHECK_BITS = 32


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

    The replacement is derived from a UUID of version 8 (PS3.5 B.2, RFC 9562). Of its 122 free bits
    90 are a keyed hash of the original, and 32 a keyed hash of these 90. So two of a thousand
    million originals share a replacement with a probability of about 4e-10, and with the key a
    replacement tells itself from any other UID: it stays as it is, and replacing twice is
    replacing once. A foreign UID of that form (a random UUID of version 8) is taken for a
    replacement with a probability of 2^-32; one of another form never is.

    The standard's own UIDs stay. What is no valid UID is replaced all the same: it may identify as
    well as a valid one.

    Parameters
    ----------
    text
        One UID; padding is ignored. An empty one gives an empty one.
    key
        The vault's UID key.
    """
    uid = text.strip(PADDING)
    if not uid or is_well_known_uid(uid) or is_replacement_uid(uid, key=key):
        return uid
    number = int.from_bytes(hmac.digest(key, uid.encode(), hashlib.sha256)[:16])
    number = _with_bits(number, _UUID_VERSION, shift=76, width=4)
    number = _with_bits(number, _UUID_VARIANT, shift=62, width=2)
    number = _with_bits(number, 0, shift=0, width=_CHECK_BITS)
    return f"{_ROOT}{number | _check(number, key)}"


def is_replacement_uid(text: str, *, key: bytes) -> bool:
    """Tell whether a UID is a replacement that :func:`replace_uid` made with this key.

    Parameters
    ----------
    text
        A UID without padding.
    key
        The vault's UID key. Nobody who lacks it can make such a UID.
    """
    if not text.startswith(_ROOT) or not _NUMBER.fullmatch(text, len(_ROOT)):
        return False
    number = int(text[len(_ROOT) :])
    if number >> 128 or number >> 76 & 0xF != _UUID_VERSION or number >> 62 & 3 != _UUID_VARIANT:
        return False
    check = number & ((1 << _CHECK_BITS) - 1)
    return check == _check(number ^ check, key)


def _check(number: int, key: bytes) -> int:
    """Return the keyed hash of a UUID whose last bits, where the check stands, are 0."""
    # No original hashes like this: UIDs are hashed without padding.
    digest = hmac.digest(key, b"\0check" + number.to_bytes(16), hashlib.sha256)
    return int.from_bytes(digest[: _CHECK_BITS // 8])


def _with_bits(number: int, bits: int, *, shift: int, width: int) -> int:
    return (number & ~(((1 << width) - 1) << shift)) | (bits << shift)
