"""The harvest remembers what identifies, decoded, and nothing that everybody shares."""

from __future__ import annotations

import pytest

from bidsanon.deidentify.harvest import Harvest, Harvested, kind_of, settle
from bidsanon.identity import IdentifyingValue, ValueKind


def harvested(tag: int, vr: str, value: bytes, **more: object) -> set[tuple[ValueKind, str]]:
    harvest = Harvest()
    harvest.take(tag, vr, value, **{"character_set": b"ISO_IR 100", **more})  # type: ignore[arg-type]
    return {(one.kind, one.text) for one in harvest.drain().identity}


@pytest.mark.parametrize(
    ("tag", "vr", "kind"),
    [
        (0x00100010, "PN", ValueKind.NAME),
        (0x00100020, "LO", ValueKind.IDENTIFIER),
        (0x00100021, "LO", ValueKind.IDENTIFIER),
        (0x00080050, "SH", ValueKind.IDENTIFIER),
        (0x00181000, "LO", ValueKind.IDENTIFIER),
        (0x00200010, "SH", ValueKind.IDENTIFIER),
        (0x00102154, "SH", ValueKind.IDENTIFIER),
        (0x00080080, "LO", ValueKind.PLACE),
        (0x00080081, "ST", ValueKind.PLACE),
        (0x00081010, "SH", ValueKind.PLACE),
        (0x00081040, "LO", ValueKind.PLACE),
        (0x00101040, "LO", ValueKind.PLACE),
        (0x00400241, "AE", ValueKind.PLACE),
        (0x00080020, "DA", ValueKind.DATE),
        (0x0008002A, "DT", ValueKind.DATE),
        (0x00080032, "TM", ValueKind.TIME),
        (0x0020000E, "UI", ValueKind.UID),
        (0x00104000, "LT", ValueKind.TEXT),
        (0x00100012, "LO", ValueKind.NAME),
        (0x00100040, "CS", None),
        (0x00101030, "DS", None),
        (0x7FE00010, "OW", None),
    ],
)
def test_an_attribute_tells_what_kind_of_value_it_holds(
    tag: int, vr: str, kind: ValueKind | None
) -> None:
    assert kind_of(tag, vr) is kind


def test_a_value_is_decoded_by_the_character_set_of_its_data_set() -> None:
    assert harvested(0x00100010, "PN", b"M\xfcller^J\xf6rg ") == {(ValueKind.NAME, "Müller^Jörg")}


def test_several_values_are_remembered_one_by_one() -> None:
    found = harvested(0x00101000, "LO", b"A-77\\B-88 ")
    assert found == {(ValueKind.IDENTIFIER, "A-77"), (ValueKind.IDENTIFIER, "B-88")}


def test_the_lines_of_a_text_are_remembered_one_by_one() -> None:
    found = harvested(0x00104000, "LT", b"was restless\r\nwears a hearing aid")
    assert found == {(ValueKind.TEXT, "was restless"), (ValueKind.TEXT, "wears a hearing aid")}


def test_a_datetime_is_a_date_and_a_time() -> None:
    found = harvested(0x0008002A, "DT", b"20230517081322.342500+0100")
    assert found == {(ValueKind.DATE, "20230517"), (ValueKind.TIME, "081322.342500")}


def test_an_old_date_is_written_as_today() -> None:
    assert harvested(0x00080020, "DA", b"2023.05.17") == {(ValueKind.DATE, "20230517")}


@pytest.mark.parametrize("value", [b"", b"   ", b"^^^^", b"***", b"\0\0"])
def test_what_says_nothing_is_not_remembered(value: bytes) -> None:
    assert harvested(0x00100010, "PN", value) == set()


def test_the_uids_of_the_standard_identify_nobody() -> None:
    assert harvested(0x00081155, "UI", b"1.2.840.10008.5.1.4.1.1.4") == set()


def test_a_listed_private_value_has_the_vr_of_the_list_and_names_its_creator() -> None:
    harvest = Harvest()
    harvest.take(0x2005145F, "UN", b"Quill^M", character_set=b"", creator="ALDWYN")
    harvest.take(0x00290010, "UN", b"\1\2\3", character_set=b"", creator="ALDWYN")
    (value,) = harvest.drain().identity
    assert value == IdentifyingValue(
        kind=ValueKind.TEXT, text="Quill^M", origin="(2005,private,5F)"
    )


@pytest.mark.parametrize("value", [b"NORMAL", b"12.5\\7 ", b"compose ", b"N/A"])
def test_private_words_and_codes_are_not_remembered(value: bytes) -> None:
    assert harvested(0x20051001, "LO", value, creator="ALDWYN") == set()


def test_a_harvest_can_be_drained_and_used_again() -> None:
    harvest = Harvest()
    harvest.add(ValueKind.NAME, "Quillfeather", "(0010,0010)")
    assert len(harvest.drain().identity) == 1
    assert harvest.drain() == Harvested()


def test_words_that_stay_published_are_no_residue_but_names_are() -> None:
    removed, kept = Harvest(), Harvest()
    removed.add(ValueKind.TEXT, "Bold Rest", "(0032,1060)")
    removed.add(ValueKind.NAME, "Rest", "(0010,0010)")
    kept.keep(b"bold rest ", b"")
    kept.keep(b"HEAD\\rest", b"")
    left = settle([removed.drain(), kept.drain()])
    assert [(one.kind, one.text) for one in left] == [(ValueKind.NAME, "Rest")]


def test_the_same_value_is_settled_once_with_its_first_origin() -> None:
    one, two = Harvest(), Harvest()
    one.add(ValueKind.DATE, "20230517", "(0008,0021)")
    two.add(ValueKind.DATE, "20230517", "(0008,0020)")
    (value,) = settle([one.drain(), two.drain()])
    assert value.origin == "(0008,0020)"
