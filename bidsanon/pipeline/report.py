"""The pages of a dataset, whoever made it: one of all, and one of each session.

Session by session, so that no more than one session's pictures are in memory.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from bidsanon import __version__
from bidsanon.files import make_private_folder, storage_errors
from bidsanon.findings import Finding, Severity
from bidsanon.pipeline.report_content import (
    DatasetContent,
    PrivateContent,
    findings_by_session,
    list_content,
    read_description,
    read_participants,
)
from bidsanon.pipeline.report_faces import may_show_a_face
from bidsanon.pipeline.report_images import describe_image
from bidsanon.pipeline.report_request import INDEX, ReportRequest, is_our_page
from bidsanon.pipeline.report_sessions import (
    SessionPage,
    workspace_of,
    write_refused_pages,
)
from bidsanon.pipeline.summary import finding_record, heading
from bidsanon.pipeline.validate import validate
from bidsanon.progress import Progress
from bidsanon.redaction import Redactor
from bidsanon.report.dataset import DatasetReport, FaceEntry, SessionRow
from bidsanon.report.images import ImageEntry
from bidsanon.report.page import render_dataset, write_page
from bidsanon.report.record import QuarantineEntry
from bidsanon.report.words import byte_words
from bidsanon.session import QuarantineReason
from bidsanon.workers import worker_pool

_Describe = Callable[[Path, Iterable[str]], Iterator[ImageEntry]]


@dataclass(kw_only=True)
class Report:
    """What became of a dataset's pages, filled session by session.

    Attributes
    ----------
    request
        What was asked for.
    findings
        What validating says.
    pages
        What was written.
    sessions
        What the dataset's tables say of each session.
    faces
        The images that show a face, or had one removed.
    quarantine
        How many files were left out of the sessions, by reason.
    undrawn
        Why an image was not drawn, by its path.
    hidden
        Why an image is not shown outside the private folder, by its path.
    shows_faces
        Whether pages in the private folder hold images that may show a face.
    """

    request: ReportRequest
    findings: tuple[Finding, ...]
    pages: list[Path] = field(default_factory=list)
    sessions: list[SessionRow] = field(default_factory=list)
    faces: list[FaceEntry] = field(default_factory=list)
    quarantine: Counter[QuarantineReason] = field(default_factory=Counter)
    undrawn: dict[str, str] = field(default_factory=dict)
    hidden: dict[str, str] = field(default_factory=dict)
    shows_faces: bool = False

    @property
    def index(self) -> Path:
        """The dataset's page."""
        return self.request.out / INDEX

    def add(self, page: SessionPage) -> None:
        """Take note of a session whose page was written."""
        self.pages.append(page.path)
        self.sessions.append(page.row)
        self.faces += page.faces
        self.undrawn |= {image.path: image.problem for image in page.images if image.problem}
        self.hidden |= page.hidden
        heads = bool(page.faces) or any(map(may_show_a_face, page.images))
        self.shows_faces |= heads and self.request.is_private
        for entry in page.record.quarantine if page.record else ():
            self.quarantine[entry.reason] += entry.count


def report(request: ReportRequest, *, progress: Progress, redactor: Redactor) -> Report:
    """Make a dataset's pages.

    Raises
    ------
    BidsanonError
        If the dataset cannot be validated, or the pages cannot be written.
    """
    findings = validate(request.checks, progress=progress, redactor=redactor).findings
    content = list_content(request.dataset)
    private = PrivateContent.read(request.private, request.dataset)
    made = Report(request=request, findings=findings)
    with storage_errors("the pages"), _gone_if_empty(request.out, request.private):
        _make_folder(request)
        _write_sessions(made, content, private, progress)
        refused = write_refused_pages(request, made.pages)
        made.pages += refused.values()
        made.shows_faces |= bool(refused)  # nobody looked which images a run held that was refused
        whole = _dataset_report(made, content, private, refused)
        html = render_dataset(whole, private=request.is_private)
        write_page(html, made.index, private=request.is_private)
        made.pages.insert(0, made.index)
        _remove_stale(made)
    return made


