"""What ``deidentify`` and its ``--dry-run`` have in common: profile, source, findings, plans."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from bidsanon.deface.options import NONE
from bidsanon.dicom.confidentiality import Option
from bidsanon.errors import SourceError
from bidsanon.external import DCM2NIIX, require_program
from bidsanon.findings import Finding, Severity, finding
from bidsanon.ocr import text_reader
from bidsanon.pipeline.deidentify_request import (
    DOCUMENTS,
    SHOWING_FACES,
    DeidentifyRequest,
    OutputFormat,
)
from bidsanon.pipeline.originals import anchor_date, plan_person
from bidsanon.profile import Profile
from bidsanon.progress import Progress
from bidsanon.session import SourceSession
from bidsanon.source import read_source, split_by_person
from bidsanon.vault import PersonPlan, Vault

_EASED = frozenset(
    {
        *("TRUNCATED_FILES", "UNREADABLE_FILES", "DUPLICATE_INSTANCES"),
        "INSTANCE_NOT_UNDERSTOOD",
    }
)
"""What a file in quarantine says is no reason to hold the others back, where each stays a file."""
_OF_ONE_SESSION = frozenset({"SEVERAL_DAYS"})


def prepare(request: DeidentifyRequest) -> Profile:
    """Load the profile, and make sure that the programs are there.

    Raises
    ------
    PolicyError
        If the profile is invalid.
    UsageError
        If it cannot be amended as the run asks.
    MissingToolError
        If NIfTI or defacing is asked for and dcm2niix is not installed.
    """
    if request.output is OutputFormat.NIFTI or (
        request.deface is not None and request.deface.engine != NONE
    ):
        require_program(DCM2NIIX)
    return request.options.load_profile()


def read(
    request: DeidentifyRequest, profile: Profile, *, unpack_into: Path, progress: Progress
) -> SourceSession:
    """Read the source; what the profile can clean besides images stays with them.

    Raises
    ------
    BidsanonError
        As :func:`bidsanon.source.read_source` does.
    """
    as_dicom = request.output is OutputFormat.DICOM
    return read_source(
        request.sources,
        unpack_into=unpack_into,
        modalities=profile.modalities,
        progress=progress,
        reader=text_reader(threads=request.options.jobs),
        structured_content=as_dicom and Option.CLEAN_STRUCTURED_CONTENT in profile.options,
        graphics=as_dicom and Option.CLEAN_GRAPHICS in profile.options,
    )


def require_series(source: SourceSession) -> None:
    """Refuse a source of which all is in quarantine.

    Raises
    ------
    SourceError
        Saying how many files went there, and why.
    """
    if not source.series:
        counts = Counter(file.reason.value for file in source.quarantine)
        reasons = ", ".join(f"{reason} ({count})" for reason, count in sorted(counts.items()))
        raise SourceError(
            f"nothing is left, all of the source goes to quarantine: {reasons}",
            cure="`bidsanon profile show` says which modalities the profile lets through, and "
            "--modality lets another through",
        )


def source_findings(
    source: SourceSession, request: DeidentifyRequest, profile: Profile
) -> tuple[Finding, ...]:
    """Return what the source gate says where several persons may be, each with their own plan.

    Several may not be where all would get the same ID or name: from the user or from the profile.
    """
    one_person = request.one_person or profile.names_everybody_alike
    findings = []
    for found in eased(source.findings, request):
        if found.code in {"SEVERAL_PERSONS", "PERSONS_UNCLEAR"} and not one_person:
            count = len(split_by_person(source))
            findings.append(finding("PERSONS_APART", count=count))
        elif found.code not in _OF_ONE_SESSION:
            findings.append(found)
    return tuple(findings)


def eased(findings: Iterable[Finding], request: DeidentifyRequest) -> list[Finding]:
    """Let a damaged file be no reason to hold the others back, where DICOM is delivered."""
    if request.output is not OutputFormat.DICOM:
        return list(findings)
    return [
        replace(found, severity=Severity.WARNING) if found.code in _EASED else found
        for found in findings
    ]


def about_faces(source: SourceSession, request: DeidentifyRequest) -> list[Finding]:
    """Say that faces are still in the images: where nobody asked, and where nobody can look.

    With ``--modality`` there may be images of a kind in which no face is looked for.
    """
    modalities = [series.modality for series in source.series]
    if request.deface:
        count = sum(one not in SHOWING_FACES | DOCUMENTS for one in modalities)
    else:
        count = sum(one in SHOWING_FACES for one in modalities)
    return [finding("FACES_NOT_REMOVED", count=count)] if count else []


def plan_persons(
    parts: tuple[SourceSession, ...], request: DeidentifyRequest, vault: Vault
) -> tuple[PersonPlan, ...]:
    """Return the plan of each person, with the name that the user gave."""
    plans = (
        plan_person(
            part, vault, subject=_assigned(part, vault) if request.assign else request.subject
        )
        for part in parts
    )
    return tuple(
        plan if request.patient_name is None else replace(plan, patient_name=request.patient_name)
        for plan in plans
    )


def _assigned(part: SourceSession, vault: Vault) -> str:
    return vault.assign_subject(
        part.person, anchor_date=anchor_date(part), instance_uid=part.instance_uid
    )
