"""One place where something private may be, and how places of one kind become one finding.

A dataset that something else made holds the same key in thousands of sidecars. One finding says
what it is, in how many places it stands, and where the first of them is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from bidsanon.findings import Finding, finding, finding_codes

_MOST_EXAMPLES = 3
_NOT_SCRUBBED = ("code/", "stimuli/", "sourcedata/")
_SCRUB = "`bidsanon scrub DATASET`"
_BY_HAND = (
    "; it leaves code, stimuli and what is no dataset in sourcedata alone: do it there by hand"
)
_FILE = re.compile(r"[^#]*?(?=#|, (?:row|line) \d|$)", re.DOTALL)
"""A location without the pointer, the row or the line within the file."""


@dataclass(frozen=True, kw_only=True)
class Spot:
    """One place.

    Attributes
    ----------
    code
        A row of ``data/findings.tsv``.
    location
        The file, with a JSON pointer after ``#``, or with a row and a column.
    details
        What fills the templates of the code. Never a value that stands there.
    within
        Where what says the same is one finding: a table, or the tables of one kind; empty: the
        whole dataset.
    """

    code: str
    location: str
    details: Mapping[str, str] = field(default_factory=dict)
    within: str = ""


def gather(spots: Iterable[Spot]) -> tuple[Finding, ...]:
    """Make one finding of all spots that say the same of different places.

    The templates of their codes get ``count``; where one does not say it, each spot has a finding
    of its own. The findings stand in the order of the first spots.
    """
    gathered: dict[tuple[object, ...], _Gathered] = {}
    for spot in spots:
        counted = "{count}" in finding_codes()[spot.code].meaning
        within = spot.within if counted else spot.location
        same = (spot.code, within, *sorted(spot.details.items()))
        gathered.setdefault(same, _Gathered(spot)).add(spot)
    return tuple(one.finding() for one in gathered.values())


class _Gathered:
    """Spots that say the same: the first, how many they are, and in which files."""

    def __init__(self, first: Spot) -> None:
        self._first = first
        self._count = 0
        self._files = 0
        self._last = ""
        self._others: list[str] = []
        self._by_hand = False

    def add(self, spot: Spot) -> None:
        """Count a spot; those of one file come one after the other."""
        self._count += 1
        self._by_hand |= spot.location.startswith(_NOT_SCRUBBED)
        file = _FILE.match(spot.location)[0]  # type: ignore[index]
        if file != self._last:
            self._last = file
            self._files += 1
            if 1 < self._files <= _MOST_EXAMPLES:
                self._others.append(file)

    def finding(self) -> Finding:
        """Return what is said of them."""
        first = self._first
        said = finding(first.code, location=first.location, count=self._count, **first.details)
        if self._by_hand and _SCRUB in said.cure:
            said = replace(said, cure=f"{said.cure}{_BY_HAND}")
        return replace(said, message=f"{said.message}{self._also()}") if self._others else said

    def _also(self) -> str:
        more = self._files - 1 - len(self._others)
        return f"; also in {', '.join(self._others)}" + (f" and {more} more" if more else "")
