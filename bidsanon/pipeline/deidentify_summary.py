"""The machine summary of ``deidentify``, as ``schemas/summary.schema.json`` describes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bidsanon.pipeline.deidentify_plan import DeidentifyPlan
from bidsanon.pipeline.deidentify_request import DeidentifyRequest
from bidsanon.pipeline.deidentify_run import DeidentifyRun
from bidsanon.pipeline.summary import (
    finding_record,
    gate_record,
    heading,
    pixels_record,
    quarantine_record,
    residue_record,
)
from bidsanon.pipeline.workspace import Workspace
from bidsanon.profile import Profile
from bidsanon.session import DefaceOutcome, SourceSession

_COMMAND = "deidentify"


def deidentify_summary(run: DeidentifyRun) -> dict[str, Any]:
    """Return the summary of a run of ``deidentify``."""
    return {
        **heading(_COMMAND, "refused" if run.refusal else "delivered"),
        "exit_code": run.refusal.exit_code if run.refusal else 0,
        **_request(run.request, run.profile),
        "persons": len(run.parts),
        "files": 0 if run.refusal else run.files,
        "series": [
            {**row, "images": run.images.get(row["index"], [])}
            for row in _series(run.source, run.descriptions)
        ],
        "quarantine": quarantine_record(run.source),
        "other_files": run.source.other_files,
        "pixels": pixels_record(run.source),
        "changes": run.changes,
        "notes": [
            {"place": note.place, "reason": note.reason.value, "count": note.count}
            for note in run.notes
        ],
        "deface": [_face(outcome) for outcome in run.faces],
        "gates": [gate_record(result) for result in run.gates.results],
        "residue": residue_record(run.residue),
        "report": str(deidentify_report_path(run.request)),
        "private": str(run.request.private),
        "seconds": round(run.seconds, 1),
    }


def deidentify_plan_summary(plan: DeidentifyPlan) -> dict[str, Any]:
    """Return the summary of a dry run."""
    return {
        **heading(_COMMAND, "planned"),
        "exit_code": plan.exit_code,
        **_request(plan.request, plan.profile),
        "persons": plan.persons,
        "series": _series(plan.source, dict(plan.descriptions)),
        "quarantine": quarantine_record(plan.source),
        "other_files": plan.source.other_files,
        "pixels": pixels_record(plan.source),
        "findings": [finding_record(found) for found in plan.findings],
    }


def deidentify_report_path(request: DeidentifyRequest) -> Path:
    """Return where the run's page is, once it has ended."""
    return Workspace(private=request.private, name=request.name).report


def _request(request: DeidentifyRequest, profile: Profile) -> dict[str, Any]:
    return {
        "out": str(request.delivery.out),
        "format": request.output.value,
        "profile": {"name": profile.title, "digest": profile.digest},
    }


def _face(outcome: DefaceOutcome) -> dict[str, Any]:
    return {
        "place": outcome.path,
        "verdict": outcome.verdict.value,
        "reason": outcome.reason,
        "figures": outcome.figures,
    }


def _series(source: SourceSession, descriptions: dict[int, str]) -> list[dict[str, Any]]:
    return [
        {
            "index": series.index,
            "number": series.series_number,
            "description": descriptions.get(series.index, ""),
            "modality": series.modality,
            "files": len(series.instances),
        }
        for series in source.series
    ]
