"""The conversion stage: heudiconv in a private folder, and the proof that nothing was lost."""

from bidsanon.convert.conversion import convert_session
from bidsanon.convert.fidelity import Fidelity, check_fidelity, find_uncompared
from bidsanon.convert.heuristic import HeuristicRow, list_heuristics, resolve_heuristic
from bidsanon.convert.images import PlainImage, PlainImages, convert_to_images
from bidsanon.convert.job import Heuristic
from bidsanon.convert.plan import (
    ConversionPlan,
    PlannedSeries,
    plan_conversion,
    sample_positions,
)

__all__ = [
    "ConversionPlan",
    "Fidelity",
    "Heuristic",
    "HeuristicRow",
    "PlainImage",
    "PlainImages",
    "PlannedSeries",
    "check_fidelity",
    "convert_session",
    "convert_to_images",
    "find_uncompared",
    "list_heuristics",
    "plan_conversion",
    "resolve_heuristic",
    "sample_positions",
]
