"""One session, from identified DICOM to its place in the dataset: the stages in a row.

Each stage's findings pass its gate before the next stage begins. Nothing is written outside the
private folder until all have passed; the last step puts everything into the dataset at once.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bidsanon.audit import MAP_NAME, FaceDecisions, write_deident_map
from bidsanon.convert import (
    Fidelity,
    check_fidelity,
    convert_session,
    find_uncompared,
    ready_worker,
)
from bidsanon.deface import LooksAhead, deface_session, withhold_failed, withhold_rejected
from bidsanon.deidentify import Replacements, deidentify_session, map_entries
from bidsanon.dicom.confidentiality import Action
from bidsanon.errors import GateRefusedError
from bidsanon.external import RunningProgram
from bidsanon.files import make_private_folder, storage_errors
from bidsanon.findings import Finding, Gate, errors, finding
from bidsanon.identity import IdentifyingValue
from bidsanon.ocr import text_reader
from bidsanon.pipeline.candidate import complete_candidate, participant_of
from bidsanon.pipeline.events import write_events
from bidsanon.pipeline.gates import GateLog
from bidsanon.pipeline.labels import label_findings, reason_findings
from bidsanon.pipeline.originals import original_names, plan_person, withhold_incomplete
from bidsanon.pipeline.provenance import published_before, published_series
from bidsanon.pipeline.record import journal_entry, record_run
from bidsanon.pipeline.request import ConvertRequest, Policy, load_policy, require_replaceable
from bidsanon.pipeline.room import require_room
from bidsanon.pipeline.run import Run
from bidsanon.pipeline.studies import choose_study
from bidsanon.pipeline.subjects import with_subject
from bidsanon.pipeline.workspace import (
    Workspace,
    claimed_workspace,
    nameless_workspace,
    require_writable,
)
from bidsanon.progress import Progress
from bidsanon.publish import (
    Publication,
    publish_session,
    publishing_folder,
    settle_dataset,
)
from bidsanon.redaction import Redactor
from bidsanon.scrub import scrub_session
from bidsanon.session import (
    ConvertedSession,
    DefacedSession,
    DeidentifiedSession,
    ScrubbedSession,
    SourceSession,
)
from bidsanon.source import read_source, write_quarantine
from bidsanon.validate import check_rejected, validate_dataset
from bidsanon.validate.description import check_description
from bidsanon.validate.privacy import check_privacy
from bidsanon.validate.residue import search_residue
from bidsanon.vault import PersonPlan, Vault
from bidsanon.workers import prepare_workers

SPACE_FACTOR = 5
"""Room that a run needs, in sizes of its source: the copies, their images twice, the result."""
_DESCRIPTIONS = (0x0008103E, 0x00181030)
"""SeriesDescription and ProtocolName: what of the headers' descriptions gets into sidecars."""


def convert(request: ConvertRequest, *, progress: Progress, redactor: Redactor) -> Run:
    """Take one session through all gates and publish it.

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
    Run
        What happened: published, or refused by the last of its gates. Either way its report and
        its journal entry are written.

    Raises
    ------
    BidsanonError
        If the run could not come as far as a gate's decision; nothing was published.
    """
    started = time.monotonic()
    prepare_workers(
        "bidsanon.deidentify.staging", "bidsanon.deface.stage", jobs=request.options.jobs
    )
    policy = load_policy(request)
    dataset = request.place.dataset
    require_writable(
        publishing_folder(dataset) if dataset.exists() else dataset.parent,
        words="the folder that is to hold DATASET, and beside it DATASET.private,",
        cure="choose another place for DATASET (--private places the private folder alone)",
    )
    with contextlib.ExitStack() as stack:
        source = None
        if not request.place.subject:
            nameless = nameless_workspace(request.private, words=request.private_words)
            source = _read(request, policy, stack.enter_context(nameless), progress)
            request = with_subject(request, source, preview=False)
        space = stack.enter_context(
            claimed_workspace(request.private, request.place.name, words=request.private_words)
        )
        settle_dataset(dataset)
        require_replaceable(request)
        source = choose_study(source or _read(request, policy, space, progress), request.study)
        require_room(source, request.private, factor=SPACE_FACTOR, result="the dataset")
        gates = GateLog(policy.profile.severities)
        run = Run(request=request, policy=policy, source=source, gates=gates)
        try:
            _take_through_gates(run, space, stack, progress=progress, redactor=redactor)
        except GateRefusedError as refusal:
            run.refusal = refusal
        run.seconds = time.monotonic() - started
        done = "" if run.refusal else " (the session is published)"
        with storage_errors(f"the report and the journal{done}"):
            record_run(run, space)
    return run


