"""What a value says, wherever it stands: a date, an age, an address, a folder of somebody's.

BIDS has dates of people shifted to 1925 or before, and ages capped at 89.
"""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache

LAST_SHIFTED_YEAR = 1925
OLDEST_AGE = 89

_LONGEST = 64
"""Characters of a date or an age; a longer text writes neither."""
_EARLIEST, _LATEST = 1500, 2100
_CENTURY_FROM = 40  # 12.3.41 was in 1941, 12.3.39 will be in 2039: both are unshifted
_ISO = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})"
    r"(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?(?:Z|[+-]\d{2}:?\d{2}))?)?",
    re.ASCII,
)
_DICOM = re.compile(
    r"(\d{4})[./]?(\d{2})[./]?(\d{2})(?:[T ]?\d{4,6}(?:\.\d+)?)?(?:[+-]\d{4})?", re.ASCII
)
_DAY_FIRST = re.compile(r"(\d{1,2})[-./ ](\d{1,2})[-./ ](\d{4}|\d{2})(?:[ ,T].*)?", re.ASCII)
_YEAR_FIRST = re.compile(r"(\d{4})([-/_])(\d{1,2})\2(\d{1,2})(?:[ ,T_].*)?", re.ASCII)
_WITH_SIGNS = re.compile(r"(\d{4}) ?[年년] ?(\d{1,2}) ?[月월] ?(\d{1,2}) ?[日일].*", re.ASCII)
_WEEKDAY = re.compile(r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}[,.]? +", re.IGNORECASE)
_IN_WORDS = re.compile(
    r"(?:(\d{1,2})(?:st|nd|rd|th)?[-. ]*([^\W\d_]{3,9})"
    r"|([^\W\d_]{3,9})[-. ]*(\d{1,2})(?:st|nd|rd|th)?)"
    r"[-,. ]*(\d{4})(?:[ ,].*)?"
)
_YEAR_BEFORE_WORD = re.compile(r"(\d{4})[-_ ]?([^\W\d_]{3,9})[-_. ]{0,2}(\d{1,2})(?:[ ,T_].*)?")
_SHORT_YEAR = re.compile(r"(\d{1,2})(-?)([^\W\d_]{3})\2(\d{2})(?:[ :].*)?")
_CLOCK_BEFORE_YEAR = re.compile(
    r"([^\W\d_]{3,9}) +(\d{1,2}) +\d{1,2}:\d{2}(?::\d{2})?(?: [A-Z]{2,5})? (\d{4})"
)
_IN_FIGURES = (
    (_DICOM, (1, 2, 3)),
    (_YEAR_FIRST, (1, 3, 4)),
    (_WITH_SIGNS, (1, 2, 3)),
    (_DAY_FIRST, (3, 2, 1)),
    (_DAY_FIRST, (3, 1, 2)),
)
"""Each with the groups of year, month and day."""
_WITH_MONTHS = (
    (_IN_WORDS, ((5,), (2, 3), (1, 4))),
    (_YEAR_BEFORE_WORD, ((1,), (2,), (3,))),
    (_SHORT_YEAR, ((4,), (3,), (1,))),
    (_CLOCK_BEFORE_YEAR, ((3,), (1,), (2,))),
)
"""Each with the groups of year, month and day, of which one is there."""
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_MONTHS_ELSEWHERE = {
    "mär": 3,
    "mae": 3,
    "mrz": 3,
    "mai": 5,
    "okt": 10,
    "dez": 12,
    "ene": 1,
    "abr": 4,
    "ago": 8,
    "dic": 12,
    "fév": 2,
    "avr": 4,
    "aoû": 8,
    "déc": 12,
    "gen": 1,
    "mag": 5,
    "giu": 6,
    "lug": 7,
    "set": 9,
    "ott": 10,
    "juin": 6,
    "juil": 7,
    "mei": 5,
    "maa": 3,
    "mrt": 3,
    "maj": 5,
    "sty": 1,
    "lut": 2,
    "kwi": 4,
    "cze": 6,
    "lip": 7,
    "sie": 8,
    "wrz": 9,
    "paź": 10,
    "lis": 11,
    "gru": 12,
    "янв": 1,
    "фев": 2,
    "мар": 3,
    "апр": 4,
    "мая": 5,
    "май": 5,
    "июн": 6,
    "июл": 7,
    "авг": 8,
    "сен": 9,
    "окт": 10,
    "ноя": 11,
    "дек": 12,
}
_MONTH = re.compile(
    r"(\d{4})-(\d{2})|(\d{1,2})/(\d{4})|([^\W\d_]{3,9})[-., ]{1,2}(\d{4})", re.IGNORECASE
)
_WITHIN = re.compile(
    r"(?<![^\W_])(?<![./-])(?:(\d{4})-(\d{2})-(\d{2})|(\d{1,2})([./])(\d{1,2})\5(\d{4}))"
    r"(?![/-])(?!\.\d)(?:(?=T\d{2}:\d{2})|(?![^\W_]))",
    re.ASCII,
)
_AGE = re.compile(r"[>≥]?\s*0*(\d{1,5}(?:\.\d+)?)\s*(y|yr|yrs|year|years)?", re.IGNORECASE)
_AGE_STRING = re.compile(r"(\d{3})([DWMY])", re.ASCII)  # DICOM's AS, PS3.5 Table 6.2-1
_PER_YEAR = {"d": 365.25, "w": 52.18, "m": 12.0, "y": 1.0}
_E_MAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,6}")
_NOBODYS_MAIL = re.compile(r"@(?:[\w-]+\.)*(?:example\.\w+|users\.noreply\.github\.com)$|^git@")
_TELEPHONE = re.compile(
    r"(?<![\w+])\+\d{1,3}(?:[ ()/.-]{0,3}\d){7,12}(?![\d.])"
    r"|\b(?:tel|telephone|telefon|téléphone|phone|fax|mobile)\b[.: ]{1,3}\+?[\d(][\d ()/.-]{5,}\d",
    re.IGNORECASE,
)
_PERSON = re.compile(r"(?<![^\W_])[^\W\d_]{2,}(?:[ '-][^\W\d_]+)?\^{1,2}[A-ZÀ-Þ][^\W\d_]+")
_LETTER = re.compile(r"[^\W\d_]")
_HOME = re.compile(
    r"(?:(?<![\w.])/(?:home|Users|data/home|usr/home)/"
    r"|[A-Za-z]:[\\/]{1,2}(?:Users|Documents and Settings)[\\/]{1,2})"
    r"([\w.-]{2,32})",
    re.IGNORECASE,
)
_ACCOUNT = re.compile(
    r"^#\s*user(?:name)?\s+([\w.-]{2,32})\s*$"  # FreeSurfer's tables of statistics
    r"|^(?:export )?(?:USER|LOGNAME|USERNAME)=([\w.-]{2,32})\s*$"  # and its recon-all.env
    r"|\[([\w.-]{2,32})@[\w.-]{1,64}: "  # the history of AFNI's images
)
_NOBODYS_HOME = frozenset(
    [
        "user",
        "username",
        "ubuntu",
        "root",
        "runner",
        "jovyan",
        "neuro",
        "docker",
        "fmriprep",
        "me",
        "you",
        "your",
        "yourname",
        "public",
        "shared",
        "default",
        "vagrant",
        "travis",
        "circleci",
        "app",
        "nobody",
        "bids",
        ".",
    ]
)


