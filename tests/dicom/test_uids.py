"""UIDs and what replaces them; the standard's own stay."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydicom.uid import UID_dictionary

from bidsanon.dicom.uids import (
    is_replacement_uid,
    is_valid_uid,
    is_well_known_uid,
    replace_uid,
)

KEY = bytes(range(32))
uids = st.lists(st.integers(0, 2**40), min_size=3, max_size=5).map(
    lambda parts: ".".join(map(str, (1, 3, *parts)))
)


@given(uid=uids)
def test_a_replacement_is_a_valid_uid_made_of_a_uuid(uid: str) -> None:
    replacement = replace_uid(uid, key=KEY)
    assert is_valid_uid(replacement)
    assert replacement.startswith("2.25.")
    number = uuid.UUID(int=int(replacement.removeprefix("2.25.")))
    assert number.variant == uuid.RFC_4122
    assert number.version == 8


@given(uid=uids)
def test_the_same_uid_gets_the_same_replacement_and_another_key_another_one(uid: str) -> None:
    assert replace_uid(uid, key=KEY) == replace_uid(f"{uid}\0", key=KEY)
    assert replace_uid(uid, key=KEY) != replace_uid(uid, key=bytes(32))


@given(one=uids, other=uids)
def test_two_uids_get_two_replacements(one: str, other: str) -> None:
    assume(one != other)
    assert replace_uid(one, key=KEY) != replace_uid(other, key=KEY)


@given(uid=st.text(min_size=1))
def test_whatever_stands_for_a_uid_is_replaced_by_a_valid_one(uid: str) -> None:
    assume(uid.strip(" \0"))
    assert is_valid_uid(replace_uid(uid, key=KEY))


def test_the_standards_own_uids_stay() -> None:
    assert all(is_well_known_uid(uid) for uid in UID_dictionary)
    assert [uid for uid in UID_dictionary if replace_uid(uid, key=KEY) != uid] == []


@pytest.mark.parametrize(
    "uid",
    [
        "1.2.840.10008.1.20180307.1",
        "1.2.840.10008.5.1.4.1.1.4.35135.1",
        "1.2.840.100081.1",
        "1.2.840.10008",
    ],
)
def test_an_instance_wrongly_numbered_below_the_standards_root_is_replaced(uid: str) -> None:
    assert replace_uid(uid, key=KEY).startswith("2.25.")


def test_an_empty_uid_stays_empty() -> None:
    assert replace_uid("", key=KEY) == ""
    assert replace_uid("\0", key=KEY) == ""


@given(uid=st.text(min_size=1), key=st.binary(min_size=32, max_size=32))
def test_replacing_twice_is_replacing_once(uid: str, key: bytes) -> None:
    once = replace_uid(uid, key=key)
    assert replace_uid(once, key=key) == once


@given(uid=uids)
def test_a_replacement_is_known_with_its_key_alone(uid: str) -> None:
    replacement = replace_uid(uid, key=KEY)
    assert is_replacement_uid(replacement, key=KEY)
    assert not is_replacement_uid(replacement, key=bytes(32))
    assert not is_replacement_uid(uid, key=KEY)
    assert replace_uid(replacement, key=bytes(32)) != replacement


@given(uid=uids, bit=st.integers(0, 127))
def test_a_replacement_of_which_one_bit_is_changed_is_no_longer_known(uid: str, bit: int) -> None:
    number = int(replace_uid(uid, key=KEY).removeprefix("2.25."))
    assert not is_replacement_uid(f"2.25.{number ^ 1 << bit}", key=KEY)


@given(number=st.uuids(version=4))
def test_a_foreign_uid_made_of_a_uuid_is_replaced(number: uuid.UUID) -> None:
    assert replace_uid(f"2.25.{number.int}", key=KEY) != f"2.25.{number.int}"


@pytest.mark.parametrize(
    "text", ["2.25.", "2.25.1", "2.25.-1", "2.25.x", f"2.25.{1 << 128}", f"2.25.{10**60}"]
)
def test_what_only_begins_like_a_replacement_is_none(text: str) -> None:
    assert not is_replacement_uid(text, key=KEY)


@pytest.mark.parametrize("text", ["", "1", "1.", ".1", "1.02", "1.2.x", "1." + "2" * 63])
def test_what_is_no_uid(text: str) -> None:
    assert not is_valid_uid(text)
