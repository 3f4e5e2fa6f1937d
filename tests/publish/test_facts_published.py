"""What a lab says of its dataset comes and goes with the sessions, to the byte."""

from __future__ import annotations

import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from additions import add, remove
from hypothesis import given, settings
from hypothesis import strategies as st
from tree_digests import tree_digest

from bidsanon.bids.dataset_facts import NOTHING_SAID, DatasetFacts, facts_of_table

SAID = {"Name": "Balloons", "Authors": ["Ada Lovelace"], "License": "CC0", "README": "# B\n"}
FACTS = {
    "nothing": NOTHING_SAID,
    "said": facts_of_table(SAID),
    "cited": facts_of_table(SAID | {"citation": True}),
    "overruling": facts_of_table(SAID | {"citation": True, "overrule": True}),
}
EDITS = {
    "README": "Ours\r\n",
    "dataset_description.json": '{"Name":"x","BIDSVersion":"1.10.1","Authors":["A"]}',
    "CITATION.cff": "cff-version: 1.2.0\ntitle: x\nauthors:\n  - name: A\n",
    "participants.json": '{"age":{"Description":"ours"}}',
}


def test_a_session_brings_what_the_lab_says_and_takes_it_along(tmp_path: Path) -> None:
    dataset = tmp_path / "ds"
    add(dataset, "01/a")
    before = tree_digest(dataset)
    add(dataset, "02/a", facts=FACTS["cited"])
    assert "Ada Lovelace" in (dataset / "CITATION.cff").read_text()
    assert json.loads((dataset / "dataset_description.json").read_text())["Name"] == "Balloons"
    remove(dataset, "02/a")
    assert tree_digest(dataset) == before


def test_what_a_person_wrote_before_is_there_afterwards(tmp_path: Path) -> None:
    dataset = tmp_path / "ds"
    add(dataset, "01/a")
    for name, text in EDITS.items():
        (dataset / name).write_bytes(text.encode())
    before = tree_digest(dataset)
    add(dataset, "02/a", facts=FACTS["overruling"])
    assert (dataset / "README").read_text().startswith("# B")
    remove(dataset, "02/a")
    assert tree_digest(dataset) == before


@pytest.mark.slow
@settings(max_examples=200)
@given(data=st.data())
def test_the_last_session_leaves_the_dataset_byte_for_byte(data: st.DataObject) -> None:
    def facts() -> DatasetFacts:
        return FACTS[data.draw(st.sampled_from(sorted(FACTS)))]

    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "fsync", lambda _: None)  # no power is cut here
        dataset = Path(folder) / "ds"
        for name in ("01/a", "01/b", "02/a")[: data.draw(st.integers(1, 3))]:
            add(dataset, name, facts=facts())
            if data.draw(st.booleans()):
                edited = data.draw(st.sampled_from(sorted(EDITS)))
                (dataset / edited).write_bytes(EDITS[edited].encode())
        before, were_twice = tree_digest(dataset), names_authors_twice(dataset)
        add(dataset, "03", facts=facts())
        # Only a person can have named them in both places; the validator says so.
        assert were_twice or not names_authors_twice(dataset)
        remove(dataset, "03")
        assert tree_digest(dataset) == before


def names_authors_twice(dataset: Path) -> bool:
    """Tell whether both files name authors, which the official validator calls an error."""
    described = json.loads((dataset / "dataset_description.json").read_text())
    return "Authors" in described and (dataset / "CITATION.cff").exists()
