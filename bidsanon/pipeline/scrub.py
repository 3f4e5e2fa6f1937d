"""A dataset that exists already, whoever made it, scrubbed in one step.

Everything that changes is laid out beside the dataset first, and takes its place together with all
else: an interruption at any moment leaves the dataset as it was, or complete.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from bidsanon import __version__
from bidsanon.audit import Journal, JournalEntry, Outcome, count_findings, now
from bidsanon.errors import ConflictError, GateRefusedError, UsageError
from bidsanon.files import (
    file_state,
    fresh_folder,
    make_private_folder,
    remove_tree,
    sha256,
    storage_errors,
)
from bidsanon.findings import Finding, errors
from bidsanon.pipeline.scrub_facts import FilledFile, FilledRoot, fill_root
from bidsanon.pipeline.scrub_policy import scrub_policy
from bidsanon.pipeline.scrub_request import ScrubRequest
from bidsanon.profile import load_profile
from bidsanon.progress import Progress
from bidsanon.publish import (
    Item,
    Ledger,
    Memory,
    dataset_lock,
    install,
    publishing_folder,
    session_claim,
    settle_dataset,
)
from bidsanon.redaction import Redactor
from bidsanon.scrub import FileChange, ScrubbedDataset, list_dataset, scrub_dataset

_ORIGINALS = "sourcedata/"


@dataclass(frozen=True, kw_only=True)
class ScrubRun:
    """What became of a dataset.

    Attributes
    ----------
    request
        What was asked for.
    scrubbed
        What changed, or would.
    removed
        The leftovers that were removed, or would be.
    filled
        What the lab's file fills, or would.
    seconds
        How long it took.
    """

    request: ScrubRequest
    scrubbed: ScrubbedDataset
    removed: tuple[str, ...]
    filled: FilledRoot
    seconds: float = 0.0

    @property
    def changes(self) -> tuple[FileChange | FilledFile, ...]:
        """What changes, sorted by name: what is taken out and what is filled, each file once."""
        filled = {one.name: one for one in self.filled.files}
        taken_out = {one.name: one for one in self.scrubbed.changes}
        both = filled.keys() & taken_out.keys()
        merged = {n: replace(filled[n], words=taken_out[n].words + filled[n].words) for n in both}
        changes: dict[str, FileChange | FilledFile] = {**taken_out, **filled, **merged}
        return tuple(changes[name] for name in sorted(changes))

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What cannot be cleaned, what a person should know, and whose words stay."""
        return (*self.scrubbed.findings, *self.filled.findings)

    @property
    def left_alone(self) -> dict[str, str]:
        """What was not looked at, and why, by its place; folders end in a slash."""
        filled = {one.name for one in self.filled.files}
        return {n: why for n, why in self.scrubbed.left_alone.items() if n not in filled}

    @property
    def refusal(self) -> GateRefusedError | None:
        """That something could not be cleaned; None otherwise."""
        found = errors(self.scrubbed.findings)
        if not found:
            return None
        return GateRefusedError(
            f"{len(found)} file(s) or folders cannot be cleaned and stay as they are",
            cure="mend each of them (the list says why), or take it out of the dataset, and run it "
            "again",
        )


def scrub(request: ScrubRequest, *, progress: Progress, redactor: Redactor) -> ScrubRun:
    """Scrub a dataset, or say what would change.

    Parameters
    ----------
    request
        What is asked for.
    progress
        Who listens.
    redactor
        Learns what is identifying, for the log.

    Raises
    ------
    UsageError
        If something is to be removed that is no leftover.
    ConflictError
        If somebody else works on the dataset, or wrote it meanwhile: nothing is changed.
    BidsanonError
        If the vault cannot be read, or the disk fails: nothing is changed.
    """
    started = time.monotonic()
    if request.dry_run:
        run = _look(request, None, progress, redactor)
    else:
        settle_dataset(request.dataset)
        with _workplace(request.dataset) as folder, storage_errors("the dataset"):
            run = _look(request, folder, progress, redactor)
            _put_in_place(run)
    return replace(run, seconds=time.monotonic() - started)


