"""Defacing what was acquired together: register, check, cut, compare, draw."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from bidsanon.bids.names import parse_name
from bidsanon.deface.acquisition import Acquisition, group_acquisitions
from bidsanon.deface.air import air_value
from bidsanon.deface.cut import WHOLE, Cut, FaceTissue, cut_mask, face_tissue
from bidsanon.deface.engines import Engine, choose_engine
from bidsanon.deface.gate import CutCheck, check_cut, says_defaced
from bidsanon.deface.grid import Grid, Mask, Matrix
from bidsanon.deface.head import Window, window_of
from bidsanon.deface.masks import mask_path, write_mask
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
    """Where an engine put the template, and what the self-check says of it.

    Attributes
    ----------
    engine
        Which one.
    registration
        Where.
    selfcheck
        What was measured of the registration.
    refusals
        Why it is not trusted, in words; none where it is.
    cut_check
        What was measured of the cut; None where the registration was refused before.
    """

    engine: Engine
    registration: Registration
    selfcheck: SelfCheck
    refusals: tuple[str, ...]
    cut_check: CutCheck | None = None

    @property
    def to_template(self) -> Matrix:
        """From the head's world to the template's, shape (4, 4)."""
        return self.registration.to_template

    def figures(self) -> dict[str, float]:
        """Return all that was measured, by name."""
        of_cut = self.cut_check.figures() if self.cut_check else {}
        return self.selfcheck.figures() | of_cut


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What is to be done with the images of an acquisition, and why."""

    verdict: DefaceVerdict
    reason: str
    figures: dict[str, float]


@dataclass(frozen=True, kw_only=True, eq=False)
class DefacedAcquisition:
    """What became of images that were acquired together.

    Attributes
    ----------
    outcomes
        One for each of the acquisition's members, in their order.
    to_head
        Where the template lies, from its world to the head's; None where nobody knows.
    """

    outcomes: tuple[DefaceOutcome, ...]
    to_head: Matrix | None


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
    defaced = deface_acquisition(acquisition, engine=engine, pictures=pictures, options=options)
    return defaced.outcomes[0]


