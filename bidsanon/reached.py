"""Whether a command has begun to put something where others look for it."""

from __future__ import annotations

_reached = False


def begin() -> None:
    """Forget what an earlier command of this process did."""
    _mark(reached=False)


def mark_reached() -> None:
    """Remember that what is published changes now: something may be there, whatever follows."""
    _mark(reached=True)


def was_reached() -> bool:
    """Tell whether something may have been published."""
    return _reached


def _mark(*, reached: bool) -> None:
    global _reached  # noqa: PLW0603 (a command's last words ask for it, wherever it ended)
    _reached = reached
