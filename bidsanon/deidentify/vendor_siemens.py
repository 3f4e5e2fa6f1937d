"""How Siemens' blobs are cleaned: CSA headers, protocols, patient position patterns."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

from bidsanon.deidentify.private_value import PrivateCleaning, PrivateValue
from bidsanon.dicom.allowed import CSA_ITEMS, Allowance, AllowedName, allowed_names
from bidsanon.dicom.csa import CsaError, CsaForm, CsaTag, parse_csa, write_csa
from bidsanon.dicom.protocol import (
    ProtocolEntry,
    ProtocolError,
    ProtocolSection,
    allowed_key,
    parse_protocol,
    write_protocol,
)
from bidsanon.identity import ValueKind

_SIGNATURE_TAIL = b"\4\3\2\1"
_VR = re.compile(r"[A-Z]{2}")
_KEY = re.compile(r"[A-Za-z_]\w*(?:\[\d+\]|\.\d+)*(?:\.[A-Za-z_]\w*(?:\[\d+\]|\.\d+)*)*", re.ASCII)
_UTF7 = re.compile(r"\+[A-Za-z0-9/+]+-")
_POSITIONS = {"HFS", "HFP", "HFDR", "HFDL", "FFS", "FFP", "FFDR", "FFDL"}
_IDENTIFYING_PARAMETER = re.compile(
    r'<Param\w{1,40}\."{1,8}'
    r"(\w{0,40}(?:Patient|Birth|Physician|Operator|Institution|Hospital|Accession)\w{0,40})"
    r'"{1,8}>\s{0,80}\{([^{}]{0,400})\}'
)
_QUOTED = re.compile(r'"([^"<>]+)"')
_SETTINGS = {"true", "false"}
_REFERENCE = re.compile(r"[\d.;]+")
_NUMBERS = r"-?[0-9]+(?:\.[0-9]+)?(?:e[-+]?[0-9]+)?(?:,-?[0-9]+(?:\.[0-9]+)?(?:e[-+]?[0-9]+)?)*"
_ALIGNMENT_PART = re.compile(
    rf"|{_NUMBERS}|AAMElement\d{{1,3}}|OrganBoxData|FOR=[0-9.]{{1,64}}"
    rf"|(?:AAMTag|MIClass)=[A-Za-z_]{{1,40}}"
    rf"|(?:MI|TP|Matrix|CenterVector|(?:Short|Long)AxisVector|(?:ShortAxis|LongAxis|Height)Dim"
    rf"|BitMaskMpr)={_NUMBERS}"
)
_ALIGNMENT_SIGNS = re.compile(r"[/:;|]")
_CLEANED_ONE_BY_ONE = frozenset(
    {
        Allowance.ALIGNMENT,
        Allowance.CODE,
        Allowance.DESCRIPTOR,
        Allowance.POSITION,
        Allowance.UID,
    }
)
_NAME_WORDS = ("Name", "Physician", "Operator")
_SEQUENCE_FILE = "tSequenceFileName"
_FOLDERS_OF_SEQUENCE = re.compile(r"(?<=[\\/])[^\\/]+[\\/]+")


def clean_csa(value: PrivateValue, cleaning: PrivateCleaning) -> bytes | None:
    """CSA header: known items stay as numbers and terms, its protocol key by key; the rest goes.

    Raises
    ------
    CsaError
        If it cannot be read: nothing of it can be kept.
    """
    header = parse_csa(value.content)
    tags = tuple(tag for tag in (_clean_tag(tag, cleaning) for tag in header.tags) if tag)
    if not tags:
        raise CsaError("no item of a CSA header is known")
    if header.form is CsaForm.CSA1 and tags[0].name != header.tags[0].name:
        raise CsaError("the first item of a CSA header in the older form is unknown")
    return write_csa(
        replace(
            header,
            tags=tags,
            signature_tail=_SIGNATURE_TAIL[: len(header.signature_tail)],
            trailing=bytes(len(header.trailing)),
        )
    )


def clean_protocol(value: PrivateValue, cleaning: PrivateCleaning) -> bytes | None:
    """Protocol: known keys of its ASCCONV sections stay, the XProtocol around them goes.

    Raises
    ------
    ProtocolError
        If it has no ASCCONV section: nothing of it can be kept.
    """
    text = value.content.partition(b"\0")[0].decode("latin-1")
    return _clean_protocol_text(text, cleaning).encode("latin-1")


def clean_position(value: PrivateValue, cleaning: PrivateCleaning) -> bytes | None:
    """Patient position pattern: the position stays, weight, sex and every other number is 0."""
    del cleaning
    return _clean_position_text(value.content.strip(b" \0").decode("latin-1")).encode("latin-1")


def clean_alignment(value: PrivateValue, cleaning: PrivateCleaning) -> bytes | None:
    """Alignment to the head: numbers stay, frames of reference are replaced."""
    text = value.content.strip(b" \0").decode("latin-1")
    return _clean_alignment_text(text, cleaning).encode("latin-1")


def _clean_tag(tag: CsaTag, cleaning: PrivateCleaning) -> CsaTag | None:
    """Return a CSA tag as it may stay, empty where its values may not, None where it is unknown."""
    fixed = _clean_fixed_tag(tag.head, tag.body, tag.length_base)
    if fixed is not None:
        return fixed
    allowed = allowed_names(CSA_ITEMS).get(tag.name)
    if allowed is None or not _VR.fullmatch(tag.vr):
        cleaning.note_uids("\n".join(tag.values))
        return None
    return tag.with_values(_clean_item_values(tag.values, allowed, cleaning))


@lru_cache(maxsize=8192)
def _clean_fixed_tag(head: bytes, body: bytes, length_base: int) -> CsaTag | None:
    """Return a tag whose cleaning needs no replacement, or None for another kind of tag.

    Most tags are the same in all images of a series.
    """
    tag = CsaTag(head=head, body=body, length_base=length_base)
    allowed = allowed_names(CSA_ITEMS).get(tag.name)
    if allowed is None or not _VR.fullmatch(tag.vr):
        return None
    if allowed.allowance not in {Allowance.NUMBER, Allowance.PATTERN}:
        return None
    values = tag.values
    safe = all(not value or allowed.admits(value.rstrip(" ")) for value in values)
    return tag.with_values(values if safe else ())


def _clean_item_values(
    values: tuple[str, ...], allowed: AllowedName, cleaning: PrivateCleaning
) -> tuple[str, ...]:
    if allowed.allowance is Allowance.PROTOCOL and values:
        try:
            return (_clean_protocol_text("".join(values), cleaning),)
        except ProtocolError:
            return ()
    if allowed.allowance in _CLEANED_ONE_BY_ONE:
        cleaned = tuple(_clean_item_value(value, allowed, cleaning) for value in values)
        return cleaned if cleaned == values or any(cleaned) else ()
    cleaning.note_uids("\n".join(values))
    return ()


def _clean_item_value(value: str, allowed: AllowedName, cleaning: PrivateCleaning) -> str:
    if allowed.allowance is Allowance.DESCRIPTOR:
        return cleaning.text(value)
    if allowed.allowance is Allowance.POSITION:
        return _clean_position_text(value)
    if allowed.allowance is Allowance.ALIGNMENT:
        return _clean_alignment_text(value, cleaning)
    if allowed.allowance is Allowance.UID:
        return cleaning.uids(value) if _REFERENCE.fullmatch(value) else ""
    return value if _is_code(value, allowed, cleaning) else ""


def _is_code(value: str, allowed: AllowedName, cleaning: PrivateCleaning) -> bool:
    code = value.rstrip(" ")
    return not code or (allowed.admits(code) and not cleaning.repeats(code))


def _clean_position_text(text: str) -> str:
    fields = text.split(";")
    if len(fields) < 2 or fields[1] not in _POSITIONS:  # noqa: PLR2004 - a mark and the position
        return ""
    return ";".join(["1", fields[1], *("0" for _ in fields[2:])])


def _clean_alignment_text(text: str, cleaning: PrivateCleaning) -> str:
    parts = _ALIGNMENT_SIGNS.split(text)
    known = all(_ALIGNMENT_PART.fullmatch(part) for part in parts)
    words = [part.partition("=")[2] for part in parts if part.startswith(("AAMTag=", "MIClass="))]
    if not known or any(cleaning.text(word) != word for word in words):
        cleaning.note_uids(text)
        return ""
    return cleaning.uids(text)


def _clean_protocol_text(text: str, cleaning: PrivateCleaning) -> str:
    sections = parse_protocol(text)
    cleaning.note_uids(text)
    for name, content in _IDENTIFYING_PARAMETER.findall(text):
        is_name = any(word in name for word in _NAME_WORDS)
        for quoted in _QUOTED.findall(content):
            if quoted.strip() not in _SETTINGS:
                cleaning.note(ValueKind.NAME if is_name else ValueKind.IDENTIFIER, quoted.strip())
    return write_protocol(_clean_section(section, cleaning) for section in sections)


def _clean_section(section: ProtocolSection, cleaning: PrivateCleaning) -> ProtocolSection:
    cleaned = (_clean_entry(entry, cleaning) for entry in section.entries)
    return replace(section, entries=tuple(entry for entry in cleaned if entry))


def _clean_entry(entry: ProtocolEntry, cleaning: PrivateCleaning) -> ProtocolEntry | None:
    allowed = allowed_key(entry.key)
    if allowed is None or not _KEY.fullmatch(entry.key):
        return None
    if entry.text is None:
        is_number = allowed.allowance is Allowance.NUMBER and allowed.admits(entry.value)
        return entry if is_number else None
    text = _clean_entry_text(entry.text, allowed, cleaning)
    return None if text is None else entry.with_text(text)


def _clean_entry_text(text: str, allowed: AllowedName, cleaning: PrivateCleaning) -> str | None:
    if allowed.allowance is Allowance.PATTERN and allowed.admits(text):
        return text
    if allowed.allowance is Allowance.CODE and _is_code(text, allowed, cleaning):
        return text
    if allowed.allowance is Allowance.UID and _REFERENCE.fullmatch(text):
        return cleaning.uids(text)
    if allowed.allowance is Allowance.DESCRIPTOR:
        return _clean_typed_text(text, allowed, cleaning)
    if allowed.allowance is Allowance.REMOVE:
        cleaning.note(ValueKind.TEXT, text)
    return None


def _clean_typed_text(text: str, allowed: AllowedName, cleaning: PrivateCleaning) -> str:
    """Clean a text in which Siemens writes whatever is no letter or digit in UTF-7 ("+AF8-").

    Of a sequence's file its root (%CustomerSeq%) and its name stay: the folders between them are
    called after whoever wrote it or brought it.
    """
    typed = text
    if _UTF7.search(text):
        try:
            typed = text.encode("ascii").decode("utf-7")
        except UnicodeError:
            return ""
    cleaned = cleaning.text_or(typed, allowed.pattern)
    if allowed.name == _SEQUENCE_FILE:
        cleaned = _FOLDERS_OF_SEQUENCE.sub("", cleaned)
    if cleaned == typed:
        return text
    return cleaned.replace('"', "").replace("\n", " ").replace("\r", " ")
