"""Whether a head shows a face: the surface of its front, measured in millimetres.

The front of the head is looked at from before it, in the template's pose, as a map of depths: how
far forward the first surface lies. A nose is a ridge that stands out on both sides. Eyes are
hollows on both sides of it, below the brow and above the cheeks. Where a face was cut off, the
surface lies far behind the brow, and what is left of nasal cavity and sinuses is holes in it: what
lies too far behind the brow counts as flat, and narrow holes as shallow, so that they do not make a
nose of what is between them.

Four whole heads, each in twelve contrasts, slice thicknesses and fields of view, had a nose of 12
to 34 mm and nine tenths of the face as far forward as a face (three quarters where the field of
view ends at the nose). Without their faces it was 4 mm at most and none.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from bidsanon.deface.grid import Grid, Mask, Matrix, Points, Volume, inverse, sample_like
from bidsanon.deface.head import largest_part
from bidsanon.deface.template import face_template, template_box

NOSE_MM = 9.0
"""A ridge that stands out by this much on both sides is a nose."""
EYES_MM = 5.0
"""Two hollows that lie this deep below brow and ridge, above cheeks, are eyes."""
RECESS_MM = 20.0
"""A surface this far behind the brow is no face's."""
FORWARD_SHARE = 0.5
"""With more of the middle of the face than this less than a recess behind the brow, it is there."""
SCRAPS_SHARE = 0.05
"""What may lie as far forward as a face where it was cut off: the edge of the cut."""
SCALP_MM = 94.0
"""A brow this far forward in the template's world has its skin; a brain's front lies at 84."""
ENOUGH_IN_VIEW = 0.6
"""With less than this of nose and eyes in view it cannot be said that they were cut off."""
EMPTY_SHARE = 0.9
"""So much of the air in front of a cut has one value, where somebody set it."""

_SIZE_MM = 2.0
_SMOOTHING_VOXELS = 0.6
_SKIN_BRIGHTNESS = 0.12
_ABOVE_AIR = 3.0
# What is looked at, in the template's world, x from its midline.
_FROM_MM = np.array([-64.0, -60.0, -150.0])
_TO_MM = np.array([64.0, 160.0, 60.0])
# This far outside the template's head there is nothing but air.
_AIR_FROM_MM = 20.0
_ENOUGH_AIR = 200
_EVERY = 3
_SPARSELY = (slice(None, None, _EVERY),) * 3

# Where the template has its brow, its eyes, its nose; heads that were registered to it have theirs
# within a few millimetres of that.
_BROW_SIDE_MM, _BROW_LOW_MM, _BROW_HIGH_MM = 20.0, -20.0, 20.0
_BROW_PERCENTILE = 95
_ENOUGH_BROW = 100
_TEMPLATE_BROW_MM = 104.0
_MIDDLE_SIDE_MM, _MIDDLE_LOW_MM, _MIDDLE_HIGH_MM = 20.0, -110.0, -30.0
_EYES_LOW_MM, _EYES_HIGH_MM = -75.0, -25.0

_DEEPEST_MM = 30.0
_HOLE_VOXELS = 9
_SHALLOW_HOLE_MM = 6.0
_ASIDE_MM = np.arange(-12.0, 13.0, 4.0)
_NOSE_HEIGHTS_MM = np.arange(-104.0, -27.0, 4.0)
_EYE_HEIGHTS_MM = np.arange(-64.0, -15.0, 4.0)
_FLANK_MM, _EYE_MM = 19.0, 32.0


@dataclass(frozen=True, kw_only=True)
class Visage:
    """What the front of a head shows.

    Attributes
    ----------
    nose_mm
        How far a ridge stands out on both sides, at most; 0 where there is none.
    eyes_mm
        How deep two hollows lie below brow and ridge, at most; 0 where there are none.
    forward
        Share of the middle of the face, as far as it is in view, whose surface lies as far forward
        as a face's.
    brow_mm
        How far forward the brow lies in the template's world.
    in_view
        Share of where nose and eyes are that is inside the field of view.
    """

    nose_mm: float
    eyes_mm: float
    forward: float
    brow_mm: float
    in_view: float

    @property
    def shown(self) -> bool:
        """Whether there is a face."""
        return self.nose_mm >= NOSE_MM or self.eyes_mm >= EYES_MM or self.forward >= FORWARD_SHARE

    @property
    def cut_off(self) -> bool:
        """Whether there is a head with its skin and without a face, which would be in view."""
        bare = not self.shown and self.forward <= SCRAPS_SHARE
        return bare and self.brow_mm >= SCALP_MM and self.in_view >= ENOUGH_IN_VIEW

    def figures(self, when: str) -> dict[str, float]:
        """Return the figures by name, rounded as they are reported."""
        named = {"nose_mm": self.nose_mm, "eyes_mm": self.eyes_mm, "face_forward": self.forward}
        return {f"{name}_{when}": round(value, 2) for name, value in named.items()}

    def words(self) -> str:
        """Say what is seen, for a person."""
        if not self.shown:
            return "no relief of nose and eyes"
        relief = f"a nose of {self.nose_mm:.0f} mm, eyes of {self.eyes_mm:.0f} mm"
        return f"{relief}, {self.forward:.0%} of the face as far forward as a face"


