"""One published session, made once for each test process, and a copy of it for each test."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from in_process import ask_in_process
from runs import run_convert
from sessions import (
    MARA,
    Person,
    bold_mosaic,
    burned_in_capture,
    dwi_mosaic,
    structured_report,
)

from bidsanon.pipeline.run import Run


@pytest.fixture(autouse=True)
def _heuristics_are_asked_in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Save the second that a new process takes; what `published_run` makes goes through one."""
    ask_in_process(monkeypatch)


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session without heads: bold, diffusion, a screenshot and a report."""
    return visit(tmp_path_factory.mktemp("source"), replace(MARA, study_date="20230607"))


def visit(folder: Path, person: Person) -> Path:
    bold_mosaic(folder / "bold", person=person)
    dwi_mosaic(folder / "dwi", person=person)
    burned_in_capture(folder / "screen", person=person)
    structured_report(folder / "report", person=person)
    return folder


@pytest.fixture(scope="session")
def _published(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Run]:
    dataset = tmp_path_factory.mktemp("published") / "ds"
    first = visit(tmp_path_factory.mktemp("first_visit"), MARA)
    return dataset, run_convert(first, dataset=dataset, session="01")


@pytest.fixture(scope="session")
def published_run(_published: tuple[Path, Run]) -> Run:
    """The run that published the session."""
    return _published[1]


@pytest.fixture
def dataset(_published: tuple[Path, Run], tmp_path: Path) -> Path:
    """A dataset of its own for each test, with sub-01/ses-01 in it."""
    original, _ = _published
    copy = tmp_path / "study" / "ds"
    shutil.copytree(original, copy)
    shutil.copytree(
        original.with_name("ds.private"),
        copy.with_name("ds.private"),
        ignore=shutil.ignore_patterns("work"),
    )
    return copy
