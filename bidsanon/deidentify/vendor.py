"""How private attributes that hold more than they should are cleaned: one function a method.

The table of :mod:`bidsanon.dicom.private` names the methods. A value that cannot be understood is
removed: what conversion loses with it, the fidelity gate reports, and nothing is published.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from bidsanon.deidentify.private_value import PrivateCleaning, PrivateValue, Question, Replacer, ask
from bidsanon.deidentify.vendor_ge import clean_ge_protocol, clean_ge_user_data
from bidsanon.deidentify.vendor_siemens import (
    clean_alignment,
    clean_csa,
    clean_position,
    clean_protocol,
)
from bidsanon.dicom.allowed import reads_as_number
from bidsanon.dicom.csa import CsaError
from bidsanon.dicom.private import Disposition, PrivateRule
from bidsanon.dicom.protocol import ProtocolError
from bidsanon.dicom.vrs import padded
from bidsanon.identity import ValueKind
from bidsanon.notes import NoteReason

_BINARY_BYTES = {
    "US": 2,
    "SS": 2,
    "UL": 4,
    "SL": 4,
    "FL": 4,
    "FD": 8,
    "SV": 8,
    "UV": 8,
}
_WRITTEN = {
    "DS": re.compile(rb"[-+0-9.eE \\]*\0?"),
    "IS": re.compile(rb"[-+0-9 \\]*\0?"),
    "CS": re.compile(rb"[A-Z0-9_ \\.*+/-]*\0?"),
}
_LONG_INTEGER = re.compile(r"\d{6,}")
_READABLE = re.compile(rb"[\x20-\x7e]{5,}")
_A_WORD = re.compile(rb"[A-Za-z]{4,}")
# Three floats or two doubles that happen to be made of letters or of digits are very rare.
_LETTERS = re.compile(rb"[A-Za-z][A-Za-z^ ]{10,}[ \0]*|[0-9.]{12,}[ \0]*")
_TEXTS = {"LO", "SH", "ST", "LT", "UT", "UC"}
_UNKNOWN = {"", "UN", "OB", "OW"}
_LONG = 256
_REMEMBERED_VALUES = 512


@dataclass(frozen=True, kw_only=True)
class CleanedPrivate:
    """What became of a private value.

    Attributes
    ----------
    value
        The bytes to write (of even length), or None where the element is removed.
    cut
        The identifying values that were taken out, for the residue search.
    reasons
        Why something was cut from a text, or a date was emptied.
    """

    value: bytes | None
    cut: tuple[tuple[ValueKind, str], ...] = ()
    reasons: tuple[NoteReason, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Remembered:
    questions: tuple[Question, ...]
    cleaned: CleanedPrivate


def clean_private(
    rule: PrivateRule,
    value: bytes,
    *,
    replace: Replacer,
    little_endian: bool,
    vr: str = "",
    by_vocabulary: bool = False,
) -> CleanedPrivate:
    """Keep, clean or remove a private value as its rule says.

    A sequence is not decided here: its items are.

    Parameters
    ----------
    rule
        The attribute's rule.
    value
        The element's bytes.
    replace
        Gives the replacements for UIDs, dates and descriptions.
    little_endian
        The byte order of the data set that holds it.
    vr
        The value representation that the file gives, where it gives one. A value that is kept
        must be of the kind that the rule names.
    by_vocabulary
        Whether of texts only words of the vocabulary stay.
    """
    if rule.disposition is Disposition.REMOVE:
        return CleanedPrivate(value=None)
    private = PrivateValue(rule=rule, content=value, vr=vr, little_endian=little_endian)
    if rule.disposition is Disposition.KEEP:
        cleaning = PrivateCleaning(replace)
        kept = _kept(rule.vr, private, cleaning)
        return CleanedPrivate(value=kept, cut=cleaning.cut, reasons=cleaning.reasons)
    slot = _slot(rule, vr, little_endian, by_vocabulary, _key(value))
    for remembered in slot:
        if all(ask(replace, q.kind, q.text) == q.answer for q in remembered.questions):
            return remembered.cleaned
    cleaning = PrivateCleaning(replace, by_vocabulary=by_vocabulary)
    content = _cleaned(private, cleaning)
    cleaned = CleanedPrivate(value=content, cut=cleaning.cut, reasons=cleaning.reasons)
    slot[:] = [_Remembered(questions=cleaning.questions, cleaned=cleaned)]
    return cleaned


def _clean_uid(value: PrivateValue, cleaning: PrivateCleaning) -> bytes | None:
    """UID: replaced by the same one wherever it stands."""
    parts = value.content.rstrip(b" \0").decode("latin-1").split("\\")
    if not all(re.fullmatch(r"[0-9.]{0,64}", part) for part in parts):
        return None
    return _even("\\".join(cleaning.uid(part) if part else "" for part in parts), b"\0")


def _clean_descriptor(value: PrivateValue, cleaning: PrivateCleaning) -> bytes | None:
    """Text: kept without what says who, where and when; dropped where it is not ASCII."""
    known = re.compile(value.rule.pattern)
    parts = value.content.rstrip(b" \0").decode("latin-1").split("\\")
    return _even("\\".join(cleaning.text_or(part, known) if part else "" for part in parts))


def _clean_pattern(value: PrivateValue, cleaning: PrivateCleaning) -> bytes | None:
    """Text of a known form: kept where it has that form and names nobody, removed otherwise."""
    parts = value.content.rstrip(b" \0").decode("latin-1").split("\\")
    pattern = re.compile(value.rule.pattern)
    if not all(not part or pattern.fullmatch(part.strip(" ")) for part in parts):
        return None
    if any(cleaning.repeats(part.strip(" ")) for part in parts if part):
        return None
    return _even("\\".join(parts))


def _clean_listed(value: PrivateValue, cleaning: PrivateCleaning) -> bytes | None:
    """Value listed as safe: cleaned by the VR that the file gives, removed where it gives none."""
    vr = value.vr
    if not value.content or vr in _BINARY_BYTES or vr in _WRITTEN:
        return _kept(vr, value, cleaning)
    if vr in _TEXTS:
        return _clean_descriptor(value, cleaning)
    if vr == "UI":
        return _clean_uid(value, cleaning)
    text = value.content.strip(b" \0").decode("latin-1")
    if vr == "DA":
        return _even(cleaning.date(text))
    if vr == "DT":
        return _even(cleaning.datetime(text))
    return None


def _make_empty(value: PrivateValue, cleaning: PrivateCleaning) -> bytes | None:
    """Value that the file says identifies: emptied, as the file recommends."""
    del value, cleaning
    return b""


def _make_dummy(value: PrivateValue, cleaning: PrivateCleaning) -> bytes | None:
    """Value that the file says identifies: a meaningless one, as the file recommends."""
    del cleaning
    if value.vr in _BINARY_BYTES:
        return bytes(_BINARY_BYTES[value.vr])
    if value.vr in {"DS", "IS"}:
        return b"0 "
    return b"ANON" if value.vr == "CS" or value.vr in _TEXTS else None


def _clean_sequence_name(value: PrivateValue, cleaning: PrivateCleaning) -> bytes | None:
    """Name of a sequence: kept without its folders and without what says who, where and when."""
    cleaned = _clean_descriptor(value, cleaning)
    return None if cleaned is None else cleaned.rpartition(b"/")[2]


_METHODS: dict[str, Callable[[PrivateValue, PrivateCleaning], bytes | None]] = {
    "alignment": clean_alignment,
    "csa": clean_csa,
    "descriptor": _clean_descriptor,
    "dummy": _make_dummy,
    "empty": _make_empty,
    "ge-protocol": clean_ge_protocol,
    "ge-user-data": clean_ge_user_data,
    "listed": _clean_listed,
    "pattern": _clean_pattern,
    "position": clean_position,
    "protocol": clean_protocol,
    "sequence-name": _clean_sequence_name,
    "uid": _clean_uid,
}


def _cleaned(value: PrivateValue, cleaning: PrivateCleaning) -> bytes | None:
    try:
        content = _METHODS[value.rule.method](value, cleaning)
    except (CsaError, ProtocolError):
        return None
    vr = value.rule.vr if value.vr in {"", "UN"} else value.vr
    return None if content is None else padded(vr or "UN", content)


def _fits(expected: str, content: bytes, vr: str) -> bool:
    """Return whether a value is of the kind of `expected`, by the file's word and by its bytes."""
    if expected in _BINARY_BYTES:
        known = vr in _UNKNOWN or vr in _BINARY_BYTES
        return known and not len(content) % _BINARY_BYTES[vr if vr in _BINARY_BYTES else expected]
    if vr in _BINARY_BYTES:
        return expected in _WRITTEN and not len(content) % _BINARY_BYTES[vr]
    return expected in _WRITTEN and bool(_WRITTEN[expected].fullmatch(content))


