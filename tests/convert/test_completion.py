"""What is known is written into sidecars, and what BIDS would not have is withdrawn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from bidsanon.convert.completion import complete_sidecars, withdraw_incomplete
from bidsanon.convert.scans import keep_scans_of
from bidsanon.session import ConvertedImage

LABELLED = {
    "ArterialSpinLabelingType": "PCASL",
    "BackgroundSuppression": True,
    "EchoTime": 0.01,
    "LabelingDuration": 1.8,
    "M0Type": "Included",
    "MRAcquisitionType": "3D",
    "MagneticFieldStrength": 3,
    "PostLabelingDelay": 1.8,
    "RepetitionTime": 4.5,
    "TotalAcquiredPairs": 20,
}


def _image(root: Path, name: str, sidecar: dict[str, Any], *, index: int = 1) -> ConvertedImage:
    folder, _, suffix = name.partition("/")
    path = f"sub-01/{folder}/sub-01_{suffix}.nii.gz"
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(b"")
    (root / path.replace(".nii.gz", ".json")).write_text(json.dumps(sidecar))
    return ConvertedImage(
        path=path, series_index=index, datatype=folder, suffix=suffix.rpartition("_")[2]
    )


def _sidecar(root: Path, image: ConvertedImage) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(
        (root / image.path.replace(".nii.gz", ".json")).read_text()
    )
    return content


def test_labelling_of_which_all_is_known_stays(tmp_path: Path) -> None:
    image = _image(tmp_path, "perf/asl", LABELLED)
    (tmp_path / "sub-01/perf/sub-01_aslcontext.tsv").write_text("volume_type\nm0scan\n")
    complete_sidecars(tmp_path, [image])
    assert _sidecar(tmp_path, image)["RepetitionTimePreparation"] == 4.5
    assert withdraw_incomplete(tmp_path, [image]) == ((image,), [], [])


@pytest.mark.parametrize(
    ("name", "sidecar", "missing"),
    [
        ("perf/asl", LABELLED, "aslcontext.tsv"),
        ("perf/asl", LABELLED | {"ArterialSpinLabelingType": "PASL"}, "BolusCutOffFlag"),
        ("perf/asl", LABELLED | {"MRAcquisitionType": "2D"}, "SliceTiming"),
        ("perf/m0scan", {"EchoTime": 1, "RepetitionTime": 2}, ": IntendedFor"),
        ("fmap/dir-AP_epi", {"TotalReadoutTime": 1}, "PhaseEncodingDirection"),
    ],
)
def test_what_bids_requires_and_nobody_knows_withdraws_an_image(
    tmp_path: Path, name: str, sidecar: dict[str, Any], missing: str
) -> None:
    image = _image(tmp_path, name, sidecar, index=4)
    complete_sidecars(tmp_path, [image])
    kept, skipped, findings = withdraw_incomplete(tmp_path, [image])
    assert kept == ()
    assert [(one.code, one.location) for one in findings] == [("IMAGE_LEFT_OUT", image.path)]
    assert missing in findings[0].message
    assert [(one.series_index, missing in one.reason) for one in skipped] == [(4, True)]
    assert list((tmp_path / image.path).parent.iterdir()) == []


def test_a_series_of_which_one_image_stays_is_not_skipped(tmp_path: Path) -> None:
    known = _image(tmp_path, "fmap/run-1_epi", {"PhaseEncodingDirection": "j"})
    unknown = _image(tmp_path, "fmap/run-2_epi", {})
    kept, skipped, findings = withdraw_incomplete(tmp_path, [known, unknown])
    assert (kept, skipped, len(findings)) == ((known,), [], 1)


@pytest.mark.parametrize(("volumes", "stays"), [(1, False), (2, True)])
def test_a_functional_run_has_several_volumes(tmp_path: Path, volumes: int, stays: bool) -> None:
    image = _image(tmp_path, "func/task-rest_bold", {})
    shape = (2, 2, 2, volumes) if volumes > 1 else (2, 2, 2)
    nibabel.Nifti1Image(np.zeros(shape, "int16"), np.eye(4)).to_filename(tmp_path / image.path)
    kept, _, findings = withdraw_incomplete(tmp_path, [image])
    assert bool(kept) is stays
    assert [one.message for one in findings] == [
        "the image is left out: one volume is no functional run"
    ] * (not stays)


def test_phase_is_said_to_be_in_arbitrary_units_unless_it_says_otherwise(tmp_path: Path) -> None:
    phase = _image(tmp_path, "anat/echo-1_part-phase_MEGRE", {"EchoTime": 1})
    radians = _image(tmp_path, "anat/echo-2_part-phase_MEGRE", {"Units": "rad"})
    magnitude = _image(tmp_path, "anat/echo-1_part-mag_MEGRE", {"EchoTime": 1})
    complete_sidecars(tmp_path, [phase, radians, magnitude])
    assert [_sidecar(tmp_path, i).get("Units") for i in (phase, radians, magnitude)] == [
        "arbitrary",
        "rad",
        None,
    ]


def test_scans_lists_the_images_there_are_with_their_series_times(tmp_path: Path) -> None:
    first = _image(tmp_path, "anat/T1w", {}, index=1)
    renamed = _image(tmp_path, "fmap/magnitude", {}, index=2)
    known = _image(tmp_path, "fmap/fieldmap", {}, index=2)
    lost = _image(tmp_path, "anat/T2w", {}, index=3)
    table = tmp_path / "sub-01" / "sub-01_scans.tsv"
    table.write_text(
        "filename\tacq_time\toperator\r\n"
        "fmap/sub-01_fieldmap.nii.gz\t1920-01-01T12:00:00\tn/a\r\n"
        "fmap/sub-01_fieldmap1.nii.gz\t1920-01-01T12:00:00\tn/a\r\n"
        "anat/sub-01_T1w.nii.gz\t1920-01-01T11:00:00\tn/a\r\n"
    )
    keep_scans_of(tmp_path, [first, renamed, known, lost], subject="01", session=None)
    assert table.read_bytes().decode().splitlines() == [
        "filename\tacq_time\toperator",
        "anat/sub-01_T1w.nii.gz\t1920-01-01T11:00:00\tn/a",
        "fmap/sub-01_fieldmap.nii.gz\t1920-01-01T12:00:00\tn/a",
        "fmap/sub-01_magnitude.nii.gz\t1920-01-01T12:00:00\tn/a",
        "anat/sub-01_T2w.nii.gz\tn/a\tn/a",
    ]
