"""Names as DICOM writes them: what is one, and what stays of a text without it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from processor_time import within_cpu_seconds

from bidsanon.dicom_names import holds_name, without_dicom_names


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("rest Doe^Mara", "rest"),
        ("call Doe^Mara at noon", "call at noon"),
        ("Doe^^Mara head", "head"),
        ("DOE^MARA", ""),
        ("Doe^Mara^Ann^Dr.", ""),
        ("Doe^Mara^brain", "^brain"),
        ("Quill Doe^Mara Anna rest", "rest"),
        ("Anna-Smith-Doe^Mara-Lise rest", "rest"),
        ("rest, Doe^Mara; Roe^Albert", "rest"),
        ("Doe^Mara_bold", "bold"),
    ],
)
def test_a_name_goes_with_all_that_belongs_to_it(text: str, left: str) -> None:
    assert holds_name(text)
    assert without_dicom_names(text) == left


def test_many_names_go_at_once() -> None:
    with within_cpu_seconds(5):
        assert without_dicom_names("rest Doe^Mara\n" * 100_000) == "rest\n" * 100_000


@pytest.mark.parametrize(
    "text",
    [
        *("fMRI^rest", "fMRI^Rest", "head^brain", "T2^star", "T2^Star", "STUDIES^FUNCTIONAL"),
        *("10^3/uL", "a^b", "mm^-1", "Brain^Head_routine", "USER^INVESTIGATORS", "x ^ y", ""),
    ],
)
def test_formulas_units_and_protocols_stay(text: str) -> None:
    assert not holds_name(text)
    assert without_dicom_names(text) == text


_PIECES = st.sampled_from(
    ["Doe", "Mara", "rest", "T2", "Anna", "doe", "Öst", "^", "^^", " ", "-", "'", ",", "_", "9"]
)


@given(st.lists(_PIECES, max_size=12).map("".join))
def test_what_is_called_a_name_can_be_taken_out(text: str) -> None:
    left = without_dicom_names(text)
    assert not holds_name(left)
    assert holds_name(text) or left == text
