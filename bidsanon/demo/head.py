"""A made-up person's head: the average head, with a face, of the template that pydeface ships."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files

import nibabel
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from bidsanon.demo.geometry import Grid

_PITCH_DEGREES = 4.0
_YAW_DEGREES = -3.0
_OFF_CENTRE_MM = (-5.5, 12.0, 4.0)
_SKIN = 60.0
"""The template's intensity that parts the head from the air around it."""

Volume = NDArray[np.float32]


@dataclass(frozen=True)
class _Template:
    voxels: Volume
    ras_to_voxel: NDArray[np.float64]


@cache
def _template() -> _Template:
    source = files("pydeface") / "data" / "mean_reg2mean.nii.gz"
    with as_file(source) as path:
        image = nibabel.Nifti1Image.from_filename(path)
        voxels = np.asarray(image.dataobj, dtype=np.float32)
    return _Template(voxels=voxels, ras_to_voxel=np.linalg.inv(image.affine))


def sample_t1w(grid: Grid) -> Volume:
    """Sample the head on a grid as a T1-weighted scan shows it.

    Returns
    -------
    ndarray
        In the grid's shape; 0 to about 650.
    """
    template = _template()
    to_voxel = template.ras_to_voxel @ _scanner_to_template() @ grid.affine_ras()
    sampled: Volume = ndimage.affine_transform(
        template.voxels, to_voxel[:3, :3], to_voxel[:3, 3], grid.shape, order=1
    )
    return sampled


def sample_t2w(grid: Grid) -> Volume:
    """Sample the head as a T2-weighted scan shows it: what is dark in T1 is bright."""
    t1w = sample_t1w(grid)
    t2w: Volume = np.clip(t1w / _SKIN, 0, 1) * np.clip(760 - 1.4 * t1w, 40, None)
    return t2w


def add_noise(volume: Volume, *, sigma: float, seed: int) -> Volume:
    """Add the noise of a magnitude image, the same for the same seed."""
    random = np.random.default_rng(seed)
    real = volume + sigma * random.standard_normal(volume.shape, dtype=np.float32)
    imaginary = sigma * random.standard_normal(volume.shape, dtype=np.float32)
    noisy: Volume = np.hypot(real, imaginary)
    return noisy


def _scanner_to_template() -> NDArray[np.float64]:
    """Return the pose: how the person lies in the scanner (RAS+ mm to RAS+ mm)."""
    pitch, yaw = np.deg2rad([_PITCH_DEGREES, _YAW_DEGREES])
    about_x = np.array(
        [[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]]
    )
    about_z = np.array([[np.cos(yaw), -np.sin(yaw), 0], [np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
    pose = np.eye(4)
    pose[:3, :3] = about_x @ about_z
    pose[:3, 3] = _OFF_CENTRE_MM
    return pose
