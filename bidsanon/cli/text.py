"""Records as lines for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import groupby
from typing import Any

from bidsanon.findings import Finding, Severity
from bidsanon.pipeline.plan import SessionPlan
from bidsanon.pipeline.run import Run
from bidsanon.pipeline.summary import planned_series, run_summary
from bidsanon.profile import Profile
from bidsanon.redaction import printable, printable_lines
from bidsanon.report.words import SURENESS, pixels_words
from bidsanon.source import IdentifiedSeries

_MANY = 20


def finding_lines(findings: tuple[Finding, ...], *, least: Severity) -> list[str]:
    """Return findings of at least a severity as lines, the gravest first.

    Of those that say the same of different places, so many are listed as one reads; what to do
    stands once behind those of which the same is to be done.
    """
    grave = list(Severity)[: list(Severity).index(least) + 1]
    told = [found for found in findings if found.severity in grave]
    told.sort(key=lambda f: grave.index(f.severity))
    alike = Counter((found.code, found.message) for found in told)
    listed: Counter[tuple[str, str]] = Counter()
    lines: list[str] = []
    for _, group in groupby(told, key=lambda f: (f.severity, f.code, f.cure)):
        cure = ""
        for found in group:
            same = (found.code, found.message)
            listed[same] += 1
            if listed[same] > _MANY:
                continue
            cure = found.cure
            where = f" [{found.location}]" if found.location else ""
            lines.append(printable(f"{found.severity}: {found.code}{where}: {found.message}"))
            if listed[same] == _MANY < alike[same]:
                rest = f"{alike[same] - _MANY:,}"
                lines.append(f"  and {rest} more of which the same is said (--json lists all)")
        if cure:
            lines.append(f"  what to do: {cure}")
    return lines


def series_lines(plan: SessionPlan) -> list[str]:
    """Return the table of series: what each is, and what it would become."""
    lines = [f"{'#':>3} {'no.':>5} {'files':>5} {'size':>15}  {'TE/TR ms':<13} description"]
    rows = planned_series(plan)
    several = len({row["day"] for row in rows}) > 1
    for row in rows:
        times = f"{_brief(row['echo_time_ms'])}/{_brief(row['repetition_time_ms'])}"
        number = "" if row["number"] is None else row["number"]
        day = f"  (day {row['day'] or '?'})" if several else ""
        lines.append(
            f"{row['index']:>3} {number:>5} {row['files']:>5} {_size(row):>15}  {times:<13} "
            f"{printable(row['description'])}{day}"
        )
        lines += [f"{'':>32} -> {name}" for name in row["bids"]]
        if row["skipped"]:
            lines.append(f"{'':>32} left out: {row['skipped']}")
        lines.append(f"{'':>32} {SURENESS[row['sure']].lower()}: {row['why']}")
    return lines


def _size(row: Mapping[str, Any]) -> str:
    """Write columns, rows, slices and volumes as dcm2niix and FSL order them: 64x64x36x240."""
    sizes = [row[name] or "?" for name in ("columns", "rows", "slices", "volumes")]
    return "x".join(map(str, sizes[:3] if sizes[3] == 1 else sizes))


def quarantine_lines(plan: SessionPlan) -> list[str]:
    """Return what would go to quarantine."""
    counts: dict[str, int] = {}
    for file in plan.source.quarantine:
        counts[file.reason.value] = counts.get(file.reason.value, 0) + 1
    lines = [f"quarantine: {count} file(s): {reason}" for reason, count in sorted(counts.items())]
    if plan.source.other_files:
        lines.append(f"{plan.source.other_files} file(s) are no DICOM and stay where they are")
    return lines


def identified_lines(originals: tuple[IdentifiedSeries, ...]) -> list[str]:
    """Return what the originals say of whose they are, clearly headed."""
    if not originals:
        return []
    lines = ["IDENTIFIED: what follows names the person. Do not share it."]
    persons = dict.fromkeys((o.patient_name, o.patient_id, o.birth_date) for o in originals)
    for name, number, birth in persons:
        lines.append(
            f"  patient: {name or '(no name)'}, ID {number or '(none)'}, born {birth or '?'}"
        )
    lines += [
        f"{o.index:>3} {o.study_date or '?':>8}  {o.series_description or '(none)'}"
        + (f" / {o.protocol_name}" if o.protocol_name != o.series_description else "")
        for o in originals
    ]
    return [printable(line) for line in lines]


def inspect_text(plan: SessionPlan) -> str:
    """Return what ``inspect`` prints."""
    notes = finding_lines(plan.findings, least=Severity.WARNING)
    pixels = pixels_words(plan.source.pixels)
    return printable_lines([*series_lines(plan), *quarantine_lines(plan), pixels, *notes])


def plan_text(plan: SessionPlan) -> str:
    """Return what ``convert --dry-run`` prints."""
    place = plan.request.place
    return "\n".join(
        [
            f"{place.name} -> {place.dataset}  (dry run: nothing is written)",
            f"heuristic {plan.policy.heuristic.name}",
            *profile_lines(plan.policy.profile, named=plan.request.options.profile),
            "",
            inspect_text(plan),
        ]
    )


def profile_lines(profile: Profile, *, named: str) -> list[str]:
    """Say what a plan does to attributes, and where that can be read.

    Parameters
    ----------
    profile
        As it is with the run's changes.
    named
        As the user named it.
    """
    return [
        f"profile {profile.title}: {profile.description}",
        f"  options: {', '.join(sorted(profile.options)) or 'none'}",
        f"  `bidsanon profile show {named}` says it attribute by attribute",
    ]


def run_text(run: Run) -> str:
    """Return what ``convert`` prints at its end."""
    place = run.request.place
    summary = run_summary(run)
    lines = [f"{place.name} was published into {place.dataset}"]
    for row in summary["series"]:
        lines += [f"  series {row['index']} -> {name}" for name in row["bids"]]
        if not row["bids"]:
            lines.append(f"  series {row['index']} left out: {row['skipped'] or 'withheld'}")
    lines += [f"  quarantine: {q['count']} file(s): {q['reason']}" for q in summary["quarantine"]]
    for result in run.gates.results:
        lines += finding_lines(result.findings, least=Severity.WARNING)
    lines += [f"report:  {summary['report']}", f"private: {summary['private']}"]
    return printable_lines(lines)


def refusal_lines(findings: tuple[Finding, ...]) -> list[str]:
    """Return the findings that stopped a session, and how many more there are."""
    lines = finding_lines(findings[:_MANY], least=Severity.ERROR)
    if len(findings) > _MANY:
        lines.append(f"and {len(findings) - _MANY} more: the report, or --json, lists them")
    return lines


def _brief(number: float | None) -> str:
    return "?" if number is None else f"{number:g}"
