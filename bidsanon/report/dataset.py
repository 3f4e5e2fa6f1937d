"""What a dataset's page says: plain records, which the pipeline fills."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from bidsanon.audit import FaceVerdict
from bidsanon.bids.faces import FaceClaim
from bidsanon.findings import Finding, Gate, Severity
from bidsanon.report.images import ImageEntry
from bidsanon.report.record import GateEntry, GateState, Outcome, QuarantineEntry
from bidsanon.session import DefaceVerdict


@dataclass(frozen=True, kw_only=True)
class FindingGroup:
    """All findings of one code and severity.

    Attributes
    ----------
    code, gate, severity
        What they share.
    message, cure
        Those of the first.
    places
        Where each was found, and what it says there.
    """

    code: str
    gate: Gate
    severity: Severity
    message: str
    cure: str
    places: tuple[tuple[str, str], ...]

    @property
    def located(self) -> tuple[tuple[str, str], ...]:
        """The places that are said."""
        return tuple((place, message) for place, message in self.places if place)


def group_findings(findings: Iterable[Finding]) -> tuple[FindingGroup, ...]:
    """Put findings of one code together, the gravest first."""
    groups: dict[tuple[Severity, str], list[Finding]] = {}
    for found in findings:
        groups.setdefault((found.severity, found.code), []).append(found)
    ranks = list(Severity)
    ordered = sorted(groups.values(), key=lambda group: ranks.index(group[0].severity))
    return tuple(
        FindingGroup(
            code=group[0].code,
            gate=group[0].gate,
            severity=group[0].severity,
            message=group[0].message,
            cure=group[0].cure,
            places=tuple((found.location, found.message) for found in group),
        )
        for group in ordered
    )


@dataclass(frozen=True, kw_only=True)
class RunEntry:
    """One line of the journal.

    Attributes
    ----------
    when
        ISO 8601.
    command, outcome
        What was run, and how it ended.
    name
        The session; empty where it was the whole dataset.
    tools
        Name to version.
    """

    when: str
    command: str
    outcome: str
    name: str
    tools: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class FaceEntry:
    """An image that may show a face.

    Attributes
    ----------
    path
        Relative to the dataset.
    verdict
        How its defacing ended; None where there is no record.
    claim
        What its sidecar says of it, which proves nothing.
    decision
        What a person said of its bytes; None where nobody has.
    """

    path: str
    verdict: DefaceVerdict | None
    claim: FaceClaim
    decision: FaceVerdict | None


@dataclass(frozen=True, kw_only=True)
class SessionView:
    """What a session's page says of its files as they are now.

    Attributes
    ----------
    images
        In the order of their names.
    findings
        What validating says of its files.
    decisions
        What a person said of each image's bytes.
    heads
        The images whose head, after its defacing, a page outside the private folder may show.
    changed
        The images whose bytes are not those that were published.
    runs
        The journal's lines of it, the last first.
    index
        The name of the dataset's page.
    refused
        The name of the page of a later run that was refused; empty where there is none.
    """

    images: tuple[ImageEntry, ...]
    findings: tuple[Finding, ...] = ()
    decisions: Mapping[str, FaceVerdict] = field(default_factory=dict)
    heads: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()
    runs: tuple[RunEntry, ...] = ()
    index: str = ""
    refused: str = ""


@dataclass(frozen=True, kw_only=True)
class GateMark:
    """What one gate said of one session, in a table: without its findings, however many.

    Attributes
    ----------
    state
        What became of it.
    warnings
        How many it gave.
    """

    state: GateState
    warnings: int

    @classmethod
    def of(cls, entry: GateEntry) -> GateMark:
        """Return what a table says of a gate."""
        warnings = sum(found.severity is Severity.WARNING for found in entry.findings)
        return cls(state=entry.state, warnings=warnings)


@dataclass(frozen=True, kw_only=True)
class SessionRow:
    """One session in the dataset's tables.

    Attributes
    ----------
    label
        "sub-01, ses-02".
    page
        The name of its page.
    images, undrawn
        How many there are, and how many of them could not be drawn.
    kinds
        How many of each kind, in words.
    errors, warnings
        How many validating says of its files.
    outcome
        How its run ended; None where there is no record.
    gates
        What each gate said, in their order; empty where there is no record.
    refused
        The name of the page of a later run that was refused; empty where there is none.
    """

    label: str
    page: str
    images: int
    undrawn: int
    kinds: str
    errors: int
    warnings: int
    outcome: Outcome | None = None
    gates: tuple[GateMark, ...] = ()
    refused: str = ""


@dataclass(frozen=True, kw_only=True)
class DatasetReport:
    """All that a dataset's page says.

    Attributes
    ----------
    name
        As the dataset calls itself, or its folder's name.
    dataset
        Where it is.
    version
        Of bidsanon.
    when
        When it was looked at.
    subjects, files
        How many there are.
    size
        Of all files, in words.
    described
        What dataset_description.json says, by what it is called.
    findings
        What validating says.
    sessions
        In the order of their names.
    faces
        The images that may show a face.
    refused
        Sessions that are not in the dataset since a gate refused them, and their pages.
    participants
        What participants.tsv says of all together.
    quarantine
        How many files were left out, by reason.
    tools
        What the dataset says it was made by.
    runs
        The journal's lines, the last first.
    """

    name: str
    dataset: Path
    version: str
    when: datetime
    subjects: int
    files: int
    size: str
    described: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    sessions: tuple[SessionRow, ...] = ()
    faces: tuple[FaceEntry, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    participants: Mapping[str, str] = field(default_factory=dict)
    quarantine: tuple[QuarantineEntry, ...] = ()
    tools: Mapping[str, str] = field(default_factory=dict)
    runs: tuple[RunEntry, ...] = ()

    @property
    def groups(self) -> tuple[FindingGroup, ...]:
        """The findings by code, the gravest first."""
        return group_findings(self.findings)

    @property
    def errors(self) -> int:
        """How many findings are errors."""
        return sum(found.severity is Severity.ERROR for found in self.findings)

    @property
    def warnings(self) -> int:
        """How many findings are warnings."""
        return sum(found.severity is Severity.WARNING for found in self.findings)

    def decided(self, decision: FaceVerdict | None) -> int:
        """Return of how many images that was decided."""
        return sum(face.decision == decision for face in self.faces)
