"""One sidecar: what stays, in which shape, and what goes, at every depth."""

from typing import Any

import pytest

from bidsanon.scrub.sidecars import (
    OTHER_KEYS,
    SidecarPolicy,
    add_face_removed,
    add_method,
    face_absent_method,
    face_kept_method,
    scrub_sidecar,
)
from bidsanon.session import CodedConcept

POLICY = SidecarPolicy(
    device_pseudonym=lambda serial: f"scanner-{len(serial)}",
    to_noon=lambda text: "12:34:56" if text == "09:00:00" else None,
    session="sub-01/ses-01",
    published={"sub-01_ses-01_dwi.nii.gz"},
)


def _scrubbed(content: dict[str, Any]) -> dict[str, Any]:
    return scrub_sidecar(content, POLICY).content


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("EchoTime", 0.03),
        ("EchoTime", [0.01, 0.02]),
        ("RepetitionTime", 2),
        ("MTState", False),
        ("ScanningSequence", "GR"),
        ("ScanningSequence", ["GR", "EP"]),
        ("SliceTiming", [0, 0.5]),
        ("ImageType", ["ORIGINAL", "PRIMARY"]),
        ("ShimSetting", [1, -2]),
        ("SeriesDescription", "t1_mprage"),
        ("ProtocolName", "t1_mprage"),
        ("B0FieldIdentifier", "a_field"),
        ("IntendedFor", "bids::sub-01/ses-01/dwi/sub-01_ses-01_dwi.nii.gz"),
        ("AnatomicalLandmarkCoordinates", {"LPA": [1, 2, 3]}),
    ],
)
def test_what_describes_the_acquisition_stays_as_it_is(key: str, value: object) -> None:
    assert _scrubbed({key: value}) == {key: value}


@pytest.mark.parametrize(
    "key",
    ["PatientName", "InstitutionName", "StationName", "AcquisitionTime", "ImageComments", "Mara"],
)
def test_what_identifies_or_is_not_known_goes(key: str) -> None:
    assert _scrubbed({key: "x", "EchoTime": 1}) == {"EchoTime": 1}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("EchoTime", {"PatientName": "Doe^Mara"}),
        ("EchoTime", "Doe^Mara"),
        ("EchoTime", [0.1, "Doe^Mara"]),
        ("EchoTime", None),
        ("MTState", "Doe^Mara"),
        ("ShimSetting", [1, {"PatientName": "Doe^Mara"}]),
        ("ShimSetting", ["Doe^Mara"]),
        ("ManufacturersModelName", ["Doe^Mara"]),
        ("ManufacturersModelName", {"Doe": "Mara"}),
        ("AnatomicalLandmarkCoordinates", {"Doe": "Mara"}),
        ("SliceTiming", [[{"a": "Doe^Mara"}]]),
    ],
)
def test_a_value_of_another_shape_goes_and_is_named(key: str, value: object) -> None:
    scrubbed = scrub_sidecar({key: value}, POLICY)

    assert scrubbed.content == {}
    assert scrubbed.misfits == (key,)


def test_unknown_keys_within_a_known_object_go() -> None:
    sequence = [{"CodeValue": "113100", "PatientName": "Doe^Mara", "CodeMeaning": {"x": "y"}}]

    scrubbed = scrub_sidecar({"DeidentificationMethodCodeSequence": sequence}, POLICY)

    assert scrubbed.content == {"DeidentificationMethodCodeSequence": [{"CodeValue": "113100"}]}
    assert scrubbed.removed == {OTHER_KEYS: 3}


def test_removed_keys_are_counted_and_unknown_names_are_not_told() -> None:
    scrubbed = scrub_sidecar({"StationName": "x", "Mara Doe": "x", "global": {"a": 1}}, POLICY)

    assert scrubbed.removed == {"StationName": 1, OTHER_KEYS: 2}


def test_a_serial_number_becomes_a_pseudonym() -> None:
    assert _scrubbed({"DeviceSerialNumber": "66021"}) == {"DeviceSerialNumber": "scanner-5"}


