"""Whether a cut takes brain: the head's own brain, estimated from how bright its tissue is.

The registration says where the template's brain lies, and the cut keeps off that. Where the
registration is subtly wrong, or a brain unusual, that proves nothing. So the brain is sought in the
image itself: tissue as bright as what lies deep inside the template's brain, in one piece with it
by more than a narrow bridge. Of the template it takes no more than where to begin, and that no
brain lies 20 mm outside its own.

In some contrasts nothing parts brain from scalp and orbit: then the estimate runs far out of the
front of the head, which no brain does. It is tried again from deeper inside, and with bright fluid
left out, as T2w needs; when all run out, nothing is known, and no figure is given.

A right cut keeps some 8 mm off the brain, so that one which is 8 mm off takes hardly any: what it
comes too near to says more than what it takes. docs/defacing.md has what was measured.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from scipy import ndimage

from bidsanon.deface.cut import WHOLE, Cut, face_cut
from bidsanon.deface.grid import Grid, Mask, Matrix, Points, Volume, inverse, sample_like
from bidsanon.deface.head import box_around
from bidsanon.deface.template import face_template, template_box

TOLERATED_ML = 0.4
"""Fifty coarse voxels may be taken for brain that are its rim, half fluid, half bone."""
NEAR_MM = 6.0
"""Nearer than this to the brain comes no right cut of a face; ears do."""
NEAR_TOLERATED_ML = 0.5
"""As much may be taken for brain that lies so near."""

_SIZE_MM = 2.0
_MM3_PER_ML = 1000.0
_SMOOTHING_VOXELS = 0.5
# Where brains lie, in the template's world, x from its midline.
_FROM_MM = np.array([-80.0, -110.0, -70.0])
_TO_MM = np.array([80.0, 106.0, 90.0])

_FARTHEST_MM = 20.0
# What is narrower than twice this parts the brain from something else.
_BRIDGE_MM = 7.0
# So much of an estimate lies so far outside the template's brain at the front: no brain.
_FAR_MM = 15.0
_FAR_ML = 3.0
_LEAST_SHARE = 0.4
_FRONT_FROM_MM = 0.0

_SHADING_MM = 25.0
_SHADING_STEP = 2
_SHADING_DEEP_MM = -4.0
_SLOPE_UNIT_MM = 50.0
_SLOPE_ROUNDS, _SLOPE_SPREAD = 3, 1.5
_ENOUGH_FOR_SLOPE = 1000
_LEAST_WEIGHT = 1e-4
_LEAST_LEVEL = 1e-3


@dataclass(frozen=True, kw_only=True)
class _Way:
    """One way of estimating.

    Attributes
    ----------
    deep_mm
        What lies this deep inside the template's brain is brain.
    percentiles
        Which of its values are its darkest and its brightest.
    darker, brighter
        How far beyond those the brain may go, in their distance from the usual value.
    """

    deep_mm: float
    percentiles: tuple[float, float]
    darker: float
    brighter: float


# The first is the more sensitive to brain that lies outside the template's; the last leaves bright
# fluid out, as in T2w.
_WAYS = (
    _Way(deep_mm=10.0, percentiles=(12.0, 97.0), darker=1.6, brighter=1.8),
    _Way(deep_mm=16.0, percentiles=(15.0, 95.0), darker=1.6, brighter=1.8),
    _Way(deep_mm=10.0, percentiles=(12.0, 88.0), darker=1.6, brighter=1.4),
)


@dataclass(frozen=True, kw_only=True)
class BrainCheck:
    """What the cut takes of the head's own brain.

    Attributes
    ----------
    in_cut_ml
        How much; None where the brain could not be told from what is around it.
    near_cut_ml
        How much lies in the cut of the face or so near that no right cut is; None as above.
    """

    in_cut_ml: float | None
    near_cut_ml: float | None

    def figures(self) -> dict[str, float]:
        """Return the figures by name, rounded as they are reported; none where nothing is known."""
        named = {"brain_in_cut_ml": self.in_cut_ml, "brain_near_cut_ml": self.near_cut_ml}
        return {name: round(ml, 2) for name, ml in named.items() if ml is not None}

    def refusals(self) -> tuple[str, ...]:
        """Say, in words, why the cut is refused; nothing means that it is not."""
        if self.in_cut_ml is not None and self.in_cut_ml > TOLERATED_ML:
            return (f"the cut would take {self.in_cut_ml:.1f} ml of the brain",)
        if self.near_cut_ml is not None and self.near_cut_ml > NEAR_TOLERATED_ML:
            near = f"{self.near_cut_ml:.1f} ml of the brain"
            return (f"{near} lie within {NEAR_MM:.0f} mm of the cut, which is too near",)
        return ()


def check_brain(head: Grid, to_template: Matrix, *, cut: Cut = WHOLE) -> BrainCheck:
    """Estimate a head's own brain and measure how much of it a cut takes or comes near to.

    Parameters
    ----------
    head
        Brightness 0 to 1, coarse.
    to_template
        From its world to the template's.
    cut
        What goes.
    """
    brain = estimate_brain(head, to_template)
    if brain is None:
        return BrainCheck(in_cut_ml=None, near_cut_ml=None)
    return BrainCheck(
        in_cut_ml=_ml(brain & _in_cut(cut)),
        near_cut_ml=_ml(brain & _near_cut(replace(cut, ears=False))),
    )


def estimate_brain(head: Grid, to_template: Matrix) -> Mask | None:
    """Estimate a head's own brain on a grid in the template's world.

    Returns
    -------
    Mask or None
        None where it cannot be told from what is around it.
    """
    affine, shape = _canvas()
    posed = sample_like(head, shape, affine, to_grid=inverse(to_template), outside=-1.0)
    inside = posed >= 0
    smooth = ndimage.gaussian_filter(np.maximum(posed, 0), _SMOOTHING_VOXELS)
    values = _evened(_sloped_evened(smooth, inside), inside)
    for way in _WAYS:
        brain = _grow(values, inside, way)
        if brain is not None and _is_plausible(brain, inside):
            return brain
    return None


def _grow(values: Volume, inside: Mask, way: _Way) -> Mask | None:
    """Grow the brain from its depth, through tissue as bright, across no narrow bridge."""
    outside_mm = _outside_template_mm()
    deep = inside & (outside_mm < -way.deep_mm)
    if not deep.any():
        return None
    darkest, usual, brightest = np.percentile(
        values[deep], (way.percentiles[0], 50, way.percentiles[1])
    )
    low = usual - way.darker * (usual - darkest)
    high = usual + way.brighter * (brightest - usual)
    alike = (values > low) & (values < high) & inside & (outside_mm < _FARTHEST_MM)
    thick = np.zeros(alike.shape, dtype=bool)
    box = box_around(alike, 1)  # one around it, where it ends
    thick[box] = ndimage.distance_transform_edt(alike[box]) * _SIZE_MM > _BRIDGE_MM
    labels, count = ndimage.label(thick)
    begun = np.bincount(labels[deep & thick], minlength=count + 1)
    if not begun.any():
        return None
    grown: Mask = alike & _grown(labels == begun.argmax(), _BRIDGE_MM)
    return grown


def _is_plausible(brain: Mask, inside: Mask) -> bool:
    """Tell whether an estimate is large enough for a brain and does not run out of the front."""
    affine, shape = _canvas()
    outside_mm = _outside_template_mm()
    front = affine[1, 3] + _SIZE_MM * np.arange(shape[1]) > _FRONT_FROM_MM
    far = brain & (outside_mm > _FAR_MM) & front[np.newaxis, :, np.newaxis]
    expected = int(np.count_nonzero(inside & (outside_mm <= 0)))
    return _ml(far) <= _FAR_ML and int(np.count_nonzero(brain)) >= _LEAST_SHARE * expected


def _sloped_evened(values: Volume, inside: Mask) -> Volume:
    """Take the slope out of the logarithm of the brightness of the template's brain.

    Coils shade so, in a first approximation; and a slope goes on outside the brain, where the
    brightness around a voxel says nothing.
    """
    deep = (_outside_template_mm() < _SHADING_DEEP_MM) & inside & (values > _LEAST_LEVEL)
    if np.count_nonzero(deep) < _ENOUGH_FOR_SLOPE:
        return values
    bright = np.log(values[deep]).astype(np.float64)
    places = [np.broadcast_to(axis, values.shape)[deep] for axis in _axes()]
    kept = np.ones(bright.size, dtype=bool)
    for _ in range(_SLOPE_ROUNDS):
        slopes = _slopes([place[kept] for place in places], bright[kept])
        rest = bright - sum(k * place for k, place in zip(slopes, places, strict=True))
        kept = np.abs(rest - rest[kept].mean()) < _SLOPE_SPREAD * rest[kept].std()
    even = values
    for k, axis in zip(slopes, _axes(), strict=True):
        even = even * np.exp(-k * axis).astype(np.float32)
    return even


def _slopes(places: list[Points], bright: Points) -> Points:
    """Return by how much a brightness rises along each axis (least squares).

    Sums are written out: see :func:`~bidsanon.deface.grid.transform`.
    """
    apart = [place - place.mean() for place in places]
    products = np.array([[float((a * b).sum()) for b in apart] for a in apart])
    rises = np.array([float((a * bright).sum()) for a in apart])
    found: Points = np.linalg.solve(products, rises)
    return found


def _axes() -> tuple[Points, Points, Points]:
    """Return the canvas's three axes in units of a brain's radius, each along its own axis."""
    _, shape = _canvas()
    x, y, z = np.ogrid[tuple(slice(n) for n in shape)]
    unit = _SLOPE_UNIT_MM / _SIZE_MM
    return x / unit, y / unit, z / unit


def _evened(values: Volume, inside: Mask) -> Volume:
    """Divide by the brightness of the template's brain around each voxel."""
    every = (slice(None, None, _SHADING_STEP),) * 3
    weight = ((_outside_template_mm() < _SHADING_DEEP_MM) & inside)[every].astype(np.float32)
    sigma = _SHADING_MM / _SIZE_MM / _SHADING_STEP
    bright = ndimage.gaussian_filter(values[every] * weight, sigma)
    share = np.maximum(ndimage.gaussian_filter(weight, sigma), _LEAST_WEIGHT)
    level: Volume = (bright / share).astype(np.float32)
    zoom = np.array(values.shape) / np.array(level.shape)
    around = np.maximum(ndimage.zoom(level, zoom, order=1), _LEAST_LEVEL)
    even: Volume = (values / around).astype(np.float32)
    return even


