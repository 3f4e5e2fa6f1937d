"""What ``deidentify`` says to people."""

from __future__ import annotations

from collections import Counter

from bidsanon.cli.text import finding_lines, profile_lines
from bidsanon.findings import Severity
from bidsanon.pipeline.deidentify_plan import DeidentifyPlan
from bidsanon.pipeline.deidentify_request import OutputFormat
from bidsanon.pipeline.deidentify_run import DeidentifyRun
from bidsanon.pipeline.deidentify_summary import deidentify_report_path, deidentify_summary
from bidsanon.redaction import printable_lines
from bidsanon.session import SourceSession

_NEXT = (
    "next: look at the report; keep the private folder to give the same person the same "
    "pseudonyms again, or end it with `bidsanon vault destroy`"
)


def deidentify_text(run: DeidentifyRun) -> str:
    """Return what ``deidentify`` prints at its end."""
    request = run.request
    what = "DICOM file(s)" if request.output is OutputFormat.DICOM else "NIfTI image(s)"
    persons = f" of {len(run.parts)} persons" if len(run.parts) > 1 else ""
    lines = [
        f"{run.files} de-identified {what}{persons} are in {request.delivery.out}",
        f"  profile {run.profile.title}: {run.profile.description}",
    ]
    for row in deidentify_summary(run)["series"]:
        line = f"  series {row['index']}: {row['files']} file(s)  {row['description']}"
        lines.append(line.rstrip())
        lines += [f"    -> {name}" for name in row["images"]]
    lines += [f"  face in {face.path}: {face.verdict.value}: {face.reason}" for face in run.faces]
    lines += _quarantine_lines(run.source)
    for result in run.gates.results:
        lines += finding_lines(result.findings, least=Severity.WARNING)
    lines += [
        f"report:  {deidentify_report_path(request)}",
        f"private: {request.private}",
        _NEXT,
    ]
    return printable_lines(lines)


def deidentify_plan_text(plan: DeidentifyPlan) -> str:
    """Return what ``deidentify --dry-run`` prints."""
    request = plan.request
    lines = [
        f"{request.output.value} -> {request.delivery.out}  (dry run: nothing is written)",
        *profile_lines(plan.profile, named=request.options.profile),
        f"persons: {plan.persons}",
        "",
        f"{'#':>3} {'no.':>5} {'files':>6}  {'modality':<8}  description",
    ]
    for series in plan.source.series:
        number = "" if series.series_number is None else series.series_number
        lines.append(
            f"{series.index:>3} {number:>5} {len(series.instances):>6}  {series.modality:<8}  "
            f"{plan.descriptions.get(series.index, '')}"
        )
    lines += _quarantine_lines(plan.source)
    return printable_lines([*lines, *finding_lines(plan.findings, least=Severity.WARNING)])


def _quarantine_lines(source: SourceSession) -> list[str]:
    counts = Counter(file.reason.value for file in source.quarantine)
    lines = [f"  quarantine: {count} file(s): {reason}" for reason, count in sorted(counts.items())]
    if source.other_files:
        lines.append(f"  {source.other_files} file(s) are no DICOM and were left where they are")
    return lines
