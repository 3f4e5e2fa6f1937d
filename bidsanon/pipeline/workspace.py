"""The private folder's layout, and the work folder of one session in it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bidsanon.audit import Journal
from bidsanon.files import make_private_folder, remove_tree, storage_errors
from bidsanon.publish import session_claim
from bidsanon.vault import read_contents, vault_in_use

DELIVERIES = "deliveries"
"""The folder that remembers what ``deidentify`` put where: its persons have pseudonyms."""


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

    def begin(self) -> None:
        """Make the scratch folder, by which others see that somebody is at work here."""
        for folder in (self.private, self.private / "work", self.work):
            make_private_folder(folder)

    def folder(self, name: str) -> Path:
        """Make and return a folder within this run's scratch folder."""
        self.begin()
        return make_private_folder(self.work / name)

    def remove_stale(self) -> None:
        """Remove what crashed runs of this session left. The caller holds the claim."""
        for path in (self.private / "work").glob(f"{self.name}.*"):
            if path != self.work:
                remove_tree(path)


@contextlib.contextmanager
def workspace(private: Path, name: str) -> Iterator[Workspace]:
    """Open a session's workspace; its scratch folder is gone afterwards, however it ends.

    A private folder that this run made is removed too, with the vault in it, where no run came
    as far as a gate's decision, nothing was delivered, nobody has a label and nobody else is at
    work in it.
    """
    space = Workspace(private=private, name=name)
    existed = private.exists()
    try:
        space.begin()
        with vault_in_use(private):
            yield space
    finally:
        remove_tree(space.work)
        if not existed and not _is_used(private):
            remove_tree(private)


@contextlib.contextmanager
def claimed_workspace(private: Path, name: str) -> Iterator[Workspace]:
    """Open a workspace for this process alone, without what crashed runs left in it.

    Raises
    ------
    ConflictError
        If another process is at work on the same session or output.
    StorageError
        If the private folder cannot be written.
    """
    with (
        storage_errors("the private folder"),
        workspace(private, name) as space,
        session_claim(space.claim),
    ):
        space.remove_stale()
        yield space


def _is_used(private: Path) -> bool:
    others_at_work = any(path.is_dir() for path in (private / "work").glob("*"))
    if others_at_work or Journal(private).path.exists() or (private / DELIVERIES).exists():
        return True
    contents = read_contents(private)
    return contents is not None and contents.is_needed