def written_date(text: str, *, loosely: bool) -> date | None:
    """Return the day that a whole text writes; None where it writes none.

    Parameters
    ----------
    text
        A cell, or a value of JSON.
    loosely
        Whether what may be something else counts too, since the name of its key or column says
        that it is a date: figures alone, a day before a month, a month in words, or a month and
        its year, which stands for its first day.
    """
    return _written_date(text, loosely=loosely) if len(text) <= _LONGEST else None


def is_unshifted(day: date) -> bool:
    """Tell a day of our time from one that was shifted as BIDS asks."""
    return day.year > LAST_SHIFTED_YEAR


def holds_unshifted_day(text: str) -> bool:
    """Tell whether a day of our time stands in a text: ``2020-03-12``, ``12.3.2020``."""
    for year, month, day, first, _, second, last in _WITHIN.findall(text):
        written = ((year, month, day),) if year else ((last, second, first), (last, first, second))
        if any(found and is_unshifted(found) for found in (_day(*parts) for parts in written)):
            return True
    return False


def age_years(text: str, *, per_year: float = 1.0) -> float | None:
    """Return the age that a whole text writes, in years; None where it writes none.

    "90+" and the like are caps, not ages.

    Parameters
    ----------
    text
        A cell, or a value of JSON.
    per_year
        How many of its units make a year, where it does not say itself which they are.
    """
    return _age_years(text, per_year) if len(text) <= _LONGEST else None


