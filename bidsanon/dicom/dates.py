"""Dates and times as DICOM writes them (PS3.5 Table 6.2-1: DA, DT, TM), shifted and written out.

A value that the standard does not allow is never guessed at, nor is one that names no day: they are
emptied.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from bidsanon.dicom.uids import PADDING

SHIFTED_YEARS = range(1902, 1926)
"""The years to which dates are shifted, as BIDS recommends (the FIF format knows no earlier ones).
"""

DATES_AND_TIMES = (
    (0x00080022, 0x00080032),  # Acquisition
    (0x00080023, 0x00080033),  # Content
    (0x00080021, 0x00080031),  # Series
    (0x00080020, 0x00080030),  # Study
)
"""Where a day and its time of day stand, the nearest to the acquisition first."""

FIRST_SCANNED_YEAR = 1980
"""No digital image is older: an earlier date of one was shifted, or is none."""

_DA = re.compile(r"(\d{4})(\d{2})(\d{2})|(\d{4})\.(\d{2})\.(\d{2})", re.ASCII)
_TM = re.compile(
    r"([01]\d|2[0-3])(?:[0-5]\d(?:(?:[0-5]\d|60)(?:\.\d+)?)?)?"
    r"|([01]\d|2[0-3]):[0-5]\d(?::(?:[0-5]\d|60)(?:\.\d+)?)?",
    re.ASCII,
)
_DT = re.compile(r"(\d{4}(?:\d{2}){0,2})((?<=\d{8})[0-9.]+)?([+-]\d{4})?", re.ASCII)
_OFFSET_HOURS = range(-12, 15)


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


@dataclass(frozen=True, kw_only=True)
class DateShift:
    """How the dates of an instance are moved: by whole days, so that intervals stay.

    Attributes
    ----------
    days
        How many days are added.
    stay
        The first and the last day of those that were moved before, and stay; None: none were.
    births_stay_until
        The last day of these that a date of birth may be; None: none may.
    latest
        The last day that a moved date may be.
    """

    days: int
    stay: tuple[date, date] | None = None
    births_stay_until: date | None = None
    latest: date = date.max

    def moved(self, day: date, *, birth: bool = False) -> date | None:
        """Return where a day is moved to; None where that is no day, or too late a one.

        Parameters
        ----------
        day
            The day.
        birth
            Whether somebody was born on it.
        """
        if self.stay and self.stay[0] <= day <= self.stay[1]:
            until = self.births_stay_until
            if not birth or (until and day <= until):
                return day
        try:
            moved = day + timedelta(days=self.days)
        except OverflowError:
            return None
        return moved if moved <= self.latest else None

    def da(self, text: str, *, birth: bool = False) -> str:
        """Return a DA value moved; '' for one that is invalid or cannot be moved."""
        day = parse_date(text)
        moved = day and self.moved(day, birth=birth)
        return format_date(moved) if moved else ""

    def dt(self, text: str) -> str:
        """Return a DT value with its day moved, its time and its offset from UTC as they are.

        The offset stays because the interval to a value with another one depends on it. A partial
        value (``YYYY``, ``YYYYMM``) names no day that could be moved, and gives '' as an invalid
        one does.

        Parameters
        ----------
        text
            ``YYYYMMDDHHMMSS.FFFFFF&ZZXX``, of which everything after the day may be absent.
        """
        parts = _datetime_parts(text)
        day = parts and parse_date(parts[0])
        moved = day and self.moved(day)
        return f"{format_date(moved)}{parts[1]}{parts[2]}" if parts and moved else ""


def is_valid_datetime(text: str) -> bool:
    """Tell whether a text is a DT value, a partial one (``YYYY``, ``YYYYMM``) included."""
    parts = _datetime_parts(text)
    return parts is not None and parse_date(f"{parts[0]}0101"[:8]) is not None


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


def _datetime_parts(text: str) -> tuple[str, str, str] | None:
    """Return the date, the time and the offset of a DT value; None where it has not that form."""
    match = _DT.fullmatch(text.strip(PADDING))
    if match is None:
        return None
    day, time, offset = (part or "" for part in match.groups())
    valid = _is_offset(offset) and (not time or is_valid_time(time))
    return (day, time, offset) if valid else None


def _is_offset(text: str) -> bool:
    if not text:
        return True
    hours, minutes = int(text[:3]), int(text[3:])
    return hours in _OFFSET_HOURS and minutes < 60  # noqa: PLR2004
