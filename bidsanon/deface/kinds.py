"""What kind of image dcm2niix made, where no heuristic and no BIDS name says.

Only what is proved to be EPI is taken for a diffusion or a functional image: by its sequence, by a
gradient table, or by many volumes of coarse voxels. What no rule knows counts as anatomical, and is
looked at for a face.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bidsanon.bids.faces import FINE_VOXEL_MM3
from bidsanon.deface.acquisition import THINNEST_MM
from bidsanon.deface.grid import voxel_sizes_mm
from bidsanon.deface.voxels import Nifti

_EPI = "EP"
_MANY_VOLUMES = 20
_COARSE = {"fmap", "perf"}
"""What may be too coarse for a face, as dcm2niix guesses it."""
_FIELD_IN_HERTZ = "FIELDMAPHZ"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What an image is, in the words of BIDS.

    Attributes
    ----------
    datatype, suffix
        As a name would have them.
    """

    datatype: str
    suffix: str


def kind_of(image: Nifti, sidecar: Mapping[str, Any], *, gradients: bool) -> Kind:
    """Tell what kind of image dcm2niix made.

    Parameters
    ----------
    image
        The image.
    sidecar
        What dcm2niix says of it.
    gradients
        Whether a table of diffusion gradients came with it.
    """
    guess = sidecar.get("BidsGuess")
    guessed = str(guess[0]) if isinstance(guess, list) and guess else ""
    if gradients:
        return Kind(datatype="dwi", suffix="dwi")
    if _EPI in str(sidecar.get("ScanningSequence", "")).split("\\"):
        return Kind(datatype="fmap", suffix="epi") if guessed == "fmap" else _epi(guessed)
    if sidecar.get("Modality") == "PT":
        return Kind(datatype="pet", suffix="pet")
    if guessed in _COARSE:
        in_hertz = _FIELD_IN_HERTZ in sidecar.get("ImageType", ())
        return Kind(datatype=guessed, suffix="fieldmap" if in_hertz else "magnitude")
    volume = float(np.prod(voxel_sizes_mm(image.affine)))
    if image.volume_count >= _MANY_VOLUMES and volume >= FINE_VOXEL_MM3:
        return Kind(datatype="func", suffix="bold")
    return Kind(datatype="anat", suffix="image")


def is_thin(image: Nifti) -> bool:
    """Tell an image of so few slices that no head can be found in it: a scout, a single slice."""
    return bool((voxel_sizes_mm(image.affine) * image.space).min() < THINNEST_MM)


def _epi(guessed: str) -> Kind:
    if guessed in {"dwi", "perf"}:
        return Kind(datatype=guessed, suffix=guessed)
    return Kind(datatype="func", suffix="bold")
