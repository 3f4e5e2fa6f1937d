"""One acquisition from end to end: what goes, what stays, and what is refused."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest
from heads import KnowingEngine, ball, pose, posed_head, stored_values, write_image

from bidsanon.deface import deface_image
from bidsanon.deface.acquisition import Acquisition, group_acquisitions
from bidsanon.deface.cut import cut_mask
from bidsanon.deface.grid import Grid, sample_like
from bidsanon.deface.image import deface_acquisition
from bidsanon.deface.relief import SHALLOW_MM
from bidsanon.deface.template import face_template
from bidsanon.deface.voxels import read_header
from bidsanon.external import DCM2NIIX, require_program
from bidsanon.session import DefaceOutcome, DefaceVerdict

SharedData = Callable[[str], Path]
VIEWS = ("front", "left", "right", "sagittal", "coronal", "axial")


def acquisition_of(folder: Path, *names: str) -> Acquisition:
    images = {name: read_header(folder / name) for name in names}
    (one,) = group_acquisitions(folder, images)
    return one


def brain_of(head: Grid, to_template: np.ndarray) -> np.ndarray:
    template = face_template()
    brain = Grid(values=template.brain.astype(np.float32), affine=template.head.affine)
    inside = sample_like(brain, head.values.shape, head.affine, to_grid=to_template, outside=0)
    return inside > 0.5


def test_a_head_that_lies_anyhow_loses_its_face_and_keeps_its_brain(tmp_path: Path) -> None:
    truth = pose(shift_mm=(-12, 30, 8), turn_deg=(-14, 9, 17), scale=1.1)
    head = posed_head(truth)
    path = write_image(tmp_path / "sub-01_T1w.nii.gz", head.values, head.affine)
    before = stored_values(path)
    outcome = deface_image(path, pictures=tmp_path / "private")
    assert outcome.verdict is DefaceVerdict.DEFACED, outcome.reason
    assert (outcome.path, outcome.engine) == ("sub-01_T1w.nii.gz", "bidsanon")
    assert "pydeface" in outcome.engine_version
    after = stored_values(path)
    face = cut_mask(head.values.shape, head.affine, np.linalg.inv(truth)) & (before > 100)
    assert (after[face] == 0).mean() > 0.95
    brain = brain_of(head, np.linalg.inv(truth))
    assert (after[brain] == before[brain]).all()
    assert ((after == before) | (after == 0)).all()
    assert outcome.figures["sharp"] > 0.1
    assert outcome.figures["face_tissue_ml"] > 500
    assert set(outcome.pictures) == {
        f"{when}-{view}" for when in ("before", "after") for view in VIEWS
    }
    assert all(picture.parent == tmp_path / "private" for picture in outcome.pictures.values())


@pytest.mark.usefixtures("without_opencv")
def test_a_phase_and_all_echoes_take_the_cut_of_their_magnitudes(
    tmp_path: Path, upright_head: Grid, knowing_engine: KnowingEngine
) -> None:
    names = ["s_echo-1_part-mag_MEGRE.nii.gz", "s_echo-1_part-phase_MEGRE.nii.gz"]
    names += ["s_echo-2_part-mag_MEGRE.nii.gz"]
    noise = np.random.default_rng(4).uniform(1, 2, upright_head.values.shape)
    for name in names:
        values = noise if "phase" in name else upright_head.values + 0.01
        write_image(tmp_path / name, values, upright_head.affine)
    outcomes = deface_acquisition(
        acquisition_of(tmp_path, *names), engine=knowing_engine, pictures=None
    ).outcomes
    assert {o.verdict for o in outcomes} == {DefaceVerdict.DEFACED}
    goes = cut_mask(upright_head.values.shape, upright_head.affine, np.eye(4))
    for name in names:
        assert ((stored_values(tmp_path / name) == 0) == goes).all(), name


@pytest.mark.usefixtures("without_opencv")
def test_every_volume_of_a_series_loses_the_face(
    tmp_path: Path, upright_head: Grid, knowing_engine: KnowingEngine
) -> None:
    series = np.stack([upright_head.values + 0.01, upright_head.values * 0.5 + 0.01], axis=3)
    path = write_image(tmp_path / "s_PDT2.nii.gz", series, upright_head.affine)
    (outcome,) = deface_acquisition(
        acquisition_of(tmp_path, path.name), engine=knowing_engine, pictures=None
    ).outcomes
    assert outcome.verdict is DefaceVerdict.DEFACED
    goes = cut_mask(upright_head.values.shape, upright_head.affine, np.eye(4))
    for volume in np.moveaxis(stored_values(path), 3, 0):
        assert ((volume == 0) == goes).all()


def only(
    folder: Path, values: np.ndarray, affine: np.ndarray, engine: KnowingEngine
) -> tuple[DefaceOutcome, bool]:
    """Deface one image, and say whether its file is as it was."""
    path = write_image(folder / "s_T1w.nii.gz", values, affine)
    before = path.read_bytes()
    (outcome,) = deface_acquisition(
        acquisition_of(folder, path.name), engine=engine, pictures=folder / "private"
    ).outcomes
    return outcome, path.read_bytes() == before


@pytest.mark.usefixtures("without_opencv")
def test_a_head_without_face_tissue_is_left_alone(
    tmp_path: Path, knowing_engine: KnowingEngine
) -> None:
    template = face_template()
    stripped = template.head.values * template.brain
    outcome, untouched = only(tmp_path, stripped, template.head.affine, knowing_engine)
    assert outcome.verdict is DefaceVerdict.NO_FACE, outcome.reason
    assert untouched
    assert outcome.figures["face_tissue_ml"] == 0


@pytest.mark.usefixtures("without_opencv")
def test_a_field_of_view_behind_the_face_is_left_alone(
    tmp_path: Path, upright_head: Grid, knowing_engine: KnowingEngine
) -> None:
    # From above the ears upwards, and not as far forward as the brow.
    affine = upright_head.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ [0, 0, 38]
    upper = upright_head.values[:, :48, 38:]
    outcome, untouched = only(tmp_path, upper, affine, knowing_engine)
    assert outcome.verdict is DefaceVerdict.NO_FACE, outcome.reason
    assert outcome.reason == "the face lies outside the field of view"
    assert untouched


def test_a_phantom_without_any_relief_is_left_alone(
    tmp_path: Path, knowing_engine: KnowingEngine
) -> None:
    phantom = ball()
    outcome, untouched = only(tmp_path, phantom.values, phantom.affine, knowing_engine)
    assert outcome.verdict is DefaceVerdict.NO_FACE
    assert "no head" in outcome.reason
    assert outcome.figures["relief_mm"] <= SHALLOW_MM
    assert untouched


@pytest.mark.usefixtures("without_opencv")
def test_a_registration_that_is_not_trusted_leaves_the_image_and_says_why(
    tmp_path: Path, upright_head: Grid
) -> None:
    wrong = KnowingEngine(to_head=pose(shift_mm=(0, 0, 30)))
    outcome, untouched = only(tmp_path, upright_head.values, upright_head.affine, wrong)
    assert outcome.verdict is DefaceVerdict.FAILED
    assert "sharp" in outcome.reason
    assert untouched
    assert set(outcome.pictures) == {f"before-{v}" for v in VIEWS}


@pytest.mark.usefixtures("without_opencv")
def test_one_damaged_image_fails_and_its_siblings_do_not(
    tmp_path: Path, upright_head: Grid, knowing_engine: KnowingEngine
) -> None:
    names = ["s_part-mag_T1w.nii.gz", "s_part-phase_T1w.nii.gz"]
    for name in names:
        write_image(tmp_path / name, upright_head.values, upright_head.affine)
    acquisition = acquisition_of(tmp_path, *names)
    phase = tmp_path / names[1]
    phase.write_bytes(phase.read_bytes()[:-40])
    magnitude_outcome, phase_outcome = deface_acquisition(
        acquisition, engine=knowing_engine, pictures=None
    ).outcomes
    assert magnitude_outcome.verdict is DefaceVerdict.DEFACED
    assert phase_outcome.verdict is DefaceVerdict.FAILED
    assert "ends early" in phase_outcome.reason


def test_a_phase_without_its_magnitude_is_refused(tmp_path: Path, upright_head: Grid) -> None:
    path = write_image(
        tmp_path / "s_part-phase_T1w.nii.gz", upright_head.values, upright_head.affine
    )
    outcome = deface_image(path)
    assert outcome.verdict is DefaceVerdict.FAILED
    assert "no magnitude" in outcome.reason


def test_what_is_no_image_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s_T1w.nii.gz"
    path.write_bytes(b"nothing of the kind")
    outcome = deface_image(path)
    assert outcome.verdict is DefaceVerdict.FAILED
    assert outcome.engine == ""
    assert path.read_bytes() == b"nothing of the kind"


def converted(folder: Path, into: Path) -> Path:
    """Convert a set of real DICOM, and return the first image."""
    dcm2niix = require_program(DCM2NIIX)
    command = [dcm2niix, "-z", "y", "-b", "y", "-s", "n", "-f", "s_%s_T1w", "-o", into, folder]
    subprocess.run(command, check=True, capture_output=True)
    return min(into.glob("*.nii.gz"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["siemens-ve11-t1w-face", "siemens-ve11-dwi-head"])
def test_a_real_head_is_defaced(tmp_path: Path, shared_data: SharedData, name: str) -> None:
    path = converted(shared_data(name), tmp_path)
    before = nibabel.load(path)
    values = np.asarray(before.dataobj)
    outcome = deface_image(path)
    assert outcome.verdict is DefaceVerdict.DEFACED, outcome.reason
    after = nibabel.load(path)
    assert after.header.binaryblock == before.header.binaryblock
    changed = np.asarray(after.dataobj) != values
    assert (np.asarray(after.dataobj)[changed] == 0).all()
    assert 400 < outcome.figures["face_tissue_ml"] < 1000
    assert outcome.figures["brain_in_view"] > 0.99


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("siemens-ve11-pdt2-tse", DefaceVerdict.NO_FACE),
        ("ge-hd16-t1-already-deidentified", DefaceVerdict.FAILED),
    ],
    ids=["phantom", "fruit"],
)
def test_a_smooth_phantom_is_left_alone_and_a_bowl_of_fruit_refused(
    tmp_path: Path, shared_data: SharedData, name: str, verdict: DefaceVerdict
) -> None:
    path = converted(shared_data(name), tmp_path)
    before = path.read_bytes()
    assert deface_image(path).verdict is verdict
    assert path.read_bytes() == before
