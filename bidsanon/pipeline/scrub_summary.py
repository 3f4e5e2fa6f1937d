"""The machine summary of ``scrub``, as ``schemas/summary.schema.json`` describes it."""

from __future__ import annotations

from typing import Any

from bidsanon.pipeline.scrub import ScrubRun
from bidsanon.pipeline.summary import finding_record, heading


def scrub_summary(run: ScrubRun) -> dict[str, Any]:
    """Return the summary of ``scrub``."""
    outcome = "planned" if run.request.dry_run else "scrubbed"
    refusal, scrubbed = run.refusal, run.scrubbed
    return {
        **heading("scrub", "refused" if refusal else outcome),
        "exit_code": refusal.exit_code if refusal else 0,
        "dry_run": run.request.dry_run,
        "dataset": str(run.request.dataset),
        "files": scrubbed.files,
        "changes": [
            {"path": change.name, "what": list(change.words), "was_link": change.was_link}
            for change in run.changes
        ],
        "removed": list(run.removed),
        "leftovers": [{"path": name, "tool": tool} for name, tool in scrubbed.leftovers.items()],
        "left_alone": [{"path": name, "why": why} for name, why in run.left_alone.items()],
        "findings": [finding_record(found) for found in run.findings],
        "private": str(run.request.private) if run.request.private.is_dir() else None,
        "seconds": round(run.seconds, 3),
    }
