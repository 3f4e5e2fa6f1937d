"""Which images show a face, and which were acquired together."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
from bidsschematools.schema import load_schema

from bidsanon.deface.acquisition import Acquisition, Component, group_acquisitions
from bidsanon.deface.faces import shows_face
from bidsanon.deface.options import Also
from bidsanon.deface.voxels import UnreadableImageError, read_header


def _suffixes(datatype: str) -> set[str]:
    rules = load_schema().rules.files.raw[datatype]
    return {suffix for rule in rules.values() for suffix in rule.suffixes} - {"defacemask"}


FINE = np.diag([1.0, 1.0, 1.0, 1.0])
THICK = np.diag([0.9, 0.9, 5.0, 1.0])
COARSE = np.diag([3.0, 3.0, 3.0, 1.0])
LARGE = np.diag([30.0, 30.0, 30.0, 1.0])


@pytest.mark.parametrize(
    ("datatype", "suffix", "affine", "asked"),
    [
        ("anat", "T1w", FINE, True),
        ("anat", "T2w", THICK, True),
        ("anat", "FLAIR", COARSE, True),
        ("anat", "T2starw", COARSE, True),
        ("anat", "MEGRE", FINE, True),
        ("anat", "UNIT1", FINE, True),
        ("pet", "pet", COARSE, True),
        ("ct", "ct", COARSE, True),
        ("func", "bold", FINE, False),
        ("func", "sbref", COARSE, False),
        ("dwi", "dwi", COARSE, False),
        ("fmap", "epi", COARSE, False),
        ("fmap", "TB1EPI", FINE, False),
        ("fmap", "RB1map", FINE, True),
        ("fmap", "something", COARSE, False),
        ("perf", "asl", COARSE, False),
        ("perf", "asl", THICK, True),
        ("perf", "noRF", COARSE, False),
        ("mrs", "svs", np.diag([20.0, 20.0, 20.0, 1.0]), False),
        ("perf", "m0scan", COARSE, False),
        ("perf", "m0scan", THICK, True),
        ("fmap", "magnitude1", COARSE, False),
        ("fmap", "magnitude1", FINE, True),
        ("fmap", "phasediff", FINE, True),
        ("fmap", "TB1TFL", FINE, True),
    ],
)
def test_images_are_asked_for_a_face_by_what_they_are(
    datatype: str, suffix: str, affine: np.ndarray, *, asked: bool
) -> None:
    question = shows_face(datatype=datatype, suffix=suffix, affine=affine)
    assert question.asked is asked
    assert question.reason


@pytest.mark.parametrize("suffix", sorted(_suffixes("anat")))
@pytest.mark.parametrize("affine", [FINE, THICK, COARSE], ids=["fine", "thick", "coarse"])
def test_every_anatomical_suffix_of_the_standard_is_asked_for_a_face(
    suffix: str, affine: np.ndarray
) -> None:
    assert shows_face(datatype="anat", suffix=suffix, affine=affine).asked


@pytest.mark.parametrize(
    ("datatype", "also", "asked"),
    [
        ("dwi", {Also.DWI}, True),
        ("dwi", {Also.BOLD}, False),
        ("func", {Also.BOLD}, True),
        ("func", {Also.DWI}, False),
        ("fmap", {Also.DWI, Also.BOLD}, False),
    ],
)
def test_echo_planar_images_are_defaced_where_it_is_asked(
    datatype: str, also: set[Also], *, asked: bool
) -> None:
    question = shows_face(datatype=datatype, suffix="epi", affine=COARSE, also=also)
    assert question.asked is asked


def acquisitions(
    folder: Path, names: dict[str, float], *, grids: dict[str, np.ndarray] | None = None
) -> tuple[Acquisition, ...]:
    """Write images of one value each and put them into acquisitions."""
    images = {}
    for name, value in names.items():
        affine = (grids or {}).get(name, LARGE)
        path = folder / name
        nibabel.Nifti1Image(np.full((3, 4, 5), value, dtype="f4"), affine).to_filename(path)
        images[name] = read_header(path)
    return group_acquisitions(folder, images)


def paths(groups: tuple[Acquisition, ...]) -> list[list[str]]:
    return [[member.path.removesuffix(".nii") for member in one.members] for one in groups]


def test_each_contrast_and_each_run_is_registered_on_its_own(tmp_path: Path) -> None:
    names = ["s_T1w.nii", "s_T2w.nii", "s_run-1_FLAIR.nii", "s_run-2_FLAIR.nii", "s_flip-1_VFA.nii"]
    names += ["s_flip-2_VFA.nii"]
    assert all(len(one) == 1 for one in paths(acquisitions(tmp_path, dict.fromkeys(names, 1))))


def test_echoes_are_registered_on_their_mean(tmp_path: Path) -> None:
    (one,) = acquisitions(tmp_path, {"s_echo-1_MEGRE.nii": 3, "s_echo-2_MEGRE.nii": 1})
    assert (one.reference().fine.values == 2).all()


def test_a_phase_is_cut_where_its_magnitude_shows_the_face(tmp_path: Path) -> None:
    (one,) = acquisitions(tmp_path, {"s_part-phase_T2starw.nii": 9, "s_part-mag_T2starw.nii": 5})
    assert (one.reference().fine.values == 5).all()
    assert one.shown.path == "s_part-mag_T2starw.nii"


def test_a_phase_is_known_by_its_sidecar_too(tmp_path: Path) -> None:
    sidecar = {"ImageType": ["ORIGINAL", "PRIMARY", "P", "ND", "PHASE"]}
    (tmp_path / "s_T2starw.json").write_text(json.dumps(sidecar))
    (one,) = acquisitions(tmp_path, {"s_T2starw.nii": 9})
    assert one.members[0].component is Component.PHASE
    with pytest.raises(UnreadableImageError, match="no magnitude"):
        one.reference()


def test_a_broken_sidecar_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "s_T1w.json").write_text("{")
    (one,) = acquisitions(tmp_path, {"s_T1w.nii": 9})
    assert one.members[0].component is Component.MAGNITUDE


def test_real_and_imaginary_parts_make_a_magnitude(tmp_path: Path) -> None:
    (one,) = acquisitions(tmp_path, {"s_part-real_T1w.nii": -3, "s_part-imag_T1w.nii": 4})
    assert (one.reference().fine.values == 5).all()


def test_a_lone_real_part_is_a_phase_sensitive_image(tmp_path: Path) -> None:
    (one,) = acquisitions(tmp_path, {"s_part-real_T1w.nii": -3})
    assert (one.reference().fine.values == -3).all()


def test_echoes_with_all_their_parts_are_registered_on_the_mean_magnitude(tmp_path: Path) -> None:
    values = {
        f"s_echo-{echo}_part-{part}_MEGRE.nii": value * echo
        for echo in (1, 2)
        for part, value in {"mag": 2, "phase": 50, "real": -60, "imag": 70}.items()
    }
    (one,) = acquisitions(tmp_path, values)
    assert len(one.members) == 8
    assert (one.reference().fine.values == 3).all()


@pytest.mark.parametrize(
    "names",
    [
        ["s_flip-1_VFA.nii", "s_flip-2_VFA.nii"],
        ["s_flip-1_mt-on_MTS.nii", "s_flip-1_mt-off_MTS.nii", "s_flip-2_mt-off_MTS.nii"],
        ["s_acq-MTw_MPM.nii", "s_acq-PDw_MPM.nii", "s_acq-T1w_MPM.nii"],
        ["s_T1map.nii", "s_R2starmap.nii", "s_MTsat.nii"],
    ],
    ids=["VFA", "MTS", "MPM", "maps"],
)
def test_what_was_acquired_one_after_the_other_is_registered_on_its_own(
    tmp_path: Path, names: list[str]
) -> None:
    groups = acquisitions(tmp_path, dict.fromkeys(names, 1))
    assert [len(one.members) for one in groups] == [1] * len(names)


def test_the_echoes_of_one_part_of_a_multi_parameter_map_belong_together(tmp_path: Path) -> None:
    names = [
        f"s_acq-{weight}_echo-{echo}_MPM.nii" for weight in ("MTw", "PDw") for echo in (1, 2, 3)
    ]
    groups = acquisitions(tmp_path, dict.fromkeys(names, 1))
    assert [len(one.members) for one in groups] == [3, 3]


def test_mp2rage_is_registered_on_its_second_inversion(tmp_path: Path) -> None:
    values = {
        "s_UNIT1.nii": 1,
        "s_inv-1_part-mag_MP2RAGE.nii": 2,
        "s_inv-1_part-phase_MP2RAGE.nii": 3,
        "s_inv-2_part-mag_MP2RAGE.nii": 4,
        "s_inv-2_part-phase_MP2RAGE.nii": 5,
    }
    (one,) = acquisitions(tmp_path, values)
    assert len(one.members) == 5
    assert (one.reference().fine.values == 4).all()


def test_a_lone_unit1_is_registered_itself(tmp_path: Path) -> None:
    (one,) = acquisitions(tmp_path, {"s_UNIT1.nii": 7})
    assert (one.reference().fine.values == 7).all()


def test_field_map_phases_belong_to_their_magnitudes(tmp_path: Path) -> None:
    (one,) = acquisitions(
        tmp_path, {"s_phasediff.nii": 9, "s_magnitude1.nii": 4, "s_magnitude2.nii": 2}
    )
    assert (one.reference().fine.values == 3).all()


def test_another_grid_is_another_acquisition(tmp_path: Path) -> None:
    moved = LARGE.copy()
    moved[0, 3] = 0.5
    groups = acquisitions(
        tmp_path,
        {"s_part-mag_T1w.nii": 1, "s_part-phase_T1w.nii": 2},
        grids={"s_part-phase_T1w.nii": moved},
    )
    assert len(groups) == 2


def series(folder: Path, name: str, values: list[float]) -> Acquisition:
    """Write a series of volumes of one value each."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    volumes = np.stack([np.full((3, 4, 5), value, dtype="f4") for value in values], axis=3)
    nibabel.Nifti1Image(volumes, LARGE).to_filename(path)
    (one,) = group_acquisitions(folder, {name: read_header(path)})
    return one


