"""Which images show a face, by what they are.

Shares of people whose face was recognised in published comparisons: 3D T1w, T2w and FLAIR 96 to
98 %, thick-slice FLAIR and multi-echo GRE 32 to 45 %, T2*-weighted GRE 10 %, PET up to 42 %, ASL
8 %, diffusion and functional EPI 0 to 2 %. So every anatomical image and every PET is defaced, EPI
is not, and of what lies between (field map magnitudes, M0 scans) what is fine enough.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bidsanon.deface.grid import Matrix, voxel_sizes_mm

_ALWAYS = {"anat": "an anatomical image", "pet": "a PET image"}
_WHEN_FINE = {
    "TB1AFI",
    "TB1DAM",
    "TB1EPI",
    "TB1RFM",
    "TB1SRGE",
    "TB1TFL",
    "RB1COR",
    "fieldmap",
    "m0scan",
    "magnitude",
    "magnitude1",
    "magnitude2",
    "phase1",
    "phase2",
    "phasediff",
}
_NEVER = {
    "dwi": "a diffusion image: EPI does not show a face (0 to 2 % recognised)",
    "func": "a functional image: EPI does not show a face (0 to 2 % recognised)",
    "perf": "a perfusion image: its resolution does not show a face (8 % recognised)",
    "fmap": "a field map made by EPI, which does not show a face (0 to 2 % recognised)",
}
FINE_VOXEL_MM3 = 8.0
"""From this volume on a voxel is too coarse for a face.

Thick-slice FLAIR, of which a third and more were recognised, has about 4 mm3; M0 scans and GRE
field maps, at the level of ASL, mostly 20 to 60.
"""
_COARSE = "its voxels of {volume:.0f} mm3 are too coarse to show a face"


@dataclass(frozen=True, kw_only=True)
class FaceQuestion:
    """Whether an image is to be defaced, and why."""

    asked: bool
    reason: str


def shows_face(*, datatype: str, suffix: str, affine: Matrix) -> FaceQuestion:
    """Decide whether an image is one of those that show a face.

    Parameters
    ----------
    datatype, suffix
        As in its BIDS name. An unknown datatype counts as anatomical.
    affine
        Voxel indices to world millimetres.
    """
    if suffix in _WHEN_FINE:
        volume = float(np.prod(voxel_sizes_mm(affine)))
        if volume < FINE_VOXEL_MM3:
            return FaceQuestion(asked=True, reason="fine enough to show a face")
        return FaceQuestion(asked=False, reason=_COARSE.format(volume=volume))
    if datatype in _NEVER:
        return FaceQuestion(asked=False, reason=_NEVER[datatype])
    return FaceQuestion(asked=True, reason=_ALWAYS.get(datatype, "an image of an unknown kind"))
