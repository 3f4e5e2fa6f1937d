"""A head as it is in the dataset now, drawn as those before and after a defacing are."""

from __future__ import annotations

from pathlib import Path

from bidsanon.deface.head import window_of
from bidsanon.deface.means import block_means
from bidsanon.deface.pictures import PICTURE_MM, Pose, draw, png
from bidsanon.deface.voxels import UnreadableImageError, read_header, slabs

_MOST_IN_A_VOLUME = 1 << 30


def draw_as_it_is(image: Path) -> dict[str, bytes]:
    """Draw the first volume of an image, as it lies in the scanner.

    Parameters
    ----------
    image
        A NIfTI file.

    Returns
    -------
    dict
        PNG by "now-front", "now-left" and so on.

    Raises
    ------
    UnreadableImageError
        If it cannot be read, or is too large.
    """
    nifti = read_header(image)
    if nifti.slice_voxels * nifti.shape[2] > _MOST_IN_A_VOLUME:
        raise UnreadableImageError("it is too large to be drawn")
    (head,) = block_means(nifti.space, nifti.affine, slabs(nifti, only=[0]), [PICTURE_MM])
    pose = Pose.of(head, window_of(head), None)
    pictures = draw(pose, surface=pose.surface_brightness())
    return {f"now-{view}": png(picture) for view, picture in pictures.items()}
