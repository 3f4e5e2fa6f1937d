"""Drafted rules: they name a session as ``auto`` does, and the next person's session too."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest
from heudiconv.utils import SeqInfo
from protocols import protocols, wrapped

from bidsanon.convert import draft_engine, resolve_heuristic
from bidsanon.convert.drafting import DraftRule, Observation, draft_rules
from bidsanon.convert.loading import load_heuristic

RUN = re.compile(r"run-\d+_")


class Series(NamedTuple):
    """What ``auto`` and the engine of drafts see of a series."""

    facts: object
    seen: draft_engine.Seen


@pytest.fixture(scope="module", name="auto")
def _auto() -> ModuleType:
    return load_heuristic(resolve_heuristic("auto"), timeout_s=60)


def _session(auto: ModuleType, session: str, folder: Path) -> list[Series]:
    found = []
    for number, row in enumerate(protocols()[session]):
        headers = wrapped(row, folder / str(number))
        found.append(Series(auto.custom_seqinfo(*headers), draft_engine.custom_seqinfo(*headers)))
    return found


def _observe(auto: ModuleType, session: Sequence[Series]) -> list[Observation]:
    empty = dict.fromkeys(SeqInfo._fields)
    infos = [
        SeqInfo(**empty | {"custom": one.facts, "series_id": f"{number}-x"})
        for number, one in enumerate(session, start=1)
    ]
    templates = {ids[0]: key[0] for key, ids in auto.infotodict(infos).items()}
    reasons = auto.why_skipped(infos)
    prefix = "{bids_subject_session_prefix}_"
    return [
        Observation(
            series=(number,),
            seen=one.seen,
            name=templates.get(info.series_id, "").partition("/")[2].replace(prefix, ""),
            reason=reasons.get(info.series_id, ""),
        )
        for number, (info, one) in enumerate(zip(infos, session, strict=True), start=1)
    ]


def _draft(observations: Sequence[Observation]) -> tuple[DraftRule, ...]:
    return draft_rules(observations, may_be_shown=lambda _: True)


def _named(rules: Sequence[DraftRule], observations: Sequence[Observation]) -> list[str]:
    return draft_engine.names([rule.asked for rule in rules], [one.seen for one in observations])


def _match_nothing_else(rules: Sequence[DraftRule], observed: Sequence[Observation]) -> None:
    """See that each rule matches what it was drafted from, and nothing that is named otherwise."""
    matched = draft_engine.matching([rule.asked for rule in rules], [one.seen for one in observed])
    for rule, places in zip(rules, matched, strict=True):
        found = [observed[place] for place in places]
        assert {one.series for one in found} >= {one.series for one in rule.observations}
        assert len({(RUN.sub("", one.name), one.reason) for one in found}) == 1
        assert draft_engine.problem_of(rule.asked) == ""


@pytest.mark.parametrize("session", protocols())
def test_a_session_is_named_as_auto_names_it_and_so_are_repeats_in_the_next(
    auto: ModuleType, tmp_path: Path, session: str
) -> None:
    first = _session(auto, session, tmp_path)
    observed = _observe(auto, first)
    rules = _draft(observed)
    names = [one.name for one in observed]
    assert _named(rules, observed) == names
    assert not any(RUN.search(rule.asked.get("bids", "")) for rule in rules)
    assert not any("nth" in rule.asked for rule in rules)
    _match_nothing_else(rules, observed)

    alike = 0
    for place in range(len(first)):
        following = _observe(auto, [*first[: place + 1], first[place], *first[place + 1 :]])
        proposed = [one.name for one in following]
        repeated = [*names[: place + 1], names[place], *names[place + 1 :]]
        if [RUN.sub("", one) for one in proposed] == [RUN.sub("", one) for one in repeated]:
            assert _named(rules, following) == proposed
            alike += 1
    assert alike > len(first) / 2
