"""What one run of ``deface`` knows so far: all that its table, its summary and its record need."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from bidsanon.errors import GateRefusedError
from bidsanon.pipeline.deface_content import DatasetContent
from bidsanon.pipeline.deface_request import DefaceRequest


class Verdict(StrEnum):
    """What became of one image, or what was seen of it."""

    DEFACED = "defaced"
    """The face was removed and the self-check passed."""
    NO_FACE = "no-face"
    """There is no face in the image: nothing to remove."""
    ALREADY_DEFACED = "already-defaced"
    """A head whose face somebody cut off before: nothing was removed."""
    NOT_NEEDED = "not-needed"
    """An image of this kind does not show a face."""
    KEPT = "kept"
    """Nothing was removed, for the reason that the user gave."""
    SHOWS_FACE = "shows-face"
    """It was only looked at, and there is a face in it."""
    FAILED = "failed"
    """Nobody knows, or the face could not be removed: it may show one."""


WITH_A_FACE = frozenset({Verdict.SHOWS_FACE, Verdict.FAILED})
"""What ends a run with exit code 4."""


@dataclass(frozen=True, kw_only=True)
class ImageResult:
    """What became of one image.

    Attributes
    ----------
    name
        What it is called: relative to the dataset, or as an absolute path.
    verdict
        How it ended.
    reason
        Why, in words.
    engine_version
        What removed the face, and which version; empty where nothing ran.
    figures
        The self-check's figures, by name.
    path
        Where it stands now; None where it was not written.
    pictures
        How many pictures were drawn.
    notes
        What else is worth knowing, in words.
    """

    name: str
    verdict: Verdict
    reason: str
    engine_version: str = ""
    figures: dict[str, float] = field(default_factory=dict)
    path: Path | None = None
    pictures: int = 0
    notes: tuple[str, ...] = ()


@dataclass(kw_only=True)
class DefaceRun:
    """One run of ``deface``, filled image by image.

    Attributes
    ----------
    request
        What was asked for.
    content
        What the dataset holds; None where images were given.
    results
        What became of each image, sorted by name once the run has ended.
    amended
        The sidecars of a copy that name what was left out no more.
    repository
        Whether images lie in a git repository: its history keeps what they were.
    refusal
        That some images could not be defaced; None otherwise.
    seconds
        How long it took.
    """

    request: DefaceRequest
    content: DatasetContent | None = None
    results: list[ImageResult] = field(default_factory=list)
    amended: tuple[str, ...] = ()
    repository: bool = False
    refusal: GateRefusedError | None = None
    seconds: float = 0.0

    @property
    def counts(self) -> Counter[Verdict]:
        """How many images ended how."""
        return Counter(result.verdict for result in self.results)

    @property
    def with_a_face(self) -> int:
        """How many images show a face, or may."""
        return sum(self.counts[verdict] for verdict in WITH_A_FACE)
