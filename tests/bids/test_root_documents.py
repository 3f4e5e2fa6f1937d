"""What a lab says of its dataset, in a new dataset and beside what people wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bidsanon.bids.dataset_facts import DatasetFacts, facts_of_table
from bidsanon.bids.root_documents import (
    datacite_gives,
    readme_text,
    says_nothing_of_study,
    settle_facts,
)
from bidsanon.bids.toplevel import dataset_files, kept_by_hand, participant_row

DESCRIPTION = "dataset_description.json"
TABLE: dict[str, Any] = {
    "Name": "Balloons",
    "Authors": [
        "Ada Lovelace",
        "Turing, Alan",
        {"family-names": "Hopper", "given-names": "Grace", "orcid": "0000-0001-2345-6789"},
    ],
    "License": "CC0",
    "Funding": ["Grant 1"],
    "HowToAcknowledge": 'Cite "Lovelace 1843": it says how',
    "DatasetDOI": "10.1000/1234567",
    "Keywords": ["risk"],
    "README": "# Balloons\n\nWhat happens when people pump them up.\n",
    "participants": {"group": {"Description": "ours"}, "age": {"Description": "at the visit"}},
}
CITED = TABLE | {"citation": True}


def written(
    existing: Mapping[str, str] | None = None, table: Mapping[str, Any] | None = None
) -> dict[str, str]:
    """Return the root after a session came."""
    existing = dict(existing or {})
    facts = settle_facts(existing, facts_of_table(TABLE if table is None else table))
    new = dataset_files(
        existing,
        name="ds",
        tools={"bidsanon": "1"},
        participant=participant_row("01", age_years=40),
        facts=facts,
    )
    return existing | new


def kept(existing: Mapping[str, str], table: Mapping[str, Any] = TABLE) -> tuple[str, ...]:
    return kept_by_hand(existing, name="ds", facts=facts_of_table(table))


def description(files: Mapping[str, str]) -> dict[str, Any]:
    return json.loads(files[DESCRIPTION])  # type: ignore[no-any-return]


def test_a_new_dataset_says_what_the_lab_says() -> None:
    files = written()
    said = description(files)
    assert said["Name"] == "Balloons"
    assert said["Authors"] == ["Ada Lovelace", "Alan Turing", "Grace Hopper"]
    assert said["DatasetDOI"] == "doi:10.1000/1234567"
    assert {k: said[k] for k in ("License", "Funding", "Keywords", "HowToAcknowledge")} == {
        k: TABLE[k] for k in ("License", "Funding", "Keywords", "HowToAcknowledge")
    }
    assert files["README"].startswith(TABLE["README"])
    assert "How the data were de-identified" in files["README"]
    assert json.loads(files["participants.json"])["age"]["Description"] == "at the visit"
    assert "CITATION.cff" not in files


def test_what_the_lab_does_not_say_is_not_made_up() -> None:
    files = written(table={"Authors": ["Ada Lovelace"]})
    assert set(description(files)) == {
        *("Name", "BIDSVersion", "DatasetType", "Authors", "GeneratedBy"),
    }
    assert "TODO" not in "".join(files.values())
    assert says_nothing_of_study(files["README"])


def test_the_same_table_again_changes_nothing() -> None:
    for table in (TABLE, CITED):
        files = written(table=table)
        assert written(files, table) == files
        assert kept(files, table) == ()


BY_HAND = {
    DESCRIPTION: json.dumps({"Name": "Mine", "Authors": ["Me"], "BIDSVersion": "1.8.0"}),
    "README": "Mine.\r\n",
    "participants.json": json.dumps({"age": {"Description": "mine"}}),
}


def test_what_a_person_wrote_stays_and_is_said() -> None:
    files = written(BY_HAND)
    said = description(files)
    assert (said["Name"], said["Authors"], said["License"]) == ("Mine", ["Me"], "CC0")
    assert files["README"] == "Mine.\r\n"
    assert json.loads(files["participants.json"])["age"]["Description"] == "mine"
    assert set(kept(BY_HAND)) == {
        *(f"{DESCRIPTION}#/Name", f"{DESCRIPTION}#/Authors", "README", "participants.json#/age"),
    }


def test_what_a_person_wrote_goes_where_the_lab_asks_for_it() -> None:
    table = TABLE | {"overrule": True}
    files = written(BY_HAND | {"CITATION.cff": "authors: []\n"}, table)
    assert description(files)["Authors"][0] == "Ada Lovelace"
    assert files["README"].startswith("# Balloons")
    assert json.loads(files["participants.json"])["age"]["Description"] == "at the visit"
    assert kept(BY_HAND, table) == ()


@pytest.mark.parametrize(
    "stub",
    [
        {"Name": "TODO: name of the dataset", "Authors": ["TODO:", "First1 Last1", "..."]},
        {"Name": "", "Authors": [""], "License": "  "},
        {"Name": "ds", "Authors": None},
    ],
)
def test_what_a_program_left_to_be_filled_in_is_nobodys(stub: dict[str, Any]) -> None:
    existing = {DESCRIPTION: json.dumps(stub), "README": "TODO: Provide description\n"}
    files = written(existing)
    assert description(files)["Name"] == "Balloons"
    assert description(files)["Authors"][0] == "Ada Lovelace"
    assert files["README"].startswith("# Balloons")
    assert kept(existing) == ()


def test_a_readme_that_bidsanon_wrote_gives_way_under_its_own_name() -> None:
    generic = readme_text("ds", DatasetFacts())
    files = written({"README.md": generic})
    assert files["README.md"].startswith("# Balloons")
    assert "README" not in files


def test_a_readme_with_its_own_words_on_deidentification_gets_no_others() -> None:
    own = "# B\n\n## How the data were de-identified\n\nBy hand.\n"
    assert written(table=TABLE | {"README": own})["README"] == own


def test_with_a_citation_file_the_authors_stand_there_alone() -> None:
    files = written(table=CITED)
    said, citation = description(files), files["CITATION.cff"]
    assert not {"Authors", "License", "HowToAcknowledge"} & set(said)
    assert said["Name"] == "Balloons"
    assert said["DatasetDOI"] == "doi:10.1000/1234567"
    assert citation.splitlines()[:5] == [
        'cff-version: "1.2.0"',
        r'message: "Cite \"Lovelace 1843\": it says how"',
        'title: "Balloons"',
        'type: "dataset"',
        'doi: "10.1000/1234567"',
    ]
    assert '  - name: "Ada Lovelace"' in citation
    assert '  - family-names: "Turing"\n    given-names: "Alan"' in citation
    assert 'orcid: "https://orcid.org/0000-0001-2345-6789"' in citation
    assert 'license: "CC0-1.0"' in citation


def test_a_licence_that_the_citation_format_does_not_know_stays_in_the_description() -> None:
    files = written(table=CITED | {"License": "our own terms"})
    assert description(files)["License"] == "our own terms"
    assert "license" not in files["CITATION.cff"]


def test_a_citation_file_of_a_persons_leads() -> None:
    existing = {"CITATION.cff": "cff-version: 1.2.0\ntitle: Mine\nauthors:\n  - name: Me\n"}
    for table in (TABLE, CITED):
        files = written(existing, table)
        assert files["CITATION.cff"] == existing["CITATION.cff"]
        assert "Authors" not in description(files)
        assert description(files)["License"] == "CC0"
        assert "CITATION.cff" in kept(existing, table)


GIN = """
# Metadata for DOI registration
authors:

  # one after the other
  -
    firstname: "Ada"
