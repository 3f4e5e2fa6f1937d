"""Defacing what was acquired together: register, check, cut, compare, draw."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bidsanon.deface.acquisition import Acquisition, group_acquisitions
from bidsanon.deface.cut import Cut, cut_mask
from bidsanon.deface.engines import Engine, choose_engine
from bidsanon.deface.grid import Mask, Matrix
from bidsanon.deface.look import Look, Sight, look_at
from bidsanon.deface.masks import mask_path, write_mask
from bidsanon.deface.options import NONE, USUAL, DefaceOptions, require_options
from bidsanon.deface.registration import Registration
from bidsanon.deface.voxels import (
    ChangedElsewhereError,
    UnreadableImageError,
    read_header,
    remove,
)
from bidsanon.files import make_private_folder
from bidsanon.session import DefaceOutcome, DefaceVerdict


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
    look: Look | None = None,
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
    look
        What :func:`~bidsanon.deface.look.look_at` saw of these images, by this engine and with
        these options, where that is known already.

    Returns
    -------
    DefacedAcquisition
        What became of its members.
    """
    if look is None:
        look = look_at(acquisition, engine=engine, pictures=pictures, options=options)
    failures: dict[str, str] = {}
    mask_file = ""
    goes = look.decision.verdict is DefaceVerdict.DEFACED and not look_only
    if goes and look.sight and look.sight.registration:
        failures, mask_file = _cut(acquisition, look.sight, look.sight.registration, options)
    outcomes = tuple(
        _failed(member.path, failures[member.path])
        if member.path in failures
        else _outcome(
            look, member.path, cut=goes, shown=member is acquisition.shown, mask=mask_file
        )
        for member in acquisition.members
    )
    return DefacedAcquisition(outcomes=outcomes, to_head=look.to_head)


def _cut(
    acquisition: Acquisition, sight: Sight, registration: Registration, options: DefaceOptions
) -> tuple[dict[str, str], str]:
    """Remove the face from each image.

    Returns
    -------
    Of which images it could not be removed, and why, and the defacemask that was written, if any.
    """
    shown = acquisition.shown
    nifti, cut = shown.nifti, Cut.of(options)
    goes = cut_mask(nifti.space, nifti.affine, registration.to_template, cut=cut)
    failures = _cut_all(acquisition, goes, air=sight.air)
    if shown.path in failures:
        return failures, ""
    if sight.album.draws:
        sight.album.add(acquisition.reference().fine, when="after")
    mask_file = mask_path(acquisition) if options.masks else ""
    if mask_file:
        write_mask(acquisition.file(mask_file), goes, acquisition)
    return failures, mask_file


def _outcome(look: Look, path: str, *, cut: bool, shown: bool, mask: str) -> DefaceOutcome:
    sight, decision = look.sight, look.decision
    return DefaceOutcome(
        path=path,
        verdict=decision.verdict,
        engine=sight.engine if sight else "",
        engine_version=sight.engine_version if sight else "",
        reason=decision.once_cut if cut else decision.reason,
        figures=decision.figures,
        pictures=dict(sight.album.files) if sight and shown else {},
        mask=mask,
    )


def kept(path: str, because: str) -> DefaceOutcome:
    """Return the outcome of an image whose face stays, and why."""
    return DefaceOutcome(path=path, verdict=DefaceVerdict.KEPT, engine="", reason=because)


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
