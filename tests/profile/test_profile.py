"""What a profile decides about every attribute of Table E.1-1."""

from __future__ import annotations

import csv
import pickle
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.datadict import DicomDictionary

from bidsanon.dicom.confidentiality import TYPES, table_rows
from bidsanon.profile import (
    Action,
    Cleaning,
    Decision,
    Option,
    PrivateKey,
    Profile,
    Rule,
    bundled_profiles,
    load_profile,
)
from bidsanon.resources import data_path

MR = "1.2.840.10008.5.1.4.1.1.4"
ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"
PET = "1.2.840.10008.5.1.4.1.1.128"


def make_profile(*options: Option, rules: tuple[Rule, ...] = ()) -> Profile:
    return Profile(
        name="made",
        description="Made for a test.",
        options=frozenset(options),
        modalities=frozenset({"MR"}),
        rules=rules,
    )


def decide(
    profile: Profile, tag: int, *, sop_class: str = MR, path: tuple[int, ...] = ()
) -> Decision:
    return profile.decide(tag, sop_class_uid=sop_class, path=path)


def a_tag_of(tag: str) -> int:
    digits = tag[1:10].replace(",", "").replace("gggg", "0029").replace("eeee", "1010")
    return int(digits.replace("x", "0"), 16)


@pytest.mark.parametrize("name", bundled_profiles())
def test_every_row_of_the_table_has_a_decision_in_every_bundled_profile(name: str) -> None:
    profile = load_profile(name)
    described = {row.tag: row for row in profile.describe()}
    for row in table_rows():
        if a_tag_of(row.tag) >> 16 < 8:
            continue  # messages, file heads and directories: none is copied
        decision = decide(profile, a_tag_of(row.tag))
        told = described[row.tag]
        assert decision.action in told.action.removesuffix("*").split("/")
        assert decision.option == (told.option or None)
        assert told.happens.startswith(("is ", "loses ", "keeps "))


def test_the_person_is_named_by_the_vault_in_every_bundled_profile() -> None:
    for name in bundled_profiles():
        told = {row.tag: row.happens for row in load_profile(name).describe()}
        assert (
            told["(0010,0010)"] == told["(0010,0020)"] == "is replaced by a pseudonym of the vault"
        )


@given(
    tag=st.one_of(
        st.integers(0, 0xFFFFFFFF), st.sampled_from(sorted(DicomDictionary)), st.just(0x60003000)
    ),
    options=st.sets(st.sampled_from(Option)),
    sop_class=st.sampled_from([MR, ENHANCED_MR, PET, "1.2.3", ""]),
    path=st.lists(st.sampled_from([0x52009229, 0x00101002, 0x00081115]), max_size=3).map(tuple),
)
def test_every_tag_has_a_decision_whatever_the_options(
    tag: int, options: set[Option], sop_class: str, path: tuple[int, ...]
) -> None:
    profile = make_profile(*options)
    decision = profile.decide(tag, sop_class_uid=sop_class, path=path)
    assert (decision.cleaning is not None) == (decision.action is Action.CLEAN)
    assert decision.option is None or decision.option in options
    assert decision == profile.decide(tag, sop_class_uid=sop_class, path=path)


def test_every_option_does_what_its_column_says() -> None:
    for option, row in product(Option, table_rows()):
        if option not in row.options:
            continue
        decision = decide(make_profile(option), a_tag_of(row.tag))
        if decision.option is None:
            assert decision.action in row.basic, row.tag  # what the option cannot clean
        elif row.name != "Patient's Age":
            assert decision.action is row.options[option], row.tag


@pytest.mark.parametrize(
    ("tag", "sop_class", "action"),
    [
        (0x00080032, MR, Action.REMOVE),  # Acquisition Time, X/Z: Type 3
        (0x00080032, PET, Action.EMPTY),  # Type 2
        (0x00080032, "1.2.3", Action.REMOVE),  # not known
        (0x00100020, MR, Action.EMPTY),  # Patient ID, Z/D: Type 2
        (0x00181000, ENHANCED_MR, Action.DUMMY),  # Device Serial Number, X/Z/D: Type 1
        (0x00181000, MR, Action.REMOVE),
    ],
)
def test_a_conditional_action_depends_on_the_sop_class(
    tag: int, sop_class: str, action: Action
) -> None:
    assert decide(load_profile("basic"), tag, sop_class=sop_class).action is action


def test_a_conditional_action_depends_on_the_enclosing_sequence() -> None:
    basic = load_profile("basic")
    in_other_ids = (0x00101002,)
    assert decide(basic, 0x00100020, path=in_other_ids).action is Action.DUMMY
    in_groups = (0x52009230,)
    assert decide(basic, 0x00081140, sop_class=ENHANCED_MR).action is Action.REMOVE
    kept = decide(basic, 0x00081140, sop_class=ENHANCED_MR, path=in_groups)
    assert kept.action is Action.EMPTY


