"""What ``deidentify`` would do: for ``--dry-run``. Nothing is written.

One instance of each series is de-identified into a temporary folder that only its owner can enter,
for what the series is called, and is gone afterwards.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from bidsanon.deidentify import deidentify_session
from bidsanon.errors import GateRefusedError
from bidsanon.findings import Finding, errors
from bidsanon.identity import merge_identity
from bidsanon.pipeline.deidentify_request import DeidentifyRequest
from bidsanon.pipeline.deidentify_source import (
    about_faces,
    eased,
    plan_persons,
    prepare,
    read,
    require_series,
    source_findings,
)
from bidsanon.pipeline.labels import judge_labels, out_name_findings
from bidsanon.pipeline.originals import withhold_incomplete
from bidsanon.pipeline.record import describe_series
from bidsanon.profile import Profile
from bidsanon.progress import Progress, Silent
from bidsanon.publish import require_place
from bidsanon.session import DeidentifiedSession, SourceSession
from bidsanon.source import split_by_person
from bidsanon.vault import PersonPlan, Vault


@dataclass(frozen=True, kw_only=True)
class DeidentifyPlan:
    """What would happen to a source.

    Attributes
    ----------
    request, profile
        What was asked for.
    source
        What was read; identified.
    persons
        How many persons there are images of.
    descriptions
        What each series is called, by its index, as it would be delivered.
    findings
        What the gates would say, as far as can be told without de-identifying all of it.
    """

    request: DeidentifyRequest
    profile: Profile
    source: SourceSession
    persons: int
    descriptions: Mapping[int, str]
    findings: tuple[Finding, ...]

    @property
    def exit_code(self) -> int:
        """0, or 4 where a gate would refuse."""
        return GateRefusedError.exit_code if errors(self.findings) else 0


def plan_deidentification(request: DeidentifyRequest, *, progress: Progress) -> DeidentifyPlan:
    """Find out what :func:`bidsanon.pipeline.deidentify.deidentify` would do, and write nothing.

    Raises
    ------
    BidsanonError
        Where ``deidentify`` would raise it before its first gate.
    """
    profile = prepare(request)
    require_place(request.delivery, overwrite=request.options.overwrite)
    with tempfile.TemporaryDirectory(prefix="bidsanon-") as name:
        scratch = Path(name)
        source = read(request, profile, unpack_into=scratch / "source", progress=progress)
        if request.options.withhold:
            source = withhold_incomplete(source)
        findings = source_findings(source, request, profile)
        if not errors(findings):
            require_series(source)
        parts = split_by_person(source)
        persons: tuple[DeidentifiedSession, ...] = ()
        if not errors(findings):
            with Vault.preview(
                request.private, passphrase_file=request.options.passphrase_file
            ) as vault:
                plans = plan_persons(parts, request, vault)
            persons = tuple(
                _sample(part, profile, plan, scratch / f"person-{number}")
                for number, (part, plan) in enumerate(zip(parts, plans, strict=True))
            )
        descriptions = {
            index: text for person in persons for index, text in describe_series(person).items()
        }
    identity = merge_identity(person.identity for person in persons)
    labels = {"subject": request.subject, "name": request.patient_name or ""}
    return DeidentifyPlan(
        request=request,
        profile=profile,
        source=source,
        persons=len(parts),
        descriptions=descriptions,
        findings=(
            *findings,
            *eased([one for person in persons for one in person.findings], request),
            *judge_labels(labels, identity),
            *out_name_findings(request.delivery, identity),
            *(about_faces(source, request) if persons else ()),
        ),
    )


def _sample(
    part: SourceSession, profile: Profile, plan: PersonPlan, folder: Path
) -> DeidentifiedSession:
    """De-identify the first instance of each series."""
    series = tuple(replace(one, instances=one.instances[:1]) for one in part.series)
    return deidentify_session(
        replace(part, series=series, quarantine=()),
        profile=profile,
        plan=plan,
        folder=folder,
        jobs=1,
        progress=Silent(),
        marked=True,
    )
