"""What may stay of a value that no rule speaks of.

An attribute that Table E.1-1 does not list stays (PS3.15 E.1.1): nobody is meant to be named there.
People and programs do it all the same: in a sequence's name, in the meaning of a code, in a number
that a file calls a text. So what stays must read as its attribute does, whatever VR the file gives
it, and must not repeat what the headers say elsewhere about person, staff, place and time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bidsanon.deidentify.actions import DESCRIBING
from bidsanon.deidentify.cleanings import TEXT_VRS, clean_descriptor, take_out
from bidsanon.deidentify.context import (
    PERHAPS_SEQUENCE,
    Context,
    Fate,
    Outcome,
    Rule,
    is_sequence,
    removed,
)
from bidsanon.deidentify.descriptors import CleanedText
from bidsanon.deidentify.harvest import WORDS
from bidsanon.dicom.charset import encode_text
from bidsanon.dicom.elements import Element
from bidsanon.dicom.vrs import NUMBERS, ONE_TEXT, dictionary_vr
from bidsanon.dicom.writing import write_element
from bidsanon.identity import ValueKind
from bidsanon.notes import NoteReason

_BINARY = frozenset({"AT", *NUMBERS})
_NUMBER = re.compile(rb"(?:[-+0-9.,eE \\\0]|(?i:nan|inf))*")
_MOMENT = re.compile(rb"[-+0-9.: \\\0]*")
_WRITTEN = {
    "AS": re.compile(rb"(?:[0-9]{3}[DWMY]|[ \\\0])*"),
    "DA": _MOMENT,
    "DS": _NUMBER,
    "DT": _MOMENT,
    "IS": _NUMBER,
    "TM": _MOMENT,
    "UI": re.compile(rb"[0-9. \\\0]*"),
}
_LONG_INTEGER = re.compile(rb"(?<![0-9.])[0-9]{6,}(?![0-9.])")
_READABLE = re.compile(rb"[\x20-\x7e]{5,}|(?:[\x20-\x7e]\0){5,}")
_LONGEST_NUMBER = 8  # bytes; several can spell a name
_LETTERS = re.compile(rb"[A-Za-z][\x20-\x7e]{14,}[ \0]?")
_PIXELS = 0x7FE0
# Names of makers and models: where one of them is a person's name too, it still stays.
_OF_THE_DEVICE = frozenset({0x00080070, 0x00081090})
_IDENTIFIERS = frozenset({ValueKind.IDENTIFIER})
# Shorter words are terms of the standard first (HFS, ROW, AXIAL), and somebody's name by accident.
_SHORTEST_IN_CODES = 6


def keep_unlisted(element: Element, rule: Rule, context: Context) -> Outcome:
    """Keep a value of an attribute that no rule speaks of, as far as it says nothing of anybody."""
    vr = element.vr
    if vr in PERHAPS_SEQUENCE and is_sequence(element, context):
        return Fate.ENTERED
    meant = dictionary_vr(element.tag)
    short = element.end - element.body <= _LONGEST_NUMBER
    if vr in _BINARY and meant not in TEXT_VRS and meant != "SQ" and short:
        return Fate.KEPT
    if element.tag >> 16 == _PIXELS and meant not in TEXT_VRS:
        return Fate.KEPT
    fits = meant != "SQ" and (vr != "PN" or meant == "PN")
    if fits and _is_text(vr, meant):
        return _keep_text(element, rule, context, vr if vr in TEXT_VRS else meant)
    value = context.value(element)
    if meant in _WRITTEN and vr not in _BINARY:
        fits = fits and _is_written_as(meant, value, context)
    elif meant in _BINARY and vr in TEXT_VRS:
        fits = fits and _is_written_as("DS", value, context)
    else:
        spells = vr in _BINARY and _LETTERS.fullmatch(value)
        fits = fits and not spells and not any(_cut(run, context) for run in readable(value))
    if fits:
        return Fate.KEPT
    context.tools.note(element, rule, NoteReason.OTHER_THAN_MEANT)
    return removed(element, rule, context)


def clean_unlisted_words(element: Element, rule: Rule, context: Context) -> Outcome:
    """Clean what no rule speaks of within the items of a sequence that is itself cleaned."""
    if element.vr in DESCRIBING:
        return clean_descriptor(element, rule, context)
    return keep_unlisted(element, rule, context)


def _is_text(vr: str, meant: str) -> bool:
    if meant in TEXT_VRS:
        return vr not in _BINARY
    return vr in TEXT_VRS and meant not in _WRITTEN and meant not in _BINARY


def _keep_text(element: Element, rule: Rule, context: Context, vr: str) -> Outcome:
    """Cut from a text what the headers say elsewhere; from a free one, what has a shape as well."""
    text = context.text(element)
    parts = [text] if vr in ONE_TEXT else text.split("\\")
    cleaned = [_cleaned(part, element.tag, vr, context) for part in parts]
    kept = "\\".join(part.text for part in cleaned)
    if vr in WORDS:
        context.tools.harvest.keep(encode_text(kept, context.character_set), context.character_set)
    if kept == text:
        return Fate.KEPT
    take_out(cleaned, element, rule, context)
    if element.vr not in TEXT_VRS:
        return Fate.REMOVED
    value = encode_text(kept, context.character_set)
    return write_element(element.tag, element.vr, value, context.encoding)


def _cleaned(text: str, tag: int, vr: str, context: Context) -> CleanedText:
    replace = context.tools.replace
    if vr in ONE_TEXT:
        return replace.clean_text(text)
    if tag in _OF_THE_DEVICE:
        return replace.without_known(text, _IDENTIFIERS)
    cleaned = replace.without_known(text)
    if vr == "CS" and not any(len(piece) >= _SHORTEST_IN_CODES for piece in cleaned.cut):
        return CleanedText(text=text)
    return cleaned


def _is_written_as(vr: str, value: bytes, context: Context) -> bool:
    """Tell whether a value is written as a VR is, and no number in it is one of the person's."""
    if not _WRITTEN[vr].fullmatch(value):
        return False
    return not any(_cut(found.decode("ascii"), context) for found in _LONG_INTEGER.findall(value))


def _cut(text: str, context: Context) -> CleanedText | None:
    """Return what is cut from a text, or None where nothing is."""
    cleaned = context.tools.replace.without_known(text)
    return cleaned if cleaned.cut else None


def readable(value: bytes) -> Iterator[str]:
    """Yield the stretches of a binary value that read as text."""
    for run in _READABLE.findall(value):
        yield run.replace(b"\0", b"").decode("ascii")
