"""Whether a cut takes brain: the head's own brain, estimated from how bright its tissue is.

The registration says where the template's brain lies, and the cut keeps off that. Where the
registration is subtly wrong, or a brain unusual, that proves nothing. So the brain is sought in the
image itself: tissue as bright as what lies deep inside the template's brain, in one piece with it
by more than a narrow bridge. Of the template it takes no more than where to begin, and that no
brain lies 20 mm outside its own.

In some contrasts nothing parts brain from scalp and orbit: then the estimate runs far out of the
front of the head, which no brain does. It is tried again from deeper inside; when that runs out,
too, nothing is known, and no figure is given. Made-up T2w and inverted contrasts were of that kind.

In four heads, each in several contrasts, slice thicknesses and shadings, right cuts took at most
0.3 ml of the estimate, nearly always nothing. Cuts 11 mm too high and 11 mm too deep took 0.9 to
6 ml wherever there was an estimate, and under shading mostly; cuts that are 8 mm off take too
little to be told.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import ndimage

from bidsanon.deface.cut import WHOLE, Cut, face_cut
from bidsanon.deface.grid import Grid, Mask, Matrix, Volume, inverse, sample_like
from bidsanon.deface.template import face_template, template_midline_mm

TOLERATED_ML = 0.4
"""Fifty coarse voxels may be taken for brain that are its rim, half fluid, half bone."""

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
    """

    deep_mm: float
    percentiles: tuple[float, float]


# The first is the more sensitive to brain that lies outside the template's.
_WAYS = (
    _Way(deep_mm=10.0, percentiles=(12.0, 97.0)),
    _Way(deep_mm=16.0, percentiles=(15.0, 95.0)),
)
# How far beyond its darkest and brightest values the brain may go, in its own spread.
_DARKER, _BRIGHTER = 1.6, 1.8


@dataclass(frozen=True, kw_only=True)
class BrainCheck:
    """What the cut takes of the head's own brain.

    Attributes
    ----------
    in_cut_ml
        How much; None where the brain could not be told from what is around it.
    """

    in_cut_ml: float | None

    def figures(self) -> dict[str, float]:
        """Return the figure by name, rounded as it is reported; none where nothing is known."""
        return {} if self.in_cut_ml is None else {"brain_in_cut_ml": round(self.in_cut_ml, 2)}

    def refusals(self) -> tuple[str, ...]:
        """Say, in words, why the cut is refused; nothing means that it is not."""
        if self.in_cut_ml is None or self.in_cut_ml <= TOLERATED_ML:
            return ()
        return (f"the cut would take {self.in_cut_ml:.1f} ml of the brain",)


def check_brain(head: Grid, to_template: Matrix, *, cut: Cut = WHOLE) -> BrainCheck:
    """Estimate a head's own brain and measure how much of it a cut takes.

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
        return BrainCheck(in_cut_ml=None)
    affine, shape = _canvas()
    goes = sample_like(face_cut(cut), shape, affine) < 0
    return BrainCheck(in_cut_ml=_ml(brain & goes))


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
    values = _evened(ndimage.gaussian_filter(np.maximum(posed, 0), _SMOOTHING_VOXELS), inside)
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
    low = usual - _DARKER * (usual - darkest)
    high = usual + _BRIGHTER * (brightest - usual)
    alike = (values > low) & (values < high) & inside & (outside_mm < _FARTHEST_MM)
    thick = ndimage.distance_transform_edt(alike) * _SIZE_MM > _BRIDGE_MM
    labels, count = ndimage.label(thick)
    begun = np.bincount(labels[deep & thick], minlength=count + 1)
    if not begun.any():
        return None
    core = labels == begun.argmax()
    grown: Mask = alike & (ndimage.distance_transform_edt(~core) * _SIZE_MM <= _BRIDGE_MM)
    return grown


def _is_plausible(brain: Mask, inside: Mask) -> bool:
    """Tell whether an estimate is large enough for a brain and does not run out of the front."""
    affine, shape = _canvas()
    outside_mm = _outside_template_mm()
    front = affine[1, 3] + _SIZE_MM * np.arange(shape[1]) > _FRONT_FROM_MM
    far = brain & (outside_mm > _FAR_MM) & front[np.newaxis, :, np.newaxis]
    expected = int(np.count_nonzero(inside & (outside_mm <= 0)))
    return _ml(far) <= _FAR_ML and int(np.count_nonzero(brain)) >= _LEAST_SHARE * expected


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
def _canvas() -> tuple[Matrix, tuple[int, int, int]]:
    affine = np.diag([_SIZE_MM, _SIZE_MM, _SIZE_MM, 1.0])
    affine[:3, 3] = _FROM_MM
    affine[0, 3] += template_midline_mm(face_template().head)
    x, y, z = (int(n) for n in np.round((_TO_MM - _FROM_MM) / _SIZE_MM) + 1)
    return affine, (x, y, z)


def _ml(mask: Mask) -> float:
    return int(np.count_nonzero(mask)) * _SIZE_MM**3 / _MM3_PER_ML
