"""The machine summary of ``export``, as ``schemas/summary.schema.json`` describes it."""

from __future__ import annotations

from typing import Any

from bidsanon.errors import GateRefusedError
from bidsanon.pipeline.export import Export
from bidsanon.pipeline.summary import finding_record, heading


def export_summary(done: Export) -> dict[str, Any]:
    """Return the summary of ``export``."""
    exported = done.exported
    outcome = "refused" if done.refusal else "exported" if exported else "planned"
    return {
        **heading("export", outcome),
        "exit_code": GateRefusedError.exit_code if done.refusal else 0,
        "dataset": str(done.request.dataset),
        "out": str(done.request.out),
        "packing": done.request.packing.value,
        "files": len(done.selection.files),
        "bytes": done.selection.size,
        "left_out": list(done.selection.left_out),
        "archive": {
            "bytes": exported.size,
            "sha256": exported.digest,
            "manifest_sha256": exported.manifest_digest,
        }
        if exported
        else None,
        "findings": [finding_record(found) for found in done.findings],
    }
