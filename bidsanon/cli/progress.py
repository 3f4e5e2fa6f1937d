"""Progress on stderr: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from bidsanon.progress import Progress, Step


def progress_on_stderr() -> Progress:
    """Choose how progress is shown on this stderr."""
    return _Bar() if sys.stderr.isatty() else _Lines()


class _Bar:
    @contextmanager
    def step(self, name: str, *, total: int | None = None) -> Iterator[Step]:
        columns = (
            TextColumn("{task.description:<14}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Bars(*columns, console=Console(stderr=True)) as bars:
            task = bars.add_task(name, total=total)

            class _Advancing:
                def advance(self, count: int = 1) -> None:
                    bars.advance(task, count)

            yield _Advancing()
            bars.update(task, total=total or 1, completed=total or 1)


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
