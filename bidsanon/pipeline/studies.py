"""Which of the studies in a source become the session: those of one day, unless somebody says so.

Two visits in one folder would become one session without a word, and their scans could not be told
apart again.
"""

from __future__ import annotations

from dataclasses import replace

from bidsanon.errors import UsageError
from bidsanon.findings import Finding, errors, finding
from bidsanon.session import SourceSession

ALL = "all"
"""What stands for the studies of all days, as one session."""

_SEVERAL = "SEVERAL_DAYS"


def clean_study(study: str | None) -> str | None:
    """Check what the user gave as ``--study``.

    Raises
    ------
    UsageError
        If it is no number of a day, and not all.
    """
    if study is not None and study != ALL and not (study.isascii() and study.isdecimal()):
        raise UsageError(
            "--study takes the number of a day, or all", cure="1 is the first day, 2 the second"
        )
    return study


def study_days(source: SourceSession) -> dict[str, int]:
    """Return the number of each day of a source's studies; the first is 1."""
    days = sorted({series.study_date for series in source.series if series.study_date})
    return {day: number for number, day in enumerate(days, start=1)}


def shown_days(source: SourceSession, study: str | None) -> dict[str, int]:
    """Return the number of each day as the whole source counts, once a study was chosen of it.

    Parameters
    ----------
    source
        What :func:`choose_study` left.
    study
        As given to it.
    """
    days = study_days(source)
    return days if study is None or study == ALL else dict.fromkeys(days, int(study))


def choose_study(source: SourceSession, study: str | None) -> SourceSession:
    """Keep the series of one day.

    Parameters
    ----------
    source
        What was read.
    study
        "1" for the first day, "2" for the second, ...; "all" to keep all; None: there may be one
        day only.

    Returns
    -------
    SourceSession
        With an error among its findings where nobody chose.

    Raises
    ------
    UsageError
        If there is no such day.
    """
    days = study_days(source)
    if study == ALL or (study is None and len(days) < 2):  # noqa: PLR2004 (several)
        return source
    if study is None:
        if any("PERSONS" in found.code for found in errors(source.findings)):
            return source  # whose they are comes first
        mixed = finding("STUDIES_MIXED", count=len(days))
        return replace(source, findings=(*_others(source), mixed))
    number = int(study)
    if not 1 <= number <= len(days):
        raise UsageError(
            f"the source holds studies of {len(days)} day(s), and --study asks for number {number}",
            cure=f"give a number from 1 to {len(days)}, or leave --study out",
        )
    kept = tuple(s for s in source.series if days.get(s.study_date) == number)
    places = {f"series {series.index}" for series in source.series} - {
        f"series {series.index}" for series in kept
    }
    findings = [found for found in _others(source) if found.location not in places]
    if places:
        findings.append(finding("STUDY_CHOSEN", count=len(places), number=number))
    return replace(source, series=kept, findings=tuple(findings))


def _others(source: SourceSession) -> tuple[Finding, ...]:
    return tuple(found for found in source.findings if found.code != _SEVERAL)
