"""What a page says of one image as the dataset has it: a plain record, which the pipeline fills."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bidsanon.bids.faces import FaceClaim
from bidsanon.bids.tables import NOT_AVAILABLE, TableError, open_table

if TYPE_CHECKING:  # what makes pictures takes long to import, and most pages have none
    from bidsanon.report.carpet import Carpet
    from bidsanon.report.gradients import Gradients
    from bidsanon.report.mosaic import Mosaic

_MOST_TYPES = 12


@dataclass(frozen=True, kw_only=True)
class EventsEntry:
    """What a run's table of events holds.

    Attributes
    ----------
    count
        How many events.
    first_s, last_s
        The first and the last onset; None where no onset is a number.
    types
        How many there are of each trial type, the commonest first.
    problem
        Why it cannot be read; empty where it can.
    """

    count: int = 0
    first_s: float | None = None
    last_s: float | None = None
    types: tuple[tuple[str, int], ...] = ()
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class ImageEntry:
    """One image of the dataset.

    Attributes
    ----------
    path
        Relative to the dataset.
    suffix
        As its name says.
    digest
        The SHA-256 of its file; empty where it cannot be read.
    of_a_face
        Whether images of its kind show a face.
    claim
        What its sidecar says of its face.
    facts
        What its header and its sidecars say, in the order in which it is shown.
    problem
        Why it was not drawn; empty where it was.
    drawn
        What the mosaic shows of an image of several volumes: "the mean of 240 volumes".
    mosaic
        Its slices.
    hidden
        Why they are for the private folder alone; empty where they are not.
    carpet
        Of a functional run.
    repetition_s
        The time from one volume to the next; None where nobody says.
    gradients
        Of a diffusion run.
    events
        Of a functional run.
    """

    path: str
    suffix: str
    digest: str = ""
    of_a_face: bool = False
    claim: FaceClaim = FaceClaim.NOTHING
    facts: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    drawn: str = ""
    mosaic: Mosaic | None = None
    hidden: str = ""
    carpet: Carpet | None = None
    repetition_s: float | None = None
    gradients: Gradients | None = None
    events: EventsEntry | None = None


def events_entry(text: str) -> EventsEntry:
    """Summarise a table of events."""
    onsets: list[float] = []
    kinds: Counter[str] = Counter()
    count = 0
    try:
        for row in open_table(text)[1]:
            count += 1
            onset = _number(row.get("onset", ""))
            onsets += [] if onset is None else [onset]
            kinds[row.get("trial_type", NOT_AVAILABLE)] += 1
    except TableError as error:
        return EventsEntry(problem=str(error))
    kinds.pop(NOT_AVAILABLE, None)
    common = kinds.most_common(_MOST_TYPES)
    others = kinds.total() - sum(number for _, number in common)
    return EventsEntry(
        count=count,
        first_s=min(onsets, default=None),
        last_s=max(onsets, default=None),
        types=(*common, *((("others", others),) if others else ())),
    )


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
