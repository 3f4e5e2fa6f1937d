"""scans.tsv: which images a session has and when each began, told from noon on.

The dates in it are shifted already, in the DICOM headers. Here the time of day goes: the first
acquisition that is published is set to 12:00:00 and the others follow at their true intervals.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, time

from bidsanon.bids.tables import NOT_AVAILABLE, read_table, write_table
from bidsanon.dicom.dates import FIRST_SCANNED_YEAR

LATEST_SHIFTED_YEAR = FIRST_SCANNED_YEAR - 1
"""BIDS asks for shifted dates in 1925 or before, so that everybody sees that they are shifted. A
session long after the person's first comes to lie later, and still before anybody was scanned."""

_NOON = time(12)


@dataclass(frozen=True, kw_only=True)
class Clock:
    """How a session's times are moved.

    Attributes
    ----------
    first
        When the first acquisition that is published began, by the shifted date and the true time
        of day; None where nothing is known.
    """

    first: datetime | None

    def moved(self, moment: datetime) -> datetime:
        """Return a moment as it is published."""
        if self.first is None:
            return moment
        return datetime.combine(self.first, _NOON) + (moment - self.first)

    def time_to_noon(self, text: str) -> str | None:
        """Move a time of day (HH:MM:SS), or return None where that cannot be done."""
        try:
            moment = time.fromisoformat(text)
        except ValueError:
            return None
        if self.first is None or moment.tzinfo:
            return None
        return f"{self.moved(datetime.combine(self.first, moment)):%H:%M:%S}"


def read_acquisition_times(text: str) -> dict[str, datetime | None]:
    """Return when each file of a scans.tsv was acquired.

    Raises
    ------
    TableError
        If the table cannot be understood.
    """
    rows = read_table(text).rows
    return {row["filename"]: parse_moment(row.get("acq_time")) for row in rows if "filename" in row}


def parse_moment(text: str | None) -> datetime | None:
    """Read a date with a time, without its zone; None where there is none."""
    try:
        return datetime.fromisoformat(text or "").replace(tzinfo=None)
    except ValueError:
        return None


def session_clock(times: Mapping[str, datetime | None], *, otherwise: str | None) -> Clock:
    """Return the clock of a session.

    Parameters
    ----------
    times
        When each of its published images was acquired.
    otherwise
        When its first image was acquired, ISO 8601, in case no published image says when.
    """
    known = [moment for moment in times.values() if moment]
    return Clock(first=min(known, default=parse_moment(otherwise)))


def scrub_scans(times: Mapping[str, datetime | None], images: Collection[str], clock: Clock) -> str:
    """Return the scans.tsv to publish: each image, sorted by time and then by name.

    Parameters
    ----------
    times
        When each image was acquired, by its name in the table.
    images
        The images that are published, relative to the session's folder.
    clock
        How the times are moved.
    """

    def order(image: str) -> tuple[bool, str, str]:
        moment = times.get(image)
        return moment is None, moment.isoformat() if moment else "", image

    rows = [
        {"filename": image, "acq_time": _written(times.get(image), clock)}
        for image in sorted(images, key=order)
    ]
    return write_table(("filename", "acq_time"), rows)


def latest_year(times: Mapping[str, datetime | None]) -> int | None:
    """Return the latest year among acquisition times."""
    return max((moment.year for moment in times.values() if moment), default=None)


def _written(moment: datetime | None, clock: Clock) -> str:
    if moment is None:
        return NOT_AVAILABLE
    return clock.moved(moment).isoformat(timespec="microseconds")
