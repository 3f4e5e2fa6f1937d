"""How a stage says how far it has come, without knowing who listens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Step(Protocol):
    """One stage's progress."""

    def advance(self, count: int = 1) -> None:
        """Say that `count` more units are done."""


class Progress(Protocol):
    """What listens to the stages."""

    @contextmanager
    def step(self, name: str, *, total: int | None = None) -> Iterator[Step]:
        """Open a stage of `total` units (None: not known)."""


class _SilentStep:
    def advance(self, count: int = 1) -> None:
        """Do nothing."""


class Silent:
    """Progress that nobody listens to: for the library's users and for tests."""

    @contextmanager
    def step(self, name: str, *, total: int | None = None) -> Iterator[Step]:  # noqa: ARG002
        """Open a stage that says nothing."""
        yield _SilentStep()
