"""Drafts a heuristic from a source, and tries one on a source. Nothing is converted.

Both see what a conversion would see: de-identified samples of each series, in a folder that is
gone afterwards.
"""

from __future__ import annotations

import keyword
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from bidsanon.convert import (
    ConversionPlan,
    Draft,
    draft_heuristic,
    list_heuristics,
    plan_conversion,
    resolve_heuristic,
)
from bidsanon.errors import ConflictError, GateRefusedError, PolicyError, StorageError, UsageError
from bidsanon.files import storage_errors, write_json, write_text
from bidsanon.findings import Finding, Gate, errors, finding
from bidsanon.pipeline.places import require_possible_place, require_sources
from bidsanon.pipeline.plan import SampledSession, SessionPlan, sampled_session
from bidsanon.pipeline.record import describe_series
from bidsanon.pipeline.request import ConvertRequest
from bidsanon.progress import Progress
from bidsanon.validate.residue import search_residue

_SUFFIX = ".py"


@dataclass(frozen=True, kw_only=True)
class HeuristicCheck:
    """What a heuristic makes of a source.

    Attributes
    ----------
    plan
        What would happen to the session.
    findings
        What is to be said of the heuristic, and then what the gates say of the source.
    """

    plan: SessionPlan
    findings: tuple[Finding, ...]

    @property
    def exit_code(self) -> int:
        """5 where the heuristic will not do, 4 where a gate would refuse the source, or 0."""
        grave = errors(self.findings)
        if any(one.gate is Gate.CONVERT for one in grave):
            return PolicyError.exit_code
        return GateRefusedError.exit_code if grave else 0


@dataclass(frozen=True, kw_only=True)
class DraftedHeuristic:
    """A heuristic that was drafted and written.

    Attributes
    ----------
    place
        Its file.
    rules
        How many rules it has.
    check
        What it makes of the source that it was drafted from.
    """

    place: Path
    rules: int
    check: HeuristicCheck


def check_heuristic(request: ConvertRequest, *, progress: Progress) -> HeuristicCheck:
    """Try a heuristic on a source, and convert nothing.

    Raises
    ------
    BidsanonError
        Where ``convert`` would raise it before its first gate: of a heuristic that fails, a
        :class:`bidsanon.errors.PolicyError`.
    """
    with sampled_session(request, progress=progress) as sampled:
        return _checked(sampled.plan())


def _checked(plan: SessionPlan) -> HeuristicCheck:
    named = (_with_line(one, plan.conversion) for one in plan.conversion.findings)
    own = [*named, *_rule_findings(plan.conversion)]
    if not any(series.names for series in plan.conversion.series):
        own.append(finding("NOTHING_NAMED"))
    others = [one for one in plan.findings if one not in plan.conversion.findings]
    return HeuristicCheck(plan=plan, findings=(*own, *others))


def _with_line(found: Finding, conversion: ConversionPlan) -> Finding:
    """Add to a finding of series the lines of the rules that name them, where a draft has rules."""
    lines = {
        next(rule.line for rule in conversion.rules if index in rule.series)
        for index in map(int, re.findall(r"series (\d+)", found.location))
        if any(index in rule.series for rule in conversion.rules)
    }
    if not lines:
        return found
    where = ", ".join(f"line {line}" for line in sorted(lines))
    return replace(found, location=f"{found.location}, {where} of the heuristic")


def _rule_findings(conversion: ConversionPlan) -> Iterator[Finding]:
    """Say which rules of a draft match nothing, and which series several of them match."""
    for rule in conversion.rules:
        if not rule.series:
            name = rule.name or "left out"
            yield finding("RULE_UNUSED", location=f"line {rule.line}", name=name)
    for series in conversion.series:
        matching = [rule for rule in conversion.rules if series.series_index in rule.series]
        if len({rule.name for rule in matching}) > 1:
            lines = ", ".join(str(rule.line) for rule in matching)
            place = f"series {series.series_index}"
            yield finding("RULES_OVERLAP", location=place, lines=lines, first=matching[0].line)


