"""A session's instances, de-identified into the private folder, or only harvested.

Nothing in the result depends on how many workers there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bidsanon.audit import ChangedValues
from bidsanon.deidentify.deidentifier import Deidentifier, counted, cut_from_text
from bidsanon.deidentify.harvest import settle
from bidsanon.deidentify.marks import Marks
from bidsanon.deidentify.participant import iso_moment, participant_of
from bidsanon.deidentify.work import Orders, Report, Task, carry_out, content_at
from bidsanon.dicom.confidentiality import MethodCode, Option
from bidsanon.dicom.dates import SHIFTED_YEARS
from bidsanon.dicom.encoding import NotUnderstoodError
from bidsanon.files import fresh_folder, make_private_folder, storage_errors
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

_NOBODY = PersonPlan(
    subject="", patient_id="", patient_name="", shift_days=0, uid_key=b"", label_key=b""
)
"""The plan of files that are only harvested: nothing that it makes is kept."""


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
        :class:`~bidsanon.deidentify.deidentifier.Deidentifier`.
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
    orders = Orders(profile=profile, plan=plan, known=known, marked=marked, parts=parts)
    with progress.step("de-identifying", total=len(tasks)) as step:
        reports = []
        for report in carry_out(tasks, orders, jobs=jobs):
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
    tasks = tuple(Task(source=path) for path in files)
    orders = Orders(profile=profile, plan=_NOBODY)
    with progress.step("reading the originals", total=len(tasks)) as step:
        reports = []
        for report in carry_out(tasks, orders, jobs=jobs):
            reports.append(report)
            step.advance(report.files)
    return HarvestedFiles(
        identity=settle(report.harvested for report in reports),
        not_understood=sum(len(report.troubles) for report in reports),
    )


def _tasks(source: SourceSession, folder: Path) -> Iterator[Task]:
    for series in source.series:
        into = fresh_folder(_series_folder(folder, series.index))
        for number, instance in enumerate(series.instances, start=1):
            target = into / f"{number:06d}.dcm"
            yield Task(source=instance.path, target=target, series_index=series.index)
    for quarantined in source.quarantine:
        yield Task(source=quarantined.path)


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
            file = deidentifier.harvest_before_frames(content_at(series.instances[0].path))
        except (NotUnderstoodError, OSError):
            continue  # it is tried again with the others, and reported there
        participant = participant_of(file)
        age = participant.age_years if age is None else age
        sex = sex or participant.sex
    known = cut_from_text(settle([deidentifier.harvest.drain()]))
    if Option.RETAIN_PATIENT_CHARACTERISTICS not in profile.options:
        return known, Participant()
    return known, Participant(age_years=age, sex=sex)


def _staged_series(
    source: SourceSession, folder: Path, tasks: Iterable[Task], reports: Sequence[Report]
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


def _findings(troubles: Iterable[tuple[Task, str]]) -> Iterator[Finding]:
    counts = Counter((task.series_index, reason) for task, reason in troubles)
    for (series_index, reason), count in counts.items():
        yield finding(
            "INSTANCE_NOT_UNDERSTOOD",
            location=f"series {series_index}",
            count=count,
            reason=reason,
        )
