"""What action C of PS3.15 Table E.1-1a does: a function for each thing that is cleaned."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator

from bidsanon.deidentify.context import (
    Context,
    Fate,
    Outcome,
    Rule,
    harvest_element,
    is_sequence,
    removed,
    replaced,
    value_vr,
)
from bidsanon.deidentify.descriptors import CleanedText
from bidsanon.deidentify.harvest import WORDS, harvest_origin
from bidsanon.deidentify.recognition import WHEN
from bidsanon.deidentify.vendor import clean_private
from bidsanon.dicom.charset import encode_text
from bidsanon.dicom.confidentiality import Action
from bidsanon.dicom.dates import SHIFTED_YEARS, format_date, is_valid_datetime, parse_date
from bidsanon.dicom.elements import Element
from bidsanon.dicom.vrs import ONE_TEXT, dictionary_vr
from bidsanon.dicom.writing import write_element
from bidsanon.identity import ValueKind
from bidsanon.notes import NoteReason
from bidsanon.profile import Cleaning

OLDEST_AGE_YEARS = 89
"""Ages above it are written as it (45 CFR 164.514(b)(2)(i)(C), BIDS participants.tsv)."""

TEXT_VRS = frozenset({"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})
_PATIENT_NAME = 0x00100010
_PATIENT_ID = 0x00100020
_DATE_VRS = frozenset({"DA", "DT", "TM"})
_AGE = re.compile(r"(\d{3,4})([DWMY])", re.ASCII)
_DIGITS_OF_AGE = 3
_UNITS_A_YEAR = {"D": 365.25, "W": 365.25 / 7, "M": 12, "Y": 1}
# Of ninety years the ones with the fewest leap days: a shift by whole days does not change it.
_OVER_THE_OLDEST_DAYS = 90 * 365 + 21


def clean_dates(element: Element, rule: Rule, context: Context) -> Outcome:
    """Shift dates by whole days and keep times; what is no date is taken out, never guessed."""
    vr = element.vr if element.vr in _DATE_VRS else dictionary_vr(element.tag)
    if vr not in _DATE_VRS:
        return removed(element, rule, context)
    replace = context.tools.replace
    change = {"DA": replace.date, "DT": replace.datetime, "TM": replace.time}[vr]
    text = context.ascii(element)
    changed = change(text)
    for reason in _troubles(vr, text, changed, is_when=not context.depth and element.tag in WHEN):
        context.tools.note(element, rule, reason)
    if changed == text:
        _harvest_times(element, rule, context, vr)
        return Fate.KEPT
    if not changed.strip("\\"):
        return rule.instead(element, rule, context)
    return replaced(element, changed.encode("ascii"), rule, context)


def clean_birth_date(element: Element, rule: Rule, context: Context) -> Outcome:
    """Keep a date of birth, or shift it; empty one that could tell an age over 89 years."""
    text, tools = context.ascii(element), context.tools
    if not text:
        return Fate.KEPT
    shift, birth, day = tools.replace.shift, parse_date(text), tools.day
    kept = rule.decision.action is Action.KEEP
    if birth is not None and not kept:
        day = day and shift.moved(day)
        moved = shift.moved(birth, birth=True)
        if day and moved == birth > day:  # nobody is scanned before birth: it was not moved
            moved = dataclasses.replace(shift, stay=None).moved(birth)
        birth = moved
    if birth is None:
        tools.note(element, rule, NoteReason.INVALID_DATE)
        return rule.instead(element, rule, context)
    if day is None or (day - birth).days >= _OVER_THE_OLDEST_DAYS:
        tools.note(element, rule, NoteReason.BIRTH_DATE_EMPTIED)
        return rule.instead(element, rule, context)
    return Fate.KEPT if kept else replaced(element, format_date(birth).encode(), rule, context)


def _troubles(vr: str, text: str, changed: str, *, is_when: bool) -> Iterator[NoteReason]:
    """Yield what is to be noted of a value of dates or times and what became of it."""
    parts = dict.fromkeys(zip(text.split("\\"), changed.split("\\"), strict=True))
    yield from dict.fromkeys(_why_lost(vr, old) for old, new in parts if old and not new)
    if is_when and any(new and int(new[:4]) not in SHIFTED_YEARS for _, new in parts):
        yield NoteReason.OUTSIDE_SHIFTED_YEARS


def _why_lost(vr: str, text: str) -> NoteReason:
    if vr == "TM":
        return NoteReason.INVALID_TIME
    if parse_date(text[:8] if vr == "DT" else text) and (vr == "DA" or is_valid_datetime(text)):
        return NoteReason.DATE_TOO_LATE
    partial = vr == "DT" and is_valid_datetime(text)
    return NoteReason.PARTIAL_DATE if partial else NoteReason.INVALID_DATE


def _harvest_times(element: Element, rule: Rule, context: Context, vr: str) -> None:
    """Harvest a value that stays: a time of day stays in the DICOM, and is not published.

    A date that stays because it was shifted before identifies nobody.
    """
    if context.tools.replace.shift.stay is None or vr == "TM":
        harvest_element(element, rule, context)
    elif vr == "DT":
        origin = harvest_origin(element.tag, rule.creator)
        for part in context.ascii(element).split("\\"):
            time = re.split("[+-]", part[8:])[0]
            context.tools.harvest.add(ValueKind.TIME, time, origin)


def clean_descriptor(element: Element, rule: Rule, context: Context) -> Outcome:
    """Cut what says who, where and when out of free text."""
    if is_sequence(element, context):
        return Fate.ENTERED
    vr = value_vr(element)
    if vr not in TEXT_VRS:
        return removed(element, rule, context)
    text = context.text(element)
    parts = [text] if vr in ONE_TEXT else text.split("\\")
    by_vocabulary = rule.decision.cleaning is Cleaning.VOCABULARY
    replace = context.tools.replace
    clean = replace.text_of_vocabulary if by_vocabulary else replace.clean_text
    cleaned = [clean(part) for part in parts]
    take_out(cleaned, element, rule, context)
    kept = "\\".join(part.text for part in cleaned)
    value = encode_text(kept, context.character_set)
    context.tools.harvest.keep(value, context.character_set)
    if kept == text:
        return Fate.KEPT
    if rule.instead is not removed and not kept.strip("\\ "):
        return rule.instead(element, rule, context)
    return write_element(element.tag, vr, value, context.encoding)


def take_out(
    cleaned: Iterable[CleanedText], element: Element, rule: Rule, context: Context
) -> None:
    """Harvest what was cut from the parts of a text, and note why."""
    origin = harvest_origin(element.tag, rule.creator)
    reasons: dict[NoteReason, None] = {}
    for part in cleaned:
        reasons |= dict.fromkeys(part.reasons)
        for piece in part.cut:
            context.tools.harvest.add(ValueKind.TEXT, piece, origin)
    for reason in reasons:
        context.tools.note(element, rule, reason)


def clean_characteristic(element: Element, rule: Rule, context: Context) -> Outcome:
    """Cap an age; clean a text about the person like a descriptor."""
    if "AS" not in (value_vr(element), dictionary_vr(element.tag)):
        return clean_descriptor(element, rule, context)
    text = context.ascii(element)
    match = _AGE.fullmatch(text)
    if match and int(match[1]) / _UNITS_A_YEAR[match[2]] >= OLDEST_AGE_YEARS + 1:
        context.tools.note(element, rule, NoteReason.AGE_CAPPED)
        return replaced(element, f"{OLDEST_AGE_YEARS:03d}Y".encode(), rule, context)
    if match is None or len(match[1]) != _DIGITS_OF_AGE:
        context.tools.note(element, rule, NoteReason.INVALID_AGE)
        return replaced(element, b"", rule, context)
    return Fate.KEPT


def clean_to_pseudonym(element: Element, rule: Rule, context: Context) -> Outcome:
    """Replace the patient's name and ID, or an identifier of a device, by a pseudonym."""
    if value_vr(element) not in TEXT_VRS:
        return removed(element, rule, context)
    text = patient_pseudonym(element.tag, context)
    text = text or context.tools.replace.device(context.text(element))
    return replaced(element, encode_text(text, context.character_set), rule, context)


