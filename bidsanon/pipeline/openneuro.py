"""Whether OpenNeuro would take a dataset, and what is known of what it asks a person to affirm."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bidsanon.audit import MAP_NAME, VALUES_NAME, FaceDecisions
from bidsanon.bids.root_documents import DESCRIPTION
from bidsanon.bids.sharing import list_shared
from bidsanon.bids.sidecars import SidecarError, read_json_file
from bidsanon.findings import Finding
from bidsanon.publish import Ledger
from bidsanon.validate import DatasetChecks
from bidsanon.validate.openneuro import openneuro_checklist
from bidsanon.validate.openneuro_evidence import Affirmation, Evidence
from bidsanon.validate.openneuro_rules import RELEASE, check_openneuro_rules
from bidsanon.validate.residue import ResidueSearch
from bidsanon.vault import read_contents


@dataclass(frozen=True, kw_only=True)
class OpenNeuro:
    """What can be said of sharing a dataset on OpenNeuro.

    Attributes
    ----------
    taken
        Whether no check says that OpenNeuro would refuse it; None where nobody knows.
    affirmations
        What a person is asked to affirm, with what is known.
    findings
        What would be refused, is contradicted, or left to a person.
    schemas
        The versions of the standard's schema that the official validator went by.
    said
        The codes of other checks' findings that say less of the same.
    """

    taken: bool | None
    affirmations: tuple[Affirmation, ...]
    findings: tuple[Finding, ...]
    schemas: tuple[str, ...] = ()
    said: frozenset[str] = frozenset()


def judge_for_openneuro(
    dataset: Path,
    *,
    private: Path,
    checks: DatasetChecks,
    findings: Iterable[Finding],
    residue: ResidueSearch | None,
    hidden: bool = True,
) -> OpenNeuro:
    """Say whether OpenNeuro would take a dataset, and go through what it asks.

    Parameters
    ----------
    dataset
        Its folder.
    private
        Its private folder, which may be missing.
    checks
        What the schemas, the official validator and pybids say.
    findings
        What all checks found.
    residue
        What it was searched for; None where it was not.
    hidden
        Whether what is hidden in it is there when it is uploaded.

    Raises
    ------
    BidsanonError
        If a check could not be made, or the private folder cannot be read.
    """
    found = tuple(findings)
    shared = list_shared(dataset)
    if not hidden:
        shared = replace(shared, left_out=())
    description = _description(dataset)
    taking = check_openneuro_rules(dataset, description=description, shared=shared, checks=checks)
    evidence = Evidence(
        description=description,
        shared=shared,
        findings=found,
        residue=residue,
        private=private.is_dir(),
        vault=read_contents(private),
        identified=tuple(name for name in (MAP_NAME, VALUES_NAME) if (private / name).is_file()),
        decisions=FaceDecisions.read(private),
        published=_published(private, dataset),
    )
    checklist = openneuro_checklist(dataset, evidence)
    return OpenNeuro(
        taken=taking.taken,
        affirmations=checklist.affirmations,
        findings=(*taking.findings, *checklist.findings),
        schemas=tuple(report.schema for report in (checks.official, checks.newest) if report),
        said=taking.said,
    )


def openneuro_record(judged: OpenNeuro | None) -> dict[str, Any] | None:
    """Return it as JSON has it; None where nobody asked."""
    if judged is None:
        return None
    return {
        "taken": judged.taken,
        "release": RELEASE,
        "schemas": list(judged.schemas),
        "affirmations": [
            {
                "point": one.point.value,
                "asked": one.asked,
                "knowledge": one.knowledge.value,
                "statements": [
                    {"knowledge": statement.knowledge.value, "text": statement.text}
                    for statement in one.statements
                ],
            }
            for one in judged.affirmations
        ],
    }


def _description(dataset: Path) -> dict[str, Any] | None:
    """Return what dataset_description.json says; None where it cannot be read."""
    try:
        return read_json_file(dataset / DESCRIPTION)
    except (SidecarError, OSError):
        return None


def _published(private: Path, dataset: Path) -> dict[str, str]:
    """Return the digests of the files that ``convert`` published, of each session the latest."""
    ledger = Ledger.read(private, dataset)
    return {name: digest for one in ledger.additions for name, digest in one.files.items()}
