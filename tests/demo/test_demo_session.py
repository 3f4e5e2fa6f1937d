"""The demo's session is one person's, complete, and converts to what it was made of."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import nibabel
import numpy as np
import pytest
from pydicom import Dataset, dcmread
from sessions.people import identifying_strings
from tree_digests import tree_digest

from bidsanon.demo import write_demo_session
from bidsanon.demo.person import MARA
from bidsanon.external import DCM2NIIX, require_program
from bidsanon.files import files_below

MEGABYTE = 1 << 20


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    write_demo_session(folder)
    return folder


@pytest.fixture(scope="module")
def headers(session: Path) -> list[Dataset]:
    return [dcmread(path, stop_before_pixels=True) for path in files_below(session)]


@pytest.fixture(scope="module")
def converted(session: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("converted")
    command = [require_program(DCM2NIIX), "-z", "n", "-f", "%s_%e", "-o", folder, session]
    subprocess.run(command, check=True, capture_output=True)
    return folder


@pytest.mark.slow
def test_it_is_the_same_bytes_each_time(session: Path, tmp_path: Path) -> None:
    write_demo_session(tmp_path)
    assert tree_digest(tmp_path) == tree_digest(session)


def test_it_is_small(session: Path) -> None:
    assert sum(path.stat().st_size for path in files_below(session)) < 60 * MEGABYTE


def test_it_is_one_person_in_one_study(headers: list[Dataset]) -> None:
    assert {str(header.PatientName) for header in headers} == {MARA.name}
    assert len({header.StudyInstanceUID for header in headers}) == 1
    frames = {header.FrameOfReferenceUID for header in headers if "FrameOfReferenceUID" in header}
    assert len(frames) == 1
    instances = [header.SOPInstanceUID for header in headers]
    assert len(set(instances)) == len(instances)


def test_folders_and_files_bear_the_name(session: Path) -> None:
    for path in files_below(session):
        folder, *_, name = path.relative_to(session).parts
        assert folder == "QUILLFEATHER_MARA_19870314"
        assert name.startswith("QUILLFEATHER_MARA.MR.")


def test_each_image_holds_every_identifying_value(session: Path) -> None:
    image = next(path for path in files_below(session) if ".0002.0001." in path.name)
    content = image.read_bytes()
    assert not [s for s in identifying_strings(MARA) if s.encode("latin-1") not in content]


def test_the_name_hides_in_private_elements_too(headers: list[Dataset]) -> None:
    image = next(header for header in headers if header.SeriesNumber == 2)
    assert image.private_block(0x0031, "ALDWYN SLEEP COHORT")[0x01].value.startswith("Mara")
    protocol = image.private_block(0x0029, "SIEMENS CSA HEADER")[0x20].value
    assert b"for Mara Quillfeather" in protocol


def test_it_brings_what_belongs_into_quarantine(headers: list[Dataset]) -> None:
    assert sum(header.get("BurnedInAnnotation") == "YES" for header in headers) == 1
    assert sum(header.Modality == "SR" for header in headers) == 1


def test_the_name_is_written_into_the_screenshots_pixels(session: Path) -> None:
    (screenshot,) = (path for path in files_below(session) if ".MR.0090." in path.name)
    page = dcmread(screenshot).pixel_array
    assert 200 < np.count_nonzero(page[:120] > 128) < 5000


def test_the_head_lies_the_right_way_round(converted: Path) -> None:
    image = nibabel.as_closest_canonical(nibabel.load(converted / "2_1.nii"))
    assert image.shape == (160, 208, 208)
    assert np.allclose(np.diag(image.affine)[:3], (1.15, 1.2, 1.2), atol=1e-3)
    head = np.asarray(image.dataobj) > 60
    axes = [np.nonzero(head.any(axis=tuple({0, 1, 2} - {axis})))[0] for axis in range(3)]
    low = slice(axes[2][0], axes[2][0] + 60)
    nose = np.nonzero(head[:, :, low].any(axis=(0, 2)))[0][-1]
    forehead = np.nonzero(head[:, :, axes[2][-1] - 40 :].any(axis=(0, 2)))[0][-1]
    assert nose > forehead + 5
    crown = head[:, :, axes[2][-1] - 5].sum()
    neck = head[:, :, axes[2][0] + 10].sum()
    assert crown < neck


def test_the_bold_series_has_its_timing(converted: Path) -> None:
    sidecar = json.loads((converted / "5_1.json").read_text())
    assert len(sidecar["SliceTiming"]) == 28
    assert max(sidecar["SliceTiming"]) < sidecar["RepetitionTime"] == 2
    assert sidecar["PhaseEncodingDirection"] == "j-"
    assert sidecar["TotalReadoutTime"] == pytest.approx(63 * 0.00051, rel=1e-3)
    assert nibabel.load(converted / "5_1.nii").shape == (64, 64, 28, 6)


def test_the_diffusion_series_has_its_gradients(converted: Path) -> None:
    b_values = np.loadtxt(converted / "6_1.bval")
    assert b_values.tolist() == [0, *[1000] * 6]
    directions = np.loadtxt(converted / "6_1.bvec")
    assert np.allclose(np.linalg.norm(directions[:, 1:], axis=0), 1, atol=1e-4)
    assert directions[0].tolist() == pytest.approx(
        [0, 0.707107, 0.707107, 0, 0.707107, -0.707107, 0]
    )


def test_the_field_map_has_two_magnitudes_and_their_phase(converted: Path) -> None:
    names = sorted(path.name for path in converted.glob("[34]_*.nii"))
    assert names == ["3_1.nii", "3_2.nii", "4_2_ph.nii"]
    phase = np.asarray(nibabel.load(converted / names[2]).dataobj)
    assert phase.min() < -4000
    assert phase.max() > 4000
