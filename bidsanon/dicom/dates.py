"""Dates and times as DICOM writes them (PS3.5 Table 6.2-1: DA, DT, TM), shifted and written out.

A value that the standard does not allow is never guessed at: it is emptied.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import lru_cache

from bidsanon.dicom.uids import PADDING

_DA = re.compile(r"(\d{4})(\d{2})(\d{2})|(\d{4})\.(\d{2})\.(\d{2})", re.ASCII)
_TM = re.compile(
    r"([01]\d|2[0-3])(?:[0-5]\d(?:(?:[0-5]\d|60)(?:\.\d+)?)?)?"
    r"|([01]\d|2[0-3]):[0-5]\d(?::(?:[0-5]\d|60)(?:\.\d+)?)?",
    re.ASCII,
)
_DT = re.compile(r"(\d{4})(\d{2})?(\d{2})?((?<=\d{8})[0-9.]+)?([+-]\d{4})?", re.ASCII)
_OFFSET_HOURS = range(-12, 15)
_YEAR, _MONTH, _DAY = 4, 6, 8


def parse_date(text: str) -> date | None:
    """Return the day that a DA value names; None where it names none.

    Accepts ``YYYYMMDD`` and ACR-NEMA's ``YYYY.MM.DD``, padded or not.
    """
    match = _DA.fullmatch(text.strip(PADDING))
    if match is None:
        return None
    return _day(*(part for part in match.groups() if part is not None))


def format_date(day: date) -> str:
    """Write a day as DA does: ``YYYYMMDD``."""
    return f"{day.year:04d}{day.month:02d}{day.day:02d}"


def shift_date(text: str, days: int) -> str:
    """Return a DA value moved by whole days; '' for one that is invalid or leaves the calendar."""
    return _moved(parse_date(text), days)


def shift_datetime(text: str, days: int) -> str:
    """Return a DT value with its day moved, its time and its offset from UTC as they are.

    A partial value (``YYYY``, ``YYYYMM``) is moved from its first day and stays as partial. An
    invalid one gives ''.

    Parameters
    ----------
    text
        ``YYYYMMDDHHMMSS.FFFFFF&ZZXX``, of which everything after the year may be absent.
    days
        How many days to add.
    """
    match = _DT.fullmatch(text.strip(PADDING))
    if match is None:
        return ""
    year, month, day, time, offset = (part or "" for part in match.groups())
    if not _is_offset(offset) or (time and not is_valid_time(time)):
        return ""
    moved = _moved(_day(year, month or "01", day or "01"), days)
    return moved and moved[: len(year + month + day)] + time + offset


def is_valid_time(text: str) -> bool:
    """Tell whether a text is a TM value: ``HHMMSS.FFFFFF``, or ACR-NEMA's with colons.

    A fraction of more than six digits is let pass: scanners write it, and it is clear.
    """
    return _TM.fullmatch(text.strip(PADDING)) is not None


@lru_cache(maxsize=1024)
def written_forms(text: str) -> tuple[str, ...]:
    """Return the forms in which people and programs write the day of a DA value.

    Year first, day first, month first, with each usual separator, with two-digit years where
    separators tell them from other numbers, and with the month's name in English and German,
    whole or short. In lower case. An invalid value has none.
    """
    day = parse_date(text)
    if day is None:
        return ()
    return tuple(dict.fromkeys(form.lower() for form in (*_in_figures(day), *_in_words(day))))


_SEPARATORS = ("-", ".", "/", "_")
_ENGLISH_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_GERMAN_MONTHS = (
    *("Januar", "Februar", "März", "April", "Mai", "Juni"),
    *("Juli", "August", "September", "Oktober", "November", "Dezember"),
)


def _in_figures(day: date) -> list[str]:
    year, month, dom = f"{day.year:04d}", f"{day.month:02d}", f"{day.day:02d}"
    orders = [(year, month, dom), (dom, month, year), (month, dom, year)]
    forms = ["".join(order) for order in orders] + [" ".join(order) for order in orders]
    orders += [(str(day.day), str(day.month), year), (str(day.month), str(day.day), year)]
    short = year[2:]
    orders += [(short, month, dom), (dom, month, short), (month, dom, short)]
    orders += [(str(day.day), str(day.month), short), (str(day.month), str(day.day), short)]
    return forms + [separator.join(order) for order in orders for separator in _SEPARATORS]


def _in_words(day: date) -> list[str]:
    months = (_ENGLISH_MONTHS[day.month - 1], _GERMAN_MONTHS[day.month - 1])
    names = dict.fromkeys((*months, *(month[:3] for month in months)))
    days = dict.fromkeys((str(day.day), f"{day.day:02d}"))
    forms = []
    for name in names:
        for dom in days:
            for year in (str(day.year), f"{day.year % 100:02d}"):
                forms += [joint.join((dom, name, year)) for joint in ("", "-", " ", ".", "_")]
            forms += [f"{dom}. {name} {day.year}", f"{name} {dom}, {day.year}"]
            forms += [f"{name} {dom} {day.year}", f"{day.year}-{name}-{dom}"]
    return forms


def _day(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _moved(day: date | None, days: int) -> str:
    if day is None:
        return ""
    try:
        return format_date(day + timedelta(days=days))
    except OverflowError:
        return ""


def _is_offset(text: str) -> bool:
    if not text:
        return True
    hours, minutes = int(text[:3]), int(text[3:])
    return hours in _OFFSET_HOURS and minutes < 60  # noqa: PLR2004
