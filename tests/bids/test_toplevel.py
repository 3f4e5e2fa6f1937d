"""The files at a dataset's root, for a new dataset and for one that a lab has worked on."""

import json

import pytest

from bidsanon.bids.root_documents import root_documents
from bidsanon.bids.toplevel import (
    TOP_LEVEL_FILES,
    dataset_files,
    merge_participants,
    participant_row,
)
from bidsanon.errors import PolicyError

TOOLS = {"bidsanon": "0.1.0", "heudiconv": "1.5.1", "dcm2niix": "v1.0.20260724"}


def _files(existing: dict[str, str] | None = None, *, replace: bool = False) -> dict[str, str]:
    row = participant_row("01", age_years=44, sex="F")
    return dataset_files(
        existing or {}, name="A study", tools=TOOLS, participant=row, replace=replace
    )


def test_a_new_dataset_gets_every_file() -> None:
    assert set(_files()) == set(TOP_LEVEL_FILES) - {"CITATION.cff"}


def test_nothing_is_left_to_fill_in_and_nothing_holds_a_date() -> None:
    text = "".join(_files().values())

    assert "TODO" not in text
    assert "202" not in text.replace("20260724", "")


def test_the_description_names_the_tools_and_their_versions() -> None:
    description = json.loads(_files()["dataset_description.json"])

    assert description["Name"] == "A study"
    assert description["DatasetType"] == "raw"
    assert {t["Name"]: t["Version"] for t in description["GeneratedBy"]} == TOOLS


def test_the_same_session_again_changes_no_file() -> None:
    files = _files()

    assert _files(files) == {}


def test_another_version_of_a_tool_is_named_beside_the_first() -> None:
    first = _files()["dataset_description.json"]

    again = root_documents(
        {"dataset_description.json": first}, name="x", tools=TOOLS | {"bidsanon": "0.2.0"}
    )["dataset_description.json"]

    tools = [(t["Name"], t["Version"]) for t in json.loads(again)["GeneratedBy"]]
    assert tools == [*TOOLS.items(), ("bidsanon", "0.2.0")]


def test_what_the_lab_wrote_stays() -> None:
    lab = {
        "dataset_description.json": '{"Name": "Ours", "BIDSVersion": "1.8.0", "Authors": ["A"]}',
        "README.rst": "ours",
        "CHANGES": "ours",
        "scans.json": "{}",
    }
    files = _files(lab)

    assert set(files) == {"dataset_description.json", "participants.tsv", "participants.json"}
    description = json.loads(files["dataset_description.json"])
    assert (description["Name"], description["BIDSVersion"]) == ("Ours", "1.8.0")
    assert description["Authors"] == ["A"]


def test_an_age_is_capped_and_what_is_not_known_is_left_out() -> None:
    assert participant_row("7", age_years=97) == {"participant_id": "sub-7", "age": "89"}
    assert participant_row("7", sex="O") == {"participant_id": "sub-7", "sex": "O"}
    assert participant_row("7") == {"participant_id": "sub-7"}


def test_a_participant_joins_the_others_in_order() -> None:
    table = merge_participants(
        "participant_id\thandedness\nsub-02\tleft\n", participant_row("01", age_years=44)
    )

    assert table == "participant_id\thandedness\tage\nsub-01\tn/a\t44\nsub-02\tleft\tn/a\n"


def test_a_second_session_keeps_the_age_at_the_first() -> None:
    first = merge_participants(None, participant_row("01", age_years=44))

    assert merge_participants(first, participant_row("01", age_years=45, sex="F")) == (
        "participant_id\tage\tsex\nsub-01\t44\tF\n"
    )


def test_a_session_that_is_redone_overrules() -> None:
    first = merge_participants(None, participant_row("01", age_years=44, sex="M"))

    redone = merge_participants(first, participant_row("01", age_years=45, sex="F"), replace=True)

    assert redone == "participant_id\tage\tsex\nsub-01\t45\tF\n"


def test_the_definition_of_age_keeps_the_official_check_alive() -> None:
    files = _files({"participants.json": '{"age": {"Description": "ours"}, "iq": {"Units": "1"}}'})

    columns = json.loads(files["participants.json"])
    assert columns["age"] == {
        "Description": "ours",
        "Units": "year",
        "Format": "number",
        "Maximum": 89,
    }
    assert columns["iq"] == {"Units": "1"}


def test_columns_that_are_not_there_are_not_described() -> None:
    files = dataset_files(
        {}, name="A study", tools=TOOLS, participant=participant_row("01", sex="F")
    )

    assert set(json.loads(files["participants.json"])) == {"sex"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("participants.tsv", "participant_id\tage\nsub-01\n"),
        ("participants.tsv", "subject\nsub-01\n"),
        ("participants.json", "{"),
        ("dataset_description.json", "[]"),
    ],
)
def test_a_broken_file_of_the_dataset_is_an_error_that_names_it(name: str, text: str) -> None:
    with pytest.raises(PolicyError, match=name):
        _files({name: text})
