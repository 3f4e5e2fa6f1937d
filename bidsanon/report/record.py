"""What a session's page says: a plain record, which the pipeline fills.

Nothing in it identifies anybody, but for the pictures of heads before their defacing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from bidsanon.findings import Finding, Gate, GateResult, Severity
from bidsanon.session import (
    ConvertedImage,
    DefaceOutcome,
    PixelReading,
    QuarantinedFile,
    QuarantineReason,
    SkippedSeries,
    SourceSeries,
)


class GateState(StrEnum):
    """What became of a gate."""

    PASSED = "passed"
    """It found nothing that stops the session."""
    REFUSED = "refused"
    """It stopped the session."""
    NOT_REACHED = "not reached"
    """An earlier gate refused."""


class Outcome(StrEnum):
    """How the session ended."""

    PUBLISHED = "published"
    """It is in the dataset."""
    WITHHELD_SOME = "published in part"
    """It is in the dataset, without what was withheld."""
    REFUSED = "refused"
    """A gate stopped it, and the dataset is as it was."""
    UNFINISHED = "unfinished"
    """No gate refused it, and it was not published."""


@dataclass(frozen=True, kw_only=True)
class SeriesEntry:
    """One series of the source, and where it went.

    Attributes
    ----------
    index
        1, 2, ... in acquisition order.
    description
        As it would be published: cleaned.
    modality
        (0008,0060).
    files
        How many files it had.
    images
        Their names in the dataset.
    withheld
        Images that were left out because their face could not be removed.
    skipped
        Why the series was left out; empty where it was not.
    """

    index: int
    description: str
    modality: str
    files: int
    images: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()
    skipped: str = ""


@dataclass(frozen=True, kw_only=True)
class QuarantineEntry:
    """How many files went to quarantine for one reason."""

    reason: QuarantineReason
    count: int


@dataclass(frozen=True, kw_only=True)
class GateEntry:
    """One gate, and what it found."""

    gate: Gate
    state: GateState
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, kw_only=True)
class IgnoredEntry:
    """Identifying values that were not searched for.

    Attributes
    ----------
    kind
        What they are ("name", "date").
    reason
        Why they were not searched for.
    origin
        Where they stood: a tag or "file name".
    count
        How many they are.
    """

    kind: str
    reason: str
    origin: str
    count: int


@dataclass(frozen=True, kw_only=True)
class ResidueEntry:
    """What the residue search looked for.

    Attributes
    ----------
    searched
        Kind of value to how many of them.
    ignored
        What was not searched for.
    """

    searched: Mapping[str, int]
    ignored: tuple[IgnoredEntry, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RunReport:
    """What the page of any run says.

    Attributes
    ----------
    version
        Of bidsanon.
    when
        When the run ended.
    seconds
        How long it took.
    private
        Where the private folder is.
    profile, profile_digest, profile_lines
        The profile's name, the SHA-256 of what it decides, and what it does in a few sentences.
    gates
        All gates of the run in their order.
    series
        What came in, and what went where.
    quarantine
        How many files were left out, by reason.
    other_files
        How many files were no DICOM.
    pixels
        How the pixels were looked at for text; None where nobody looked.
    changes
        How many elements each action touched, by the action's code.
    residue
        What was searched for; None where the search was not reached.
    removed_keys
        How often each sidecar key was removed.
    tools
        Name to version.
    """

    version: str
    when: datetime
    private: Path
    profile: str
    gates: tuple[GateEntry, ...]
    seconds: float | None = None
    profile_digest: str = ""
    profile_lines: tuple[str, ...] = ()
    series: tuple[SeriesEntry, ...] = ()
    quarantine: tuple[QuarantineEntry, ...] = ()
    other_files: int = 0
    pixels: PixelReading | None = None
    changes: Mapping[str, int] = field(default_factory=dict)
    residue: ResidueEntry | None = None
    removed_keys: Mapping[str, int] = field(default_factory=dict)
    tools: Mapping[str, str] = field(default_factory=dict)

    @property
    def refused_by(self) -> GateEntry | None:
        """The gate that stopped the run."""
        return next((entry for entry in self.gates if entry.state is GateState.REFUSED), None)

    def findings(self, severity: Severity) -> tuple[Finding, ...]:
        """Return all gates' findings of one severity."""
        return tuple(
            found for entry in self.gates for found in entry.findings if found.severity is severity
        )


