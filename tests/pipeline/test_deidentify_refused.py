"""What hinders ``deidentify`` from delivering, and what a medium's directory cannot list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.uid import GrayscaleSoftcopyPresentationStateStorage
from runs import run_deidentify
from sessions import MARA, dicomdir_medium, dwi_mosaic

from bidsanon.convert import images
from bidsanon.convert.fidelity import Converted
from bidsanon.pipeline import deidentify as pipeline
from bidsanon.pipeline.deidentify_run import DeidentifyRun
from bidsanon.profile import Amendment
from bidsanon.publish import DICOMDIR


def codes(run: DeidentifyRun) -> dict[str, str]:
    return {f.code: f.message for result in run.gates.results for f in result.findings}


def test_a_source_of_which_no_file_is_understood_delivers_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = dwi_mosaic(tmp_path / "source", person=MARA)
    deidentify_session = pipeline.deidentify_session

    def losing_all(*arguments: Any, **options: Any) -> Any:
        made = deidentify_session(*arguments, **options)
        return replace(made, series=tuple(replace(one, files=()) for one in made.series))

    monkeypatch.setattr(pipeline, "deidentify_session", losing_all)
    run = run_deidentify(tmp_path / "source", out=tmp_path / "out")
    assert f"none of the {len(given)} file(s)" in codes(run)["NOTHING_DEIDENTIFIED"]
    assert not (tmp_path / "out").exists()


def test_series_of_which_dcm2niix_makes_no_image_are_named_and_deliver_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dwi_mosaic(tmp_path / "source", person=MARA)

    def failing(_: Path, into: Path, __: Iterable[Path]) -> Converted:
        into.mkdir()
        return Converted(folder=into, status=1)

    monkeypatch.setattr(images, "convert_folder", failing)
    run = run_deidentify(tmp_path / "source", out=tmp_path / "out", output="nifti")
    assert "status 1" in codes(run)["SERIES_WITHOUT_IMAGE"]
    assert "NO_IMAGE_MADE" in codes(run)
    assert not (tmp_path / "out").exists()


def test_copies_that_would_get_one_name_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dwi_mosaic(tmp_path / "source", person=MARA)
    deidentify_session = pipeline.deidentify_session

    def repeating(*arguments: Any, **options: Any) -> Any:
        made = deidentify_session(*arguments, **options)
        first, second, *_ = made.series[0].files
        second.write_bytes(first.read_bytes())
        return made

    monkeypatch.setattr(pipeline, "deidentify_session", repeating)
    run = run_deidentify(tmp_path / "source", out=tmp_path / "out")
    assert codes(run)["OUTPUT_NAMES_SHARED"].startswith("1 file(s)")
    assert not (tmp_path / "out").exists()


def test_what_a_mediums_directory_cannot_list_lies_beside_the_rest(tmp_path: Path) -> None:
    given = dicomdir_medium(tmp_path / "source", person=MARA)
    path, *others = dwi_mosaic(tmp_path / "source" / "state", person=MARA)
    state = dcmread(path)
    state.SOPClassUID = GrayscaleSoftcopyPresentationStateStorage
    state.file_meta.MediaStorageSOPClassUID = state.SOPClassUID
    del state.PixelData
    state.save_as(path)
    admitted = Amendment(options=("clean-graphics",), modalities=("MR", "PR"))
    run = run_deidentify(tmp_path / "source", out=tmp_path / "out", amendment=admitted)
    assert codes(run)["DICOMDIR_IN_PART"].startswith("1 object(s)")
    assert run.files == len(given) - 1 + 1 + len(others)
    assert (tmp_path / "out" / DICOMDIR).is_file()