def new_heuristic(
    request: ConvertRequest, *, place: Path, overwrite: bool, progress: Progress
) -> DraftedHeuristic:
    """Draft a heuristic that names a source's series as another one does, and write it.

    Parameters
    ----------
    request
        The source, and the heuristic to follow.
    place
        The file to write.
    overwrite
        Whether a file that is there may be replaced.
    progress
        Told of what is read.

    Raises
    ------
    ConflictError
        If the file is there already.
    GateRefusedError
        If what would stand in the draft may identify somebody.
    UsageError
        If the draft cannot stand at that place.
    BidsanonError
        Where ``convert`` would raise it before its first gate.
    """
    place = require_draft_place(place, request.sources, overwrite=overwrite)
    with sampled_session(request, progress=progress) as sampled:
        plan = sampled.plan()
        draft = draft_heuristic(
            sampled.deidentified,
            plan.conversion,
            follows=sampled.policy.heuristic,
            file=place.name,
            clean=sampled.clean,
            work=sampled.scratch / "draft",
        )
        _require_shareable(draft, sampled)
        tried = sampled.scratch / "tried" / place.name
        tried.parent.mkdir()
        write_text(tried, draft.text)
        own = resolve_heuristic(str(tried))
        conversion = plan_conversion(
            sampled.deidentified,
            heuristic=own,
            subject=request.place.subject,
            session=request.place.session,
            work=sampled.scratch / "heudiconv",
        )
    if [one.names for one in conversion.series] != [one.names for one in plan.conversion.series]:
        raise PolicyError(
            "the draft would not give every series the name that was proposed for it",
            cure="report it, with what `bidsanon inspect SOURCE` says of the series",
        )
    with storage_errors("the heuristic"):
        place.parent.mkdir(parents=True, exist_ok=True)
        write_text(place, draft.text)
    plan = replace(plan, policy=replace(plan.policy, heuristic=own), conversion=conversion)
    return DraftedHeuristic(place=place, rules=draft.rules, check=_checked(plan))


def _require_shareable(draft: Draft, sampled: SampledSession) -> None:
    """Refuse a draft that holds anything of what the source says of somebody.

    Raises
    ------
    GateRefusedError
        If it does.
    """
    folder = sampled.scratch / "searched"
    folder.mkdir()
    write_text(folder / "rules.txt", "\n".join(draft.lines))
    for number, name in describe_series(sampled.deidentified).items():
        write_json(folder / f"{number}.json", {"SeriesDescription": name})
    found = search_residue(folder, sampled.deidentified.identity, allowed=(), jobs=1).findings
    if errors(found):
        raise GateRefusedError(
            "the draft would hold what identifies somebody, and was not written",
            cure="look at the series' names in `bidsanon inspect`; use another profile (--profile)",
            findings=tuple(replace(one, location="the draft") for one in errors(found)),
        )


def require_draft_place(place: Path, sources: tuple[Path, ...], *, overwrite: bool) -> Path:
    """Refuse a place where a draft cannot stand, and return its whole path.

    heudiconv imports a heuristic by its file's name, so that must be one that Python can import
    and nothing else has.

    Raises
    ------
    ConflictError
        If a file is there already and may not be replaced.
    StorageError
        If nothing can be written there.
    UsageError
        If the name will not do, or the place is a folder or lies within the source.
    """
    name = place.name.removesuffix(_SUFFIX)
    taken = {row.name for row in list_heuristics()} | sys.stdlib_module_names
    if place.suffix != _SUFFIX or not name.isidentifier() or keyword.iskeyword(name):
        raise UsageError(
            "the heuristic's file cannot have that name",
            cure="use letters, digits and underscores and end it with .py: -o heuristics/ourlab.py",
        )
    if name in taken:
        raise UsageError(
            f"{place.name} is the name of another heuristic or of a part of Python",
            cure="choose another name, such as ourlab.py",
        )
    place = place.absolute()
    require_possible_place(place, name="the heuristic")
    if os.path.lexists(place) and not place.is_file():
        raise UsageError("what is at -o is no file", cure="give the name of a file with -o")
    require_sources(sources, {"the heuristic": place})
    if place.exists() and not overwrite:
        raise ConflictError(
            f"{place.name} is there already, and may have been edited",
            cure="choose another name, or replace it with --overwrite",
        )
    above = next(folder for folder in place.parents if folder.exists())
    if not os.access(above, os.W_OK | os.X_OK):
        raise StorageError(
            "the heuristic cannot be written there", cure="check the folder's permissions"
        )
    return place
