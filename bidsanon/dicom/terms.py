"""The words that headers use to say how an image was acquired, and words as common as these.

A person may be called by one of them (Head, Brain, Bold). The list tells such a word from a name
that stands out.
"""

from __future__ import annotations

import csv
from enum import StrEnum
from functools import cache

from bidsanon.resources import data_path

TABLE = "acquisition_terms.tsv"


class TermKind(StrEnum):
    """How much a word says about the acquisition."""

    SEQUENCE = "sequence"
    """Names a sequence or its part ("bold", "flair"): heuristics go by it."""
    COMMON = "common"
    """Anatomy, orientation, or a word that stands in headers everywhere ("head", "test")."""


@cache
def acquisition_terms() -> dict[str, TermKind]:
    """Read the list: words in lower case."""
    lines = data_path(TABLE).read_text("utf-8").splitlines()
    return {row["term"]: TermKind(row["kind"]) for row in csv.DictReader(lines, delimiter="\t")}


def is_acquisition_term(word: str) -> bool:
    """Tell whether a word, in any case, is on the list."""
    return word.lower() in acquisition_terms()
