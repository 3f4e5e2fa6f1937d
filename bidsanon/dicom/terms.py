"""The words that headers use to say how an image was acquired, and words as common as these.

A person may be called by one of them (Head, Brain, Bold). The list tells such a word from a name
that stands out.
"""

from __future__ import annotations

import csv
import re
from enum import StrEnum
from functools import cache, lru_cache

from bidsanon.resources import data_path

TABLE = "acquisition_terms.tsv"
VOCABULARY = "vocabulary_words.tsv"

_PARTS = re.compile(r"[0-9]+|[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_LONGEST_NUMBER = 4


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


@lru_cache(maxsize=4096)
def is_in_vocabulary(word: str, own: frozenset[str] = frozenset()) -> bool:
    """Tell whether a word may stay where only words of the vocabulary do.

    It is an acquisition term, a short word of a protocol ("AP", "mm", "SoS"), a short number, or
    made of such parts ("3mm", "b1000", "HeadNeck").

    Parameters
    ----------
    word
        Letters and digits.
    own
        Words that are in the vocabulary besides, in lower case.
    """
    if _is_listed(word, own):
        return True
    parts = _PARTS.findall(word)
    return "".join(parts) == word and all(
        len(part) <= _LONGEST_NUMBER if part.isdecimal() else _is_listed(part, own)
        for part in parts
    )


def _is_listed(word: str, own: frozenset[str]) -> bool:
    return is_acquisition_term(word) or word.lower() in _vocabulary() or word.lower() in own


@cache
def _vocabulary() -> frozenset[str]:
    """Read the words that are no term of an acquisition and identify nobody."""
    lines = data_path(VOCABULARY).read_text("utf-8").splitlines()
    return frozenset(row["word"] for row in csv.DictReader(lines, delimiter="\t"))
