"""A source de-identified into OUT: the stages in a row, each with its gate.

Nothing is written outside the private folder until all gates have passed; the last step puts
everything at OUT at once.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from bidsanon.audit import MAP_NAME, write_deident_map
from bidsanon.deface.options import NONE
from bidsanon.deidentify import deidentify_session, map_entries
from bidsanon.errors import GateRefusedError
from bidsanon.files import fresh_folder, storage_errors
from bidsanon.findings import Gate, finding
from bidsanon.identity import IdentifyingValue, merge_identity
from bidsanon.pipeline.deidentify_dicom import make_dicom
from bidsanon.pipeline.deidentify_record import record_deidentify_run
from bidsanon.pipeline.deidentify_request import DeidentifyRequest, OutputFormat
from bidsanon.pipeline.deidentify_run import DeidentifyRun
from bidsanon.pipeline.deidentify_source import (
    about_faces,
    eased,
    plan_persons,
    prepare,
    read,
    require_series,
    source_findings,
)
from bidsanon.pipeline.gates import GateLog
from bidsanon.pipeline.labels import judge_labels, out_name_findings, reason_findings
from bidsanon.pipeline.originals import original_names, withhold_incomplete
from bidsanon.pipeline.record import describe_series
from bidsanon.pipeline.room import require_room
from bidsanon.pipeline.workspace import Workspace, claimed_workspace, require_writable
from bidsanon.progress import Progress
from bidsanon.publish import deliver, delivery_lock, require_place, settle_delivery
from bidsanon.redaction import Redactor
from bidsanon.session import DeidentifiedSession, QuarantinedFile, QuarantineReason
from bidsanon.source import split_by_person, write_quarantine
from bidsanon.vault import PersonPlan, Vault
from bidsanon.workers import prepare_workers

_SPACE_FACTOR = {OutputFormat.DICOM: 2, OutputFormat.NIFTI: 4}
"""Room that a run needs, in sizes of its source: the copies, and what is made of them."""
_SPACE_FOR_FACES = 3
"""What defacing needs besides: the images, their defaced copies, and what proves them."""


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
    _judge_copies(run, identity)
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
        make_dicom(run, tree, plans, progress)
    _deliver(run, tree, progress)
    gates.judge(Gate.PUBLISH, ())


def _judge_source(run: DeidentifyRun, space: Workspace) -> None:
    request = run.request
    if request.options.withhold:
        run.source = withhold_incomplete(run.source)
    write_quarantine(run.source, space.quarantine)
    run.parts = split_by_person(run.source)
    run.gates.judge(Gate.SOURCE, source_findings(run.source, request, run.profile))
    require_series(run.source)


def _plan_persons(run: DeidentifyRun) -> tuple[PersonPlan, ...]:
    request = run.request
    with Vault.open(request.private, passphrase_file=request.options.passphrase_file) as vault:
        return plan_persons(run.parts, request, vault)


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


def _judge_copies(run: DeidentifyRun, identity: tuple[IdentifyingValue, ...]) -> None:
    """Judge what was found in the copies, and in what the user calls them by."""
    request = run.request
    labels = {"subject": request.subject, "name": request.patient_name or ""}
    found = [one for person in run.persons for one in person.findings]
    if not any(series.files for person in run.persons for series in person.series):
        count = sum(len(series.instances) for series in run.source.series)
        found.append(finding("NOTHING_DEIDENTIFIED", count=count))
    run.gates.judge(
        Gate.DEIDENTIFY,
        (
            *eased(found, request),
            *judge_labels(labels, identity),
            *out_name_findings(request.delivery, identity),
            *about_faces(run.source, request),
            *(reason_findings(request.deface.because, identity) if request.deface else ()),
        ),
    )


def _deliver(run: DeidentifyRun, tree: Path, progress: Progress) -> None:
    """Put what was made at OUT; a label is the person's from then on."""
    request = run.request
    with Vault.open(request.private, passphrase_file=request.options.passphrase_file) as vault:
        if request.subject:
            vault.bind_subject(run.parts[0].person, request.subject)
    with progress.step("delivering"), storage_errors("OUT"), delivery_lock(request.delivery):
        deliver(
            request.delivery, tree, overwrite=request.options.overwrite, jobs=request.options.jobs
        )


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
