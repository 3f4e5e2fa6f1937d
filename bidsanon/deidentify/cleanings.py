"""What action C of PS3.15 Table E.1-1a does: a function for each thing that is cleaned."""

from __future__ import annotations

import re
from collections.abc import Callable

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
from bidsanon.deidentify.harvest import WORDS, harvest_origin
from bidsanon.deidentify.vendor import clean_private
from bidsanon.dicom.charset import encode_text
from bidsanon.dicom.encoding import Element, dictionary_vr, write_element
from bidsanon.profile import Cleaning
from bidsanon.session import NoteReason, ValueKind

OLDEST_AGE_YEARS = 89
"""Ages above it are written as it (45 CFR 164.514(b)(2)(i)(C), BIDS participants.tsv)."""

TEXT_VRS = frozenset({"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})
_PATIENT_NAME = 0x00100010
_PATIENT_ID = 0x00100020
_ONE_TEXT = frozenset({"LT", "ST", "UR", "UT"})
_DATE_VRS = frozenset({"DA", "DT", "TM"})
_AGE = re.compile(r"\d{3}[DWMY]")


def clean_dates(element: Element, rule: Rule, context: Context) -> Outcome:
    """Shift dates by whole days and keep times; what is no date is emptied, never guessed."""
    vr = element.vr if element.vr in _DATE_VRS else dictionary_vr(element.tag)
    if vr not in _DATE_VRS:
        return removed(element, rule, context)
    replace = context.tools.replace
    change = {"DA": replace.date, "DT": replace.datetime, "TM": replace.time}[vr]
    text = context.ascii(element)
    changed = change(text)
    if changed.split("\\").count("") > text.split("\\").count(""):
        reason = NoteReason.INVALID_TIME if vr == "TM" else NoteReason.INVALID_DATE
        context.tools.note(element, rule, reason)
    if changed != text:
        return replaced(element, changed.encode("ascii"), rule, context)
    # A time of day that stays in the DICOM does not stay in what is published.
    harvest_element(element, rule, context)
    return Fate.KEPT


def clean_descriptor(element: Element, rule: Rule, context: Context) -> Outcome:
    """Cut what says who, where and when out of free text."""
    if is_sequence(element, context):
        return Fate.ENTERED
    vr = value_vr(element)
    if vr not in TEXT_VRS:
        return removed(element, rule, context)
    text = context.text(element)
    parts = [text] if vr in _ONE_TEXT else text.split("\\")
    by_vocabulary = rule.decision.cleaning is Cleaning.VOCABULARY
    replace = context.tools.replace
    clean = replace.text_of_vocabulary if by_vocabulary else replace.clean_text
    cleaned = [clean(part) for part in parts]
    origin = harvest_origin(element.tag, rule.creator)
    for piece in (piece for part in cleaned for piece in part.cut):
        context.tools.harvest.add(ValueKind.TEXT, piece, origin)
    kept = "\\".join(part.text for part in cleaned)
    value = encode_text(kept, context.character_set)
    context.tools.harvest.keep(value, context.character_set)
    if kept == text:
        return Fate.KEPT
    return write_element(element.tag, vr, value, context.encoding)


def clean_characteristic(element: Element, rule: Rule, context: Context) -> Outcome:
    """Cap an age; clean a text about the person like a descriptor."""
    if value_vr(element) != "AS":
        return clean_descriptor(element, rule, context)
    text = context.ascii(element)
    if not _AGE.fullmatch(text):
        context.tools.note(element, rule, NoteReason.INVALID_AGE)
        return replaced(element, b"", rule, context)
    if text.endswith("Y") and int(text[:-1]) > OLDEST_AGE_YEARS:
        context.tools.note(element, rule, NoteReason.AGE_CAPPED)
        return replaced(element, f"{OLDEST_AGE_YEARS:03d}Y".encode(), rule, context)
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
    )
    for kind, text in cleaned.cut:
        context.tools.harvest.add(kind, text, harvest_origin(element.tag, rule.creator))
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


CLEANINGS: dict[Cleaning, Callable[[Element, Rule, Context], Outcome]] = {
    Cleaning.DATES: clean_dates,
    Cleaning.DESCRIPTORS: clean_descriptor,
    Cleaning.VOCABULARY: clean_descriptor,
    Cleaning.CHARACTERISTICS: clean_characteristic,
    Cleaning.STRUCTURED_CONTENT: clean_descriptor,
    Cleaning.GRAPHICS: removed,
    Cleaning.PSEUDONYM: clean_to_pseudonym,
    Cleaning.PRIVATE: clean_private_value,
}
