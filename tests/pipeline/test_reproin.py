"""Protocols that are named as ReproIn has it, with ``-f reproin``; identities are cleaned."""

from __future__ import annotations

from pathlib import Path

import pytest
from in_process import ask_in_process
from pydicom import dcmread
from runs import run_convert
from sessions import MARA
from sessions.siemens import bold_mosaic, dwi_mosaic, scout, siemens_t1w

from bidsanon.pipeline.plan import SessionPlan, plan_session
from bidsanon.pipeline.request import make_request
from bidsanon.progress import Silent

PROTOCOLS = (
    ("anat-scout_ses-01", scout),
    ("anat-T1w_acq-mprage", siemens_t1w),
    ("func-bold_task-rest_run-01", bold_mosaic),
    ("func-bold_task-rest_run-01", bold_mosaic),
    ("func-bold_task-nback_acq-mb8_run-02__dup1", bold_mosaic),
    ("fmap-epi_dir-PA", bold_mosaic),
    ("dwi_dir-AP", dwi_mosaic),
)
NAMES = {
    2: "anat/sub-01_ses-01_acq-mprage_T1w",
    4: "func/sub-01_ses-01_task-rest_run-01_bold",
    5: "func/sub-01_ses-01_task-nback_acq-mb8_run-02_bold",
    6: "fmap/sub-01_ses-01_dir-PA_epi",
    7: "dwi/sub-01_ses-01_dir-AP_dwi",
}


def _write(folder: Path, *, prefix: str = "", without: tuple[str, ...] = ()) -> Path:
    """Write a session whose series follow each other by number and time."""
    for number, (protocol, build) in enumerate(PROTOCOLS, start=1):
        if protocol.startswith(without):
            continue
        for path in build(folder / str(number)):
            header = dcmread(path)
            header.SeriesNumber = number
            header.SeriesInstanceUID = f"1.2.3.{number}"
            header.SOPInstanceUID = f"1.2.3.{number}.{header.InstanceNumber}"
            header.AcquisitionTime = f"10{number:02d}{int(header.InstanceNumber):02d}.000000"
            header.SeriesDescription = header.ProtocolName = prefix + protocol
            header.save_as(path)
    return folder


def _plan(source: Path) -> SessionPlan:
    request = make_request(
        (source,),
        dataset=source.parent / "ds",
        subject="01",
        session="01",
        heuristic="reproin",
    )
    return plan_session(request, progress=Silent())


@pytest.mark.parametrize("prefix", ["", "WIP "])
def test_each_series_gets_the_name_that_its_protocol_spells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prefix: str
) -> None:
    ask_in_process(monkeypatch)
    source = _write(tmp_path / "in", prefix=prefix)
    plan = _plan(source)
    described = [plan.descriptions[number] for number in sorted(plan.descriptions)]
    assert described == [prefix + protocol for protocol, _ in PROTOCOLS]
    names = {one.series_index: one.names[0] for one in plan.conversion.series if one.names}
    assert names == {n: f"sub-01/ses-01/{name}.nii.gz" for n, name in NAMES.items()}
    reasons = {one.series_index: one.reason for one in plan.conversion.series if one.reason}
    assert reasons.keys() == {1, 3}
    assert "discarded repeat" in reasons[3]
    of_series = [f.code for f in plan.findings if not f.code.startswith("DATASET_")]
    assert of_series == ["DISCARDED_REPEAT"]
    assert plan.exit_code == 0


@pytest.mark.slow
def test_such_a_session_is_published_and_holds_nothing_of_its_study(tmp_path: Path) -> None:
    source = _write(tmp_path / "in", without=("anat",))
    run = run_convert(source, dataset=tmp_path / "ds", session="01", heuristic="reproin")
    assert run.refusal is None
    published = {
        str(path.relative_to(tmp_path / "ds" / "sub-01/ses-01"))
        for path in (tmp_path / "ds").rglob("*.nii.gz")
    }
    assert published == {f"{name}.nii.gz" for n, name in NAMES.items() if n > 2}
    for path in (tmp_path / "ds").rglob("*.json"):
        assert MARA.study_description not in path.read_text()
