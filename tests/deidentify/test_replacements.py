"""What replaces an identifying value: keyed, the same everywhere, and of its VR."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bidsanon.deidentify.replacements import Replacements
from bidsanon.identity import IdentifyingValue, ValueKind
from bidsanon.vault import PersonPlan


def make_plan(shift_days: int = -39_000, key: bytes = b"k" * 32) -> PersonPlan:
    return PersonPlan(
        subject="01",
        patient_id="sub-01",
        patient_name="sub-01",
        shift_days=shift_days,
        uid_key=key,
        label_key=key,
    )


REPLACE = Replacements(make_plan())


def test_a_uid_is_replaced_the_same_everywhere_and_well_known_ones_stay() -> None:
    assert REPLACE.uid("1.2.3") == Replacements(make_plan(shift_days=0)).uid("1.2.3")
    assert REPLACE.uid("1.2.840.10008.5.1.4.1.1.4") == "1.2.840.10008.5.1.4.1.1.4"


def test_values_of_several_parts_are_replaced_part_by_part() -> None:
    assert REPLACE.uid("1.2.3\\1.2.4") == f"{REPLACE.uid('1.2.3')}\\{REPLACE.uid('1.2.4')}"
    replace = Replacements(make_plan(shift_days=1))
    assert replace.date("20180307\\***\\20180308") == "20180308\\\\20180309"
    assert replace.datetime("20180307101112\\2018") == "20180308101112\\"
    assert replace.time("101112.5\\noon") == "101112.5\\"


def test_a_time_stays_since_slice_timing_needs_it() -> None:
    assert REPLACE.time("101112.123456") == "101112.123456"
    assert REPLACE.time("***") == ""


def test_a_pseudonym_is_short_keyed_and_of_its_kind() -> None:
    pseudonym = REPLACE.pseudonym("device", "35135")
    assert re.fullmatch(r"anon-[a-z2-7]{11}", pseudonym)
    assert pseudonym == REPLACE.device(" 35135 ")
    assert pseudonym == REPLACE.device(pseudonym)
    assert pseudonym != REPLACE.pseudonym("accession", "35135")
    assert pseudonym != Replacements(make_plan(key=b"other" * 8)).device("35135")


def test_an_empty_value_gets_no_pseudonym() -> None:
    assert REPLACE.device("") == ""
    assert REPLACE.device("  \0") == ""


def test_two_persons_of_one_vault_share_the_devices_pseudonym() -> None:
    assert REPLACE.device("35135") == Replacements(make_plan(shift_days=-1)).device("35135")


def test_a_description_loses_what_the_session_knows() -> None:
    values = [
        IdentifyingValue(kind=ValueKind.NAME, text="Doe^Jane", origin="(0010,0010)"),
        IdentifyingValue(kind=ValueKind.UID, text="1.2.3", origin="(0020,000D)"),
    ]
    replace = Replacements(make_plan(), known=values)
    assert replace.descriptor("T1_doe_sag") == "T1_sag"
    assert replace.clean_text("T1_doe_sag").cut == ("doe",)
    assert REPLACE.descriptor("T1_doe_sag") == "T1_doe_sag"


@given(text=st.text(), days=st.integers(-50_000, 50_000))
def test_no_value_makes_a_replacement_fail(text: str, days: int) -> None:
    replace = Replacements(make_plan(shift_days=days))
    for method in (replace.uid, replace.date, replace.datetime, replace.time, replace.device):
        assert len(method(text).split("\\")) == len(text.split("\\"))


@pytest.mark.parametrize("days", [-39_000, 0, 12])
def test_dates_and_datetimes_move_together(days: int) -> None:
    replace = Replacements(make_plan(shift_days=days))
    assert replace.datetime("20180307101112.5").startswith(replace.date("20180307"))
