"""What the options of a command change of a profile."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.datadict import tag_for_keyword

from bidsanon.dicom.confidentiality import Option, tag_text
from bidsanon.errors import UsageError
from bidsanon.profile import (
    Action,
    Amendment,
    PrivateKey,
    Profile,
    amend_profile,
    bundled_profiles,
    load_profile,
)

BIDS = load_profile("bids")
NAMES = ("PatientName", "StationName", "StudyDate", "SeriesDescription", "EchoTime", "PatientAge")


def refusal(profile: Profile = BIDS, **changes: Any) -> str:
    with pytest.raises(UsageError) as caught:
        amend_profile(profile, **changes)
    assert caught.value.cure
    return caught.value.message


def test_options_are_added_and_dropped() -> None:
    amended = amend_profile(BIDS, add_options=["retain-uids"], drop_options=["clean-descriptors"])
    assert amended.options == (BIDS.options | {Option.RETAIN_UIDS}) - {Option.CLEAN_DESCRIPTORS}


def test_rules_are_named_in_every_way_and_overrule_those_of_the_profile() -> None:
    amended = amend_profile(
        BIDS,
        keep=["0008,1010", "(0019,SIEMENS MR HEADER,0A)"],
        remove=["PatientWeight", "(0008,1030)"],
        force={"Manufacturer": "A scanner"},
    )
    decided = {rule.attribute: rule.decision for rule in amended.rules}
    private = PrivateKey(group=0x19, creator="SIEMENS MR HEADER", element=0x0A)
    assert decided[0x00081010].action is decided[private].action is Action.KEEP
    assert decided[0x00101030].action is decided[0x00081030].action is Action.REMOVE
    assert (decided[0x00080070].action, decided[0x00080070].value) == (Action.DUMMY, "A scanner")


def test_modalities_take_the_place_of_the_profiles() -> None:
    assert amend_profile(BIDS, modalities=["US"]).modalities == {"US"}


def test_an_amended_profile_says_so_wherever_it_is_named() -> None:
    amended = amend_profile(BIDS, keep=["StationName"])
    assert amended.title == "bids, amended"
    assert "bids, amended" in amended.method
    assert amended.digest != BIDS.digest


@pytest.mark.parametrize("name", bundled_profiles())
def test_the_method_of_an_amended_profile_fits_its_attribute(name: str) -> None:
    amended = amend_profile(load_profile(name), keep=["StationName"])
    assert len(amended.method) <= 64


def test_what_changes_nothing_leaves_the_profile_as_it_is() -> None:
    assert Amendment().apply(BIDS) is BIDS


def test_full_dates_are_refused_where_the_profile_shifts_them_and_the_cure_is_told() -> None:
    message = refusal(add_options=["retain-full-dates"])
    assert "exclude each other" in message
    assert "add --option no-retain-modified-dates too" in message
    amended = Amendment(options=("retain-full-dates", "no-retain-modified-dates")).apply(BIDS)
    assert Option.RETAIN_FULL_DATES in amended.options
    assert Option.RETAIN_MODIFIED_DATES not in amended.options


def test_both_date_options_at_once_are_refused() -> None:
    message = refusal(
        load_profile("basic"), add_options=["retain-full-dates", "retain-modified-dates"]
    )
    assert "exclude each other" in message


def test_all_problems_are_told_at_once() -> None:
    message = refusal(
        add_options=["retain-everything", "retain-uids"],
        drop_options=["retain-uids"],
        keep=["PatientNaem", "StationName"],
        remove=["(0008,1010)"],
        force={"(0019,100A)": "1"},
        modalities=["mr"],
    )
    for problem in (
        "no option 'retain-everything'",
        "retain-uids cannot be both added and dropped",
        "--keep: PatientNaem is no keyword",
        "--remove: (0008,1010) is ruled by --keep already",
        "--force: (0019,100A) is private",
        "--modality: 'mr'",
    ):
        assert problem in message


def test_every_pair_of_options_but_the_dates_can_be_selected_together() -> None:
    for one in Option:
        for other in Option:
            wanted = {str(one), str(other)}
            if wanted == {"retain-full-dates", "retain-modified-dates"}:
                continue
            assert amend_profile(load_profile("basic"), add_options=wanted).options == wanted


@given(
    options=st.sets(st.sampled_from(Option)).filter(
        lambda options: len({Option.RETAIN_FULL_DATES, Option.RETAIN_MODIFIED_DATES} - options) > 0
    ),
    name=st.sampled_from(bundled_profiles()),
    keep=st.sets(st.sampled_from(NAMES), max_size=4),
    remove=st.sets(st.sampled_from(NAMES), max_size=4),
)
def test_whatever_is_amended_is_decided_and_described(
    options: set[Option], name: str, keep: set[str], remove: set[str]
) -> None:
    profile = load_profile(name)
    amended = amend_profile(
        profile,
        add_options=[str(option) for option in options],
        drop_options=[str(option) for option in profile.options - options],
        keep=keep - remove,
        remove=remove,
    )
    assert amended.options == options
    told = {row.tag: row for row in amended.describe()}
    for names, action in ((keep - remove, Action.KEEP), (remove, Action.REMOVE)):
        for keyword in names:
            tag = tag_for_keyword(keyword)
            assert tag is not None
            assert amended.decide(tag, sop_class_uid="", path=()).action is action
            assert told[tag_text(tag)].action == action
