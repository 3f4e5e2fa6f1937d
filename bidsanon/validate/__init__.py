"""The validate stage: JSON Schemas, the official validator and pybids agree with the dataset.

The search for residue is a gate of its own, in :mod:`bidsanon.validate.residue`.
"""

from bidsanon.validate.dataset import validate_dataset
from bidsanon.validate.layout import check_layout
from bidsanon.validate.official import check_official
from bidsanon.validate.rejected import check_rejected
from bidsanon.validate.schemas import check_schemas

__all__ = [
    "check_layout",
    "check_official",
    "check_rejected",
    "check_schemas",
    "validate_dataset",
]
