"""Runs a program to its end and says what it took."""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

_KILOBYTE = 1024
_MEGABYTE = 1 << 20
_PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a program took, with all the processes that it started and waited for.

    Attributes
    ----------
    wall_s
        Time on the clock.
    cpu_s
        Time on processors, of all processes together.
    memory_mb
        Resident memory of the largest process at its peak.
    """

    wall_s: float
    cpu_s: float
    memory_mb: float


def measure(
    command: Sequence[str | Path], *, log: Path, environment: Mapping[str, str] | None = None
) -> Cost:
    """Run a program and measure it.

    The calling process may have no other children meanwhile, and should be small: a program's
    memory counts from its fork on.

    Raises
    ------
    SystemExit
        If it fails; `log` holds what it said.
    """
    with log.open("wb") as output:
        _adopt_orphans()
        started = time.perf_counter()
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - started
        usages = [usage, *_orphans_usages()]
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{Path(command[0]).name} ended with {process.returncode}: see {log}")
    return Cost(
        wall_s=wall_s,
        cpu_s=sum(each.ru_utime + each.ru_stime for each in usages),
        memory_mb=max(each.ru_maxrss for each in usages) * _KILOBYTE / _MEGABYTE,
    )


def _adopt_orphans() -> None:
    """Become the parent of processes whose own parent ends before them (prctl(2), Linux).

    Worker processes of Python are children of a server that outlives the program by a moment: the
    program never waits for them, and what they took would not be counted.
    """
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _orphans_usages() -> Iterator[resource.struct_rusage]:
    """Wait for adopted processes, and yield what each took with its own children."""
    while True:
        try:
            _, _, usage = os.wait4(-1, 0)
        except ChildProcessError:
            return
        yield usage


def summarise(costs: Sequence[Cost]) -> Cost:
    """Return the median times and the greatest memory of several runs."""
    return Cost(
        wall_s=median(cost.wall_s for cost in costs),
        cpu_s=median(cost.cpu_s for cost in costs),
        memory_mb=max(cost.memory_mb for cost in costs),
    )
