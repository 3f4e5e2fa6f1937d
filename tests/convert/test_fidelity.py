"""What dcm2niix says of originals and copies is compared, and each loss is named."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pydicom
import pytest
from plain_staging import stage_plainly, stage_volumes_as_series

from bidsanon.convert import check_fidelity, fidelity, find_uncompared
from bidsanon.convert.fidelity import cleaned_keys
from bidsanon.errors import MissingToolError, StorageError, ToolFailedError
from bidsanon.external import Completed
from bidsanon.findings import Finding
from bidsanon.notes import Note, NoteReason
from bidsanon.progress import Silent
from bidsanon.session import ConvertedImage, DeidentifiedSession

KNOWN_TO_DCM2NIIX = {"SliceTiming", "EchoTime", "RepetitionTime", "PhaseEncodingDirection"}


def _check(session: DeidentifiedSession, work: Path) -> tuple[Finding, ...]:
    findings = check_fidelity(session, work=work, jobs=2, progress=Silent()).findings
    assert not work.exists()
    return findings


def _edit(session: DeidentifiedSession, change: Callable[[pydicom.Dataset], None]) -> None:
    for series in session.series:
        for file in series.files:
            header = pydicom.dcmread(file)
            change(header)
            header.save_as(file)


def test_faithful_copies_pass_and_nothing_identified_is_left(
    siemens: DeidentifiedSession, tmp_path: Path
) -> None:
    def deidentify(header: pydicom.Dataset) -> None:
        header.PatientName = header.PatientID = "pseudonym"
        header.PatientBirthDate = header.StudyDate = "19100101"
        header.InstitutionName = header.SeriesDescription = "x"
        header.DeviceSerialNumber = "1"

    _edit(siemens, deidentify)
    assert _check(siemens, tmp_path / "work") == ()


def test_copies_without_private_headers_lose_what_came_from_them(
    siemens: DeidentifiedSession, tmp_path: Path
) -> None:
    _edit(siemens, lambda header: header.remove_private_tags())
    findings = _check(siemens, tmp_path / "work")
    lost = {(one.location, one.message) for one in findings if one.code == "FIDELITY_KEY_LOST"}
    assert any(place == "series 5" and "SliceTiming" in said for place, said in lost)
    tables = [one for one in findings if one.code == "FIDELITY_GRADIENTS_CHANGED"]
    assert [one.location for one in tables] == ["series 6", "series 6"]
    assert all(one.severity == "error" and one.cure for one in findings)


def test_one_changed_voxel_is_an_image_changed(bold: DeidentifiedSession, tmp_path: Path) -> None:
    def touch(header: pydicom.Dataset) -> None:
        pixels = bytearray(header.PixelData)
        pixels[len(pixels) // 2] ^= 1
        header.PixelData = bytes(pixels)

    _edit(bold, touch)
    (found,) = _check(bold, tmp_path / "work")
    assert (found.code, found.location) == ("FIDELITY_IMAGE_CHANGED", "series 1")
    assert "voxels" in found.message


@pytest.mark.parametrize(
    ("attribute", "value", "codes", "said"),
    [
        ("EchoTime", 31, {"FIDELITY_KEY_CHANGED"}, "EchoTime"),
        ("EchoTime", None, {"FIDELITY_KEY_LOST"}, "EchoTime"),
        ("RepetitionTime", 1234, {"FIDELITY_KEY_CHANGED", "FIDELITY_IMAGE_CHANGED"}, "repetition"),
    ],
)
def test_one_changed_attribute_is_named_by_its_key(
    bold: DeidentifiedSession,
    tmp_path: Path,
    *,
    attribute: str,
    value: float | None,
    codes: set[str],
    said: str,
) -> None:
    _edit(bold, lambda header: setattr(header, attribute, value))
    findings = _check(bold, tmp_path / "work")
    assert codes <= {one.code for one in findings}
    assert any(said in one.message for one in findings)


def test_another_number_of_images_is_said(siemens: DeidentifiedSession, tmp_path: Path) -> None:
    def one_echo(header: pydicom.Dataset) -> None:
        if header.get("EchoNumbers") == 2:
            header.EchoNumbers, header.EchoTime = 1, 4.92

    _edit(siemens, one_echo)
    findings = _check(siemens, tmp_path / "work")
    images = [one for one in findings if one.location == "series 3"]
    assert [one.code for one in images] == ["FIDELITY_IMAGE_CHANGED"]
    assert "number of images" in images[0].message


def test_a_series_that_dcm2niix_cannot_read_on_either_side_is_said(
    bold: DeidentifiedSession, tmp_path: Path
) -> None:
    instances = bold.series[0].source.instances
    for file in [*bold.series[0].files, *(instance.path for instance in instances)]:
        file.write_bytes(b"no DICOM")
    checked = check_fidelity(bold, work=tmp_path / "work", jobs=1, progress=Silent())
    (found,) = checked.findings
    assert (found.code, found.severity) == ("FIDELITY_NOT_COMPARED", "warning")
    image = ConvertedImage(
        path="sub-01/func/sub-01_task-rest_bold.nii.gz",
        series_index=bold.series[0].source.index,
        datatype="func",
        suffix="bold",
    )
    (refused,) = find_uncompared([image], checked)
    assert (refused.code, refused.severity) == ("IMAGE_NOT_COMPARED", "error")


def test_what_was_compared_may_be_published(bold: DeidentifiedSession, tmp_path: Path) -> None:
    checked = check_fidelity(bold, work=tmp_path / "work", jobs=1, progress=Silent())
    assert checked.compared == {bold.series[0].source.index}


def test_a_series_that_only_the_copies_spoil_is_an_error(
    bold: DeidentifiedSession, tmp_path: Path
) -> None:
    for file in bold.series[0].files:
        file.write_bytes(b"no DICOM")
    (found,) = _check(bold, tmp_path / "work")
    assert found.code == "FIDELITY_IMAGE_CHANGED"
    assert "1 became 0" in found.message


@pytest.mark.slow
def test_the_result_is_the_same_with_any_number_of_jobs(
    siemens: DeidentifiedSession, tmp_path: Path
) -> None:
    _edit(siemens, lambda header: header.remove_private_tags())
    results = [
        check_fidelity(siemens, work=tmp_path / "work", jobs=jobs, progress=Silent())
        for jobs in (1, 4)
    ]
    assert results[0] == results[1] != ()


def test_volumes_that_xa_exports_as_series_are_compared_as_one_run(
    bold: DeidentifiedSession, tmp_path: Path
) -> None:
    session = stage_volumes_as_series(bold, tmp_path / "xa")
    assert _check(session, tmp_path / "work") == ()
    _edit(session, lambda header: setattr(header, "EchoTime", 31))
    (found,) = _check(session, tmp_path / "work")
    assert (found.code, found.location) == (
        "FIDELITY_KEY_CHANGED",
        f"series 1 to {len(session.series)}",
    )


def test_without_dcm2niix_there_is_no_check(
    bold: DeidentifiedSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    with pytest.raises(MissingToolError, match="dcm2niix"):
        check_fidelity(bold, work=tmp_path / "work", jobs=1, progress=Silent())


def test_a_full_disk_is_no_faithful_copy(
    bold: DeidentifiedSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=10))
    with pytest.raises(StorageError, match="no space left"):
        check_fidelity(bold, work=tmp_path / "work", jobs=1, progress=Silent())
    assert not (tmp_path / "work").exists()


def test_a_dcm2niix_that_was_killed_is_no_comparison(
    bold: DeidentifiedSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = Completed(returncode=-9, stdout="", stderr="")
    monkeypatch.setattr(fidelity, "run_program", lambda *_, **__: killed)
    with pytest.raises(ToolFailedError, match="ended from outside"):
        check_fidelity(bold, work=tmp_path / "work", jobs=1, progress=Silent())


def test_every_key_that_may_differ_has_its_reason() -> None:
    exempt = fidelity.exempt_keys()
    assert list(exempt) == sorted(exempt)
    assert all(exempt.values())
    assert not exempt.keys() & KNOWN_TO_DCM2NIIX


def test_copies_and_originals_must_be_as_many(bold: DeidentifiedSession, tmp_path: Path) -> None:
    (series,) = bold.series
    fewer = replace(bold, series=(replace(series, files=series.files[1:]),))
    with pytest.raises(ValueError, match=r"shorter|longer"):
        check_fidelity(fewer, work=tmp_path / "work", jobs=1, progress=Silent())


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("siemens-xa10-enhanced-bold", "FIDELITY_KEY_LOST"),
        ("ge-dv27-b0map", "FIDELITY_IMAGE_CHANGED"),
    ],
)
def test_real_copies_without_private_headers_are_refused(
    shared_data: Callable[[str], Path], tmp_path: Path, name: str, code: str
) -> None:
    session = stage_plainly([shared_data(name)], tmp_path / "staged")
    assert _check(session, tmp_path / "work") == ()
    _edit(session, lambda header: header.remove_private_tags())
    assert code in {one.code for one in _check(session, tmp_path / "work")}


def test_a_series_number_that_is_made_of_the_uid_is_not_compared(
    bold: DeidentifiedSession, tmp_path: Path
) -> None:
    for series in bold.series:
        for file in [*series.files, *(instance.path for instance in series.source.instances)]:
            header = pydicom.dcmread(file)
            del header.SeriesNumber
            header.save_as(file)

    def replace_uid(header: pydicom.Dataset) -> None:
        header.SeriesInstanceUID = "2.25.1"

    _edit(bold, replace_uid)
    assert _check(bold, tmp_path / "work") == ()


def test_a_series_number_of_its_own_is_compared(bold: DeidentifiedSession, tmp_path: Path) -> None:
    _edit(bold, lambda header: setattr(header, "SeriesNumber", 4711))
    (found,) = _check(bold, tmp_path / "work")
    assert (found.code, "SeriesNumber" in found.message) == ("FIDELITY_KEY_CHANGED", True)


def test_images_of_removed_overlays_are_no_loss(bold: DeidentifiedSession, tmp_path: Path) -> None:
    original = bold.series[0].source.instances[0].path
    header = pydicom.dcmread(original)
    bits = (header.Rows * header.Columns + 7) // 8
    plane = pydicom.Dataset()
    plane.add_new(0x60000010, "US", header.Rows)
    plane.add_new(0x60000011, "US", header.Columns)
    plane.add_new(0x60000040, "CS", "G")
    plane.add_new(0x60000050, "SS", [1, 1])
    plane.add_new(0x60000100, "US", 1)
    plane.add_new(0x60000102, "US", 0)
    plane.add_new(0x60003000, "OW", b"\x0f" * (bits + bits % 2))
    header.update(plane)
    header.save_as(original)
    converted = fidelity.convert_folder(original.parent, tmp_path / "before", [original])
    assert any("ROI" in name for name in converted.names())
    assert _check(bold, tmp_path / "work") == ()


def test_a_key_may_differ_where_somebody_was_named_in_it() -> None:
    cut = Note(place="(0018,0024)", reason=NoteReason.NAME, count=3)
    odd = Note(place="(0018,1020)", reason=NoteReason.OTHER_THAN_MEANT, count=3)
    elsewhere = Note(place="(0018,0081)", reason=NoteReason.NAME, count=3)
    assert cleaned_keys((cut, odd, elsewhere)) == {"SequenceName"}
