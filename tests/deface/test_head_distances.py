"""Distances that are measured in a part of the field of view are those of the whole."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from bidsanon.deface.grid import Mask
from bidsanon.deface.head import box_around

SHAPE = (12, 10, 9)
BLOBS = st.builds(
    lambda seed, share: np.random.default_rng(seed).random(SHAPE) < share,
    seed=st.integers(0, 2**32 - 1),
    share=st.sampled_from([0.002, 0.01, 0.1]),
)


@settings(max_examples=80)
@given(mask=BLOBS.filter(np.any), margin=st.integers(0, 5))
def test_what_is_no_farther_than_the_margin_lies_in_the_box(mask: Mask, margin: int) -> None:
    box = box_around(mask, margin)
    near = ndimage.distance_transform_edt(~mask) <= margin
    within = np.zeros(SHAPE, dtype=bool)
    within[box] = ndimage.distance_transform_edt(~mask[box]) <= margin
    assert (within == near).all()


@settings(max_examples=80)
@given(mask=BLOBS.filter(np.any))
def test_depths_are_those_of_the_whole_with_one_voxel_around(mask: Mask) -> None:
    grown = ndimage.binary_dilation(mask, iterations=2)
    box = box_around(grown, 1)
    depth = np.zeros(SHAPE)
    depth[box] = ndimage.distance_transform_edt(grown[box])
    assert np.array_equal(depth, ndimage.distance_transform_edt(grown))


def test_the_box_of_nothing_is_everything() -> None:
    nothing = np.zeros(SHAPE, dtype=bool)
    assert nothing[box_around(nothing, 2)].shape == SHAPE
