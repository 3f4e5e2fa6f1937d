"""SNIRF, NWB and EEGLAB's newer files are looked into where h5py is there."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from privacy_trees import findings_of, raw_dataset

from bidsanon.validate import privacy_content
from bidsanon.validate.privacy import check_privacy

SNIRF = "sub-01/nirs/sub-01_task-rest_nirs.snirf"
TAGS = "nirs/metaDataTags/"


def told(root: Path, fields: dict[str, object], name: str = SNIRF) -> dict[str, list[str]]:
    raw_dataset(root, whole=False)
    (root / name).parent.mkdir(parents=True)
    with h5py.File(root / name, "w") as file:
        for key, value in fields.items():
            file[key] = value
        file["nirs/data1/dataTimeSeries"] = np.arange(99.0)
    found = findings_of(check_privacy(root))
    return {code: places for code, places in found.items() if name in str(places)}


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        (f"{TAGS}SubjectID", "Quillfeather", "PRIVACY_FIELD_PERHAPS"),
        (f"{TAGS}MeasurementDate", "2021-03-12", "PRIVACY_FIELD"),
        (f"{TAGS}MeasurementTime", "10:11:12", "PRIVACY_FIELD_PERHAPS"),
        (f"{TAGS}PatientName", "Quillfeather", "PRIVACY_FIELD"),
        (f"{TAGS}Operator", "M. Doe", "PRIVACY_FIELD"),
        ("session_start_time", "2021-03-12T10:11:12.5+01:00", "PRIVACY_FIELD"),
        ("file_create_date", ["2021-03-12T10:11:12"], "PRIVACY_FIELD_PERHAPS"),
        ("general/subject/date_of_birth", "1951-05-02", "PRIVACY_FIELD"),
        ("general/subject/subject_id", "MQ1951", "PRIVACY_FIELD_PERHAPS"),
        ("general/experimenter", ["Doe, Mara"], "PRIVACY_FIELD"),
        ("general/institution", "Aldwyn Infirmary", "PRIVACY_FIELD_PERHAPS"),
        ("general/notes", "she was late", "PRIVACY_FIELD_PERHAPS"),
        ("general/x", "/home/quillfeather/a.m", "PRIVACY_FIELD_PERHAPS"),
        ("general/x", "seen by Quillfeather^Mara", "PRIVACY_FIELD_PERHAPS"),
    ],
)
def test_what_tells_of_people_is_found(tmp_path: Path, key: str, value: object, code: str) -> None:
    assert set(told(tmp_path, {key: value})) == {code}


def test_what_tells_nothing_has_nothing_said_of_it(tmp_path: Path) -> None:
    fields: dict[str, object] = {
        f"{TAGS}SubjectID": "sub-01",
        f"{TAGS}MeasurementDate": "1910-03-12",
        f"{TAGS}MeasurementTime": "12:00:00",
        f"{TAGS}LengthUnit": "mm",
        "formatVersion": "1.1",
        "general/notes": "n/a",
        "stimulus/comments": "no comments",
        "specifications/core/namespace": '{"contact": "somebody@gmail.com"}',
    }
    assert told(tmp_path, fields) == {}


def test_a_damaged_file_is_said(tmp_path: Path) -> None:
    told(tmp_path, {"a": "b"})
    content = (tmp_path / SNIRF).read_bytes()
    (tmp_path / SNIRF).write_bytes(content[:700])
    found = findings_of(check_privacy(tmp_path))
    assert [places for code, places in found.items() if code == "PRIVACY_NOT_READ"] == [[SNIRF]]


def test_without_h5py_it_is_named_as_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(privacy_content, "reader_version", lambda: None)
    assert set(told(tmp_path, {f"{TAGS}SubjectID": "x"})) == {"PRIVACY_KIND_NOT_READ"}
