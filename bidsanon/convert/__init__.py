"""The conversion stage: heudiconv in a private folder, and the proof that nothing was lost."""

from bidsanon.convert.conversion import convert_session
from bidsanon.convert.draft import Draft, draft_heuristic
from bidsanon.convert.drive import ready_worker
from bidsanon.convert.fidelity import Fidelity, check_fidelity, find_uncompared
from bidsanon.convert.heuristic import HeuristicRow, list_heuristics, resolve_heuristic
from bidsanon.convert.images import PlainImage, PlainImages, convert_to_images
from bidsanon.convert.job import Heuristic
from bidsanon.convert.known import NOTHING_KNOWN, KnownFacts, load_known
from bidsanon.convert.plan import (
    ConversionPlan,
    PlannedRule,
    PlannedSeries,
    plan_conversion,
    sample_positions,
)
from bidsanon.convert.sureness import Judgement, Sureness, headers_only, judge_names

__all__ = [
    "NOTHING_KNOWN",
    "ConversionPlan",
    "Draft",
    "Fidelity",
    "Heuristic",
    "HeuristicRow",
    "Judgement",
    "KnownFacts",
    "PlainImage",
    "PlainImages",
    "PlannedRule",
    "PlannedSeries",
    "Sureness",
    "check_fidelity",
    "convert_session",
    "convert_to_images",
    "draft_heuristic",
    "find_uncompared",
    "headers_only",
    "judge_names",
    "list_heuristics",
    "load_known",
    "plan_conversion",
    "ready_worker",
    "resolve_heuristic",
    "sample_positions",
]
