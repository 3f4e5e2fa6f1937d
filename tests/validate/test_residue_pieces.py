"""What stands at the end of a piece stands at the beginning of the next."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bidsanon.validate.residue_pieces import OVERLAP, end_of

LONGEST_CHARACTER = 4


@given(st.text("aé漢😀", min_size=OVERLAP, max_size=2 * OVERLAP))
def test_the_end_of_a_text_begins_with_a_whole_character(text: str) -> None:
    end = end_of(text.encode())
    assert text.endswith(end.decode())
    assert OVERLAP <= len(end) < OVERLAP + LONGEST_CHARACTER


@pytest.mark.parametrize("byte", [0x80, 0xAA, 0xBF, 0xC3, 0x00, 0x41])
def test_the_end_stays_short_whatever_the_bytes(byte: int) -> None:
    """What grew with each chunk took half a gigabyte of a line of 150 MB."""
    assert len(end_of(bytes([byte]) * (1 << 20))) < OVERLAP + LONGEST_CHARACTER


@pytest.mark.parametrize("length", [0, 1, OVERLAP - 1, OVERLAP])
def test_of_what_is_short_all_is_its_end(length: int) -> None:
    assert end_of(b"\xaa" * length) == b"\xaa" * length
