"""The curated table of private attributes: whole, reviewed, and true of real headers."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread
from pydicom.datadict import private_dictionaries, private_dictionary_VR

from bidsanon.deidentify import vendor
from bidsanon.dicom.private import (
    TABLE,
    Disposition,
    PrivateRule,
    private_rule,
    private_rules,
)
from bidsanon.resources import data_path

STANDARD = "PS3.15 E.3.10-1"
BINARY = {"US", "SS", "UL", "SL", "FL", "FD"}
WRITTEN = {"DS", "IS", "CS"}
TEXTS = {"LO", "SH", "ST", "LT", "UT", "CS"}


def test_the_table_is_the_one_that_was_reviewed() -> None:
    assert len(private_rules()) == 652
    digest = hashlib.sha256(data_path(TABLE).read_bytes()).hexdigest()
    assert digest == "a9961c6c686484580f06278acd81357e7d6acc6ab8d9840bdf1986f6a7e1a8f6"


def test_an_attribute_is_found_in_whatever_block_its_creator_sits() -> None:
    rule = private_rule(0x0029, "SIEMENS CSA HEADER", 0x1010)
    assert rule is not None
    assert rule.method == "csa"
    assert private_rule(0x0029, "SIEMENS CSA HEADER ", 0x4210) is rule
    assert private_rule(0x0029, "SIEMENS CSA HEADER\0", 0x10) is rule


@pytest.mark.parametrize(
    ("group", "creator", "element"),
    [
        (0x0029, "SIEMENS CSA HEADER", 0x42),
        (0x0029, "SIEMENS MEDCOM OOG", 0x10),
        (0x0029, "", 0x10),
        (0x0019, "SIEMENS CSA HEADER", 0x10),
    ],
)
def test_what_is_not_listed_has_no_rule(group: int, creator: str, element: int) -> None:
    assert private_rule(group, creator, element) is None


def test_every_attribute_stands_once_and_says_why() -> None:
    keys = [(rule.group, rule.creator, rule.element) for rule in private_rules()]
    assert len(set(keys)) == len(keys)
    for rule in private_rules():
        assert rule.group % 2 == 1
        assert rule.source
        assert rule.reason


def test_what_is_kept_can_be_checked_by_its_bytes() -> None:
    for rule in private_rules():
        if rule.disposition is Disposition.KEEP:
            assert rule.vr in BINARY | WRITTEN | {"SQ"}, rule


def test_texts_that_people_can_type_are_never_kept_as_they_are() -> None:
    for rule in private_rules():
        if rule.vr in TEXTS - {"CS"}:
            assert rule.disposition is not Disposition.KEEP, rule


def test_what_is_cleaned_and_nothing_else_has_a_method_that_is_known() -> None:
    methods = {rule.method for rule in private_rules() if rule.disposition is Disposition.CLEAN}
    of_claims = {"dummy", "empty"}  # what a file's own (0008,0307) asks for
    assert methods == set(vendor._METHODS) - of_claims
    for rule in private_rules():
        assert bool(rule.method) == (rule.disposition is Disposition.CLEAN)
        may_be = rule.method in {"pattern", "descriptor", "sequence-name"}
        assert (rule.method == "pattern") <= bool(rule.pattern) <= may_be


def test_the_whole_of_the_standards_list_is_there() -> None:
    assert sum(STANDARD in rule.source for rule in private_rules()) == 479


def standards_rows(shared_data: Callable[[str], Path], name: str) -> list[dict[str, str]]:
    path = shared_data("SOURCE.md").parent.parent / "standard" / name
    if not path.exists():
        pytest.skip("the tables of the standard are not beside the real data")
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


NO_CREATOR_OF_AN_ATTRIBUTE = {
    "GEIIS": "dcm2niix warns where this creator stands in group 0029; nothing of it is read",
    "(creator element 2001,0010)": "the creator itself, which stays where its block does",
}
CREATORS_KNOWN_OTHERWISE = {
    "Image Private Header": "UIH's, as dcm2niix's test data spell it",
    "SIEMENS MR SDR 01": "seen in XA headers",
}


def test_every_row_of_the_standards_list_is_decided_by_its_representation(
    shared_data: Callable[[str], Path],
) -> None:
    rows = standards_rows(shared_data, "ps3.15_table_e3.10-1_safe_private.csv")
    assert len(rows) == 479
    for row in rows:
        group, element = (int(part, 16) for part in row["tag"].strip("()").split(",xx"))
        rule = private_rule(group, row["private_creator"], element)
        assert rule is not None, row
        assert STANDARD in rule.source, row
        assert_decided_by_representation(rule)
        stated = row["vr_from_pydicom_private_dict"]
        if stated:
            assert rule.vr == stated, row
        elif rule.vr == "SQ":
            assert "Sequence" in row["meaning"] or "Functional Group" in row["meaning"], row
        elif rule.vr == "UI":
            assert row["meaning"].endswith("UID"), row


def assert_decided_by_representation(rule: PrivateRule) -> None:
    """Numbers, terms and sequences may stay; texts, dates and UIDs are cleaned; bytes go."""
    if rule.vr in BINARY | {"DS", "IS", "SQ"}:
        assert rule.disposition is Disposition.KEEP, rule
    elif rule.vr == "CS":
        assert rule.disposition is Disposition.KEEP or rule.method == "pattern", rule
    elif rule.vr in TEXTS:
        assert rule.method in {"descriptor", "pattern", "sequence-name"}, rule
    elif rule.vr == "UI":
        assert rule.method == "uid", rule
    elif rule.vr:
        assert rule.disposition is Disposition.REMOVE, rule
    else:
        assert rule.method == "listed", rule


def test_every_row_of_dcm2niix_is_decided_under_its_creator(
    shared_data: Callable[[str], Path],
) -> None:
    rows = standards_rows(shared_data, "dcm2niix_private_tags.csv")
    assert len(rows) == 119
    for row in rows:
        creator = row["private_creator"]
        if creator in NO_CREATOR_OF_AN_ATTRIBUTE:
            continue
        creator = creator.removesuffix("/002")
        rule = private_rule(int(row["group"], 16), creator, int(row["element"], 16))
        assert rule is not None, row
        assert "dcm2niix" in rule.source, row


def test_creators_are_spelled_as_headers_spell_them(shared_data: Callable[[str], Path]) -> None:
    listed = {
        row["private_creator"]
        for row in standards_rows(shared_data, "ps3.15_table_e3.10-1_safe_private.csv")
    }
    known = listed | set(private_dictionaries) | set(CREATORS_KNOWN_OTHERWISE)
    assert {rule.creator for rule in private_rules()} <= known


def test_representations_agree_with_pydicoms_dictionary() -> None:
    compared, others = 0, set()
    for rule in private_rules():
        try:
            stated = private_dictionary_VR(rule.group << 16 | 0x1000 | rule.element, rule.creator)
        except KeyError:
            continue
        if rule.vr:
            compared += 1
            if not kind(rule.vr) & kind(stated):
                others.add((rule.creator, rule.name, rule.vr, stated))
    assert compared > 300
    assert others == {("ELSCINT1", "Pitch", "DS", "FD")}  # DS, says the standard's list


@pytest.mark.parametrize(
    "name",
    [
        "ge-dv27-b0map",
        "ge-mr750-epi",
        "philips-dual-echo-bold",
        "philips-r53-enhanced-fmap",
        "philips-r57-dwi-dicomdir",
        "siemens-ve11-dwi-head",
        "siemens-ve11-epi-mosaic",
        "siemens-xa10-enhanced-bold",
        "siemens-xa60-interrupted-bold",
        "transfer-syntaxes",
    ],
)
def test_real_headers_agree_with_the_table_on_the_representation(
    shared_data: Callable[[str], Path], name: str
) -> None:
    path = next(
        path
        for path in sorted(shared_data(name).rglob("*"))
        if path.is_file() and path.stat().st_size > 5000 and path.name != "DICOMDIR"
    )
    seen = 0
    for rule, vr in listed_elements(dcmread(path, stop_before_pixels=True)):
        seen += 1
        if vr != "UN" and rule.vr:
            assert kind(vr) & kind(rule.vr), (rule, vr)
    assert seen >= 8


def kind(vr: str) -> set[str]:
    kinds = {"number"} if vr in BINARY else set()
    kinds |= {"text"} if vr in TEXTS | WRITTEN | {"DT"} else set()
    return kinds or {vr}


def listed_elements(dataset: Dataset) -> Iterator[tuple[PrivateRule, str]]:
    creators = {
        (element.tag.group, element.tag.elem): str(element.value).strip()
        for element in dataset
        if element.tag.is_private_creator
    }
    for element in dataset:
        tag = element.tag
        if tag.is_private and not tag.is_private_creator:
            creator = creators.get((tag.group, tag.elem >> 8), "")
            rule = private_rule(tag.group, creator, tag.elem)
            if rule is not None:
                yield rule, element.VR
        if element.VR == "SQ":
            for item in element.value:
                yield from listed_elements(item)