@contextlib.contextmanager
def _gone_if_empty(*folders: Path) -> Iterator[None]:
    """Leave no empty folder where there was none, if pages cannot be written: the inner one first.

    Nothing else is left of a page, since it appears whole or not at all.
    """
    missing = [folder for folder in folders if not folder.exists()]
    try:
        yield
    finally:
        for folder in missing:
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()


def _make_folder(request: ReportRequest) -> None:
    if request.is_private:
        for folder in (request.private, request.out):
            make_private_folder(folder)
    else:
        request.out.mkdir(parents=True, exist_ok=True)


def _write_sessions(
    made: Report, content: DatasetContent, private: PrivateContent, progress: Progress
) -> None:
    request = made.request
    total = sum(len(session.images) for session in content.sessions)
    workers = min(request.checks.jobs, total)
    found = findings_by_session(made.findings)
    with _describing(workers) as describe, progress.step("drawing", total=total) as step:
        for session in content.sessions:
            readable = [image for image in session.images if image not in session.problems]
            described = {image.path: image for image in describe(request.dataset, readable)}
            page = SessionPage(
                request=request,
                session=session,
                images=tuple(
                    described.get(image) or _unread(image, session.problems[image])
                    for image in session.images
                ),
                record=private.published_run(workspace_of(request, session.name)),
                findings=tuple(found.get(session.folder, ())),
                private=private,
            )
            page.write()
            made.add(page)
            step.advance(len(session.images))


@contextlib.contextmanager
def _describing(workers: int) -> Iterator[_Describe]:
    """Give what looks at images, in as many processes as wished."""
    if workers <= 1:
        yield lambda dataset, images: map(partial(describe_image, dataset), images)
        return
    with worker_pool(workers, doing="draws images") as pool:
        yield lambda dataset, images: pool.map(partial(describe_image, dataset), images)


def _unread(image: str, problem: str) -> ImageEntry:
    return ImageEntry(path=image, suffix="", problem=problem)


def _dataset_report(
    made: Report, content: DatasetContent, private: PrivateContent, refused: dict[str, Path]
) -> DatasetReport:
    dataset = made.request.dataset
    description = read_description(dataset)
    there = {session.name for session in content.sessions}
    return DatasetReport(
        name=description.name or dataset.name,
        dataset=dataset,
        version=__version__,
        when=datetime.now(UTC),
        subjects=content.subjects,
        files=content.files,
        size=byte_words(content.size),
        described=description.facts,
        findings=made.findings,
        sessions=tuple(made.sessions),
        faces=tuple(made.faces),
        refused={name: page.name for name, page in refused.items() if name not in there},
        participants=read_participants(dataset),
        quarantine=tuple(
            QuarantineEntry(reason=reason, count=count)
            for reason, count in made.quarantine.most_common()
        ),
        tools=description.tools,
        runs=private.last_runs,
    )


def _remove_stale(made: Report) -> None:
    """Remove pages of sessions that are gone; those in the private folder stay with their records.

    Of a refused run that was made good since, the page goes there too.
    """
    kept = set(made.pages)
    pattern = "sub-*_refused.html" if made.request.is_private else "sub-*.html"
    for page in made.request.out.glob(pattern):
        if page not in kept and is_our_page(page):
            page.unlink()


def report_summary(made: Report) -> dict[str, Any]:
    """Return the summary of ``report``."""
    request = made.request
    severities = Counter(found.severity for found in made.findings)
    return {
        **heading("report", "written"),
        "exit_code": 0,
        "dataset": str(request.dataset),
        "report": str(made.index),
        "pages": [str(page) for page in made.pages],
        "shows_faces": made.shows_faces,
        "hidden": [{"path": path, "reason": why} for path, why in sorted(made.hidden.items())],
        "sessions": len(made.sessions),
        "images": sum(row.images for row in made.sessions),
        "undrawn": [
            {"path": path, "problem": problem} for path, problem in sorted(made.undrawn.items())
        ],
        "faces": [
            {
                "path": face.path,
                "verdict": face.verdict.value if face.verdict else None,
                "decision": face.decision.value if face.decision else None,
            }
            for face in made.faces
        ],
        "counts": {severity.value: severities[severity] for severity in Severity},
        "findings": [finding_record(found) for found in made.findings],
    }
