"""What a lab says of a dataset that exists already fills what nobody wrote, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bidsanon.bids.dataset_facts import CITATION, DatasetFacts, facts_of_table
from bidsanon.bids.root_documents import DESCRIPTION, root_documents
from bidsanon.bids.toplevel import PARTICIPANTS, filled_files
from bidsanon.errors import PolicyError

LAB: dict[str, Any] = {
    "Name": "Balloons",
    "Authors": ["Lovelace, Ada", "Bell, Burr"],
    "License": "CC0",
    "README": "# Balloons\n\nWhy they burst.\n",
    "participants": {"group": {"Description": "which group"}},
}
STUB = {"Name": "ds", "BIDSVersion": "1.8.0", "Authors": ["TODO:", "First1 Last1"], "Own": 1}


def facts(**more: Any) -> DatasetFacts:
    return facts_of_table(LAB | more)


def filled(existing: dict[str, str], **more: Any) -> dict[str, str]:
    return filled_files(existing, name="ds", facts=facts(**more))


def described(existing: dict[str, str], **more: Any) -> dict[str, Any]:
    return dict(json.loads(filled(existing, **more)[DESCRIPTION]))


def test_stubs_are_filled_and_nothing_is_added_that_the_lab_did_not_say() -> None:
    assert described({DESCRIPTION: json.dumps(STUB)}) == {
        "Name": "Balloons",
        "BIDSVersion": "1.8.0",
        "Own": 1,
        "Authors": ["Ada Lovelace", "Burr Bell"],
        "License": "CC0",
    }


def test_what_a_person_wrote_stays_unless_the_lab_asks_for_its_own() -> None:
    theirs = json.dumps(STUB | {"Authors": ["Somebody Else"], "Name": "Theirs"})
    assert described({DESCRIPTION: theirs})["Authors"] == ["Somebody Else"]
    assert described({DESCRIPTION: theirs})["Name"] == "Theirs"
    assert described({DESCRIPTION: theirs}, overrule=True)["Name"] == "Balloons"
    assert "README.md" not in filled({"README.md": "# Theirs\n"})
    assert filled({"README.md": "# Theirs\n"}, overrule=True)["README.md"].startswith("# Balloons")


def test_readme_says_what_the_lab_says_and_nothing_of_how_others_de_identified() -> None:
    assert filled({})["README"] == LAB["README"]
    assert filled({"README.md": "TODO: describe it"})["README.md"] == LAB["README"]
    by_us = root_documents({}, name="ds", tools={})["README"]
    assert "Annex E" in filled({"README": by_us})["README"], "it was said, and is true"


def test_a_description_is_made_where_the_lab_gives_the_name_and_not_otherwise() -> None:
    made = described({})
    assert (made["Name"], made["DatasetType"]) == ("Balloons", "raw")
    assert "GeneratedBy" not in made
    nameless = facts_of_table({"License": "CC0"})
    with_nothing = filled_files({}, name="ds", facts=nameless)
    assert with_nothing == {}


def test_columns_are_described_that_the_table_has_and_by_the_lab_alone() -> None:
    assert "participants.json" not in filled({})
    assert "participants.json" not in filled({PARTICIPANTS: "participant_id\tage\nsub-01\t30\n"})
    table = "participant_id\tage\tgroup\nsub-01\t30\ta\n"
    made = json.loads(filled({PARTICIPANTS: table})["participants.json"])
    assert made == {"group": {"Description": "which group"}}
    theirs = {PARTICIPANTS: table, "participants.json": '{"group": {"Description": "theirs"}}'}
    assert "participants.json" not in filled(theirs)


def test_authors_move_to_a_citation_file_where_the_lab_asks_for_one() -> None:
    files = filled({DESCRIPTION: json.dumps(STUB)}, citation=True)
    assert 'family-names: "Lovelace"' in files[CITATION]
    assert not {"Authors", "License"} & json.loads(files[DESCRIPTION]).keys()
    beside_theirs = filled(
        {DESCRIPTION: json.dumps(STUB | {"Name": "Balloons"}), CITATION: "authors: [a]\n"}
    )
    assert CITATION not in beside_theirs
    assert json.loads(beside_theirs[DESCRIPTION])["Authors"] == STUB["Authors"]


def test_a_description_that_is_none_is_refused() -> None:
    with pytest.raises(PolicyError, match=DESCRIPTION):
        filled({DESCRIPTION: "["})


def test_the_file_keeps_how_it_is_indented() -> None:
    assert '\n    "License"' in filled({DESCRIPTION: json.dumps(STUB, indent=4)})[DESCRIPTION]


@given(
    existing=st.fixed_dictionaries(
        {},
        optional={
            DESCRIPTION: st.sampled_from([json.dumps(STUB), "{}", '{"Name": "ds"}']),
            "README.md": st.sampled_from(["", "TODO", "words"]),
            PARTICIPANTS: st.sampled_from(
                ["participant_id\tgroup\nsub-1\ta\n", "participant_id\n"]
            ),
            CITATION: st.sampled_from(["authors:\n  - name: a\n", "title: x\n"]),
        },
    ),
    overrule=st.booleans(),
    citation=st.booleans(),
)
def test_filling_twice_changes_nothing_more(
    existing: dict[str, str], overrule: bool, citation: bool
) -> None:
    once = existing | filled(existing, overrule=overrule, citation=citation)
    assert filled(once, overrule=overrule, citation=citation) == {}
