"""A short way to run ``convert`` and ``deidentify`` as a library, for tests."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from bidsanon.pipeline.convert import convert
from bidsanon.pipeline.deidentify import deidentify
from bidsanon.pipeline.deidentify_request import OutputFormat, make_deidentify_request
from bidsanon.pipeline.deidentify_run import DeidentifyRun
from bidsanon.pipeline.options import RunOptions
from bidsanon.pipeline.plan import SessionPlan, plan_session
from bidsanon.pipeline.request import make_request
from bidsanon.pipeline.run import Run
from bidsanon.progress import Silent
from bidsanon.redaction import Redactor

_RUN = {field.name for field in fields(RunOptions)}


def run_convert(
    *sources: Path, dataset: Path, subject: str | None = "01", **options: object
) -> Run:
    request = make_request(sources, dataset=dataset, subject=subject, **_apart(options))
    return convert(request, progress=Silent(), redactor=Redactor())


def plan_convert(
    *sources: Path, dataset: Path, subject: str | None = "01", **options: object
) -> SessionPlan:
    request = make_request(sources, dataset=dataset, subject=subject, **_apart(options))
    return plan_session(request, progress=Silent())


def run_deidentify(
    *sources: Path, out: Path, output: str = "dicom", **options: object
) -> DeidentifyRun:
    request = make_deidentify_request(
        sources, out=out, output=OutputFormat(output), **_apart(options)
    )
    return deidentify(request, progress=Silent(), redactor=Redactor())


def _apart(options: dict[str, Any]) -> dict[str, Any]:
    """Put what every run lets its user choose into one record."""
    others = {name: value for name, value in options.items() if name not in _RUN}
    run = {name: value for name, value in options.items() if name in _RUN}
    return {**others, "options": RunOptions(**run)}
