"""The machine summary of ``validate``, as ``schemas/summary.schema.json`` describes it."""

from __future__ import annotations

from typing import Any

from bidsanon.pipeline.openneuro import openneuro_record
from bidsanon.pipeline.summary import finding_record, heading, residue_record
from bidsanon.pipeline.validate import Validation


def validate_summary(validation: Validation) -> dict[str, Any]:
    """Return the summary of ``validate``."""
    return {
        **heading("validate", "refused" if validation.exit_code else "valid"),
        "exit_code": validation.exit_code,
        "dataset": str(validation.request.dataset),
        "findings": [finding_record(found) for found in validation.findings],
        "residue": residue_record(validation.residue),
        "openneuro": openneuro_record(validation.openneuro),
    }