@pytest.mark.parametrize(
    ("table", "mean"),
    [
        ("0 1000 5 1000", 2),
        ("0.001 1000 1000 1000", 1),
        ("1000 2000 1000 3000", 2),
        ("0 1000", 1),
        ("0 word 0 0", 1),
        ("nan 0 0 0", 1),
        (None, 1),
    ],
)
def test_diffusion_is_registered_without_its_weighting(
    tmp_path: Path, table: str | None, mean: float
) -> None:
    name = "sub-01/dwi/sub-01_dwi.nii"
    (tmp_path / name).parent.mkdir(parents=True)
    if table is not None:
        (tmp_path / name).with_suffix(".bval").write_text(table)
    one = series(tmp_path, name, [1, 2, 3, 4])
    assert (one.reference().fine.values == mean).all()


def test_a_functional_series_is_registered_on_its_first_volumes(tmp_path: Path) -> None:
    one = series(tmp_path, "sub-01/func/sub-01_task-x_bold.nii", [3.0] * 10 + [90.0] * 10)
    assert (one.reference().fine.values == 3).all()


def test_a_defacemask_is_no_image_of_a_head() -> None:
    question = shows_face(datatype="anat", suffix="defacemask", affine=np.eye(4))
    assert not question.asked
    assert "mask" in question.reason


def test_a_sidecar_that_cannot_be_read_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "s_T1w.json").mkdir()
    (tmp_path / "s_T2w.json").write_text("[" * 100_000)
    members = acquisitions(tmp_path, {"s_T1w.nii": 9, "s_T2w.nii": 9})
    assert {one.members[0].component for one in members} == {Component.MAGNITUDE}
