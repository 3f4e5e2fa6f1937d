"""A dataset's checks in a row, whoever made it; nothing of it is changed.

The schemas, the official validator and pybids look at what it says. Where somebody says what must
not be in it, every name and byte of it is searched for that.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bidsanon.audit import FaceDecisions
from bidsanon.bids.sharing import hidden_part
from bidsanon.errors import GateRefusedError, UsageError
from bidsanon.findings import Finding, errors, weighed
from bidsanon.pipeline.existing import require_folder, require_private_there
from bidsanon.pipeline.labels import judge_labels
from bidsanon.pipeline.lost_private import check_private
from bidsanon.pipeline.openneuro import OpenNeuro, judge_for_openneuro
from bidsanon.pipeline.places import require_own_private_folder, require_sources
from bidsanon.pipeline.validate_identity import (
    Known,
    joined,
    known_of_private_folder,
    known_of_sources,
    published_labels,
)
from bidsanon.pipeline.validate_privacy import find_people
from bidsanon.profile import Profile, load_profile
from bidsanon.progress import Progress
from bidsanon.publish import private_beside, settle_dataset
from bidsanon.redaction import Redactor
from bidsanon.validate import DatasetChecks, check_dataset, check_rejected
from bidsanon.validate.description import check_description
from bidsanon.validate.openneuro_rules import openneuro_settings
from bidsanon.validate.residue import ResidueSearch, search_residue

_UNREADABLE = "FILE_UNREADABLE"


@dataclass(frozen=True, kw_only=True)
class ValidateRequest:
    """What is asked of a dataset.

    Attributes
    ----------
    dataset
        Its folder.
    against
        Sources whose persons must not be found in it: identified, never written to.
    vault
        Whether it is searched for what the private folder knows.
    private
        The identified side's folder.
    profile
        A name or a file: what counts as identifying, and the lab's own settings.
    openneuro
        Whether it is to be taken by OpenNeuro.
    passphrase_file
        Where the vault's passphrase is; None: in the environment, where there is one.
    jobs
        How many processes at once.
    hidden
        Whether what is hidden in it counts; not where it stays behind.
    """

    dataset: Path
    private: Path
    against: tuple[Path, ...] = ()
    vault: bool = False
    profile: str = "bids"
    openneuro: bool = False
    passphrase_file: Path | None = None
    jobs: int = 1
    hidden: bool = True


@dataclass(frozen=True, kw_only=True)
class Validation:
    """What the checks say of a dataset.

    Attributes
    ----------
    request
        What was asked for.
    findings
        Of all checks, in their order.
    residue
        What was searched for; None where nobody asked.
    openneuro
        What can be said of sharing it on OpenNeuro; None where nobody asked.
    """

    request: ValidateRequest
    findings: tuple[Finding, ...]
    residue: ResidueSearch | None = None
    openneuro: OpenNeuro | None = None

    @property
    def exit_code(self) -> int:
        """0, or 4 where one of the findings is an error."""
        return GateRefusedError.exit_code if errors(self.findings) else 0


def make_validate_request(
    dataset: Path,
    *,
    against: tuple[Path, ...] = (),
    vault: bool = False,
    private: Path | None = None,
    profile: str = "bids",
    openneuro: bool = False,
    passphrase_file: Path | None = None,
    jobs: int = 1,
    hidden: bool = True,
) -> ValidateRequest:
    """Check what the user asks for and return it as a record.

    Parameters
    ----------
    private
        None: ``DATASET.private`` beside the dataset.
    hidden
        Whether what is hidden in the dataset counts.

    Raises
    ------
    UsageError
        If it cannot be: a dataset that is no folder, a source within the dataset, a private folder
        that is named or asked and is not there.
    """
    require_folder(dataset)
    require_sources(against, {"the dataset": dataset})
    request = ValidateRequest(
        dataset=dataset,
        against=against,
        vault=vault,
        private=(private or private_beside(dataset.resolve())).absolute(),
        profile=profile,
        openneuro=openneuro,
        passphrase_file=passphrase_file,
        jobs=jobs,
        hidden=hidden,
    )
    require_own_private_folder(request.private)
    if private is not None and not vault:
        require_private_there(request.private)
    if vault and not request.private.is_dir():
        raise UsageError(
            "there is no private folder whose vault could be asked",
            cure="name it with --private; without it leave out --vault",
        )
    return request


def validate(request: ValidateRequest, *, progress: Progress, redactor: Redactor) -> Validation:
    """Check a dataset.

    Parameters
    ----------
    request
        What is asked for.
    progress
        What listens to the checks.
    redactor
        Learns what is identifying, for the log.

    Raises
    ------
    BidsanonError
        If a check could not be made.
    """
    profile = load_profile(request.profile)
    settle_dataset(request.dataset)
    known = _known(request, profile, progress, redactor)
    with progress.step("validating"):
        newest = openneuro_settings() if request.openneuro else None
        checks = check_dataset(request.dataset, newest=newest)
        findings = [
            found
            for found in checks.findings
            if request.hidden or found.code != _UNREADABLE or not hidden_part(found.location)
        ]
    with progress.step("looking for people"):
        people = find_people(
            request.dataset,
            private=request.private,
            vault=request.vault,
            passphrase_file=request.passphrase_file,
            hidden=request.hidden,
        )
    residue = _residue(request, known, progress) if known else None
    found = (
        *findings,
        *people,
        *check_rejected(request.dataset, FaceDecisions.read(request.private)),
        *check_description(request.dataset),
        *check_private(request.dataset, request.private),
        *(_known_findings(request, known) if known else ()),
        *(residue.findings if residue else ()),
    )
    openneuro = None
    if request.openneuro:
        openneuro = _openneuro(request, checks, found, residue, progress)
        less = openneuro.said
        found = (*(one for one in found if one.code not in less), *openneuro.findings)
    return Validation(
        request=request,
        findings=weighed(found, profile.severities),
        residue=residue,
        openneuro=openneuro,
    )


def _known(
    request: ValidateRequest, profile: Profile, progress: Progress, redactor: Redactor
) -> Known | None:
    """Return what must not be in the dataset; None where nobody says."""
    if not (request.against or request.vault):
        return None
    parts = []
    if request.against:
        parts.append(
            known_of_sources(request.against, profile=profile, jobs=request.jobs, progress=progress)
        )
    if request.vault:
        parts.append(
            known_of_private_folder(
                request.private,
                dataset=request.dataset,
                passphrase_file=request.passphrase_file,
                profile=profile,
                jobs=request.jobs,
                progress=progress,
            )
        )
    known = joined(parts)
    redactor.add(value.text for value in known.identity)
    return known


def _known_findings(request: ValidateRequest, known: Known) -> tuple[Finding, ...]:
    """Say what of the originals is unknown, and which labels lead back to a person."""
    labels = enumerate(published_labels(request.dataset), start=1)
    numbered = {f"{kind} number {n}": label for n, (kind, label) in labels}
    return (*known.findings, *judge_labels(numbered, known.identity))


def _residue(request: ValidateRequest, known: Known, progress: Progress) -> ResidueSearch:
    with progress.step("searching for residue"):
        return search_residue(
            request.dataset,
            known.identity,
            allowed=[label for _, label in published_labels(request.dataset)],
            jobs=request.jobs,
            lookups=known.lookups,
        )


def _openneuro(
    request: ValidateRequest,
    checks: DatasetChecks,
    found: tuple[Finding, ...],
    residue: ResidueSearch | None,
    progress: Progress,
) -> OpenNeuro:
    with progress.step("asking what OpenNeuro asks"):
        return judge_for_openneuro(
            request.dataset,
            private=request.private,
            checks=checks,
            findings=found,
            residue=residue,
            hidden=request.hidden,
        )