def units_per_year(words: str) -> float:
    """Return how many of the units that a text names make a year; 1 where it names none."""
    for part in re.findall(r"[a-z]+", words.lower()):
        if part in {"d", "day", "days", "w", "wk", "week", "weeks", "mo", "month", "months"}:
            return _PER_YEAR[part[0]]
    return 1.0


def names_somebodys_address(text: str) -> bool:
    """Tell whether an address of mail or a telephone number stands in a text."""
    if "@" in text and any(not _NOBODYS_MAIL.search(m[0]) for m in _E_MAIL.finditer(text)):
        return True
    return _TELEPHONE.search(text) is not None


def names_somebodys_folder(text: str) -> bool:
    """Tell whether a text holds the path of somebody's home folder, which names them."""
    return any(match[1].lower() not in _NOBODYS_HOME for match in _HOME.finditer(text))


def names_somebodys_account(line: str) -> bool:
    """Tell whether a program wrote into a line whose account it ran under."""
    match = _ACCOUNT.search(line)
    return match is not None and match[match.lastindex or 0].lower() not in _NOBODYS_HOME


def words_in_a_row(text: str) -> int:
    """Return how many words with a letter in them stand side by side in a text, at most."""
    most = run = 0
    for word in text.split():
        run = run + 1 if _LETTER.search(word) else 0
        most = max(most, run)
    return most


def written_names(text: str) -> tuple[re.Match[str], ...]:
    """Return what stands in a text and is written as DICOM writes names: ``Family^Given``."""
    return tuple(_PERSON.finditer(text)) if "^" in text else ()


@lru_cache(maxsize=1 << 16)
def _age_years(text: str, per_year: float) -> float | None:
    text = text.strip()
    told = _AGE_STRING.fullmatch(text)
    if told:
        return float(told[1]) / _PER_YEAR[told[2].lower()]
    match = _AGE.fullmatch(text)
    if match is None:
        return None
    return float(match[1]) / (1.0 if match[2] else per_year)


@lru_cache(maxsize=1 << 16)
def _written_date(text: str, *, loosely: bool) -> date | None:
    text = text.strip()
    iso = _ISO.fullmatch(text)
    if iso or not loosely:
        return _day(iso[1], iso[2], iso[3]) if iso else None
    text = _WEEKDAY.sub("", text, count=1) if text[:1].isalpha() else text
    for pattern, order in _IN_FIGURES:
        match = pattern.fullmatch(text)
        day = _day(*(match[n] for n in order)) if match else None
        if day:
            return day
    return _in_words(text) or _first_of_month(text)


def _first_of_month(text: str) -> date | None:
    """Return the first day of a month that a text writes: ``2019-05``, ``5/2019``, ``May 2019``."""
    match = _MONTH.fullmatch(text)
    if match is None:
        return None
    month = match[2] or match[3] or str(_month(match[5].lower()) or "")
    return _day(match[1] or match[4] or match[6], month, "1") if month else None


def _day(year: str, month: str, day: str) -> date | None:
    number = int(year)
    if len(year) == len("41"):
        number += 1900 if number > _CENTURY_FROM else 2000
    try:
        found = date(number, int(month), int(day))
    except ValueError:
        return None
    return found if _EARLIEST <= found.year <= _LATEST else None


def _in_words(text: str) -> date | None:
    for pattern, orders in _WITH_MONTHS:
        match = pattern.fullmatch(text)
        if match:
            year, month, day = (next(match[n] for n in order if match[n]) for order in orders)
            number = _month(month.lower())
            return _day(year, str(number), day) if number else None
    return None


def _month(word: str) -> int | None:
    """Return which month a word names, in lower case and one of several languages."""
    short = word[:3]
    number = _MONTHS.index(short) + 1 if short in _MONTHS else _MONTHS_ELSEWHERE.get(short)
    return number or _MONTHS_ELSEWHERE.get(word[:4])
