"""The benchmarks measure what they say, on the session that they say."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from pydicom import dcmread

Load = Callable[[str], ModuleType]
BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Load:
    monkeypatch.syspath_prepend(BENCHMARKS)

    def module(name: str) -> ModuleType:
        return importlib.import_module(name)

    return module


WASTEFUL = "x = bytes(bytearray(90_000_000)); sum(range(9_000_000))"


@pytest.mark.parametrize(
    "program",
    [
        f"import subprocess, sys; subprocess.run([sys.executable, '-c', {WASTEFUL!r}], check=True)",
        f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {WASTEFUL!r}])",
    ],
    ids=["waits for it", "leaves it behind"],
)
def test_a_program_is_measured_with_its_children(load: Load, tmp_path: Path, program: str) -> None:
    cost = load("measuring").measure([sys.executable, "-c", program], log=tmp_path / "log")
    assert 0 < cost.wall_s < 60
    assert 0.05 < cost.cpu_s < 10
    assert 85 < cost.memory_mb < 200


def test_a_program_that_fails_ends_the_benchmark(load: Load, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with pytest.raises(SystemExit, match="ended with 3"):
        load("measuring").measure(
            [sys.executable, "-c", "print('why'); raise SystemExit(3)"], log=log
        )
    assert log.read_text() == "why\n"


def test_a_summary_is_the_median_time_and_the_greatest_memory(load: Load) -> None:
    measuring = load("measuring")
    costs = [
        measuring.Cost(wall_s=wall, cpu_s=2 * wall, memory_mb=memory)
        for wall, memory in ((1.0, 10.0), (9.0, 30.0), (2.0, 20.0))
    ]
    assert measuring.summarise(costs) == measuring.Cost(wall_s=2.0, cpu_s=4.0, memory_mb=30.0)


def test_the_session_is_classic_slices_without_an_anatomical_image(
    load: Load, tmp_path: Path
) -> None:
    load("convert").write_classic_session(tmp_path, slices=100)
    headers = [dcmread(path, stop_before_pixels=True) for path in tmp_path.rglob("*.dcm")]
    assert len(headers) == 120
    assert {header.ProtocolName for header in headers} == {"ep2d_bold_rest", "ep2d_diff_6dir"}
    assert not any("MOSAIC" in header.ImageType for header in headers)
    weights = {header.get((0x0019, 0x100C)) and header[0x0019, 0x100C].value for header in headers}
    assert weights == {None, 0, 1000}


def test_enhanced_images_have_thousands_of_elements(load: Load, tmp_path: Path) -> None:
    load("enhanced").write_enhanced_session(tmp_path, files=1)
    (path,) = tmp_path.iterdir()
    image = dcmread(path)
    assert sum(1 for _ in image.iterall()) > 7000
    assert image.NumberOfFrames == len(image.PerFrameFunctionalGroupsSequence) == 256


def test_a_set_is_repeated_as_other_series(load: Load, tmp_path: Path) -> None:
    load("convert").write_classic_session(tmp_path / "once", slices=60)
    (tmp_path / "twice").mkdir()
    load("deidentify").repeat(tmp_path / "once", tmp_path / "twice", copies=2)
    headers = [
        dcmread(path, stop_before_pixels=True) for path in (tmp_path / "twice").rglob("*.dcm")
    ]
    assert len(headers) == 120
    assert len({header.SOPInstanceUID for header in headers}) == 120
    assert len({header.SeriesInstanceUID for header in headers}) == 4
    assert len({header.StudyInstanceUID for header in headers}) == 1
    assert all(
        header.file_meta.MediaStorageSOPInstanceUID == header.SOPInstanceUID for header in headers
    )
