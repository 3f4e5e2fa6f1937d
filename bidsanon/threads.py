"""Files that threads work on side by side: large ones, while small ones are done at once.

Reading, inflating and deflating a large file leaves Python to other threads. A small one asks for
Python again after every call to the system, and threads that wait for each other so take longer
than one alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

_LARGE_BYTES = 1 << 18
_AHEAD = 4


One = TypeVar("One")
Done = TypeVar("Done")


def in_turn(
    work: Callable[[One], Done],
    files: Iterable[One],
    *,
    size: Callable[[One], int],
    jobs: int,
) -> Iterator[Done]:
    """Work on files and yield what became of them, in their order.

    Parameters
    ----------
    work
        What is done with a file.
    files
        They are taken a few at a time.
    size
        Says how many bytes one holds.
    jobs
        How many large ones at once.
    """
    waiting: deque[Callable[[], Done]] = deque()
    pool = ThreadPoolExecutor(max(1, jobs))
    try:
        for file in files:
            large = jobs > 1 and size(file) >= _LARGE_BYTES
            waiting.append(pool.submit(work, file).result if large else partial(work, file))
            if len(waiting) > _AHEAD * jobs:
                yield waiting.popleft()()
        while waiting:
            yield waiting.popleft()()
    finally:
        pool.shutdown(cancel_futures=True)