def deface_acquisition(
    acquisition: Acquisition,
    *,
    engine: Engine,
    pictures: Path | None,
    options: DefaceOptions = USUAL,
    look_only: bool = False,
) -> DefacedAcquisition:
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
    look_only
        Whether nothing goes: "defaced" then means that there is a face which would.

    Returns
    -------
    DefacedAcquisition
        What became of its members.
    """
    try:
        reference = acquisition.reference()
    except UnreadableImageError as error:
        failed = tuple(_failed(member.path, str(error)) for member in acquisition.members)
        return DefacedAcquisition(outcomes=failed, to_head=None)
    if reference.uniform:
        return _uniform(acquisition)
    window = window_of(reference.coarse)
    head = window.apply(reference.coarse)
    cut = Cut.of(options)
    sidecar = acquisition.shown.nifti.path.with_name(
        f"{parse_name(acquisition.shown.path).stem}.json"
    )
    placement = place_template(
        reference.fine, head, engine, cut=cut, said_defaced=says_defaced(sidecar)
    )
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
    air = air_value(reference.coarse, window)
    del reference
    failures: dict[str, str] = {}
    mask_file = ""
    if decision.verdict is DefaceVerdict.DEFACED and not look_only:
        nifti = acquisition.shown.nifti
        goes = cut_mask(nifti.space, nifti.affine, placement.to_template, cut=cut)
        failures = _cut_all(acquisition, goes, air=air)
        if acquisition.shown.path not in failures:
            album.add(acquisition.reference().fine, when="after")
            mask_file = mask_path(acquisition) if options.masks else ""
        if mask_file:
            write_mask(acquisition.file(mask_file), goes, acquisition)
    outcomes = tuple(
        _failed(member.path, failures[member.path])
        if member.path in failures
        else DefaceOutcome(
            path=member.path,
            verdict=decision.verdict,
            engine=placement.engine.name,
            engine_version=", ".join(filter(None, (placement.engine.version, cut.words()))),
            reason=decision.reason,
            figures=decision.figures,
            pictures=dict(album.files) if member is acquisition.shown else {},
            mask=mask_file,
        )
        for member in acquisition.members
    )
    to_head = None if placement.refusals else placement.registration.to_head
    return DefacedAcquisition(outcomes=outcomes, to_head=to_head)


def _uniform(acquisition: Acquisition) -> DefacedAcquisition:
    outcomes = tuple(
        DefaceOutcome(
            path=member.path,
            verdict=DefaceVerdict.NO_FACE,
            engine="",
            reason="every voxel has the same value",
        )
        for member in acquisition.members
    )
    return DefacedAcquisition(outcomes=outcomes, to_head=None)


def kept(path: str, because: str) -> DefaceOutcome:
    """Return the outcome of an image whose face stays, and why."""
    return DefaceOutcome(path=path, verdict=DefaceVerdict.KEPT, engine="", reason=because)


def place_template(
    reference: Grid,
    head: Grid,
    engine: Engine,
    *,
    cut: Cut = WHOLE,
    said_defaced: bool = False,
) -> Placement:
    """Return the first of an engine's attempts that passes the self-check, or the least bad one.

    To pass, its cut has to leave no face and to take no brain, too, unless there is nothing to cut
    because somebody did before.

    Parameters
    ----------
    reference
        The image as it is.
    head
        The same, coarse, brightness 0 to 1.
    engine
        What makes the attempts.
    cut
        What goes.
    said_defaced
        Whether the image's sidecar says that its face was removed.
    """
    refused: list[Placement] = []
    for attempt in engine.attempts(reference, head):
        measured = check(attempt.head, attempt.registration)
        placement = Placement(
            engine=attempt.made_by or engine,
            registration=attempt.registration,
            selfcheck=measured,
            refusals=(*attempt.doubts, *measured.refusals(attempt.limits)),
        )
        if not placement.refusals:
            placement = _with_cut_check(placement, head, cut=cut, said_defaced=said_defaced)
        if not placement.refusals:
            return placement
        refused.append(placement)
    return max(refused, key=lambda placement: placement.selfcheck.sharp)


def _with_cut_check(placement: Placement, head: Grid, *, cut: Cut, said_defaced: bool) -> Placement:
    checked = check_cut(head, placement.to_template, cut=cut, said_defaced=said_defaced)
    refusals = () if checked.already_cut else checked.refusals()
    return replace(placement, cut_check=checked, refusals=refusals)


def decide(placement: Placement, tissue: FaceTissue) -> Decision:
    """Decide whether there is a face to remove, where it is known where that would be."""
    checked = placement.cut_check
    if not tissue.cut_ml:
        verdict, reason = DefaceVerdict.NO_FACE, "the face lies outside the field of view"
    elif checked and checked.already_cut:
        verdict = DefaceVerdict.ALREADY_DEFACED
        reason = f"its face was cut off before: {checked.before.words()}"
    elif tissue.tissue_ml < NO_TISSUE_ML:
        verdict = DefaceVerdict.NO_FACE
        reason = f"where the face would be {tissue.tissue_ml:.1f} ml are brighter than air"
    else:
        verdict = DefaceVerdict.DEFACED
        reason = f"the face was removed: {tissue.tissue_ml:.0f} ml brighter than air"
        if checked and checked.said_defaced:
            reason += ", although its sidecar says that it had been"
    return Decision(verdict=verdict, reason=reason, figures=placement.figures() | tissue.figures())


def decide_without(placement: Placement, relief_mm: float | None) -> Decision:
    """Decide whether an image in which no head was found for certain can hold a face at all."""
    figures = placement.figures()
    if relief_mm is not None:
        figures["relief_mm"] = round(relief_mm, 2)
    if relief_mm is not None and relief_mm <= SHALLOW_MM:
        verdict = DefaceVerdict.NO_FACE
        reason = f"it is no head, and nowhere shaped by more than {relief_mm:.1f} mm"
    else:
        verdict = DefaceVerdict.FAILED
        refused = "cut" if placement.cut_check else "registration"
        reason = f"the self-check refused the {refused}: {'; '.join(placement.refusals)}"
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


def _cut_all(acquisition: Acquisition, goes: Mask, *, air: float) -> dict[str, str]:
    """Remove the mask from each image, and say for which that could not be done, and why."""
    failures = {}
    for member in acquisition.members:
        try:
            # In a phase, in a real part and in what was computed, 0 is nothing.
            remove(member.nifti, goes, value=air if member in acquisition.registered else 0.0)
        except UnreadableImageError as error:
            failures[member.path] = str(error)
        except ChangedElsewhereError:
            failures[member.path] = "what was written differed from the original outside the mask"
    return failures


def _failed(path: str, reason: str) -> DefaceOutcome:
    return DefaceOutcome(path=path, verdict=DefaceVerdict.FAILED, engine="", reason=reason)
