"""Runs a program to its end and says what it took."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

_KILOBYTE = 1024
_MEGABYTE = 1 << 20


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

    Raises
    ------
    SystemExit
        If it fails; `log` holds what it said.
    """
    with log.open("wb") as output:
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
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{Path(command[0]).name} ended with {process.returncode}: see {log}")
    return Cost(
        wall_s=wall_s,
        cpu_s=usage.ru_utime + usage.ru_stime,
        memory_mb=usage.ru_maxrss * _KILOBYTE / _MEGABYTE,
    )


def summarise(costs: Sequence[Cost]) -> Cost:
    """Return the median times and the greatest memory of several runs."""
    return Cost(
        wall_s=median(cost.wall_s for cost in costs),
        cpu_s=median(cost.cpu_s for cost in costs),
        memory_mb=max(cost.memory_mb for cost in costs),
    )
