"""Which images show a face, by what they are, and what a sidecar says became of it.

Shares of people whose face was recognised in published comparisons: 3D T1w, T2w and FLAIR 96 to
98 %, thick-slice FLAIR and multi-echo GRE 32 to 45 %, T2*-weighted GRE 10 %, PET up to 42 %, ASL
8 %, diffusion and functional EPI 0 to 2 %. So every anatomical image and every PET counts as one
that shows a face, EPI does not, and of what lies between (field maps of other kinds, perfusion,
spectroscopy) what is fine enough does. What no rule names does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

METHOD = "DeidentificationMethod"
METHOD_CODES = "DeidentificationMethodCodeSequence"
"""The two fields that BIDS has for how an image was de-identified."""
FACE_REMOVED_CODE = "113102"
"""Clean Recognizable Visual Features Option, of DICOM's CID 7050."""
FACE_KEPT_PREFIX = "Face not removed: "
"""How a value of METHOD begins that says why a face was kept."""
FACE_ABSENT_PREFIX = "No face to remove: "
"""How a value of METHOD begins that says why there was none."""

_FACE_REMOVED_WORDS = ("deface", "face removed", "faces removed", "face was removed")
_MASK = "defacemask"
_ALWAYS = {"anat": "an anatomical image", "pet": "a PET image"}
_WHEN_FINE = {"fmap", "perf", "mrs"}
_EPI = {"epi", "TB1EPI"}
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
OTHER_IMAGES = (
    *(".mgz", ".mgh", ".img", ".hdr", ".img.gz", ".hdr.gz", ".mnc", ".nrrd", ".nhdr"),
    *(".mif", ".mif.gz", ".dcm", ".ima", ".nii.bz2", ".nii.xz", ".nii.zst"),
)
"""What images end in that can show a face and are no NIfTI that is looked at.

FreeSurfer, Analyze, MINC, NRRD, MRtrix, DICOM, and NIfTI that other programs compressed.
"""
PHOTO = "photo"
"""The suffix of photographs."""


@dataclass(frozen=True, kw_only=True)
class FaceQuestion:
    """Whether an image is one of those that show a face, and why."""

    asked: bool
    reason: str


class FaceClaim(StrEnum):
    """What a sidecar says of its image's face. A claim proves nothing."""

    REMOVED = "removed"
    """It was removed."""
    KEPT = "kept"
    """It was kept, with the reason."""
    ABSENT = "absent"
    """There was none to remove, with the reason."""
    NOTHING = "nothing"
    """None of these."""


def kind_shows_face(
    datatype: str, suffix: str, voxel_mm3: Callable[[], float | None]
) -> FaceQuestion:
    """Tell whether images of a kind show a face.

    Parameters
    ----------
    datatype, suffix
        As in a BIDS name. An unknown datatype counts as anatomical.
    voxel_mm3
        Gives the volume of a voxel, where the kind does not decide; None where nobody knows it.
    """
    if suffix == _MASK:
        return FaceQuestion(asked=False, reason="a mask: it says where a face was, not how")
    if datatype in _WHEN_FINE and suffix not in _EPI:
        volume = voxel_mm3()
        if volume is None or volume < FINE_VOXEL_MM3:
            return FaceQuestion(asked=True, reason="fine enough to show a face")
        return FaceQuestion(asked=False, reason=_COARSE.format(volume=volume))
    if datatype in _NEVER:
        return FaceQuestion(asked=False, reason=_NEVER[datatype])
    return FaceQuestion(asked=True, reason=_ALWAYS.get(datatype, "an image of an unknown kind"))


def face_claim(sidecar: Mapping[str, Any]) -> FaceClaim:
    """Read what a sidecar says of its image's face, in words or as a code of CID 7050."""
    methods = sidecar.get(METHOD, [])
    each = methods if isinstance(methods, list) else [methods]
    if any(str(method).startswith(FACE_KEPT_PREFIX) for method in each):
        return FaceClaim.KEPT
    if any(str(method).startswith(FACE_ABSENT_PREFIX) for method in each):
        return FaceClaim.ABSENT
    words = json.dumps(methods).casefold()
    coded = FACE_REMOVED_CODE in json.dumps(sidecar.get(METHOD_CODES, ""))
    if coded or any(said in words for said in _FACE_REMOVED_WORDS):
        return FaceClaim.REMOVED
    return FaceClaim.NOTHING
