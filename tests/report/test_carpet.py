"""A carpet shows what moved in a run, in bounded memory however long the run is."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image

from bidsanon.report.carpet import Carpet, CarpetLoom


@dataclass(frozen=True)
class Part:
    """Some slices, as they are read."""

    first: int
    values: np.ndarray


def woven(run: np.ndarray, *, depth: int = 4) -> Carpet | None:
    loom = CarpetLoom(space=run.shape[:3], volumes=run.shape[3])
    for volume in range(run.shape[3]):
        for first in range(0, run.shape[2], depth):
            loom.add(Part(first, run[:, :, first : first + depth, volume]))
    return loom.carpet()


def a_run(volumes: int = 20) -> np.ndarray:
    random = np.random.default_rng(5)
    axes = np.meshgrid(*(np.linspace(-1, 1, n) for n in (16, 16, 10)), indexing="ij")
    head = 1000 * (sum(axis**2 for axis in axes) < 0.8)
    noise = random.normal(0, 10, (16, 16, 10, volumes))
    return (head[..., np.newaxis] + noise).astype(np.float32)


def test_each_volume_is_a_column() -> None:
    carpet = woven(a_run(20))
    assert carpet is not None
    assert Image.open(io.BytesIO(carpet.png)).width == 20
    assert len(carpet.signal_percent) == 20
    assert len(carpet.change_percent) == 19


def test_a_jump_stands_out_in_signal_change_and_carpet() -> None:
    run = a_run(20)
    run[..., 12:] *= 1.2
    carpet = woven(run)
    assert carpet is not None
    assert int(np.argmax(carpet.change_percent)) == 11
    assert np.mean(carpet.signal_percent[12:]) > np.mean(carpet.signal_percent[:12]) + 15
    columns = np.asarray(Image.open(io.BytesIO(carpet.png))).mean(axis=0)
    assert columns[12] > columns[11] + 40


def test_a_slow_drift_is_in_the_signal_and_not_in_the_carpet() -> None:
    run = a_run(40) * np.linspace(1, 1.3, 40, dtype=np.float32)
    carpet = woven(run)
    assert carpet is not None
    assert carpet.signal_percent[-1] - carpet.signal_percent[0] > 20
    columns = np.asarray(Image.open(io.BytesIO(carpet.png))).astype(float).mean(axis=0)
    assert np.ptp(columns) < 40


@pytest.mark.parametrize("depth", [1, 3, 10])
def test_the_carpet_does_not_depend_on_how_the_run_is_read(depth: int) -> None:
    assert woven(a_run(), depth=depth) == woven(a_run())


@pytest.mark.parametrize("depth", [1, 4, 7])
def test_of_a_large_run_the_same_slices_are_taken_however_it_is_read(depth: int) -> None:
    run = np.repeat(np.repeat(a_run(4), 4, axis=0), 6, axis=2)
    run += np.arange(run.shape[2], dtype=np.float32)[:, np.newaxis]
    whole = woven(run, depth=run.shape[2])
    assert whole is not None
    assert CarpetLoom(space=run.shape[:3], volumes=4)._steps[2] > 1, "every slice is taken"
    assert woven(run, depth=depth) == whole


def test_a_long_run_takes_no_more_room_than_a_short_one() -> None:
    short = CarpetLoom(space=(128, 128, 80), volumes=300)
    long = CarpetLoom(space=(128, 128, 80), volumes=100_000)
    assert short._taken.nbytes < 40e6
    assert long._taken.nbytes < 40e6


@pytest.mark.parametrize(
    "run",
    [a_run(2), np.zeros((8, 8, 4, 9), np.float32), -a_run(9) - 99],
    ids=["short", "0", "negative"],
)
def test_what_makes_no_carpet_gets_none(run: np.ndarray) -> None:
    assert woven(run) is None
