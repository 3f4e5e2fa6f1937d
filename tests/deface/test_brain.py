"""Whether a cut takes brain, by an estimate of the head's own brain."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from heads import ball, pose, posed_head
from scipy import ndimage

from bidsanon.deface.brain import (
    NEAR_TOLERATED_ML,
    TOLERATED_ML,
    BrainCheck,
    check_brain,
    estimate_brain,
)
from bidsanon.deface.cut import Cut
from bidsanon.deface.grid import Grid, Matrix, Volume, block_mean
from bidsanon.deface.options import Faces
from bidsanon.deface.template import face_template

HERE = np.eye(4)
DEEP = pose(shift_mm=(0, -11, 11))
"""Where a cut is put that is 11 mm too high and too deep."""


@pytest.fixture(scope="module")
def fine_head() -> Grid:
    """The mean head as it is, voxels of 3 mm."""
    return face_template().head


def taken_ml(head: Grid, to_head: Matrix = HERE, cut: Cut | None = None) -> float | None:
    return check_brain(head, np.linalg.inv(to_head), cut=cut or Cut()).in_cut_ml


def as_noisy(values: Volume) -> Volume:
    real, imaginary = np.random.default_rng(1).normal(0, 0.05, (2, *values.shape))
    return np.hypot(values + real, imaginary)


def like_flair(values: Volume) -> Volume:
    return np.interp(
        values, (0, 0.08, 0.25, 0.45, 0.6, 0.8, 1), (0, 0.1, 0.15, 0.9, 0.75, 0.6, 0.25)
    )


def inverted(values: Volume) -> Volume:
    return np.where(values > 0.08, np.clip(1.05 - values, 0.05, 1), values)


@pytest.mark.parametrize("change", [np.asarray, as_noisy, like_flair, inverted])
def test_the_right_cut_takes_no_brain_in_any_contrast(
    fine_head: Grid, change: Callable[[Volume], Volume]
) -> None:
    head = Grid(values=change(fine_head.values).astype(np.float32), affine=fine_head.affine)
    assert check_brain(head, HERE).refusals() == ()


def test_neither_does_the_right_cut_where_a_head_lies_anyhow() -> None:
    truth = pose(shift_mm=(9, -20, 14), turn_deg=(12, -8, 20), scale=0.85)
    head = posed_head(truth, size_mm=3.0, shape=(70, 86, 88))
    assert taken_ml(head, truth) == 0


@pytest.fixture(scope="module")
def clear_head(fine_head: Grid) -> Grid:
    """A head whose brain is all of one brightness, with dark fluid and bone around it."""
    brain = face_template().brain
    around_mm = ndimage.distance_transform_edt(~brain) * fine_head.voxel_sizes_mm[0]
    values = np.where(brain, 0.6, np.where(around_mm <= 6, 0.1, fine_head.values))
    return Grid(values=values.astype(np.float32), affine=fine_head.affine)


@pytest.mark.parametrize("wrong", [DEEP, pose(shift_mm=(0, 0, 15))], ids=["deep", "high"])
def test_a_cut_into_the_frontal_lobe_is_caught(clear_head: Grid, wrong: Matrix) -> None:
    assert taken_ml(clear_head) == 0
    taken = check_brain(clear_head, np.linalg.inv(wrong))
    assert taken.in_cut_ml is not None
    assert taken.in_cut_ml > TOLERATED_ML
    (why,) = taken.refusals()
    assert "ml of the brain" in why


def test_what_goes_decides(clear_head: Grid) -> None:
    pydeface = Cut(faces=Faces.PYDEFACE)
    assert (taken_ml(clear_head, DEEP, pydeface) or 0) < (taken_ml(clear_head, DEEP) or 0)


@pytest.mark.parametrize("axis", [0, 2], ids=["sagittal", "transverse"])
def test_it_is_caught_in_thick_slices(clear_head: Grid, axis: int) -> None:
    affine = clear_head.affine.copy()
    affine[:3, 3] += affine[:3, axis] / 2
    affine[:3, axis] *= 2
    kept = [slice(None)] * 3
    kept[axis] = slice(0, clear_head.values.shape[axis] // 2 * 2)
    values = clear_head.values[tuple(kept)]
    pairs = list(values.shape)
    pairs[axis : axis + 1] = [pairs[axis] // 2, 2]
    thick = Grid(values=values.reshape(pairs).mean(axis=axis + 1), affine=affine)
    assert taken_ml(thick) == 0
    assert (taken_ml(thick, pose(shift_mm=(0, -13, 13))) or 0) > TOLERATED_ML


def test_an_unusual_brain_is_found_where_the_template_has_none(fine_head: Grid) -> None:
    large = posed_head(pose(scale=1.15), size_mm=3.0, shape=(80, 96, 96))
    estimate = estimate_brain(large, HERE)
    usual = estimate_brain(fine_head, HERE)
    assert estimate is not None
    assert usual is not None
    assert estimate.sum() > 1.2 * usual.sum()


def test_a_brain_that_cannot_be_told_from_what_is_around_it_is_not_judged() -> None:
    thing = ball()
    assert estimate_brain(thing, HERE) is None
    assert check_brain(thing, HERE).figures() == {}
    nothing = Grid(values=np.zeros((20, 20, 20), dtype=np.float32), affine=np.diag([8, 8, 8, 1.0]))
    assert estimate_brain(nothing, HERE) is None


def test_a_few_voxels_of_its_rim_are_tolerated() -> None:
    assert BrainCheck(in_cut_ml=TOLERATED_ML, near_cut_ml=NEAR_TOLERATED_ML).refusals() == ()
    assert BrainCheck(in_cut_ml=TOLERATED_ML + 0.01, near_cut_ml=0.0).refusals()
    assert BrainCheck(in_cut_ml=0.0, near_cut_ml=0.3).figures() == {
        "brain_in_cut_ml": 0.0,
        "brain_near_cut_ml": 0.3,
    }


def test_a_cut_that_comes_too_near_is_refused_before_it_takes_anything(clear_head: Grid) -> None:
    near = check_brain(clear_head, np.linalg.inv(pose(shift_mm=(0, -8, 8))))
    assert near.in_cut_ml is not None
    assert near.in_cut_ml <= TOLERATED_ML
    (why,) = near.refusals()
    assert "too near" in why


def test_what_lies_near_an_ear_says_nothing_of_the_face(clear_head: Grid) -> None:
    sideways = check_brain(clear_head, np.linalg.inv(pose(shift_mm=(14, 0, 0))))
    assert sideways.near_cut_ml == 0


def like_t2w(values: Volume) -> Volume:
    return np.interp(
        values, (0, 0.08, 0.25, 0.45, 0.6, 0.8, 1), (0, 0.15, 1, 0.65, 0.45, 0.35, 0.6)
    )


def shaded(values: Volume) -> Volume:
    """Shade by e to 1 across the head, as a coil does."""
    return values * np.exp(np.linspace(-0.5, 0.5, values.shape[1]))[np.newaxis, :, np.newaxis]


@pytest.mark.parametrize("change", [as_noisy, like_flair, like_t2w, inverted, shaded])
def test_the_same_brain_is_found_in_any_contrast(
    fine_head: Grid, change: Callable[[Volume], Volume]
) -> None:
    other = Grid(values=change(fine_head.values).astype(np.float32), affine=fine_head.affine)
    found, usual = estimate_brain(other, HERE), estimate_brain(fine_head, HERE)
    assert found is not None
    assert usual is not None
    assert 2 * np.count_nonzero(found & usual) > 0.9 * (found.sum() + usual.sum())


def test_coarser_voxels_change_little(fine_head: Grid) -> None:
    coarse = block_mean(fine_head, 6.0)
    assert taken_ml(coarse) == 0
