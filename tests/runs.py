"""A short way to run ``convert`` and ``deidentify`` as a library, for tests."""

from __future__ import annotations

from pathlib import Path

from bidsanon.pipeline.convert import convert
from bidsanon.pipeline.deidentify import deidentify
from bidsanon.pipeline.deidentify_request import OutputFormat, make_deidentify_request
from bidsanon.pipeline.deidentify_run import DeidentifyRun
from bidsanon.pipeline.request import make_request
from bidsanon.pipeline.run import Run
from bidsanon.progress import Silent
from bidsanon.redaction import Redactor


def run_convert(*sources: Path, dataset: Path, subject: str = "01", **options: object) -> Run:
    request = make_request(sources, dataset=dataset, subject=subject, **options)  # type: ignore[arg-type]
    return convert(request, progress=Silent(), redactor=Redactor())


def run_deidentify(
    *sources: Path, out: Path, output: str = "dicom", **options: object
) -> DeidentifyRun:
    request = make_deidentify_request(
        sources,
        out=out,
        output=OutputFormat(output),
        **options,  # type: ignore[arg-type]
    )
    return deidentify(request, progress=Silent(), redactor=Redactor())
