"""A person looks at each image that shows a face or had one removed, and accepts or rejects it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bidsanon.audit import (
    FaceDecision,
    FaceDecisions,
    FaceVerdict,
    now,
    record_decision,
    withdraw_decision,
)
from bidsanon.bids.faces import face_claim
from bidsanon.bids.names import parse_name
from bidsanon.deface.voxels import Nifti, UnreadableImageError, read_header
from bidsanon.errors import ConflictError
from bidsanon.files import file_state, sha256
from bidsanon.findings import Finding
from bidsanon.pipeline.existing import private_folder_of, require_dataset, require_private_there
from bidsanon.pipeline.lost_private import check_private
from bidsanon.pipeline.report_content import PrivateContent, SessionContent, list_content
from bidsanon.pipeline.report_images import of_a_face, sidecar_of, why_not_drawn
from bidsanon.pipeline.review_pictures import draw_as_it_is
from bidsanon.pipeline.summary import heading
from bidsanon.pipeline.workspace import Workspace
from bidsanon.publish import settle_dataset
from bidsanon.report.review import ReviewItem, ReviewSite, ShownImage
from bidsanon.report.serving import LocalServer
from bidsanon.report.words import CLAIMS, VERDICTS, sentence
from bidsanon.session import DefaceOutcome, DefaceVerdict

_CHANGED = "The image is not as it was published: its pictures are of what it is now."


@dataclass(frozen=True, kw_only=True)
class ReviewRequest:
    """A dataset to be looked at.

    Attributes
    ----------
    dataset
        Its folder.
    private
        Where decisions are kept.
    port
        On which port the page is served; 0 for one that is free.
    """

    dataset: Path
    private: Path
    port: int = 0


def make_review_request(
    dataset: Path, *, private: Path | None = None, port: int = 0
) -> ReviewRequest:
    """Check what the user asks for and return it as a record.

    Raises
    ------
    UsageError
        If it cannot be: no dataset, a private folder within it, or one that is named and not there.
    """
    require_dataset(dataset)
    dataset = dataset.resolve()
    folder = private_folder_of(dataset, private)
    if private is not None:
        require_private_there(folder)
    return ReviewRequest(dataset=dataset, private=folder, port=port)


@dataclass(frozen=True, kw_only=True)
class _Candidate:
    """An image that is looked at.

    Attributes
    ----------
    path
        Relative to the dataset.
    outcome
        What became of its face; None where there is no record.
    """

    path: str
    outcome: DefaceOutcome | None


@dataclass(kw_only=True)
class Review:
    """The images of a dataset that are looked at, and what is decided about them.

    Attributes
    ----------
    request
        What was asked for.
    candidates
        The images, in order.
    digests
        The SHA-256 of each file as it was published.
    decided
        What was decided about each image's bytes as they were last read, by its path.
    """

    request: ReviewRequest
    candidates: tuple[_Candidate, ...]
    digests: Mapping[str, str]
    decided: dict[str, FaceVerdict] = field(default_factory=dict)
    _seen: dict[str, tuple[int, tuple[int, ...]]] = field(default_factory=dict)

    @classmethod
    def of(cls, request: ReviewRequest) -> Review:
        """Find what is to be looked at, and what was decided about it before.

        Raises
        ------
        StorageError
            If the private folder cannot be read.
        """
        settle_dataset(request.dataset)
        private = PrivateContent.read(request.private, request.dataset)
        content = list_content(request.dataset)
        candidates = tuple(
            candidate
            for session in content.sessions
            for candidate in _candidates(request, session, private)
        )
        review = cls(request=request, candidates=candidates, digests=private.digests)
        for candidate in candidates:
            review._remember(candidate.path, private.decisions)
        return review

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Whether what was decided before may be elsewhere."""
        return check_private(self.request.dataset, self.request.private)

    @property
    def items(self) -> Sequence[ReviewItem]:
        """The images, with what is decided now."""
        return [
            ReviewItem(path=one.path, decision=self.decided.get(one.path))
            for one in self.candidates
        ]

    def show(self, number: int) -> ShownImage:
        """Return an image as it is shown: as it was drawn when it was made, or as it is now."""
        candidate = self.candidates[number]
        path, outcome = candidate.path, candidate.outcome
        try:
            # What is written after this is another state than that which is remembered.
            state = file_state(self.request.dataset / path)
            digest = sha256(self.request.dataset / path)
            self._seen[digest] = (self.request.dataset / path).stat().st_size, state
        except OSError:
            return ShownImage(path=path, sha256="", problem="it cannot be read")
        verdict = FaceDecisions.read(self.request.private).verdict_of_bytes(digest)
        self._note(path, verdict)
        published = self.digests.get(path) == digest
        about = _about(self.request.dataset, path, outcome)
        pictures: Mapping[str, bytes] = {}
        if outcome and published:
            pictures = {n: p.read_bytes() for n, p in outcome.pictures.items() if p.is_file()}
        elif outcome:
            about = f"{about} {_CHANGED}"
        if not pictures:
            try:
                pictures = draw_as_it_is(self.request.dataset / path)
            except (UnreadableImageError, OSError) as error:
                return ShownImage(path=path, sha256=digest, problem=why_not_drawn(error))
        return ShownImage(
            path=path,
            sha256=digest,
            about=about,
            figures=outcome.figures if outcome and published else {},
            pictures=pictures,
        )

    def decide(self, number: int, sha256: str, verdict: FaceVerdict | None) -> None:
        """Keep what was decided about an image's bytes, or take it back."""
        path, private = self.candidates[number].path, self.request.private
        if verdict is None:
            withdraw_decision(private, path, sha256)
        else:
            size, state = self._seen[sha256]
            decision = FaceDecision(
                image=path, sha256=sha256, size=size, verdict=verdict, when=now(), state=state
            )
            record_decision(private, decision)
        self._note(path, verdict)

    def _note(self, path: str, verdict: FaceVerdict | None) -> None:
        if verdict is None:
            self.decided.pop(path, None)
        else:
            self.decided[path] = verdict

    def _remember(self, path: str, decisions: FaceDecisions) -> None:
        try:
            self._note(path, decisions.listed_verdict(self.request.dataset, path))
        except OSError:
            self._note(path, None)


