"""Finds rules that give a session's series the names that another heuristic gives them.

A rule asks for what a series is called, and besides for as little of its header as tells it apart
from what is named otherwise: never for a series' number or time, so that it holds for the next
person's session too. What matches is :mod:`bidsanon.convert.draft_engine`'s to say, in drafts too.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bidsanon.convert import draft_engine
from bidsanon.convert.draft_engine import Seen

_RUN = re.compile(r"(?<=[_/])run-[^_]*_")
_WHEN_DRAFTED = " (so it was in the session that this was drafted from)"
"""Said where the reason may be that session's alone: a run that was interrupted, say."""
_FAR_APART = 2
"""Counts of images that differ by less may be those of an interrupted run."""


@dataclass(frozen=True, kw_only=True)
class Observation:
    """What is to become of an acquisition, and what the engine sees of it.

    Attributes
    ----------
    series
        The indices of its series.
    seen
        What a rule can ask for.
    name
        What it is to be called below the session's folder, without the labels of the person and
        the session (``func/task-rest_run-2_bold``); empty where it is left out.
    reason
        Why it is left out.
    """

    series: tuple[int, ...]
    seen: Seen
    name: str = ""
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class DraftRule:
    """One rule of a draft.

    Attributes
    ----------
    asked
        The rule as it stands in the draft.
    observations
        What it was drafted from, in the order of acquisition.
    """

    asked: dict[str, Any]
    observations: tuple[Observation, ...]


def draft_rules(
    observations: Sequence[Observation], *, may_be_shown: Callable[[str], bool]
) -> tuple[DraftRule, ...]:
    """Find rules that name a session's acquisitions as they are named already.

    Runs are numbered by the engine. Where it would number otherwise, the rules name each run.

    Parameters
    ----------
    observations
        In the order of acquisition.
    may_be_shown
        Whether a word of an image type may stand in the draft.
    """
    proposed = [one.name for one in observations]
    fixed: set[int] = set()
    while True:
        named = [
            one if place in fixed else replace(one, name=_RUN.sub("", one.name))
            for place, one in enumerate(observations)
        ]
        rules = _rules(named, may_be_shown)
        given = draft_engine.names([rule.asked for rule in rules], [one.seen for one in named])
        wrong = {n for n, (a, b) in enumerate(zip(given, proposed, strict=True)) if a != b}
        if not wrong - fixed:
            return rules
        kinds = {_RUN.sub("", proposed[place]) for place in wrong}
        fixed |= {n for n, name in enumerate(proposed) if _RUN.sub("", name) in kinds}


def _rules(
    observations: Sequence[Observation], may_be_shown: Callable[[str], bool]
) -> tuple[DraftRule, ...]:
    rules: list[DraftRule] = []
    for one in observations:
        asked = _rule_for(one, observations, may_be_shown)
        for place, rule in enumerate(rules):
            if rule.asked == asked:
                rules[place] = replace(rule, observations=(*rule.observations, one))
                break
        else:
            rules.append(DraftRule(asked=asked, observations=(one,)))
    return tuple(rules)


def _rule_for(
    one: Observation, observations: Sequence[Observation], may_be_shown: Callable[[str], bool]
) -> dict[str, Any]:
    """Ask for more and more until nothing that is named otherwise matches."""
    asked: dict[str, Any] = {"bids": one.name} if one.name else {"leave_out": one.reason}
    asked["called"] = one.seen.called
    if not one.seen.called:
        asked |= {key: getattr(one.seen, key) for key in ("echo_ms", "repetition_ms", "size")}
    rivals = _rivals(one, asked, observations)
    while rivals:
        tried = [
            (_rivals(one, more, rivals), more)
            for more in _asking_more(one, asked, rivals, may_be_shown)
        ]
        best = min(tried, key=lambda attempt: len(attempt[0]), default=(rivals, asked))
        if len(best[0]) == len(rivals):
            return asked | {"nth": _place_among_alike(one, asked, observations)}
        rivals, asked = best
    if "leave_out" in asked and {"images_at_least", "images_at_most"} & asked.keys():
        asked["leave_out"] += _WHEN_DRAFTED
    return asked


def _rivals(
    one: Observation, asked: dict[str, Any], observations: Sequence[Observation]
) -> list[Observation]:
    """Return what a rule matches that is named otherwise."""
    (places,) = draft_engine.matching([asked], [other.seen for other in observations])
    matched = [observations[place] for place in places]
    return [other for other in matched if (other.name, other.reason) != (one.name, one.reason)]


def _place_among_alike(
    one: Observation, asked: dict[str, Any], observations: Sequence[Observation]
) -> int:
    (places,) = draft_engine.matching([asked], [other.seen for other in observations])
    return 1 + [observations[place] is one for place in places].index(True)


def _asking_more(
    one: Observation,
    asked: dict[str, Any],
    rivals: Sequence[Observation],
    may_be_shown: Callable[[str], bool],
) -> Iterator[dict[str, Any]]:
    """Yield the rule with one thing more that is asked for, what is most telling first."""
    seen, others = one.seen, [rival.seen for rival in rivals]
    own = [word for word in seen.image_type if may_be_shown(word)]
    foreign = dict.fromkeys(w for o in others for w in o.image_type if w not in seen.image_type)
    for key, words in (("image_type", own), ("image_type_without", filter(may_be_shown, foreign))):
        for word in words:
            yield asked | {key: " ".join([*str(asked.get(key, "")).split(), word])}
    if seen.echo_ms:
        yield asked | {"echo_ms": seen.echo_ms}
    for key in ("phase_encoding", "plane"):
        if getattr(seen, key):
            yield asked | {key: getattr(seen, key)}
    counts = [other.images for other in others]
    if seen.images > _FAR_APART * max(counts):
        yield asked | {"images_at_least": math.isqrt(seen.images * max(counts)) + 1}
    if _FAR_APART * seen.images < min(counts):
        yield asked | {"images_at_most": math.isqrt(seen.images * min(counts))}
    if seen.repetition_ms:
        yield asked | {"repetition_ms": seen.repetition_ms}
    yield asked | {"size": seen.size}
    if seen.images > max(counts):
        yield asked | {"images_at_least": seen.images}
    if seen.images < min(counts):
        yield asked | {"images_at_most": seen.images}
