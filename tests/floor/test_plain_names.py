"""Names in plain words are found in texts, and words that only look like them are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from processor_time import within_cpu_seconds

from bidsanon.plain_names import is_surely_person, names_in_words, without_names_in_words

FOUND = [
    ("Anna Schmidt", ""),
    ("Schmidt, Anna", ""),
    ("Quillfeather, Anna", ""),
    ("ANNA QUILLFEATHER", ""),
    ("anna schmidt", ""),
    ("Anna-Lena Meier", ""),
    ("Anna Maria Quillfeather", ""),
    ("Anna M. Quillfeather", ""),
    ("seen with Anna Schmidt on a Monday", "seen with on a Monday"),
    ("Peter Schmidt, Anna Jones and a dog", "and a dog"),
]
NONE = [
    *("Anna", "Healthy Control", "Young Adult", "Simon Task", "San Diego", "Charlotte Hospital"),
    *("Thomas Hospital", "Martin Luther University", "Paul Scherrer Institute", "Grant Amplifier"),
    *("Beck Depression Inventory", "Left Hand", "E. Coli", "Siemens Trio", "monday, anna came"),
    *("Anna Bold", "", " ", "Anna  ", "1 2 3"),
]


@pytest.mark.parametrize(("text", "left"), FOUND)
def test_a_name_is_found_and_taken_out(text: str, left: str) -> None:
    assert names_in_words(text)
    assert without_names_in_words(text) == left


@pytest.mark.parametrize("text", NONE)
def test_what_names_nobody_stays(text: str) -> None:
    assert names_in_words(text) == ()
    assert without_names_in_words(text) == text


@pytest.mark.parametrize(
    ("text", "sure"),
    [
        ("Peter Schmidt", True),
        ("Schmidt, Peter", True),
        ("Peter Quillfeather", False),
        ("x", False),
    ],
)
def test_a_text_is_surely_a_person_where_each_word_is_a_usual_name(text: str, sure: bool) -> None:
    assert is_surely_person(text) is sure


WORDS = st.sampled_from(["Anna", "Schmidt", "Quillfeather", "M.", "seen", "Task", "with", "Peter"])


@given(st.lists(st.tuples(WORDS, st.sampled_from([" ", ", ", "; ", "  "])), max_size=12))
def test_taking_names_out_twice_changes_nothing_more_of_a_text_that_holds_none(
    parts: list[tuple[str, str]],
) -> None:
    text = "".join(word + behind for word, behind in parts)
    left = without_names_in_words(text)
    assert without_names_in_words(left) == left
    assert bool(names_in_words(text)) == (left != text)


@pytest.mark.parametrize(
    "text", ["Anna " * 20_000, "A" * 100_000, "Anna, " * 20_000, "a " * 50_000]
)
def test_no_text_keeps_the_search_for_long(text: str) -> None:
    with within_cpu_seconds(15):
        names_in_words(text)
