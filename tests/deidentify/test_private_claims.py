"""What a file says of its own private blocks is believed where it warns, and checked elsewhere."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset, dcmread
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from bidsanon.deidentify import deidentify_instance
from bidsanon.dicom.confidentiality import Action
from bidsanon.dicom.dates import DateShift
from bidsanon.dicom.private_characteristics import BlockClaim, PrivateClaims
from bidsanon.profile import Profile
from bidsanon.vault import PersonPlan

ACME = (0x0031, "ACME 1.1")
SIEMENS = (0x0019, "SIEMENS MR HEADER")
B_VALUE = 0x0C
NAME = "Quillfeather"
Deidentified = Callable[..., tuple[Dataset, object]]


def private(
    elements: Iterable[tuple[int, str, object]], *, block: tuple[int, str] = ACME
) -> Dataset:
    dataset = Dataset()
    dataset.PatientName = f"{NAME}^Mara"
    place = dataset.private_block(*block, create=True)
    for element, vr, value in elements:
        place.add_new(element, vr, value)
    return dataset


def claim(
    status: str,
    *,
    block: tuple[int, str] = ACME,
    nonidentifying: list[int] | None = None,
    actions: dict[str, list[int]] | None = None,
) -> Dataset:
    item = Dataset()
    item.PrivateGroupReference, item.PrivateCreatorReference = block
    item.BlockIdentifyingInformationStatus = status
    if nonidentifying:
        item.NonidentifyingPrivateElements = nonidentifying
    if actions:
        item.DeidentificationActionSequence = []
        for action, elements in actions.items():
            recommended = Dataset()
            recommended.IdentifyingPrivateElements = elements
            recommended.DeidentificationAction = action
            item.DeidentificationActionSequence.append(recommended)
    return item


def with_claims(dataset: Dataset, *items: Dataset) -> Dataset:
    dataset.PrivateDataElementCharacteristicsSequence = list(items)
    return dataset


def left(dataset: Dataset, block: tuple[int, str] = ACME) -> dict[int, object]:
    """Return what stays of a private block, by the low byte of the element."""
    try:
        place = dataset.private_block(*block)
    except KeyError:
        return {}
    start = place.block_start
    return {
        element.tag & 0xFF: element.value
        for element in dataset.group_dataset(block[0])
        if element.tag.is_private
        and not element.tag.is_private_creator
        and (element.tag & 0xFF00) == (start & 0xFF00)
    }


ALL_KINDS = [
    (0x01, "DS", "2.5"),
    (0x02, "LO", f"spiral {NAME}"),
    (0x03, "UI", "1.3.12.2.1107.5.2.43.66012.1"),
    (0x04, "DA", "20170305"),
    (0x05, "OB", b"12"),
    (0x06, "UN", b"12"),
    (0x07, "PN", "Doe^Jane"),
    (0x08, "CS", "AXIAL"),
    (0x09, "CS", NAME.upper()),
    (0x0A, "IS", "20170305"),
    (0x0B, "FD", 0.5),
    (0x0C, "DT", "20170305143452"),
    (0x0D, "OW", b"12"),
    (0x0E, "AS", "093Y"),
]


def test_without_a_claim_an_unlisted_block_goes(deidentified: Deidentified) -> None:
    dataset, _ = deidentified(private(ALL_KINDS))
    assert left(dataset) == {}
    assert "PrivateDataElementCharacteristicsSequence" not in dataset


def test_what_is_called_safe_stays_as_far_as_its_value_can_be_checked(
    deidentified: Deidentified, plan: PersonPlan
) -> None:
    dataset, _ = deidentified(with_claims(private(ALL_KINDS), claim("SAFE")))
    stays = left(dataset)
    assert sorted(stays) == [0x01, 0x02, 0x03, 0x04, 0x08, 0x0B, 0x0C]
    assert stays[0x01] == 2.5
    assert stays[0x02] == "spiral"
    assert stays[0x03] != "1.3.12.2.1107.5.2.43.66012.1"
    assert stays[0x04] == DateShift(days=plan.shift_days).da("20170305") != "20170305"
    assert stays[0x08] == "AXIAL"


def test_a_name_that_is_called_a_number_goes(
    deidentified: Deidentified, written: Callable[..., bytes]
) -> None:
    content = written(with_claims(private([(0x01, "LO", "Roe^Mary")]), claim("SAFE")))
    lying = content.replace(b"\x01\x10LO", b"\x01\x10UL")
    assert lying != content
    dataset, instance = deidentified(lying)
    assert left(dataset) == {}
    assert b"Mary" not in instance.content  # type: ignore[attr-defined]


def test_what_stays_is_named_as_safe_and_nothing_else_is(deidentified: Deidentified) -> None:
    other = (0x0033, "ACME 2.0")
    claims = [
        claim("MIXED", nonidentifying=[0x01], actions={"X": [0x02]}),
        claim("SAFE", block=other),
    ]
    dataset, _ = deidentified(with_claims(private(ALL_KINDS), *claims))
    (item,) = dataset.PrivateDataElementCharacteristicsSequence
    assert (item.PrivateGroupReference, item.PrivateCreatorReference) == ACME
    assert item.BlockIdentifyingInformationStatus == "SAFE"
    assert len(item) == 3


def test_of_a_mixed_block_only_what_is_listed_stays(deidentified: Deidentified) -> None:
    claims = claim("MIXED", nonidentifying=[0x01, 0x0B])
    dataset, _ = deidentified(with_claims(private(ALL_KINDS), claims))
    assert sorted(left(dataset)) == [0x01, 0x0B]


def test_the_recommended_actions_are_done(deidentified: Deidentified) -> None:
    actions = {"D": [0x02, 0x01], "Z": [0x07, 0x05], "X": [0x0B], "U": [0x03, 0x08]}
    dataset, _ = deidentified(with_claims(private(ALL_KINDS), claim("UNSAFE", actions=actions)))
    stays = left(dataset)
    assert sorted(stays) == [0x01, 0x02, 0x03, 0x05, 0x07]
    assert (stays[0x01], stays[0x02]) == (0, "ANON")
    assert str(stays[0x03]).startswith("2.25.")
    assert not stays[0x05]
    assert not stays[0x07]


def test_what_is_called_unsafe_goes_although_the_table_keeps_it(
    deidentified: Deidentified,
) -> None:
    elements = [(B_VALUE, "IS", "1000"), (0x28, "FD", 26.042)]
    kept, _ = deidentified(private(elements, block=SIEMENS))
    assert sorted(left(kept, SIEMENS)) == [B_VALUE, 0x28]
    warned = with_claims(private(elements, block=SIEMENS), claim("UNSAFE", block=SIEMENS))
    assert left(deidentified(warned)[0], SIEMENS) == {}
    mixed = claim("MIXED", block=SIEMENS, nonidentifying=[0x28])
    partly, _ = deidentified(with_claims(private(elements, block=SIEMENS), mixed))
    assert sorted(left(partly, SIEMENS)) == [0x28]


def test_what_the_table_cleans_is_cleaned_in_a_mixed_block(deidentified: Deidentified) -> None:
    matrix = [(0x0B, "SH", "128p*128")]
    block = (0x0051, "SIEMENS MR HEADER")
    mixed = claim("MIXED", block=block, nonidentifying=[0x0C])
    dataset, _ = deidentified(with_claims(private(matrix, block=block), mixed))
    assert left(dataset, block) == {0x0B: "128p*128"}


def test_what_the_table_removes_goes_although_it_is_called_safe(
    deidentified: Deidentified,
) -> None:
    block = (0x0021, "SIEMENS MR SDS 01")
    build = [(0x43, "LO", "somebody 2020-01-31"), (0x05, "IS", "1")]
    claims = claim("SAFE", block=block)
    dataset, _ = deidentified(with_claims(private(build, block=block), claims))
    assert left(dataset, block) == {0x05: 1}


@pytest.mark.parametrize("status", ["", "NOT SAFE", "UNKNOWN"])
def test_a_status_that_is_not_understood_counts_as_unsafe(
    deidentified: Deidentified, status: str
) -> None:
    dataset, _ = deidentified(with_claims(private(ALL_KINDS), claim(status)))
    assert left(dataset) == {}


def test_claims_that_contradict_each_other_make_nothing_safe(deidentified: Deidentified) -> None:
    claims = [claim("SAFE"), claim("UNSAFE")]
    dataset, _ = deidentified(with_claims(private(ALL_KINDS), *claims))
    assert left(dataset) == {}


def test_a_creator_that_names_the_person_takes_its_block_with_it(
    deidentified: Deidentified,
) -> None:
    block = (0x0031, f"{NAME}^Mara")
    dataset, instance = deidentified(
        with_claims(private(ALL_KINDS, block=block), claim("SAFE", block=block))
    )
    assert not list(dataset.group_dataset(0x0031))
    assert NAME.encode() not in instance.content  # type: ignore[attr-defined]


def test_what_no_creator_reserved_goes_whatever_is_claimed(deidentified: Deidentified) -> None:
    dataset = Dataset()
    dataset.add_new(0x00311001, "LO", "spiral")
    after, _ = deidentified(with_claims(dataset, claim("SAFE", block=(0x0031, ""))))
    assert not list(after.group_dataset(0x0031))


def test_a_sequence_that_is_called_safe_is_walked(
    deidentified: Deidentified, plan: PersonPlan
) -> None:
    inner = private([(0x01, "DS", "2.5"), (0x02, "PN", "Doe^Jane")])
    inner.SeriesDescription = f"spiral of {NAME}"
    inner.ImageComments = "typed"
    dataset, instance = deidentified(with_claims(private([(0x10, "SQ", [inner])]), claim("SAFE")))
    item = dataset.private_block(*ACME)[0x10].value[0]
    assert left(item) == {0x01: 2.5}
    assert item.PatientName == plan.patient_name
    assert NAME.encode() not in instance.content  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "syntax",
    [
        ExplicitVRLittleEndian,
        ExplicitVRBigEndian,
        ImplicitVRLittleEndian,
        DeflatedExplicitVRLittleEndian,
    ],
)
def test_claims_are_read_and_written_in_every_encoding(
    written: Callable[..., bytes], deidentified: Deidentified, syntax: UID
) -> None:
    elements = [(B_VALUE, "IS", "1000"), (0x28, "FD", 26.042)]
    claims = claim("MIXED", block=SIEMENS, nonidentifying=[0x28])
    dataset = with_claims(private(elements, block=SIEMENS), claims)
    cleaned, _ = deidentified(written(dataset, transfer_syntax=syntax))
    assert sorted(left(cleaned, SIEMENS)) == [0x28]
    (item,) = cleaned.PrivateDataElementCharacteristicsSequence
    assert item.PrivateGroupReference == SIEMENS[0]


def test_a_value_whose_representation_nobody_knows_goes(
    written: Callable[..., bytes], deidentified: Deidentified
) -> None:
    dataset = with_claims(private([(0x01, "DS", "2.5")]), claim("SAFE"))
    cleaned, _ = deidentified(written(dataset, transfer_syntax=ImplicitVRLittleEndian))
    assert left(cleaned) == {}
    assert "PrivateDataElementCharacteristicsSequence" not in cleaned


def test_nothing_stays_where_safe_private_attributes_are_not_retained(
    deidentified: Deidentified, basic: Profile
) -> None:
    claims = claim("SAFE", actions={"Z": [0x02]})
    dataset, _ = deidentified(with_claims(private(ALL_KINDS), claims), profile=basic)
    assert left(dataset) == {}
    assert "PrivateDataElementCharacteristicsSequence" not in dataset


@pytest.mark.filterwarnings("ignore:Invalid value for VR:UserWarning")
@settings(max_examples=40)
@given(data=st.data())
def test_nothing_that_is_planted_leaks_and_twice_is_once(
    data: st.DataObject, written: Callable[..., bytes], bids: Profile, plan: PersonPlan
) -> None:
    status = data.draw(st.sampled_from(["SAFE", "UNSAFE", "MIXED", "", "OTHER"]))
    numbers = st.lists(st.integers(0, 0x110), max_size=5)
    actions = data.draw(st.dictionaries(st.sampled_from(["D", "Z", "X", "U", "Q"]), numbers))
    vrs = st.sampled_from(["LO", "SH", "LT", "UT", "CS", "PN", "AE", "UI", "OB", "UN", "UC", "ST"])
    texts = [
        (number, vr, NAME.encode() if vr in {"OB", "UN"} else f"x {NAME}")
        for number, vr in enumerate(data.draw(st.lists(vrs, max_size=8)))
    ]
    dataset = with_claims(
        private(texts),
        claim(status, nonidentifying=data.draw(numbers), actions=actions),
    )
    once = deidentify_instance(written(dataset), profile=bids, plan=plan).content
    assert NAME.encode() not in once
    again = deidentify_instance(once, profile=bids, plan=plan).content
    before, after = (dcmread(io.BytesIO(content)) for content in (once, again))
    assert sorted(left(before)) == sorted(left(after))
    assert before.get("PrivateDataElementCharacteristicsSequence") == after.get(
        "PrivateDataElementCharacteristicsSequence"
    )


def test_an_item_that_does_not_say_of_which_block_it_speaks_claims_nothing(
    deidentified: Deidentified,
) -> None:
    nameless = claim("SAFE")
    del nameless.PrivateCreatorReference
    dataset, _ = deidentified(with_claims(private(ALL_KINDS), nameless))
    assert left(dataset) == {}


def test_a_claim_speaks_of_its_own_block_only() -> None:
    claims = PrivateClaims(blocks=(BlockClaim(group=0x31, creator="ACME", status="SAFE"),))
    assert claims.claim(0x31, "ACME", 0x1002) is Action.KEEP
    assert claims.claim(0x33, "ACME", 0x02) is None
    assert claims.claim(0x31, "ACME 2", 0x02) is None
