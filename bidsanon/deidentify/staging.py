"""A session's instances, de-identified into the private folder file by file, by several workers.

Workers get plain data and never the vault. Each file is read, cleaned and written before the next
one is read, and nothing in the result depends on how many workers there are.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bidsanon.audit import ChangedValues, new_part, write_part
from bidsanon.deidentify.harvest import Harvested, settle
from bidsanon.deidentify.instance import CleanedFile, Deidentifier, counted, cut_from_text
from bidsanon.deidentify.marks import Marks
from bidsanon.deidentify.participant import iso_moment, moment_of, participant_of
from bidsanon.dicom.confidentiality import MethodCode, Option
from bidsanon.dicom.dates import SHIFTED_YEARS, DateShift
from bidsanon.dicom.encoding import NotUnderstoodError
from bidsanon.files import (
    LARGE_FILE_BYTES,
    PRIVATE_FILE_MODE,
    content_of,
    fresh_folder,
    in_parts,
    make_private_folder,
    storage_errors,
)
from bidsanon.findings import Finding, finding
from bidsanon.identity import IdentifyingValue
from bidsanon.notes import Note, NoteReason, settle_notes
from bidsanon.profile import Profile
from bidsanon.progress import Progress
from bidsanon.session import (
    CodedConcept,
    DeidentifiedSeries,
    DeidentifiedSession,
    Participant,
    SourceSession,
)
from bidsanon.vault.plan import PersonPlan
from bidsanon.workers import share_files, worker_pool

_NOBODY = PersonPlan(
    subject="", patient_id="", patient_name="", shift_days=0, uid_key=b"", label_key=b""
)
"""The plan of files that are only harvested: nothing that it makes is kept."""


@dataclass(frozen=True, kw_only=True)
class _Orders:
    """What a worker needs to know."""

    profile: Profile
    plan: PersonPlan
    known: tuple[IdentifyingValue, ...] = ()
    marked: bool = False
    parts: Path | None = None
    """Where the changed values go, where somebody asks for them."""


@dataclass(frozen=True, kw_only=True)
class _Task:
    """One file: where it is, and where its copy goes; None where it is only harvested."""

    source: Path
    target: Path | None = None
    series_index: int | None = None


@dataclass(frozen=True, kw_only=True)
class _Report:
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
    troubles: tuple[tuple[_Task, str], ...]
    first_moment: str
    values: Path | None
    marks: dict[int, Marks]


def deidentify_session(
    source: SourceSession,
    *,
    profile: Profile,
    plan: PersonPlan,
    folder: Path,
    jobs: int,
    progress: Progress,
    marked: bool = False,
    changed: ChangedValues | None = None,
) -> DeidentifiedSession:
    """De-identify a session's images into a private folder.

    The copies lie in ``series-0001/000001.dcm`` and so on, in the order of the source.

    Parameters
    ----------
    source
        The session. Quarantined files are read for what they say about the person.
    profile
        What is done to each attribute.
    plan
        The person's pseudonyms, date shift and keys.
    folder
        Where the copies go. It is made private.
    jobs
        How many processes may work at once.
    progress
        Is told of each file.
    marked
        Whether the copies hold (0012,0063) and (0012,0064). heudiconv wants them without: see
        :class:`~bidsanon.deidentify.instance.Deidentifier`.
    changed
        Takes the original and the cleaned value of every attribute that is changed in a copy;
        None: nobody asks for them.

    Raises
    ------
    StorageError
        If the copies cannot be written.
    ToolFailedError
        If a worker process dies.
    """
    with storage_errors("the private folder"):
        make_private_folder(folder)
        tasks = tuple(_tasks(source, folder))
    known, participant = _read_first_instances(source, profile=profile, plan=plan)
    parts = changed.parts if changed else None
    orders = _Orders(profile=profile, plan=plan, known=known, marked=marked, parts=parts)
    with progress.step("de-identifying", total=len(tasks)) as step:
        reports = []
        for report in _carry_out(tasks, orders, jobs=jobs):
            reports.append(report)
            if changed and report.values:
                changed.add_part(report.values)
            step.advance(report.files)
    troubles = [
        (task, why)
        for report in reports
        for task, why in report.troubles
        if task.target is not None
    ]
    moments = sorted(report.first_moment for report in reports if report.first_moment)
    notes = settle_notes(report.notes for report in reports)
    changes = sum((Counter(report.changes) for report in reports), Counter[str]())
    return DeidentifiedSession(
        source=source,
        folder=folder,
        series=_staged_series(source, folder, tasks, reports),
        identity=settle(report.harvested for report in reports),
        participant=participant,
        method=profile.method,
        method_codes=_coded(profile.method_codes),
        first_acquisition=_first_acquisition(moments, profile),
        changes=counted(changes),
        findings=(*_findings(troubles), *_date_findings(notes)),
        notes=notes,
    )


@dataclass(frozen=True, kw_only=True)
class HarvestedFiles:
    """What some files say about persons. Identified.

    Attributes
    ----------
    identity
        Every identifying value that the profile would remove or replace, each once, sorted.
    not_understood
        How many files could not be understood to their end; what could be is harvested.
    """

    identity: tuple[IdentifyingValue, ...]
    not_understood: int


def harvest_files(
    files: Iterable[Path], *, profile: Profile, jobs: int, progress: Progress
) -> HarvestedFiles:
    """Collect what files say about persons, of one or of many; no copy is made.

    Parameters
    ----------
    files
        DICOM files.
    profile
        What would be removed.
    jobs
        How many processes may work at once.
    progress
        Is told of each file.
    """
    tasks = tuple(_Task(source=path) for path in files)
    orders = _Orders(profile=profile, plan=_NOBODY)
    with progress.step("reading the originals", total=len(tasks)) as step:
        reports = []
        for report in _carry_out(tasks, orders, jobs=jobs):
            reports.append(report)
            step.advance(report.files)
    return HarvestedFiles(
        identity=settle(report.harvested for report in reports),
        not_understood=sum(len(report.troubles) for report in reports),
    )


def _tasks(source: SourceSession, folder: Path) -> Iterator[_Task]:
    for series in source.series:
        into = fresh_folder(_series_folder(folder, series.index))
        for number, instance in enumerate(series.instances, start=1):
            target = into / f"{number:06d}.dcm"
            yield _Task(source=instance.path, target=target, series_index=series.index)
    for quarantined in source.quarantine:
        yield _Task(source=quarantined.path)


def _series_folder(folder: Path, index: int) -> Path:
    return folder / f"series-{index:04d}"


def _read_first_instances(
    source: SourceSession, *, profile: Profile, plan: PersonPlan
) -> tuple[tuple[IdentifyingValue, ...], Participant]:
    """Read one instance of each series for what the whole session's text is searched for.

    What only a single frame says is taken out of it and searched for, not cut from others' text.
    """
    deidentifier = Deidentifier(profile=profile, plan=plan)
    age, sex = None, None
    for series in source.series:
        try:
            file = deidentifier.harvest_before_frames(_read(series.instances[0].path))
        except (NotUnderstoodError, OSError):
            continue  # it is tried again with the others, and reported there
        participant = participant_of(file)
        age = participant.age_years if age is None else age
        sex = sex or participant.sex
    known = cut_from_text(settle([deidentifier.harvest.drain()]))
    if Option.RETAIN_PATIENT_CHARACTERISTICS not in profile.options:
        return known, Participant()
    return known, Participant(age_years=age, sex=sex)


def _carry_out(tasks: Sequence[_Task], orders: _Orders, *, jobs: int) -> Iterator[_Report]:
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


class _Worker:
    """De-identifies files one after the other, and remembers what it decided about them."""

    def __init__(self, orders: _Orders) -> None:
        self._deidentifier = Deidentifier(
            profile=orders.profile, plan=orders.plan, known=orders.known, marked=orders.marked
        )
        self._profile = orders.profile
        self._parts = orders.parts
        self._part: Path | None = None

    def carry_out(self, tasks: Sequence[_Task]) -> _Report:
        """De-identify some files, and report."""
        deidentifier = self._deidentifier
        troubles: list[tuple[_Task, str]] = []
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
        report = _Report(
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

    def _stage(self, task: _Task) -> CleanedFile:
        """De-identify one file, and write it where a copy of it is wanted."""
        try:
            content = _read(task.source)
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


def _begin(orders: _Orders) -> None:
    global _worker  # noqa: PLW0603 (one worker a process: what it remembers serves all its tasks)
    _worker = _Worker(orders)


def _carry_out_here(tasks: Sequence[_Task]) -> _Report:
    assert _worker is not None  # noqa: S101 (the pool's initializer made it)
    return _worker.carry_out(tasks)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # that it cannot be read is said when it is its turn


def _read(path: Path) -> bytes:
    with path.open("rb", buffering=0) as stream:
        return content_of(stream)


def _write(path: Path, pieces: Iterable[bytes | memoryview]) -> None:
    with storage_errors("the private folder"):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE_MODE)
        with os.fdopen(descriptor, "wb") as stream:
            for piece in pieces:
                if len(piece) < LARGE_FILE_BYTES:
                    stream.write(piece)
                else:
                    stream.writelines(in_parts(memoryview(piece)))


def _staged_series(
    source: SourceSession, folder: Path, tasks: Iterable[_Task], reports: Sequence[_Report]
) -> tuple[DeidentifiedSeries, ...]:
    lost = {task for report in reports for task, _ in report.troubles}
    files: dict[int | None, list[Path]] = {}
    for task in tasks:
        if task.target is not None and task not in lost:
            files.setdefault(task.series_index, []).append(task.target)
    marks: dict[int, Marks] = {}
    for report in reversed(reports):
        marks.update(report.marks)
    nothing = Marks(methods=(), codes=())
    return tuple(
        DeidentifiedSeries(
            source=series,
            folder=_series_folder(folder, series.index),
            files=tuple(files.get(series.index, ())),
            methods=marks.get(series.index, nothing).methods,
            method_codes=_coded(marks.get(series.index, nothing).codes),
        )
        for series in source.series
    )


def _coded(codes: Iterable[MethodCode]) -> tuple[CodedConcept, ...]:
    return tuple(CodedConcept(**code._asdict()) for code in codes)


def _first_acquisition(moments: Sequence[str], profile: Profile) -> str | None:
    """Return the first acquisition as ISO 8601 with the date that the copies hold."""
    kept = {Option.RETAIN_MODIFIED_DATES, Option.RETAIN_FULL_DATES} & profile.options
    return iso_moment(moments[0]) if moments and kept else None


def _date_findings(notes: Iterable[Note]) -> Iterator[Finding]:
    counts = [n.count for n in notes if n.reason is NoteReason.OUTSIDE_SHIFTED_YEARS]
    if counts:
        years = f"{SHIFTED_YEARS.start} to {SHIFTED_YEARS.stop - 1}"
        yield finding("DATES_OUTSIDE_SHIFTED_YEARS", count=max(counts), years=years)


def _findings(troubles: Iterable[tuple[_Task, str]]) -> Iterator[Finding]:
    counts = Counter((task.series_index, reason) for task, reason in troubles)
    for (series_index, reason), count in counts.items():
        yield finding(
            "INSTANCE_NOT_UNDERSTOOD",
            location=f"series {series_index}",
            count=count,
            reason=reason,
        )
