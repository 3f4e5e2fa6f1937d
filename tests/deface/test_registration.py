"""Finding the head, whatever its pose and contrast."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from heads import pose, posed_head

from bidsanon.deface.grid import Grid, Matrix, voxel_sizes_mm
from bidsanon.deface.head import brightness, flattened
from bidsanon.deface.registration import (
    STAGES,
    Stage,
    axis_turns,
    landmarks_apart_mm,
    register,
    small_turns,
)

NEAR_MM = 4.0


def inverted(head: Grid) -> Grid:
    """Make bright tissue dark and dark tissue bright, and leave the air."""
    values = np.where(head.values > 0.08, np.clip(1.05 - head.values, 0.05, 1), head.values)
    return Grid(values=values.astype(np.float32), affine=head.affine)


def test_a_turned_shrunk_and_inverted_head_is_found() -> None:
    truth = pose(shift_mm=(20, -35, 15), turn_deg=(18, -12, 22), scale=0.9)
    found = register(brightness(inverted(posed_head(truth))))
    assert landmarks_apart_mm(found.to_head, truth) < NEAR_MM
    assert found.starts_apart_mm is not None
    assert found.starts_apart_mm < NEAR_MM


@pytest.mark.slow
def test_a_head_whose_orientation_was_lost_is_found_from_the_axes() -> None:
    head = posed_head(pose(turn_deg=(5, -4, 6)))
    # As if the header's axes had been written in another order.
    affine = np.diag([*voxel_sizes_mm(head.affine), 1.0])
    lost = Grid(values=np.ascontiguousarray(head.values.transpose(2, 0, 1)), affine=affine)
    to_lost = affine @ np.eye(4)[[2, 0, 1, 3]] @ np.linalg.inv(head.affine)
    truth = to_lost @ pose(turn_deg=(5, -4, 6))
    found = register(lost, turns=axis_turns())
    assert landmarks_apart_mm(found.to_head, truth) < NEAR_MM


@pytest.mark.slow
def test_a_small_childs_head_is_found_from_its_size() -> None:
    truth = pose(shift_mm=(8, -5, 12), turn_deg=(9, 4, -12), scale=0.7)
    found = register(posed_head(truth, size_mm=3.0, shape=(64, 72, 72)), scale=0.75)
    assert landmarks_apart_mm(found.to_head, truth) < NEAR_MM


def test_starts_that_disagree_are_decided_between_on_the_finest_voxels(upright_head: Grid) -> None:
    halves = (np.eye(3), np.diag([-1.0, -1.0, 1.0]))
    one = Stage(
        size_mm=8.0, samples=3000, starts=1, parameters=np.arange(6), evaluations=40, step=0.2
    )
    found = register(upright_head, turns=halves, stages=(replace(one, starts=2), one))
    assert found.starts_apart_mm is not None
    assert found.starts_apart_mm > 50
    assert found.lead is not None
    assert landmarks_apart_mm(found.to_head, np.eye(4)) < 2 * NEAR_MM
    alone = register(upright_head, turns=halves[:1], stages=(one, one))
    assert alone.starts_apart_mm is None


def test_the_same_head_is_found_to_the_last_bit(upright_head: Grid) -> None:
    one, other = (register(upright_head, stages=STAGES[:1]) for _ in range(2))
    assert one.to_head.tobytes() == other.to_head.tobytes()


@pytest.mark.parametrize(
    "values",
    [
        np.zeros((20, 20, 20)),
        np.full((20, 20, 20), 7.0),
        np.random.default_rng(1).random((64, 64, 1)),
        np.random.default_rng(2).random((1, 1, 1)),
    ],
    ids=["nothing", "constant", "one slice", "one voxel"],
)
def test_what_is_no_head_ends_without_a_crash(values: np.ndarray) -> None:
    grid = Grid(values=values.astype(np.float32), affine=np.diag([4.0, 4, 4, 1]))
    found = register(brightness(grid), stages=STAGES[:1])
    assert np.isfinite(found.to_head).all()


def test_turns_are_rotations_and_each_is_another() -> None:
    for turns, count in ((small_turns(), 27), (axis_turns(), 24)):
        assert len({tuple(np.round(turn, 6).ravel() + 0.0) for turn in turns}) == count
        assert all(np.allclose(turn @ turn.T, np.eye(3)) for turn in turns)
        assert all(np.linalg.det(turn) > 0 for turn in turns)


def test_shading_by_a_coil_is_evened_out(upright_head: Grid) -> None:
    shade = np.exp(np.linspace(-1, 1, upright_head.values.shape[0]))[:, None, None]
    shaded = Grid(
        values=(upright_head.values * shade).astype(np.float32), affine=upright_head.affine
    )

    def sides(head: Grid) -> float:
        tissue = np.where(upright_head.values > 0.3, head.values, np.nan)
        half = tissue.shape[0] // 2
        return float(np.nanmean(tissue[half:]) / np.nanmean(tissue[:half]))

    assert sides(shaded) > 1.6
    assert 0.9 < sides(flattened(shaded)) < 1.35


def test_landmarks_are_as_far_apart_as_the_head_was_moved() -> None:
    moved: Matrix = pose(shift_mm=(3, 0, 4))
    assert landmarks_apart_mm(np.eye(4), moved) == pytest.approx(5)