def test_where_one_option_keeps_and_another_cleans_it_is_cleaned() -> None:
    profile = make_profile(Option.RETAIN_DEVICE_IDENTITY, Option.RETAIN_MODIFIED_DATES)
    beam_hold = decide(profile, 0x300C0127)
    assert (beam_hold.action, beam_hold.cleaning) == (Action.CLEAN, Cleaning.DATES)


@pytest.mark.parametrize(
    "tag", [0x00181200, 0x00181204, 0x00181205, 0x00080106, 0x0040DB06, 0x00080201, 0x04000310]
)
def test_dates_that_others_know_are_never_shifted(tag: int) -> None:
    """Beside the known date a shifted one gives the person's shift away."""
    profile = make_profile(Option.RETAIN_DEVICE_IDENTITY, Option.RETAIN_MODIFIED_DATES)
    assert decide(profile, tag) == decide(load_profile("basic"), tag)
    assert decide(profile, tag).action not in {Action.CLEAN, Action.KEEP}


def test_an_age_is_capped_where_characteristics_are_retained() -> None:
    age = decide(make_profile(Option.RETAIN_PATIENT_CHARACTERISTICS), 0x00101010)
    assert (age.action, age.cleaning) == (Action.CLEAN, Cleaning.CHARACTERISTICS)


def test_a_binary_description_is_not_cleaned_as_text() -> None:
    assert decide(make_profile(Option.CLEAN_DESCRIPTORS), 0x0016002B).action is Action.REMOVE


def test_private_attributes_go_to_the_curated_table_where_safe_ones_are_retained() -> None:
    assert decide(make_profile(), 0x00291010).action is Action.REMOVE
    kept = decide(make_profile(Option.RETAIN_SAFE_PRIVATE), 0x00291010)
    assert (kept.action, kept.cleaning) == (Action.CLEAN, Cleaning.PRIVATE)


def test_what_the_table_does_not_list_is_kept_and_what_nobody_knows_is_removed() -> None:
    assert decide(load_profile("bids"), 0x00180024).action is Action.KEEP
    unknown = decide(load_profile("bids"), 0x00089999)
    assert unknown.action is Action.REMOVE
    assert unknown.reason


def test_a_rule_overrules_the_table_and_a_later_rule_an_earlier_one() -> None:
    keep = Decision(action=Action.KEEP, reason="first")
    remove = Decision(action=Action.REMOVE, reason="second")
    rules = (Rule(attribute=0x00100010, decision=keep),)
    assert decide(make_profile(rules=rules), 0x00100010) == keep
    rules += (Rule(attribute=0x00100010, decision=remove),)
    assert decide(make_profile(rules=rules), 0x00100010) == remove


def test_a_rule_about_a_private_attribute_follows_its_creator() -> None:
    key = PrivateKey(group=0x0019, creator="SIEMENS MR HEADER", element=0x0A)
    kept = Decision(action=Action.KEEP)
    profile = make_profile(rules=(Rule(attribute=key, decision=kept),))
    assert profile.decide_private(0x0019, "SIEMENS MR HEADER ", 0x110A) == kept
    assert profile.decide_private(0x0019, "GEMS_ACQU_01", 0x110A) is None
    assert str(key) in {row.tag for row in profile.describe_private()}


def test_a_profile_travels_to_a_worker_and_decides_the_same() -> None:
    profile = load_profile("bids")
    copy = pickle.loads(pickle.dumps(profile))  # noqa: S301
    assert copy == profile
    assert copy.digest == profile.digest
    assert decide(copy, 0x00080080) == decide(profile, 0x00080080)


def test_the_digest_changes_with_what_is_decided_and_not_with_words() -> None:
    removed = Decision(action=Action.REMOVE)
    with_reason = Decision(action=Action.REMOVE, reason="because")
    one = make_profile(rules=(Rule(attribute=0x00100010, decision=removed),))
    other = make_profile(rules=(Rule(attribute=0x00100010, decision=with_reason),))
    assert one.digest == other.digest
    assert one.digest != make_profile().digest
    assert make_profile().digest != make_profile(Option.RETAIN_UIDS).digest


def test_the_method_fits_its_attribute_and_its_codes_follow_the_options() -> None:
    for name in bundled_profiles():
        profile = load_profile(name)
        assert len(profile.method) <= 64
        assert "Date" not in profile.method  # heudiconv refuses a sidecar that holds it
        assert len(profile.method_codes) == 1 + len(profile.options)


