"""How alike the template and a head are."""

from __future__ import annotations

import numpy as np
import pytest
from heads import pose, posed_head
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from bidsanon.deface.grid import Grid
from bidsanon.deface.similarity import Similarity, _Sampled

SHAPE = (5, 7, 6)


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32 - 1))
def test_sampling_between_voxels_is_scipys(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.random(SHAPE).astype(np.float32)
    points = (rng.random((3, 200)) * 12 - 3).astype(np.float32)
    to_voxels = np.eye(4)
    to_voxels[:3] += rng.normal(0, 0.2, (3, 4))
    inside, sampled = _Sampled(values).at(to_voxels, points)
    voxels = to_voxels[:3, :3] @ points + to_voxels[:3, 3:]
    last = np.array(SHAPE)[:, np.newaxis] - 1
    near_edge = (np.abs(voxels) < 1e-4).any(axis=0) | (np.abs(voxels - last) < 1e-4).any(axis=0)
    expected = ((voxels >= 0) & (voxels <= last)).all(axis=0)
    assert (inside == expected)[~near_edge].all()
    there = ndimage.map_coordinates(values, voxels[:, inside], order=1, mode="nearest")
    assert np.allclose(sampled, there, atol=1e-4)


def test_a_point_on_the_last_voxel_is_inside() -> None:
    values = np.arange(8, dtype=np.float32).reshape(2, 2, 2)
    inside, sampled = _Sampled(values).at(np.eye(4), np.ones((3, 1), dtype=np.float32))
    assert inside.all()
    assert sampled == pytest.approx(7)


def test_the_right_place_is_the_most_similar_in_any_contrast(upright_head: Grid) -> None:
    dark = Grid(values=1 - upright_head.values, affine=upright_head.affine)
    for head in (upright_head, dark):
        similarity = Similarity(head, size_mm=5.0, samples=4000)
        here = similarity(np.eye(4))
        assert all(similarity(pose(shift_mm=way)) < here for way in ((9, 0, 0), (0, -9, 9)))


def test_little_overlap_is_never_similar() -> None:
    similarity = Similarity(posed_head(np.eye(4)), size_mm=8.0, samples=2000)
    assert similarity(pose(shift_mm=(0, 0, 500))) < 1
