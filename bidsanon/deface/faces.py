"""Which images show a face, by what they are.

Shares of people whose face was recognised in published comparisons: 3D T1w, T2w and FLAIR 96 to
98 %, thick-slice FLAIR and multi-echo GRE 32 to 45 %, T2*-weighted GRE 10 %, PET up to 42 %, ASL
8 %, diffusion and functional EPI 0 to 2 %. So every anatomical image and every PET is defaced, EPI
only where it is asked for, and of what lies between (field maps of other kinds, perfusion,
spectroscopy) what is fine enough. What no rule names is defaced.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bidsanon.deface.grid import Matrix, voxel_sizes_mm
from bidsanon.deface.options import Also, DefaceOptions
from bidsanon.deface.voxels import Nifti, UnreadableImageError, read_header
from bidsanon.session import ConvertedImage, DefaceOutcome, DefaceVerdict

_MASK = "defacemask"
_ALWAYS = {"anat": "an anatomical image", "pet": "a PET image"}
_WHEN_FINE = {"fmap", "perf", "mrs"}
_EPI = {"epi", "TB1EPI"}
_WHEN_ASKED = {"dwi": Also.DWI, "func": Also.BOLD}
_NEVER = {
    "dwi": "a diffusion image: EPI hardly ever shows a face (0 to 2 % of people recognised)",
    "func": "a functional image: EPI hardly ever shows a face (0 to 2 % of people recognised)",
    "fmap": "a field map made by EPI, which hardly ever shows a face (0 to 2 % recognised)",
}
FINE_VOXEL_MM3 = 12.0
"""From this volume on a voxel is too coarse for a face.

Thick-slice FLAIR, of which a third and more were recognised, has about 4 mm3; cubes of 2 mm have 8;
ASL, M0 scans and GRE field maps, at the level of which 8 % were recognised, mostly 20 to 60.
"""
_COARSE = "its voxels of {volume:.0f} mm3 are too coarse to show a face"


@dataclass(frozen=True, kw_only=True)
class FaceQuestion:
    """Whether an image is to be defaced, and why."""

    asked: bool
    reason: str


def shows_face(
    *, datatype: str, suffix: str, affine: Matrix, also: Collection[Also] = ()
) -> FaceQuestion:
    """Decide whether an image is one of those that show a face.

    Parameters
    ----------
    datatype, suffix
        As in its BIDS name. An unknown datatype counts as anatomical.
    affine
        Voxel indices to world millimetres.
    also
        What is defaced although it hardly ever shows a face.
    """
    if suffix == _MASK:
        return FaceQuestion(asked=False, reason="a mask: it says where a face was, not how")
    if _WHEN_ASKED.get(datatype) in also:
        return FaceQuestion(asked=True, reason="asked for")
    if datatype in _WHEN_FINE and suffix not in _EPI:
        volume = float(np.prod(voxel_sizes_mm(affine)))
        if volume < FINE_VOXEL_MM3:
            return FaceQuestion(asked=True, reason="fine enough to show a face")
        return FaceQuestion(asked=False, reason=_COARSE.format(volume=volume))
    if datatype in _NEVER:
        return FaceQuestion(asked=False, reason=_NEVER[datatype])
    return FaceQuestion(asked=True, reason=_ALWAYS.get(datatype, "an image of an unknown kind"))


def ask_image(root: Path, image: ConvertedImage, options: DefaceOptions) -> Nifti | DefaceOutcome:
    """Return the header of an image that shows a face, or the outcome of one that need not go.

    Parameters
    ----------
    root
        Where the image is.
    image
        The image.
    options
        What the user asks for.
    """
    try:
        nifti = read_header(root / image.path)
    except UnreadableImageError as error:
        return DefaceOutcome(
            path=image.path, verdict=DefaceVerdict.FAILED, engine="", reason=str(error)
        )
    question = shows_face(
        datatype=image.datatype, suffix=image.suffix, affine=nifti.affine, also=options.also
    )
    if question.asked:
        return nifti
    return DefaceOutcome(
        path=image.path, verdict=DefaceVerdict.NOT_NEEDED, engine="", reason=question.reason
    )
