"""What is seen of images that were acquired together, before anything is changed.

It depends on the images and on what the user asks alone, never on when it is worked out, or where.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bidsanon.bids.names import parse_name
from bidsanon.deface.acquisition import Acquisition, Reference
from bidsanon.deface.air import air_value
from bidsanon.deface.album import Album
from bidsanon.deface.cut import Cut
from bidsanon.deface.deciding import Decision, decide, decide_without, place_template
from bidsanon.deface.engines import Engine
from bidsanon.deface.gate import says_defaced
from bidsanon.deface.grid import Matrix
from bidsanon.deface.head import window_of
from bidsanon.deface.options import DefaceOptions
from bidsanon.deface.registration import Registration
from bidsanon.deface.relief import surface_relief_mm
from bidsanon.deface.voxels import UnreadableImageError
from bidsanon.session import DefaceVerdict


@dataclass(frozen=True, kw_only=True, eq=False)
class Sight:
    """A head, where the template lies on it, and what it was drawn like.

    Attributes
    ----------
    engine
        The name of what placed the template.
    engine_version
        Of what it is made and in which version, and in what the cut differs from the usual one.
    registration
        Where the template lies; None where nobody knows.
    air
        The value of what is removed.
    album
        The pictures.
    """

    engine: str
    engine_version: str
    registration: Registration | None
    air: float
    album: Album


@dataclass(frozen=True, kw_only=True, eq=False)
class Look:
    """What was seen of images that were acquired together.

    Attributes
    ----------
    decision
        What is to be done with them.
    sight
        What the decision rests on; None where no head was looked for.
    """

    decision: Decision
    sight: Sight | None = None

    @property
    def to_head(self) -> Matrix | None:
        """Where the template lies, from its world to the head's; None where nobody knows."""
        found = self.sight.registration if self.sight else None
        return found.to_head if found else None


def look_at(
    acquisition: Acquisition, *, engine: Engine, pictures: Path | None, options: DefaceOptions
) -> Look:
    """Find the head in images that were acquired together, and decide about its face.

    Parameters
    ----------
    acquisition
        The images.
    engine
        What places the template.
    pictures
        A private folder for pictures of the face; none are drawn if None.
    options
        What goes.
    """
    try:
        reference = acquisition.reference()
    except UnreadableImageError as error:
        return _without_sight(DefaceVerdict.FAILED, str(error))
    if reference.uniform:
        return _without_sight(DefaceVerdict.NO_FACE, "every voxel has the same value")
    return _look_at_head(acquisition, reference, engine, pictures, Cut.of(options))


def _without_sight(verdict: DefaceVerdict, reason: str) -> Look:
    return Look(decision=Decision(verdict=verdict, reason=reason))


def _look_at_head(
    acquisition: Acquisition, reference: Reference, engine: Engine, pictures: Path | None, cut: Cut
) -> Look:
    window = window_of(reference.coarse)
    head = window.apply(reference.coarse)
    placement = place_template(
        reference.fine, head, engine, cut=cut, said_defaced=says_defaced(acquisition.sidecar)
    )
    trusted = None if placement.refusals else placement.registration
    if trusted and placement.cut_check:
        decision = decide(placement, placement.cut_check)
    else:
        decision = decide_without(placement, surface_relief_mm(head))
    album = Album(
        folder=pictures,
        stem=parse_name(acquisition.shown.path).stem,
        window=window,
        to_template=trusted.to_template if trusted else None,
        cut=cut,
    )
    album.add(reference.fine, when="before")
    sight = Sight(
        engine=placement.engine.name,
        engine_version=", ".join(filter(None, (placement.engine.version, cut.words()))),
        registration=trusted,
        air=air_value(reference.coarse, window),
        album=album,
    )
    return Look(decision=decision, sight=sight)
