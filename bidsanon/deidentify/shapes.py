"""Finds in a text what has the shape of an identifier, whoever it may belong to.

E-mail and web addresses, UIDs, dates, times of day, telephone numbers, record numbers (six digits
and more), what a label calls an identifier, a birth or an age, and titles or labels with the names
after them. Sequence names, sizes, b-values, gradient directions and compression ratios have none
of these shapes: what would cut them is narrowed until it does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from bidsanon.dicom.terms import is_acquisition_term
from bidsanon.session import NoteReason

_B = r"(?<![^\W_])"
"""No letter or digit before; an underscore may be."""
_E = r"(?![^\W_])"
"""No letter or digit after."""
_YEAR, _MONTH, _DAY = r"(?:19|20)\d\d", r"(?:0?[1-9]|1[0-2])", r"(?:0?[1-9]|[12]\d|3[01])"
_TWO_DIGIT_DAY = r"(?:0[1-9]|[12]\d|3[01])"
_MONTH_NAME = r"""(?:jan(?:uar|uary)?|feb(?:ruar|ruary)?|mar(?:ch)?|märz?|apr(?:il)?|may|mai|june?
    |juni|july?|juli|aug(?:ust)?|sept?(?:ember)?|o[ck]t(?:ober)?|nov(?:ember)?|de[cz](?:ember)?)"""
_LABELLED_NUMBER = r"""(?:mrn | pat(?:ient)?[ _.-]?(?:id|nr|no) | patid | ssn | nhs
    | accession(?:[ _-]?(?:no|nr|number))? | case[ _-]?(?:no|nr|id) | fall(?:nr|nummer))"""

_SHAPES = {
    NoteReason.E_MAIL: (r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+",),
    NoteReason.WEB_ADDRESS: (r"\b(?:https?|ftp)://\S+ | \bwww\.\S+",),
    NoteReason.UID: (r"(?<![\d.])\d+(?:\.\d+){5,}",),
    NoteReason.DATE: (
        # In figures. Eight digits after "0." are a decimal number.
        rf"(?<!\d)(?<!\b0\.){_YEAR}(?:0[1-9]|1[0-2]){_TWO_DIGIT_DAY}(?!\d)",
        rf"(?<!\d){_YEAR}([-./_\ ]){_MONTH}\1{_DAY}(?!\d)",
        rf"(?<![\d.]){_DAY}([-./_]){_DAY}\1{_YEAR}(?!\d)",
        rf"(?<![\d.]){_TWO_DIGIT_DAY}([./]){_TWO_DIGIT_DAY}\1\d\d(?![\d.])",
        # With the month's name, and months of a year.
        rf"(?<!\d){_DAY}[.\ -]{{0,2}}{_MONTH_NAME}[.\ -]{{0,2}}{_YEAR}(?!\d)",
        rf"""(?<![^\W\d_]){_MONTH_NAME}[.\ -]{{1,2}}
            (?:{_DAY}(?:st|nd|rd|th)?[,.\ ]{{1,2}})?{_YEAR}(?!\d)""",
        rf"(?<!\d){_YEAR}[-.\ ]{_MONTH_NAME}(?:[-.\ ]{_DAY})?{_E}",
    ),
    NoteReason.TIME: (
        # Two digits for the hour, or am and pm. 2097:1 is a ratio.
        r"""(?<![\d:.])(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:[.,]\d+)?)?(?![\d:])
            (?:\s?[ap]m\b)?""",
        r"(?<![\d:.])(?:1[0-2]|0?[1-9])(?::[0-5]\d)?\s?[ap]\.?m\b",
    ),
    NoteReason.TELEPHONE: (
        # International ones, and those that a label calls so.
        r"(?<![\w+])\+\d{1,3}(?:[ ()/.-]{0,2}\d{3,}){2,}",
        r"(?<![\w+])\+\d{1,3}(?:[ ()/-]{1,2}\d{2,}){2,}",
        r"(?<![\d.])00\d{2}(?:[ ()/-]{1,2}\d{2,}){2,}",
        rf"{_B}(?:tel|telefon|phone|fax|mobile?|handy|call)[.:\ ]{{1,2}}\+?[\d(][\d ()/.-]{{4,}}\d",
    ),
    NoteReason.RECORD_NUMBER: (
        # Social security numbers; record numbers, but no decimals.
        r"(?<!\d)\d{3}-\d{2}-\d{4}(?!\d)",
        rf"{_B}[a-z]{{1,3}}\d{{6,}}(?:[.,]\d+)?[a-z]?{_E}",
        r"(?<!\d)(?<!\d[.,])\d{6,}(?:[.,]\d+)?",
    ),
    NoteReason.LABELLED: (
        rf"{_B}{_LABELLED_NUMBER}[ .:\#=_-]*(?=[\w-]*\d)[\w-]+",
        rf"{_B}id\s?[:\#=]\s?[\w-]+",
    ),
    NoteReason.AGE: (
        rf"""{_B}(?:dob|d\.o\.b\.|geb(?:oren|\.)?|born|birth\ ?date)[\s:=]*(?:am|on|the)?\s*
            \d[\d./ -]*""",
        rf"{_B}\d{{1,3}}\s?(?:y/o|yo|years?[ -]old|jahre\ alt|jährige?r?){_E}",
    ),
}
_COMPILED = tuple(
    (re.compile(shape, re.IGNORECASE | re.VERBOSE), reason)
    for reason, shapes in _SHAPES.items()
    for shape in shapes
)
_NATIONAL_TELEPHONES = tuple(
    re.compile(shape)
    for shape in (
        rf"{_B}\(?0\d{{2,5}}\)?[ /-]{{1,3}}\d{{2,}}(?:[ /-]?\d{{2,}})*(?![\d.])",
        rf"{_B}\(?\d{{3}}\)?[ -]?\d{{3}}-\d{{4}}(?![\d.])",
        rf"{_B}\d{{3}}\.\d{{3}}\.\d{{4}}(?![\d.])",
    )
)
_FEWEST_DIGITS = 8

_TITLE = re.compile(
    rf"""{_B}(?:Dr|Prof|PROF|Professor|Doctor|Doktor|Mr|Mrs|MRS|Ms|Miss|Herrn?|HERRN?|Frau|FRAU
        |frau|Mme|Mlle|Monsieur|Madame|Nurse|Schwester){_E}\.? | {_B}(?:MR|MS|DR)\.(?=\s)""",
    re.VERBOSE,
)
_PERHAPS_TITLE = re.compile(rf"{_B}(?:DR|dr|prof|mr|mrs|herrn?){_E}\.?")
_LABEL = re.compile(
    rf"""{_B}(?:(?:patient(?:in)?(?:'s)?(?:\ name)? | name | subject\ name | operator | arzt
        | technologist | technician | mtra? | radiographer | physician | referrer | bediener
        | untersucher)\s*[:=]
        | (?:scanned|performed|acquired|requested|referred|operated|done|checked|read)\ by\s*:?
        )\s*""",
    re.VERBOSE | re.IGNORECASE,
)
_NAME_WORD = re.compile(r"[\s._]{0,3}([^\W\d_]+(?:[-'\u2019][^\W\d_]+)*\.?)(?![^\W_])")
_BEFORE_NAMES = frozenset(
    (
        *("dr", "prof", "med", "phil", "rer", "nat", "dipl", "ing"),
        *("von", "van", "der", "den", "de", "del", "la", "le", "di", "da", "bin", "al", "zu"),
    )
)
_MOST_NAME_WORDS = 3


class Span(NamedTuple):
    """A piece of a text that is to be cut, and why."""

    start: int
    end: int
    reason: NoteReason


def shape_spans(text: str) -> Iterator[Span]:
    """Yield where something identifying stands in a text, by its shape alone, in any order."""
    for shape, reason in _COMPILED:
        yield from (Span(*match.span(), reason) for match in shape.finditer(text))
    for shape in _NATIONAL_TELEPHONES:
        for match in shape.finditer(text):
            if _is_telephone_number(match[0]):
                yield Span(*match.span(), NoteReason.TELEPHONE)
    for match in _TITLE.finditer(text):
        yield from _with_names(text, match, terms_too=True)
    for match in _PERHAPS_TITLE.finditer(text):
        yield from _with_names(text, match, terms_too=False)
    for match in _LABEL.finditer(text):
        yield from _with_names(text, match, terms_too=True)


def _is_telephone_number(text: str) -> bool:
    """Tell a telephone number from a list of round b-values (200-500-1000)."""
    groups = re.findall(r"\d+", text)
    enough = sum(map(len, groups)) >= _FEWEST_DIGITS
    return enough and not all(group.endswith("0") for group in groups)


def _with_names(text: str, match: re.Match[str], *, terms_too: bool) -> Iterator[Span]:
    """Yield a title or label with the names after it; nothing where no name follows.

    Parameters
    ----------
    text
        The whole text.
    match
        The title or label.
    terms_too
        Whether the first word is taken for a name although it is an acquisition term: after
        "Dr." it is, after "DR" (digital radiography) it is not.
    """
    end, names = match.end(), 0
    while names < _MOST_NAME_WORDS and (word := _NAME_WORD.match(text, end)):
        bare = word[1].rstrip(".")
        if bare.lower() not in _BEFORE_NAMES:
            is_first = names == 0
            if is_acquisition_term(bare) and not (is_first and terms_too):
                break
            if not is_first and not bare[0].isupper():
                break
            names += 1
        end = word.end()
    if names:
        yield Span(match.start(), end, NoteReason.TITLE_WITH_NAME)
