"""Defacing what was acquired together: register, check, cut, compare, draw."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bidsanon.bids.names import parse_name
from bidsanon.deface.acquisition import Acquisition, Member, group_acquisitions
from bidsanon.deface.cut import Cut, FaceTissue, cut_mask, face_tissue
from bidsanon.deface.engines import Engine, choose_engine
from bidsanon.deface.grid import Grid, Mask, Matrix
from bidsanon.deface.head import Window, window_of
from bidsanon.deface.options import NONE, USUAL, DefaceOptions, require_options
from bidsanon.deface.pictures import Pose, draw, save
from bidsanon.deface.registration import Registration
from bidsanon.deface.relief import SHALLOW_MM, surface_relief_mm
from bidsanon.deface.selfcheck import SelfCheck, check
from bidsanon.deface.voxels import (
    ChangedElsewhereError,
    UnreadableImageError,
    read_header,
    remove,
)
from bidsanon.files import make_private_folder
from bidsanon.session import DefaceOutcome, DefaceVerdict

NO_TISSUE_ML = 0.5
"""Less than this in the whole of the face's place is no face."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Placement:
    """Where an engine put the template, and what the self-check says of it."""

    registration: Registration
    selfcheck: SelfCheck
    refusals: tuple[str, ...]

    @property
    def to_template(self) -> Matrix:
        """From the head's world to the template's, shape (4, 4)."""
        return self.registration.to_template


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What is to be done with the images of an acquisition, and why."""

    verdict: DefaceVerdict
    reason: str
    figures: dict[str, float]


def deface_image(
    image: Path, *, options: DefaceOptions = USUAL, pictures: Path | None = None
) -> DefaceOutcome:
    """Deface one image in place, whatever its name says that it is.

    Parameters
    ----------
    image
        A NIfTI file.
    options
        By which engine, and what goes.
    pictures
        A private folder for pictures of the face; none are drawn if None.

    Returns
    -------
    DefaceOutcome
        Its path is the file's name.

    Raises
    ------
    MissingToolError
        If the engine's program is not installed.
    UsageError
        If the options do not go together.
    """
    options = require_options(options)
    if options.engine == NONE:
        return kept(image.name, options.because)
    if pictures is not None:
        make_private_folder(pictures)
    engine = choose_engine(options.engine, scratch=pictures)
    try:
        images = {image.name: read_header(image)}
    except UnreadableImageError as error:
        return _failed(image.name, str(error))
    acquisition = group_acquisitions(image.parent, images)[0]
    return deface_acquisition(acquisition, engine=engine, pictures=pictures, options=options)[0]


def deface_acquisition(
    acquisition: Acquisition,
    *,
    engine: Engine,
    pictures: Path | None,
    options: DefaceOptions = USUAL,
) -> tuple[DefaceOutcome, ...]:
    """Deface images that were acquired together, in place.

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

    Returns
    -------
    tuple
        An outcome for each of the acquisition's members, in their order.
    """
    try:
        reference = acquisition.reference()
    except UnreadableImageError as error:
        return tuple(_failed(member.path, str(error)) for member in acquisition.members)
    window = window_of(reference.coarse)
    head = window.apply(reference.coarse)
    placement = place_template(reference.fine, head, engine)
    cut = Cut.of(options)
    if placement.refusals:
        decision = decide_without(placement, surface_relief_mm(head))
    else:
        decision = decide(placement, face_tissue(head, placement.to_template, cut=cut))
    album = Album(
        folder=pictures,
        stem=parse_name(acquisition.shown.path).stem,
        window=window,
        to_template=None if placement.refusals else placement.to_template,
        cut=cut,
    )
    album.add(reference.fine, when="before")
    if decision.verdict is not DefaceVerdict.DEFACED:
        return tuple(
            _outcome(acquisition, member, engine, decision, album) for member in acquisition.members
        )
    mask = cut_mask(reference.space, reference.affine, placement.to_template, cut=cut)
    del reference
    written = {member.path: _cut(member, mask) for member in acquisition.members}
    if not written[acquisition.shown.path]:
        album.add(acquisition.reference().fine, when="after")
    return tuple(
        _failed(member.path, written[member.path])
        if written[member.path]
        else _outcome(acquisition, member, engine, decision, album)
        for member in acquisition.members
    )


def kept(path: str, because: str) -> DefaceOutcome:
    """Return the outcome of an image whose face stays, and why."""
    return DefaceOutcome(path=path, verdict=DefaceVerdict.KEPT, engine="", reason=because)


def place_template(reference: Grid, head: Grid, engine: Engine) -> Placement:
    """Return the first of an engine's attempts that passes the self-check, or the least bad one.

    Parameters
    ----------
    reference
        The image as it is.
    head
        The same, coarse, brightness 0 to 1.
    engine
        What makes the attempts.
    """
    refused: list[Placement] = []
    for attempt in engine.attempts(reference, head):
        measured = check(attempt.head, attempt.registration)
        placement = Placement(
            registration=attempt.registration,
            selfcheck=measured,
            refusals=measured.refusals(),
        )
        if not placement.refusals:
            return placement
        refused.append(placement)
    return max(refused, key=lambda placement: placement.selfcheck.sharp)


def decide(placement: Placement, tissue: FaceTissue) -> Decision:
    """Decide whether there is a face to remove, where it is known where that would be."""
    if not tissue.cut_ml:
        verdict, reason = DefaceVerdict.NO_FACE, "the face lies outside the field of view"
    elif tissue.tissue_ml < NO_TISSUE_ML:
        verdict = DefaceVerdict.NO_FACE
        reason = f"where the face would be {tissue.tissue_ml:.1f} ml are brighter than air"
    else:
        verdict = DefaceVerdict.DEFACED
        reason = f"the face was removed: {tissue.tissue_ml:.0f} ml brighter than air"
    figures = placement.selfcheck.figures() | tissue.figures()
    return Decision(verdict=verdict, reason=reason, figures=figures)


def decide_without(placement: Placement, relief_mm: float | None) -> Decision:
    """Decide whether an image in which no head was found for certain can hold a face at all."""
    figures = placement.selfcheck.figures()
    if relief_mm is not None:
        figures["relief_mm"] = round(relief_mm, 2)
    if relief_mm is not None and relief_mm <= SHALLOW_MM:
        verdict = DefaceVerdict.NO_FACE
        reason = f"it is no head, and nowhere shaped by more than {relief_mm:.1f} mm"
    else:
        verdict = DefaceVerdict.FAILED
        reason = "the self-check refused the registration: " + "; ".join(placement.refusals)
    return Decision(verdict=verdict, reason=reason, figures=figures)


class Album:
    """The pictures of one acquisition, before and after, drawn alike.

    Parameters
    ----------
    folder
        A private folder; nothing is drawn if None.
    stem
        What the files' names begin with.
    window
        The values that are drawn black and white.
    to_template
        From the head's world to the template's; None where that is not known, and the head is
        drawn as it lay in the scanner.
    cut
        What is outlined.
    """

    def __init__(
        self,
        *,
        folder: Path | None,
        stem: str,
        window: Window,
        to_template: Matrix | None,
        cut: Cut,
    ) -> None:
        self.files: dict[str, Path] = {}
        self._folder = folder
        self._stem = stem
        self._window = window
        self._to_template = to_template
        self._cut = cut
        self._surface: float | None = None

    def add(self, reference: Grid, *, when: str) -> None:
        """Draw a head, "before" or "after"."""
        if self._folder is None:
            return
        pose = Pose.of(reference, self._window, self._to_template)
        self._surface = self._surface or pose.surface_brightness()
        pictures = draw(pose, surface=self._surface, cut=self._cut)
        self.files |= save(pictures, self._folder, stem=self._stem, when=when)


def _cut(member: Member, mask: Mask) -> str:
    """Remove the mask from one image, and say why that could not be done, if so."""
    try:
        remove(member.nifti, mask)
    except UnreadableImageError as error:
        return str(error)
    except ChangedElsewhereError:
        return "what was written differed from the original outside the mask"
    return ""


def _outcome(
    acquisition: Acquisition, member: Member, engine: Engine, decision: Decision, album: Album
) -> DefaceOutcome:
    return DefaceOutcome(
        path=member.path,
        verdict=decision.verdict,
        engine=engine.name,
        engine_version=engine.version,
        reason=decision.reason,
        figures=decision.figures,
        pictures=dict(album.files) if member is acquisition.shown else {},
    )


def _failed(path: str, reason: str) -> DefaceOutcome:
    return DefaceOutcome(path=path, verdict=DefaceVerdict.FAILED, engine="", reason=reason)