def patient_pseudonym(tag: int, context: Context) -> str:
    """Return what the vault calls the patient, for the attributes that name him; else ""."""
    plan = context.tools.replace.plan
    return {_PATIENT_NAME: plan.patient_name, _PATIENT_ID: plan.patient_id}.get(tag, "")


def clean_private_value(element: Element, rule: Rule, context: Context) -> Outcome:
    """Keep, clean or remove a private attribute as the curated table says.

    A sequence that the table keeps stays, and its items are cleaned one by one.
    """
    listed = rule.private
    if listed is None or (listed.claimed and not _says_nothing(listed.creator, context)):
        return removed(element, rule, context)
    sequence = is_sequence(element, context)
    if sequence or (listed.vr == "SQ" and element.vr == "UN"):
        return Fate.ENTERED if listed.enters else removed(element, rule, context)
    value = context.value(element)
    cleaned = clean_private(
        listed,
        value,
        replace=context.tools.replace,
        little_endian=context.encoding.little_endian,
        vr=element.vr,
        by_vocabulary=rule.decision.cleaning is Cleaning.VOCABULARY,
    )
    for kind, text in cleaned.cut:
        context.tools.harvest.add(kind, text, harvest_origin(element.tag, rule.creator))
    for reason in cleaned.reasons:
        context.tools.note(element, rule, reason)
    if cleaned.value is None:
        return removed(element, rule, context)
    if element.vr in WORDS:
        context.tools.harvest.keep(cleaned.value, context.character_set)
    if cleaned.value == value:
        return Fate.KEPT
    return write_element(element.tag, element.vr, cleaned.value, context.encoding)


def _says_nothing(creator: str, context: Context) -> bool:
    """Tell whether the name of a private block that nobody knows names nothing but a vendor."""
    return creator.isascii() and context.tools.replace.clean_text(creator).text == creator


def clean_graphics(element: Element, rule: Rule, context: Context) -> Outcome:
    """Clean the items of a graphic annotation one by one; an overlay or a curve goes.

    Whether an overlay stays after all is decided of a plane as a whole
    (:func:`~bidsanon.deidentify.graphics.keep_clean_planes`).
    """
    return Fate.ENTERED if is_sequence(element, context) else removed(element, rule, context)


CLEANINGS: dict[Cleaning, Callable[[Element, Rule, Context], Outcome]] = {
    Cleaning.DATES: clean_dates,
    Cleaning.DESCRIPTORS: clean_descriptor,
    Cleaning.VOCABULARY: clean_descriptor,
    Cleaning.CHARACTERISTICS: clean_characteristic,
    Cleaning.STRUCTURED_CONTENT: clean_descriptor,
    Cleaning.GRAPHICS: clean_graphics,
    Cleaning.PSEUDONYM: clean_to_pseudonym,
    Cleaning.PRIVATE: clean_private_value,
}
