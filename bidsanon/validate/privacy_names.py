"""Names of people within texts: as DICOM writes them (``Family^Given``), and in plain words.

Plain words that are all of a value count where one of them is a name that many people have: a text
about an experiment is full of capitals.
"""

from __future__ import annotations

import re
from functools import lru_cache

from bidsanon.bids.identifying import is_given_name, is_usual_name, names_person
from bidsanon.bids.written import written_names
from bidsanon.dicom.terms import is_acquisition_term, is_in_vocabulary

_BETWEEN = re.compile(r"[\^ '-]+")
_WORDS = re.compile(r"[^\W\d_]+")
_LONGEST_NAME = 64
_NO_NAMES = frozenset(
    (
        *("adult", "adults", "university", "hospital", "clinic", "college", "institute", "center"),
        *("centre", "street", "task", "test", "scale", "effect", "syndrome", "disease", "index"),
        *("inventory", "questionnaire", "score", "cross", "healthy", "control", "controls"),
    )
)
"""Words beside a name that make it one of a place, a test or an illness, or of nobody."""


def holds_name(text: str) -> bool:
    """Tell whether a name stands in a text; scanners write "Brain^Head" of a body's region."""
    return any(
        not any(map(is_acquisition_term, _BETWEEN.split(name))) for name in written_names(text)
    )


def may_be_person(text: str) -> bool:
    """Tell a whole text that may be a name in plain words: ``Mara Doe`` or ``Doe, Mara``."""
    return " " in text and len(text) <= _LONGEST_NAME and _may_be_person(text)


def is_surely_person(text: str) -> bool:
    """Tell a whole text of which each word is a name that many people have."""
    return may_be_person(text) and all(map(is_usual_name, _WORDS.findall(text)))


@lru_cache(maxsize=1 << 14)
def _may_be_person(text: str) -> bool:
    words = _WORDS.findall(text)
    if not names_person(text) or any(map(_is_no_name, words)):
        return False
    given = words[-1] if "," in text else words[0]
    return is_given_name(given) or all(map(is_usual_name, words))


def _is_no_name(word: str) -> bool:
    return word.lower() in _NO_NAMES or (is_in_vocabulary(word) and not is_usual_name(word))
