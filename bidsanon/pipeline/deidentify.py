"""A source de-identified into OUT: the stages in a row, each with its gate.

Nothing is written outside the private folder until all gates have passed; the last step puts
everything at OUT at once.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from bidsanon.audit import MAP_NAME, write_deident_map
from bidsanon.deface.options import NONE
from bidsanon.deidentify import deidentify_session, map_entries
from bidsanon.dicom.confidentiality import Option
from bidsanon.dicom.uids import is_replacement_uid, is_valid_uid
from bidsanon.errors import GateRefusedError, SourceError
from bidsanon.external import DCM2NIIX, require_program
from bidsanon.files import fresh_folder, storage_errors
from bidsanon.findings import Finding, Gate, Severity, finding
from bidsanon.identity import IdentifyingValue, ValueKind, merge_identity
from bidsanon.ocr import text_reader
from bidsanon.pipeline.deidentify_record import record_deidentify_run
from bidsanon.pipeline.deidentify_request import (
    DOCUMENTS,
    SHOWING_FACES,
    DeidentifyRequest,
    OutputFormat,
)
from bidsanon.pipeline.deidentify_run import DeidentifyRun
from bidsanon.pipeline.gates import GateLog
from bidsanon.pipeline.labels import judge_labels, out_name_findings, reason_findings
from bidsanon.pipeline.originals import anchor_date, original_names, withhold_incomplete
from bidsanon.pipeline.record import describe_series
from bidsanon.pipeline.room import require_room
from bidsanon.pipeline.workspace import Workspace, claimed_workspace, require_writable
from bidsanon.profile import Profile
from bidsanon.progress import Progress
from bidsanon.publish import (
    DICOMDIR,
    arrange,
    deliver,
    delivery_lock,
    require_place,
    settle_delivery,
    write_dicomdir,
)
from bidsanon.redaction import Redactor
from bidsanon.session import DeidentifiedSession, QuarantinedFile, QuarantineReason, SourceSession
from bidsanon.source import read_source, split_by_person, write_quarantine
from bidsanon.validate.residue_dicom import DicomSearch, search_dicom
from bidsanon.validate.residue_forms import IgnoredBecause
from bidsanon.validate.residue_headers import DicomOutput
from bidsanon.validate.residue_needles import IgnoredValues
from bidsanon.vault import PersonPlan, Vault
from bidsanon.workers import prepare_workers

_SPACE_FACTOR = {OutputFormat.DICOM: 2, OutputFormat.NIFTI: 4}
"""Room that a run needs, in sizes of its source: the copies, and what is made of them."""
_SPACE_FOR_FACES = 3
"""What defacing needs besides: the images, their defaced copies, and what proves them."""
_EASED = frozenset(
    {
        *("TRUNCATED_FILES", "UNREADABLE_FILES", "DUPLICATE_INSTANCES"),
        "INSTANCE_NOT_UNDERSTOOD",
    }
)
"""What a file in quarantine says is no reason to hold the others back, where each stays a file."""
_OF_ONE_SESSION = frozenset({"SEVERAL_DAYS"})


def deidentify(
    request: DeidentifyRequest, *, progress: Progress, redactor: Redactor
) -> DeidentifyRun:
    """De-identify a source and put the result at OUT.

    Parameters
    ----------
    request
        What the user asks for.
    progress
        What listens to the stages.
    redactor
        Learns what is identifying, for the log.

    Returns
    -------
    DeidentifyRun
        What happened: delivered, or refused by the last of its gates. Either way its report and
        its journal entry are written.

    Raises
    ------
    BidsanonError
        If the run could not come as far as a gate's decision; nothing was delivered.
    """
    started = time.monotonic()
    prepare_workers(*_work(request), jobs=request.options.jobs)
    profile = prepare(request)
    require_writable(
        request.delivery.out.parent,
        words="the folder that is to hold OUT, and beside it OUT.private,",
        cure="choose another place for OUT (--private places the private folder alone)",
    )
    with claimed_workspace(
        request.private,
        request.name,
        words=request.private_words,
        doing="de-identifying into this OUT",
    ) as space:
        _settle(request)
        require_place(request.delivery, overwrite=request.options.overwrite)
        source = read(request, profile, unpack_into=space.work / "source", progress=progress)
        factor = _SPACE_FACTOR[request.output] + (_SPACE_FOR_FACES if request.deface else 0)
        require_room(source, request.private, factor=factor, result="OUT")
        gates = GateLog(profile.severities)
        run = DeidentifyRun(request=request, profile=profile, source=source, gates=gates)
        try:
            _take_through_gates(run, space, progress=progress, redactor=redactor)
        except GateRefusedError as refusal:
            run.refusal = refusal
        run.seconds = time.monotonic() - started
        done = "" if run.refusal else " (OUT is complete)"
        with storage_errors(f"the report and the journal{done}"):
            record_deidentify_run(run, space)
    return run


def _work(request: DeidentifyRequest) -> tuple[str, ...]:
    """Return the names of the modules that workers work with."""
    always = "bidsanon.deidentify.staging", "bidsanon.validate.residue_dicom"
    if request.deface is None or request.deface.engine == NONE:
        return always
    return *always, "bidsanon.deface.stage", "bidsanon.pipeline.deidentify_write_back"


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


def _settle(request: DeidentifyRequest) -> None:
    if request.delivery.change.exists():
        with storage_errors("OUT"), delivery_lock(request.delivery):
            settle_delivery(request.delivery)


def _take_through_gates(
    run: DeidentifyRun, space: Workspace, *, progress: Progress, redactor: Redactor
) -> None:
    request, gates = run.request, run.gates
    _judge_source(run, space)
    plans = _plan_persons(run)
    with storage_errors("the private folder"):
        _deidentify_persons(run, space, plans, progress)
    identity = merge_identity(
        (*(person.identity for person in run.persons), original_names(run.source))
    )
    redactor.add(value.text for value in identity)
    _quarantine_lost(run, space)
    labels = {"subject": request.subject, "name": request.patient_name or ""}
    found = [one for person in run.persons for one in person.findings]
    if not any(series.files for person in run.persons for series in person.series):
        count = sum(len(series.instances) for series in run.source.series)
        found.append(finding("NOTHING_DEIDENTIFIED", count=count))
    gates.judge(
        Gate.DEIDENTIFY,
        (
            *eased(found, request),
            *judge_labels(labels, identity),
            *out_name_findings(request.delivery, identity),
            *about_faces(run.source, request),
            *(reason_findings(request.deface.because, identity) if request.deface else ()),
        ),
    )
    run.descriptions = {
        index: text for person in run.persons for index, text in describe_series(person).items()
    }
    if request.deface:
        # Imported here: what works with images takes longer to import than some runs take.
        from bidsanon.pipeline.deidentify_faces import remove_faces  # noqa: PLC0415

        gates.judge(Gate.DEFACE, remove_faces(run, space, progress=progress))
    tree = fresh_folder(space.work / "out")
    if request.output is OutputFormat.NIFTI:
        from bidsanon.pipeline.deidentify_images import make_images  # noqa: PLC0415 (as above)

        make_images(run, space, tree, identity=identity, plans=plans, progress=progress)
    else:
        _make_dicom(run, tree, plans, progress)
    with Vault.open(request.private, passphrase_file=request.options.passphrase_file) as vault:
        if request.subject:
            vault.bind_subject(run.parts[0].person, request.subject)
    with progress.step("delivering"), storage_errors("OUT"), delivery_lock(request.delivery):
        deliver(
            request.delivery, tree, overwrite=request.options.overwrite, jobs=request.options.jobs
        )
    gates.judge(Gate.PUBLISH, ())


def _judge_source(run: DeidentifyRun, space: Workspace) -> None:
    request = run.request
    if request.options.withhold:
        run.source = withhold_incomplete(run.source)
    write_quarantine(run.source, space.quarantine)
    run.parts = split_by_person(run.source)
    run.gates.judge(Gate.SOURCE, source_findings(run.source, request, run.profile))
    require_series(run.source)


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


def _plan_persons(run: DeidentifyRun) -> tuple[PersonPlan, ...]:
    request = run.request
    with Vault.open(request.private, passphrase_file=request.options.passphrase_file) as vault:
        return plan_persons(run.parts, request, vault)


def plan_persons(
    parts: tuple[SourceSession, ...], request: DeidentifyRequest, vault: Vault
) -> tuple[PersonPlan, ...]:
    """Return the plan of each person, with the name that the user gave."""
    plans = (
        vault.person_plan(
            part.person,
            subject=_assigned(part, vault) if request.assign else request.subject,
            anchor_date=anchor_date(part),
            instance_uid=part.instance_uid,
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


def _deidentify_persons(
    run: DeidentifyRun, space: Workspace, plans: tuple[PersonPlan, ...], progress: Progress
) -> None:
    request = run.request
    with request.options.changed_values(
        request.private, command="deidentify", subject=request.subject, session=None
    ) as changed:
        run.persons = tuple(
            deidentify_session(
                part,
                profile=run.profile,
                plan=plan,
                folder=space.folder("dicom") / f"person-{number:04d}",
                jobs=request.options.jobs,
                progress=progress,
                marked=True,
                changed=changed,
            )
            for number, (part, plan) in enumerate(zip(run.parts, plans, strict=True), start=1)
        )
    if request.options.deident_map:
        entries = [entry for person in run.persons for entry in map_entries(person)]
        write_deident_map(request.private / MAP_NAME, entries)


def _quarantine_lost(run: DeidentifyRun, space: Workspace) -> None:
    """Put what was read and could not be de-identified into quarantine with the rest."""
    lost = [file for person in run.persons for file in _lost(person)]
    if lost:
        run.source = replace(run.source, quarantine=(*run.source.quarantine, *lost))
        write_quarantine(run.source, space.quarantine)


def _lost(person: DeidentifiedSession) -> Iterator[QuarantinedFile]:
    for series in person.series:
        # A copy is called by its place among the originals.
        made = {int(file.stem) for file in series.files}
        for number, instance in enumerate(series.source.instances, start=1):
            if number not in made:
                yield QuarantinedFile(
                    path=instance.path,
                    reason=QuarantineReason.UNREADABLE,
                    series_index=series.source.index,
                )


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


def kept_kinds(plan: PersonPlan, profile: Profile) -> frozenset[ValueKind]:
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


def _make_dicom(
    run: DeidentifyRun, tree: Path, plans: tuple[PersonPlan, ...], progress: Progress
) -> None:
    """Search the copies, and lay them out by their new UIDs."""
    searched: list[IdentifyingValue] = []
    kept: list[IdentifyingValue] = []
    for person, plan in zip(run.persons, plans, strict=True):
        kinds = kept_kinds(plan, run.profile)
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


def _outputs(run: DeidentifyRun) -> Iterator[DicomOutput]:
    for person in run.persons:
        for series in person.series:
            place = f"series {series.source.index}"
            yield from (DicomOutput(path=file, place=place) for file in series.files)
