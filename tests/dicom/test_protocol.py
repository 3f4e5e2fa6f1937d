"""ASCCONV sections are found, read and written, and keys find what may stay of them."""

from __future__ import annotations

import hashlib

import pytest
from dcmstack.extract import parse_phoenix_prot
from hypothesis import given
from hypothesis import strategies as st

from bidsanon.dicom.allowed import (
    CSA_ITEMS,
    GE_PROTOCOL_KEYS,
    SIEMENS_PROTOCOL_KEYS,
    Allowance,
    allowed_names,
    reads_as_number,
)
from bidsanon.dicom.protocol import (
    ProtocolEntry,
    ProtocolError,
    allowed_key,
    parse_protocol,
    write_protocol,
)
from bidsanon.resources import data_path

XPROTOCOL = """<XProtocol>
{
  <Name> "PhoenixMetaProtocol"
  <ParamString."Protocol0">
  {
    "<XProtocol>
    { <ParamString.""PatientName""> { ""DOE^JANE"" } }
    %s" }
}
"""
VE11 = (
    "object=MrProtDataImpl@MrProtocolData version=51130001 "
    "converter=%MEASCONST%/ConverterList/Prot_Converter.txt"
)
SECTION = """### ASCCONV BEGIN %s###
ulVersion\t = \t51130001
tProtocolName\t = \t""ep2d+AF8-bold""
sSliceArray.asSlice[0].dThickness\t = \t1.5
sPat.lAccelFactPE = 2
a line that is no entry
### ASCCONV END ###"""


@pytest.mark.parametrize("attributes", ["", f"{VE11} "], ids=["VB17", "VE11"])
def test_a_section_is_found_within_its_xprotocol(attributes: str) -> None:
    (section,) = parse_protocol(XPROTOCOL % (SECTION % attributes))
    assert section.attributes == attributes.strip()
    assert section.entries == (
        ProtocolEntry(key="ulVersion", value="51130001"),
        ProtocolEntry(key="tProtocolName", value='""ep2d+AF8-bold""'),
        ProtocolEntry(key="sSliceArray.asSlice[0].dThickness", value="1.5"),
        ProtocolEntry(key="sPat.lAccelFactPE", value="2"),
    )


def test_what_is_written_is_read_the_same_and_holds_no_xprotocol() -> None:
    sections = parse_protocol(XPROTOCOL % (SECTION % (f"{VE11} ")))
    text = write_protocol(sections)
    assert "JANE" not in text
    assert "XProtocol" not in text
    assert parse_protocol(text) == sections
    assert parse_phoenix_prot("MrPhoenixProtocol", text) == {
        "ulVersion": 51130001,
        "tProtocolName": "ep2d+AF8-bold",
        "sSliceArray.asSlice[0].dThickness": 1.5,
        "sPat.lAccelFactPE": 2,
    }


def test_a_first_line_that_says_anything_else_is_not_repeated() -> None:
    (section,) = parse_protocol(SECTION % "for Jane Doe ")
    assert not section.attributes
    assert "Jane" not in write_protocol((section,))


def test_several_sections_are_all_read() -> None:
    text = "\n".join([SECTION % "", SECTION % ""])
    assert len(parse_protocol(text)) == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<XProtocol> { }",
        "### ASCCONV BEGIN ###\nulVersion = 1\n",
        "### ASCCONV BEGIN ###\na = 1\n### ASCCONV END ###\n### ASCCONV BEGIN ###\nb = 1",
    ],
    ids=["empty", "no section", "no end", "a second one without an end"],
)
def test_a_protocol_without_whole_sections_is_refused(text: str) -> None:
    with pytest.raises(ProtocolError):
        parse_protocol(text)


@pytest.mark.parametrize(
    ("value", "text", "replaced"),
    [
        ('""Head_32""', "Head_32", '""new""'),
        ('"Head_32"', "Head_32", '"new"'),
        ('""""Head""""', "Head", '""""new""""'),
        ('""""', "", '""new""'),
        ("0x20", None, '"new"'),
    ],
)
def test_a_text_keeps_its_quotes(value: str, text: str, replaced: str) -> None:
    entry = ProtocolEntry(key="tCoilID", value=value)
    assert entry.text == text
    assert entry.with_text("new").value == replaced


