"""Rules that are drafted: what they ask for, and what the engine below them does with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bidsanon.convert import draft_engine
from bidsanon.convert.draft_engine import Seen
from bidsanon.convert.drafting import Observation, draft_rules

PLAIN = Seen(
    called="ep2d_bold",
    image_type=("ORIGINAL", "PRIMARY", "M"),
    echo_ms=30.0,
    repetition_ms=2000.0,
    images=200,
    phase_encoding="COL+",
    plane="transverse",
    size="64x64",
)
RUN_1, RUN_2 = "func/task-a_run-1_bold", "func/task-a_run-2_bold"


def _observed(*decided: tuple[str, Mapping[str, Any]]) -> list[Observation]:
    """Make observations of a name, or a hyphen and a reason, and of what is unusual."""
    return [
        Observation(
            series=(number,),
            seen=PLAIN._replace(**unusual),
            name="" if name.startswith("-") else name,
            reason=name[2:] if name.startswith("-") else "",
        )
        for number, (name, unusual) in enumerate(decided, start=1)
    ]


def _rules(*decided: tuple[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    observed = _observed(*decided)
    rules = [rule.asked for rule in draft_rules(observed, may_be_shown=lambda w: w != "DOE")]
    assert draft_engine.names(rules, [one.seen for one in observed]) == [o.name for o in observed]
    return rules


def test_what_a_series_is_called_is_enough_where_nothing_else_is_called_so() -> None:
    rules = _rules(("func/task-a_bold", {}), ("- a scout", {"called": "localizer"}))
    assert rules == [
        {"bids": "func/task-a_bold", "called": "ep2d_bold"},
        {"leave_out": "a scout", "called": "localizer"},
    ]


@pytest.mark.parametrize(
    ("unusual", "asked"),
    [
        ({"image_type": ("ORIGINAL", "PRIMARY", "P")}, {"image_type": "P"}),
        ({"image_type": ("ORIGINAL", "PRIMARY", "M", "NORM")}, {"image_type": "NORM"}),
        ({"image_type": ("ORIGINAL", "PRIMARY")}, {"image_type_without": "M"}),
        ({"echo_ms": 60.0}, {"echo_ms": 60.0}),
        ({"phase_encoding": "COL-"}, {"phase_encoding": "COL-"}),
        ({"plane": "sagittal"}, {"plane": "sagittal"}),
        ({"images": 2}, {"images_at_most": 20}),
        ({"images": 20000}, {"images_at_least": 2001}),
        ({"repetition_ms": 800.0}, {"repetition_ms": 800.0}),
        ({"size": "96x96"}, {"size": "96x96"}),
        ({"images": 201}, {"images_at_least": 201}),
        ({"images": 199}, {"images_at_most": 199}),
        ({}, {"nth": 2}),
        ({"image_type": ("ORIGINAL", "PRIMARY", "M", "DOE")}, {"nth": 2}),
        ({"echo_ms": 30.5}, {"nth": 2}),
    ],
)
def test_what_is_called_alike_is_told_apart_by_its_header_and_at_last_by_its_order(
    unusual: Mapping[str, Any], asked: Mapping[str, Any]
) -> None:
    _, second = _rules(("func/task-a_bold", {}), ("func/task-b_bold", unusual))
    assert second == {"bids": "func/task-b_bold", "called": "ep2d_bold", **asked}


def test_as_much_is_asked_for_as_is_needed() -> None:
    _, _, third = _rules(
        ("func/task-a_bold", {"echo_ms": 10.0}),
        ("func/task-b_bold", {"plane": "sagittal"}),
        ("func/task-c_bold", {}),
    )
    assert third.keys() == {"bids", "called", "echo_ms", "plane"}


def test_what_has_no_name_is_known_by_its_timing_and_size() -> None:
    (rule,) = _rules(("anat/T1w", {"called": ""}))
    assert rule == {
        "bids": "anat/T1w",
        "called": "",
        "echo_ms": 30.0,
        "repetition_ms": 2000.0,
        "size": "64x64",
    }


def test_repeats_are_one_rule_and_are_numbered_with_what_belongs_to_them() -> None:
    reference, phase = {"images": 1}, {"image_type": ("ORIGINAL", "PRIMARY", "P")}
    rules = _rules(
        ("func/task-a_run-1_sbref", reference),
        ("func/task-a_run-1_part-mag_bold", {}),
        ("func/task-a_run-1_part-phase_bold", phase),
        ("func/task-a_run-2_sbref", reference),
        ("func/task-a_run-2_part-mag_bold", {}),
        ("func/task-a_run-2_part-phase_bold", phase),
    )
    assert [rule["bids"] for rule in rules] == [
        "func/task-a_sbref",
        "func/task-a_part-mag_bold",
        "func/task-a_part-phase_bold",
    ]


def test_a_reference_begins_a_run_also_where_the_one_before_had_none() -> None:
    _rules(
        (RUN_1, {}),
        ("func/task-a_run-2_sbref", {"images": 1}),
        (RUN_2, {}),
    )


def test_what_the_engine_would_number_otherwise_has_its_run_in_the_rule() -> None:
    rules = _rules(("func/task-a_run-2_bold", {"echo_ms": 60.0}), ("func/task-a_run-1_bold", {}))
    assert [rule["bids"] for rule in rules] == [RUN_2, RUN_1]


def test_a_reason_that_only_a_count_tells_is_said_to_be_that_sessions() -> None:
    first, _ = _rules(("- interrupted", {"images": 20}), ("func/task-a_bold", {}))
    assert first["leave_out"].startswith("interrupted (so it was in the session")


def test_the_rules_hold_for_the_next_persons_session() -> None:
    rules = _rules(
        ("- a scout", {"called": "localizer"}),
        ("func/task-a_bold", {}),
        ("fmap/magnitude", {"called": "gre", "image_type": ("ORIGINAL", "PRIMARY", "M")}),
        ("fmap/phasediff", {"called": "gre", "image_type": ("ORIGINAL", "PRIMARY", "P")}),
    )
    following = [
        PLAIN._replace(called="GRE", image_type=("ORIGINAL", "PRIMARY", "M", "DIS2D")),
        PLAIN._replace(called="GRE", image_type=("ORIGINAL", "PRIMARY", "P", "DIS2D")),
        PLAIN._replace(images=120),
        PLAIN._replace(images=200, echo_ms=30.1),
        PLAIN._replace(called="a new one"),
    ]
    assert draft_engine.names(rules, following) == [
        "fmap/magnitude",
        "fmap/phasediff",
        RUN_1,
        RUN_2,
        "",
    ]


@pytest.mark.parametrize(
    ("asked", "called", "matches"),
    [
        ("ep2d*", "EP2D_bold", True),
        ("ep2d", "ep2d_bold", False),
        ("t2*_gre [x]", "T2*_gre [x]", True),
        ("a.b", "axb", False),
        ("a  b", "a b", True),
        ("*", "", True),
        ("a*b", "a", False),
        ("ab*ba", "aba", False),
        ("*b*d*", "abcde", True),
        ("*d*b*", "abcde", False),
        ("*" * 40 + " t1", "*" * 40 + " t2", False),
        ("a*b*" * 16, "a*b*" * 15 + "a*c*", False),
    ],
)
def test_an_asterisk_stands_for_any_text(asked: str, called: str, matches: bool) -> None:
    found = draft_engine.matching([{"called": asked}], [PLAIN._replace(called=called)])
    assert found == [[0] if matches else []]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"bids": "anat/T1w", "called": "x"}, ""),
        ({"leave_out": "why", "called": "x", "nth": 2}, ""),
        ({"bids": "fmap/dir-AP_epi", "echo_ms": 3}, ""),
        (["anat/T1w"], "write it as"),
        ({"bids": "anat/T1w", "caled": "x"}, "cannot ask for ['caled']"),
        ({"bids": "anat/T1w"}, "asks for nothing"),
        ({"called": "x"}, 'needs "bids"'),
        ({"bids": "anat/T1w", "leave_out": "x", "called": "x"}, 'needs "bids"'),
        ({"bids": "T1w", "called": "x"}, "no name such as"),
        ({"bids": "../anat/T1w", "called": "x"}, "no name such as"),
        ({"bids": "anat/{item}", "called": "x"}, "no name such as"),
        ({"bids": "anat/T1w", "echo_ms": "3"}, "['echo_ms'] is to be a number"),
        ({"bids": "anat/T1w", "called": 3}, "['called'] is to be"),
    ],
)
def test_a_rule_that_is_written_wrong_says_what_is_wrong(rule: object, said: str) -> None:
    found = draft_engine.problem_of(rule)
    assert said in found
    assert bool(found) is bool(said)


NAMES = st.sampled_from(
    ["anat/T1w", "func/task-a_bold", "func/task-a_sbref", "fmap/phasediff", "fmap/magnitude", ""]
)
SEEN = st.builds(
    PLAIN._replace,
    called=st.sampled_from(["a", "b", "", "a*"]),
    image_type=st.lists(st.sampled_from(["M", "P", "NORM", "ND"]), unique=True).map(tuple),
    echo_ms=st.sampled_from([0.0, 3.0, 30.0]),
    images=st.integers(1, 300),
    phase_encoding=st.sampled_from(["", "COL+", "COL-"]),
)


@given(st.lists(st.tuples(NAMES, SEEN), max_size=8))
def test_any_session_is_named_as_was_proposed(session: list[tuple[str, Seen]]) -> None:
    proposed: list[Observation] = []
    for number, (name, seen) in enumerate(session, start=1):
        folder, _, rest = name.partition("/")
        head, _, suffix = rest.rpartition("_")
        run = f"{folder}/{head + '_' if head else ''}run-{number}_{suffix}" if name else ""
        proposed.append(
            Observation(series=(number,), seen=seen, name=run, reason="" if name else "x")
        )
    rules = [rule.asked for rule in draft_rules(proposed, may_be_shown=lambda _: True)]
    assert draft_engine.names(rules, [o.seen for o in proposed]) == [o.name for o in proposed]
