"""Finds dates, months of a year and times of day in a text, however people write them.

A year alone stays: "2012 protocol" says nothing about when somebody was scanned.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from functools import cache

from bidsanon.deidentify.spans import BEGINS, ENDS, Shapes, Span, compiled, find_shapes
from bidsanon.dicom.dates import parse_date
from bidsanon.notes import NoteReason
from bidsanon.resources import data_path

MONTH_NAMES = "month_names.tsv"

_YEAR, _MONTH, _DAY = r"(?:19|20)\d\d", r"(?:0?[1-9]|1[0-2])", r"(?:0?[1-9]|[12]\d|3[01])"
_TWO_DIGIT_MONTH, _TWO_DIGIT_DAY = r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12]\d|3[01])"
_NOT_A_ROUND_YEAR = r"(?!\d\d(?:00|50))(?:19[3-9]|20[0-4])\d"
"""A year that is no repetition time, where only a month stands beside it."""
_ROMAN_MONTH = r"(?:I{1,3}|I?V|VI{1,3}|I?X|XI{1,2})"
_SHORT_ENGLISH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)"
_CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:[.,]\d+)?)?"
_ZONE = r"(?:Z|[+-]\d\d:?\d\d)?"
_LANGUAGES_OF_SHORT_MONTHS = {"en", "de", "fr"}
_AMBIGUOUS = {"may"}
_TWO_DIGIT_DATE = re.compile(r"(?<![\d.])(\d\d)([./])(\d\d)\2(\d\d)(?![\d.])")
_DURATION_LABEL = re.compile(rf"{BEGINS}(?:TA|dur(?:ation)?|time)\s?[:=]?\s?\Z", re.IGNORECASE)
_CLOCK_TIME = re.compile(
    rf"(?<![\d:.]){_CLOCK}(?![\d:])(?!\s?(?:min|sec|s\b|m\b))(?:\s?(?:[ap]m\b|h\b|uhr\b))?",
    re.IGNORECASE,
)

_FIGURES = compiled(
    {
        NoteReason.DATE: (
            # Eight digits after "0." are a decimal number.
            rf"""(?<!\d)(?<!\b0\.){_YEAR}{_TWO_DIGIT_MONTH}{_TWO_DIGIT_DAY}
                (?:T\d{{4,6}}(?:\.\d+)?{_ZONE}{ENDS} | (?!\d))""",
            rf"""(?<!\d){_YEAR}([-./_]){_MONTH}\1{_DAY}
                (?:[T\ ]{_CLOCK}{_ZONE}{ENDS} | (?!\d))""",
            rf"(?<!\d)(?!2000){_YEAR}\ {_MONTH}\ {_DAY}(?!\d)",
            rf"(?<![\d.]){_DAY}([-./_]){_DAY}\1{_YEAR}(?!\d)",
            rf"(?<![\d.]){_TWO_DIGIT_DAY}\ {_TWO_DIGIT_DAY}\ (?!2000){_YEAR}(?!\d)",
            rf"(?<![\d./-]){_TWO_DIGIT_MONTH}[-./]{_NOT_A_ROUND_YEAR}(?![\d./-])",
            rf"(?<![\d./-]){_NOT_A_ROUND_YEAR}[-/]{_TWO_DIGIT_MONTH}(?![\d./-])",
            r"(?:\d{4}\s?年\s?)?\d{1,2}\s?月(?:\s?\d{1,2}\s?日)? | \d{4}\s?年",
            rf"(?-i:{BEGINS}{_DAY}[-./\ ]{_ROMAN_MONTH}[-./\ ]{_YEAR}(?!\d))",
        ),
        NoteReason.TIME: (
            r"(?<![\d:.])(?:1[0-2]|0?[1-9])(?::[0-5]\d)?\s?[ap]\.?m\b(?!\s?:)",
            rf"{BEGINS}(?:[01]?\d|2[0-3])(?:[.:][0-5]\d)?\s?uhr\b",
            rf"{BEGINS}(?:[01]?\d|2[0-3])h[0-5]\d{ENDS}",
            rf"{BEGINS}(?:[01]\d|2[0-3])\.?[0-5]\dh{ENDS}",
        ),
    }
)


def date_spans(text: str) -> Iterator[Span]:
    """Yield where dates and times of day stand in a text."""
    yield from find_shapes(text, _FIGURES)
    month, in_words = _words()
    if month.search(text):
        yield from find_shapes(text, in_words)
    for match in _TWO_DIGIT_DATE.finditer(text):
        first, second, year = match[1], match[3], match[4]
        if any(parse_date(f"20{year}{md}") for md in (first + second, second + first)):
            yield Span(*match.span(), NoteReason.DATE)
    for match in _CLOCK_TIME.finditer(text):
        if not _DURATION_LABEL.search(text, max(0, match.start() - 12), match.start()):
            yield Span(*match.span(), NoteReason.TIME)


@cache
def _words() -> tuple[re.Pattern[str], Shapes]:
    """Return what finds the name of a month, and the shapes of dates that hold one."""
    any_name, telling, full = _month_names()
    # A day of one digit after a letter is a part of a name: T1 Sept. 2018.
    day = rf"(?:{BEGINS}{_DAY}|(?<!\d){_TWO_DIGIT_DAY})"
    of = r"(?:[.\ ]?\s?(?:de|of|d[eo]s?|den)\s)"
    gap = rf"(?:{of}|[.\ -]{{0,2}})"
    shapes = (
        rf"{day}(?:st|nd|rd|th)?{gap}{any_name}{gap}(?:{_YEAR}|(?<=[-.\ ])'?\d\d){ENDS}",
        rf"(?<![^\W\d_]){any_name}[.\ -]{{1,2}}{_DAY}(?:st|nd|rd|th)?[,.\ ]{{1,2}}{_YEAR}(?!\d)",
        rf"(?<![^\W\d_]){telling}[.\ -]{{0,2}}(?:(?:of|de|du)\s)?{_YEAR}(?!\d)",
        rf"(?<!\d){_YEAR}[-.\ ]{telling}(?:[-.\ ]{_DAY})?{ENDS}",
        # Without a year: a month's whole name, or an ordinal number.
        rf"{BEGINS}{_DAY}(?:st|nd|rd|th|\.)?{of}?\ ?{full}{ENDS}",
        rf"{BEGINS}{full}\ {_DAY}(?:st|nd|rd|th)?{ENDS}",
        rf"{BEGINS}{_DAY}(?:st|nd|rd|th)(?:\ of)?\ {any_name}{ENDS}",
        rf"{BEGINS}{any_name}\.?\ {_DAY}(?:st|nd|rd|th){ENDS}",
        rf"(?<!\d){_TWO_DIGIT_DAY}{_SHORT_ENGLISH}\d\d{ENDS}",
        rf"""(?-i:{BEGINS}{_DAY}-{_SHORT_ENGLISH}{ENDS}
            | {BEGINS}{_TWO_DIGIT_DAY}{_SHORT_ENGLISH}{ENDS})""",
    )
    return re.compile(any_name, re.IGNORECASE), compiled({NoteReason.DATE: shapes})


@cache
def _month_names() -> tuple[str, str, str]:
    """Return expressions of all month names, of those that stand beside a year, of whole ones."""
    lines = data_path(MONTH_NAMES).read_text("utf-8").splitlines()
    rows = list(csv.DictReader(lines, delimiter="\t"))
    full = {row["name"] for row in rows if row["form"] == "full"}
    short = {
        row["name"]
        for row in rows
        if row["form"] == "short" and _LANGUAGES_OF_SHORT_MONTHS & set(row["languages"].split())
    }
    return (
        _any_of(row["name"] for row in rows),
        _any_of(full | short),
        _any_of(full - _AMBIGUOUS),
    )


def _any_of(words: Iterable[str]) -> str:
    longest_first = sorted(words, key=lambda word: (-len(word), word))
    return f"(?:{'|'.join(map(re.escape, longest_first))})"
