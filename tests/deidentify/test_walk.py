"""Every attribute of Table E.1-1 is protected at every depth, however its sequence is written."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from written_elements import TRANSFER_SYNTAXES, item, sequence

from bidsanon.deidentify import NotUnderstoodError, deidentify_instance
from bidsanon.deidentify.context import Fate
from bidsanon.deidentify.deidentifier import Deidentifier
from bidsanon.deidentify.walk import assemble, put_element
from bidsanon.dicom.confidentiality import table_rows
from bidsanon.dicom.encoding import EXPLICIT_LITTLE, IMPLICIT_LITTLE, Encoding
from bidsanon.dicom.file_format import read_file, write_file_head
from bidsanon.dicom.vrs import dictionary_vr
from bidsanon.dicom.writing import write_element
from bidsanon.profile import Action, Cleaning, Profile
from bidsanon.vault import PersonPlan

MR = "1.2.840.10008.5.1.4.1.1.4"
KEPT_SEQUENCE = 0x00081115
KEPT_ATTRIBUTE = 0x00180024
PLANTED_TEXT = b"Zq7Planted"
PLANTED_UID = b"1.2.3.9997775551"
PLANTED_DATE = b"20230517"
PLANTED = (PLANTED_TEXT, PLANTED_UID, PLANTED_DATE)
VALUES = {"DA": PLANTED_DATE, "DT": PLANTED_DATE + b"101112", "UI": PLANTED_UID}
NUMBERS = {"AT", "FD", "FL", "OD", "OF", "OL", "OV", "OW", "SL", "SS", "SV", "UL", "US", "UV"}
PROTECTED = [row.number for row in table_rows() if row.number and row.number != 0x00080018]


def planted(tags: list[int], encoding: Encoding) -> bytes:
    """Return elements that each hold a planted value, and one that holds none."""
    pieces = {KEPT_ATTRIBUTE: write_element(KEPT_ATTRIBUTE, "SH", b"tfl3d1", encoding)}
    for tag in tags:
        vr = dictionary_vr(tag)
        if vr == "SQ":
            inner = write_element(0x0040A160, "UT", PLANTED_TEXT, encoding)
            inner += write_element(0x00100010, "PN", PLANTED_TEXT, encoding)
            pieces[tag] = sequence_of(tag, inner, encoding)
        elif vr not in NUMBERS:
            pieces[tag] = write_element(tag, vr, VALUES.get(vr, PLANTED_TEXT), encoding)
    return b"".join(pieces[tag] for tag in sorted(pieces))


def sequence_of(tag: int, inner: bytes, encoding: Encoding, *, undefined: bool = False) -> bytes:
    return sequence(tag, item(inner, encoding, undefined=undefined), encoding, undefined=undefined)


def top_level(inner: bytes, encoding: Encoding) -> bytes:  # noqa: ARG001 (a place like others)
    return inner


def in_a_sequence(inner: bytes, encoding: Encoding) -> bytes:
    return sequence_of(KEPT_SEQUENCE, inner, encoding)


def three_deep_without_lengths(inner: bytes, encoding: Encoding) -> bytes:
    for _ in range(3):
        inner = sequence_of(KEPT_SEQUENCE, inner, encoding, undefined=True)
    return inner


def in_a_sequence_without_a_vr(inner: bytes, encoding: Encoding) -> bytes:
    """A sequence whose items are implicit, whatever surrounds them."""
    return write_element(KEPT_SEQUENCE, "UN", item(inner), encoding)


def file_of(inner: bytes, wrap: Callable[[bytes, Encoding], bytes], encoding: Encoding) -> bytes:
    head = write_file_head(
        sop_class_uid=MR.encode(),
        sop_instance_uid=b"1.3",
        transfer_syntax_uid=TRANSFER_SYNTAXES[encoding],
    )
    identity = write_element(0x00080016, "UI", MR.encode(), encoding)
    identity += write_element(0x00080018, "UI", b"1.3", encoding)
    return head + identity + wrap(inner, encoding)


PLACES = [
    (place, inner, outer)
    for place in (top_level, in_a_sequence, three_deep_without_lengths)
    for inner, outer in ((one, one) for one in TRANSFER_SYNTAXES)
] + [(in_a_sequence_without_a_vr, IMPLICIT_LITTLE, outer) for outer in TRANSFER_SYNTAXES]


def name_of(value: object) -> str:
    return getattr(value, "__name__", str(value))


@pytest.mark.parametrize(("place", "inner", "outer"), PLACES, ids=name_of)
def test_the_basic_profile_leaves_nothing_of_the_table(
    basic: Profile,
    plan: PersonPlan,
    place: Callable[[bytes, Encoding], bytes],
    inner: Encoding,
    outer: Encoding,
) -> None:
    tags = [row.number for row in table_rows() if row.number and row.number != 0x00080018]
    content = file_of(planted(tags, inner), place, outer)
    assert len(tags) > 600
    assert all(text in content for text in PLANTED)
    instance = deidentify_instance(content, profile=basic, plan=plan)
    assert [text for text in PLANTED if text in instance.content] == []
    assert b"tfl3d1" in instance.content
    assert set(PLANTED) <= {value.text.encode() for value in instance.identity}
    assert read_file(instance.content).data_set.encoding == outer


@pytest.mark.parametrize(("place", "inner", "outer"), PLACES, ids=name_of)
def test_the_profile_for_sharing_leaves_nothing_but_descriptions(
    bids: Profile,
    plan: PersonPlan,
    place: Callable[[bytes, Encoding], bytes],
    inner: Encoding,
    outer: Encoding,
) -> None:
    tags = [
        row.number
        for row in table_rows()
        if row.number and row.number != 0x00080018 and not stays(bids, row.number)
    ]
    content = file_of(planted(tags, inner), place, outer)
    assert len(tags) > 400
    instance = deidentify_instance(content, profile=bids, plan=plan)
    assert [text for text in PLANTED if text in instance.content] == []


def stays(profile: Profile, tag: int) -> bool:
    """Tell whether a profile lets words of no known meaning through."""
    decision = profile.decide(tag, sop_class_uid=MR, path=())
    words = (Cleaning.DESCRIPTORS, Cleaning.CHARACTERISTICS, Cleaning.STRUCTURED_CONTENT)
    return decision.action is Action.KEEP or decision.cleaning in words


def test_a_rule_is_looked_up_before_a_sequence_is_entered(basic: Profile, plan: PersonPlan) -> None:
    inner = write_element(KEPT_ATTRIBUTE, "SH", b"tfl3d1", EXPLICIT_LITTLE)
    removed = sequence_of(0x00400275, inner, EXPLICIT_LITTLE)
    content = file_of(removed, top_level, EXPLICIT_LITTLE)
    instance = deidentify_instance(content, profile=basic, plan=plan)
    assert b"tfl3d1" not in instance.content
    assert instance.changes == {"X": 1, "U": 1}


@pytest.mark.parametrize("place", [in_a_sequence, three_deep_without_lengths])
@pytest.mark.parametrize("encoding", TRANSFER_SYNTAXES)
def test_what_is_kept_keeps_its_bytes(
    bids: Profile,
    plan: PersonPlan,
    place: Callable[[bytes, Encoding], bytes],
    encoding: Encoding,
) -> None:
    kept = place(write_element(KEPT_ATTRIBUTE, "SH", b"tfl3d1", encoding), encoding)
    content = file_of(kept, top_level, encoding)
    assert kept in deidentify_instance(content, profile=bids, plan=plan).content


@pytest.mark.parametrize("undefined", [False, True])
def test_lengths_are_defined_or_not_as_they_were(
    bids: Profile, plan: PersonPlan, undefined: bool
) -> None:
    inner = write_element(0x00081155, "UI", PLANTED_UID, EXPLICIT_LITTLE)
    written = sequence_of(KEPT_SEQUENCE, inner, EXPLICIT_LITTLE, undefined=undefined)
    content = file_of(written, top_level, EXPLICIT_LITTLE)
    instance = deidentify_instance(content, profile=bids, plan=plan)
    (element,) = [
        e for e in read_file(instance.content).data_set.elements if e.tag == KEPT_SEQUENCE
    ]
    assert (element.after != element.end) is undefined


BROKEN = b"\xfe\xff\x00\xe0\x40\0\0\0" + PLANTED_TEXT


@pytest.mark.parametrize("tag", [0x00189999, KEPT_ATTRIBUTE])
def test_what_begins_like_a_sequence_and_is_none_goes(
    bids: Profile, plan: PersonPlan, tag: int
) -> None:
    content = file_of(write_element(tag, "UN", BROKEN, EXPLICIT_LITTLE), top_level, EXPLICIT_LITTLE)
    instance = deidentify_instance(content, profile=bids, plan=plan)
    assert PLANTED_TEXT not in instance.content


def test_a_sequence_whose_items_cannot_be_read_is_refused(bids: Profile, plan: PersonPlan) -> None:
    broken = write_element(KEPT_SEQUENCE, "SQ", BROKEN, EXPLICIT_LITTLE)
    with pytest.raises(NotUnderstoodError):
        deidentify_instance(file_of(broken, top_level, EXPLICIT_LITTLE), profile=bids, plan=plan)


def test_a_new_element_takes_the_place_of_all_that_have_its_tag() -> None:
    before = write_element(KEPT_ATTRIBUTE, "SH", b"tfl3d1", EXPLICIT_LITTLE)
    twice = write_element(0x00189999, "LO", b"old", EXPLICIT_LITTLE) * 2
    file = read_file(before + twice)
    elements, outcomes = file.data_set.elements.copy(), [Fate.KEPT] * 3
    put_element(0x00189999, b"new", elements, outcomes)
    assert b"".join(assemble(file.content, elements, outcomes)) == before + b"new"


def test_files_that_come_alike_are_cleaned_alike_with_group_lengths(
    bids: Profile, plan: PersonPlan
) -> None:
    creator = write_element(0x00190010, "LO", b"SIEMENS MR HEADER", EXPLICIT_LITTLE)
    value = write_element(0x0019100C, "IS", b"1000", EXPLICIT_LITTLE)
    length = write_element(0x00190000, "UL", struct.pack("<L", len(creator)), EXPLICIT_LITTLE)
    content = file_of(length + creator + value, top_level, EXPLICIT_LITTLE)
    deidentifier = Deidentifier(profile=bids, plan=plan)
    written = [b"".join(deidentifier.clean(content).pieces) for _ in range(4)]
    assert len(set(written)) == 1
    assert creator + value in written[0]


FORMS = ("defined", "undefined", "without a VR")


def nested(forms: list[str], tags: list[int], encoding: Encoding) -> bytes:
    """Return planted values within sequences that are written in these ways, outermost first."""
    if not forms:
        return planted(tags, encoding)
    form, *deeper = forms
    inner_encoding = IMPLICIT_LITTLE if form == "without a VR" else encoding
    inner = nested(deeper, tags, inner_encoding)
    if form == "without a VR":
        return in_a_sequence_without_a_vr(inner, encoding)
    return sequence_of(KEPT_SEQUENCE, inner, encoding, undefined=form == "undefined")


@settings(max_examples=40)
@given(
    forms=st.lists(st.sampled_from(FORMS), min_size=1, max_size=12),
    tags=st.lists(st.sampled_from(PROTECTED), min_size=1, max_size=6, unique=True),
    encoding=st.sampled_from(list(TRANSFER_SYNTAXES)),
)
def test_nothing_leaks_however_sequences_nest(
    forms: list[str], tags: list[int], encoding: Encoding, basic: Profile, plan: PersonPlan
) -> None:
    content = file_of(nested(forms, tags, encoding), top_level, encoding)
    instance = deidentify_instance(content, profile=basic, plan=plan)
    assert [text for text in PLANTED if text in instance.content] == []
    assert b"tfl3d1" in instance.content
    read_file(instance.content)
