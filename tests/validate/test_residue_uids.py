"""UIDs are looked up among the numbers of a text, whole and within longer ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bidsanon.identity import IdentifyingValue, ValueKind
from bidsanon.validate.residue_uids import UidIndex

UID = "1.3.12.2.1107.5.2.43.67007.30000018090712345678900000001"
COMPONENT = st.integers(0, 10**14).map(str)
UIDS = st.lists(COMPONENT, min_size=5, max_size=9).map(".".join).filter(lambda uid: len(uid) > 9)


def index(*uids: str) -> UidIndex:
    return UidIndex(
        IdentifyingValue(kind=ValueKind.UID, text=uid, origin="(0020,000D)") for uid in uids
    )


@pytest.mark.parametrize(
    "text",
    [
        UID,
        f"FOR={UID};",
        f"{UID}.1.2",
        f"0.{UID}",
        UID.replace(".", "_"),
        UID.replace(".", "-"),
        f"x{UID}y",
        "30000018090712345678900000001",
        "a30000018090712345678900000001b",
    ],
)
def test_a_uid_is_found_however_it_is_written(text: str) -> None:
    assert list(index(UID).find(text))


@pytest.mark.parametrize(
    "text", ["", "1.3.12.2.1107", UID[:-1], UID + "7", "2.25.1", "1.5\\2.5", "20180907"]
)
def test_another_number_is_no_uid(text: str) -> None:
    assert not list(index(UID).find(text))


@given(UIDS, st.text(max_size=20), st.text(max_size=20))
def test_a_uid_is_found_in_any_text(uid: str, before: str, after: str) -> None:
    assert list(index(uid).find(f"{before} {uid} {after}"))


def test_a_uid_in_the_name_of_a_file_is_looked_up_and_the_rest_is_left() -> None:
    name = f"MR.{UID}.IMA"
    found = UidIndex([IdentifyingValue(kind=ValueKind.PATH, text=name, origin="file name")])
    assert {find.source.kind for find in found.find(UID)} == {ValueKind.PATH}
    assert [value.text for value in found.others] == ["MR..IMA"]


def test_the_last_number_of_a_uid_is_found_with_and_without_zeros_before_it() -> None:
    found = index("1.3.12.2.1107.5.00180907123456")
    assert [find.form for find in found.find("180907123456, 000180907123456")] == [
        "180907123456",
        "180907123456",
    ]
    assert not list(found.find("7180907123456, 1809071234567"))


@pytest.mark.parametrize("text", ["1.2.3", "no uid", "1.2.840.113619.x"])
def test_what_is_no_uid_is_left_to_others(text: str) -> None:
    found = index(text)
    assert [value.text for value in found.others] == [text]
    assert found.count == 0
