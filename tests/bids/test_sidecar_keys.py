"""The table of keys that dcm2niix writes: pinned, reasoned, and in step with BIDS."""

import hashlib

import pytest

from bidsanon.bids.keys import KeyAction, key_rules
from bidsanon.bids.standard import image_fields
from bidsanon.resources import data_path

ROWS = 165
DIGEST = "6200ca05421e711cb030401c45d773f88a3e7d1c6e20aa615befc0db7748fc9e"


def _rows() -> list[list[str]]:
    lines = data_path("sidecar_keys.tsv").read_text("utf-8").splitlines()
    return [line.split("\t") for line in lines[1:]]


def test_the_table_is_the_reviewed_one() -> None:
    content = data_path("sidecar_keys.tsv").read_bytes()

    assert len(_rows()) == ROWS
    assert hashlib.sha256(content).hexdigest() == DIGEST


def test_rows_are_sorted_unique_and_reasoned() -> None:
    keys = [row[0] for row in _rows()]

    assert keys == sorted(set(keys))
    assert all(len(row) == 4 and len(row[3]) > 5 for row in _rows())


@pytest.mark.parametrize(
    "key",
    [
        "PatientName",
        "PatientID",
        "PatientBirthDate",
        "InstitutionName",
        "InstitutionAddress",
        "InstitutionalDepartmentName",
        "StationName",
        "ProcedureStepDescription",
        "StudyDescription",
        "ImageComments",
        "AcquisitionDateTime",
        "AccessionNumber",
        "ReferringPhysicianName",
        "WipMemBlock",
        "ScanDate",
        "SeriesInstanceUID",
        "StudyInstanceUID",
    ],
)
def test_what_says_who_where_or_when_is_removed(key: str) -> None:
    assert key_rules()[key].action is KeyAction.REMOVE


def test_fields_of_bids_stay_unless_the_table_says_otherwise() -> None:
    listed = {row[0] for row in _rows()}

    for key in image_fields().keys() - listed:
        assert key_rules()[key].action is KeyAction.KEEP
    assert key_rules()["DeviceSerialNumber"].action is KeyAction.PSEUDONYM
    assert key_rules()["TimeZero"].action is KeyAction.NOON
    assert key_rules()["AcquisitionTime"].action is KeyAction.TIME
    assert key_rules()["TaskDescription"].action is KeyAction.CLEAN


def test_a_key_in_neither_table_is_not_known() -> None:
    assert "global" not in key_rules()
