"""Names of people in plain words (``Mara Doe``; ``Doe, Mara``), by given names that many have.

A text about an experiment is full of capitals. So a name begins with a given name of the list, and
what stands beside it is no word of acquisitions, of tests, of illnesses or of places.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from bidsanon.bids.identifying import is_given_name, is_usual_name
from bidsanon.dicom.terms import is_in_vocabulary

_CAPITAL = re.compile(
    r"(?<![^\W_])[A-ZÀ-Þ](?:[^\W\d_]+(?:-[A-ZÀ-Þ][^\W\d_]+)*(?![^\W_])|\.(?= [A-ZÀ-Þ]))"
)
_WORD = re.compile(r"[^\W\d_]+")
_LETTERS_ALONE = re.compile(r"[^\W\d_]+(?: [^\W\d_]+){1,2}")
_SPACE, _COMMAS = " ", frozenset({", ", ","})
_LONGEST = 1 << 16
_MOST_WORDS = 4
_NO_NAMES = frozenset(
    (
        *("adult", "adults", "university", "hospital", "clinic", "college", "institute", "center"),
        *("centre", "street", "task", "test", "scale", "effect", "syndrome", "disease", "index"),
        *("inventory", "questionnaire", "score", "cross", "healthy", "control", "controls"),
        *("medical", "siemens", "philips", "north", "south", "east", "west", "hall", "school"),
    )
)
"""Words beside a name that make it one of a place, a test or an illness, or of nobody."""


def names_in_words(text: str) -> tuple[tuple[int, int], ...]:
    """Return where names stand in a text: their beginnings and ends."""
    if _SPACE not in text and "," not in text:
        return ()
    return _names_in_words(text[:_LONGEST])


def without_names_in_words(text: str) -> str:
    """Return a text without the names in it."""
    while spans := names_in_words(text):
        for begin, end in reversed(spans):
            before, behind = text[:begin].rstrip(" "), text[end:]
            text = before + (behind if before else behind.lstrip(" ,;:"))
    return text


def is_surely_person(text: str) -> bool:
    """Tell a whole text of which each word is a name that many people have, a given one too."""
    words = _WORD.findall(text) if names_in_words(text) == ((0, len(text)),) else []
    return bool(words) and all(map(is_usual_name, words))


@lru_cache(maxsize=1 << 14)
def _names_in_words(text: str) -> tuple[tuple[int, int], ...]:
    if _LETTERS_ALONE.fullmatch(text) and text.islower():
        words = text.split()
        named = is_given_name(words[0]) and all(map(is_usual_name, words))
        return ((0, len(text)),) if named else ()
    return tuple(_spans(text))


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield runs of capitalised words that are a name."""
    run: list[re.Match[str]] = []
    for word in _CAPITAL.finditer(text):
        if run and text[run[-1].end() : word.start()] not in {_SPACE, *_COMMAS}:
            yield from _name_in(text, run)
            run = []
        run.append(word)
    yield from _name_in(text, run)


def _name_in(text: str, run: list[re.Match[str]]) -> Iterator[tuple[int, int]]:
    """Yield the names in words that follow each other."""
    at = 0
    while at + 1 < len(run):
        length = _length_of_name(text, run[at : at + _MOST_WORDS])
        if length:
            yield run[at].start(), run[at + length - 1].end()
        at += length or 1


def _length_of_name(text: str, words: list[re.Match[str]]) -> int:
    """Return how many words from the first on are a name; 0: they begin none."""
    first, second = words[0][0], words[1][0]
    if text[words[0].end() : words[1].start()] in _COMMAS:
        whole = (words[0].start(), words[1].end()) == (0, len(text))
        family = is_usual_name(first) or (whole and _may_be_name(first))
        return 2 if family and is_given_name(second.partition("-")[0]) else 0
    if _is_initial(first) or not _is_given(first) or not _may_be_name(second):
        return 0
    length = 2
    while length < len(words) and text[words[length - 1].end() : words[length].start()] == _SPACE:
        following, last = words[length][0], words[length - 1][0]
        if following.lower() in _NO_NAMES:
            return 0
        if not (_may_be_name(following) and (_is_given(last) or is_usual_name(following))):
            break
        length += 1
    return 0 if _is_initial(words[length - 1][0]) else length


def _is_given(word: str) -> bool:
    """Tell a given name, also one of two, or the first letter of one."""
    return _is_initial(word) or is_given_name(word.partition("-")[0])


def _is_initial(word: str) -> bool:
    return word.endswith(".")


def _may_be_name(word: str) -> bool:
    if _is_initial(word) or is_usual_name(word):
        return True
    return not (word.lower() in _NO_NAMES or is_in_vocabulary(word))
