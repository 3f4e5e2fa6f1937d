"""One thing that a check says: the record that all gates share, and the codes there are.

The codes live in ``data/findings.tsv`` (code, gate, severity, meaning, cure). ``meaning`` and
``cure`` are templates: ``{name}`` is filled from the keywords given to :func:`finding`.

A lab may give a code another severity (:func:`weighed`), but for errors that are no matter of
policy (:attr:`FindingCode.fixed`).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from importlib.resources import files


class Severity(StrEnum):
    """How much a finding weighs."""

    ERROR = "error"
    """Nothing is published while it stands."""
    WARNING = "warning"
    """Published, and a person should look at it."""
    INFO = "info"
    """Worth knowing."""


class Gate(StrEnum):
    """The checks that must pass before publishing, in their order."""

    SOURCE = "source"
    """One person, readable, and only images for conversion."""
    DEIDENTIFY = "deidentify"
    """The whole of PS3.15 Table E.1-1 with the profile's options."""
    FIDELITY = "fidelity"
    """What dcm2niix says of originals and de-identified copies agrees."""
    CONVERT = "convert"
    """Every selected series came out under a valid BIDS name."""
    DEFACE = "deface"
    """Every image that shows a face was defaced and passed its self-check."""
    SCRUB = "scrub"
    """Sidecars, headers and tables hold what is allowed and nothing else."""
    VALIDATE = "validate"
    """JSON Schemas, the official validator and pybids agree with the dataset."""
    RESIDUE = "residue"
    """No identifying value of the source is in what is to be published."""
    PUBLISH = "publish"
    """The session reached the dataset in one step."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that a check says.

    Attributes
    ----------
    code
        A row of ``data/findings.tsv``.
    gate
        The gate that found it.
    severity
        How much it weighs.
    location
        Where: a path within the dataset, with a JSON pointer after ``#`` where it is a key, or
        "series 5". Never the name of an original file.
    message
        What was found, without any identifying value.
    cure
        What to do next.
    """

    code: str
    gate: Gate
    severity: Severity
    location: str
    message: str
    cure: str


_FIXED_OF_VALIDATE = frozenset(
    {
        # Names, numbers and keys: whoever gets the dataset knows who is who.
        *("PRIVACY_IDENTIFYING_KEY", "PRIVACY_IDENTIFYING_COLUMN", "PRIVACY_BIRTH_DATE"),
        *("PRIVACY_MAPPING", "PRIVACY_KEY_FILE"),
        # Nobody knows what is in it.
        *("PRIVACY_NOT_READ", "FILE_UNREADABLE", "ORIGINALS_IN_PART"),
        # A person looked and said no.
        "FACE_REJECTED",
    }
)


@dataclass(frozen=True, kw_only=True)
class FindingCode:
    """One row of the table of codes."""

    code: str
    gate: Gate
    severity: Severity
    meaning: str
    cure: str

    @property
    def fixed(self) -> bool:
        """Whether it is an error whatever a lab's configuration says.

        The errors of every gate but validate are: each stands between a person and the public,
        or between a session and the loss of what was measured. What validate says is mostly about
        form, or about what a lab may have reasons for (DICOM in its own sourcedata), but for what
        leads to a person for certain.
        """
        if self.severity is not Severity.ERROR:
            return False
        return self.gate is not Gate.VALIDATE or self.code in _FIXED_OF_VALIDATE


@cache
def finding_codes() -> dict[str, FindingCode]:
    """Read the table of codes, in its order."""
    table = files("bidsanon") / "data" / "findings.tsv"
    rows = csv.DictReader(table.read_text("utf-8").splitlines(), delimiter="\t")
    return {
        row["code"]: FindingCode(
            code=row["code"],
            gate=Gate(row["gate"]),
            severity=Severity(row["severity"]),
            meaning=row["meaning"],
            cure=row["cure"],
        )
        for row in rows
    }


def finding(code: str, *, location: str = "", **details: object) -> Finding:
    """Make a finding from its code.

    Parameters
    ----------
    code
        A code of ``data/findings.tsv``.
    location
        Where it was found.
    **details
        What fills the templates of the code's meaning and cure.

    Raises
    ------
    KeyError
        If the code, or a detail that its templates name, is missing.
    """
    row = finding_codes()[code]
    return Finding(
        code=code,
        gate=row.gate,
        severity=row.severity,
        location=location,
        message=row.meaning.format_map(details),
        cure=row.cure.format_map(details),
    )


def errors(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Pick the findings that stop a session."""
    return tuple(f for f in findings if f.severity is Severity.ERROR)


def weighed(findings: Iterable[Finding], severities: Mapping[str, Severity]) -> tuple[Finding, ...]:
    """Give findings the severities that a lab's configuration gives their codes."""
    return tuple(
        replace(one, severity=severities[one.code]) if one.code in severities else one
        for one in findings
    )


@dataclass(frozen=True, kw_only=True)
class GateResult:
    """What one gate said of one session.

    Attributes
    ----------
    gate
        Which one.
    findings
        All that it found, errors or not.
    """

    gate: Gate
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """Whether none of the findings stops the session."""
        return not errors(self.findings)
