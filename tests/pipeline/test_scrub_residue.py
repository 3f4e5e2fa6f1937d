"""What scrub leaves of a text, the residue search finds nothing in, and no more than that goes."""

from __future__ import annotations

import csv
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from bidsanon.identity import IdentifyingValue, ValueKind
from bidsanon.pipeline.scrub_residue import is_figure, is_number, without_residue
from bidsanon.validate.residue import residue_in_texts

PLANTED = Path(__file__).parents[1] / "validate" / "planted_forms.tsv"
IN_TEXT = {"text", "json"}


def planted() -> list[dict[str, str]]:
    lines = PLANTED.read_text("utf-8").splitlines()
    rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    return [row for row in rows if row["how"] in IN_TEXT]


def test_nothing_is_left_of_any_planted_form_and_the_rest_stays() -> None:
    rows = planted()
    assert len(rows) > 100
    for row in rows:
        holds = finder(row["kind"], row["value"])
        left = without_residue(f"shown {row['written']} twice", holds)
        assert not holds(left), row
        assert not left or (left.startswith("shown") and left.endswith("twice")), row


@cache
def finder(kind: str, text: str) -> Callable[[str], bool]:
    value = IdentifyingValue(kind=ValueKind(kind), text=text, origin="x")
    return residue_in_texts([value], allowed=(), descriptors=())


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a b c", "a b c"),
        ("a  X b", "a  b"),
        ("X", ""),
        ("a Y Z b", "a b"),
        ("a Y\tZ", "a"),
        ("Z Y", "Z Y"),
        ("", ""),
        ("X " + "a " * 300, ""),
    ],
)
def test_as_few_words_go_as_hold_something(text: str, left: str) -> None:
    def holds(some: str) -> bool:
        words = some.split()
        return "X" in words or ("Y", "Z") in pairwise(words)

    assert without_residue(text, holds) == left


@pytest.mark.parametrize(
    ("text", "number", "figure"),
    [
        ("143752", True, True),
        ("-0.25", True, True),
        ("1.5e-05", True, True),
        (".5", True, True),
        ("0", True, True),
        ("0048213", True, False),
        ("20240917", True, False),
        ("20240917.5", True, False),
        ("1.2.3", False, False),
        ("90-81", False, False),
        ("n/a", False, False),
        ("\N{ARABIC-INDIC DIGIT ONE}", False, False),
    ],
)
def test_numbers_that_may_be_measured_are_told(text: str, number: bool, figure: bool) -> None:
    assert (is_number(text), is_figure(text)) == (number, figure)
