"""Each session of the gallery is what it says it is."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian

import sessions
from bidsanon.external import DCM2NIIX, require_program

Builder = Callable[[Path], list[Path]]

MADE_OF_IMAGES = [
    sessions.siemens_t1w,
    sessions.t1w_with_face,
    sessions.bold_mosaic,
    sessions.dwi_mosaic,
    sessions.field_map,
    sessions.scout,
    sessions.siemens_session,
    sessions.burned_in_capture,
    sessions.structured_report,
    sessions.patient_protocol,
    sessions.phoenix_report,
    sessions.implicit_vr,
    sessions.big_endian,
    sessions.un_encoded_sequence,
    sessions.japanese_name,
    sessions.preamble_and_ae_titles,
    sessions.enhanced_mr_names_in_functional_groups,
    sessions.computed_tomography,
    sessions.csa_stripped,
    sessions.duplicate_instance,
    sessions.name_in_description,
    sessions.nested_sequences_with_names,
    sessions.second_visit,
    sessions.two_persons,
    sessions.real_csa,
]


@pytest.mark.parametrize("builder", MADE_OF_IMAGES, ids=lambda b: b.__name__)
def test_a_session_is_dicom_that_names_a_person(builder: Builder, tmp_path: Path) -> None:
    paths = builder(tmp_path / "session")
    assert paths
    for path in paths:
        dataset = dcmread(path)
        list(dataset.iterall())
        assert dataset.PatientID in {"QF-7719-KX", "HB-2086-LW"}
        assert dataset.file_meta.MediaStorageSOPInstanceUID == dataset.SOPInstanceUID


@pytest.mark.parametrize("builder", MADE_OF_IMAGES, ids=lambda b: b.__name__)
def test_a_session_is_the_same_bytes_each_time(builder: Builder, tmp_path: Path) -> None:
    first = [path.read_bytes() for path in builder(tmp_path / "a")]
    second = [path.read_bytes() for path in builder(tmp_path / "b")]
    assert first == second


def test_every_planted_value_stands_in_the_files(tmp_path: Path) -> None:
    content = b"".join(path.read_bytes() for path in sessions.siemens_t1w(tmp_path))
    absent = [
        text
        for text in sessions.identifying_strings(sessions.MARA)
        if text.encode("latin-1") not in content
    ]
    assert not absent


def test_two_persons_share_no_value_but_the_hospitals() -> None:
    mara = set(sessions.identifying_strings(sessions.MARA))
    tobias = set(sessions.identifying_strings(sessions.TOBIAS))
    hospital = {sessions.MARA.institution, sessions.MARA.station, sessions.MARA.device_serial}
    assert hospital <= mara & tobias
    assert not {"Quillfeather", "Mara", "Odette", "QF-7719-KX", "20230517"} & tobias


def test_a_bold_mosaic_keeps_its_timing_in_the_csa_header(tmp_path: Path) -> None:
    sidecar = _sidecar(sessions.bold_mosaic, tmp_path)
    assert sidecar["SliceTiming"] == [1.0, 0.0, 1.3325, 0.3325, 1.6675, 0.6675]
    assert sidecar["PhaseEncodingDirection"] == "j-"
    assert sidecar["TotalReadoutTime"] == pytest.approx(11 * 0.00051, rel=1e-3)


def test_a_stripped_mosaic_loses_its_timing(tmp_path: Path) -> None:
    sidecar = _sidecar(sessions.csa_stripped, tmp_path)
    assert "SliceTiming" not in sidecar
    assert "PhaseEncodingDirection" not in sidecar


def test_a_diffusion_mosaic_keeps_its_gradients(tmp_path: Path) -> None:
    _sidecar(sessions.dwi_mosaic, tmp_path)
    (b_values,) = (tmp_path / "converted").glob("*.bval")
    assert b_values.read_text().split() == ["0", "1000", "1000"]


def test_enhanced_images_are_one_series_with_slice_times(tmp_path: Path) -> None:
    sidecar = _sidecar(sessions.enhanced_mr_names_in_functional_groups, tmp_path)
    assert sidecar["SliceTiming"] == [1.0, 0.0, 1.5, 0.5]
    assert len(list((tmp_path / "converted").glob("*.nii"))) == 1
    content = (tmp_path / "session" / "IM0001").read_bytes()
    assert b"Quillfeather, Mara" in content


def test_a_truncated_file_lacks_pixels(tmp_path: Path) -> None:
    paths = sessions.truncated_file(tmp_path)
    sizes = [len(dcmread(path, defer_size=None).get("PixelData", b"")) for path in paths]
    assert sizes[2] < sizes[0]


def test_the_encodings_are_what_they_are_called(tmp_path: Path) -> None:
    implicit = dcmread(sessions.implicit_vr(tmp_path / "implicit")[0])
    assert implicit.file_meta.TransferSyntaxUID == ImplicitVRLittleEndian
    big = dcmread(sessions.big_endian(tmp_path / "big")[0])
    assert big.file_meta.TransferSyntaxUID == ExplicitVRBigEndian
    little = dcmread(sessions.siemens_t1w(tmp_path / "little")[0])
    assert (big.pixel_array == little.pixel_array).all()


def test_a_sequence_can_hide_in_bytes(tmp_path: Path) -> None:
    path = sessions.un_encoded_sequence(tmp_path)[0]
    content = path.read_bytes()
    assert b"\x08\x00\x40\x11UN\x00\x00" in content
    assert content.count(b"St Aldwyn Infirmary") == 3


def test_a_medium_lists_its_files(tmp_path: Path) -> None:
    paths = sessions.dicomdir_medium(tmp_path / "cd")
    assert len(paths) == 5
    directory = dcmread(tmp_path / "cd" / "DICOMDIR")
    assert directory.DirectoryRecordSequence[0].PatientName == sessions.MARA.name
    (alone,) = sessions.dicomdir_only(tmp_path / "alone")
    assert [path.name for path in tmp_path.joinpath("alone").rglob("*") if path.is_file()] == [
        alone.name
    ]


@pytest.mark.parametrize("kind", ["zip", "tar", "gztar", "xztar"])
def test_a_folder_can_be_packed(kind: str, tmp_path: Path) -> None:
    sessions.not_dicom(tmp_path / "folder")
    assert sessions.archive(tmp_path / "folder", kind=kind).is_file()


def _sidecar(builder: Builder, folder: Path) -> dict[str, object]:
    """Convert a session and return the one sidecar that comes of it."""
    builder(folder / "session")
    converted = folder / "converted"
    converted.mkdir()
    command = [require_program(DCM2NIIX), "-z", "n", "-o", converted, folder / "session"]
    subprocess.run(command, check=True, capture_output=True)
    (path,) = converted.glob("*.json")
    content: dict[str, object] = json.loads(path.read_text())
    return content