def _kept(expected: str, value: PrivateValue, cleaning: PrivateCleaning) -> bytes | None:
    """Return a value that stays as it is, or None where it is of another kind, or identifies.

    A term must be made of the letters of a term and hold nothing that would be cut from a text; a
    number must be none that reads as a date or as somebody's number; and binary numbers must not
    spell words.
    """
    if not value.content:
        return b""
    if not _fits(expected, value.content, value.vr):
        return None
    if expected in _BINARY_BYTES or value.vr in _BINARY_BYTES:
        return None if _spells(value, cleaning) else value.content
    parts = [part.strip(" \0") for part in value.content.decode("ascii").split("\\")]
    if expected == "CS":
        stays = all(not part or not cleaning.says_who(part) for part in parts)
    else:
        stays = all(not part or reads_as_number(part) for part in parts)
        stays = stays and not any(
            cleaning.repeats(part) for part in parts if _LONG_INTEGER.fullmatch(part)
        )
    return value.content if stays else None


def _spells(value: PrivateValue, cleaning: PrivateCleaning) -> bool:
    """Tell whether binary numbers are words: by their letters, or because headers know them.

    Of those for which nothing but the file's own word speaks, none may look like a word.
    """
    if _LETTERS.fullmatch(value.content):
        return True
    if value.rule.claimed and _A_WORD.search(value.content):
        return True
    return any(cleaning.repeats(run.decode()) for run in _READABLE.findall(value.content))


def _even(text: str, padding: bytes = b" ") -> bytes:
    content = text.encode("latin-1")
    return content + padding * (len(content) % 2)


def _key(value: bytes) -> bytes:
    return value if len(value) <= _LONG else hashlib.blake2b(value, digest_size=32).digest()


@lru_cache(maxsize=_REMEMBERED_VALUES)
def _slot(
    rule: PrivateRule, vr: str, little_endian: bool, by_vocabulary: bool, key: bytes
) -> list[_Remembered]:
    """Return the place that remembers how a value was cleaned last; new ones are empty."""
    del rule, vr, little_endian, by_vocabulary, key
    return []
