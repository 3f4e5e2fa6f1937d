"""One place where something private may be, and how places of one kind become one finding.

A dataset that something else made holds the same key in thousands of sidecars. One finding says
what it is, in how many places it stands, and where the first of them is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bidsanon.findings import Finding, finding, finding_codes


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
        Where what says the same is one finding: a table; empty: the whole dataset.
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
    first: dict[tuple[object, ...], Spot] = {}
    counts: Counter[tuple[object, ...]] = Counter()
    for spot in spots:
        counted = "{count}" in finding_codes()[spot.code].meaning
        within = spot.within if counted else spot.location
        same = (spot.code, within, *sorted(spot.details.items()))
        first.setdefault(same, spot)
        counts[same] += 1
    return tuple(
        finding(spot.code, location=spot.location, count=counts[same], **spot.details)
        for same, spot in first.items()
    )
