"""Processes that work side by side: how they are started, and what is said when one dies."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any

from bidsanon.errors import ToolFailedError

FILES_WORTH_A_WORKER = 500
_BYTES_WORTH_A_WORKER = 1 << 25
MOST_FILES_A_BATCH = 64
_BATCHES_A_WORKER = 4


def share_files(sizes: Sequence[int], *, jobs: int) -> tuple[int, int]:
    """Say how many workers some files are worth, and how many files a worker takes at once.

    Starting a worker takes as long as de-identifying some hundreds of small files, or some tens of
    megabytes of large ones.

    Parameters
    ----------
    sizes
        How large each file is, in bytes.
    jobs
        How many workers there may be.
    """
    worth = len(sizes) // FILES_WORTH_A_WORKER + sum(sizes) // _BYTES_WORTH_A_WORKER
    workers = max(1, min(jobs, worth, len(sizes)))
    even = len(sizes) // (workers * _BATCHES_A_WORKER)
    return workers, max(1, min(even, MOST_FILES_A_BATCH))


@contextmanager
def worker_pool(
    workers: int,
    *,
    doing: str,
    module: str,
    initializer: Callable[..., None] | None = None,
    initargs: tuple[Any, ...] = (),
) -> Iterator[ProcessPoolExecutor]:
    """Open a pool of processes; what has not begun is dropped when it is left early.

    Parameters
    ----------
    workers
        How many processes.
    doing
        What they do, for the message when one dies: "removes faces".
    module
        The module that they work with, imported once for all of them where that can be.
    initializer, initargs
        What each of them calls first.

    Raises
    ------
    ToolFailedError
        If a process ends unexpectedly.
    """
    pool = ProcessPoolExecutor(
        workers, mp_context=_process_context(module), initializer=initializer, initargs=initargs
    )
    try:
        yield pool
    except BrokenProcessPool as error:
        raise ToolFailedError(
            f"a process that {doing} ended unexpectedly",
            cure="there may be too little memory: run it again with --jobs 1",
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _process_context(module: str) -> multiprocessing.context.BaseContext:
    """Return how workers are started: never by a bare fork, which threads do not survive."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([module])
    return context