@contextlib.contextmanager
def _worker_loading_beside(
    request: ConvertRequest, space: Workspace
) -> Iterator[RunningProgram | None]:
    """Let heudiconv be loaded during de-identification, where there may be two processes."""
    if request.options.jobs == 1:
        yield None
        return
    with ready_worker(space.folder("worker")) as worker:
        yield worker


def _read(
    request: ConvertRequest, policy: Policy, space: Workspace, progress: Progress
) -> SourceSession:
    return read_source(
        request.sources,
        unpack_into=space.work / "source",
        modalities=policy.profile.modalities,
        progress=progress,
        reader=text_reader(threads=request.options.jobs),
    )


def _take_through_gates(
    run: Run,
    space: Workspace,
    stack: contextlib.ExitStack,
    *,
    progress: Progress,
    redactor: Redactor,
) -> None:
    request, gates = run.request, run.gates
    source, plan = _judge_source(run, space)
    run.uid_key = plan.uid_key
    worker = stack.enter_context(_worker_loading_beside(request, space))

    deidentified = run.deidentified = _deidentify(run, source, plan, space, progress)
    identity = (*deidentified.identity, *original_names(source))
    redactor.add(value.text for value in identity)
    labelled = label_findings(request.place, deidentified.identity)
    reasoned = reason_findings(request.deface.because, deidentified.identity)
    gates.judge(Gate.DEIDENTIFY, (*deidentified.findings, *labelled, *reasoned))

    defaced = _judge_images(run, deidentified, space, worker=worker, progress=progress)
    scrubbed, rejected = _scrub(run, defaced, plan, space)
    run.scrubbed = scrubbed
    events = write_events(scrubbed.root, run.policy.events)
    gates.judge(Gate.SCRUB, (*scrubbed.findings, *events))

    kept = complete_candidate(run, scrubbed)
    _judge_candidate(run, scrubbed.root, (*rejected, *kept), identity, progress)
    _publish(run, scrubbed, deidentified)
    gates.judge(Gate.PUBLISH, ())


def _deidentify(
    run: Run, source: SourceSession, plan: PersonPlan, space: Workspace, progress: Progress
) -> DeidentifiedSession:
    request = run.request
    with request.options.changed_values(
        request.private,
        command="convert",
        subject=request.place.subject,
        session=request.place.session,
    ) as changed:
        return deidentify_session(
            source,
            profile=run.policy.profile,
            plan=plan,
            folder=space.folder("dicom"),
            jobs=request.options.jobs,
            progress=progress,
            changed=changed,
        )


def _judge_images(
    run: Run,
    deidentified: DeidentifiedSession,
    space: Workspace,
    *,
    worker: RunningProgram | None,
    progress: Progress,
) -> DefacedSession:
    """Convert, compare and deface; the three gates speak in their order."""
    request, gates = run.request, run.gates
    pictures, jobs = make_private_folder(space.pictures), request.options.jobs
    with LooksAhead(options=request.deface, pictures=pictures, jobs=jobs) as ahead:
        fidelity, run.converted = _compare_and_convert(
            run, deidentified, space, ahead=ahead, worker=worker, progress=progress
        )
        gates.judge(Gate.FIDELITY, fidelity.findings)
        uncompared = find_uncompared(run.converted.images, fidelity)
        gates.judge(Gate.CONVERT, (*run.converted.findings, *uncompared))
        defaced = deface_session(
            run.converted,
            options=request.deface,
            pictures=pictures,
            jobs=jobs,
            progress=progress,
            ahead=ahead,
        )
    run.defaced = withhold_failed(defaced) if request.options.withhold else defaced
    gates.judge(Gate.DEFACE, run.defaced.findings)
    return run.defaced


def _judge_candidate(
    run: Run,
    root: Path,
    found: Iterable[Finding],
    identity: Iterable[IdentifyingValue],
    progress: Progress,
) -> None:
    """Check what would be published, with what was found when it was made."""
    with progress.step("validating"):
        people = check_privacy(root, faces=False)  # the gate before looked at them
        wanting = check_description(root)
        run.gates.judge(Gate.VALIDATE, (*validate_dataset(root), *found, *people, *wanting))
    with progress.step("searching for residue"):
        run.residue = search_residue(
            root,
            identity,
            allowed=_published_on_purpose(run),
            jobs=run.request.options.jobs,
        )
    run.gates.judge(Gate.RESIDUE, run.residue.findings)