class TestTheProfileForSharing:
    """The profile for sharing, attribute by attribute."""

    @pytest.mark.parametrize(
        ("tag", "action", "cleaning"),
        [
            (0x00100010, Action.CLEAN, Cleaning.PSEUDONYM),
            (0x00100020, Action.CLEAN, Cleaning.PSEUDONYM),
            (0x00181000, Action.CLEAN, Cleaning.PSEUDONYM),
            (0x00100030, Action.EMPTY, None),
            (0x00100040, Action.KEEP, None),
            (0x00101010, Action.CLEAN, Cleaning.CHARACTERISTICS),
            (0x00101020, Action.KEEP, None),
            (0x00101030, Action.KEEP, None),
            (0x00102160, Action.REMOVE, None),
            (0x00104000, Action.REMOVE, None),
            (0x00080080, Action.REMOVE, None),
            (0x00081010, Action.REMOVE, None),
            (0x00081090, Action.KEEP, None),
            (0x00081030, Action.EMPTY, None),
            (0x0008103E, Action.CLEAN, Cleaning.DESCRIPTORS),
            (0x00181030, Action.CLEAN, Cleaning.DESCRIPTORS),
            (0x00204000, Action.CLEAN, Cleaning.DESCRIPTORS),
            (0x00080020, Action.CLEAN, Cleaning.DATES),
            (0x00080032, Action.CLEAN, Cleaning.DATES),
            (0x0008002A, Action.CLEAN, Cleaning.DATES),
            (0x00189074, Action.CLEAN, Cleaning.DATES),
            (0x00181072, Action.CLEAN, Cleaning.DATES),
            (0x0020000D, Action.REPLACE_UID, None),
            (0x00200012, Action.KEEP, None),
            (0x00080050, Action.EMPTY, None),
            (0x04000561, Action.REMOVE, None),
            (0x60003000, Action.REMOVE, None),
        ],
    )
    def test_attribute(self, tag: int, action: Action, cleaning: Cleaning | None) -> None:
        decision = decide(load_profile("bids"), tag)
        assert (decision.action, decision.cleaning) == (action, cleaning)

    def test_every_rule_of_its_own_says_why(self) -> None:
        assert [rule for rule in load_profile("bids").rules if not rule.decision.reason] == []

    def test_it_lets_mr_pet_and_ct_through(self) -> None:
        assert load_profile("bids").modalities == {"MR", "PT", "CT"}

    def test_no_time_that_conversion_needs_is_lost(self) -> None:
        """The conditional attributes that are times stay times, in every SOP class."""
        profile = load_profile("bids")
        with data_path(TYPES).open(encoding="utf-8") as lines:
            tags = {row["tag"] for row in csv.DictReader(lines, delimiter="\t")}
        times = {"(0008,0031)", "(0008,0032)", "(0008,0033)", "(0008,002A)"}
        assert times <= tags
        for tag in times:
            for sop_class in (MR, ENHANCED_MR, PET):
                decision = decide(profile, a_tag_of(tag), sop_class=sop_class)
                assert decision.cleaning is Cleaning.DATES


@pytest.mark.parametrize(
    ("options", "decision", "says"),
    [
        ((), None, "REMOVED"),
        ((), Decision(action=Action.CLEAN, cleaning=Cleaning.DATES), "MODIFIED"),
        ((), Decision(action=Action.KEEP), "UNMODIFIED"),
        ((Option.RETAIN_FULL_DATES,), None, "UNMODIFIED"),
        ((Option.RETAIN_MODIFIED_DATES,), None, "MODIFIED"),
    ],
)
def test_what_is_said_of_dates_follows_options_and_rules(
    options: tuple[Option, ...], decision: Decision | None, says: str
) -> None:
    rules = (Rule(attribute=0x00080020, decision=decision),) if decision else ()
    assert make_profile(*options, rules=rules).temporal_information == says


def test_a_rule_that_forces_the_name_names_everybody_alike() -> None:
    forced = Decision(action=Action.DUMMY, value="X")
    for tag, alike in ((0x00100010, True), (0x00100020, True), (0x00080070, False)):
        profile = make_profile(rules=(Rule(attribute=tag, decision=forced),))
        assert profile.names_everybody_alike is alike
        assert profile.forced == ((tag, "X"),)


def test_uids_of_an_examination_that_the_table_leaves_out_are_replaced() -> None:
    concatenation_source = 0x00200242
    decided = decide(make_profile(), concatenation_source)
    assert decided.action is Action.REPLACE_UID
    kept = decide(make_profile(Option.RETAIN_UIDS), concatenation_source)
    assert (kept.action, kept.option) == (Action.KEEP, Option.RETAIN_UIDS)
    assert decide(make_profile(), 0x00081150).action is Action.KEEP  # a SOP class


def test_an_allow_list_removes_what_it_does_not_list() -> None:
    strict = load_profile("strict")
    assert decide(strict, 0x00181400).action is Action.REMOVE  # Acquisition Device Processing
    assert decide(strict, 0x00180081).action is Action.KEEP
    assert decide(strict, 0x0008103E).cleaning is Cleaning.VOCABULARY
    assert decide(strict, 0x00081030).action is Action.EMPTY
