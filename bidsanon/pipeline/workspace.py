"""The private folder's layout, and the work folder of one session in it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bidsanon.files import make_private_folder, remove_tree


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """Where one run keeps what is identified or unfinished.

    Attributes
    ----------
    private
        The private folder.
    name
        The session's name: ``sub-01_ses-01``.
    """

    private: Path
    name: str

    @property
    def claim(self) -> Path:
        """What the session's claim is held on."""
        return self.private / "work" / self.name

    @property
    def work(self) -> Path:
        """The scratch folder of this process alone, so that an early refusal harms nobody."""
        return self.private / "work" / f"{self.name}.{os.getpid()}"

    @property
    def quarantine(self) -> Path:
        """Where what was not converted is kept, with the reasons."""
        return self.private / "quarantine" / self.name

    @property
    def pictures(self) -> Path:
        """The pictures of this run's heads, before and after."""
        return self.work / "pictures"

    @property
    def report(self) -> Path:
        """The session's page."""
        return self.private / "reports" / f"{self.name}.html"

    def folder(self, name: str) -> Path:
        """Make and return a folder within this run's scratch folder."""
        make_private_folder(self.private)
        make_private_folder(self.private / "work")
        make_private_folder(self.work)
        return make_private_folder(self.work / name)

    def remove_stale(self) -> None:
        """Remove what crashed runs of this session left. The caller holds the claim."""
        for path in (self.private / "work").glob(f"{self.name}.*"):
            if path != self.work:
                remove_tree(path)


@contextlib.contextmanager
def workspace(private: Path, name: str) -> Iterator[Workspace]:
    """Open a session's workspace; its scratch folder is gone afterwards, however it ends.

    A private folder that this run made and nothing was kept in is removed too.
    """
    space = Workspace(private=private, name=name)
    existed = private.exists()
    try:
        yield space
    finally:
        remove_tree(space.work)
        if not existed:
            _remove_if_unused(private)


def _remove_if_unused(private: Path) -> None:
    kept = [p for p in private.rglob("*") if p.is_file() and p.parent.name != "work"]
    if not kept:
        remove_tree(private)
