"""Every check of the planted-identifier suite passes, with the profile for sharing and the bare one.

The fast selection leaves out what other cases repeat in another encoding or at another depth.
"""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from planted.checks import Answer, Case, Cleaned, File, Kind
from planted.suite import put, synthetic_cases
from planted.tools import bidsanon

PROFILES = ("bids", "basic")
REPEATING = (
    "table/big-endian",
    "table/deflated",
    "table/enhanced",
    "table/unlisted sequence",
    "table/UN sequence of",
    "table/five deep",
    "table/functional groups",
    "table/unknown private",
    "table/removed",
)


def failed(answers: Iterable[Answer]) -> list[str]:
    return [f"{answer.kind}: {answer.place}" for answer in answers if not answer.passed]


def is_repeating(case: Case) -> bool:
    return case.name.startswith(REPEATING)


@pytest.mark.parametrize("profile", PROFILES)
def test_every_planted_value_is_treated_as_the_standard_says(profile: str) -> None:
    tool = bidsanon(profile)
    cases = [case for case in synthetic_cases(profile) if not is_repeating(case)]
    answers = [answer for case in cases for answer in put(case, tool)]
    assert len(answers) > 5000
    assert failed(answers) == []


@pytest.mark.slow
@pytest.mark.parametrize("profile", PROFILES)
def test_so_it_is_in_every_encoding_and_at_every_depth(profile: str) -> None:
    tool = bidsanon(profile)
    for case in filter(is_repeating, synthetic_cases(profile)):
        assert failed(put(case, tool)) == []


def test_the_suite_fails_a_tool_that_does_nothing() -> None:
    answers = [a for c in synthetic_cases("bids") for a in put(c, lambda files: dict(files))]
    by_kind = {kind: [a.passed for a in answers if a.kind is kind] for kind in Kind}
    for kind in (Kind.NO_RAW_BYTE_HIT, Kind.UID_CHANGED, Kind.DATE_SHIFTED):
        assert not any(by_kind[kind]), kind
    assert sum(by_kind[Kind.TEXT_REMOVED]) < len(by_kind[Kind.TEXT_REMOVED]) / 20
    assert all(by_kind[Kind.PIXELS_RETAINED])
    assert all(by_kind[Kind.TEXT_RETAINED])


def test_the_suite_fails_a_tool_that_writes_nothing() -> None:
    answers = [
        a for c in synthetic_cases("bids") if not c.may_be_held_back for a in put(c, dict.fromkeys)
    ]
    retaining = {Kind.TAG_RETAINED, Kind.TEXT_RETAINED, Kind.PIXELS_RETAINED, Kind.DATE_SHIFTED}
    assert not [a for a in answers if a.kind in retaining and a.passed]


def test_a_value_is_found_in_whatever_encoding() -> None:
    for encoding in ("utf-8", "latin-1", "utf-16-le", "utf-16-be"):
        assert File("x Grünfelder".encode(encoding)).says("Grünfelder")
    assert not File(b"Gruenfelder").says("Grünfelder")


def test_a_check_on_a_file_that_was_held_back_asks_only_whether_it_was() -> None:
    case = next(synthetic_cases("basic"))
    held_back = Cleaned(
        before={n: File(c) for n, c in case.files.items()}, after=dict.fromkeys(case.files)
    )
    assert None in held_back.after.values()
