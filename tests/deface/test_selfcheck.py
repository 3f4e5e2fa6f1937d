"""Which registrations are trusted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace

import numpy as np
import pytest
from heads import ball, pose, posed_head, registration

from bidsanon.deface.grid import Grid, Matrix
from bidsanon.deface.head import brightness
from bidsanon.deface.registration import STAGES, register
from bidsanon.deface.selfcheck import LIMITS, SelfCheck, brain_in_view, check

GOOD = SelfCheck(
    similarity=1.1,
    sharp=0.05,
    mean_sharp=0.07,
    flip=0.1,
    brain_in_view=1.0,
    smallest_scale=1.0,
    largest_scale=1.1,
    starts_apart_mm=0.5,
    lead=0.0,
)


def test_the_right_registration_passes(upright_head: Grid) -> None:
    measured = check(upright_head, registration(np.eye(4)))
    assert measured.refusals() == ()
    assert measured.brain_in_view == 1


@pytest.mark.parametrize(
    "wrong",
    [
        pose(shift_mm=(0, 0, 20)),
        pose(shift_mm=(0, -18, -12)),
        pose(turn_deg=(20, 0, 0)),
        pose(turn_deg=(0, 0, 180)),
        pose(turn_deg=(180, 0, 0)),
        pose(scale=1.4),
        pose(shift_mm=(400, 0, 0)),
    ],
    ids=["too high", "aslant", "nodding", "back to front", "upside down", "too big", "elsewhere"],
)
def test_a_wrong_registration_is_refused(upright_head: Grid, wrong: Matrix) -> None:
    assert check(upright_head, registration(wrong)).refusals()


def bottle() -> Grid:
    x, y, z = np.ogrid[-30:31, -30:31, -30:31]
    inside = (x**2 + y**2 < 18**2) & (abs(z) < 26)
    layers = 0.6 + 0.4 * np.sin(z / 3)
    return as_grid(inside * layers)


def noise() -> Grid:
    return as_grid(np.random.default_rng(5).random((61, 61, 61)))


def as_grid(values: np.ndarray) -> Grid:
    return Grid(values=values.astype(np.float32), affine=np.diag([4.0, 4.0, 4.0, 1.0]))


@pytest.mark.parametrize("what", [ball, bottle, noise])
def test_what_is_no_head_is_refused(what: Callable[[], Grid]) -> None:
    thing = brightness(what())
    found = register(thing, stages=STAGES[:2])
    assert check(thing, found).refusals()


def test_a_slab_of_the_crown_shows_too_little_of_the_brain(upright_head: Grid) -> None:
    affine = upright_head.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ [0, 0, 48]
    crown = Grid(values=upright_head.values[:, :, 48:], affine=affine)
    assert brain_in_view(upright_head, np.eye(4)) == 1
    assert brain_in_view(crown, np.eye(4)) < LIMITS.brain_in_view
    assert any("brain_in_view" in why for why in check(crown, registration(np.eye(4))).refusals())


@pytest.mark.parametrize("figure", [name for name in asdict(LIMITS) if name != "lead"])
def test_each_figure_can_refuse(figure: str) -> None:
    limit = getattr(LIMITS, figure)
    upper = figure in {"largest_scale", "starts_apart_mm"}
    assert GOOD.refusals() == ()
    beyond = replace(GOOD, **{figure: limit * (1.01 if upper else 0.99)})
    (why,) = beyond.refusals()
    assert figure in why
    assert replace(GOOD, **{figure: float("nan")}).refusals()


def test_starts_that_disagree_are_outweighed_by_a_clear_lead() -> None:
    apart = replace(GOOD, starts_apart_mm=150.0)
    assert apart.refusals()
    assert replace(apart, lead=LIMITS.lead).refusals() == ()
    assert replace(GOOD, starts_apart_mm=None, lead=None).refusals() == ()


def test_figures_are_plain_numbers_by_name() -> None:
    assert GOOD.figures()["sharp"] == 0.05
    assert "lead" not in replace(GOOD, lead=None).figures()


def test_the_head_may_be_anywhere_in_the_scanner() -> None:
    truth = pose(shift_mm=(-30, 10, 60), turn_deg=(10, 5, -15))
    assert check(posed_head(truth), registration(truth)).refusals() == ()
