"""Processes that work side by side."""

from __future__ import annotations

import gc
import os
import socket

import pytest

from bidsanon.errors import ToolFailedError
from bidsanon.workers import share_files, worker_pool


def test_work_comes_back_in_order() -> None:
    with worker_pool(2, doing="adds") as pool:
        assert list(pool.map(abs, [-3, -2, -1])) == [3, 2, 1]


def test_workers_search_for_garbage_seldom_and_begin_as_they_are_told() -> None:
    with worker_pool(1, doing="waits", initializer=socket.setdefaulttimeout, initargs=(7,)) as pool:
        assert pool.submit(gc.get_threshold).result()[0] > gc.get_threshold()[0]
        assert pool.submit(socket.getdefaulttimeout).result() == 7


def test_a_process_that_dies_is_said_with_a_cure() -> None:
    with (
        pytest.raises(ToolFailedError, match="a process that exits ended unexpectedly") as raised,
        worker_pool(1, doing="exits") as pool,
    ):
        pool.submit(os._exit, 1).result()
    assert "--jobs 1" in raised.value.cure


@pytest.mark.parametrize(
    ("files", "size", "jobs", "expected"),
    [
        (10, 30_000, 8, (1, 2)),
        (7_600, 30_000, 2, (2, 64)),
        (40, 2 << 20, 2, (2, 5)),
        (1, 1 << 31, 8, (1, 1)),
        (0, 0, 8, (1, 1)),
    ],
)
def test_files_are_shared_by_their_number_and_their_size(
    files: int, size: int, jobs: int, expected: tuple[int, int]
) -> None:
    assert share_files([size] * files, jobs=jobs) == expected