@dataclass(frozen=True, kw_only=True, eq=False)
class Front:
    """The front of a head from before it, on a map of x by z in the template's world.

    Attributes
    ----------
    surface_mm
        Where the first surface lies (y, more is further forward); not a number where there is none.
    in_view
        Whether any of the line of sight is inside the field of view.
    empty
        How much of the air in front of where the middle of the face would be has one value, 0 to 1.
    """

    surface_mm: Points
    in_view: Mask
    empty: float


def front_of(head: Grid, to_template: Matrix) -> Front:
    """Look at a head from before it.

    Parameters
    ----------
    head
        Brightness 0 to 1, coarse.
    to_template
        From its world to the template's.
    """
    affine, shape = _canvas()
    posed = sample_like(head, shape, affine, to_grid=inverse(to_template), outside=-1.0)
    inside = posed >= 0
    smooth = ndimage.gaussian_filter(np.maximum(posed, 0), _SMOOTHING_VOXELS)
    level = skin_brightness(head, to_template)
    solid = largest_part((smooth > level) & inside)
    hit = solid.any(axis=1)
    first = shape[1] - 1 - solid[:, ::-1].argmax(axis=1)
    surface = _FROM_MM[1] + _SIZE_MM * (first + _rise(smooth, first, level))
    surface[~hit] = np.nan
    return Front(
        surface_mm=surface,
        in_view=np.asarray(inside.any(axis=1)),
        empty=_empty(posed, inside, np.where(hit, first, 0)),
    )


def visage_of(front: Front) -> Visage:
    """Measure the relief of nose and eyes, and how far forward the face lies."""
    brow = _brow_mm(front)
    floor = brow - _DEEPEST_MM
    relief = np.maximum(np.nan_to_num(front.surface_mm, nan=-np.inf), floor)
    closed = ndimage.grey_closing(relief, size=(_HOLE_VOXELS, _HOLE_VOXELS))
    relief = np.maximum(relief, closed - _SHALLOW_HOLE_MM)
    middle = _part(-_MIDDLE_SIDE_MM, _MIDDLE_SIDE_MM, _MIDDLE_LOW_MM, _MIDDLE_HIGH_MM)
    eyes = _part(-_MIDDLE_SIDE_MM, _MIDDLE_SIDE_MM, _EYES_LOW_MM, _EYES_HIGH_MM)
    seen = front.in_view[middle]
    forward = (front.surface_mm[middle] > brow - RECESS_MM) & seen
    return Visage(
        nose_mm=max(_ridge_mm(relief, x, z) for x, z in _places(_NOSE_HEIGHTS_MM)),
        eyes_mm=max(_hollows_mm(relief, floor, x, z) for x, z in _places(_EYE_HEIGHTS_MM)),
        forward=float(np.count_nonzero(forward)) / max(1, int(np.count_nonzero(seen))),
        brow_mm=brow,
        in_view=float(np.mean(front.in_view[eyes])),
    )


def skin_brightness(head: Grid, to_template: Matrix) -> float:
    """Return a brightness between air and skin: higher where the air around the head is noisy.

    Parameters
    ----------
    head
        Brightness 0 to 1, coarse.
    to_template
        From its world to the template's.
    """
    sparse = Grid(values=head.values[_SPARSELY], affine=head.affine @ np.diag([_EVERY] * 3 + [1]))
    outside_mm = sample_like(
        _outside_template(), sparse.values.shape, sparse.affine, to_grid=to_template
    )
    # What is exactly 0 was set, and says nothing of noise.
    air = sparse.values[(outside_mm > _AIR_FROM_MM) & (sparse.values > 0)]
    if air.size < _ENOUGH_AIR:
        return _SKIN_BRIGHTNESS
    return max(_SKIN_BRIGHTNESS, _ABOVE_AIR * float(np.median(air)))


