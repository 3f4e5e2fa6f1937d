"""Voxels with their place in the scanner: affines, coarser grids, and poses.

World coordinates are the NIfTI standard's: millimetres, x to the right, y to the front, z to the
top (RAS+). A pose is twelve numbers; everything else here is a 4 by 4 matrix.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Volume = npt.NDArray[np.float32]
Matrix = npt.NDArray[np.float64]
Points = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

# Full width at half maximum of about one target voxel: what is finer would alias.
_SMOOTHING = 0.42


@dataclass(frozen=True, kw_only=True, eq=False)
class Grid:
    """A volume and where its voxels are.

    Attributes
    ----------
    values
        Shape (i, j, k).
    affine
        Voxel indices to world millimetres, shape (4, 4).
    """

    values: Volume
    affine: Matrix

    @property
    def voxel_sizes_mm(self) -> Points:
        """The length of a voxel along each of the grid's own axes, shape (3,)."""
        return voxel_sizes_mm(self.affine)

    @property
    def centre_mm(self) -> Points:
        """The middle of the field of view in world millimetres, shape (3,)."""
        middle = (np.array(self.values.shape, dtype=np.float64) - 1) / 2
        return transform(self.affine, middle[:, np.newaxis])[:, 0]


def voxel_sizes_mm(affine: Matrix) -> Points:
    """Return the lengths of an affine's three columns, shape (3,)."""
    sizes: Points = np.sqrt((affine[:3, :3] ** 2).sum(axis=0))
    return sizes


def transform(matrix: Matrix, points: Points) -> Points:
    """Move points by an affine matrix.

    Written out by columns: a matrix product would go to a threaded library, whose last bits may
    depend on how many threads there are, and the cut must not.

    Parameters
    ----------
    matrix
        Shape (4, 4).
    points
        Shape (3, n).
    """
    moved: Points = (
        matrix[:3, 0:1] * points[0]
        + matrix[:3, 1:2] * points[1]
        + matrix[:3, 2:3] * points[2]
        + matrix[:3, 3:4]
    )
    return moved


def inverse(matrix: Matrix) -> Matrix:
    """Return the inverse of an affine matrix."""
    return np.linalg.inv(matrix).astype(np.float64)


def voxel_centres_mm(grid: Grid, indices: npt.NDArray[np.intp]) -> Points:
    """Return the world coordinates, shape (3, n), of voxels given as indices of shape (n, 3)."""
    return transform(grid.affine, indices.T.astype(np.float64))


def points_of(grid: Grid, mask: Mask) -> Points:
    """Return the world coordinates, shape (3, n), of the voxels in a mask."""
    return voxel_centres_mm(grid, np.argwhere(mask))


def resample_isotropic(grid: Grid, size_mm: float) -> Grid:
    """Sample a volume on cubic voxels along its own axes, smoothed where it becomes coarser."""
    sizes = grid.voxel_sizes_mm
    ratios = size_mm / sizes
    sigmas = np.where(ratios > 1, ratios * _SMOOTHING, 0.0)
    values = ndimage.gaussian_filter(grid.values, sigmas) if sigmas.any() else grid.values
    shape = np.maximum(np.ceil(np.array(values.shape) / ratios), 1).astype(int)
    affine = np.eye(4)
    affine[:3, :3] = grid.affine[:3, :3] / sizes * size_mm
    affine[:3, 3] = grid.centre_mm - affine[:3, :3] @ ((shape - 1) / 2)
    return Grid(
        values=sample_like(Grid(values=values, affine=grid.affine), tuple(shape), affine),
        affine=affine,
    )


def sample_like(
    grid: Grid,
    shape: tuple[int, ...],
    affine: Matrix,
    *,
    to_grid: Matrix | None = None,
    outside: float | None = None,
) -> Volume:
    """Sample a volume, by linear interpolation, at the voxels of another grid.

    Parameters
    ----------
    grid
        What is sampled.
    shape, affine
        The other grid.
    to_grid
        From the other grid's world to this one's; the same world if None.
    outside
        The value beyond the field of view; the nearest voxel's if None.
    """
    world = affine if to_grid is None else to_grid @ affine
    voxels = inverse(grid.affine) @ world
    sampled: Volume = ndimage.affine_transform(
        grid.values,
        voxels[:3, :3],
        voxels[:3, 3],
        output_shape=shape,
        output=np.float32,
        order=1,
        mode="nearest" if outside is None else "constant",
        cval=0.0 if outside is None else outside,
        prefilter=False,
    )
    return sampled


def block_mean(grid: Grid, target_mm: float) -> Grid:
    """Average whole blocks of voxels, so that none is coarser than `target_mm` because of it.

    Much quicker than smoothing a fine volume. What does not fill a block at the far end of an axis
    is left out: less than one coarse voxel.
    """
    factors = np.maximum(np.floor(target_mm / grid.voxel_sizes_mm + 1e-3), 1).astype(int)
    factors = np.minimum(factors, grid.values.shape)
    if (factors == 1).all():
        return grid
    kept = np.array(grid.values.shape) // factors
    values = grid.values[tuple(slice(0, n * f) for n, f in zip(kept, factors, strict=True))]
    for axis, factor in enumerate(factors):
        values = mean_along(values, axis, int(factor))
    return Grid(values=np.ascontiguousarray(values), affine=grid.affine @ blocks_of(factors))


def blocks_of(factors: npt.ArrayLike) -> Matrix:
    """Return the matrix from voxels that are blocks of so many fine ones to the fine ones."""
    lengths = np.asarray(factors, dtype=np.float64)
    to_fine = np.diag([*lengths, 1.0])
    to_fine[:3, 3] = (lengths - 1) / 2
    return to_fine


def rotation(angles_rad: npt.ArrayLike) -> Matrix:
    """Return the rotation, shape (3, 3), about x, y and z: Rx @ Ry @ Rz."""
    (cx, cy, cz), (sx, sy, sz) = np.cos(angles_rad), np.sin(angles_rad)
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    turn: Matrix = about_x @ about_y @ about_z
    return turn


def pose_matrix(pose: Points, *, centre_mm: Points, turn: Matrix) -> Matrix:
    """Return the affine matrix of a pose on top of a turn.

    Parameters
    ----------
    pose
        Shape (12,): shifts in mm, angles in radians, logarithms of the scales, shears.
    centre_mm
        The point that only the shift moves.
    turn
        A rotation, shape (3, 3): poses near it are far from where angles become ambiguous.
    """
    linear = (
        rotation(pose[3:6])
        @ turn
        @ np.array([[1, pose[9], pose[10]], [0, 1, pose[11]], [0, 0, 1]])
        @ np.diag(np.exp(pose[6:9]))
    )
    matrix = np.eye(4)
    matrix[:3, :3] = linear
    matrix[:3, 3] = centre_mm + pose[:3] - linear @ centre_mm
    return matrix


def mean_along(values: Volume, axis: int, factor: int) -> Volume:
    """Average runs of so many voxels along an axis, whose length they divide."""
    if factor == 1:
        return values
    every = [slice(None)] * values.ndim
    every[axis] = slice(0, None, factor)
    total = values[tuple(every)].copy(order="K")
    for start in range(1, factor):
        every[axis] = slice(start, None, factor)
        total += values[tuple(every)]
    total /= np.float32(factor)
    return total