@pytest.mark.parametrize(
    ("key", "allowance"),
    [
        ("sSliceArray.asSlice[3].sPosition.dTra", Allowance.NUMBER),
        ("alTE[0]", Allowance.NUMBER),
        ("tReferenceImage1", Allowance.UID),
        (
            "sCoilSelectMeas.aRxCoilSelectData[0].asList[4].sCoilElementID.tCoilID",
            Allowance.DESCRIPTOR,
        ),
        ("sGRADSPEC.asGPAData[0].lOffsetX", Allowance.NUMBER),
        ("sGRADSPEC.asGPAData[0].sEddyCompensationX.aflAmplitude[2]", Allowance.REMOVE),
        ("sDiffusion.sFreeDiffusionData.sComment.0", Allowance.REMOVE),
        ("sDiffusion.sFreeDiffusionData.sComment[7]", Allowance.REMOVE),
        ("sDiffusion.sFreeDiffusionData.asDiffDirVector[1].dSag", Allowance.NUMBER),
        ("sWipMemBlock.alFree[3]", Allowance.NUMBER),
        ("sWipMemBlock.tFree", Allowance.REMOVE),
    ],
)
def test_a_key_follows_the_nearest_row(key: str, allowance: Allowance) -> None:
    allowed = allowed_key(key)
    assert allowed is not None
    assert allowed.allowance == allowance


@pytest.mark.parametrize(
    "key", ["tPatientName", "flUsedPatientWeight", "lPatientSex", "sWorkflow.x", "tdefaultEVAProt"]
)
def test_a_key_that_no_row_names_is_not_allowed(key: str) -> None:
    assert allowed_key(key) is None


@pytest.mark.parametrize("text", ["0", "-12615", "0x20", "1.5", "9.9e-05", ".5", "+0      ", "1."])
def test_numbers_read_as_numbers(text: str) -> None:
    assert reads_as_number(text)


@pytest.mark.parametrize(
    "text",
    ["", "20180810", "19870314", "20180810.0", "0x44    # 'D'", "HFS", "1;2", "1 2", "1e", "--1"],
)
def test_dates_and_everything_else_do_not_read_as_numbers(text: str) -> None:
    assert not reads_as_number(text)


@given(number=st.floats(allow_nan=False, allow_infinity=False))
def test_any_number_that_python_writes_reads_as_one(number: float) -> None:
    assert reads_as_number(repr(number)) or 1.9e7 < number < 2.1e7


@pytest.mark.parametrize(
    ("table", "rows", "digest"),
    [
        (CSA_ITEMS, 148, "70980e4a114a2da56f575e67c7f17d46689efffc36a2181c32336c5b4b95dd20"),
        (
            SIEMENS_PROTOCOL_KEYS,
            175,
            "da483fbc85a67c8b955bc8e462cfc5ea18e58d24fa9c5ea3323282c4be479333",
        ),
        (GE_PROTOCOL_KEYS, 94, "6486f42c03e4a253f5a793e363be8d25a432d7fd185644c289185b27f4f08f5b"),
    ],
)
def test_the_tables_are_those_that_were_reviewed(table: str, rows: int, digest: str) -> None:
    assert len(allowed_names(table)) == rows
    assert hashlib.sha256(data_path(table).read_bytes()).hexdigest() == digest


@pytest.mark.parametrize("table", [CSA_ITEMS, SIEMENS_PROTOCOL_KEYS, GE_PROTOCOL_KEYS])
def test_every_row_says_why(table: str) -> None:
    for allowed in allowed_names(table).values():
        assert allowed.reason
        judged = allowed.allowance in {Allowance.PATTERN, Allowance.CODE}
        may_be = judged or allowed.allowance is Allowance.DESCRIPTOR
        assert judged <= bool(allowed.pattern.pattern) <= may_be
