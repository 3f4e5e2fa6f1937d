"""What dcm2niix makes of real originals and of their de-identified copies agrees, on every set."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from real_sets import EVERY_SET

from bidsanon.profile import load_profile

ROOT = Path(__file__).resolve().parents[2]
BENCHMARKS = ROOT / "benchmarks"
LOST = "the sidecar of the originals has {}, that of the de-identified copies does not"
LOST_WITH_REASON = {
    # A CT file's (0029,xx20) holds a date, which dcm2niix takes for a CSA header.
    "burned-in-pixels": {LOST.format("MatrixCoilMode")},
    # A person's name is that of an organ.
    "malformed-and-odd": {LOST.format("BodyPart")},
}
ONE_OF_EACH_VENDOR = (
    "ge-dv27-b0map",
    "philips-r53-enhanced-fmap",
    "siemens-ve11-epi-mosaic",
    "siemens-xa60-interrupted-bold",
)
FORMS = (None, "IMPLICIT", "UNKNOWN")


@pytest.fixture
def fidelity(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Give the program that writes the table in the documentation."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module("fidelity")


def test_no_set_is_left_out(shared_data: Callable[[str], Path], fidelity: ModuleType) -> None:
    assert fidelity.sets(shared_data("SOURCE.md").parent) == EVERY_SET


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in ONE_OF_EACH_VENDOR else pytest.mark.slow)
        for name in EVERY_SET
    ],
)
def test_every_set_agrees_in_every_encoding(
    name: str,
    form: str | None,
    shared_data: Callable[[str], Path],
    fidelity: ModuleType,
    tmp_path: Path,
) -> None:
    compare(fidelity, shared_data(name), tmp_path, form=form)


@pytest.mark.slow
@pytest.mark.parametrize("name", EVERY_SET)
def test_every_set_agrees_in_the_strict_profile(
    name: str, shared_data: Callable[[str], Path], fidelity: ModuleType, tmp_path: Path
) -> None:
    compare(fidelity, shared_data(name), tmp_path, profile="strict", form=None)


def test_the_bare_profile_does_not_agree(
    shared_data: Callable[[str], Path], fidelity: ModuleType, tmp_path: Path
) -> None:
    row = fidelity.compare_set(
        shared_data("siemens-ve11-epi-mosaic"), profile=load_profile("basic"), work=tmp_path
    )
    assert row.changed == row.images == 4
    assert any("SliceTiming" in what for what in row.differences)


def test_the_page_in_the_documentation_tells_of_every_set() -> None:
    page = (ROOT / "docs" / "fidelity.md").read_text("utf-8")
    tables = page.split("\n## ")[1:]
    assert len(tables) == 4
    for table in tables:
        rows = [line.split(" | ") for line in table.splitlines() if line.startswith("| ")][1:]
        assert [row[0].removeprefix("| ") for row in rows] == list(EVERY_SET)
        for row in rows:
            assert row[-1] == "none |" or row[0].removeprefix("| ") in LOST_WITH_REASON, row


def compare(
    fidelity: ModuleType, folder: Path, work: Path, *, profile: str = "bids", form: str | None
) -> None:
    row = fidelity.compare_set(
        folder,
        profile=load_profile(profile),
        work=work,
        form=None if form is None else fidelity.Form[form],
    )
    assert row.images
    assert row.compared
    assert row.differences.keys() <= LOST_WITH_REASON.get(folder.name, set())
