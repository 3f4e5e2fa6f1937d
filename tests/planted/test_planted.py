"""Every check of the planted-identifier suite passes, for sharing and with the bare profile.

The fast selection leaves out what other cases repeat in another encoding or at another depth, and
takes of the rest a third of the files, always the same; the slow one is whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from zlib import crc32

import pytest

from planted.cases_real import conversion_cases, real_cases
from planted.checks import Answer, Case, Check, File, Kind
from planted.suite import SEED, put, synthetic_cases
from planted.tools import bidsanon

PROFILES = ("bids", "basic")
IN_FULL = ("private", "CSA", "XA", "GE", "charset", "unlisted", "structured", "file", "lying")
IN_FULL += ("malformed", "after the end", "pixels", "persons", "UID", "text/Basilius", "text/kept")
IN_FULL += ("table/explicit",)


def failed(answers: Iterable[Answer]) -> list[str]:
    return [f"{answer.kind}: {answer.place}" for answer in answers if not answer.passed]


def in_the_third(case: Case, file: str) -> bool:
    return crc32(f"{case.name}/{file}".encode(), SEED) % 3 == 0


def fast_cases(profile: str) -> Iterator[Case]:
    """Yield cases with a third of their files; whole where a check asks about several of them."""
    for case in synthetic_cases(profile):
        alone = [check for check in case.checks if isinstance(check, Check)]
        if not case.name.startswith(IN_FULL):
            continue
        if len(alone) < len(case.checks):
            yield case
            continue
        files = {name: held for name, held in case.files.items() if in_the_third(case, name)}
        if files:
            checks = tuple(check for check in alone if check.file in files)
            yield replace(case, files=files, checks=checks)


@pytest.mark.parametrize("profile", PROFILES)
def test_every_planted_value_is_treated_as_the_standard_says(profile: str) -> None:
    answers = put(fast_cases(profile), bidsanon(profile))
    assert len(answers) > 2000
    assert failed(answers) == []


@pytest.mark.slow
@pytest.mark.parametrize("profile", PROFILES)
def test_so_it_is_in_every_encoding_and_at_every_depth(profile: str) -> None:
    answers = put(synthetic_cases(profile), bidsanon(profile))
    assert len(answers) > 14_000
    assert failed(answers) == []


@pytest.mark.slow
@pytest.mark.parametrize("profile", PROFILES)
def test_so_it_is_in_real_files(profile: str, shared_data: Callable[[str], Path]) -> None:
    shared = shared_data("siemens-ve11-epi-mosaic").parent
    answers = put(real_cases(shared, SEED), bidsanon(profile))
    assert len(answers) > 1000
    assert failed(answers) == []


@pytest.mark.slow
def test_a_converter_says_the_same_of_each_series_as_before() -> None:
    answers = put(conversion_cases(), bidsanon("bids"))
    assert len(answers) > 400
    assert failed(answers) == []


def test_the_suite_fails_a_tool_that_does_nothing() -> None:
    answers = put(fast_cases("bids"), dict)
    by_kind = {kind: [a.passed for a in answers if a.kind is kind] for kind in Kind}
    for kind in (Kind.NO_RAW_BYTE_HIT, Kind.UID_CHANGED, Kind.DATE_SHIFTED, Kind.PIXELS_HIDDEN):
        assert not any(by_kind[kind]), kind
    assert not any(by_kind[Kind.TEXT_REMOVED])
    assert all(by_kind[Kind.PIXELS_RETAINED])
    assert all(by_kind[Kind.BLOCK_NUMBER_KEPT])


def test_the_suite_fails_a_tool_that_writes_nothing() -> None:
    cases = [case for case in fast_cases("bids") if not case.may_be_held_back]
    answers = put(cases, dict.fromkeys)
    retaining = {Kind.TAG_RETAINED, Kind.TEXT_RETAINED, Kind.PIXELS_RETAINED, Kind.DATE_SHIFTED}
    assert not [a for a in answers if a.kind in retaining and a.passed]


def test_a_value_is_found_in_whatever_encoding() -> None:
    for encoding in ("utf-8", "latin-1", "utf-16-le", "utf-16-be"):
        assert File("x Grünfelder".encode(encoding)).says("Grünfelder")
    assert not File(b"Gruenfelder").says("Grünfelder")
