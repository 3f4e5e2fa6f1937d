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
    """Yield all cases that are made by code.

    Parameters
    ----------
    profile
        "bids" or "basic": what is expected differs.
    """
    chosen = policy(profile)
    yield from table_cases(chosen, SEED)
    yield from private_cases(chosen, SEED + 100)
    yield from text_cases(chosen, SEED + 200)
    yield from file_cases(chosen, SEED + 300)


def put(case: Case, tool: Tool) -> list[Answer]:
    """Put a case to a tool."""
    after = tool(case.files)
    cleaned = Cleaned(
        before={name: File(content) for name, content in case.files.items()},
        after={
            name: None if (content := after.get(name)) is None else File(content)
            for name in case.files
        },
    )
    return answers(case, cleaned)


def scores(given: Iterable[Answer]) -> dict[Kind, Score]:
    """Count what passed, kind by kind."""
    listed = list(given)
    totals = Counter(answer.kind for answer in listed)
    passed = Counter(answer.kind for answer in listed if answer.passed)
    return {kind: Score(passed=passed[kind], total=totals[kind]) for kind in Kind if totals[kind]}
