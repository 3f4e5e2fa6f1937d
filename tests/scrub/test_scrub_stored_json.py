"""JSON that is stored already: what goes, what stays, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bidsanon.bids.keys import KeyAction, key_rules, rules_for
from bidsanon.bids.sidecars import LARGEST_JSON, SidecarError
from bidsanon.bids.standard import data_kinds, suffix_fields
from bidsanon.deidentify.descriptors import clean_descriptor
from bidsanon.scrub.sidecars import SidecarPolicy
from bidsanon.scrub.stored_json import (
    JsonKind,
    ScrubbedJson,
    kind_of_json,
    read_stored_json,
    scrub_stored_json,
)

POLICY = SidecarPolicy(
    device_pseudonym=lambda _: "anon-a",
    to_noon=lambda _: "12:00:00",
    clean=lambda text: clean_descriptor(text, frozenset()).text,
    without_known=lambda text: text.replace("Mara", ""),
    keep_placeholders=True,
)
BOLD = "sub-01/func/sub-01_task-rest_bold.json"


def _scrub(name: str, content: dict[str, Any] | str) -> ScrubbedJson:
    raw = content if isinstance(content, str) else json.dumps(content)
    return scrub_stored_json(name, raw.encode(), json.loads(raw), POLICY)


def _left(name: str, content: dict[str, Any]) -> dict[str, Any]:
    scrubbed = _scrub(name, content)
    if scrubbed.text is None:
        return content
    left: dict[str, Any] = json.loads(scrubbed.text)
    assert _scrub(name, left).text is None, "a second time changes something"
    return left


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (BOLD, JsonKind.SIDECAR),
        ("task-rest_bold.json", JsonKind.SIDECAR),
        ("bold.json", JsonKind.SIDECAR),
        ("sub-01/eeg/sub-01_task-x_eeg.json", JsonKind.SIDECAR),
        ("participants.json", JsonKind.COLUMNS),
        ("scans.json", JsonKind.COLUMNS),
        ("phenotype/questions.json", JsonKind.COLUMNS),
        ("sub-01/func/sub-01_task-rest_events.json", JsonKind.COLUMNS),
        ("dataset_description.json", JsonKind.DESCRIPTION),
        ("sub-01/anat/report.json", JsonKind.DESCRIPTION),
        ("genetic_info.json", JsonKind.DESCRIPTION),
    ],
)
def test_a_file_is_known_by_its_name(name: str, kind: JsonKind) -> None:
    assert kind_of_json(name) is kind


@pytest.mark.parametrize(
    ("content", "left"),
    [
        ({"EchoTime": 0.03, "PatientName": "x"}, {"EchoTime": 0.03}),
        ({"EchoTime": 0.03, "Mara": "x"}, {"EchoTime": 0.03}),
        ({"EchoTime": 0.03, "global": {"const": {"StudyID": 1}}}, {"EchoTime": 0.03}),
        ({"ImageType": ["ORIGINAL", {"PatientID": 1}]}, {}),
        ({"AcquisitionTime": "10:00:00"}, {}),
        ({"TimeZero": "10:00:00"}, {"TimeZero": "12:00:00"}),
        ({"MolarActivityMeasTime": "10:00:00"}, {"MolarActivityMeasTime": "12:00:00"}),
        ({"DeviceSerialNumber": "123"}, {"DeviceSerialNumber": "anon-a"}),
        ({"DeviceSerialNumber": ["123"]}, {}),
        ({"TaskDescription": "on 18 September 2018"}, {"TaskDescription": "on"}),
        ({"TaskDescription": "18 September 2018"}, {}),
        ({"ReceiveCoilName": "Mara"}, {}),
        ({"CogAtlasID": "http://x.org/TODO"}, {"CogAtlasID": "http://x.org/TODO"}),
        ({"IntendedFor": "bids::sub-01/a.nii"}, {"IntendedFor": "bids::sub-01/a.nii"}),
        ({"ConversionSoftwareVersion": "v1.0.20250505"}, None),
        (
            {"AnatomicalLandmarkCoordinates": {"Mara": [1, 2, 3], "LPA": [1, 2, 3]}},
            {"AnatomicalLandmarkCoordinates": {"LPA": [1, 2, 3]}},
        ),
        ({"Sources": ["bids::a"], "SkullStripped": True}, None),
    ],
)
def test_a_sidecar_keeps_what_describes_the_acquisition(
    content: dict[str, Any], left: dict[str, Any] | None
) -> None:
    assert _left(BOLD, content) == (content if left is None else left)


def test_the_fields_of_other_kinds_of_data_stay() -> None:
    eeg = {"EEGReference": "Cz", "SamplingFrequency": 500, "PowerLineFrequency": 50}
    assert _left("sub-01/eeg/sub-01_task-x_eeg.json", eeg | {"PatientID": "1"}) == eeg


def test_filters_keep_their_settings_and_lose_who_set_them() -> None:
    filters = {"High": {"Cutoff (Hz)": 0.1, "Type": "Butterworth"}, "Notch": {}, "N": {"a": [1]}}
    name = "sub-01/eeg/sub-01_task-x_eeg.json"
    content = {"SoftwareFilters": filters, "HardwareFilters": "n/a"}
    assert _left(name, content) == content
    told = {"High": {"Cutoff (Hz)": 0.1, "PatientName": "Doe", "By": "Mara"}}
    left = _left(name, {"SoftwareFilters": told})
    assert left == {"SoftwareFilters": {"High": {"Cutoff (Hz)": 0.1}}}


def test_every_field_of_bids_stays_where_it_belongs_but_for_those_that_identify() -> None:
    kept = 0
    for _, suffix in data_kinds():
        for key, shapes in suffix_fields(suffix).items():
            content = {key: _example(shapes[0])}
            rule = rules_for(suffix)[key]
            left = _left(f"sub-01/x/sub-01_task-x_{suffix}.json", content)
            if rule.action is KeyAction.KEEP:
                assert left == content, suffix
                kept += 1
            else:
                assert rule.reason, suffix
    assert kept > 1000


def _example(schema: dict[str, Any]) -> Any:
    """Return a value of the shape that a schema asks for."""
    if "anyOf" in schema:
        return _example(schema["anyOf"][0])
    if "enum" in schema:
        return schema["enum"][0]
    if schema["type"] == "array":
        return [_example(schema.get("items", {"type": "string"}))] * schema.get("minItems", 1)
    if schema["type"] == "object":
        parts = {key: _example(part) for key, part in schema.get("properties", {}).items()}
        if isinstance(schema.get("additionalProperties"), dict):
            parts["NAS"] = _example(schema["additionalProperties"])
        return parts or {"Cutoff (Hz)": 0.1, "Type": "Butterworth"}
    return {"string": "vertex", "boolean": True, "number": 0.5, "integer": 3}[schema["type"]]


def test_definitions_of_columns_stay_and_those_of_identifying_ones_go() -> None:
    content = {
        "age": {"Description": "at the scan", "Units": "year"},
        "my_score": {"LongName": "Score", "Levels": {"1": "low", "2": "high"}},
        "last_name": {"Description": "surname"},
        "note": {"Description": "by Mara", "PatientName": "x"},
    }
    assert _left("participants.json", content) == {
        "age": {"Description": "at the scan", "Units": "year"},
        "my_score": {"LongName": "Score", "Levels": {"1": "low", "2": "high"}},
        "note": {"Description": "by "},
    }


def test_a_key_in_which_a_person_is_named_goes_with_what_it_holds() -> None:
    column = {"Description": "faces", "Levels": {"Mara": "hers", "b": "other"}}
    events = {"Mara_seen": {"Description": "whether"}, "trial": column}
    left = {"trial": {"Description": "faces", "Levels": {"b": "other"}}}
    assert _left("sub-01/func/sub-01_task-rest_events.json", events) == left
    assert _left("sub-01/x.json", {"a": {"of Mara": 1, "c": 2}}) == {"a": {"c": 2}}


def test_what_people_write_stays_but_for_what_is_known_to_identify() -> None:
    content = {
        "Name": "study of Mara",
        "Authors": ["Mara Author"],
        "Own": {"Deep": [{"PatientID": "1", "x": 2}]},
        "ReferencesAndLinks": ["https://x.org/20190301"],
    }
    assert _left("dataset_description.json", content) == {
        "Name": "study of ",
        "Authors": ["Mara Author"],
        "Own": {"Deep": [{"x": 2}]},
        "ReferencesAndLinks": ["https://x.org/20190301"],
    }


def test_keys_that_identify_by_their_name_are_not_repeated() -> None:
    words = _scrub(BOLD, {"MaraDoe": 1, "JohnDoe": 2, "StudyID": 3}).words
    assert words == ("(other keys) (2 times) removed", "StudyID removed")


def test_a_misfit_is_named_and_not_repeated() -> None:
    scrubbed = _scrub(BOLD, {"EchoTime": "Mara"})
    assert scrubbed.misfits == ("EchoTime",)
    assert "Mara" not in str(scrubbed)


@pytest.mark.parametrize("raw", ['{"EchoTime": 1e999, "A": 1}', '{"TaskName": "\\ud800", "A": 1}'])
def test_what_cannot_be_written_is_refused(raw: str) -> None:
    with pytest.raises(SidecarError, match="none"):
        _scrub(BOLD, raw)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "not JSON"),
        (b'{"a": 1', "not JSON"),
        (b"[1]", "object"),
        (b"\xff{}", "UTF-8"),
        (b"[" * 200_000, "deeply"),
        (b'{"a": ' + b"1" * 5000 + b"}", "digits"),
        (b'{"a": NaN}', "not JSON"),
        (b" " * (LARGEST_JSON + 1), "larger"),
    ],
)
def test_what_is_no_json_is_refused(tmp_path: Path, raw: bytes, words: str) -> None:
    (tmp_path / "a.json").write_bytes(raw)
    with pytest.raises(SidecarError, match=words):
        read_stored_json(tmp_path / "a.json")


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    content=st.dictionaries(
        st.sampled_from(sorted(key_rules())) | st.text(max_size=8), _VALUES, max_size=8
    ),
    name=st.sampled_from([BOLD, "participants.json", "dataset_description.json", "sub-01/x.json"]),
)
def test_whatever_stands_there_only_what_is_allowed_stays_and_twice_is_once(
    content: dict[str, Any], name: str
) -> None:
    try:
        scrubbed = _scrub(name, content)
    except SidecarError:
        return
    left = content if scrubbed.text is None else json.loads(scrubbed.text)
    assert _scrub(name, left).text is None
    if kind_of_json(name) is JsonKind.SIDECAR:
        assert left.keys() <= rules_for("bold").keys()
    assert "PatientName" not in left
