"""The curated table of private attributes: whole, reviewed, and true of real headers."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread

from bidsanon.deidentify.vendor import describe_method
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
    assert digest == "12bbefe899f444363fa262ac8a977ae58326e619a811e3888230e1e10ff64b55"


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


def test_every_cleaning_method_says_what_it_does() -> None:
    methods = {rule.method for rule in private_rules() if rule.disposition is Disposition.CLEAN}
    assert len(methods) == 10
    for method in methods:
        assert describe_method(method).endswith(".")
    for rule in private_rules():
        assert bool(rule.method) == (rule.disposition is Disposition.CLEAN)
        assert bool(rule.pattern) == (rule.method == "pattern")


def test_the_whole_of_the_standards_list_is_there() -> None:
    assert sum(STANDARD in rule.source for rule in private_rules()) == 479


def standards_rows(shared_data: Callable[[str], Path], name: str) -> list[dict[str, str]]:
    path = shared_data("SOURCE.md").parent.parent / "standard" / name
    if not path.exists():
        pytest.skip("the tables of the standard are not beside the real data")
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_every_private_attribute_that_dcm2niix_reads_is_decided(
    shared_data: Callable[[str], Path],
) -> None:
    rows = standards_rows(shared_data, "dcm2niix_private_tags.csv")
    decided = {(rule.group, rule.element) for rule in private_rules() if "dcm2niix" in rule.source}
    for row in rows:
        element = int(row["element"], 16)
        if element > 0xFF:
            assert (int(row["group"], 16), element & 0xFF) in decided, row
    assert len(rows) == 119


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
