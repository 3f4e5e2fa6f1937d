"""What a source holds and what would become of it, as a table in one of four forms.

Nothing identifying is in it, unless whoever asks wants to see the originals.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from bidsanon import __version__
from bidsanon.bids.tables import write_table
from bidsanon.errors import ConflictError, GateRefusedError, UsageError
from bidsanon.files import PRIVATE_FILE_MODE, storage_errors, write_text
from bidsanon.findings import Severity
from bidsanon.pipeline.places import require_possible_place, require_sources
from bidsanon.pipeline.plan import SessionPlan, sampled_session
from bidsanon.pipeline.request import ConvertRequest
from bidsanon.pipeline.studies import study_days
from bidsanon.pipeline.summary import inspect_summary, planned_series, quarantine_record
from bidsanon.progress import Progress
from bidsanon.redaction import printable
from bidsanon.report.page import render_page
from bidsanon.source import IdentifiedSeries, identified_series

USUAL_SUBJECT = "01"
"""The label of whoever is shown, where no table gives another."""

_SHARED_FILE_MODE = 0o644
_BETWEEN = "; "
_BEGINS_FORMULA = ("=", "+", "-", "@")
_ORIGINAL_COLUMNS = (
    "patient_id",
    "patient_name",
    "birth_date",
    "study_date",
    "study_description",
    "series_description",
    "protocol_name",
)


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What a source holds, and what would become of it.

    Attributes
    ----------
    plan
        What would happen to it.
    originals
        What the originals say of whose each series is; empty unless that was asked for.
        Identified.
    """

    plan: SessionPlan
    originals: tuple[IdentifiedSeries, ...] = ()


def inspect_source(request: ConvertRequest, *, identified: bool, progress: Progress) -> Inspection:
    """Read a source and find out what would become of it; nothing is written.

    Of several persons a table can name none: they are shown under the usual label, with the finding
    that says that there are several.

    Parameters
    ----------
    request
        The source, the profile and the heuristic.
    identified
        Whether what the originals say of whose they are is read too.
    progress
        Who listens.

    Raises
    ------
    BidsanonError
        Where ``convert`` would raise it before its first gate.
    """
    try:
        return _inspect(request, identified=identified, progress=progress)
    except GateRefusedError:
        if request.subjects is None:
            raise
        place = replace(request.place, subject=USUAL_SUBJECT)
        anyway = replace(request, place=place, subjects=None)
        return _inspect(anyway, identified=identified, progress=progress)


def _inspect(request: ConvertRequest, *, identified: bool, progress: Progress) -> Inspection:
    with sampled_session(request, progress=progress) as sampled:
        plan = sampled.plan()
        series = plan.source.series if identified else ()
        return Inspection(plan=plan, originals=tuple(map(identified_series, series)))


def require_place_for_table(place: Path, sources: tuple[Path, ...]) -> None:
    """Refuse a place that the table cannot or should not go to.

    Raises
    ------
    UsageError
        If it lies within a source, or below a file.
    ConflictError
        If something stands there.
    """
    require_possible_place(place.absolute(), name="the table")
    if place.exists() or place.is_symlink():
        raise ConflictError("something stands at FILE already", cure="give another name with -o")
    if not place.absolute().parent.is_dir():
        raise UsageError("the folder of FILE is not there", cure="make it first")
    folders = tuple(source for source in sources if source.is_dir())
    require_sources(folders, {"FILE": place.absolute().resolve()})


def write_inspection(place: Path, text: str, *, identified: bool) -> None:
    """Write the table whole or not at all; for its owner alone where it identifies.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    mode = PRIVATE_FILE_MODE if identified else _SHARED_FILE_MODE
    with storage_errors("the table"):
        write_text(place, text, mode=mode)


def inspection_record(inspection: Inspection) -> dict[str, Any]:
    """Return the inspection as ``--json`` prints it."""
    record = inspect_summary(inspection.plan)
    if inspection.originals:
        record["identified"] = [asdict(one) for one in inspection.originals]
    return record


def inspection_json(inspection: Inspection) -> str:
    """Return the inspection as JSON."""
    return json.dumps(inspection_record(inspection), indent=2, ensure_ascii=False) + "\n"


def inspection_tsv(inspection: Inspection) -> str:
    """Return a table with a row for each series, and one for each reason of quarantine."""
    originals = {one.index: asdict(one) for one in inspection.originals}
    rows = [
        _row(series) | _original(originals.get(series["index"], {}))
        for series in planned_series(inspection.plan)
    ]
    columns = [*_row_columns(), *(_original_columns() if originals else ())]
    quarantine = [
        {"files": str(one["count"]), "left_out": f"quarantine: {one['reason']}"}
        for one in quarantine_record(inspection.plan.source)
    ]
    return write_table(columns, [*rows, *quarantine])


def inspection_html(inspection: Inspection) -> str:
    """Return a page that needs nothing else, and asks nothing of a network."""
    plan = inspection.plan
    order = list(Severity)
    return render_page(
        "inspection.html.jinja",
        version=__version__,
        plan=plan,
        series=planned_series(plan),
        days=len(study_days(plan.source)),
        originals={one.index: one for one in inspection.originals},
        quarantine=sorted(quarantine_record(plan.source), key=lambda one: str(one["reason"])),
        reasons={file.reason.value: file.reason for file in plan.source.quarantine},
        findings=sorted(plan.findings, key=lambda found: order.index(found.severity)),
    )


def _row_columns() -> tuple[str, ...]:
    return (
        *("series", "number", "description", "modality", "day", "files"),
        *("rows", "columns", "slices", "volumes", "echo_time_ms", "repetition_time_ms"),
        *("image_type", "bids", "sure", "why", "left_out"),
    )


def _row(series: Mapping[str, Any]) -> dict[str, str]:
    known = {name: _cell(series.get(name)) for name in _row_columns()}
    return known | {
        "series": _cell(series["index"]),
        "image_type": _cell("\\".join(series["image_type"])),
        "bids": _BETWEEN.join(series["bids"]),
        "left_out": _cell(series["skipped"]),
    }


def _original_columns() -> tuple[str, ...]:
    return tuple(f"identified_{name}" for name in _ORIGINAL_COLUMNS)


def _original(values: Mapping[str, Any]) -> dict[str, str]:
    return {f"identified_{name}": _cell(values.get(name)) for name in _ORIGINAL_COLUMNS}


def _cell(value: object) -> str:
    """Write a value so that no spreadsheet takes a header's text for a formula."""
    if value is None:
        return ""
    if isinstance(value, int | float):
        return f"{value:g}" if isinstance(value, float) else str(value)
    text = printable(str(value))
    return f"'{text}" if text.startswith(_BEGINS_FORMULA) else text
