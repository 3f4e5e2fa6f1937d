"""A mosaic shows an image as a viewer does, however its voxels are stored."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nibabel.orientations import (
    apply_orientation,
    axcodes2ornt,
    inv_ornt_aff,
    ornt_transform,
)
from PIL import Image

from bidsanon.report.mosaic import display_range, draw_mosaic

RAS = axcodes2ornt("RAS")


def stored(values: np.ndarray, codes: str) -> tuple[np.ndarray, np.ndarray]:
    """Store a RAS+ volume of 1 mm in another order, and return it with its affine."""
    turn = ornt_transform(RAS, axcodes2ornt(codes))
    return apply_orientation(values, turn), inv_ornt_aff(turn, values.shape)


def picture(jpeg: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(jpeg)))


@pytest.mark.parametrize("codes", ["RAS", "LAS", "LPS", "PSR", "SAL", "AIR"])
def test_the_same_head_gives_the_same_picture_however_it_is_stored(codes: str) -> None:
    head = np.random.default_rng(1).random((30, 40, 35)).astype(np.float32)
    expected = draw_mosaic(*stored(head, "RAS"))
    assert draw_mosaic(*stored(head, codes)).jpeg == expected.jpeg


@pytest.mark.parametrize(
    ("axis", "end", "row", "corner"),
    [
        (0, -1, 0, "left"),  # the person's right is on the left of axial slices
        (0, 0, 0, "right"),
        (0, -1, 1, "left"),
        (1, -1, 2, "left"),  # the nose points to the left on sagittal ones
        (1, -1, 0, "top"),  # and upwards on axial ones
        (2, -1, 1, "top"),
        (2, -1, 2, "top"),
    ],
)
def test_slices_lie_as_in_the_radiological_convention(
    axis: int, end: int, row: int, corner: str
) -> None:
    head = np.full((40, 40, 40), 100, dtype=np.float32)
    np.moveaxis(head, axis, 0)[slice(20, None) if end else slice(0, 20)] = 1000
    drawn = picture(draw_mosaic(head, np.eye(4)).jpeg)
    size = drawn.shape[0] // 3
    tile = drawn[row * size + 30 : (row + 1) * size - 5, 210:395]
    across, down = tile.mean(axis=0), tile.mean(axis=1)
    bright, dark = {
        "left": (across[:60], across[-60:]),
        "right": (across[-60:], across[:60]),
        "top": (down[:50], down[-50:]),
    }[corner]
    assert bright.mean() > dark.mean() + 100


def test_a_few_bright_voxels_leave_the_rest_visible() -> None:
    values = np.random.default_rng(2).normal(500, 50, (30, 30, 30)).astype(np.float32)
    values[0, 0, :5] = 1e6
    darkest, brightest = display_range(values)
    assert (darkest, brightest) == (0.0, pytest.approx(620, abs=60))


def test_what_was_cut_off_does_not_count_for_the_range() -> None:
    values = np.zeros((30, 30, 30), dtype=np.float32)
    values[:3] = np.linspace(100, 200, 2700).reshape(3, 30, 30)
    assert display_range(values)[1] == pytest.approx(199, abs=1)


def test_negative_values_are_shown() -> None:
    values = np.linspace(-4096, 4094, 27_000).reshape(30, 30, 30).astype(np.float32)
    darkest, brightest = display_range(values)
    assert darkest < -3900
    assert brightest > 3900


def test_a_thin_image_is_shown_from_the_side_that_shows_something() -> None:
    head = np.random.default_rng(3).random((50, 50, 2)).astype(np.float32) + 1
    assert draw_mosaic(head, np.eye(4)).slices == "2 axial"


@settings(max_examples=12)
@given(st.tuples(*[st.integers(1, 40)] * 3), st.floats(-1e6, 1e6, allow_nan=False, width=32))
def test_no_size_and_no_value_is_too_odd_to_be_drawn(
    shape: tuple[int, int, int], value: float
) -> None:
    mosaic = draw_mosaic(np.full(shape, value, dtype=np.float32), np.diag([1.0, 3, 0.5, 1]))
    assert mosaic.is_uniform or value > 0
    assert picture(mosaic.jpeg).shape == (mosaic.height, mosaic.width)


def test_an_oblique_image_says_so() -> None:
    turned = np.eye(4)
    angle = np.radians(20)
    turned[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    head = np.random.default_rng(4).random((20, 20, 20)).astype(np.float32)
    mosaic = draw_mosaic(head, turned)
    assert mosaic.is_oblique
    assert mosaic.oblique_deg == pytest.approx(20, abs=0.1)
    assert not draw_mosaic(head, np.eye(4)).is_oblique
