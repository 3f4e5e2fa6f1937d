"""Runs a program to its end and says what it took."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

_KILOBYTE = 1024
_MEGABYTE = 1 << 20
_NOTHING_COMPILED = "PYTHONDONTWRITEBYTECODE"
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

    It is started by a small process of its own: the memory of a process counts from the fork on, so
    that a large one would lend its children its own. What Python compiles is kept, as it is when a
    program is installed.

    Raises
    ------
    SystemExit
        If it fails; `log` holds what it said.
    """
    kept = {name: value for name, value in os.environ.items() if name != _NOTHING_COMPILED}
    measured = subprocess.run(
        [sys.executable, __file__, str(log), *map(str, command)],
        env={**kept, **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        text=True,
    )
    if measured.returncode:
        raise SystemExit(f"{Path(command[0]).name} {measured.stderr.strip()}: see {log}")
    return Cost(**json.loads(measured.stdout))


def _measure_here(log: Path, command: Sequence[str]) -> Cost:
    """Run a program, wait for it and for all that it leaves behind, and measure them."""
    _adopt_orphans()
    with log.open("wb") as output:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - started
        usages = [usage, *_orphans_usages()]
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"ended with {process.returncode}")
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


if __name__ == "__main__":
    print(json.dumps(asdict(_measure_here(Path(sys.argv[1]), sys.argv[2:]))))
