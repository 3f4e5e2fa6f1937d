"""The bundled heuristic that keeps what the scanner computed of diffusion."""

from __future__ import annotations

from pathlib import Path

import pytest
import sessions
from in_process import ask_in_process
from plain_staging import stage_plainly
from runs import run_convert
from sessions.contrasts import diffusion_maps

from bidsanon.convert import plan_conversion, resolve_heuristic
from bidsanon.convert.loading import load_heuristic


@pytest.fixture(autouse=True)
def _in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    ask_in_process(monkeypatch)


NAMES = {"ADC": "ADC", "FA": "FA", "TRACEW": "trace", "COLFA": ""}


@pytest.mark.parametrize(
    ("heuristic", "expected"),
    [
        ("auto", [""] * len(NAMES)),
        ("auto_maps", [f"sub-01/dwi/sub-01_{n}.nii.gz" if n else "" for n in NAMES.values()]),
    ],
)
def test_maps_of_diffusion_are_named_only_where_they_are_asked_for(
    tmp_path: Path, heuristic: str, expected: list[str]
) -> None:
    diffusion_maps(tmp_path / "source")
    plan = plan_conversion(
        stage_plainly([tmp_path / "source"], tmp_path / "staged"),
        heuristic=resolve_heuristic(heuristic),
        subject="01",
        session=None,
        work=tmp_path / "work",
    )
    assert [next(iter(one.names), "") for one in plan.series] == expected
    assert all(bool(one.reason) != bool(one.names) for one in plan.series)


def test_a_table_of_gradients_stays_with_runs_alone(tmp_path: Path) -> None:
    heuristic = load_heuristic(resolve_heuristic("auto_maps"), timeout_s=60)
    for suffix in ("trace", "dwi"):
        for extension in (".bval", ".bvec", ".json"):
            (tmp_path / f"sub-01_{suffix}{extension}").write_text("{}")
        heuristic.custom_callable(str(tmp_path / f"sub-01_{suffix}"), ("nii.gz",), [])
    left = sorted(path.name.removeprefix("sub-01_") for path in tmp_path.iterdir())
    assert left == ["dwi.bval", "dwi.bvec", "dwi.json", "trace.json"]


@pytest.mark.slow
def test_maps_of_diffusion_are_published_as_valid_bids(tmp_path: Path) -> None:
    diffusion_maps(tmp_path / "source" / "maps")
    sessions.dwi_mosaic(tmp_path / "source" / "run")
    run = run_convert(tmp_path / "source", dataset=tmp_path / "study", heuristic="auto_maps")
    assert run.refusal is None
    published = (tmp_path / "study" / "sub-01" / "dwi").glob("*.nii.gz")
    assert {path.name for path in published} == {
        f"sub-01_{suffix}.nii.gz" for suffix in ("ADC", "FA", "dwi", "trace")
    }
