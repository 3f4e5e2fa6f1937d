"""When a stored session's scans were acquired: moved by the person's days, or emptied.

A table of scans is either as the scanner wrote it, or was shifted before: to 1925 or earlier, as
BIDS asks. Times of day are told from noon on, unless somebody asks for them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bidsanon.bids.tables import NOT_AVAILABLE
from bidsanon.scrub.scans import LATEST_SHIFTED_YEAR, Clock, parse_moment


@dataclass(frozen=True, kw_only=True)
class SessionTimes:
    """How the acquisition times of one stored session are moved.

    Attributes
    ----------
    shift_days
        The person's days; None: nobody knows them.
    clock
        Where the first acquisition lies, by its shifted date.
    keep_times
        Whether times of day stay.
    """

    shift_days: int | None
    clock: Clock
    keep_times: bool

    def moved(self, cell: str) -> str:
        """Return what becomes of a cell: ``n/a`` where its date is real and nobody can shift it."""
        moment = self._shifted(parse_moment(cell.strip()))
        if moment is None:
            return NOT_AVAILABLE
        moved = moment if self.keep_times else self.clock.moved(moment)
        if moved == parse_moment(cell.strip()):
            return cell
        return moved.isoformat(timespec="microseconds")

    def noon_of_its_own(self, cell: str) -> str:
        """Return what becomes of a cell that begins a session: its day, at noon."""
        moment = self._shifted(parse_moment(cell.strip()))
        clock = Clock(first=moment)
        own = SessionTimes(shift_days=self.shift_days, clock=clock, keep_times=self.keep_times)
        return own.moved(cell)

    def _shifted(self, moment: datetime | None) -> datetime | None:
        return shifted(moment, self.shift_days)


def session_times(
    moments: Iterable[str],
    times_of_day: Iterable[str],
    *,
    shift_days: int | None,
    keep_times: bool,
) -> SessionTimes:
    """Return how the times of a session are moved.

    Parameters
    ----------
    moments
        The cells of its tables of scans.
    times_of_day
        What its sidecars say (HH:MM:SS), in case no moment can be published.
    shift_days
        How many days are added to the person's dates; None: nobody knows.
    keep_times
        Whether times of day stay.
    """
    known = (shifted(parse_moment(cell.strip()), shift_days) for cell in moments)
    first = min((moment for moment in known if moment), default=None)
    if first is None:
        told = (parse_moment(f"1900-01-01T{time}") for time in times_of_day)
        first = min((moment for moment in told if moment), default=None)
    return SessionTimes(shift_days=shift_days, clock=Clock(first=first), keep_times=keep_times)


def shifted(moment: datetime | None, shift_days: int | None) -> datetime | None:
    """Return a moment with its date shifted; None where it is real and nobody knows the days."""
    if moment is None or moment.year <= LATEST_SHIFTED_YEAR:
        return moment
    if shift_days is None:
        return None
    try:
        moved = moment + timedelta(days=shift_days)
    except OverflowError:
        return None
    return moved if moved.year <= LATEST_SHIFTED_YEAR else None
