"""PET: converted where its headers say enough, on the session's clock; CT is sent elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sessions
from plain_staging import stage_plainly
from pydicom import dcmread
from runs import run_convert
from sessions.emission import INJECTED_BEFORE_S, positron_emission

from bidsanon.convert import plan_conversion, resolve_heuristic
from bidsanon.convert.completion import withdraw_incomplete
from bidsanon.convert.emission import complete_emission
from bidsanon.errors import SourceError
from bidsanon.findings import Finding
from bidsanon.session import ConvertedImage

PET = "sub-01/pet/sub-01_trc-FDG_pet"
WITHOUT_FACE = {"deface": "none"}

Complete = Callable[..., tuple[dict[str, Any], list[Finding]]]


@pytest.fixture(name="complete")
def _complete(tmp_path: Path) -> Complete:
    """Complete the sidecar of a PET series whose files were changed."""

    def complete(change: Callable[[Any], None], **said: object) -> Any:
        files = positron_emission(tmp_path / "source")
        for file in files:
            header = dcmread(file)
            change(header)
            header.save_as(file)
        staged = stage_plainly([tmp_path / "source"], tmp_path / "staged")
        sidecar = tmp_path / "out" / f"{PET}.json"
        sidecar.parent.mkdir(parents=True)
        sidecar.write_text(json.dumps(said))
        image = ConvertedImage(path=f"{PET}.nii.gz", series_index=1, datatype="pet", suffix="pet")
        findings = complete_emission(tmp_path / "out", [image], staged.series)
        return json.loads(sidecar.read_text()), findings

    return complete


def _unchanged(_header: Any) -> None:
    """Leave a header as it is."""


def _dose(header: Any) -> Any:
    return header.RadiopharmaceuticalInformationSequence[0]


def test_the_injection_is_an_interval_from_the_start_of_the_scan(complete: Complete) -> None:
    said, _ = complete(_unchanged)
    assert said["TimeZero"].startswith("08:14:22.34")
    assert (said["ScanStart"], said["InjectionStart"]) == (0, -INJECTED_BEFORE_S)


def test_a_time_without_a_date_may_lie_before_midnight(complete: Complete) -> None:
    def change(header: Any) -> None:
        header.AcquisitionTime = "001000.5"
        del _dose(header).RadiopharmaceuticalStartDateTime
        _dose(header).RadiopharmaceuticalStartTime = "235000.5"

    said, _ = complete(change)
    assert said["InjectionStart"] == -20 * 60


def test_what_no_header_holds_is_said_not_to_be_known(complete: Complete) -> None:
    said, findings = complete(_unchanged, InjectedMass=4, InjectedMassUnits="ug")
    assert said["InjectedMass"] == 4
    assert said["ModeOfAdministration"] == said["SpecificRadioactivity"] == "n/a"
    (found,) = findings
    assert found.code == "PET_NOT_TOLD"
    assert "ModeOfAdministration" in found.message
    assert "InjectedMass" not in found.message


def test_a_scan_of_which_nobody_says_when_the_tracer_was_given_is_left_out(
    complete: Complete, tmp_path: Path
) -> None:
    def change(header: Any) -> None:
        del _dose(header).RadiopharmaceuticalStartDateTime
        del _dose(header).RadiopharmaceuticalStartTime

    said, _ = complete(change)
    assert "InjectionStart" not in said
    image = ConvertedImage(path=f"{PET}.nii.gz", series_index=1, datatype="pet", suffix="pet")
    kept, skipped, _ = withdraw_incomplete(tmp_path / "out", [image])
    assert kept == ()
    assert "InjectionStart" in skipped[0].reason


def test_the_units_of_counts_are_said_to_be_none(complete: Complete) -> None:
    said, _ = complete(_unchanged, ReconMethodParameterLabels=["subsets", "iterations"])
    assert said["ReconMethodParameterUnits"] == ["none", "none"]


def test_computed_tomography_alone_is_sent_elsewhere(tmp_path: Path) -> None:
    sessions.computed_tomography(tmp_path / "source")
    with pytest.raises(SourceError) as refused:
        run_convert(tmp_path / "source", dataset=tmp_path / "study")
    assert "BIDS has no place" in str(refused.value)
    assert "--format nifti" in refused.value.cure
    assert not (tmp_path / "study").exists()


@pytest.mark.slow
def test_a_pet_session_is_published_on_one_clock(tmp_path: Path) -> None:
    from bidsanon.deface import DefaceOptions  # noqa: PLC0415

    positron_emission(tmp_path / "source" / "pet")
    sessions.computed_tomography(tmp_path / "source" / "ct")
    run = run_convert(
        tmp_path / "source",
        dataset=tmp_path / "study",
        deface=DefaceOptions(engine="none", because="a made-up person"),
    )
    assert run.refusal is None
    assert {finding.code for finding in run.converted.findings} >= {
        "CT_HAS_NO_PLACE",
        "PET_NOT_TOLD",
    }
    said = json.loads((tmp_path / "study" / f"{PET}.json").read_text())
    assert (said["TimeZero"], said["InjectionStart"]) == ("12:00:00", -INJECTED_BEFORE_S)
    assert said["TracerName"] == "FDG"


@pytest.mark.usefixtures("worker_in_process")
def test_a_plan_names_what_bids_has_no_place_for(tmp_path: Path) -> None:
    sessions.computed_tomography(tmp_path / "source")
    staged = stage_plainly([tmp_path / "source"], tmp_path / "staged")
    planned = plan_conversion(
        staged,
        heuristic=resolve_heuristic("auto"),
        subject="01",
        session=None,
        work=tmp_path / "work",
    )
    assert [found.code for found in planned.findings] == ["CT_HAS_NO_PLACE"]
    assert "no place" in planned.series[0].reason
