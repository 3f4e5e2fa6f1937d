"""PS3.15's Table E.1-1 and the attributes' types, as the edition has them."""

from __future__ import annotations

import hashlib

import pytest
from pydicom.datadict import dictionary_has_tag, keyword_for_tag

from bidsanon.dicom.confidentiality import (
    OPTION_CODES,
    TABLE,
    TYPES,
    Action,
    Option,
    attribute_type,
    method_codes,
    resolve,
    table_row,
    table_rows,
    tag_number,
    tag_text,
)
from bidsanon.resources import data_path

MR = "1.2.840.10008.5.1.4.1.1.4"
ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"
PET = "1.2.840.10008.5.1.4.1.1.128"


@pytest.mark.parametrize(
    ("name", "lines", "digest"),
    [
        (TABLE, 658, "14f869789b4996b46f31d10295998ce0e891409a38169478b29807ea8a3e3aef"),
        (TYPES, 365, "197402721dad5659fe3bd1767aa81814eb8749a4b9a21683bbd40bf612d4c29e"),
    ],
)
def test_the_standards_tables_are_the_editions_that_they_say(
    name: str, lines: int, digest: str
) -> None:
    content = data_path(name).read_bytes()
    assert content.count(b"\n") == lines
    assert hashlib.sha256(content).hexdigest() == digest


def test_the_table_has_657_rows_and_each_tag_once() -> None:
    rows = table_rows()
    assert len(rows) == 657
    assert len({row.tag for row in rows}) == 657


def test_the_types_hold_all_9736_statements_of_179_sop_classes() -> None:
    _, *rows = data_path(TYPES).read_text("utf-8").splitlines()
    statements = {
        (*row.split("\t")[:3], sop_class)
        for row in rows
        for sop_class in row.split("\t")[3].split()
    }
    assert len(statements) == 9736
    assert len({statement[3] for statement in statements}) == 179


def test_every_conditional_row_has_types() -> None:
    conditional = {row.tag for row in table_rows() if "/" in row.basic}
    typed = {line.split("\t")[0] for line in data_path(TYPES).read_text("utf-8").splitlines()[1:]}
    assert conditional == typed
    assert len(conditional) == 50


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        (0x00100010, "Patient's Name"),
        (0x50003000, "Curve Data"),
        (0x501E0005, "Curve Data"),
        (0x60003000, "Overlay Data"),
        (0x601E4000, "Overlay Comments"),
        (0x00291010, "Private Attributes"),
        (0x60013000, "Private Attributes"),
        (0xFFFAFFFA, "Digital Signatures Sequence"),
    ],
)
def test_a_row_is_found_by_tag_or_mask(tag: int, name: str) -> None:
    row = table_row(tag)
    assert row is not None
    assert row.name == name


@pytest.mark.parametrize("tag", [0x00080060, 0x60000010, 0x7FE00010])
def test_what_the_table_does_not_list_has_no_row(tag: int) -> None:
    assert table_row(tag) is None


@pytest.mark.parametrize(
    ("codes", "type_", "action"),
    [
        ("X", "1", Action.REMOVE),
        ("X/Z", "3", Action.REMOVE),
        ("X/Z", None, Action.REMOVE),
        ("X/Z", "2C", Action.EMPTY),
        ("X/Z", "1", Action.DUMMY),
        ("X/D", "3", Action.REMOVE),
        ("X/D", "2", Action.DUMMY),
        ("X/D", "1C", Action.DUMMY),
        ("Z/D", "3", Action.EMPTY),
        ("Z/D", "2", Action.EMPTY),
        ("Z/D", "1", Action.DUMMY),
        ("X/Z/D", "3", Action.REMOVE),
        ("X/Z/D", "2", Action.EMPTY),
        ("X/Z/D", "1", Action.DUMMY),
        ("X/Z/U*", None, Action.REMOVE),
        ("X/Z/U*", "2", Action.EMPTY),
        ("X/Z/U*", "1C", Action.REPLACE_UID),
    ],
)
def test_a_conditional_code_is_resolved_by_the_type(
    codes: str, type_: str | None, action: Action
) -> None:
    assert resolve(codes, type_) is action


@pytest.mark.parametrize(
    ("tag", "sop_class", "path", "type_"),
    [
        (0x00100020, MR, (), "2"),
        (0x00100020, MR, (0x00101002,), "1"),
        (0x00080032, MR, (), "3"),
        (0x00080032, PET, (), "2"),
        (0x00081140, ENHANCED_MR, (0x52009229,), "2"),
        (0x00081140, ENHANCED_MR, (), None),
        (0x00080032, "1.2.3", (), None),
    ],
)
def test_a_type_depends_on_sop_class_and_sequence(
    tag: int, sop_class: str, path: tuple[int, ...], type_: str | None
) -> None:
    assert attribute_type(tag, sop_class_uid=sop_class, path=path) == type_


def test_of_several_modules_the_strictest_type_counts() -> None:
    # General Equipment says 3, Enhanced General Equipment 1.
    assert attribute_type(0x00181000, sop_class_uid=ENHANCED_MR, path=()) == "1"
    assert attribute_type(0x00181000, sop_class_uid=MR, path=()) == "3"


def test_keywords_of_what_pydicom_lacks_are_made_of_the_names() -> None:
    lacking = {
        row.keyword for row in table_rows() if row.number and not dictionary_has_tag(row.number)
    }
    assert len(lacking) == 26
    assert {"NameToUse", "PrimaryDiagnosisCodeSequence", "DisplayURI"} <= lacking
    assert all(keyword.isidentifier() for keyword in lacking)


def test_keywords_made_of_names_are_those_of_the_standard() -> None:
    differing = [
        row.tag
        for row in table_rows()
        if row.number
        and dictionary_has_tag(row.number)
        and row.keyword != keyword_for_tag(row.number)
    ]
    assert differing == ["(0088,0140)"]  # "File-set" is "FileSet", "Multi-energy" is not


def test_the_codes_of_cid_7050_are_those_of_the_options() -> None:
    assert set(OPTION_CODES) == set(Option)
    values = [code.value for code in OPTION_CODES.values()]
    assert sorted(values) == [str(value) for value in range(113103, 113113)]
    codes = method_codes({Option.RETAIN_UIDS, Option.CLEAN_GRAPHICS})
    assert [code.value for code in codes] == ["113100", "113103", "113110"]


@pytest.mark.parametrize("text", ["(0010,0010)", "(7FE0,0010)", "(0029,10AB)"])
def test_a_tag_reads_back_as_it_is_written(text: str) -> None:
    tag = tag_number(text)
    assert tag is not None
    assert tag_text(tag) == text


@pytest.mark.parametrize("text", ["(60xx,3000)", "0010,0010", "PatientName", "(0010,0010) x"])
def test_other_text_is_no_tag(text: str) -> None:
    assert tag_number(text) is None
