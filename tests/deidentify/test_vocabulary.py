"""Descriptions of which only the words of a list stay."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread

from bidsanon.deidentify import deidentify_instance
from bidsanon.deidentify.descriptors import CleanedText, clean_descriptor
from bidsanon.notes import NoteReason
from bidsanon.profile import Profile
from bidsanon.vault import PersonPlan


def cleaned(text: str, *own: str) -> CleanedText:
    return clean_descriptor(text, frozenset(), vocabulary=frozenset(own))


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("t1_mprage_sag_p2_iso", "t1_mprage_sag_p2_iso"),
        ("T1w MPRAGE Miller 3mm", "T1w MPRAGE 3mm"),
        ("ep2d_diff_b1000_64dir", "ep2d_diff_b1000_64dir"),
        ("b=1000(0.7,0.3,-0.1)", "b=1000(0.7,0.3,-0.1)"),
        ("b=1000(0.70710677, 0.0, -0.70710677)", "b=1000(0.70710677, 0.0, -0.70710677)"),
        ("bold 0.70710677.1", "bold 0.1"),
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


def test_a_labs_own_words_stay_alone_and_in_compounds() -> None:
    assert cleaned("bold_ourtask_Miller").text == "bold"
    assert cleaned("bold_OurTask_Miller", "ourtask").text == "bold_OurTask"
    assert cleaned("ourtask2_run1", "ourtask").text == "ourtask2_run1"


def test_the_profile_says_which_words_a_lab_adds(
    bids: Profile, plan: PersonPlan, written: Callable[..., bytes]
) -> None:
    content = written(SeriesDescription="bold ourtask Miller")
    left = {}
    for words in (frozenset[str](), frozenset({"ourtask"})):
        profile = replace(bids, vocabulary=True, words=words)
        instance = deidentify_instance(content, profile=profile, plan=plan)
        left[words] = dcmread(io.BytesIO(instance.content)).SeriesDescription
        notes = [note.reason for note in instance.notes if note.place == "(0008,103E)"]
        assert NoteReason.NOT_IN_VOCABULARY in notes
    assert list(left.values()) == ["bold", "bold ourtask"]


def test_what_a_cut_leaves_is_looked_at_again() -> None:
    assert cleaned("18 Miller 09 2018 T1").text == "T1"


def test_a_sign_stays_with_its_number() -> None:
    assert cleaned("b=1000(0.7,Miller,-0.3)").text == "b=1000(0.7,-0.3)"


PIECES = st.sampled_from(
    ["Miller", "T1", "bold", "18", "09", "2018", "-0.3", ".", ",", " ", "_", "(", ")", "=", "b"]
)


@given(st.lists(PIECES, max_size=10).map("".join))
def test_cleaning_pieces_of_protocols_twice_changes_nothing_more(text: str) -> None:
    once = cleaned(text)
    assert cleaned(once.text) == CleanedText(text=once.text)
    assert "Miller" not in once.text
