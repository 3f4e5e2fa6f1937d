"""Which images of a session are defaced, by what they are and by what the user asks for."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np

from bidsanon.bids.faces import FaceQuestion, kind_shows_face
from bidsanon.deface.grid import Matrix, voxel_sizes_mm
from bidsanon.deface.options import Also, DefaceOptions
from bidsanon.deface.voxels import Nifti, UnreadableImageError, read_header
from bidsanon.session import ConvertedImage, DefaceOutcome, DefaceVerdict

_WHEN_ASKED = {"dwi": Also.DWI, "func": Also.BOLD}


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
    question = kind_shows_face(datatype, suffix, lambda: float(np.prod(voxel_sizes_mm(affine))))
    if not question.asked and _WHEN_ASKED.get(datatype) in also:
        return FaceQuestion(asked=True, reason="asked for")
    return question


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
