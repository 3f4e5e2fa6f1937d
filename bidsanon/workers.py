"""Processes that work side by side: how they are started, and what is said when one dies."""

from __future__ import annotations

import gc
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import forkserver
from typing import Any

from bidsanon.errors import ToolFailedError

FILES_WORTH_A_WORKER = 100
_BYTES_WORTH_A_WORKER = 1 << 22
MOST_FILES_A_BATCH = 64
_BATCHES_A_WORKER = 4
_NEW_OBJECTS_A_SEARCH = 100_000
_FORKSERVER = "forkserver" in multiprocessing.get_all_start_methods()


def share_files(sizes: Sequence[int], *, jobs: int) -> tuple[int, int]:
    """Say how many workers some files are worth, and how many files a worker takes at once.

    Starting a worker takes as long as de-identifying a hundred small files, or some megabytes of
    large ones, and it learns anew what files have in common.

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


def collect_garbage_seldom() -> None:
    """Let Python search for unused objects that refer to each other less often than it does.

    Files are read into millions of small objects that do not, and each search looks at all that
    live: a quarter of the time that de-identifying a multi-frame file takes.
    """
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS_A_SEARCH)


def prepare_workers(*modules: str, jobs: int) -> None:
    """Begin to load in the background what workers work with, so that they start at once later.

    Parameters
    ----------
    modules
        What they work with, by name.
    jobs
        How many workers there may be; for one nothing is loaded.
    """
    if jobs > 1 and _FORKSERVER:
        forkserver.set_forkserver_preload(list(modules))
        forkserver.ensure_running()


@contextmanager
def worker_pool(
    workers: int,
    *,
    doing: str,
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
    initializer, initargs
        What each of them calls first.

    Raises
    ------
    ToolFailedError
        If a process ends unexpectedly.
    """
    # Never by a bare fork, which threads do not survive.
    context = multiprocessing.get_context("forkserver" if _FORKSERVER else "spawn")
    pool = ProcessPoolExecutor(
        workers, mp_context=context, initializer=_begin, initargs=(initializer, initargs)
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


def _begin(initializer: Callable[..., None] | None, initargs: tuple[Any, ...]) -> None:
    collect_garbage_seldom()
    if initializer is not None:
        initializer(*initargs)
