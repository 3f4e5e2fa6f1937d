"""What ``bidsanon validate`` found, as lines for people."""

from __future__ import annotations

import textwrap
from collections import Counter

from bidsanon.cli.text import finding_lines
from bidsanon.findings import Severity
from bidsanon.pipeline.openneuro import OpenNeuro
from bidsanon.pipeline.validate import Validation
from bidsanon.redaction import printable_lines
from bidsanon.validate.openneuro_evidence import Knowledge
from bidsanon.validate.openneuro_rules import RELEASE
from bidsanon.validate.residue import ResidueSearch

_WIDTH = 100
_CHECKLIST = frozenset({"OPENNEURO_AFFIRM", "OPENNEURO_CONTRADICTED"})
"""What the checklist says at length."""
_KNOWLEDGE = {
    Knowledge.KNOWN: "known",
    Knowledge.NOT_KNOWN: "not known, you must",
    Knowledge.CONTRADICTED: "contradicted",
}


def validation_text(validation: Validation) -> str:
    """Return what ``validate`` prints."""
    shown = [f for f in validation.findings if not (validation.openneuro and f.code in _CHECKLIST)]
    lines = finding_lines(tuple(shown), least=Severity.INFO)
    if validation.residue:
        lines += residue_lines(validation.residue)
    if validation.request.vault:
        lines.append("searched besides for what hashes to a person or series of the vault")
    if validation.openneuro:
        lines += openneuro_lines(validation.openneuro)
    lines.append("the dataset has errors" if validation.exit_code else "the dataset is valid")
    return printable_lines(lines)


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


def openneuro_lines(judged: OpenNeuro) -> list[str]:
    """Return what OpenNeuro would say, and the checklist of what it asks a person to affirm."""
    taken = {
        True: "as far as its rules are known here, OpenNeuro would take the dataset",
        False: "OpenNeuro would refuse the dataset",
        None: "whether OpenNeuro would take it is not known: the official validator failed",
    }
    lines = [
        "",
        taken[judged.taken],
        *_wrapped(_by_which_rules(judged), 0),
        "",
        "OpenNeuro asks you to affirm:",
    ]
    for one in judged.affirmations:
        lines += ["", *_wrapped(f"[{_KNOWLEDGE[one.knowledge]}] {one.point}: {one.asked}", 0)]
        for statement in one.statements:
            lines += _wrapped(f"- {_KNOWLEDGE[statement.knowledge]}: {statement.text}", 4)
    return [*lines, ""]


def _by_which_rules(judged: OpenNeuro) -> str:
    """Say what was asked, and who alone can say the rest."""
    counts = "what OpenNeuro says when you upload is what counts"
    if not judged.schemas:
        return f"(the official validator could not be asked; {counts})"
    schemas = " and ".join(schema or "of an unknown version" for schema in judged.schemas)
    return (
        f"(asked: by the schema of BIDS {schemas}, with the settings of OpenNeuro's release "
        f"{RELEASE}; {counts})"
    )


def _wrapped(text: str, indent: int) -> list[str]:
    begin = " " * indent
    return textwrap.wrap(
        text,
        width=_WIDTH,
        initial_indent=begin,
        subsequent_indent=begin + "  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
