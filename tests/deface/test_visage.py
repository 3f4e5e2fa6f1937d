"""Whether a head shows a face, by the relief of its front."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from heads import ball, pose, posed_head

from bidsanon.deface.cut import Cut, cut_mask
from bidsanon.deface.grid import Grid, Matrix, points_of
from bidsanon.deface.options import Faces
from bidsanon.deface.template import face_template
from bidsanon.deface.visage import EMPTY_SHARE, EYES_MM, NOSE_MM, Front, Visage, front_of, visage_of

HERE = np.eye(4)
BARE = Visage(nose_mm=0.0, eyes_mm=0.0, forward=0.0, brow_mm=104.0, in_view=1.0)


def seen(head: Grid, to_template: Matrix = HERE) -> Visage:
    return visage_of(front_of(head, to_template))


def without(head: Grid, to_head: Matrix = HERE, cut: Cut | None = None) -> Grid:
    to_template = np.linalg.inv(to_head)
    goes = cut_mask(head.values.shape, head.affine, to_template, cut=cut or Cut())
    return Grid(values=np.where(goes, 0, head.values).astype(np.float32), affine=head.affine)


def only_where(head: Grid, keeps: np.ndarray) -> Grid:
    return Grid(values=np.where(keeps, head.values, 0).astype(np.float32), affine=head.affine)


def heights_mm(head: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Return how far forward and how far up each voxel lies in the template's world."""
    points = points_of(head, np.ones(head.values.shape, dtype=bool))
    return points[1].reshape(head.values.shape), points[2].reshape(head.values.shape)


def test_a_head_has_a_nose_and_eyes(upright_head: Grid) -> None:
    visage = seen(upright_head)
    assert visage.shown
    assert visage.nose_mm > 1.3 * NOSE_MM
    assert visage.eyes_mm > EYES_MM
    assert visage.forward > 0.9
    assert visage.in_view == 1


def test_it_does_wherever_it_lies_and_however_large_it_is() -> None:
    for truth in (pose(shift_mm=(9, -20, 14), turn_deg=(12, -8, 20)), pose(scale=0.8)):
        assert seen(posed_head(truth), np.linalg.inv(truth)).nose_mm > 1.3 * NOSE_MM


@pytest.mark.parametrize("cut", [Cut(), Cut(faces=Faces.PYDEFACE), Cut(ears=False)])
def test_without_its_face_it_has_neither(upright_head: Grid, cut: Cut) -> None:
    visage = seen(without(upright_head, cut=cut))
    assert not visage.shown
    assert visage.cut_off
    assert visage.forward < 0.02
    assert visage.words() == "no relief of nose and eyes"


def test_a_cut_too_low_leaves_eyes_and_nose(upright_head: Grid) -> None:
    low = pose(shift_mm=(0, 0, -30))
    assert seen(without(upright_head, low)).shown


def test_half_a_face_is_one(upright_head: Grid) -> None:
    _, up = heights_mm(upright_head)
    assert seen(only_where(upright_head, up > -60)).shown


def test_a_field_of_view_that_ends_at_the_nose_shows_a_face_all_the_same(
    upright_head: Grid,
) -> None:
    forward, _ = heights_mm(upright_head)
    assert seen(only_where(upright_head, forward < 95)).shown


def test_a_brain_alone_has_no_face(upright_head: Grid) -> None:
    template = face_template()
    stripped = Grid(
        values=(template.head.values * template.brain).astype(np.float32),
        affine=template.head.affine,
    )
    assert not seen(stripped).shown
    assert not seen(stripped).cut_off
    assert not seen(ball()).shown
    assert seen(upright_head).shown


@pytest.mark.parametrize("sigma", [0.02, 0.04])
def test_noise_neither_hides_a_face_nor_makes_one(upright_head: Grid, sigma: float) -> None:
    rng = np.random.default_rng(7)

    def noisy(head: Grid) -> Grid:
        real, imaginary = rng.normal(0, sigma, (2, *head.values.shape))
        values = np.clip(np.hypot(head.values + real, imaginary), 0, 1)
        return Grid(values=values.astype(np.float32), affine=head.affine)

    assert seen(noisy(upright_head)).shown
    assert seen(noisy(without(upright_head))).cut_off


def test_nothing_is_said_of_a_face_out_of_view(upright_head: Grid) -> None:
    affine = upright_head.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ [0, 0, 34]
    crown = Grid(values=upright_head.values[:, :, 34:], affine=affine)
    visage = seen(crown)
    assert visage.in_view < 0.1
    assert not visage.shown
    assert not visage.cut_off


@pytest.mark.parametrize(
    ("visage", "shown"),
    [
        (BARE, False),
        (replace(BARE, nose_mm=NOSE_MM), True),
        (replace(BARE, eyes_mm=EYES_MM), True),
        (replace(BARE, forward=0.6), True),
        (replace(BARE, nose_mm=NOSE_MM - 1, eyes_mm=EYES_MM - 1, forward=0.4), False),
    ],
)
def test_each_sign_of_a_face_is_enough(visage: Visage, shown: bool) -> None:
    assert visage.shown is shown
    assert visage.cut_off is (visage is BARE)


def test_air_of_one_value_is_told_from_measured_air(upright_head: Grid) -> None:
    def empty(head: Grid) -> Front:
        return front_of(head, HERE)

    rng = np.random.default_rng(3)
    cut = without(upright_head)
    noise = np.abs(rng.normal(0, 0.01, cut.values.shape)).astype(np.float32)
    measured = Grid(values=np.maximum(cut.values, noise), affine=cut.affine)
    assert empty(cut).empty > EMPTY_SHARE
    assert empty(measured).empty < 0.1


def test_figures_say_when(upright_head: Grid) -> None:
    figures = seen(upright_head).figures("before")
    assert set(figures) == {"nose_mm_before", "eyes_mm_before", "face_forward_before"}


def test_an_empty_image_has_no_front() -> None:
    nothing = Grid(values=np.zeros((20, 20, 20), dtype=np.float32), affine=np.diag([8, 8, 8, 1.0]))
    assert not seen(nothing).shown
