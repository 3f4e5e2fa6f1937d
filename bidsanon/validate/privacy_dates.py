"""Whether all dates of a subject were shifted by one number of days.

Within a dataset, tables of one subject contradict each other; a vault knows by how many days each
subject's dates were shifted, and so whether a date, shifted back, is one on which anybody was
scanned.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path, PurePosixPath

from bidsanon.bids.tables import Table, TableError, read_table
from bidsanon.bids.tree import DatasetTree
from bidsanon.bids.written import is_unshifted, written_date
from bidsanon.dicom.dates import FIRST_SCANNED_YEAR
from bidsanon.validate.privacy_spots import Spot

_TIME = "acq_time"
_LARGEST = 1 << 24
_LATEST = 2100
_FARTHEST_DAYS = 60 * 365
"""Between two visits of one person lies less than that; more says that they were shifted apart."""


@dataclass(frozen=True, kw_only=True)
class _Visit:
    """A day that a table gives for a session."""

    subject: str
    session: str
    day: date
    location: str


def shift_spots(tree: DatasetTree, *, shifts: Mapping[str, int]) -> Iterator[Spot]:
    """Yield where dates of one subject contradict one shift of all of them.

    Parameters
    ----------
    tree
        What the dataset holds.
    shifts
        How many days were added to each subject's dates, by label without prefix, as the vault
        has it; empty where nobody asks it.
    """
    visits: dict[str, list[_Visit]] = {}
    for visit in _visits(tree):
        visits.setdefault(visit.subject, []).append(visit)
    for subject, found in visits.items():
        yield from _contradictions(found)
        if subject in shifts:
            yield from (_spot(v, _NOT_THE_VAULTS) for v in found if _is_odd(v, shifts[subject]))


_TABLES_DIFFER = "two tables give one session different days"
_FAR_APART = "two sessions lie more than a lifetime's scanning apart"
_MIXED = "dates of one session were shifted, those of another were not"
_NOT_THE_VAULTS = "a date, shifted back as the vault has it, is no day on which anybody is scanned"


def _contradictions(visits: list[_Visit]) -> Iterator[Spot]:
    by_session: dict[str, _Visit] = {}
    for visit in visits:
        first = by_session.setdefault(visit.session, visit)
        if first.location != visit.location and abs((first.day - visit.day).days) > 1:
            yield _spot(visit, _TABLES_DIFFER)
    days = sorted(by_session.values(), key=lambda visit: visit.day)
    shifted = [visit for visit in days if not is_unshifted(visit.day)]
    if shifted and len(shifted) < len(days):
        yield _spot(days[-1], _MIXED)
    elif days and (days[-1].day - days[0].day).days > _FARTHEST_DAYS:
        yield _spot(days[-1], _FAR_APART)


def _is_odd(visit: _Visit, shift_days: int) -> bool:
    try:
        original = visit.day - timedelta(days=shift_days)
    except OverflowError:
        return True
    shifted_before = not is_unshifted(original)
    return not (shifted_before or FIRST_SCANNED_YEAR <= original.year <= _LATEST)


def _spot(visit: _Visit, problem: str) -> Spot:
    return Spot(code="PRIVACY_SHIFT_UNEQUAL", location=visit.location, details={"problem": problem})


def _visits(tree: DatasetTree) -> Iterator[_Visit]:
    for file in tree.files:
        path = PurePosixPath(file.name)
        is_scans, is_sessions = (path.name.endswith(f"_{k}.tsv") for k in ("scans", "sessions"))
        if not (is_scans or is_sessions) or file.size > _LARGEST:
            continue
        table = _read(file.path)
        if table is None or _TIME not in table.columns:
            continue
        subject = path.name.partition("_")[0].removeprefix("sub-")
        own = next((p.removeprefix("ses-") for p in path.parts[:-1] if p.startswith("ses-")), "")
        days: dict[str, date] = {}
        for row in table.rows:
            day = written_date(row[_TIME], loosely=False)
            session = own if is_scans else row.get("session_id", "").removeprefix("ses-")
            if day:
                days[session] = min(day, days.get(session, day))
        for session, day in days.items():
            yield _Visit(subject=subject, session=session, day=day, location=file.name)


def _read(path: Path) -> Table | None:
    """Read a table; None where it cannot be understood, which is said elsewhere."""
    try:
        return read_table(path.read_bytes().decode("utf-8"))
    except (OSError, UnicodeDecodeError, TableError):
        return None
