"""What ``bidsanon validate`` found, as lines for people."""

from __future__ import annotations

from collections import Counter

from bidsanon.cli.text import finding_lines
from bidsanon.findings import Severity
from bidsanon.pipeline.validate import Validation
from bidsanon.validate.residue import ResidueSearch


def validation_text(validation: Validation) -> str:
    """Return what ``validate`` prints."""
    lines = finding_lines(validation.findings, least=Severity.INFO)
    if validation.residue:
        lines += residue_lines(validation.residue)
    lines.append("the dataset has errors" if validation.exit_code else "the dataset is valid")
    return "\n".join(lines)


def residue_lines(residue: ResidueSearch) -> list[str]:
    """Return what was searched for and what was not, with the counts."""
    values = ", ".join(f"{count} {kind}" for kind, count in residue.searched.items() if count)
    ignored: Counter[str] = Counter()
    for one in residue.ignored:
        ignored[f"{one.kind}, {one.reason}"] += one.count
    searched = f"searched {residue.files} file(s), {residue.bytes_searched} bytes once unpacked"
    return [
        f"{searched}, for: {values or 'nothing'}",
        *(f"  not searched for: {count} ({why})" for why, count in sorted(ignored.items())),
    ]