def serve_review(review: Review, *, tell: Callable[[str], None]) -> None:
    """Serve the page until the person is done, or interrupts.

    Parameters
    ----------
    review
        What is looked at.
    tell
        Called with the page's address once it can be opened.

    Raises
    ------
    ConflictError
        If the port is taken.
    """
    site = ReviewSite(review.request.dataset.name, review)
    try:
        server = LocalServer(site, port=review.request.port)
    except OSError as error:
        raise ConflictError(
            "the page cannot be served: the port is taken, or may not be used",
            cure="choose another with --port, or leave it out",
        ) from error
    with server:
        tell(server.url)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return


def _candidates(
    request: ReviewRequest, session: SessionContent, private: PrivateContent
) -> list[_Candidate]:
    """Return the images of a session that show a face, or had one removed."""
    record = private.published_run(Workspace(private=request.private, name=session.name))
    outcomes = {one.path: one for one in record.defaced} if record else {}
    found = []
    for path in session.images:
        outcome = outcomes.get(path)
        if outcome is None and _of_a_face(request.dataset, path):
            found.append(_Candidate(path=path, outcome=None))
        elif outcome and outcome.verdict is not DefaceVerdict.NOT_NEEDED:
            found.append(_Candidate(path=path, outcome=outcome))
    return found


def _of_a_face(dataset: Path, path: str) -> bool:
    def nifti() -> Nifti | None:
        try:
            return read_header(dataset / path)
        except (UnreadableImageError, OSError):
            return None

    return of_a_face(parse_name(path), nifti)


def _about(dataset: Path, path: str, outcome: DefaceOutcome | None) -> str:
    if outcome is None:
        return sentence(CLAIMS[face_claim(sidecar_of(dataset, path)[0])])
    reason = f" {sentence(outcome.reason)}" if outcome.reason else ""
    return f"{sentence(VERDICTS[outcome.verdict])}{reason}"


def review_summary(review: Review) -> dict[str, Any]:
    """Return the summary of ``review``."""
    items = review.items
    counts = Counter(item.decision for item in items)
    return {
        **heading("review", "reviewed"),
        "exit_code": 0,
        "dataset": str(review.request.dataset),
        "private": str(review.request.private),
        "images": [
            {"path": item.path, "decision": item.decision.value if item.decision else None}
            for item in items
        ],
        "counts": {
            "accepted": counts[FaceVerdict.ACCEPTED],
            "rejected": counts[FaceVerdict.REJECTED],
            "undecided": counts[None],
        },
    }
