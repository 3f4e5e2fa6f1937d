"""De-identified copies as DICOM: searched, and laid out as they are to be delivered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from bidsanon.dicom.confidentiality import Option
from bidsanon.dicom.uids import is_replacement_uid, is_valid_uid
from bidsanon.findings import Finding, Gate, finding
from bidsanon.identity import IdentifyingValue, ValueKind, merge_identity
from bidsanon.pipeline.deidentify_run import DeidentifyRun
from bidsanon.pipeline.originals import original_names
from bidsanon.profile import Profile
from bidsanon.progress import Progress
from bidsanon.publish import DICOMDIR, arrange, write_dicomdir
from bidsanon.session import QuarantineReason, SourceSession
from bidsanon.validate.residue_dicom import DicomSearch, search_dicom
from bidsanon.validate.residue_headers import DicomOutput
from bidsanon.validate.residue_needles import IgnoredValues
from bidsanon.validate.residue_rules import IgnoredBecause
from bidsanon.vault import PersonPlan


def make_dicom(
    run: DeidentifyRun, tree: Path, plans: tuple[PersonPlan, ...], progress: Progress
) -> None:
    """Search the copies, and lay them out by their new UIDs."""
    searched: list[IdentifyingValue] = []
    kept: list[IdentifyingValue] = []
    for person, plan in zip(run.persons, plans, strict=True):
        kinds = _kept_kinds(plan, run.profile)
        for value in person.identity:
            (kept if value.kind in kinds else searched).append(value)
    names = tuple(_searched_names(run.source, plans, run.profile))
    identity = merge_identity((searched, names))
    outputs = tuple(_outputs(run))
    allowed = {text for plan in plans for text in (plan.patient_id, plan.patient_name)}
    search = _search(run, outputs, identity, allowed, progress)
    ignored = (*search.residue.ignored, *_kept_values(kept))
    run.residue, run.pixel_bytes = replace(search.residue, ignored=ignored), search.pixel_bytes
    medium = any(f.reason is QuarantineReason.DICOMDIR for f in run.source.quarantine)
    files = [(output.path, uids) for output, uids in zip(outputs, search.uids, strict=True)]
    findings = list(search.residue.findings)
    run.files = len(files)
    if not findings:
        shared = arrange(files, tree, medium=medium)
        if shared:
            findings.append(finding("OUTPUT_NAMES_SHARED", count=shared))
        elif medium:
            findings += _make_directory(run, tree, identity, allowed, progress)
    run.gates.judge(Gate.RESIDUE, findings)


def _kept_kinds(plan: PersonPlan, profile: Profile) -> frozenset[ValueKind]:
    """Return the kinds of values that stay in a person's DICOM by decision of the profile."""
    kept = set()
    if profile.options & {Option.RETAIN_FULL_DATES, Option.RETAIN_MODIFIED_DATES}:
        kept.add(ValueKind.TIME)
    if Option.RETAIN_FULL_DATES in profile.options or not plan.shift_days:
        kept.add(ValueKind.DATE)
    return frozenset(kept)


def _kept_values(values: Iterable[IdentifyingValue]) -> tuple[IgnoredValues, ...]:
    """Say what was not searched for since the profile keeps it."""
    counts = Counter((value.kind, value.origin) for value in values)
    return tuple(
        IgnoredValues(kind=kind, reason=IgnoredBecause.PUBLISHED, origin=origin, count=count)
        for (kind, origin), count in sorted(counts.items())
    )


def _searched_names(
    source: SourceSession, plans: tuple[PersonPlan, ...], profile: Profile
) -> Iterator[IdentifyingValue]:
    """Yield the original names that are searched for: not UIDs that stay as they are."""
    keys = {plan.uid_key for plan in plans}
    for value in original_names(source):
        name = value.text.removesuffix(".dcm")
        stays = (
            is_valid_uid(name)
            if Option.RETAIN_UIDS in profile.options
            else any(is_replacement_uid(name, key=key) for key in keys)
        )
        if not stays:
            yield value


def _outputs(run: DeidentifyRun) -> Iterator[DicomOutput]:
    for person in run.persons:
        for series in person.series:
            place = f"series {series.source.index}"
            yield from (DicomOutput(path=file, place=place) for file in series.files)


def _search(
    run: DeidentifyRun,
    outputs: tuple[DicomOutput, ...],
    identity: tuple[IdentifyingValue, ...],
    allowed: set[str],
    progress: Progress,
) -> DicomSearch:
    with progress.step("searching for residue", total=len(outputs)) as step:
        return search_dicom(
            outputs,
            identity,
            profile=run.profile,
            allowed=sorted(allowed),
            jobs=run.request.options.jobs,
            advance=step.advance,
        )


def _make_directory(
    run: DeidentifyRun,
    tree: Path,
    identity: tuple[IdentifyingValue, ...],
    allowed: set[str],
    progress: Progress,
) -> list[Finding]:
    """Write a medium's directory, and search it as the files were searched."""
    names = {path.name for path in tree.rglob("*")}  # made of UIDs, and the same the next time
    unlisted = write_dicomdir(tree, [path for path in tree.rglob("*") if path.is_file()])
    directory = DicomOutput(path=tree / DICOMDIR, place=DICOMDIR)
    search = _search(run, (directory,), identity, allowed | names, progress)
    findings = list(search.residue.findings)
    if unlisted:
        findings.append(finding("DICOMDIR_IN_PART", location=DICOMDIR, count=unlisted))
    return findings
