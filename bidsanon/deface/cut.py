"""Which voxels go: pydeface's face mask, grown, kept off the brain, the back teeth and the ears.

pydeface's mask cuts through the eyeballs and leaves the ears. Grown by 8 mm it takes the eyes, and
the mean head's brain is 15 mm from it; it ends where the last molars do, so a box behind it takes
those of a longer jaw. The cut is kept as a distance field, so that its edge is smooth on voxels of
any size, and it goes on beyond the template's field of view as at its edge: a chin that hangs lower
goes, a neck that goes on stays.

Who wants pydeface's cut gets its mask as it is: not grown, neither teeth nor ears added.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from bidsanon.deface.grid import (
    Grid,
    Mask,
    Matrix,
    Volume,
    points_of,
    sample_like,
    voxel_sizes_mm,
)
from bidsanon.deface.options import DefaceOptions, Faces
from bidsanon.deface.template import face_template, pydeface_mask

GROWN_BY_MM = 8.0
"""How far the cut reaches beyond pydeface's mask."""
EARS_GROWN_BY_MM = 1.0
"""How far it reaches beyond the template's ears."""
BRAIN_GUARD_MM = 3.0
"""How near the growth may come to the template's brain."""

# Where the back teeth are, read off the mean head's slices and those of a longer jaw, in the
# template's world: to the right, to the front, upwards. The hard palate is at its top.
_TEETH_FROM_MM = np.array([-50.0, 42.0, -np.inf])
_TEETH_TO_MM = np.array([42.0, 60.0, -64.0])

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


@dataclass(frozen=True, kw_only=True)
class Cut:
    """What is cut away.

    Attributes
    ----------
    faces
        What counts as the face.
    ears
        Whether the ears go; pydeface's mask has none.
    """

    faces: Faces = Faces.WHOLE
    ears: bool = True

    @classmethod
    def of(cls, options: DefaceOptions) -> Cut:
        """Return what the user asked for."""
        whole = options.faces is Faces.WHOLE
        return cls(faces=options.faces, ears=whole and not options.keep_ears)

    def words(self) -> str:
        """Say in what it differs from the usual one; nothing if it does not."""
        if self.faces is Faces.PYDEFACE:
            return "pydeface's mask exactly"
        return "" if self.ears else "the ears kept"


WHOLE = Cut()
"""The usual one."""


@cache
def face_cut(cut: Cut = WHOLE) -> Grid:
    """Return how far from the edge of a cut each place in the template's world is; below 0 it goes.

    In mm; for pydeface's mask as it is, in nothing but its sign. Made once a process.
    """
    if cut.faces is Faces.PYDEFACE:
        goes, affine = pydeface_mask()
        return Grid(values=np.where(goes, -1, 1).astype(np.float32), affine=affine)
    template = face_template()
    size = float(template.head.voxel_sizes_mm[0])
    values, off_brain = _without_ears()
    if cut.ears:
        values = np.minimum(values, _distance_mm(template.ears, size) - EARS_GROWN_BY_MM)
    values = np.maximum(values, off_brain).astype(np.float32)
    return Grid(values=values, affine=template.head.affine)


@cache
def _without_ears() -> tuple[Volume, Volume]:
    """Return how far the face and the teeth are, and how far the brain is from where it guards."""
    template = face_template()
    size = float(template.head.voxel_sizes_mm[0])
    face = _distance_mm(template.face, size) - GROWN_BY_MM
    teeth = _distance_mm(_teeth(template.head), size) - size / 2
    return np.minimum(face, teeth), BRAIN_GUARD_MM - _distance_mm(template.brain, size)


def cut_mask(
    shape: tuple[int, ...], affine: Matrix, to_template: Matrix, *, cut: Cut = WHOLE
) -> Mask:
    """Say for each voxel of an image whether it goes.

    Parameters
    ----------
    shape, affine
        The image's three spatial axes and its affine.
    to_template
        From the image's world to the template's, shape (4, 4).
    cut
        What is cut away.

    Returns
    -------
    Mask
        In Fortran order, as NIfTI files are. Made slab by slab: a fine image's distances would
        not fit.
    """
    field = face_cut(cut)
    smooth = _SAMPLED_MM if cut.faces is Faces.WHOLE else 0.0
    strides = np.maximum(smooth // voxel_sizes_mm(affine), 1).astype(int)
    mask = np.zeros(shape, dtype=bool, order="F")
    thickness = max(1, _SLAB_VOXELS // max(1, shape[0] * shape[1]))
    for start in range(0, shape[2], thickness):
        depth = min(thickness, shape[2] - start)
        to_slab = np.eye(4)
        to_slab[2, 3] = start
        distance = _distances(field, (*shape[:2], depth), to_template @ affine @ to_slab, strides)
        mask[:, :, start : start + depth] = distance < 0
    return mask


def face_tissue(head: Grid, goes: Mask) -> FaceTissue:
    """Measure what a cut takes from a head.

    Parameters
    ----------
    head
        Brightness 0 to 1, coarse.
    goes
        The cut on its voxels.
    """
    tissue = head.values > _TISSUE_BRIGHTNESS
    voxel_ml = float(np.prod(voxel_sizes_mm(head.affine))) / _MM3_PER_ML
    inside = int(np.count_nonzero(tissue & goes))
    return FaceTissue(
        cut_ml=int(np.count_nonzero(goes)) * voxel_ml,
        tissue_ml=inside * voxel_ml,
        tissue_share=inside / max(1, int(np.count_nonzero(tissue))),
    )


def _distances(
    field: Grid, shape: tuple[int, ...], to_world: Matrix, strides: npt.NDArray[np.int_]
) -> Volume:
    """Return the distance to the cut's edge at each voxel: sampled at some, straight between."""
    sparse = tuple((n - 1) // int(stride) + 2 for n, stride in zip(shape, strides, strict=True))
    steps = np.diag([*strides.astype(float), 1.0])
    values = sample_like(field, sparse, to_world @ steps)
    for axis, (n, stride) in enumerate(zip(shape, strides, strict=True)):
        if stride == 1:
            values = np.take(values, range(n), axis)
            continue
        before, share = np.divmod(np.arange(n), stride)
        along = [1, 1, 1]
        along[axis] = n
        weight = (share / stride).astype(np.float32).reshape(along)
        lower, upper = np.take(values, before, axis), np.take(values, before + 1, axis)
        upper -= lower
        values = lower + weight * upper
    return values


def _teeth(head: Grid) -> Mask:
    """Return the box of the back teeth."""
    places = points_of(head, np.ones(head.values.shape, dtype=bool))
    inside = (places > _TEETH_FROM_MM[:, np.newaxis]) & (places < _TEETH_TO_MM[:, np.newaxis])
    return np.asarray(inside.all(axis=0)).reshape(head.values.shape)


def _distance_mm(mask: Mask, size_mm: float) -> Volume:
    """Return the distance to a mask, 0 inside it."""
    distance: Volume = (ndimage.distance_transform_edt(~mask) * size_mm).astype(np.float32)
    return distance
