"""pydeface's template: the head that others are compared with, its face, its brain, its ears.

The mean head and the face mask come from pydeface's wheel. The brain is not in the wheel and is
estimated here from the mean head. Everything is made once a process.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
from scipy import ndimage

from bidsanon.deface.grid import (
    Grid,
    Mask,
    Matrix,
    Points,
    points_of,
    resample_isotropic,
    sample_like,
)
from bidsanon.deface.head import box_around, brightness, centre_of_mass_mm, largest_part
from bidsanon.deface.means import block_means
from bidsanon.deface.voxels import mean_volume, read_header, slabs

_READ_MM = 2.0
_SIZE_MM = 3.0

# The mean head's grey and white matter are brighter than this share of its brightest tissue; its
# skull, which the averaging blurred into the meninges, is darker.
_BRAIN_BRIGHTNESS = 0.46
# What is left of the bright part this deep inside it no longer touches the neck or the scalp.
_BRAIN_CORE_MM = 8.0
# The averaging also blurred the brain's rim away: the mask is grown back by what was eroded, one
# voxel more, and this much for the rim and the fluid around it.
_BRAIN_RIM_MM = 5.5

# Where the mean head's ears are, read off its slices: mm from the first voxel along its own axes,
# and from its middle to either side.
_EAR_BACK_MM, _EAR_FRONT_MM = 80.0, 142.0
_EAR_BOTTOM_MM, _EAR_TOP_MM = 42.0, 118.0
_EAR_FROM_MIDDLE_MM = 50.0
# Ears are what is left of the head's outline by a ball of this radius rolled inside it, with as
# much of the skin as this.
_EAR_BALL_MM = 16.0
_EAR_SKIN_MM = 3.0
_OUTLINE_BRIGHTNESS = 0.2

# A voxel of the mean head brighter than this is head, not air.
_HEAD_BRIGHTNESS = 0.08


@dataclass(frozen=True, kw_only=True, eq=False)
class FaceTemplate:
    """The template on cubic voxels of 3 mm.

    Attributes
    ----------
    head
        The mean head, brightness 0 to 1.
    face
        What pydeface removes.
    ears
        Where the ears are, from the side of the head to beyond the field of view.
    brain
        The brain, estimated.
    """

    head: Grid
    face: Mask
    ears: Mask
    brain: Mask

    def brain_hull_mm(self) -> Points:
        """Return the world coordinates, shape (3, n), of the brain's outermost voxels."""
        rim = self.brain & ~ndimage.binary_erosion(self.brain)
        return points_of(self.head, rim)


@cache
def face_template() -> FaceTemplate:
    """Read the template, once a process."""
    with template_file() as path:
        head = brightness(resample_isotropic(_read(path), _SIZE_MM))
    with _face_mask_file() as path:
        kept = _read(path)
    shape = head.values.shape
    face = sample_like(kept, shape, head.affine) < 0.5  # noqa: PLR2004 - half a voxel
    return FaceTemplate(
        head=head,
        face=_to_the_front(face),
        ears=_ears(head),
        brain=estimate_brain(head),
    )


def template_box(
    from_mm: Points, to_mm: Points, *, size_mm: float
) -> tuple[Matrix, tuple[int, int, int]]:
    """Return the affine and the shape of cubic voxels that fill a box about the template.

    Parameters
    ----------
    from_mm, to_mm
        Two of its corners, shape (3,); the first axis is counted from the template's midline.
    size_mm
        How large a voxel is.
    """
    affine = np.diag([size_mm, size_mm, size_mm, 1.0])
    affine[:3, 3] = from_mm
    affine[0, 3] += template_midline_mm(face_template().head)
    x, y, z = (int(n) for n in np.round((to_mm - from_mm) / size_mm) + 1)
    return affine, (x, y, z)


@cache
def template_level(size_mm: float) -> Grid:
    """Return the mean head on coarser cubic voxels, once a process."""
    return resample_isotropic(face_template().head, size_mm)


@cache
def template_region(size_mm: float, margin_mm: float) -> Mask:
    """Return the mean head and the air around it, on the grid of :func:`template_level`."""
    head = ndimage.binary_closing(template_level(size_mm).values > _HEAD_BRIGHTNESS)
    filled = ndimage.binary_fill_holes(head)
    steps = max(1, round(margin_mm / size_mm))
    region: Mask = ndimage.binary_dilation(filled, iterations=steps)
    return region


