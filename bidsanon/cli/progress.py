"""Progress on stderr: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from bidsanon.progress import Progress, Step


def progress_on_stderr() -> Progress:
    """Choose how progress is shown on this stderr."""
    return _Bar() if sys.stderr.isatty() else _Lines()


class _Bar:
    """One display for all steps: two of them may be under way at once."""

    def __init__(self) -> None:
        self._bars: Bars | None = None
        self._open = 0
        self._lock = threading.Lock()

    @contextmanager
    def step(self, name: str, *, total: int | None = None) -> Iterator[Step]:
        bars = self._enter()
        try:
            task = bars.add_task(name, total=total)
            yield _Advancing(bars, task)
            bars.update(task, total=total or 1, completed=total or 1)
        finally:
            self._leave()

    def _enter(self) -> Bars:
        with self._lock:
            if self._bars is None:
                columns = (
                    TextColumn("{task.description:<22}"),
                    BarColumn(),
                    MofNCompleteColumn(),
                    TimeElapsedColumn(),
                )
                self._bars = Bars(*columns, console=Console(stderr=True))
                self._bars.start()
            self._open += 1
            return self._bars

    def _leave(self) -> None:
        with self._lock:
            self._open -= 1
            if self._open == 0 and self._bars is not None:
                self._bars.stop()
                self._bars = None


class _Advancing:
    def __init__(self, bars: Bars, task: TaskID) -> None:
        self._bars = bars
        self._task = task

    def advance(self, count: int = 1) -> None:
        """Move the bar on."""
        self._bars.advance(self._task, count)


class _Lines:
    @contextmanager
    def step(self, name: str, *, total: int | None = None) -> Iterator[Step]:
        what = f"{name} ({total})" if total is not None else name
        click.echo(f"{what} ...", err=True)
        start = time.monotonic()
        yield _Counting()
        click.echo(f"{what} done in {time.monotonic() - start:.1f} s", err=True)


class _Counting:
    def advance(self, count: int = 1) -> None:
        """Nothing: a line at the start and one at the end are enough in a log."""
