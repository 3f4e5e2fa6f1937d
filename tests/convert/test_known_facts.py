"""What a lab knows of its images: written where no header says it, and published whole."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from runs import run_convert
from sessions.contrasts import labelled, special_contrasts

from bidsanon.audit import Journal
from bidsanon.convert.known import KnownFacts, load_known, write_known
from bidsanon.deface import DefaceOptions
from bidsanon.errors import PolicyError
from bidsanon.session import ConvertedImage

ASL = {
    "ArterialSpinLabelingType": "PASL",
    "BackgroundSuppression": False,
    "BolusCutOffFlag": False,
    "M0Type": "Separate",
    "PostLabelingDelay": 1.8,
    "TotalAcquiredPairs": 3,
    "VolumeTypes": ["control", "label"],
}
FACES_KEPT = DefaceOptions(engine="none", because="a made-up person")


def _file(folder: Path, content: object) -> Path:
    file = folder / "known.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return file


def _image(root: Path, sidecar: dict[str, Any], volumes: int) -> ConvertedImage:
    path = "sub-01/perf/sub-01_asl.nii.gz"
    (root / path).parent.mkdir(parents=True)
    image = nibabel.Nifti1Image(np.zeros((2, 2, 2, volumes), np.int16), np.eye(4))
    nibabel.save(image, root / path)
    (root / path.replace(".nii.gz", ".json")).write_text(json.dumps(sidecar))
    return ConvertedImage(path=path, series_index=1, datatype="perf", suffix="asl")


def test_what_a_header_says_is_never_overruled(tmp_path: Path) -> None:
    image = _image(tmp_path, {"PostLabelingDelay": 2.0}, volumes=4)
    write_known(tmp_path, [image], load_known(_file(tmp_path, {"asl": ASL})))
    said = json.loads((tmp_path / "sub-01/perf/sub-01_asl.json").read_text())
    assert said == {k: v for k, v in ASL.items() if k != "VolumeTypes"} | {"PostLabelingDelay": 2.0}


@pytest.mark.parametrize(
    ("volumes", "types"),
    [(3, ["control", "label", "control"]), (4, ["control", "label", "control", "label"])],
)
def test_the_types_of_volumes_are_repeated_as_often_as_there_are_volumes(
    tmp_path: Path, volumes: int, types: list[str]
) -> None:
    image = _image(tmp_path, {}, volumes=volumes)
    write_known(tmp_path, [image], KnownFacts(volume_types=("control", "label")))
    table = (tmp_path / "sub-01/perf/sub-01_aslcontext.tsv").read_text()
    assert table.split() == ["volume_type", *types]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "cannot be understood"),
        ({"asl": []}, "asl: it is no object"),
        ({"asl": {"BackgroundSupression": True}}, "BackgroundSupression is no field"),
        ({"T1w": {"PatientName": "x"}}, "PatientName is no field"),
        ({"asl": {"VolumeTypes": ["tagged"]}}, "VolumeTypes is a list of"),
        ({"asl": {"VolumeTypes": [["label"]]}}, "VolumeTypes is a list of"),
        ({"asl": {"VolumeTypes": []}}, "VolumeTypes is a list of"),
        ({"bold": {"VolumeTypes": ["label"]}}, "bold: VolumeTypes is no field"),
    ],
)
def test_a_file_that_no_sidecar_could_hold_is_refused(
    tmp_path: Path, content: object, told: str
) -> None:
    with pytest.raises(PolicyError, match=told):
        load_known(_file(tmp_path, content))


def test_what_is_known_is_remembered_by_the_digest_of_its_file(tmp_path: Path) -> None:
    file = _file(tmp_path, {"asl": ASL})
    assert load_known(file).digest == hashlib.sha256(file.read_bytes()).hexdigest()


def test_a_file_that_is_not_there_is_named_so(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="cannot be read"):
        load_known(tmp_path / "none.json")


@pytest.mark.slow
def test_labelled_runs_are_published_once_the_lab_says_what_it_knows(tmp_path: Path) -> None:
    labelled(tmp_path / "source")
    without = run_convert(tmp_path / "source", dataset=tmp_path / "first", deface=FACES_KEPT)
    assert without.refusal is not None
    known = _file(tmp_path, {"asl": ASL})
    run = run_convert(
        tmp_path / "source", dataset=tmp_path / "study", deface=FACES_KEPT, known=known
    )
    assert run.refusal is None
    (entry,) = Journal(tmp_path / "study.private").entries()
    assert entry["known_digest"] == hashlib.sha256(known.read_bytes()).hexdigest()
    assert [image.path for image in run.converted.images] == [
        "sub-01/perf/sub-01_asl.nii.gz",
        "sub-01/perf/sub-01_m0scan.nii.gz",
    ]
    said = json.loads((tmp_path / "study/sub-01/perf/sub-01_m0scan.json").read_text())
    assert said["IntendedFor"] == ["bids::sub-01/perf/sub-01_asl.nii.gz"]


@pytest.mark.slow
def test_special_contrasts_are_published_by_their_names(tmp_path: Path) -> None:
    special_contrasts(tmp_path / "source")
    known = _file(tmp_path, {"MP2RAGE": {"NumberShots": 120, "RepetitionTimeExcitation": 0.007}})
    run = run_convert(
        tmp_path / "source", dataset=tmp_path / "study", deface=FACES_KEPT, known=known
    )
    assert run.refusal is None
    assert [image.path.removeprefix("sub-01/anat/sub-01_") for image in run.converted.images] == [
        "UNIT1.nii.gz",
        "acq-dualecho_PDw.nii.gz",
        "acq-dualecho_T2w.nii.gz",
        "angio.nii.gz",
        "echo-1_MEGRE.nii.gz",
        "echo-2_MEGRE.nii.gz",
        "echo-3_MEGRE.nii.gz",
        "inplaneT2.nii.gz",
        "inv-1_MP2RAGE.nii.gz",
        "inv-2_MP2RAGE.nii.gz",
        "part-mag_T2starw.nii.gz",
        "part-phase_T2starw.nii.gz",
    ]
    (skipped,) = run.converted.skipped
    assert skipped.reason == "computed by the scanner: a susceptibility-weighted image"
