"""Where the pixels of a slice lie in an image, however its axes run."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bidsanon.deface.dicom_cut import CutImage, SeriesCut
from bidsanon.dicom.encoding import NotUnderstoodError
from bidsanon.dicom.planes import Plane

SHAPE = (5, 6, 7)
WAYS = [(axes, signs) for axes in permutations(range(3)) for signs in product((1, -1), repeat=3)]


def scanner(turn: tuple[float, float, float]) -> NDArray[np.float64]:
    """Return voxel indices to world millimetres for an image that lies askew."""
    x, y, z = turn
    about_x = [[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]]
    about_z = [[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]]
    affine = np.eye(4)
    affine[:3, :3] = np.array(about_x) @ np.array(about_z) @ np.diag([1.1, 0.7, 2.3])
    affine[:3, 3] = (10 * y, -20, 30)
    return affine


def stored_as(
    goes: NDArray[np.bool_],
    affine: NDArray[np.float64],
    axes: tuple[int, ...],
    signs: tuple[int, ...],
) -> CutImage:
    """Return the same cut in an image whose axes are swapped and turned round."""
    to_old = np.zeros((4, 4))
    to_old[3, 3] = 1
    for new, (old, sign) in enumerate(zip(axes, signs, strict=True)):
        to_old[old, new] = sign
        to_old[old, 3] = 0 if sign > 0 else goes.shape[old] - 1
    swapped = goes.transpose(axes)[tuple(slice(None, None, sign) for sign in signs)]
    return CutImage(
        space=(swapped.shape[0], swapped.shape[1], swapped.shape[2]),
        affine=affine @ to_old,
        goes=np.asfortranarray(swapped),
    )


def plane(affine: NDArray[np.float64], *, at: float) -> Plane:
    """Return the slice of an image whose columns and rows are its first two axes."""
    move = np.eye(4)
    move[2, 3] = at
    return Plane(
        frame=0,
        first_row=0,
        first_column=0,
        rows=SHAPE[1],
        columns=SHAPE[0],
        affine=affine @ move,
        slope=1,
        intercept=0,
    )


@settings(max_examples=60)
@given(
    way=st.sampled_from(WAYS),
    turn=st.tuples(*(st.floats(-0.6, 0.6) for _ in range(3))),
    seed=st.integers(0, 1000),
)
def test_each_pixel_finds_its_voxel(
    way: tuple[tuple[int, ...], tuple[int, ...]], turn: tuple[float, float, float], seed: int
) -> None:
    goes = np.random.default_rng(seed).random(SHAPE) < 0.5
    affine = scanner(turn)
    cut = SeriesCut(images=(stored_as(goes, affine, *way),))
    for number in range(SHAPE[2]):
        found = cut.of(plane(affine, at=number))
        assert np.array_equal(found.goes, goes[:, :, number].T)


@pytest.mark.parametrize("at", [-1.0, SHAPE[2], 0.5])
def test_a_slice_beside_or_between_those_of_the_image_is_refused(at: float) -> None:
    affine = scanner((0.1, 0.0, 0.2))
    image = CutImage(space=SHAPE, affine=affine, goes=np.ones(SHAPE, dtype=bool))
    with pytest.raises(NotUnderstoodError, match="where none of its images has one"):
        SeriesCut(images=(image,)).of(plane(affine, at=at))


def test_what_was_left_alone_keeps_its_slices() -> None:
    image = CutImage(space=SHAPE, affine=np.eye(4))
    assert not SeriesCut(images=(image,)).of(plane(np.eye(4), at=2)).goes.any()


def test_images_of_one_place_with_different_air_are_refused() -> None:
    goes = np.ones(SHAPE, dtype=bool)
    images = tuple(
        CutImage(space=SHAPE, affine=np.eye(4), goes=goes, value=value) for value in (0.0, -1000.0)
    )
    with pytest.raises(NotUnderstoodError, match="different values of air"):
        SeriesCut(images=images).of(plane(np.eye(4), at=2))


def test_a_loose_cut_goes_on_beyond_its_image() -> None:
    goes = np.zeros(SHAPE, dtype=bool)
    goes[:, -1] = True
    image = CutImage(space=SHAPE, affine=np.eye(4), goes=goes, loose=True)
    found = SeriesCut(images=(image,)).of(plane(np.diag([1.0, 2.0, 1.0, 1.0]), at=20.3))
    assert found.goes[3:].all()
    assert not found.goes[:2].any()
