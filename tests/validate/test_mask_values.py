"""A mask is known by its voxels: two values at most, to the last of them."""

from __future__ import annotations

import gzip
from pathlib import Path

import nibabel
import numpy as np
import pytest

from bidsanon.validate import masks
from bidsanon.validate.masks import is_mask


def write(path: Path, voxels: np.ndarray) -> Path:
    nibabel.Nifti1Image(voxels, np.eye(4), dtype=voxels.dtype).to_filename(path)
    return path


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.float32, np.float64])
@pytest.mark.parametrize(
    ("values", "said"), [((1,), True), ((0, 1), True), ((0, 255), True), ((0, 1, 2), False)]
)
def test_two_values_make_a_mask(
    tmp_path: Path, ending: str, kind: type, values: tuple[int, ...], said: bool
) -> None:
    voxels = np.resize(np.array(values, kind), (9, 8, 7))
    assert is_mask(write(tmp_path / f"mask{ending}", voxels)) is said


@pytest.mark.parametrize("kind", [np.uint8, np.float64])
def test_the_last_voxel_counts(tmp_path: Path, kind: type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masks, "_PART", 64)
    voxels = np.resize(np.array((0, 1), kind), (9, 8, 7))
    assert is_mask(write(tmp_path / "mask.nii.gz", voxels))
    voxels[-1, -1, -1] = 3
    assert not is_mask(write(tmp_path / "head.nii.gz", voxels))


def test_what_cannot_be_read_to_its_end_is_none(tmp_path: Path) -> None:
    whole = write(tmp_path / "mask.nii", np.zeros((9, 8, 7), np.uint8)).read_bytes()
    for number, content in enumerate(
        (b"", b"no image", whole[:-1], gzip.compress(whole)[:20], gzip.compress(whole[:-1]))
    ):
        path = tmp_path / f"{number}.nii.gz"
        path.write_bytes(content)
        assert not is_mask(path)
    assert not is_mask(tmp_path / "not-there.nii.gz")


def test_colours_and_what_is_too_large_to_be_a_mask_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    colours = np.zeros((4, 4, 4), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    assert not is_mask(write(tmp_path / "colours.nii", colours))
    monkeypatch.setattr(masks, "_MOST_BYTES", 10)
    assert not is_mask(write(tmp_path / "large.nii", np.zeros((4, 4, 4), np.uint8)))
