"""What is kept of a run in the private folder: the session's page and the journal's entry."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bidsanon import __version__
from bidsanon.audit import Journal, JournalEntry, Outcome, count_findings, now
from bidsanon.dicom.reading import read_path, text_of
from bidsanon.files import remove_tree
from bidsanon.findings import Gate
from bidsanon.notes import notes_by_place
from bidsanon.pipeline.provenance import image_origins
from bidsanon.pipeline.run import Run
from bidsanon.pipeline.workspace import Workspace
from bidsanon.publish import Ledger
from bidsanon.report import (
    IgnoredEntry,
    ResidueEntry,
    SessionReport,
    gate_entries,
    keep_record,
    quarantine_entries,
    series_entries,
    write_report,
)
from bidsanon.session import DeidentifiedSession
from bidsanon.validate.residue import ResidueSearch

_SERIES_DESCRIPTION = 0x0008103E
_PROTOCOL_NAME = 0x00181030


def record_run(run: Run, space: Workspace) -> None:
    """Write the run's page, keep what it says, and append to the journal if it was refused.

    What is published keeps its page when a later run is refused. That it was published stands in
    the journal already: publishing and that are one step.
    """
    report = _report(run)
    if run.refusal:
        keep_record(report, space.refused_record)
        place = run.request.place
        there = (place.dataset / place.relative).is_dir() and space.report.is_file()
        write_report(report, space.refused_report, published=space.report.name if there else "")
        Journal(run.request.private).append(journal_entry(run))
        return
    keep_record(replace(report, published=_published(run)), space.published_record)
    write_report(report, space.report)
    remove_tree(space.refused_record)
    space.refused_report.unlink(missing_ok=True)


def _published(run: Run) -> dict[str, str]:
    place, images = run.request.place, run.converted.images if run.converted else ()
    digests = Ledger.read(run.request.private, place.dataset).files_of(place.name)
    return {one.path: digests[one.path] for one in images if one.path in digests}


def describe_series(deidentified: DeidentifiedSession) -> dict[int, str]:
    """Return what each series is called, by its index, as it would be published."""
    return {s.source.index: _description(s.files[0]) for s in deidentified.series if s.files}


def _description(path: Path) -> str:
    """Return what a series is called in one of its files, of which no more is read than that."""
    file = read_path(path, until=_PROTOCOL_NAME + 1)
    return text_of(file, _SERIES_DESCRIPTION) or text_of(file, _PROTOCOL_NAME)


def _report(run: Run) -> SessionReport:
    request, policy, converted = run.request, run.policy, run.converted
    return SessionReport(
        version=__version__,
        when=datetime.now(UTC),
        seconds=run.seconds,
        dataset=request.place.dataset,
        private=request.private,
        subject=request.place.subject,
        session=request.place.session,
        profile=policy.profile.title,
        profile_digest=policy.profile.digest,
        profile_lines=(policy.profile.description, policy.profile.method),
        heuristic=policy.heuristic.name,
        heuristic_digest=policy.heuristic.digest,
        series=series_entries(
            run.source.series,
            descriptions=describe_series(run.deidentified) if run.deidentified else {},
            images=converted.images if converted else (),
            withheld=run.defaced.withheld if run.defaced else (),
            skipped=converted.skipped if converted else (),
        ),
        quarantine=quarantine_entries(run.source.quarantine),
        other_files=run.source.other_files,
        pixels=run.source.pixels,
        gates=gate_entries(run.gates.results),
        fidelity=_fidelity(run),
        changes=run.deidentified.changes if run.deidentified else {},
        defaced=run.defaced.outcomes if run.defaced else (),
        residue=residue_entry(run.residue) if run.residue else None,
        removed_keys=run.scrubbed.removed_keys if run.scrubbed else {},
        tools=run.tools,
    )


def _fidelity(run: Run) -> tuple[str, ...]:
    passed = {result.gate for result in run.gates.results if result.passed}
    if Gate.FIDELITY not in passed:
        return ()
    files = sum(len(series.instances) for series in run.source.series)
    series = len(run.source.series)
    return (
        f"dcm2niix read the {files} originals of {series} series, and their de-identified copies.",
        "Voxels, geometry, gradient tables and all sidecar fields that do not identify agree.",
    )


def residue_entry(search: ResidueSearch) -> ResidueEntry:
    """Return what a page says of a residue search."""
    ignored = tuple(
        IgnoredEntry(kind=i.kind, reason=i.reason, origin=i.origin, count=i.count)
        for i in search.ignored
    )
    return ResidueEntry(searched=search.searched, ignored=ignored)


def journal_entry(run: Run) -> JournalEntry:
    """Return the journal's entry of a run."""
    request, policy = run.request, run.policy
    findings = (f for result in run.gates.results for f in result.findings)
    return JournalEntry(
        when=now(),
        command="convert",
        outcome=Outcome.REFUSED if run.refusal else Outcome.PUBLISHED,
        subject=request.place.subject,
        session=request.place.session,
        profile=policy.profile.title,
        profile_digest=policy.profile.digest,
        heuristic=policy.heuristic.name,
        heuristic_digest=policy.heuristic.digest,
        known_digest=policy.known.digest,
        field_maps=tuple(sorted(request.field_maps.links)),
        field_maps_by=tuple(sorted(request.field_maps.by)) if request.field_maps.links else (),
        tools=run.tools,
        counts=_counts(run),
        findings=count_findings(findings),
        notes=notes_by_place(run.deidentified.notes) if run.deidentified else {},
        faces_kept=_faces_kept(run),
        images={} if run.refusal else image_origins(run),
    )


def _faces_kept(run: Run) -> str:
    """Return why faces stay; nothing where the reason was refused for what it holds."""
    refused = any(f.code == "REASON_IDENTIFIES" for r in run.gates.results for f in r.findings)
    return "" if refused else run.request.deface.because


def _counts(run: Run) -> dict[str, int]:
    source = run.source
    return {
        "series": len(source.series),
        "files": sum(len(series.instances) for series in source.series),
        "quarantined": len(source.quarantine),
        "images": len(run.converted.images) if run.converted else 0,
        "withheld": len(run.defaced.withheld) if run.defaced else 0,
    }
