"""Coarse means: the same as of the whole volume, whatever is in memory at once."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest

from bidsanon.deface import voxels
from bidsanon.deface.grid import Grid, block_mean
from bidsanon.deface.means import block_means
from bidsanon.deface.voxels import (
    Nifti,
    UnreadableImageError,
    magnitude_slabs,
    mean_volume,
    read_header,
    slabs,
)

SHAPE = (9, 7, 11)
AFFINE = np.array([[0.8, 0.1, 0, 5], [0, 1.1, 0, -3], [0.2, 0, 0.7, 9], [0, 0, 0, 1.0]])


def image(path: Path, values: np.ndarray) -> Nifti:
    nibabel.Nifti1Image(values, AFFINE).to_filename(path)
    return read_header(path)


def numbers(*shape: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(-500, 900, size=shape).astype("i2")


@pytest.fixture(params=[1, 63, 200, 1 << 21])
def memory(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(voxels, "_SLAB_VOXELS", request.param)
    return int(request.param)


@pytest.mark.usefixtures("memory")
@pytest.mark.parametrize("target_mm", [0.5, 1.8, 2.5, 100.0])
def test_a_coarse_mean_is_that_of_the_whole_volume(tmp_path: Path, target_mm: float) -> None:
    values = numbers(*SHAPE, 3)
    one = image(tmp_path / "a.nii.gz", values)
    (found,) = block_means(one.space, one.affine, slabs(one), [target_mm])
    mean = Grid(values=values.mean(axis=3).astype(np.float32), affine=AFFINE)
    expected = block_mean(mean, target_mm)
    assert np.allclose(found.values, expected.values, atol=1e-3)
    assert np.allclose(found.affine, expected.affine)


@pytest.mark.usefixtures("memory")
def test_chosen_volumes_are_read_and_no_others(tmp_path: Path) -> None:
    values = numbers(*SHAPE, 5)
    one = image(tmp_path / "a.nii.gz", values)
    (found,) = block_means(one.space, one.affine, slabs(one, only={3, 1}), [0.1])
    assert np.allclose(found.values, values[..., [1, 3]].mean(axis=3), atol=1e-3)


@pytest.mark.usefixtures("memory")
def test_parts_in_files_of_their_own_make_magnitudes(tmp_path: Path) -> None:
    real, imaginary = numbers(*SHAPE, 2), numbers(*SHAPE, 2, seed=2)
    pair = magnitude_slabs(image(tmp_path / "r.nii", real), image(tmp_path / "i.nii", imaginary))
    (found,) = block_means(SHAPE, AFFINE, pair, [0.1])
    expected = np.hypot(real.astype(float), imaginary.astype(float)).mean(axis=3)
    assert np.allclose(found.values, expected, atol=1e-2)


def test_parts_of_different_lengths_make_nothing(tmp_path: Path) -> None:
    pair = image(tmp_path / "r.nii", numbers(*SHAPE)), image(tmp_path / "i.nii", numbers(*SHAPE, 2))
    with pytest.raises(UnreadableImageError, match="different numbers"):
        list(magnitude_slabs(*pair))


@pytest.mark.usefixtures("memory")
def test_the_mean_of_a_small_image_is_its_own_mean(tmp_path: Path) -> None:
    values = numbers(*SHAPE, 4)
    found = mean_volume(image(tmp_path / "a.nii", values))
    assert np.allclose(found.values, values.mean(axis=3), atol=1e-3)
