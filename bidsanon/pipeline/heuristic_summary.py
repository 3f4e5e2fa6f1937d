"""What the commands of ``bidsanon heuristic`` print with ``--json``."""

from __future__ import annotations

from typing import Any

from bidsanon.pipeline.heuristic import DraftedHeuristic, HeuristicCheck
from bidsanon.pipeline.summary import finding_record, heading, planned_series, quarantine_record


def check_summary(checked: HeuristicCheck) -> dict[str, Any]:
    """Return the summary of ``heuristic check``."""
    plan = checked.plan
    return {
        **heading("heuristic check", "checked" if checked.exit_code == 0 else "refused"),
        "exit_code": checked.exit_code,
        "subject": plan.request.place.subject,
        "session": plan.request.place.session,
        "profile": plan.policy.profile.title,
        "heuristic": {"name": plan.policy.heuristic.name, "digest": plan.policy.heuristic.digest},
        **_tables(checked),
    }


def draft_summary(drafted: DraftedHeuristic) -> dict[str, Any]:
    """Return the summary of ``heuristic new``."""
    plan = drafted.check.plan
    return {
        **heading("heuristic new", "drafted"),
        "exit_code": 0,
        "file": str(drafted.place),
        "profile": plan.policy.profile.title,
        "heuristic": {"name": plan.policy.heuristic.name, "digest": plan.policy.heuristic.digest},
        **_tables(drafted.check),
    }


def _tables(checked: HeuristicCheck) -> dict[str, Any]:
    return {
        "series": planned_series(checked.plan),
        "rules": [
            {"line": rule.line, "bids": rule.name or None, "series": list(rule.series)}
            for rule in checked.plan.conversion.rules
        ],
        "quarantine": quarantine_record(checked.plan.source),
        "findings": [finding_record(one) for one in checked.findings],
    }
