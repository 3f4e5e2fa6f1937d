"""What the commands of ``bidsanon heuristic`` say to people."""

from __future__ import annotations

import shlex

from bidsanon.cli.text import finding_lines, quarantine_lines, series_lines
from bidsanon.findings import Severity
from bidsanon.pipeline.heuristic import DraftedHeuristic, HeuristicCheck

_VERDICTS = {
    0: "`bidsanon convert` can use these names",
    4: "the names will do, but `bidsanon convert` would refuse the source: see above",
    5: "`bidsanon convert` cannot use these names: see above",
}


def check_text(checked: HeuristicCheck) -> str:
    """Return what ``heuristic check`` prints."""
    series = checked.plan.conversion.series
    named = sum(1 for one in series if one.names)
    said = f"heuristic {checked.plan.policy.heuristic.name}: {named} of {len(series)} series named"
    return "\n".join(
        [
            *series_lines(checked.plan),
            *quarantine_lines(checked.plan),
            *_rules(checked),
            *finding_lines(checked.findings, least=Severity.WARNING),
            f"{said}; {_VERDICTS[checked.exit_code]}",
        ]
    )


def _rules(checked: HeuristicCheck) -> list[str]:
    """Say of each rule of a draft which series it matches."""
    rules = checked.plan.conversion.rules
    width = max((len(rule.name) for rule in rules), default=0)
    lines = [f"{len(rules)} rules:"] if rules else []
    for rule in rules:
        matched = ", ".join(map(str, rule.series))
        what = f"series {matched}" if matched else "nothing"
        lines.append(f"  line {rule.line:>3}  {rule.name or 'left out':<{max(width, 8)}}  {what}")
    return lines


def draft_text(drafted: DraftedHeuristic) -> str:
    """Return what ``heuristic new`` prints."""
    place = shlex.quote(str(drafted.place))
    return "\n".join(
        [
            *series_lines(drafted.check.plan),
            *quarantine_lines(drafted.check.plan),
            *finding_lines(drafted.check.findings, least=Severity.WARNING),
            f"{drafted.rules} rules were written to {drafted.place}",
            "read them, change the names that you want otherwise, and then:",
            f"  bidsanon heuristic check {place} SOURCE",
            f"  bidsanon convert SOURCE -o DATASET -s 01 -f {place}",
        ]
    )
