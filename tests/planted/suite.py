"""All cases of the suite, put to a de-identifier and scored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from planted.cases_file import file_cases
from planted.cases_private import private_cases
from planted.cases_table import table_cases
from planted.cases_text import text_cases
from planted.checks import Answer, Case, Cleaned, File, Kind, answers
from planted.table import policy

SEED = 20260401

Tool = Callable[[dict[str, bytes]], dict[str, bytes | None]]
"""A de-identifier: from files by name to de-identified ones; None: held back, or not written."""


@dataclass(frozen=True, kw_only=True)
class Score:
    """How many checks of a kind there were, and how many passed."""

    passed: int
    total: int


def synthetic_cases(profile: str) -> Iterator[Case]:
    """Yield all cases that are made by code, but for whole series.

    Parameters
    ----------
    profile
        "bids" or "basic": what is expected differs.
    """
    chosen = policy(profile)
    yield from table_cases(chosen, SEED)
    yield from private_cases(chosen, SEED + 100)
    yield from text_cases(chosen)
    yield from file_cases(chosen, SEED + 300)


def put(cases: Iterable[Case], tool: Tool) -> list[Answer]:
    """Put cases to a tool, all at once: starting some tools takes longer than their work."""
    there = list(cases)
    files = {
        _name(number, name): content
        for number, case in enumerate(there)
        for name, content in case.files.items()
    }
    after = tool(files)
    given: list[Answer] = []
    for number, case in enumerate(there):
        cleaned = Cleaned(
            before={name: File(content) for name, content in case.files.items()},
            after={
                name: None if (content := after.get(_name(number, name))) is None else File(content)
                for name in case.files
            },
        )
        given += answers(case, cleaned)
    return given


def scores(given: Iterable[Answer]) -> dict[Kind, Score]:
    """Count what passed, kind by kind."""
    listed = list(given)
    totals = Counter(answer.kind for answer in listed)
    passed = Counter(answer.kind for answer in listed if answer.passed)
    return {kind: Score(passed=passed[kind], total=totals[kind]) for kind in Kind if totals[kind]}


def _name(number: int, name: str) -> str:
    return f"{number:04d}-{name}"
