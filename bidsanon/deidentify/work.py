"""Files to be de-identified, shared among processes.

Workers get plain data and never the vault. Each file is read, cleaned and written before the next
one is read.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bidsanon.audit import new_part, write_part
from bidsanon.deidentify.deidentifier import CleanedFile, Deidentifier
from bidsanon.deidentify.harvest import Harvested
from bidsanon.deidentify.marks import Marks
from bidsanon.deidentify.participant import moment_of
from bidsanon.dicom.confidentiality import Option
from bidsanon.dicom.dates import DateShift
from bidsanon.dicom.encoding import NotUnderstoodError
from bidsanon.files import LARGE_FILE_BYTES, PRIVATE_FILE_MODE, content_of, in_parts, storage_errors
from bidsanon.identity import IdentifyingValue
from bidsanon.notes import NoteReason
from bidsanon.profile import Profile
from bidsanon.vault.plan import PersonPlan
from bidsanon.workers import share_files, worker_pool


@dataclass(frozen=True, kw_only=True)
class Orders:
    """What a worker needs to know."""

    profile: Profile
    plan: PersonPlan
    known: tuple[IdentifyingValue, ...] = ()
    marked: bool = False
    parts: Path | None = None
    """Where the changed values go, where somebody asks for them."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """One file: where it is, and where its copy goes; None where it is only harvested."""

    source: Path
    target: Path | None = None
    series_index: int | None = None


@dataclass(frozen=True, kw_only=True)
class Report:
    """What came of some files.

    Attributes
    ----------
    files
        How many there were.
    harvested
        What was taken out of them.
    changes
        How many elements each action touched.
    notes
        What was cut, emptied or changed where, why and how often.
    troubles
        Which of them could not be understood, and why.
    first_moment
        When the first of the copied images was acquired, with the date that the copy holds.
    values
        The file in which the changed values are, where somebody asks for them.
    marks
        How the first of the copied images of each series was de-identified.
    """

    files: int
    harvested: Harvested
    changes: dict[str, int]
    notes: dict[tuple[str, NoteReason], int]
    troubles: tuple[tuple[Task, str], ...]
    first_moment: str
    values: Path | None
    marks: dict[int, Marks]


def carry_out(tasks: Sequence[Task], orders: Orders, *, jobs: int) -> Iterator[Report]:
    """Carry out all tasks, in their order, in this process or in others."""
    workers, size = share_files([_size(task.source) for task in tasks], jobs=jobs)
    batches = [tasks[i : i + size] for i in range(0, len(tasks), size)]
    if workers <= 1:
        worker = _Worker(orders)
        yield from map(worker.carry_out, batches)
        return
    with worker_pool(
        workers, doing="de-identifies", initializer=_begin, initargs=(orders,)
    ) as pool:
        yield from pool.map(_carry_out_here, batches)


def content_at(path: Path) -> bytes:
    """Return the bytes of a file; what of a large one nobody looks at is not read."""
    with path.open("rb", buffering=0) as stream:
        return content_of(stream)


class _Worker:
    """De-identifies files one after the other, and remembers what it decided about them."""

    def __init__(self, orders: Orders) -> None:
        self._deidentifier = Deidentifier(
            profile=orders.profile, plan=orders.plan, known=orders.known, marked=orders.marked
        )
        self._profile = orders.profile
        self._parts = orders.parts
        self._part: Path | None = None

    def carry_out(self, tasks: Sequence[Task]) -> Report:
        """De-identify some files, and report."""
        deidentifier = self._deidentifier
        troubles: list[tuple[Task, str]] = []
        first_moment = ""
        marks: dict[int, Marks] = {}
        self._part = new_part(self._parts) if self._parts else None
        for task in tasks:
            try:
                cleaned = self._stage(task)
            except NotUnderstoodError as error:
                troubles.append((task, str(error)))
                continue
            if task.series_index is not None:
                marks.setdefault(task.series_index, cleaned.marks)
                moment = self._published(moment_of(cleaned.source), cleaned.shift)
                first_moment = min(first_moment or moment, moment or first_moment)
        report = Report(
            files=len(tasks),
            harvested=deidentifier.harvest.drain(),
            changes=dict(deidentifier.changes),
            notes=dict(deidentifier.notes),
            troubles=tuple(troubles),
            first_moment=first_moment,
            values=self._part,
            marks=marks,
        )
        deidentifier.changes.clear()
        deidentifier.notes.clear()
        return report

    def _stage(self, task: Task) -> CleanedFile:
        """De-identify one file, and write it where a copy of it is wanted."""
        try:
            content = content_at(task.source)
        except OSError as error:
            raise NotUnderstoodError("it cannot be read") from error
        try:
            cleaned = self._deidentifier.clean(content)
        except NotUnderstoodError:
            self._deidentifier.harvest_remnants(content)
            raise
        if task.target is not None:
            _write(task.target, cleaned.pieces)
            if self._part:
                write_part(self._part, self._deidentifier.changed_values(cleaned))
        return cleaned

    def _published(self, moment: str, shift: DateShift) -> str:
        """Return a moment with the date that the copy holds."""
        if not moment or Option.RETAIN_MODIFIED_DATES not in self._profile.options:
            return moment
        day = shift.da(moment[:8])
        return day and day + moment[8:]


_worker: _Worker | None = None


def _begin(orders: Orders) -> None:
    global _worker  # noqa: PLW0603 (one worker a process: what it remembers serves all its tasks)
    _worker = _Worker(orders)


def _carry_out_here(tasks: Sequence[Task]) -> Report:
    assert _worker is not None  # noqa: S101 (the pool's initializer made it)
    return _worker.carry_out(tasks)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # that it cannot be read is said when it is its turn


def _write(path: Path, pieces: Iterable[bytes | memoryview]) -> None:
    with storage_errors("the private folder"):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE_MODE)
        with os.fdopen(descriptor, "wb") as stream:
            for piece in pieces:
                if len(piece) < LARGE_FILE_BYTES:
                    stream.write(piece)
                else:
                    stream.writelines(in_parts(memoryview(piece)))
