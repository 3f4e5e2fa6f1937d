"""Days and times of day as people and programs write them, for the residue search."""

from __future__ import annotations

import re
from datetime import date
from functools import cache, lru_cache

from bidsanon.dicom.dates import parse_date, written_forms
from bidsanon.resources import data_path
from bidsanon.validate.residue_text import canonical

_MONTHS = (
    ["january", "janvier", "enero", "gennaio", "januari", "janeiro"],
    ["february", "fevrier", "febrero", "febbraio", "februari", "fevereiro", "febr"],
    ["march", "mars", "marzo", "maart", "marco", "mrt"],
    ["april", "avril", "abril", "aprile"],
    ["may", "mai", "mayo", "maggio", "mei", "maio"],
    ["june", "juin", "junio", "giugno", "juni", "junho"],
    ["july", "juillet", "julio", "luglio", "juli", "julho"],
    ["august", "aout", "agosto", "augustus"],
    ["september", "septembre", "septiembre", "settembre", "setembro", "sept"],
    ["october", "octobre", "octubre", "ottobre", "oktober", "outubro"],
    ["november", "novembre", "noviembre", "novembro"],
    ["december", "decembre", "diciembre", "dicembre", "dezembro", "dezember"],
)
"""In English, French, Spanish, Italian, Dutch, Portuguese and German, without accents."""

_TABLE = "months_in_sentences.tsv"
_ERAS = ((date(2019, 5, 1), "令和"), (date(1989, 1, 8), "平成"), (date(1926, 12, 25), "昭和"))
"""The first days of Japanese eras, the latest first."""
_ABBREVIATION = 3
_TIME = re.compile(r"([01]\d|2[0-3]):?([0-5]\d):?([0-5]\d|60)(?:[.,]\d*)?", re.ASCII)
_FORENOON_HOURS = 12
_MEANINGLESS_TIMES = {"000000", "120000"}
"""Midnight stands for "not known", and noon is where published sessions begin."""


@lru_cache(maxsize=1024)
def day_forms(text: str) -> tuple[str, ...]:
    """Return the written forms of a DA value in canonical form; none if it is no date."""
    day = parse_date(text)
    if day is None:
        return ()
    year, month, dom = f"{day.year:04d}", f"{day.month:02d}", f"{day.day:02d}"
    forms = [canonical(form) for form in written_forms(text)]
    forms += [year[2:] + month + dom, f"{year}:{month}:{dom}", f"{year}-{day.month}-{day.day}"]
    forms += [f"{year}/{day.month}/{day.day}", f"{day.day}. {day.month}. {year}"]
    forms.append(f"{dom}. {month}. {year}")
    for d, m in ((str(day.day), str(day.month)), (dom, month)):
        forms += [f"{d} {joint} {m} {joint} {year}" for joint in (".", "/", "-")]
        forms += [f"{year}, {m}, {d}", f"{year},{m},{d}", f"{year} {m} {d}"]
    forms += map(canonical, _in_signs(day))
    names = _MONTHS[day.month - 1]
    for name in dict.fromkeys((*names, *(name[:_ABBREVIATION] for name in names))):
        for number in dict.fromkeys((str(day.day), dom)):
            forms += _in_words(number, name, year)
    for name in _months_in_sentences()[day.month - 1]:
        forms += [f"{day.day}{point} {name} {year}" for point in ("", ".")]
    return tuple(dict.fromkeys(forms))


@cache
def _months_in_sentences() -> tuple[tuple[str, ...], ...]:
    """Return the names of each month in more languages, as they stand between day and year."""
    rows = data_path(_TABLE).read_text("utf-8").splitlines()[1:]
    months = zip(*(row.split("\t")[1:] for row in rows), strict=True)
    return tuple(tuple(dict.fromkeys(map(canonical, names))) for names in months)


def _in_signs(day: date) -> list[str]:
    """Write a day as in China, Japan and Korea, and by the year of a Japanese era."""
    years = [str(day.year)]
    era = next(((first, name) for first, name in _ERAS if first <= day), None)
    if era:
        years.append(f"{era[1]}{day.year - era[0].year + 1}")
    forms = [f"{year}年{day.month}月{day.day}日" for year in years]
    return [*forms, *(f"{day.year}년{gap}{day.month}월{gap}{day.day}일" for gap in ("", " "))]


def time_forms(text: str) -> tuple[str, ...]:
    """Return the written forms of a TM value without its fraction; none if it is no full time."""
    match = _TIME.fullmatch(text.strip())
    if match is None or "".join(match.groups()) in _MEANINGLESS_TIMES:
        return ()
    hour, minute, second = match.groups()
    half = "am" if int(hour) < _FORENOON_HOURS else "pm"
    clock = f"{(int(hour) - 1) % _FORENOON_HOURS + 1}:{minute}:{second}"
    return (
        hour + minute + second,
        *([text.strip()] if "." in text else []),
        *(joint.join((hour, minute, second)) for joint in (":", "-", "_", ".")),
        f"{hour}h{minute}m{second}",
        f"{clock} {half}",
        f"{clock}{half}",
    )


def _in_words(dom: str, name: str, year: str) -> list[str]:
    short = year[2:]
    forms = [joint.join((dom, name, year)) for joint in ("", " ", "-", "/", ".", "_", " de ")]
    forms += [joint.join((dom, name, short)) for joint in ("-", " ", "/")]
    forms += [f"{dom}. {name} {year}", f"{dom} {name}, {year}", f"{dom} de {name} de {year}"]
    forms += [f"{dom}th {name} {year}", f"{name} {dom} {year}", f"{name} {dom}, {year}"]
    forms += [f"{name}. {dom}, {year}", f"{name}-{dom}-{year}", f"{year}-{name}-{dom}"]
    forms += [f"{name}. {dom} {year}", f"{name}_{dom}_{year}", f"{year}_{name}_{dom}"]
    forms += [f"{dom} {name}. {year}"]
    forms += [f"{name} {dom}{ending}, {year}" for ending in ("st", "nd", "rd", "th")]
    for ending in ("st", "nd", "rd", "th"):
        forms += [f"{dom}{ending} of {name}{comma} {year}" for comma in ("", ",")]
    return [*forms, f"{year} {name} {dom}", f"{year}{name}{dom}", f"{dom}. {name}. {year}"]
