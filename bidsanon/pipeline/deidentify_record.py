"""What is kept of a de-identification in the private folder: its page and the journal's entry."""

from __future__ import annotations

from datetime import UTC, datetime

from bidsanon import __version__
from bidsanon.audit import Journal, JournalEntry, Outcome, count_findings, now
from bidsanon.files import make_private_folder
from bidsanon.findings import Gate
from bidsanon.notes import notes_by_place
from bidsanon.pipeline.deidentify_request import DeidentifyRequest, OutputFormat
from bidsanon.pipeline.deidentify_run import DeidentifyRun
from bidsanon.pipeline.record import residue_entry
from bidsanon.pipeline.workspace import Workspace
from bidsanon.report import (
    DeliveryReport,
    SeriesEntry,
    gate_entries,
    quarantine_entries,
    write_delivery_report,
)
from bidsanon.session import DefaceVerdict, QuarantineReason

_LEFT_OUT = "left out: its face could not be removed for certain"

GATES = {
    OutputFormat.DICOM: (Gate.SOURCE, Gate.DEIDENTIFY, Gate.RESIDUE, Gate.PUBLISH),
    OutputFormat.NIFTI: (
        *(Gate.SOURCE, Gate.DEIDENTIFY, Gate.CONVERT, Gate.SCRUB, Gate.RESIDUE, Gate.PUBLISH),
    ),
}
"""The gates of the command, in their order."""


def gates_of(request: DeidentifyRequest) -> tuple[Gate, ...]:
    """Return the gates of a run, in their order."""
    source, deidentify, *others = GATES[request.output]
    return (source, deidentify, *((Gate.DEFACE,) if request.deface else ()), *others)


def record_deidentify_run(run: DeidentifyRun, space: Workspace) -> None:
    """Write the run's page and append to the journal, whether it was delivered or refused."""
    make_private_folder(space.report.parent)
    write_delivery_report(_report(run), space.report)
    Journal(run.request.private).append(_entry(run))


def _report(run: DeidentifyRun) -> DeliveryReport:
    request, profile = run.request, run.profile
    return DeliveryReport(
        version=__version__,
        when=datetime.now(UTC),
        seconds=run.seconds,
        out=request.delivery.out,
        private=request.private,
        output=request.output.value,
        persons=len(run.parts),
        files=run.files,
        profile=profile.title,
        profile_digest=profile.digest,
        profile_lines=(profile.description, profile.method),
        series=_series(run),
        quarantine=quarantine_entries(run.source.quarantine),
        other_files=run.source.other_files,
        pixels=run.source.pixels,
        gates=gate_entries(run.gates.results, gates_of(request)),
        changes=run.changes,
        notes=run.notes,
        residue=residue_entry(run.residue) if run.residue else None,
        bytes_searched=run.residue.bytes_searched if run.residue else 0,
        pixel_bytes=run.pixel_bytes,
        removed_keys=run.removed_keys,
        tools=run.tools,
        faces_asked=request.deface is not None,
        defaced=run.faces,
    )


def _series(run: DeidentifyRun) -> tuple[SeriesEntry, ...]:
    left_out = {
        file.series_index for file in run.source.quarantine if file.reason is QuarantineReason.FACE
    }
    return tuple(
        SeriesEntry(
            index=one.index,
            description=run.descriptions.get(one.index, ""),
            modality=one.modality,
            files=len(one.instances),
            images=tuple(run.images.get(one.index, ())),
            skipped=_LEFT_OUT if one.index in left_out else "",
        )
        for one in run.source.series
    )


def _entry(run: DeidentifyRun) -> JournalEntry:
    findings = (f for result in run.gates.results for f in result.findings)
    return JournalEntry(
        when=now(),
        command="deidentify",
        outcome=Outcome.REFUSED if run.refusal else Outcome.DELIVERED,
        subject=run.request.subject,
        profile=run.profile.title,
        profile_digest=run.profile.digest,
        tools=run.tools,
        counts={
            "persons": len(run.parts),
            "series": len(run.source.series),
            "files": sum(len(series.instances) for series in run.source.series),
            "quarantined": len(run.source.quarantine),
            "delivered": 0 if run.refusal else run.files,
        },
        findings=count_findings(findings),
        notes=notes_by_place(run.notes),
        faces_kept=_faces_kept(run),
    )


def _faces_kept(run: DeidentifyRun) -> str:
    """Return why faces stay, where the reason itself says nothing of anybody."""
    kept = any(outcome.verdict is DefaceVerdict.KEPT for outcome in run.faces)
    return run.request.deface.because if kept and run.request.deface else ""
