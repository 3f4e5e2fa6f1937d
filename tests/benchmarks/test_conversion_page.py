"""The page that says what became of the sets of real scanners says what becomes of them."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path

import pytest
from real_sets import EVERY_SET

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "conversion.md"


def test_the_page_speaks_of_every_set() -> None:
    told = {
        line.split("|")[1].split(",")[0].strip()
        for line in PAGE.read_text().splitlines()
        if line.startswith("| ")
    }
    assert set(EVERY_SET) <= told


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ge-dv27-b0map", "siemens-phoenix-sr", "burned-in-pixels"])
def test_the_page_says_what_becomes_of_a_set(
    monkeypatch: pytest.MonkeyPatch,
    shared_data: Callable[[str], Path],
    tmp_path: Path,
    name: str,
) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    conversion = importlib.import_module("conversion")
    lines = [
        f"| {' | '.join(row.cells())} |" for row in conversion.rows(shared_data(name), tmp_path)
    ]
    assert lines == [line for line in PAGE.read_text().splitlines() if line.startswith(f"| {name}")]
