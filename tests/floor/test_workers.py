"""Processes that work side by side."""

from __future__ import annotations

import os

import pytest

from bidsanon.errors import ToolFailedError
from bidsanon.workers import worker_pool


def test_work_comes_back_in_order() -> None:
    with worker_pool(2, doing="adds", module=__name__) as pool:
        assert list(pool.map(abs, [-3, -2, -1])) == [3, 2, 1]


def test_a_process_that_dies_is_said_with_a_cure() -> None:
    with (
        pytest.raises(ToolFailedError, match="a process that exits ended unexpectedly") as raised,
        worker_pool(1, doing="exits", module=__name__) as pool,
    ):
        pool.submit(os._exit, 1).result()
    assert "--jobs 1" in raised.value.cure
