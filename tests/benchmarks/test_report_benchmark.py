"""The datasets of the report's benchmark are what it says; of each session little is kept."""

from __future__ import annotations

import gc
import importlib
import tracemalloc
from pathlib import Path
from types import ModuleType

import pytest
from made_pages import say

from bidsanon.pipeline.report import Report, report
from bidsanon.pipeline.report_request import make_report_request
from bidsanon.progress import Silent
from bidsanon.redaction import Redactor

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
_MOST_OF_A_SESSION = 5_000


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(BENCHMARKS)
    say(monkeypatch)
    return importlib.import_module("report")


def pages(root: Path) -> Report:
    return report(make_report_request(root), progress=Silent(), redactor=Redactor())


def kept_bytes(root: Path) -> int:
    """How much memory is held once a dataset's pages are written.

    Without what is garbage by then: a page's parts refer to each other, so they go when the
    collector next runs, which is at another moment on another machine.
    """
    tracemalloc.start()
    made = pages(root)
    gc.collect()
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert made.sessions
    return kept


def test_each_session_has_its_images_and_its_record(benchmark: ModuleType, tmp_path: Path) -> None:
    made = pages(benchmark.make_sessions(tmp_path / "ds", count=6))
    assert [row.label for row in made.sessions][-2:] == ["sub-0001, ses-5", "sub-0002, ses-1"]
    assert {row.kinds for row in made.sessions} == {"1 anat, 1 func"}
    assert {len(row.gates) for row in made.sessions} == {9}
    html = made.pages[1].read_text("utf-8")
    assert html.count("<img") == 2 + 1 + 12  # two mosaics, a carpet, the head before and after
    assert "Changed since" not in html


@pytest.mark.slow
def test_of_a_session_whose_page_is_written_little_is_kept(
    benchmark: ModuleType, tmp_path: Path
) -> None:
    few, many = 10, 40
    pages(benchmark.make_sessions(tmp_path / "first", count=1))  # what is loaded once
    least = kept_bytes(benchmark.make_sessions(tmp_path / "few", count=few))
    most = kept_bytes(benchmark.make_sessions(tmp_path / "many", count=many))
    assert (most - least) / (many - few) < _MOST_OF_A_SESSION