title: "A study"
license:
  name: "CC0"
funding:
keywords: [brain]
"""
OPENNEURO = "data:\n  attributes:\n    creators:\n    - name: Ada\n    rightsList: []\n"


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        (GIN, {"Authors", "License"}),
        (OPENNEURO, {"Authors"}),
        ("funding: [DFG]\r\nlicense: # to be said\r\nauthors:", {"Funding"}),
        ("authors: []\nlicense:\n\n", set()),
        ("no YAML: {", set()),
        ("", set()),
    ],
)
def test_datacite_says_who_and_under_which_licence(text: str, fields: set[str]) -> None:
    assert datacite_gives(text) == fields


def test_no_citation_file_comes_beside_authors_of_a_persons() -> None:
    files = written(BY_HAND, CITED)
    assert "CITATION.cff" not in files
    assert description(files)["Authors"] == ["Me"]
    assert description(files)["License"] == "CC0"
    assert f"{DESCRIPTION}#/Authors" in kept(BY_HAND, CITED)


def test_authors_move_into_the_citation_file_where_they_are_the_same() -> None:
    first = written()
    files = written(first, CITED)
    assert "CITATION.cff" in files
    assert "Authors" not in description(files)


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=20)


@given(name=TEXT, author=TEXT, message=TEXT)
def test_any_text_stays_one_value_of_the_citation_file(
    name: str, author: str, message: str
) -> None:
    yaml = pytest.importorskip("yaml")
    table = {"Name": name, "HowToAcknowledge": message, "citation": True}
    facts = facts_of_table(table | {"Authors": [{"family-names": author}]})
    read = yaml.safe_load(facts.citation_file())
    assert (read["title"], read["message"]) == (name, message)
    assert read["authors"] == [{"family-names": author}]


def test_the_record_is_the_same_after_json() -> None:
    for table in (TABLE, CITED, {}):
        facts = facts_of_table(table)
        assert DatasetFacts.from_json(json.loads(json.dumps(facts.as_json()))) == facts
