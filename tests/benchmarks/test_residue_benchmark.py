"""The residue benchmark reads what it says, and ends at a false alarm."""

from __future__ import annotations

import gzip
import importlib
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module("residue")


def test_its_files_are_read_to_the_last_byte_and_clean(
    benchmark: ModuleType, tmp_path: Path
) -> None:
    root = benchmark.make_files(tmp_path / "ds", count=8)
    files = [path for path in root.rglob("*") if path.is_file()]
    sizes = (
        len(gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes())
        for path in files
    )
    assert len(files) == 8 + 2
    assert benchmark.read_all(root, jobs=2) == sum(sizes)
    benchmark.search(root, jobs=1)


def test_a_find_ends_it(benchmark: ModuleType, tmp_path: Path) -> None:
    root = benchmark.make_files(tmp_path / "ds", count=4)
    (root / "README").write_text("Quillfeather")
    with pytest.raises(SystemExit, match="a false alarm"):
        benchmark.search(root, jobs=1)
