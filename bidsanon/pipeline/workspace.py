"""The private folder's layout, and the work folder of one session in it."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bidsanon.audit import Journal
from bidsanon.errors import ConflictError, StorageError
from bidsanon.files import make_private_folder, remove_tree, storage_errors
from bidsanon.publish import lock_file, session_claim
from bidsanon.vault import read_contents, vault_in_use

DELIVERIES = "deliveries"
"""The folder that remembers what ``deidentify`` put where: its persons have pseudonyms."""

_NAMELESS = "nameless-"


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
        """The session's page: of the run that published it."""
        return self.private / "reports" / f"{self.name}.html"

    @property
    def refused_report(self) -> Path:
        """The page of the last run if it was refused: what is published keeps its own."""
        return self.report.with_name(f"{self.name}_refused.html")

    @property
    def published_record(self) -> Path:
        """What is kept of the run that published the session, its pictures too."""
        return self.private / "reports" / self.name / "published"

    @property
    def refused_record(self) -> Path:
        """What is kept of the last run if it was refused."""
        return self.private / "reports" / self.name / "refused"

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


def private_words(private: Path, *, beside: Path, name: str) -> str:
    """Say which folder the private folder is, to somebody who may never have named one.

    Parameters
    ----------
    private
        The private folder.
    beside
        Where it is without ``--private``.
    name
        What the user calls the place beside which that is: "OUT".
    """
    if private == beside.absolute():
        return f"{name}.private, the private folder where no --private is given,"
    return "the private folder that --private names"


def require_writable(place: Path, *, words: str, cure: str) -> None:
    """Refuse a place that cannot be written before anything is read.

    Parameters
    ----------
    place
        What is to be made or written.
    words
        What it is called in messages.
    cure
        What else the user may do than to check its permissions.

    Raises
    ------
    StorageError
        If it, or the nearest folder above it that is there, cannot be written.
    """
    # Path.exists would raise where a folder above it may not be entered.
    there = next(path for path in (place, *place.parents) if os.path.exists(path))  # noqa: PTH110
    if not os.access(there, os.W_OK | os.X_OK):
        raise StorageError(f"{words} cannot be written", cure=f"check its permissions, or {cure}")


@contextlib.contextmanager
def claimed_workspace(
    private: Path, name: str, *, words: str, doing: str = "converting this session"
) -> Iterator[Workspace]:
    """Open a workspace for this process alone, without what crashed runs left in it.

    Its scratch folder is gone afterwards, however it ends. A private folder that this run made is
    removed too, with the vault in it, where no run came as far as a gate's decision, nothing was
    delivered, nobody has a label and nobody else is at work in it.

    The claim comes before the scratch folder and goes after it: a folder that nobody claims is
    what a crashed run left, and others remove it.

    Parameters
    ----------
    private
        The private folder.
    name
        The session's name.
    words
        Which folder that is: from :func:`private_words`.
    doing
        What is done in it, for whoever comes second.

    Raises
    ------
    ConflictError
        If another process is at work on the same session or output.
    StorageError
        If the private folder cannot be written.
    """
    require_writable(private, words=words, cure="choose another folder with --private")
    space = Workspace(private=private, name=name)
    made_here = not private.exists()
    with storage_errors(words), session_claim(space.claim, doing=doing):
        try:
            space.remove_stale()
            space.begin()
            with vault_in_use(private):
                yield space
        finally:
            remove_tree(space.work)
            if made_here and not _is_used(private):
                remove_tree(private)


@contextlib.contextmanager
def nameless_workspace(private: Path, *, words: str) -> Iterator[Workspace]:
    """Open a workspace for a source of which nobody knows yet whose it is.

    Parameters
    ----------
    private
        The private folder.
    words
        Which folder that is: from :func:`private_words`.

    Raises
    ------
    StorageError
        If the private folder cannot be written.
    """
    name = f"{_NAMELESS}{secrets.token_hex(8)}"
    try:
        with claimed_workspace(private, name, words=words) as space:
            _remove_abandoned(private, besides=name)
            yield space
    finally:
        with contextlib.suppress(OSError):  # a refused private folder may be anything
            lock_file(Workspace(private=private, name=name).claim).unlink()


def _remove_abandoned(private: Path, *, besides: str) -> None:
    """Remove what crashed runs left of sources that had no name yet."""
    for path in (private / "work").glob(f"{_NAMELESS}*"):
        name = path.name.partition(".")[0]
        if name == besides:
            continue
        claim = private / "work" / name
        with contextlib.suppress(ConflictError), session_claim(claim):
            remove_tree(path)
            lock_file(claim).unlink(missing_ok=True)


def _is_used(private: Path) -> bool:
    others_at_work = any(path.is_dir() for path in (private / "work").glob("*"))
    if others_at_work or Journal(private).path.exists() or (private / DELIVERIES).exists():
        return True
    contents = read_contents(private)
    return contents is not None and contents.is_needed