@cache
def _outside_template() -> Grid:
    """Return how far each place lies outside the template's head, in mm."""
    head = face_template().head
    solid = largest_part(head.values > _SKIN_BRIGHTNESS)
    size = float(head.voxel_sizes_mm[0])
    distance = ndimage.distance_transform_edt(~ndimage.binary_fill_holes(solid)) * size
    return Grid(values=distance.astype(np.float32), affine=head.affine)


def _canvas() -> tuple[Matrix, tuple[int, int, int]]:
    return template_box(_FROM_MM, _TO_MM, size_mm=_SIZE_MM)


def _rise(smooth: Volume, first: npt.NDArray[np.intp], level: float) -> Points:
    """Return how far in front of its first voxel each surface lies, in voxels."""
    outside = np.minimum(first + 1, smooth.shape[1] - 1)
    inner = np.take_along_axis(smooth, first[:, np.newaxis], axis=1)[:, 0]
    outer = np.take_along_axis(smooth, outside[:, np.newaxis], axis=1)[:, 0]
    fall = np.where(inner > outer, inner - outer, 1)
    return np.where(inner > outer, np.clip((inner - level) / fall, 0, 1), 0).astype(np.float64)


def _empty(posed: Volume, inside: Mask, first: npt.NDArray[np.intp]) -> float:
    """Return the share of the commonest value, where a face would be and a surface is not.

    Two voxels in front of the surface are left out: they are blurred into it.
    """
    columns = _part(-_MIDDLE_SIDE_MM, _MIDDLE_SIDE_MM, _MIDDLE_LOW_MM, _MIDDLE_HIGH_MM)
    depth = np.arange(posed.shape[1])[np.newaxis, :, np.newaxis]
    skin = round((_TEMPLATE_BROW_MM - _FROM_MM[1]) / _SIZE_MM)
    before = (depth > first[:, np.newaxis] + 2) & (depth < skin) & inside
    air = posed[columns[0], :, columns[1]][before[columns[0], :, columns[1]]]
    if air.size < _ENOUGH_AIR:
        return 0.0
    _, counts = np.unique(air, return_counts=True)
    return int(counts.max()) / int(air.size)


def _brow_mm(front: Front) -> float:
    """Return how far forward the brow lies; the template's where it is not in view."""
    brow = front.surface_mm[_part(-_BROW_SIDE_MM, _BROW_SIDE_MM, _BROW_LOW_MM, _BROW_HIGH_MM)]
    brow = brow[~np.isnan(brow)]
    if brow.size < _ENOUGH_BROW:
        return _TEMPLATE_BROW_MM
    return float(np.percentile(brow, _BROW_PERCENTILE))


def _places(heights_mm: Points) -> itertools.product[tuple[float, float]]:
    return itertools.product(_ASIDE_MM, heights_mm)


def _ridge_mm(relief: Points, x: float, z: float) -> float:
    """Return by how much the surface at a place stands out on both sides."""
    ridge = _median(relief, x, z, 3, 4)
    flank = max(_median(relief, x + side * _FLANK_MM, z, 5, 4) for side in (-1, 1))
    return float(max(0.0, ridge - flank))


def _hollows_mm(relief: Points, floor: float, x: float, z: float) -> float:
    """Return how deep the surface lies at both sides of a place, below the brow and the ridge.

    No eyes without cheeks below them: where a face was cut off, its roof is no brow.
    """
    sides = (-1, 1)
    cheeks = (_median(relief, x + side * 30, z - 20, 6, 3) for side in sides)
    if min(cheeks) <= floor + 1:
        return 0.0
    brow = min(_median(relief, x + side * 28, z + 18, 8, 3) for side in sides)
    ridge = _median(relief, x, z, 3, 3)
    eyes = max(_median(relief, x + side * _EYE_MM, z, 6, 4) for side in sides)
    return float(max(0.0, min(brow, ridge) - eyes))


def _median(relief: Points, x: float, z: float, wide_mm: float, high_mm: float) -> float:
    return float(np.median(relief[_part(x - wide_mm, x + wide_mm, z - high_mm, z + high_mm)]))


def _part(left: float, right: float, low: float, high: float) -> tuple[slice, slice]:
    """Return where on the map a rectangle lies that is given in mm, x from the midline."""
    return _span(left, right, 0), _span(low, high, 2)


def _span(start_mm: float, stop_mm: float, axis: int) -> slice:
    start, stop = (round((mm - float(_FROM_MM[axis])) / _SIZE_MM) for mm in (start_mm, stop_mm))
    return slice(max(0, start), max(0, stop + 1))