@cache
def _outside_template_mm() -> Volume:
    """Return how far each voxel lies outside the template's brain; inside it is negative."""
    template = face_template()
    size = float(template.head.voxel_sizes_mm[0])
    outside = ndimage.distance_transform_edt(~template.brain)
    inside = ndimage.distance_transform_edt(template.brain)
    signed = Grid(
        values=((outside - inside) * size).astype(np.float32), affine=template.head.affine
    )
    affine, shape = _canvas()
    return sample_like(signed, shape, affine)


@cache
def _in_cut(cut: Cut) -> Mask:
    """Return which voxels a cut takes."""
    affine, shape = _canvas()
    return np.asarray(sample_like(face_cut(cut), shape, affine) < 0)


@cache
def _near_cut(cut: Cut) -> Mask:
    """Return which voxels a cut takes or comes too near to."""
    return _grown(_in_cut(cut), NEAR_MM)


def _grown(mask: Mask, by_mm: float) -> Mask:
    """Return what lies within a mask or no farther from it than that."""
    grown = np.zeros(mask.shape, dtype=bool)
    box = box_around(mask, int(by_mm / _SIZE_MM) + 1)
    grown[box] = ndimage.distance_transform_edt(~mask[box]) * _SIZE_MM <= by_mm
    return grown


@cache
def _canvas() -> tuple[Matrix, tuple[int, int, int]]:
    return template_box(_FROM_MM, _TO_MM, size_mm=_SIZE_MM)


def _ml(mask: Mask) -> float:
    return int(np.count_nonzero(mask)) * _SIZE_MM**3 / _MM3_PER_ML
