"""What each pipeline asks of the originals: their first day, their names, and which are whole."""

from __future__ import annotations

from dataclasses import replace

from bidsanon.errors import SourceError
from bidsanon.findings import finding
from bidsanon.identity import IdentifyingValue, ValueKind
from bidsanon.session import QuarantineReason, SourceSession
from bidsanon.vault import PersonPlan, Vault

_INCOMPLETE = frozenset({QuarantineReason.TRUNCATED, QuarantineReason.UNREADABLE})


def withhold_incomplete(source: SourceSession) -> SourceSession:
    """Leave out the series of which files are truncated or unreadable, and say so.

    Raises
    ------
    SourceError
        If no series is left.
    """
    incomplete = {f.series_index for f in source.quarantine if f.reason in _INCOMPLETE}
    kept = tuple(s for s in source.series if s.index not in incomplete)
    if not kept:
        raise SourceError(
            "every series of the source has truncated or unreadable files",
            cure="copy the files again from the scanner",
        )
    withheld = [
        finding("SERIES_WITHHELD", location=f"series {s.index}")
        for s in source.series
        if s.index in incomplete
    ]
    others = [f for f in source.findings if f.code not in {"TRUNCATED_FILES", "UNREADABLE_FILES"}]
    return replace(source, series=kept, findings=(*others, *withheld))


def plan_person(source: SourceSession, vault: Vault, *, subject: str) -> PersonPlan:
    """Return the vault's plan of a source's person."""
    return vault.person_plan(
        source.person,
        subject=subject,
        anchor_date=anchor_date(source),
        instance_uid=source.instance_uid,
    )


def anchor_date(source: SourceSession) -> str:
    """Return the session's first study date, YYYYMMDD, or an empty string. Identified."""
    dates = sorted(s.study_date for s in source.series if s.study_date)
    return dates[0] if dates else ""


def original_names(source: SourceSession) -> tuple[IdentifyingValue, ...]:
    """Return the names of the original files and folders as values to search for."""
    return tuple(
        IdentifyingValue(kind=ValueKind.PATH, text=name, origin="file name")
        for name in source.given
    )
