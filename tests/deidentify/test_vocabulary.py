from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bidsanon.deidentify.descriptors import CleanedText, clean_descriptor, keep_vocabulary
from bidsanon.session import NoteReason


def cleaned(text: str) -> CleanedText:
    return keep_vocabulary(clean_descriptor(text, frozenset()))


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("t1_mprage_sag_p2_iso", "t1_mprage_sag_p2_iso"),
        ("T1w MPRAGE Miller 3mm", "T1w MPRAGE 3mm"),
        ("ep2d_diff_b1000_64dir", "ep2d_diff_b1000_64dir"),
        ("b=1000(0.7,0.3,-0.1)", "b=1000(0.7,0.3,-0.1)"),
        ("HeadNeck_64", "HeadNeck_64"),
        ("%SiemensSeq%_ep2d_bold", "%SiemensSeq%_ep2d_bold"),
        ("HeadMiller_64", "64"),
        ("Miller", ""),
        ("12345678 bold", "bold"),
    ],
)
def test_only_words_of_the_list_and_short_numbers_stay(text: str, left: str) -> None:
    assert cleaned(text).text == left


def test_what_the_list_lacks_is_cut_with_its_reason() -> None:
    result = cleaned("bold Miller")
    assert result.cut == ("Miller",)
    assert result.reasons == (NoteReason.NOT_IN_VOCABULARY,)


@given(st.text(max_size=60))
def test_cleaning_by_the_vocabulary_twice_changes_nothing_more(text: str) -> None:
    once = cleaned(text).text
    assert cleaned(once).text == once
