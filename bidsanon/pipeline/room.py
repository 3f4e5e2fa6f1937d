"""Whether a run's disk has room for what it is going to write."""

from __future__ import annotations

import shutil
from pathlib import Path

from bidsanon.errors import StorageError
from bidsanon.session import SourceSession

_GIGABYTE = 10**9


def require_room(source: SourceSession, private: Path, *, factor: int, result: str) -> None:
    """Refuse a run that would end for lack of room.

    Parameters
    ----------
    source
        What is read.
    private
        The private folder, which may not be there yet.
    factor
        Room that the run needs, in sizes of its source.
    result
        What it makes, as the user calls it.

    Raises
    ------
    StorageError
        If there is less room than that.
    """
    needed = factor * sum(i.path.stat().st_size for s in source.series for i in s.instances)
    place = next(p for p in (private, *private.parents) if p.exists())
    free = shutil.disk_usage(place).free
    if free < needed:
        raise StorageError(
            f"no space left: about {_size_text(needed)} are needed for the private folder and "
            f"{result}, and {_size_text(free)} are free",
            cure="free some space, or choose a private folder elsewhere with --private",
        )


def _size_text(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= _GIGABYTE else f"{size / 1e6:.0f} MB"
