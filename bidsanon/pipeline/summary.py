"""The machine summary: one JSON object a command, as ``schemas/*.schema.json`` describe them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bidsanon import __version__
from bidsanon.errors import BidsanonError
from bidsanon.findings import Finding, GateResult
from bidsanon.pipeline.studies import shown_days
from bidsanon.pipeline.workspace import Workspace
from bidsanon.session import SourceSession

if TYPE_CHECKING:
    # Start-up time: who defaces or removes needs none of them.
    from bidsanon.pipeline.plan import SessionPlan
    from bidsanon.pipeline.request import ConvertRequest, Policy
    from bidsanon.pipeline.run import Run
    from bidsanon.validate.residue import ResidueSearch


def run_summary(run: Run) -> dict[str, Any]:
    """Return the summary of a run of ``convert``."""
    return {
        **heading("convert", "refused" if run.refusal else "published"),
        "exit_code": run.refusal.exit_code if run.refusal else 0,
        **_request(run.request, run.policy),
        "series": _converted_series(run),
        "quarantine": quarantine_record(run.source),
        "pixels": pixels_record(run.source),
        "gates": [gate_record(result) for result in run.gates.results],
        "residue": residue_record(run.residue),
        "deface": _deface(run),
        "report": str(report_path(run)),
        "private": str(run.request.private),
        "seconds": round(run.seconds, 1),
    }


def plan_summary(plan: SessionPlan) -> dict[str, Any]:
    """Return the summary of a dry run."""
    return {
        **heading("convert", "planned"),
        "exit_code": plan.exit_code,
        **_request(plan.request, plan.policy),
        "series": planned_series(plan),
        "quarantine": quarantine_record(plan.source),
        "pixels": pixels_record(plan.source),
        "findings": [finding_record(f) for f in plan.findings],
    }


def inspect_summary(plan: SessionPlan) -> dict[str, Any]:
    """Return the summary of ``inspect``."""
    return {
        **heading("inspect", "inspected"),
        "exit_code": 0,
        "profile": plan.policy.profile.title,
        "heuristic": plan.policy.heuristic.name,
        "series": planned_series(plan),
        "quarantine": quarantine_record(plan.source),
        "pixels": pixels_record(plan.source),
        "other_files": plan.source.other_files,
        "findings": [finding_record(f) for f in plan.findings],
    }


def failure_summary(command: str, error: BidsanonError) -> dict[str, Any]:
    """Return the summary of a command that ended with an error."""
    return {
        **heading(command, "failed"),
        "exit_code": error.exit_code,
        "error": {"message": error.message, "cure": error.cure},
    }


def report_path(run: Run) -> Path:
    """Return where the page of a run is, once that has ended."""
    space = Workspace(private=run.request.private, name=run.request.place.name)
    return space.refused_report if run.refusal else space.report


def finding_record(found: Finding) -> dict[str, str]:
    """Return one finding as JSON has it."""
    return {
        "code": found.code,
        "gate": found.gate.value,
        "severity": found.severity.value,
        "location": found.location,
        "message": found.message,
        "cure": found.cure,
    }


def pixels_record(source: SourceSession) -> dict[str, Any] | None:
    """Return how the pixels were looked at for text; None where nobody looked."""
    pixels = source.pixels
    if pixels is None:
        return None
    return {"reader": pixels.reader, "frames": pixels.frames, "undecoded": pixels.undecoded}


def planned_series(plan: SessionPlan) -> list[dict[str, Any]]:
    """Return what is proposed for each series, with what may be shown of it."""
    days = shown_days(plan.source, plan.request.study)
    return [
        {
            "index": series.source.index,
            "number": series.source.series_number,
            "description": plan.descriptions[series.source.index],
            "modality": series.source.modality,
            "day": days.get(series.source.study_date),
            "files": len(series.source.instances),
            "rows": facts.rows,
            "columns": facts.columns,
            "slices": facts.slices,
            "volumes": facts.volumes,
            "echo_time_ms": facts.echo_time_ms,
            "repetition_time_ms": facts.repetition_time_ms,
            "image_type": list(facts.image_type),
            "bids": list(planned.names),
            "skipped": planned.reason or None,
            "sure": judgement.sure.value,
            "why": judgement.why,
        }
        for series, facts, planned, judgement in zip(
            plan.deidentified.series,
            plan.facts,
            plan.conversion.series,
            plan.judgements,
            strict=True,
        )
    ]


def heading(command: str, outcome: str) -> dict[str, str]:
    """Return what every summary begins with."""
    return {"bidsanon": __version__, "command": command, "outcome": outcome}


def _request(request: ConvertRequest, policy: Policy) -> dict[str, Any]:
    return {
        "dataset": str(request.place.dataset),
        "subject": request.place.subject,
        "session": request.place.session,
        "profile": {"name": policy.profile.title, "digest": policy.profile.digest},
        "heuristic": {"name": policy.heuristic.name, "digest": policy.heuristic.digest},
    }


def _converted_series(run: Run) -> list[dict[str, Any]]:
    converted = run.converted
    withheld = set(run.defaced.withheld) if run.defaced else set()
    images: dict[int, list[str]] = {}
    reasons: dict[int, str] = {}
    for image in converted.images if converted else ():
        if image.path not in withheld:
            images.setdefault(image.series_index, []).append(image.path)
    for skipped in converted.skipped if converted else ():
        reasons[skipped.series_index] = skipped.reason
    return [
        {
            "index": series.index,
            "files": len(series.instances),
            "bids": images.get(series.index, []),
            "skipped": reasons.get(series.index),
        }
        for series in run.source.series
    ]


def quarantine_record(source: SourceSession) -> list[dict[str, Any]]:
    """Return how many files went to quarantine, by reason."""
    counts = Counter(file.reason.value for file in source.quarantine)
    return [{"reason": reason, "count": count} for reason, count in sorted(counts.items())]


def gate_record(result: GateResult) -> dict[str, Any]:
    """Return what a gate said."""
    return {
        "gate": result.gate.value,
        "passed": result.passed,
        "findings": _records(result.findings),
    }


def _records(findings: Iterable[Finding]) -> list[dict[str, str]]:
    return [finding_record(f) for f in findings]


def residue_record(search: ResidueSearch | None) -> Mapping[str, Any] | None:
    """Return what a residue search looked for; None where it was not reached."""
    if search is None:
        return None
    return {
        "searched": dict(search.searched),
        "ignored": [
            {"kind": i.kind, "reason": i.reason, "origin": i.origin, "count": i.count}
            for i in search.ignored
        ],
    }


def _deface(run: Run) -> list[dict[str, Any]]:
    return [
        {"path": o.path, "verdict": o.verdict.value, "reason": o.reason, "figures": o.figures}
        for o in (run.defaced.outcomes if run.defaced else ())
    ]
