"""What an instance says of its own de-identification, in groups 0012 and 0028.

A file may have been de-identified before, by bidsanon or by another program. What that program
said stays true of the file and is retained: its methods (0012,0063) stand before bidsanon's (PS3.3
C.7.1.1: one value for each step), its codes (0012,0064) join bidsanon's. Its words are cleaned like
a description.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from bidsanon.deidentify.context import Context, Rule, is_sequence
from bidsanon.deidentify.descriptors import CleanedText
from bidsanon.deidentify.harvest import harvest_origin
from bidsanon.deidentify.recognition import WHEN
from bidsanon.dicom.charset import character_set, decode_text, encode_text
from bidsanon.dicom.confidentiality import (
    CLEAN_VISUAL_FEATURES_CODE,
    METHOD_CODES,
    OPTION_CODES,
    MethodCode,
    Option,
)
from bidsanon.dicom.elements import Element, encoding_of_items
from bidsanon.dicom.encoding import Encoding, NotUnderstoodError
from bidsanon.dicom.file_format import DicomFile
from bidsanon.dicom.parsing import read_item, read_items
from bidsanon.dicom.reading import text_of
from bidsanon.dicom.writing import write_element, write_sequence
from bidsanon.identity import ValueKind
from bidsanon.profile import Profile

PATIENT_IDENTITY_REMOVED = 0x00120062
DEIDENTIFICATION_METHOD = 0x00120063
DEIDENTIFICATION_METHOD_CODES = 0x00120064
BURNED_IN_ANNOTATION = 0x00280301
RECOGNIZABLE_VISUAL_FEATURES = 0x00280302
TEMPORAL_INFORMATION_MODIFIED = 0x00280303

MARKS = frozenset(
    {
        PATIENT_IDENTITY_REMOVED,
        DEIDENTIFICATION_METHOD,
        DEIDENTIFICATION_METHOD_CODES,
        TEMPORAL_INFORMATION_MODIFIED,
    }
)
"""What is written anew at the top level of each instance, whatever the profile says of it."""

_CODE_VALUE, _CODING_SCHEME, _CODE_MEANING = 0x00080100, 0x00080102, 0x00080104
_PARTS_OF_CODE = (_CODE_VALUE, _CODING_SCHEME, _CODE_MEANING)
_YES_OR_NO = frozenset({b"YES", b"NO"})
_FULL_DATES = OPTION_CODES[Option.RETAIN_FULL_DATES]
_MODIFIED_DATES = OPTION_CODES[Option.RETAIN_MODIFIED_DATES]
_UNTRUE = {
    "UNMODIFIED": frozenset({_MODIFIED_DATES}),
    "MODIFIED": frozenset({_FULL_DATES}),
    "REMOVED": frozenset({_FULL_DATES, _MODIFIED_DATES}),
}


class Marks(NamedTuple):
    """What an instance says of how it was de-identified.

    Attributes
    ----------
    methods
        (0012,0063): a value for each step, the earliest first.
    codes
        (0012,0064).
    """

    methods: tuple[str, ...]
    codes: tuple[MethodCode, ...]


def written_marks(
    file: DicomFile, context: Context, marks: Marks, *, profile: Profile, marked: bool
) -> Iterator[tuple[int, bytes | None]]:
    """Yield the marks of a de-identified instance; None: whatever it said goes.

    Parameters
    ----------
    file
        The instance as it was.
    context
        Of its top level.
    marks
        How it was de-identified, from :func:`marks_of`.
    profile
        What was done to it.
    marked
        Whether (0012,0063) and (0012,0064) are written.
    """
    encoding = context.encoding
    yield PATIENT_IDENTITY_REMOVED, write_element(PATIENT_IDENTITY_REMOVED, "CS", b"YES", encoding)
    temporal = temporal_information(file, profile)
    method = codes = None
    if marked:
        text = encode_text("\\".join(marks.methods), context.character_set)
        method = write_element(DEIDENTIFICATION_METHOD, "LO", text, encoding)
        codes = _written_codes(marks.codes, context.character_set, encoding)
    yield DEIDENTIFICATION_METHOD, method
    yield DEIDENTIFICATION_METHOD_CODES, codes
    for tag in (BURNED_IN_ANNOTATION, RECOGNIZABLE_VISUAL_FEATURES):
        if tag in file.top and file.value(tag) not in _YES_OR_NO:
            yield tag, None
    written = write_element(TEMPORAL_INFORMATION_MODIFIED, "CS", temporal.encode(), encoding)
    yield TEMPORAL_INFORMATION_MODIFIED, written


def marks_of(file: DicomFile, context: Context, *, profile: Profile) -> Marks:
    """Return what earlier programs said that they did, cleaned, and what the profile did.

    Each is said once, so that de-identifying twice says no more than once.
    """
    earlier = _earlier_methods(file, context)
    methods = dict.fromkeys((*earlier, profile.method))
    codes = dict.fromkeys((*_earlier_codes(file, context), *profile.method_codes))
    temporal = temporal_information(file, profile)
    return Marks(methods=tuple(methods), codes=_true_codes(codes, temporal, profile))


def marks_without_face(
    file: DicomFile, *, method: str, proved: bool
) -> tuple[Marks, dict[int, bytes]]:
    """Return what a marked copy says once its face is gone, and the elements for it.

    Where that is proved, (0028,0302) Recognizable Visual Features becomes NO, and 113102 joins
    (0012,0064).

    Parameters
    ----------
    file
        A copy that was marked: nothing of what it says identifies.
    method
        What joins (0012,0063): how the face was removed; empty where there was none.
    proved
        Whether a check has shown that there is no face.
    """
    content, encoding = file.content, file.data_set.encoding
    characters = character_set(content, file.data_set)
    said = text_of(file, DEIDENTIFICATION_METHOD).split("\\")
    methods = tuple(dict.fromkeys(filter(None, (*said, method))))
    text = encode_text("\\".join(methods), characters)
    written = {
        DEIDENTIFICATION_METHOD: write_element(DEIDENTIFICATION_METHOD, "LO", text, encoding)
    }
    codes = tuple(_codes_said(file, characters))
    if proved:
        codes = tuple(sorted({*codes, CLEAN_VISUAL_FEATURES_CODE}))
        no = write_element(RECOGNIZABLE_VISUAL_FEATURES, "CS", b"NO", encoding)
        written[DEIDENTIFICATION_METHOD_CODES] = _written_codes(codes, characters, encoding)
        written[RECOGNIZABLE_VISUAL_FEATURES] = no
    return Marks(methods=methods, codes=codes), written


def _codes_said(file: DicomFile, characters: bytes) -> Iterator[MethodCode]:
    sequence = file.top.get(DEIDENTIFICATION_METHOD_CODES)
    if sequence is None:
        return
    encoding = encoding_of_items(sequence, file.data_set.encoding)
    for item in read_items(file.content, sequence, file.data_set.encoding, depth=1):
        texts = {
            element.tag: decode_text(file.content[element.body : element.end], characters)
            for element in read_item(file.content, item, encoding, depth=1).elements
        }
        yield MethodCode(*(texts.get(tag, "").strip(" \0") for tag in _PARTS_OF_CODE))


def temporal_information(file: DicomFile, profile: Profile) -> str:
    """Return (0028,0303): what was done to the dates, by bidsanon or before (PS3.15 E.3.6).

    Dates that are retained as they came may have been modified before; dates that were removed
    before cannot be modified.
    """
    own = profile.temporal_information
    earlier = file.value(TEMPORAL_INFORMATION_MODIFIED)
    if own == "UNMODIFIED" and earlier == b"MODIFIED":
        return "MODIFIED"
    if earlier == b"REMOVED" and not any(file.value(tag) for tag in WHEN):
        return "REMOVED"
    return own


def _true_codes(
    codes: Iterable[MethodCode], temporal: str, profile: Profile
) -> tuple[MethodCode, ...]:
    """Leave out that dates were retained as they came, or modified, where they were not."""
    untrue = _UNTRUE[temporal]
    own = profile.method_codes if temporal == "REMOVED" else ()
    return tuple(code for code in codes if code not in untrue or code in own)


def _earlier_methods(file: DicomFile, context: Context) -> list[str]:
    element, rule = file.top.get(DEIDENTIFICATION_METHOD), context.place[DEIDENTIFICATION_METHOD]
    if element is None:
        return []
    parts = (part.strip(" \0") for part in context.text(element).split("\\"))
    cleaned = (_cleaned(part, element, rule, context).text for part in parts)
    return [text for text in cleaned if text]


def _earlier_codes(file: DicomFile, context: Context) -> list[MethodCode]:
    sequence = file.top.get(DEIDENTIFICATION_METHOD_CODES)
    if sequence is None or not is_sequence(sequence, context):
        return []
    try:
        return [code for code in _codes_in(sequence, context) if code is not None]
    except NotUnderstoodError:
        return []


def _codes_in(sequence: Element, context: Context) -> Iterator[MethodCode | None]:
    """Yield the codes of a sequence; None for one that does not stay whole when it is cleaned."""
    encoding, depth = encoding_of_items(sequence, context.encoding), context.depth + 1
    rule = context.place[DEIDENTIFICATION_METHOD_CODES]
    for item in read_items(context.content, sequence, context.encoding, depth=depth):
        data_set = read_item(context.content, item, encoding, depth=depth)
        within = context.within(sequence, data_set)
        parts = {
            element.tag: element for element in data_set.elements if element.tag in _PARTS_OF_CODE
        }
        texts = {tag: within.text(element).strip(" ") for tag, element in parts.items()}
        standard = METHOD_CODES.get((texts.get(_CODE_VALUE, ""), texts.get(_CODING_SCHEME, "")))
        if standard is None:
            cleaned = [_cleaned(texts[tag], parts[tag], rule, within) for tag in texts]
            whole = len(cleaned) == len(_PARTS_OF_CODE) and not any(part.cut for part in cleaned)
            yield MethodCode(*texts.values()) if whole and all(texts.values()) else None
        else:
            yield standard


def _cleaned(text: str, element: Element, rule: Rule, context: Context) -> CleanedText:
    """Clean a text, and tell the harvest and the notes what was cut."""
    cleaned = context.tools.replace.clean_text(text)
    for piece in cleaned.cut:
        origin = harvest_origin(element.tag, rule.creator)
        context.tools.harvest.add(ValueKind.TEXT, piece, origin)
    for reason in dict.fromkeys(cleaned.reasons):
        context.tools.note(element, rule, reason)
    return cleaned


@lru_cache(maxsize=64)
def _written_codes(
    codes: tuple[MethodCode, ...], character_set: bytes, encoding: Encoding
) -> bytes:
    items = [
        b"".join(
            write_element(tag, vr, encode_text(text, character_set), encoding)
            for tag, vr, text in zip(_PARTS_OF_CODE, ("SH", "SH", "LO"), code, strict=True)
        )
        for code in codes
    ]
    sequence = Element(DEIDENTIFICATION_METHOD_CODES, "SQ", 0, 0, 0, 0)
    return write_sequence(sequence, ((item, False) for item in items), encoding)
