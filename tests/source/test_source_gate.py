"""The source gate: what it lets through, what it sets aside, and when it says no."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import sessions
from instances import Read, Write
from pydicom import dcmread
from pydicom.uid import (
    CTImageStorage,
    EnhancedSRStorage,
    GrayscaleSoftcopyPresentationStateStorage,
    ImplicitVRLittleEndian,
    SecondaryCaptureImageStorage,
)
from tree_digests import tree_digest

from bidsanon.errors import SourceError, UsageError
from bidsanon.session import QuarantineReason, SourceSession


def codes(session: SourceSession) -> set[str]:
    return {f.code for f in session.findings if f.code != "QUARANTINED"}


def reasons(session: SourceSession) -> dict[str, str]:
    return {f.path.name: f.reason.value for f in session.quarantine}


def test_series_stand_in_acquisition_order_and_instances_by_number(
    write: Write, read: Read
) -> None:
    for name, series, time, number in [
        ("a", "1.2.3.9", "150000", 2),
        ("b", "1.2.3.9", "150001", 10),
        ("c", "1.2.3.9", "150002", 1),
        ("d", "1.2.3.8", "140000", 1),
    ]:
        write(
            name,
            SeriesInstanceUID=series,
            AcquisitionTime=time,
            InstanceNumber=number,
            SeriesNumber=int(series[-1]),
        )
    session = read()
    assert [(s.index, s.series_number) for s in session.series] == [(1, 8), (2, 9)]
    assert [i.path.name for i in session.series[1].instances] == ["c", "a", "b"]
    assert codes(session) == {"INSTANCES_MISSING"}


def test_series_acquired_together_stand_by_their_number(write: Write, read: Read) -> None:
    for number in (12, 3, 7):
        write(str(number), SeriesInstanceUID=f"1.2.3.{number}", SeriesNumber=number)
    assert [s.series_number for s in read().series] == [3, 7, 12]


def test_a_multi_frame_file_says_when_it_was_acquired_in_one_value(
    write: Write, read: Read
) -> None:
    write("late", SeriesInstanceUID="1.2.3.5", AcquisitionTime="150000")
    write(
        "early",
        SeriesInstanceUID="1.2.3.6",
        AcquisitionDate=None,
        AcquisitionTime=None,
        AcquisitionDateTime="20180907145959.9+0200",
    )
    assert [s.start for s in read().series] == ["20180907145959.900000", "20180907150000.000000"]


def test_two_persons_are_refused_with_their_count(tmp_path: Path, read: Read) -> None:
    sessions.two_persons(tmp_path / "source")
    session = read()
    assert codes(session) >= {"SEVERAL_PERSONS"}
    assert "2 persons" in session.findings[0].message


def test_another_persons_screenshot_is_another_person(write: Write, read: Read) -> None:
    write("image")
    write("shot", SOPClassUID=SecondaryCaptureImageStorage, PatientID="Y-1", PatientName="Other^A")
    assert "SEVERAL_PERSONS" in codes(read())


def test_a_session_without_a_name_is_its_study(write: Write, read: Read) -> None:
    write("a", PatientID="", PatientName="")
    session = read()
    assert codes(session) == {"PERSON_NOT_TOLD"}
    assert "1.2.3.1" in session.person


def test_two_studies_without_names_are_refused(write: Write, read: Read) -> None:
    write("a", PatientID="", PatientName="")
    write("b", PatientID="", PatientName="", StudyInstanceUID="1.2.3.2")
    assert codes(read()) == {"PERSONS_UNCLEAR"}


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({"BurnedInAnnotation": "YES"}, "burned-in"),
        ({"SOPClassUID": SecondaryCaptureImageStorage}, "secondary-capture"),
        ({"ConversionType": "WSD"}, "secondary-capture"),
        ({"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]}, "secondary-capture"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "OTHER", "CSA REPORT"]}, "secondary-capture"),
        ({"ImageType": ["DERIVED", "SECONDARY"], "SamplesPerPixel": 3}, "secondary-capture"),
        ({"SeriesDescription": "Patient Protocol"}, "patient-protocol"),
        ({"ImageType": ["DERIVED", "SECONDARY", "REPORTDATA"]}, "secondary-capture"),
        ({"DateOfSecondaryCapture": "20180907"}, "secondary-capture"),
        ({"SecondaryCaptureDeviceManufacturer": "Quist Imaging"}, "secondary-capture"),
        ({"SeriesDescription": "t1 Screen Save"}, "secondary-capture"),
        ({"SeriesDescription": "3D saved state - auto"}, "secondary-capture"),
        ({"SOPClassUID": "1.2.840.10008.5.1.1.30"}, "secondary-capture"),
        ({"BurnedInAnnotation": "YES\\NO"}, "burned-in"),
        ({"SeriesDescription": "Dose Report"}, "patient-protocol"),
        ({"SeriesDescription": "AVA_Report"}, "patient-protocol"),
        ({"SOPClassUID": EnhancedSRStorage, "Modality": "SR"}, "not-an-image"),
        ({"SOPClassUID": GrayscaleSoftcopyPresentationStateStorage}, "not-an-image"),
        ({"SOPClassUID": "1.3.46.670589.11.0.0.12.2"}, "not-an-image"),
        ({"SOPClassUID": CTImageStorage, "Modality": "CT"}, "modality"),
        ({"Modality": "PR"}, "modality"),
    ],
)
def test_what_is_no_image_for_conversion_is_set_aside(
    write: Write, read: Read, attributes: dict[str, object], reason: str
) -> None:
    write("image")
    write("other", **{"SeriesInstanceUID": "1.2.3.1.2", **attributes})
    session = read()
    assert reasons(session) == {"other": reason}
    assert [f.message for f in session.findings] == [f"1 file(s) went to quarantine: {reason}"]


@pytest.mark.parametrize(
    "attributes",
    [
        {"ImageType": ["DERIVED", "SECONDARY", "MPR", "CSA MPR"]},
        {"ImageType": ["DERIVED", "PRIMARY", "DIFFUSION", "FA"], "SamplesPerPixel": 3}
        | {"PixelData": bytes(96), "PhotometricInterpretation": "RGB"},
        {"BurnedInAnnotation": "NO"},
        {"ConversionType": ""},
        {"DateOfSecondaryCapture": ""},
        {"SeriesDescription": "unreported_saveur"},
    ],
)
def test_a_derived_map_is_an_image(write: Write, read: Read, attributes: dict[str, object]) -> None:
    write("image", **attributes)
    assert read().quarantine == ()


def test_an_allowed_modality_is_converted(tmp_path: Path, read: Read) -> None:
    sessions.computed_tomography(tmp_path / "source")
    assert {s.modality for s in read(modalities=["CT", "MR"]).series} == {"CT"}


def test_documents_go_to_quarantine(tmp_path: Path, read: Read) -> None:
    source = tmp_path / "source"
    sessions.siemens_t1w(source)
    for builder in (sessions.burned_in_capture, sessions.structured_report):
        builder(source)
    sessions.patient_protocol(source)
    sessions.phoenix_report(source)
    found = Counter(f.reason for f in read().quarantine)
    assert found[QuarantineReason.BURNED_IN] == 1
    assert found[QuarantineReason.NOT_AN_IMAGE] == 2
    assert found[QuarantineReason.PATIENT_PROTOCOL] == 1


def test_an_empty_folder_is_no_source(tmp_path: Path, read: Read) -> None:
    (tmp_path / "source").mkdir()
    with pytest.raises(SourceError, match="no DICOM"):
        read()


def test_a_folder_without_dicom_is_no_source(tmp_path: Path, read: Read) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "notes.txt").write_text("DICM is written here, and means nothing")
    with pytest.raises(SourceError, match=r"no DICOM in the source, and 1 file"):
        read()


def test_a_folder_without_images_says_what_it_holds(write: Write, read: Read) -> None:
    write("report", SOPClassUID=EnhancedSRStorage)
    with pytest.raises(SourceError, match=r"not-an-image \(1\)"):
        read()


def test_a_source_that_is_not_there_is_named_by_its_number(
    tmp_path: Path, write: Write, read: Read
) -> None:
    image = write("image")
    with pytest.raises(UsageError, match="SOURCE number 2") as error:
        read(image, tmp_path / "Quist_Mara")
    assert "Quist" not in error.value.message


def test_files_that_cannot_be_read_are_counted(tmp_path: Path, write: Write, read: Read) -> None:
    write("image")
    for name in ("one", "two"):
        (tmp_path / "source" / name).symlink_to(tmp_path / "nowhere")
    with pytest.raises(SourceError, match=r"2 file\(s\) or folder\(s\) of SOURCE number 1"):
        read()


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_folder_that_cannot_be_entered_is_counted(
    tmp_path: Path, write: Write, read: Read
) -> None:
    write("image")
    locked = tmp_path / "source" / "locked"
    locked.mkdir(mode=0)
    with pytest.raises(SourceError, match=r"1 file\(s\) or folder\(s\) of SOURCE number 1"):
        read()


def test_a_folder_that_cannot_be_listed_is_counted(
    tmp_path: Path, write: Write, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("image")
    (tmp_path / "source" / "locked").mkdir()
    scandir = os.scandir

    def refuse(path: Path) -> object:
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(SourceError, match=r"1 file\(s\) or folder\(s\) of SOURCE number 1"):
        read()


def test_a_truncated_file_among_good_ones_is_an_error_of_its_series(
    tmp_path: Path, read: Read
) -> None:
    sessions.truncated_file(tmp_path / "source")
    session = read()
    assert codes(session) == {"TRUNCATED_FILES"}
    assert session.findings[0].location == "series 1"
    assert [(f.reason, f.series_index) for f in session.quarantine] == [
        (QuarantineReason.TRUNCATED, 1)
    ]


@pytest.mark.parametrize("length", [132, 140, 300, 500, 700])
def test_a_file_cut_anywhere_is_never_skipped(write: Write, read: Read, length: int) -> None:
    image = write("image.dcm")
    cut = write("cut.dcm", InstanceNumber=2)
    cut.write_bytes(image.read_bytes()[:length])
    session = read()
    assert codes(session) & {"TRUNCATED_FILES", "UNREADABLE_FILES"}
    assert len(session.quarantine) == 1


@pytest.mark.parametrize("content", [b"", bytes(4096), b"not DICOM at all"])
def test_a_file_named_like_dicom_that_is_none_is_an_error(
    write: Write, read: Read, content: bytes
) -> None:
    write("image.dcm")
    write("failed.dcm").write_bytes(content)
    assert codes(read()) == {"UNREADABLE_FILES"}


@pytest.mark.parametrize("content", [b"", bytes(4096)])
def test_an_empty_copy_beside_files_of_a_medium_is_an_error(
    write: Write, read: Read, content: bytes
) -> None:
    write("IM_0001")
    write("IM_0002").write_bytes(content)
    assert codes(read()) == {"UNREADABLE_FILES"}


def test_what_is_no_dicom_is_counted(tmp_path: Path, write: Write, read: Read) -> None:
    write("image.dcm")
    for name, content in [
        ("README.txt", b"hello"),
        ("._image.dcm", b"\x00\x05\x16\x07 resource fork"),
        ("Thumbs.db", bytes.fromhex("d0cf11e0a1b11ae1")),
        (".keep", b""),
    ]:
        (tmp_path / "source" / name).write_bytes(content)
    session = read()
    assert session.other_files == 4
    assert session.findings == ()


def test_a_pipe_is_not_opened(tmp_path: Path, write: Write, read: Read) -> None:
    write("image.dcm")
    os.mkfifo(tmp_path / "source" / "pipe")
    assert read().other_files == 1


def test_the_same_instance_twice_is_kept_once(tmp_path: Path, read: Read) -> None:
    sessions.duplicate_instance(tmp_path / "source")
    session = read()
    assert codes(session) == set()
    assert {f.reason for f in session.quarantine} == {QuarantineReason.DUPLICATE}


def test_an_instance_with_two_contents_is_an_error(write: Write, read: Read) -> None:
    write("a", SOPInstanceUID="1.2.3.77")
    write("b", SOPInstanceUID="1.2.3.77", PixelData=bytes(31) + b"\1")
    session = read()
    assert codes(session) == {"DUPLICATE_INSTANCES"}
    assert [len(s.instances) for s in session.series] == [1]


@pytest.mark.parametrize(
    ("numbers", "missing"),
    [((1, 2, 3), None), ((4, 5), None), ((1, 3), 1), ((2, 9, 10), 6), ((5,), None), ((3, 3), None)],
)
def test_images_that_are_not_there_are_a_warning(
    write: Write, read: Read, numbers: tuple[int, ...], missing: int | None
) -> None:
    for place, number in enumerate(numbers):
        write(f"{place}", InstanceNumber=number, SOPInstanceUID=f"1.2.3.{place}")
    found = [f.message.split()[0] for f in read().findings if f.code == "INSTANCES_MISSING"]
    assert found == ([str(missing)] if missing else [])


@pytest.mark.parametrize(
    ("places", "slices"),
    [
        ("012012", None),
        ("01201", 3),
        ("0120120", 3),
        ("001122", None),
        ("00112", None),
        ("012", None),
        ("0", None),
    ],
)
def test_a_last_volume_that_lacks_slices_is_a_warning(
    write: Write, read: Read, places: str, slices: int | None
) -> None:
    for number, place in enumerate(places, start=1):
        write(
            f"{number}",
            InstanceNumber=number,
            SOPInstanceUID=f"1.2.3.{number}",
            ImagePositionPatient=[0, 0, int(place)],
        )
    found = [f.message for f in read().findings if f.code == "VOLUME_INCOMPLETE"]
    expected = f"{len(places)} file(s) are no whole number of volumes of {slices} slices"
    assert [message.partition(":")[0] for message in found] == ([expected] if slices else [])


def test_an_instance_in_two_transfer_syntaxes_is_an_error(write: Write, read: Read) -> None:
    first = write("a", SOPInstanceUID="1.2.3.77")
    again = dcmread(first)
    again.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    again.save_as(first.with_name("b"), implicit_vr=True, little_endian=True)
    assert codes(read()) == {"DUPLICATE_INSTANCES"}


def test_a_series_without_numbers_lacks_nothing(write: Write, read: Read) -> None:
    write("a", InstanceNumber=None)
    write("b", InstanceNumber=None)
    assert codes(read()) == set()


def test_a_series_of_which_an_image_was_quarantined_is_a_warning(write: Write, read: Read) -> None:
    for number in (1, 2, 3, 4):
        burned_in = "YES" if number in {2, 4} else "NO"
        write(f"{number}", InstanceNumber=number, BurnedInAnnotation=burned_in)
    session = read()
    assert codes(session) == {"SERIES_IN_PART"}
    assert [len(s.instances) for s in session.series] == [2]


def test_studies_of_several_days_are_a_warning(tmp_path: Path, read: Read) -> None:
    sessions.siemens_t1w(tmp_path / "source" / "first")
    sessions.second_visit(tmp_path / "source" / "second")
    assert codes(read()) == {"SEVERAL_DAYS"}


def test_no_finding_names_a_person_or_a_file(tmp_path: Path, read: Read) -> None:
    source = tmp_path / "source"
    sessions.two_persons(source)
    sessions.truncated_file(source / "Quist_Mara")
    (source / "Quist_Mara" / "failed.dcm").write_bytes(b"")
    text = " ".join(f"{f.location} {f.message} {f.cure}" for f in read().findings)
    for person in (sessions.MARA, sessions.TOBIAS):
        for value in sessions.identifying_strings(person):
            assert value.lower() not in text.lower()
    assert "failed" not in text


def test_nothing_is_written_into_the_source(tmp_path: Path, read: Read) -> None:
    source = tmp_path / "source"
    sessions.siemens_t1w(source)
    sessions.burned_in_capture(source)
    before = tree_digest(source)
    read()
    assert tree_digest(source) == before


@pytest.mark.parametrize(
    "name",
    [
        "burned-in-pixels",
        "dicomdir-media-multipatient",
        "malformed-and-odd",
        "philips-r57-dwi-dicomdir",
        "siemens-phoenix-sr",
        "siemens-ve11-fmap-gre",
        "transfer-syntaxes",
    ],
)
def test_every_file_of_a_real_set_is_accounted_for(
    name: str, shared_data: Callable[[str], Path], read: Read
) -> None:
    folder = shared_data(name)
    session = read(folder)
    files = sum(path.is_file() for path in folder.rglob("*"))
    instances = sum(len(s.instances) for s in session.series)
    assert instances + len(session.quarantine) + session.other_files == files


def test_a_real_medium_with_private_objects_is_one_series(
    shared_data: Callable[[str], Path], read: Read
) -> None:
    session = read(shared_data("philips-r57-dwi-dicomdir"))
    assert [len(s.instances) for s in session.series] == [544]
    assert Counter(f.reason.value for f in session.quarantine) == {"not-an-image": 3, "dicomdir": 1}


def test_real_sets_of_several_persons_are_refused(
    shared_data: Callable[[str], Path], read: Read
) -> None:
    assert "SEVERAL_PERSONS" in codes(read(shared_data("dicomdir-media-multipatient")))
    assert "SEVERAL_PERSONS" in codes(read(shared_data("burned-in-pixels")))
