"""Coarse means of fine images, made while they are read: no image is ever whole in memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from bidsanon.deface.grid import Grid, Matrix, Volume, blocks_of, mean_along, voxel_sizes_mm
from bidsanon.deface.voxels import Slab, UnreadableImageError


@dataclass(kw_only=True, eq=False)
class _Sum:
    """What has been read so far, on coarse voxels.

    Attributes
    ----------
    factors
        How many fine voxels make a coarse one, along each axis.
    total
        Shape (i, j, k), coarse; in the files' order, in which slices are added.
    counts
        How many slices were added to each of the coarse ones, shape (k,).
    """

    factors: tuple[int, int, int]
    total: Volume
    counts: npt.NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        self.counts = np.zeros(self.total.shape[2], dtype=np.int64)

    def add(self, slab: Slab) -> None:
        i, j, k = self.factors
        wide, high, deep = self.total.shape
        flat = mean_along(mean_along(slab.values[: wide * i, : high * j], 0, i), 1, j)
        for number in range(flat.shape[2]):
            place = (slab.first + number) // k
            if place < deep:
                self.total[:, :, place] += flat[:, :, number]
                self.counts[place] += 1

    def mean(self, affine: Matrix) -> Grid:
        if not self.counts.all():
            raise UnreadableImageError("it has no volumes")
        # So few that single precision divides as double precision does.
        values: Volume = np.divide(self.total, self.counts.astype(np.float32), order="C")
        return Grid(values=values, affine=affine @ blocks_of(self.factors))


def block_means(
    space: tuple[int, int, int],
    affine: Matrix,
    slabs: Iterable[Slab],
    targets_mm: Sequence[float],
) -> tuple[Grid, ...]:
    """Average whole blocks of voxels over all volumes, as :func:`~bidsanon.deface.grid.block_mean`.

    Parameters
    ----------
    space, affine
        The grid of the images that are read.
    slabs
        What is read, of any number of volumes.
    targets_mm
        For each grid that is wanted, what no voxel becomes coarser than because of it.

    Returns
    -------
    tuple
        A grid for each of `targets_mm`.

    Raises
    ------
    UnreadableImageError
        If the images end early or are damaged.
    """
    sums = [_empty_sum(space, affine, target) for target in targets_mm]
    for slab in slabs:
        for one in sums:
            one.add(slab)
    return tuple(one.mean(affine) for one in sums)


def _empty_sum(space: tuple[int, int, int], affine: Matrix, target_mm: float) -> _Sum:
    sizes = voxel_sizes_mm(affine)
    i, j, k = (
        max(1, min(length, int(target_mm / size + 1e-3)))
        for length, size in zip(space, sizes, strict=True)
    )
    total = np.zeros((space[0] // i, space[1] // j, space[2] // k), dtype=np.float32, order="F")
    return _Sum(factors=(i, j, k), total=total)
