"""What can be proved to hold no face, because nothing in it is shaped."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from heads import ball, posed_head

from bidsanon.deface.grid import Grid
from bidsanon.deface.relief import SHALLOW_MM, surface_relief_mm


def grid(values: np.ndarray, size_mm: float = 4.0) -> Grid:
    return Grid(values=values.astype(np.float32), affine=np.diag([size_mm] * 3 + [1.0]))


def test_an_egg_has_no_relief() -> None:
    relief = surface_relief_mm(ball())
    assert relief is not None
    assert relief <= SHALLOW_MM


def test_an_egg_that_fills_the_field_of_view_has_none_either() -> None:
    cut_off = Grid(values=ball().values[8:40, 20:, 10:], affine=ball().affine)
    relief = surface_relief_mm(cut_off)
    assert relief is not None
    assert relief <= SHALLOW_MM


def test_a_notch_is_relief() -> None:
    values = ball().values.copy()
    values[28:34, 45:, 28:34] = 0
    relief = surface_relief_mm(grid(values))
    assert relief is not None
    assert relief > 12


def test_a_head_has_relief(upright_head: Grid) -> None:
    relief = surface_relief_mm(upright_head)
    assert relief is not None
    assert relief > 20


@pytest.mark.parametrize("corner", list(itertools.product((0, 1), repeat=2)))
def test_so_has_each_part_of_a_face(corner: tuple[int, int]) -> None:
    head = posed_head(np.eye(4), size_mm=2.5, shape=(80, 100, 100))
    # The front of the head, below the brow: its left or right half, its upper or lower half.
    side, height = corner
    part = head.values[40 * side : 40 * side + 40, 60:, 8 + 24 * height : 32 + 24 * height]
    relief = surface_relief_mm(Grid(values=np.ascontiguousarray(part), affine=head.affine))
    assert relief is not None
    assert relief > SHALLOW_MM


def test_a_face_that_is_dark_beside_something_bright_is_seen_all_the_same() -> None:
    head = posed_head(np.eye(4))
    values = head.values * 0.08
    values[-6:, :8, :8] = 1
    relief = surface_relief_mm(Grid(values=values, affine=head.affine))
    assert relief is not None
    assert relief > SHALLOW_MM


@pytest.mark.parametrize(
    "values",
    [
        np.zeros((20, 20, 20)),
        np.ones((20, 20, 20)),
        np.pad(np.ones((20, 20, 1)), ((5, 5), (5, 5), (0, 0))),
        np.random.default_rng(3).random((30, 30, 30)) * 0.02,
    ],
    ids=["nothing", "everything", "flat", "faint noise"],
)
def test_where_nothing_stands_out_nothing_is_proved(values: np.ndarray) -> None:
    assert surface_relief_mm(grid(values)) is None
