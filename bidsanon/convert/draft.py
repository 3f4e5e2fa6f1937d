"""Drafts a heuristic from a session, by what another heuristic makes of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from bidsanon.convert import draft_engine, naming
from bidsanon.convert.acquisition import join_series
from bidsanon.convert.draft_text import draft_text, rule_lines
from bidsanon.convert.drafting import Observation, draft_rules
from bidsanon.convert.heuristic import engine_heuristic
from bidsanon.convert.job import Acquisition, Answer, Heuristic, Mode, Request
from bidsanon.convert.plan import ConversionPlan, ask_worker
from bidsanon.files import fresh_folder
from bidsanon.session import DeidentifiedSession


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A drafted heuristic.

    Attributes
    ----------
    text
        The heuristic.
    lines
        Those of its rules: all in it that comes from the session.
    rules
        How many rules it has.
    """

    text: str
    lines: tuple[str, ...]
    rules: int


def draft_heuristic(
    deidentified: DeidentifiedSession,
    plan: ConversionPlan,
    *,
    follows: Heuristic,
    file: str,
    clean: Callable[[str], str],
    work: Path,
) -> Draft:
    """Draft a heuristic that gives a session's series the names of a plan.

    Parameters
    ----------
    deidentified
        The session, with as many files as a plan needs.
    plan
        The names, and what is left out.
    follows
        The heuristic that made the plan, for a subject and no session.
    file
        What the draft's file is to be called.
    clean
        Takes what identifies out of a text that a header holds.
    work
        A private folder to work in.
    """
    fresh_folder(work)
    acquisitions = join_series(deidentified.series, links=work / "joined")
    answer = ask_worker(
        Request(
            mode=Mode.DESCRIBE,
            heuristic=engine_heuristic(Path(draft_engine.__file__)),
            subject="01",
            output=fresh_folder(work / "out"),
            acquisitions=acquisitions,
        ),
        work=work,
    )
    rules = draft_rules(
        tuple(_observations(answer, acquisitions, plan)),
        may_be_shown=lambda word: clean(word) == word,
    )
    lines = rule_lines(rules, notes=tuple(_notes(answer, acquisitions)), clean=clean)
    text = draft_text(
        lines,
        follows=follows.path.read_text(encoding="utf-8"),
        version=version("bidsanon"),
        file=file,
    )
    return Draft(text=text, lines=tuple(lines), rules=len(rules))


def _observations(
    answer: Answer, acquisitions: Sequence[Acquisition], plan: ConversionPlan
) -> Iterator[Observation]:
    """Pair what is seen of each acquisition with what is to become of it, in their order."""
    planned = {one.series_index: one for one in plan.series}
    for one in sorted(answer.seen, key=lambda seen: seen.acquisition):
        series = acquisitions[one.acquisition].series
        decided = planned[series[0]]
        yield Observation(
            series=series,
            seen=draft_engine.Seen(**{**one.seen, "image_type": tuple(one.seen["image_type"])}),
            name=_below_the_session(decided.names[0]) if decided.names else "",
            reason=decided.reason,
        )


def _below_the_session(path: str) -> str:
    """Turn ``sub-01/anat/sub-01_T1w.nii.gz`` into ``anat/T1w``."""
    found = re.fullmatch(r"sub-[^/]*/([a-z]+)/sub-[^_/]*_(.*)", path.removesuffix(naming.IMAGE))
    assert found is not None  # noqa: S101  # the plan is for a subject and no session
    return f"{found[1]}/{found[2]}"


def _notes(answer: Answer, acquisitions: Sequence[Acquisition]) -> Iterator[str]:
    for one in answer.left_out:
        series = ", ".join(map(str, acquisitions[one.acquisition].series))
        yield f"series {series}: left out whatever the rules say ({one.reason})"
