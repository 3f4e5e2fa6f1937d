"""Each action code does to an element what PS3.15 Table E.1-1a says."""

from __future__ import annotations

import io
import struct
import warnings

import pytest
from pydicom.config import RAISE
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement, convert_raw_data_element
from pydicom.filereader import read_dataset
from pydicom.tag import Tag
from pydicom.valuerep import validate_value

from bidsanon.deidentify.actions import OPERATORS
from bidsanon.deidentify.context import Context, Fate, Outcome, Rule, Tools
from bidsanon.deidentify.harvest import Harvest
from bidsanon.deidentify.replacements import Replacements
from bidsanon.deidentify.rules import Place
from bidsanon.dicom.confidentiality import table_rows, tag_text
from bidsanon.dicom.elements import Element
from bidsanon.dicom.encoding import EXPLICIT_BIG, EXPLICIT_LITTLE, IMPLICIT_LITTLE, Encoding
from bidsanon.dicom.file_format import read_file
from bidsanon.dicom.vrs import dictionary_vr
from bidsanon.dicom.writing import write_element
from bidsanon.errors import PolicyError
from bidsanon.identity import ValueKind
from bidsanon.profile import Action, Cleaning, Decision, Profile
from bidsanon.vault import PersonPlan

STANDARD_VRS = (
    *("AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "LO", "LT", "OB", "OD", "OF"),
    *("OL", "OV", "OW", "PN", "SH", "SL", "SS", "ST", "SV", "TM", "UC", "UI", "UL", "UN", "UR"),
    *("US", "UT", "UV"),
)
SIZES = {"AT": 4, "FD": 8, "FL": 4, "OD": 8, "OF": 4, "OL": 4, "OV": 8, "OW": 2, "SL": 4, "SS": 2}
SIZES |= {"SV": 8, "UL": 4, "US": 2, "UV": 8}
DUMMY_SEQUENCES = [
    row.number
    for row in table_rows()
    if row.number and "D" in row.basic and dictionary_vr(row.number) == "SQ"
]
ENCODINGS = (EXPLICIT_LITTLE, EXPLICIT_BIG, IMPLICIT_LITTLE)


def first(encoding: Encoding) -> bytes:
    """Return what shows in which encoding the element after it is written."""
    return write_element(0x00080008, "CS", b"ORIGINAL", encoding)


class Bench:
    """Carries out an action on one element."""

    def __init__(self, plan: PersonPlan, profile: Profile) -> None:
        self.harvest = Harvest()
        self._tools = Tools(Replacements(plan), self.harvest, {})
        self._profile = profile

    def act(
        self,
        tag: int,
        vr: str,
        value: bytes,
        decision: Decision,
        *,
        encoding: Encoding = EXPLICIT_LITTLE,
    ) -> Outcome:
        file = read_file(first(encoding) + write_element(tag, vr, value, encoding))
        content, element = file.content, file.data_set.elements[-1]
        context = Context(
            content=content,
            encoding=encoding,
            character_set=b"ISO_IR 100",
            place=Place(self._profile, "1.2.840.10008.5.1.4.1.1.4", cleaned=False),
            tools=self._tools,
        )
        rule = Rule(OPERATORS[decision.action].act, decision)
        return rule.act(element, rule, context)

    def value(self, outcome: Outcome, encoding: Encoding = EXPLICIT_LITTLE) -> bytes:
        assert isinstance(outcome, bytes)
        found = read_file(first(encoding) + outcome)
        assert found.data_set.encoding == encoding
        element: Element = found.data_set.elements[-1]
        return found.content[element.body : element.end]

    def harvested(self) -> set[tuple[ValueKind, str]]:
        return {(value.kind, value.text) for value in self.harvest.drain().identity}


@pytest.fixture
def bench(plan: PersonPlan, bids: Profile) -> Bench:
    return Bench(plan, bids)


def clean(cleaning: Cleaning) -> Decision:
    return Decision(action=Action.CLEAN, cleaning=cleaning)


def test_every_code_has_an_action_and_a_sentence() -> None:
    assert set(OPERATORS) == set(Action)
    for action, operator in OPERATORS.items():
        assert operator.code == action.value
        assert operator.sentence.endswith(".")


def test_x_removes(bench: Bench) -> None:
    outcome = bench.act(0x00081010, "SH", b"MRALDWYN3", Decision(action=Action.REMOVE))
    assert outcome is Fate.REMOVED
    assert bench.harvested() == {(ValueKind.PLACE, "MRALDWYN3")}


@pytest.mark.parametrize("encoding", ENCODINGS, ids=str)
def test_z_empties(bench: Bench, encoding: Encoding) -> None:
    decision = Decision(action=Action.EMPTY)
    outcome = bench.act(0x00080050, "SH", b"ACC5530981", decision, encoding=encoding)
    assert outcome == write_element(0x00080050, "SH", b"", encoding)
    assert bench.harvested() == {(ValueKind.IDENTIFIER, "ACC5530981")}


@pytest.mark.parametrize("encoding", ENCODINGS[:2], ids=str)
@pytest.mark.parametrize("vr", STANDARD_VRS)
def test_a_dummy_fits_its_vr(bench: Bench, vr: str, encoding: Encoding) -> None:
    decision = Decision(action=Action.DUMMY)
    before = b"\1" * SIZES.get(vr, 6)
    value = bench.value(bench.act(0x00720070, vr, before, decision, encoding=encoding), encoding)
    assert value
    assert value != before
    assert len(value) % SIZES.get(vr, 2) == 0
    raw = RawDataElement(Tag(0x00720070), vr, len(value), value, 0, False, encoding.little_endian)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read = convert_raw_data_element(raw).value
        validate_value(vr, str(read) if vr in ("DS", "IS") else read, RAISE)


@pytest.mark.parametrize("encoding", ENCODINGS, ids=str)
@pytest.mark.parametrize("tag", DUMMY_SEQUENCES, ids=tag_text)
def test_a_dummy_sequence_has_one_item_with_what_the_standard_requires(
    bench: Bench, tag: int, encoding: Encoding
) -> None:
    name = write_element(0x00100010, "PN", b"Quillfeather", encoding)
    order = "<" if encoding.little_endian else ">"
    item = struct.pack(f"{order}HHL", 0xFFFE, 0xE000, len(name)) + name
    decision = Decision(action=Action.DUMMY)
    outcome = bench.act(tag, "SQ", item, decision, encoding=encoding)
    assert isinstance(outcome, bytes)
    assert (ValueKind.NAME, "Quillfeather") in bench.harvested()
    made = read_dataset(io.BytesIO(outcome), not encoding.explicit, encoding.little_endian)
    (inside,) = made[tag].value
    assert len(inside) > 0
    assert list(inside.keys()) == sorted(inside.keys())
    for element in inside.iterall():
        assert element.VR in dictionary_VR(element.tag).split(" or ")
    again = bench.act(tag, "SQ", bench.value(outcome, encoding), decision, encoding=encoding)
    assert again is Fate.KEPT


@pytest.mark.parametrize(
    ("vr", "forced", "value"),
    [("LO", "Head", b"Head"), ("US", "7", b"\7\0"), ("FD", "0.5", b"\0\0\0\0\0\0\xe0?")],
)
def test_a_profile_may_force_a_value(bench: Bench, vr: str, forced: str, value: bytes) -> None:
    decision = Decision(action=Action.DUMMY, value=forced)
    assert bench.value(bench.act(0x00180015, vr, b"12345678", decision)) == value


def test_a_forced_value_that_does_not_fit_is_the_profiles_fault(bench: Bench) -> None:
    with pytest.raises(PolicyError, match="VR US"):
        bench.act(0x00280010, "US", b"\1\0", Decision(action=Action.DUMMY, value="many"))


def test_k_keeps(bench: Bench) -> None:
    assert bench.act(0x00080060, "CS", b"MR", Decision(action=Action.KEEP)) is Fate.KEPT
    assert bench.harvested() == set()


@pytest.mark.parametrize("action", [Action.KEEP, Action.REPLACE_UID])
def test_a_sequence_that_stays_is_entered(bench: Bench, action: Action) -> None:
    outcome = bench.act(0x00081115, "SQ", b"\xfe\xff\x00\xe0\0\0\0\0", Decision(action=action))
    assert outcome is Fate.ENTERED


def test_u_replaces_a_uid(bench: Bench) -> None:
    decision = Decision(action=Action.REPLACE_UID)
    value = bench.value(bench.act(0x0020000E, "UI", b"1.3.12.2.1107.5.2.1\0", decision))
    assert value.startswith(b"2.25.")
    assert bench.harvested() == {(ValueKind.UID, "1.3.12.2.1107.5.2.1")}


def test_u_leaves_the_uids_of_the_standard_alone(bench: Bench) -> None:
    decision = Decision(action=Action.REPLACE_UID)
    assert bench.act(0x0020000E, "UI", b"1.2.840.10008.1.4.1.1\0", decision) is Fate.KEPT
    assert bench.harvested() == set()


@pytest.mark.parametrize("cleaning", Cleaning)
def test_an_empty_value_needs_no_cleaning(bench: Bench, cleaning: Cleaning) -> None:
    assert bench.act(0x00080020, "DA", b"", clean(cleaning)) is Fate.KEPT


def test_dates_are_shifted_also_where_the_file_gives_another_vr(bench: Bench) -> None:
    outcome = bench.act(0x00080020, "LO", b"20230517", clean(Cleaning.DATES))
    assert bench.value(outcome) == b"19230518"
    assert bench.harvested() == {(ValueKind.DATE, "20230517")}


def test_several_dates_are_shifted_one_by_one(bench: Bench) -> None:
    outcome = bench.act(0x00181200, "DA", b"20230517\\20230518", clean(Cleaning.DATES))
    assert bench.value(outcome) == b"19230518\\19230519 "


@pytest.mark.parametrize(("vr", "tag"), [("OB", 0x04000310), ("SH", 0x00080201)])
def test_a_date_that_cannot_be_shifted_goes(bench: Bench, vr: str, tag: int) -> None:
    assert bench.act(tag, vr, b"+0100 ", clean(Cleaning.DATES)) is Fate.REMOVED


def test_an_age_that_is_none_is_emptied(bench: Bench) -> None:
    outcome = bench.act(0x00101010, "AS", b"OLD ", clean(Cleaning.CHARACTERISTICS))
    assert bench.value(outcome) == b""


def test_a_device_becomes_a_pseudonym_that_fits(bench: Bench) -> None:
    decision = clean(Cleaning.PSEUDONYM)
    first = bench.value(bench.act(0x00081010, "SH", b"MRALDWYN3", decision))
    again = bench.value(bench.act(0x00081010, "SH", b"MRALDWYN3 ", decision))
    other = bench.value(bench.act(0x00081010, "SH", b"MRALDWYN4", decision))
    assert first == again != other
    assert first.startswith(b"anon-")
    assert len(first) <= 16


def test_graphics_go(bench: Bench) -> None:
    assert bench.act(0x60003000, "OW", b"\1\2", clean(Cleaning.GRAPHICS)) is Fate.REMOVED


def test_a_text_in_a_vr_that_holds_none_goes(bench: Bench) -> None:
    assert bench.act(0x0016002B, "OB", b"\1\2", clean(Cleaning.DESCRIPTORS)) is Fate.REMOVED


def test_the_parts_of_a_description_are_cleaned_one_by_one(bench: Bench) -> None:
    outcome = bench.act(0x00081030, "LO", b"bold\\rest", clean(Cleaning.DESCRIPTORS))
    assert outcome is Fate.KEPT


def test_a_value_whose_vr_is_un_gets_that_of_the_dictionary(bench: Bench) -> None:
    outcome = bench.act(0x00080080, "UN", b"St Aldwyn", Decision(action=Action.DUMMY))
    assert isinstance(outcome, bytes)
    assert outcome == write_element(0x00080080, "LO", b"ANON", EXPLICIT_LITTLE)
