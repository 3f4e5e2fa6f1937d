"""One session's page, and what the dataset's page says of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from bidsanon.audit import FaceVerdict
from bidsanon.bids.names import parse_name
from bidsanon.findings import Finding, Severity
from bidsanon.pipeline.report_content import PrivateContent, SessionContent
from bidsanon.pipeline.report_faces import why_hidden, without_picture
from bidsanon.pipeline.report_request import INDEX, ReportRequest
from bidsanon.pipeline.workspace import Workspace
from bidsanon.report import SessionReport, read_record
from bidsanon.report.dataset import FaceEntry, GateMark, SessionRow, SessionView
from bidsanon.report.images import ImageEntry
from bidsanon.report.page import render_session, write_page
from bidsanon.session import DefaceOutcome, DefaceVerdict


@dataclass(frozen=True, kw_only=True)
class SessionPage:
    """One session, and all that its page and the dataset's page say of it.

    Attributes
    ----------
    request
        What was asked for.
    session
        Its files.
    images
        What each image is.
    record
        What is known of the run that published it; None where nothing is.
    findings
        What validating says of its files.
    private
        What the private folder knows.
    """

    request: ReportRequest
    session: SessionContent
    images: tuple[ImageEntry, ...]
    record: SessionReport | None
    findings: tuple[Finding, ...]
    private: PrivateContent

    @property
    def path(self) -> Path:
        """Where the page goes."""
        return self.request.out / f"{self.session.name}.html"

    @property
    def refused(self) -> str:
        """The name of the page of a later run that was refused; empty where there is none."""
        space = workspace_of(self.request, self.session.name)
        return space.refused_report.name if space.refused_record.is_dir() else ""

    @property
    def decisions(self) -> Mapping[str, FaceVerdict]:
        """What a person said of each image's bytes."""
        said = {
            image.path: self.private.decisions.verdict_of_bytes(image.digest)
            for image in self.images
        }
        return {path: verdict for path, verdict in said.items() if verdict}

    @property
    def hidden(self) -> Mapping[str, str]:
        """Why an image is not shown, by its path; in the private folder all are."""
        if self.request.is_private:
            return {}
        decisions = self.decisions
        reasons = {
            image.path: why_hidden(
                image,
                outcome=self._outcomes.get(image.path),
                decision=decisions.get(image.path),
                published=self.private.digests.get(image.path, ""),
            )
            for image in self.images
        }
        return {path: why for path, why in reasons.items() if why}

    @property
    def _outcomes(self) -> Mapping[str, DefaceOutcome]:
        return {one.path: one for one in self.record.defaced} if self.record else {}

    def write(self) -> None:
        """Write the page."""
        hidden, digests = self.hidden, self.private.digests
        view = SessionView(
            images=tuple(without_picture(one, hidden.get(one.path, "")) for one in self.images),
            findings=self.findings,
            decisions=self.decisions,
            # A picture from the defacing is of the bytes that were published, and of no others.
            heads=frozenset(
                one.path
                for one in self.images
                if one.path not in hidden and one.digest == digests.get(one.path)
            ),
            changed=frozenset(
                one.path
                for one in self.images
                if one.digest and one.digest != digests.get(one.path, one.digest)
            ),
            runs=self.private.runs_of(self.session.name),
            index=INDEX,
            refused=self.refused,
        )
        html = render_session(
            self.session.label,
            record=self.record,
            view=view,
            private=self.request.is_private,
        )
        write_page(html, self.path, private=self.request.is_private)

    @property
    def row(self) -> SessionRow:
        """What the dataset's tables say of it."""
        kinds = Counter(parse_name(image.path).datatype or "other" for image in self.images)
        severities = Counter(found.severity for found in self.findings)
        return SessionRow(
            label=self.session.label,
            page=self.path.name,
            images=len(self.images),
            undrawn=sum(bool(image.problem) for image in self.images),
            kinds=", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())),
            errors=severities[Severity.ERROR],
            warnings=severities[Severity.WARNING],
            outcome=self.record.outcome if self.record else None,
            gates=tuple(map(GateMark.of, self.record.gates)) if self.record else (),
            refused=self.refused,
        )

    @property
    def faces(self) -> tuple[FaceEntry, ...]:
        """The images that show a face, or had one removed."""
        decisions = self.decisions
        outcomes = self._outcomes
        entries = []
        for image in self.images:
            outcome = outcomes.get(image.path)
            spared = outcome and outcome.verdict is DefaceVerdict.NOT_NEEDED
            if (image.of_a_face or outcome) and not spared:
                entries.append(
                    FaceEntry(
                        path=image.path,
                        verdict=outcome.verdict if outcome else None,
                        claim=image.claim,
                        decision=decisions.get(image.path),
                    )
                )
        return tuple(entries)


def write_refused_pages(request: ReportRequest, written: Collection[Path]) -> dict[str, Path]:
    """Write the page of each session whose last run was refused, and return them by its name.

    Parameters
    ----------
    request
        What was asked for.
    written
        The pages of the sessions that are in the dataset.
    """
    pages = {}
    for folder in sorted((request.private / "reports").glob("*/refused")):
        name = folder.parent.name
        record = read_record(folder)
        if record is not None and not _is_of_another(record, request):
            space = workspace_of(request, name)
            pages[name] = request.out / space.refused_report.name
            html = render_session(
                record.name,
                record=record,
                view=None,
                private=request.is_private,
                published=space.report.name if request.out / space.report.name in written else "",
            )
            write_page(html, pages[name], private=request.is_private)
    return pages


def _is_of_another(record: SessionReport, request: ReportRequest) -> bool:
    """Tell a run of another dataset that shares the private folder; this one may have moved."""
    return record.dataset != request.dataset.resolve() and record.dataset.is_dir()


def workspace_of(request: ReportRequest, name: str) -> Workspace:
    """Return where what is kept of a session lies."""
    return Workspace(private=request.private, name=name)
