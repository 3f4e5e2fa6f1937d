"""The machine summary of ``deface``, as ``schemas/summary.schema.json`` describes it."""

from __future__ import annotations

from typing import Any

from bidsanon.pipeline.deface_request import Mode
from bidsanon.pipeline.deface_run import DefaceRun
from bidsanon.pipeline.summary import heading


def deface_summary(run: DefaceRun) -> dict[str, Any]:
    """Return the summary of a run of ``deface``."""
    request = run.request
    done = "checked" if request.mode is Mode.CHECK else "defaced"
    return {
        **heading("deface", "refused" if run.refusal else done),
        "exit_code": run.refusal.exit_code if run.refusal else 0,
        "mode": request.mode.value,
        "dataset": str(request.dataset) if request.dataset else None,
        "out": str(request.out) if request.out else None,
        "pictures": str(request.pictures) if request.pictures else None,
        "images": [
            {
                "path": result.name,
                "verdict": result.verdict.value,
                "reason": result.reason,
                "engine": result.engine_version,
                "figures": result.figures,
                "written": str(result.path) if result.path else None,
                "notes": list(result.notes),
            }
            for result in run.results
        ],
        "left_alone": list(run.content.left_alone) if run.content else [],
        "not_copied": list(run.content.not_copied)
        if run.content and request.mode is Mode.COPY
        else [],
        "amended": list(run.amended),
        "seconds": round(run.seconds, 1),
    }
