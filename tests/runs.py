"""A short way to run ``convert`` as a library, for tests."""

from __future__ import annotations

from pathlib import Path

from bidsanon.pipeline.convert import convert
from bidsanon.pipeline.request import make_request
from bidsanon.pipeline.run import Run
from bidsanon.progress import Silent
from bidsanon.redaction import Redactor


def run_convert(*sources: Path, dataset: Path, subject: str = "01", **options: object) -> Run:
    request = make_request(sources, dataset=dataset, subject=subject, **options)  # type: ignore[arg-type]
    return convert(request, progress=Silent(), redactor=Redactor())
