"""How alike the template and a head are where the template is put: normalised mutual information.

The template's samples are carried into the head, so the head's field of view may be cut anywhere.
This is where registration spends its time: coordinates are single precision, and the interpolation
is written out, which takes two thirds of what scipy's takes.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bidsanon.deface.grid import (
    Grid,
    Mask,
    Matrix,
    Points,
    Volume,
    inverse,
    resample_isotropic,
    voxel_centres_mm,
)
from bidsanon.deface.template import template_level, template_region

_BINS = 32
_SEED = 0
_AIR_MARGIN_MM = 10.0
_LEAST_OVERLAP = 0.25
_ENOUGH_OVERLAP = 0.6
_OVERLAP_PENALTY = 0.05
_LEAST_ENTROPY = 1e-9


class Similarity:
    """Normalised mutual information of the template and one head at one voxel size.

    Parameters
    ----------
    head
        Brightness 0 to 1.
    size_mm
        The voxel size at which both are compared.
    samples
        How many samples of the template are used, at most. The choice of samples is random with a
        fixed seed.

    Attributes
    ----------
    head
        The head at that voxel size.
    """

    def __init__(self, head: Grid, *, size_mm: float, samples: int) -> None:
        template = template_level(size_mm)
        voxels = np.argwhere(template_region(size_mm, _AIR_MARGIN_MM))
        if len(voxels) > samples:
            chosen = np.random.default_rng(_SEED).choice(len(voxels), samples, replace=False)
            voxels = voxels[np.sort(chosen)]
        self._template_rows = _bins(template.values[tuple(voxels.T)]) * _BINS
        self._points = voxel_centres_mm(template, voxels).astype(np.float32)
        self.head = resample_isotropic(head, size_mm)
        self._sampled = _Sampled(self.head.values * np.float32(_BINS - 1.001))
        self._to_voxels = inverse(self.head.affine)

    def __call__(self, to_head: Matrix) -> float:
        """Return the similarity with the template carried into the head by `to_head`."""
        inside, sampled = self._sampled.at(self._to_voxels @ to_head, self._points)
        overlap = sampled.size / inside.size
        if overlap < _LEAST_OVERLAP:
            return 1.0 - (_LEAST_OVERLAP - overlap)
        counts = _joint_histogram(self._template_rows.compress(inside), sampled)
        penalty = _OVERLAP_PENALTY * max(0.0, _ENOUGH_OVERLAP - overlap)
        return _normalised_mutual_information(counts) - penalty


class _Sampled:
    """A volume that is sampled again and again, by linear interpolation."""

    def __init__(self, values: Volume) -> None:
        # One voxel more at each far end: the neighbour of the last one, which weighs nothing.
        padded = np.pad(values, (0, 1), mode="edge")
        flat = padded.ravel()
        # Each voxel with how much more the next one along the last axis is: fetched together.
        rises = np.diff(flat, append=flat[-1:])
        self._voxels = np.stack([flat, rises], axis=1).astype(np.float64)
        self._across = padded.shape[1] * padded.shape[2], padded.shape[2]
        self._last = np.array(values.shape, dtype=np.float32)[:, np.newaxis] - 1

    def at(self, to_voxels: Matrix, points: Volume) -> tuple[Mask, Volume]:
        """Sample at points carried to voxels.

        Parameters
        ----------
        to_voxels
            Shape (4, 4).
        points
            Shape (3, n).

        Returns
        -------
        tuple of Mask and Volume
            Which points lie inside the volume, shape (n,), and the values at those, in order.
        """
        matrix = to_voxels.astype(np.float32)
        voxels = matrix[:3, 0:1] * points[0]
        voxels += matrix[:3, 1:2] * points[1]
        voxels += matrix[:3, 2:3] * points[2]
        voxels += matrix[:3, 3:4]
        inside: Mask = ((voxels >= 0) & (voxels <= self._last)).all(axis=0)
        voxels = voxels.compress(inside, axis=1)
        lower = voxels.astype(np.int32)
        share = voxels - lower
        first = lower[0] * self._across[0]
        first += lower[1] * self._across[1]
        first += lower[2]
        near, far = (
            self._across_face(first, share),
            self._across_face(first + self._across[0], share),
        )
        return inside, _between(near, far, share[0])

    def _across_face(self, first: npt.NDArray[np.int32], share: Points) -> Volume:
        """Interpolate between four voxels that have the first axis in common."""
        near, far = self._along(first, share[2]), self._along(first + self._across[1], share[2])
        return _between(near, far, share[1])

    def _along(self, first: npt.NDArray[np.int32], share: Points) -> Volume:
        """Interpolate between voxels and the next ones along the last axis."""
        voxels = self._voxels.take(first, axis=0)
        values = voxels[:, 1] * share
        values += voxels[:, 0]
        return values.astype(np.float32)


def _between(near: Volume, far: Volume, share: Points) -> Volume:
    """Interpolate; `far` is overwritten."""
    far -= near
    values = far * share
    values += near
    return values.astype(np.float32)


def _bins(values: Volume) -> npt.NDArray[np.int32]:
    return np.minimum((values * _BINS).astype(np.int32), _BINS - 1)


def _joint_histogram(rows: npt.NDArray[np.int32], sampled: Volume) -> Points:
    """Count template bin by head bin, each head value shared between the two bins around it.

    Parameters
    ----------
    rows
        For each sample the first cell of its template bin.
    sampled
        The head's value there, in bins.
    """
    lower = sampled.astype(np.int32)
    share = sampled - lower
    cells = rows + lower
    size = _BINS * _BINS
    counts = np.bincount(cells, weights=1 - share, minlength=size)
    counts += np.bincount(cells + 1, weights=share, minlength=size + 1)[:size]
    table: Points = counts.reshape(_BINS, _BINS) / len(rows)
    return table


def _normalised_mutual_information(joint: Points) -> float:
    apart = _entropy(joint.sum(axis=0)) + _entropy(joint.sum(axis=1))
    return apart / max(_entropy(joint.ravel()), _LEAST_ENTROPY)


def _entropy(shares: Points) -> float:
    present = shares[shares > 0]
    return -float((present * np.log(present)).sum())