@dataclass(frozen=True, kw_only=True)
class SessionReport(RunReport):
    """All that the page of one session says.

    Attributes
    ----------
    dataset
        Where the dataset is.
    subject, session
        Labels without their prefix.
    heuristic, heuristic_digest
        The heuristic's name and the digest of its file.
    fidelity
        What the comparison of originals and copies covered, in sentences.
    defaced
        What was done about the face in each image.
    published
        The SHA-256 of each image as it was published; empty where the session was not.
    """

    dataset: Path
    subject: str
    heuristic: str
    session: str | None = None
    heuristic_digest: str = ""
    fidelity: tuple[str, ...] = ()
    defaced: tuple[DefaceOutcome, ...] = ()
    published: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The session as BIDS names it: "sub-01, ses-01"."""
        return f"sub-{self.subject}" + (f", ses-{self.session}" if self.session else "")

    @property
    def outcome(self) -> Outcome:
        """How the session ended."""
        if self.refused_by:
            return Outcome.REFUSED
        if any(entry.state is GateState.NOT_REACHED for entry in self.gates):
            return Outcome.UNFINISHED
        if any(entry.withheld for entry in self.series):
            return Outcome.WITHHELD_SOME
        return Outcome.PUBLISHED


def gate_entries(
    results: Iterable[GateResult], gates: Iterable[Gate] = tuple(Gate)
) -> tuple[GateEntry, ...]:
    """List gates in their order: what each said, and which were not reached.

    Parameters
    ----------
    results
        What the gates said, as far as the session came.
    gates
        The gates of the command.
    """
    said = {result.gate: result for result in results}
    return tuple(
        GateEntry(
            gate=gate,
            state=GateState.PASSED if said[gate].passed else GateState.REFUSED,
            findings=said[gate].findings,
        )
        if gate in said
        else GateEntry(gate=gate, state=GateState.NOT_REACHED)
        for gate in gates
    )


def quarantine_entries(files: Iterable[QuarantinedFile]) -> tuple[QuarantineEntry, ...]:
    """Count the files in quarantine by their reason, the commonest first."""
    counts = Counter(file.reason for file in files)
    return tuple(
        QuarantineEntry(reason=reason, count=count)
        for reason, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )


def series_entries(
    series: Iterable[SourceSeries],
    *,
    descriptions: Mapping[int, str],
    images: Sequence[ConvertedImage] = (),
    withheld: Sequence[str] = (),
    skipped: Iterable[SkippedSeries] = (),
) -> tuple[SeriesEntry, ...]:
    """Say of each series of the source where it went.

    Parameters
    ----------
    series
        What came in.
    descriptions
        Index to cleaned description.
    images
        What the conversion made.
    withheld
        The images among them that are not published.
    skipped
        The series that the heuristic left out.
    """
    left_out = set(withheld)
    reasons = {entry.series_index: entry.reason for entry in skipped}
    paths: dict[int, list[str]] = {}
    for image in images:
        paths.setdefault(image.series_index, []).append(image.path)
    return tuple(
        SeriesEntry(
            index=one.index,
            description=descriptions.get(one.index, ""),
            modality=one.modality,
            files=len(one.instances),
            images=tuple(p for p in paths.get(one.index, ()) if p not in left_out),
            withheld=tuple(p for p in paths.get(one.index, ()) if p in left_out),
            skipped=reasons.get(one.index, ""),
        )
        for one in series
    )
