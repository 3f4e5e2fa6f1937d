"""How bright a head is: volumes of any contrast on one scale, and where the head is in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from bidsanon.deface.grid import Grid, Mask, Points

REGISTERED_MM = 2.5
"""No registration looks at finer voxels than this allows."""

_AIR = 0.06
_COIL_MM = 35.0
_LEAST_SURROUNDINGS = 0.02


@dataclass(frozen=True, kw_only=True)
class Window:
    """The values of an image that become brightness 0 and 1."""

    darkest: float
    brightest: float

    def apply(self, grid: Grid) -> Grid:
        """Return a volume with its values as brightness, cut off at 0 and 1."""
        scaled = (grid.values - self.darkest) / (self.brightest - self.darkest)
        return Grid(values=np.clip(scaled, 0, 1).astype(np.float32), affine=grid.affine)


def window_of(grid: Grid) -> Window:
    """Return the window from a volume's darkest hundredth to the brightest of its tissue."""
    darkest = float(np.percentile(grid.values, 1))
    tissue = grid.values[grid.values > grid.values.mean() * 0.1]
    brightest = float(np.percentile(tissue, 99.5)) if tissue.size else darkest
    if brightest <= darkest:
        brightest = darkest + 1
    return Window(darkest=darkest, brightest=brightest)


def brightness(grid: Grid) -> Grid:
    """Scale a volume to its own window."""
    return window_of(grid).apply(grid)


def centre_of_mass_mm(grid: Grid) -> Points:
    """Return the centre of mass of what is brighter than air, in world millimetres."""
    weights = np.clip(grid.values - 0.05, 0, None)
    if not weights.any():
        return grid.centre_mm
    centre = np.array(ndimage.center_of_mass(weights))
    place: Points = grid.affine[:3, :3] @ centre + grid.affine[:3, 3]
    return place


def largest_part(mask: Mask) -> Mask:
    """Return the largest connected part of a mask; an empty one stays empty."""
    labels, count = ndimage.label(mask)
    if not count:
        return mask
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    part: Mask = labels == sizes.argmax()
    return part


def box_around(mask: Mask, margin: int = 0) -> tuple[slice, ...]:
    """Return where all of a mask lies, and so many voxels around it; all of an empty one.

    Distances to a mask that are no longer than the margin are the same within it as anywhere.
    """
    boxes = ndimage.find_objects(mask.astype(np.uint8))
    if not boxes:
        return (slice(None),) * mask.ndim
    return tuple(slice(max(0, side.start - margin), side.stop + margin) for side in boxes[0])


def flattened(head: Grid) -> Grid:
    """Even out a coil's shading: each voxel over the tissue around it, brightness 0 to 1."""
    tissue = (head.values > _AIR).astype(np.float32)
    sigmas = _COIL_MM / head.voxel_sizes_mm
    share = ndimage.gaussian_filter(tissue, sigmas)
    surroundings = ndimage.gaussian_filter(head.values * tissue, sigmas)
    level = surroundings / np.maximum(share, _LEAST_SURROUNDINGS)
    values = head.values / np.maximum(level, _LEAST_SURROUNDINGS)
    return brightness(Grid(values=values.astype(np.float32), affine=head.affine))