def _publish(run: Run, scrubbed: ScrubbedSession, deidentified: DeidentifiedSession) -> None:
    """Put the session into the dataset; its label is the person's from then on."""
    request = run.request
    if request.options.deident_map:
        write_deident_map(request.private / MAP_NAME, map_entries(deidentified))

    def bind() -> None:
        with Vault.open(request.private, passphrase_file=request.options.passphrase_file) as vault:
            vault.bind_subject(run.source.person, request.place.subject)

    publication = Publication(
        place=request.place,
        folder=scrubbed.root / request.place.relative,
        participant=participant_of(scrubbed),
        tools=run.generated_by,
        series=published_series(run),
        private=request.private,
        journal_line=journal_entry(run).line,
        facts=run.policy.profile.dataset,
    )
    publish_session(publication, bind=bind, overwrite=request.options.overwrite)


def _compare_and_convert(
    run: Run,
    deidentified: DeidentifiedSession,
    space: Workspace,
    *,
    ahead: LooksAhead,
    worker: RunningProgram | None,
    progress: Progress,
) -> tuple[Fidelity, ConvertedSession]:
    """Convert while originals and copies are compared, and then while heads are looked at.

    None of them waits for what another one makes.
    """
    request = run.request

    def compare() -> Fidelity:
        compared = check_fidelity(
            deidentified,
            work=space.folder("fidelity"),
            jobs=request.options.jobs,
            progress=progress,
        )
        if not errors(compared.findings):
            ahead.begin()
        return compared

    with ThreadPoolExecutor(max_workers=1) as pool:
        fidelity = pool.submit(compare)
        converted = convert_session(
            deidentified,
            heuristic=run.policy.heuristic,
            known=run.policy.known,
            subject=request.place.subject,
            session=request.place.session,
            work=space.folder("heudiconv"),
            progress=progress,
            made=ahead.add,
            worker=worker,
        )
        return fidelity.result(), converted


def _scrub(
    run: Run, defaced: DefacedSession, plan: PersonPlan, space: Workspace
) -> tuple[ScrubbedSession, tuple[Finding, ...]]:
    """Scrub the session, and say what of it a person rejected; with --withhold scrub the rest.

    A decision is about an image as it would be published, and that is known after the scrubbing.
    """

    def scrub(session: DefacedSession, name: str) -> ScrubbedSession:
        return scrub_session(
            session,
            into=space.folder(name),
            device_pseudonym=Replacements(plan).device,
            clean=_sidecar_cleaning(run, plan),
            field_maps=run.request.field_maps,
        )

    decisions = FaceDecisions.read(run.request.private)
    whole = scrub(defaced, "candidate")
    rejected = check_rejected(whole.root, decisions)
    without = withhold_rejected(defaced, [found.location for found in rejected])
    if without == defaced or not run.request.options.withhold:
        return whole, rejected
    run.defaced = without
    rest = scrub(without, "rest")
    left_out = (finding("REJECTED_WITHHELD", location=found.location) for found in rejected)
    return rest, (*check_rejected(rest.root, decisions), *left_out)


def _sidecar_cleaning(run: Run, plan: PersonPlan) -> Callable[[str], str]:
    """Return what cleans texts in sidecars: nothing where the user keeps descriptions as they are.

    Those of the headers are clean; those that a heuristic or the lab adds need not be.
    """
    decisions = (run.policy.profile.decide(tag, sop_class_uid="", path=()) for tag in _DESCRIPTIONS)
    if run.deidentified is None or any(one.action is Action.KEEP for one in decisions):
        return str
    return Replacements(plan, known=run.deidentified.identity).descriptor


def _judge_source(run: Run, space: Workspace) -> tuple[SourceSession, PersonPlan]:
    if run.request.options.withhold:
        run.source = withhold_incomplete(run.source)
    source = run.source
    write_quarantine(source, space.quarantine)
    if errors(source.findings):
        run.gates.judge(Gate.SOURCE, source.findings)
    plan = _plan_person(source, run.request)
    before = published_before(source, run.request, uid_key=plan.uid_key)
    run.gates.judge(Gate.SOURCE, (*source.findings, *before))
    return source, plan


def _plan_person(source: SourceSession, request: ConvertRequest) -> PersonPlan:
    with Vault.open(request.private, passphrase_file=request.options.passphrase_file) as vault:
        return plan_person(source, vault, subject=request.place.subject)


def _published_on_purpose(run: Run) -> tuple[str, ...]:
    place = run.request.place
    return (*place.relative.parts, place.name)
