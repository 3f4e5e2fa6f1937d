"""What a dataset says of a person in one place is taken out of its texts everywhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bidsanon.identity import ValueKind
from bidsanon.pipeline.scrub import ScrubRun, scrub
from bidsanon.pipeline.scrub_request import make_scrub_request
from bidsanon.progress import Silent
from bidsanon.redaction import Redactor
from bidsanon.scrub import list_dataset, told_by_dataset

NAME, NUMBER = "Quillfeather", "PT4711081"
TOLD = "sub-01/anat/sub-01_T1w.json"
TEXTS = "sub-01/func/sub-01_task-rest_bold.json"
PROTOCOL = {"EchoTime": 0.03, "ProtocolName": f"EPI AP {NAME} {NUMBER}"}


def write(root: Path, name: str, content: object) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")


def values(root: Path) -> set[tuple[ValueKind, str]]:
    return {(value.kind, value.text) for value in told_by_dataset(list_dataset(root))}


def scrubbed(root: Path) -> ScrubRun:
    return scrub(make_scrub_request(root), progress=Silent(), redactor=Redactor())


@pytest.mark.parametrize(
    ("place", "content"),
    [
        (TOLD, {"PatientName": f"{NAME}^Mara", "PatientID": NUMBER}),
        (TOLD, {"global": {"const": {"PatientName": NAME, "AccessionNumber": NUMBER}}}),
        (
            TOLD,
            {
                "00100010": {"vr": "PN", "Value": [{"Alphabetic": f"{NAME}^M"}]},
                "StudyID": NUMBER,
            },
        ),
        ("participants.tsv", f"participant_id\tlast_name\tMRN\nsub-01\t{NAME}\t{NUMBER}\n"),
        ("sub-01/sub-01_scans.tsv", f"filename\toperator\tpatient_id\na\t{NAME}^M\t{NUMBER}\n"),
        ("sub-01/sub-01_scans.tsv", f"filename\toperator\tpatient_id\na\t{NAME}\t{NUMBER}\n"),
        (".heudiconv/01/info/dicominfo.tsv", f"patient_id\toperator\n{NUMBER}\t{NAME}^M\n"),
    ],
)
def test_a_name_that_stands_in_one_place_goes_from_texts_elsewhere(
    tmp_path: Path, place: str, content: object
) -> None:
    write(tmp_path, TEXTS, PROTOCOL)
    write(tmp_path, place, content)
    run = scrubbed(tmp_path)
    assert run.refusal is None
    assert json.loads((tmp_path / TEXTS).read_text()) == PROTOCOL | {"ProtocolName": "EPI AP"}
    assert scrubbed(tmp_path).changes == ()


@pytest.mark.parametrize(
    "content",
    [
        {"PatientName": "sub-01", "PatientID": "01"},
        {"PatientName": "sub-P1234", "PatientID": "P1234"},
        {"PatientName": "Phantom^Head", "PatientID": "n/a"},
        {"PatientName": "", "StudyID": "1", "AccessionNumber": None},
        {"PatientName": "resting", "OperatorsName": "T1w^resting"},
        {"PatientComments": "coughs now and then", "Allergies": "penicillin"},
        {"last_name": {"Description": "how somebody is called"}},
        {"Authors": ["Mara Quillfeather"], "EchoTime": 0.03},
        [1, 2],
    ],
)
def test_what_names_nobody_is_not_taken_for_a_person(tmp_path: Path, content: object) -> None:
    write(tmp_path, TOLD, content)
    write(tmp_path, "dataset_description.json", {"PatientName": NAME})
    write(tmp_path, "code/a.json", {"PatientName": NAME})
    write(tmp_path, "participants.tsv", "participant_id\tname\nsub-01\tbaseline\n")
    write(tmp_path, "sub-01/sub-01_scans.tsv", "filename\toperator\na\tMQ\nb\tphantom\n")
    write(tmp_path, "sub-01/func/sub-01_task-resting_bold.json", {})
    write(tmp_path, "sub-P1234/anat/sub-P1234_T1w.json", {})
    assert values(tmp_path) == set()


def test_damaged_files_tell_nothing(tmp_path: Path) -> None:
    write(tmp_path, TOLD, '{"PatientName": ')
    write(tmp_path, "participants.tsv", "")
    (tmp_path / "sub-01/sub-01_scans.tsv").write_bytes(b"operator\n\xff\xfe\n")
    write(tmp_path, "sub-01/deep.json", '{"a":' * 3000 + "1" + "}" * 3000)
    assert values(tmp_path) == set()


def test_only_what_a_table_tells_of_people_is_taken(tmp_path: Path) -> None:
    write(tmp_path, "sub-01/eeg/sub-01_channels.tsv", f"name\ttype\n{NAME}\tEEG\n")
    write(tmp_path, "phenotype/a.tsv", f"participant_id\tsurname\nsub-01\t{NAME}\n")
    assert values(tmp_path) == {(ValueKind.NAME, NAME)}
