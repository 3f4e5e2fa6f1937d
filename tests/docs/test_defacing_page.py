"""What the page on defacing says was measured was measured, and its limits are the program's."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from types import ModuleType

import pytest

from bidsanon.deface import brain, visage
from bidsanon.deface.selfcheck import LIMITS

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "defacing.md"
LIMIT = re.compile(
    r"^\| `(?P<name>\w+)` \| (?:at least |at most |below )?(?P<limit>[\d.]+) \|", re.MULTILINE
)

Load = Callable[[str], ModuleType]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Load:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return importlib.import_module


@pytest.mark.parametrize(
    ("name", "module", "record"),
    [
        ("robustness", "deface_robustness", "Result"),
        ("displaced", "deface_displaced", "Displaced"),
    ],
)
def test_a_table_is_what_its_results_make(load: Load, name: str, module: str, record: str) -> None:
    bench = load(module)
    results = load("records").read_records(getattr(bench, record), bench.RESULTS)
    assert results
    assert load("tables").table_of(PAGE, name) == list(bench.table(results))


def test_the_robustness_table_has_each_change_and_each_kind_of_head(load: Load) -> None:
    bench = load("deface_robustness")
    results = load("records").read_records(bench.Result, bench.RESULTS)
    assert {r.change for r in results} == {*bench.CHANGES, "no head"}
    assert len({r.head for r in results if r.error_mm is not None}) >= 6
    assert not any(r.figures for r in results)


def test_no_wrong_cut_was_accepted_and_no_brain_lost(load: Load) -> None:
    bench = load("deface_robustness")
    results = load("records").read_records(bench.Result, bench.RESULTS)
    assert [r.case for r in results if r.wrong_accept] == []
    assert [r.case for r in results if r.accepted and r.brain_lost >= bench.BRAIN_LOST] == []


def test_the_limits_on_the_page_are_the_programs() -> None:
    written = {m["name"]: float(m["limit"]) for m in LIMIT.finditer(PAGE.read_text("utf-8"))}
    expected = {field.name: getattr(LIMITS, field.name) for field in fields(LIMITS)}
    del expected["lead"]
    expected |= {
        "nose_mm_after": visage.NOSE_MM,
        "eyes_mm_after": visage.EYES_MM,
        "face_forward_after": visage.FORWARD_SHARE,
        "views_after": 0,
        "brain_in_cut_ml": brain.TOLERATED_ML,
        "brain_near_cut_ml": brain.NEAR_TOLERATED_ML,
    }
    assert written == expected


def test_a_table_is_written_where_the_old_one_was(load: Load, tmp_path: Path) -> None:
    tables = load("tables")
    page = tmp_path / "page.md"
    page.write_text(
        "before\n<!-- one: how -->\n| old |\n<!-- end -->\nafter\n<!-- two -->\n<!-- end -->\n"
    )
    tables.write_table(page, "one", ["| a |", "|---|"])
    tables.write_table(page, "two", ["| b |"])
    assert page.read_text() == (
        "before\n<!-- one: how -->\n\n| a |\n|---|\n\n<!-- end -->\nafter\n"
        "<!-- two -->\n\n| b |\n\n<!-- end -->\n"
    )
    assert tables.table_of(page, "one") == ["| a |", "|---|"]
    with pytest.raises(LookupError, match="0 tables called three"):
        tables.table_of(page, "three")
