"""Text of DICOM values as characters: Specific Character Set (0008,0005), PS3.3 C.12.1.1.2."""

from __future__ import annotations

import codecs
import warnings
from functools import lru_cache

from pydicom.charset import decode_bytes, encode_string, python_encoding

from bidsanon.dicom.elements import DataSet

SPECIFIC_CHARACTER_SET = 0x00080005
_DEFAULT = "iso8859"
_DELIMITERS = frozenset(b"\r\n\t\f\\^=")


def character_set(content: bytes, data_set: DataSet, inherited: bytes = b"") -> bytes:
    """Return the value of (0008,0005) in a data set, or the one that holds around it."""
    found = data_set.find(SPECIFIC_CHARACTER_SET)
    return content[found.body : found.end].strip(b" \0") if found else inherited


def decode_text(value: bytes, character_set: bytes = b"") -> str:
    """Decode a value, replacing what its character set does not have.

    Parameters
    ----------
    value
        The bytes of a text value, padding included.
    character_set
        The value of (0008,0005), empty where there is none. A term that is not known counts as
        the default repertoire.
    """
    encodings = _encodings(character_set)
    if len(encodings) == 1:
        return value.decode(encodings[0], "replace")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom warns where it replaces a character
        return decode_bytes(value, encodings, set(_DELIMITERS))


def other_readings(value: bytes, character_set: bytes = b"") -> tuple[str, ...]:
    """Return what a value says as well if its character set is not the one that is stated.

    Bytes that are well-formed UTF-8 are hardly anything else, whatever (0008,0005) says; what is
    said to be UTF-8 and is not is most likely Latin.
    """
    if value.isascii():
        return ()
    stated = _encodings(character_set)[0]
    try:
        said = value.decode("utf-8")
    except UnicodeDecodeError:
        is_lie = _codec_name(stated) == "utf-8"
        return (value.decode("latin-1"),) if is_lie else ()
    return () if _codec_name(stated) == "utf-8" else (said,)


def encode_text(text: str, character_set: bytes = b"") -> bytes:
    """Encode a text, writing a question mark for what the character set does not have."""
    encodings = _encodings(character_set)
    if len(encodings) == 1 or text.isascii():
        return text.encode(encodings[0], "replace")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom warns where it replaces a character
        return encode_string(text, encodings)


@lru_cache(maxsize=64)
def _codec_name(encoding: str) -> str:
    return codecs.lookup(encoding).name


@lru_cache(maxsize=256)
def _encodings(character_set: bytes) -> tuple[str, ...]:
    terms = [t.strip(" \0") for t in character_set.decode("ascii", "replace").split("\\")]
    found = tuple(python_encoding.get(term, _DEFAULT) for term in terms)
    # A second term is there for code extensions; without any, the first alone says it all.
    return found[:1] if len(set(found)) == 1 else found
