"""Proof that an image of something that is no head holds no face: nothing in it is shaped.

A face has relief: eyes and mouth lie 10 mm and more below the hull around brow, nose and chin.
Where the surface of all that is brighter than air is convex to within 4 mm, at every brightness
between air and tissue, there is no face, whatever else it is: phantoms filled with one fluid are
so. Of 2,100 crops of two real heads, of 40 to 140 mm edge, plain, noisy and blurred, each with
skin of the face in it, three were: small pieces of cheek at the edge of the field of view.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from scipy.spatial import ConvexHull, QhullError

from bidsanon.deface.grid import Grid, Mask, points_of

SHALLOW_MM = 4.0
"""What lies nowhere deeper than this below its convex hull is not shaped."""

_DARKEST = 0.03
_LEVELS = 6
_DEBRIS_ML = 1.0
_MM3_PER_ML = 1000.0
_SOME, _NEARLY_ALL = 0.02, 0.98
_HISTOGRAM_BINS = 128


def surface_relief_mm(head: Grid) -> float | None:
    """Return how far below its convex hull the surface of what is in an image lies, at most.

    Parameters
    ----------
    head
        Brightness 0 to 1, coarse.

    Returns
    -------
    float or None
        The deepest point at any brightness, or at the first one at which it is deeper than
        :data:`SHALLOW_MM`; None where nothing stands out from the air, or it is flat.
    """
    deepest: float | None = None
    brightest = max(_DARKEST, _between_air_and_tissue(head) / 2)
    for level in np.geomspace(_DARKEST, brightest, _LEVELS):
        thing = _without_debris(head, head.values > level)
        if not _SOME < thing.mean() < _NEARLY_ALL:
            continue
        try:
            depth = _depth_mm(head, thing)
        except QhullError:
            return None
        deepest = max(depth, deepest or 0.0)
        if deepest > SHALLOW_MM:
            break
    return deepest


def _depth_mm(head: Grid, thing: Mask) -> float:
    """Return how deep the deepest point of a thing's surface lies below its convex hull.

    Where the field of view cuts the thing off there is no surface, but the hull goes on there.
    """
    outermost = points_of(head, thing & ~ndimage.binary_erosion(thing)).T
    surface = points_of(head, thing & ~ndimage.binary_erosion(thing, border_value=1))
    if not surface.size:
        return 0.0
    nearest = np.full(surface.shape[1], -np.inf)
    for a, b, c, offset in ConvexHull(outermost).equations:
        outside = a * surface[0] + b * surface[1] + c * surface[2] + offset
        np.maximum(nearest, outside, out=nearest)
    return float(-nearest.min())


def _without_debris(head: Grid, bright: Mask) -> Mask:
    """Leave out what is thin or smaller than a millilitre."""
    opened = ndimage.binary_opening(np.pad(bright, 1, mode="edge"))[1:-1, 1:-1, 1:-1]
    labels, _ = ndimage.label(opened)
    voxel_ml = float(np.prod(head.voxel_sizes_mm)) / _MM3_PER_ML
    kept = np.bincount(labels.ravel()) * voxel_ml > _DEBRIS_ML
    kept[0] = False
    things: Mask = kept[labels]
    return things


def _between_air_and_tissue(head: Grid) -> float:
    """Return the brightness that parts an image in two with the least variance within (Otsu)."""
    counts, edges = np.histogram(head.values, _HISTOGRAM_BINS)
    centres = (edges[1:] + edges[:-1]) / 2
    below, total = np.cumsum(counts)[:-1], counts.sum()
    sums = np.cumsum(counts * centres)
    split = (below > 0) & (below < total)
    if not split.any():
        return 0.0
    apart = (sums[-1] * below - total * sums[:-1])[split] ** 2
    between = apart / (below * (total - below))[split].astype(float)
    return float(centres[:-1][split][between.argmax()])