def _look(
    request: ScrubRequest, into: Path | None, progress: Progress, redactor: Redactor
) -> ScrubRun:
    tree = list_dataset(request.dataset)
    policy = scrub_policy(request, tree, progress=progress, redactor=redactor)
    scrubbed = scrub_dataset(tree, policy, into=into, jobs=request.jobs, progress=progress)
    removed = _to_remove(request, scrubbed)
    return ScrubRun(
        request=request,
        scrubbed=_but_for(removed, scrubbed),
        removed=removed,
        filled=fill_root(request.dataset, load_profile(request.profile).dataset, policy),
    )


def _to_remove(request: ScrubRequest, scrubbed: ScrubbedDataset) -> tuple[str, ...]:
    originals = (_ORIGINALS,) if (request.dataset / _ORIGINALS).is_dir() else ()
    may_go = {*scrubbed.leftovers, *originals}
    by_name = {name.rstrip("/"): name for name in may_go}
    for number, name in enumerate(request.remove, start=1):
        if name not in by_name:
            raise UsageError(
                f"--remove number {number} names no leftover of another tool in the dataset",
                cure="name one that the list shows: `bidsanon scrub DATASET --dry-run`",
            )
    return tuple(sorted(by_name[name] for name in set(request.remove)))


def _but_for(removed: tuple[str, ...], scrubbed: ScrubbedDataset) -> ScrubbedDataset:
    """Leave out what is said of what is removed."""
    folders = tuple(name for name in removed if name.endswith("/"))

    def stays(place: str) -> bool:
        return not (place.startswith(folders) or place in removed)

    return replace(
        scrubbed,
        changes=tuple(change for change in scrubbed.changes if stays(change.name)),
        findings=tuple(found for found in scrubbed.findings if stays(found.location)),
        left_alone={name: why for name, why in scrubbed.left_alone.items() if stays(name)},
    )


@contextmanager
def _workplace(dataset: Path) -> Iterator[Path]:
    """Open a hidden private folder beside the dataset; it is gone afterwards."""
    root = publishing_folder(dataset) / "scrub"
    with storage_errors("the folder beside the dataset"):
        make_private_folder(root.parent)
    with session_claim(root, doing="scrubbing this dataset"):
        fresh_folder(root)
        try:
            yield root
        finally:
            remove_tree(root)


def _put_in_place(run: ScrubRun) -> None:
    """Let everything that changes take its place in one step, with the journal's entry."""
    request = run.request
    journal = Journal(request.private) if request.private.is_dir() else None
    line = _entry(run).line
    if not run.changes and not run.removed:
        if journal is not None:
            journal.append_once(line)
        return
    with dataset_lock(request.dataset):
        for change in run.changes:
            if file_state(request.dataset / change.name) != change.state:
                raise ConflictError(
                    "somebody wrote the dataset while it was scrubbed; nothing was changed",
                    cure="wait until they are done, and run it again",
                )
        items = [
            Item(
                path=PurePosixPath(change.name),
                content=change.text if isinstance(change, FilledFile) else change.staged,
            )
            for change in run.changes
        ]
        items += [Item(path=PurePosixPath(name), content=None) for name in run.removed]
        memory = _memory(request, run.scrubbed.changes, line) if journal is not None else None
        install(request.dataset, items, memory=memory)


def _memory(request: ScrubRequest, changes: tuple[FileChange, ...], line: str) -> Memory:
    """Return what the private folder remembers: files that it published stay known to it."""
    ledger = Ledger.read(request.private, request.dataset)
    if not ledger.additions:
        return Memory(private=request.private, line=line)
    known = {name for addition in ledger.additions for name in addition.files}
    rewritten = {
        change.name: (sha256(request.dataset / change.name), sha256(change.staged))
        for change in changes
        if change.name in known and change.staged is not None
    }
    return Memory(
        private=request.private,
        line=line,
        path=ledger.file,
        text=ledger.with_rewritten(rewritten).text,
    )


def _entry(run: ScrubRun) -> JournalEntry:
    changed = len(run.changes)
    refused = run.refusal is not None and not changed and not run.removed
    return JournalEntry(
        when=now(),
        command="scrub",
        outcome=Outcome.REFUSED if refused else Outcome.PUBLISHED,
        tools={"bidsanon": __version__},
        counts={"files": run.scrubbed.files, "changed": changed, "removed": len(run.removed)},
        findings=count_findings(run.findings),
    )
