"""Which voxels go: pydeface's face mask, grown, kept off the brain, and the ears.

pydeface's mask cuts through the eyeballs and leaves the ears. Grown by 8 mm it takes the eyes, and
the mean head's brain is 15 mm from it. The cut is kept as a distance field, so that its edge is
smooth on voxels of any size, and it goes on beyond the template's field of view as at its edge: a
chin that hangs lower goes, a neck that goes on stays.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from bidsanon.deface.grid import Grid, Mask, Matrix, Volume, sample_like, voxel_sizes_mm
from bidsanon.deface.template import face_template

GROWN_BY_MM = 8.0
"""How far the cut reaches beyond pydeface's mask."""
EARS_GROWN_BY_MM = 1.0
"""How far it reaches beyond the template's ears."""
BRAIN_GUARD_MM = 3.0
"""How near the growth may come to the template's brain."""

# What is darker than this share of the brightest tissue may be air. Low on purpose: noise that is
# taken for tissue is cut away, tissue that is taken for air would be published.
_TISSUE_BRIGHTNESS = 0.05
# The distances are smooth: between samples this far apart they are straight.
_SAMPLED_MM = 2.5
_SLAB_VOXELS = 4_000_000
_MM3_PER_ML = 1000.0


@dataclass(frozen=True, kw_only=True)
class FaceTissue:
    """How much of a head the cut takes.

    Attributes
    ----------
    cut_ml
        The part of the cut inside the field of view.
    tissue_ml
        What is brighter than air in it: tissue, and noise where it is strong.
    tissue_share
        The same, as a share of all that is brighter than air.
    """

    cut_ml: float
    tissue_ml: float
    tissue_share: float

    def figures(self) -> dict[str, float]:
        """Return the figures by name, rounded as they are reported."""
        return {f"face_{name}": round(value, 3) for name, value in asdict(self).items()}


@cache
def face_cut() -> Grid:
    """Return the distance to the edge of the cut, in mm, in the template's world; below 0 it goes.

    Made once a process.
    """
    template = face_template()
    size = float(template.head.voxel_sizes_mm[0])
    off_brain = BRAIN_GUARD_MM - _distance_mm(template.brain, size)
    face = _distance_mm(template.face, size) - GROWN_BY_MM
    ears = _distance_mm(template.ears, size) - EARS_GROWN_BY_MM
    values = np.maximum(np.minimum(face, ears), off_brain).astype(np.float32)
    return Grid(values=values, affine=template.head.affine)


def cut_mask(shape: tuple[int, ...], affine: Matrix, to_template: Matrix) -> Mask:
    """Say for each voxel of an image whether it goes.

    Parameters
    ----------
    shape, affine
        The image's three spatial axes and its affine.
    to_template
        From the image's world to the template's, shape (4, 4).

    Returns
    -------
    Mask
        In Fortran order, as NIfTI files are. Made slab by slab: a fine image's distances would
        not fit.
    """
    strides = np.maximum(_SAMPLED_MM // voxel_sizes_mm(affine), 1).astype(int)
    mask = np.zeros(shape, dtype=bool, order="F")
    thickness = max(1, _SLAB_VOXELS // max(1, shape[0] * shape[1]))
    for start in range(0, shape[2], thickness):
        depth = min(thickness, shape[2] - start)
        to_slab = np.eye(4)
        to_slab[2, 3] = start
        distance = _distances((*shape[:2], depth), affine @ to_slab, to_template, strides)
        mask[:, :, start : start + depth] = distance < 0
    return mask


def face_tissue(head: Grid, to_template: Matrix) -> FaceTissue:
    """Measure what the cut takes from a head.

    Parameters
    ----------
    head
        Brightness 0 to 1, coarse.
    to_template
        From the head's world to the template's.
    """
    goes = cut_mask(head.values.shape, head.affine, to_template)
    tissue = head.values > _TISSUE_BRIGHTNESS
    voxel_ml = float(np.prod(voxel_sizes_mm(head.affine))) / _MM3_PER_ML
    inside = int(np.count_nonzero(tissue & goes))
    return FaceTissue(
        cut_ml=np.count_nonzero(goes) * voxel_ml,
        tissue_ml=inside * voxel_ml,
        tissue_share=inside / max(1, int(np.count_nonzero(tissue))),
    )


def _distances(
    shape: tuple[int, ...], affine: Matrix, to_template: Matrix, strides: npt.NDArray[np.int_]
) -> Volume:
    """Return the distance to the cut's edge at each voxel: sampled at some, straight between."""
    sparse = tuple((n - 1) // int(stride) + 2 for n, stride in zip(shape, strides, strict=True))
    steps = np.diag([*strides.astype(float), 1.0])
    values = sample_like(face_cut(), sparse, affine @ steps, to_grid=to_template)
    for axis, (n, stride) in enumerate(zip(shape, strides, strict=True)):
        before, share = np.divmod(np.arange(n), stride)
        along = [1, 1, 1]
        along[axis] = n
        weight = (share / stride).astype(np.float32).reshape(along)
        lower, upper = np.take(values, before, axis), np.take(values, before + 1, axis)
        upper -= lower
        values = lower + weight * upper
    return values


def _distance_mm(mask: Mask, size_mm: float) -> Volume:
    """Return the distance to a mask, 0 inside it."""
    distance: Volume = (ndimage.distance_transform_edt(~mask) * size_mm).astype(np.float32)
    return distance