@cache
def template_centre_mm() -> Points:
    """Return the mean head's centre of mass in world millimetres, shape (3,)."""
    return centre_of_mass_mm(template_level(8.0))


def pydeface_version() -> str:
    """Return the version of the pydeface whose template this is."""
    return version("pydeface")


def pydeface_mask() -> tuple[Mask, Matrix]:
    """Read which of the mean head's own voxels pydeface removes, and where those voxels are."""
    with _face_mask_file() as path:
        header = read_header(path)
        kept = mean_volume(header).values
    return _to_the_front(kept < 0.5), header.affine  # noqa: PLR2004 - between 0 and 1


@contextmanager
def template_file() -> Iterator[Path]:
    """Give pydeface's mean head as a file."""
    with as_file(files("pydeface") / "data" / "mean_reg2mean.nii.gz") as path:
        yield path


@contextmanager
def _face_mask_file() -> Iterator[Path]:
    """Give pydeface's face mask as a file: 0 goes, 1 stays."""
    with as_file(files("pydeface") / "data" / "facemask.nii.gz") as path:
        yield path


def estimate_brain(head: Grid) -> Mask:
    """Estimate the brain of the mean head.

    The bright tissue, eroded until the neck and the scalp let go, its largest part grown back and
    then by a rim. Works on this head and is meant for no other.
    """
    size = float(head.voxel_sizes_mm[0])
    bright = head.values > _BRAIN_BRIGHTNESS
    deep = ndimage.distance_transform_edt(bright) * size > _BRAIN_CORE_MM
    core = largest_part(deep)
    near_core = ndimage.distance_transform_edt(~core) * size <= _BRAIN_CORE_MM + size / 2
    brain = ndimage.binary_fill_holes(near_core & bright)
    grown: Mask = ndimage.distance_transform_edt(~brain) * size <= _BRAIN_RIM_MM
    return grown


def _read(path: Path) -> Grid:
    image = read_header(path)
    (grid,) = block_means(image.space, image.affine, slabs(image), (_READ_MM,))
    return grid


def _to_the_front(face: Mask) -> Mask:
    """Carry the face to the front edge: pydeface's mask keeps a sheet of air there.

    A nose beyond the template's field of view takes its fate from the edge.
    """
    carried: Mask = np.logical_or.accumulate(face, axis=1)
    return carried


def _ears(head: Grid) -> Mask:
    """Find the ears: boxes at both sides, as far as they lie outside the head without its ears."""
    size = float(head.voxel_sizes_mm[0])
    middle = (head.values.shape[0] - 1) / 2
    i, j, k = np.ogrid[tuple(slice(n) for n in head.values.shape)]
    boxes = (
        (np.abs(i - middle) * size > _EAR_FROM_MIDDLE_MM)
        & (j * size > _EAR_BACK_MM)
        & (j * size < _EAR_FRONT_MM)
        & (k * size > _EAR_BOTTOM_MM)
        & (k * size < _EAR_TOP_MM)
    )
    # Padded by its edge: the neck goes on below the field of view. What the ball, inside and back
    # out, cannot reach from a box says nothing of what is in it.
    pad = int(2 * _EAR_BALL_MM / size) + 1
    near = box_around(boxes)
    reach = tuple(slice(side.start, side.stop + 2 * pad) for side in near)
    outline = ndimage.binary_fill_holes(np.pad(head.values, pad, "edge") > _OUTLINE_BRIGHTNESS)
    core = ndimage.distance_transform_edt(outline[reach]) * size > _EAR_BALL_MM
    from_core = ndimage.distance_transform_edt(~core) * size
    without_ears = from_core[(slice(pad, -pad),) * 3] <= _EAR_BALL_MM - _EAR_SKIN_MM
    ears: Mask = np.zeros(boxes.shape, dtype=bool)
    ears[near] = boxes[near] & ~without_ears
    return ears


def template_midline_mm(head: Grid) -> float:
    """Return the x of the mean head's middle."""
    return float(centre_of_mass_mm(head)[0])
