"""The validate stage: JSON Schemas, the official validator and pybids agree with the dataset.

The search for residue is a gate of its own, in :mod:`bidsanon.validate.residue`.
"""

from bidsanon.validate.dataset import DatasetChecks, check_dataset, validate_dataset
from bidsanon.validate.layout import check_layout
from bidsanon.validate.official import OfficialReport, ask_official
from bidsanon.validate.rejected import check_rejected
from bidsanon.validate.schemas import check_schemas

__all__ = [
    "DatasetChecks",
    "OfficialReport",
    "ask_official",
    "check_dataset",
    "check_layout",
    "check_rejected",
    "check_schemas",
    "validate_dataset",
]