def test_a_time_of_day_is_moved_or_goes() -> None:
    assert _scrubbed({"TimeZero": "09:00:00"}) == {"TimeZero": "12:34:56"}
    assert _scrubbed({"TimeZero": "soon"}) == {}


@pytest.mark.parametrize("value", ["TODO", "https://www.cognitiveatlas.org/task/id/TODO", ["TODO"]])
def test_placeholders_go(value: object) -> None:
    assert _scrubbed({"CogAtlasID": value, "ReconMethodName": value}) == {}


def test_images_that_are_not_published_are_no_longer_intended_for() -> None:
    withheld = "ses-01/func/sub-01_ses-01_task-rest_bold.nii.gz"
    other = "ses-01/dwi/sub-01_ses-01_dwi.nii.gz"

    assert _scrubbed({"IntendedFor": withheld}) == {}
    assert _scrubbed({"IntendedFor": f"bids::sub-01/{withheld}"}) == {}
    assert _scrubbed({"IntendedFor": [withheld, other]}) == {"IntendedFor": [other]}
    elsewhere = "bids::sub-01/ses-02/func/sub-01_ses-02_task-rest_bold.nii.gz"
    assert _scrubbed({"IntendedFor": elsewhere}) == {"IntendedFor": elsewhere}


def test_keys_come_out_sorted() -> None:
    assert list(_scrubbed({"FlipAngle": 1, "EchoTime": 1})) == ["EchoTime", "FlipAngle"]


def test_scrubbing_twice_changes_nothing_more() -> None:
    once = _scrubbed({"EchoTime": 1, "StationName": "x", "ImageType": ["A"], "a": {"b": 1}})

    assert _scrubbed(once) == once


def test_the_method_is_written_in_words_and_codes() -> None:
    code = CodedConcept(value="113100", scheme="DCM", meaning="Basic Profile")

    content = add_method(
        {"EchoTime": 1, "DeidentificationMethod": "as dcm2niix copied it"},
        methods=["one", "two"],
        codes=(code,),
    )

    assert content == {
        "DeidentificationMethod": ["one", "two"],
        "DeidentificationMethodCodeSequence": [
            {
                "CodeValue": "113100",
                "CodeMeaning": "Basic Profile",
                "CodingSchemeDesignator": "DCM",
            }
        ],
        "EchoTime": 1,
    }


def test_a_removed_face_is_said_beside_what_was_said_before_and_once() -> None:
    basic = {"CodeValue": "113100", "CodeMeaning": "Basic", "CodingSchemeDesignator": "DCM"}
    before = {
        "Zoom": 1,
        "DeidentificationMethod": "by hand",
        "DeidentificationMethodCodeSequence": [basic],
        "EchoTime": 1,
    }

    once = add_face_removed(before, engine_version="bidsanon 1")

    assert list(once) == list(before)
    assert (once["Zoom"], once["EchoTime"]) == (1, 1)
    assert once["DeidentificationMethod"] == ["by hand", "Face removed by bidsanon 1"]
    codes = [code["CodeValue"] for code in once["DeidentificationMethodCodeSequence"]]
    assert codes == ["113100", "113102"]
    assert add_face_removed(once, engine_version="bidsanon 1") == once
    assert before["DeidentificationMethod"] == "by hand"


def test_a_face_that_is_removed_after_all_is_no_longer_said_to_be_kept_or_absent() -> None:
    untrue = [face_kept_method("consent"), face_absent_method("no head")]
    before = {"DeidentificationMethod": ["bidsanon, profile bids", *untrue]}
    said = add_face_removed(before, engine_version="bidsanon 1")
    assert said["DeidentificationMethod"] == [
        "bidsanon, profile bids",
        "Face removed by bidsanon 1",
    ]


def test_a_removed_face_is_said_where_nothing_was_said_yet() -> None:
    said = add_face_removed({"EchoTime": 1}, engine_version="bidsanon 1")

    assert said["DeidentificationMethod"] == ["Face removed by bidsanon 1"]
    assert len(said["DeidentificationMethodCodeSequence"]) == 1
