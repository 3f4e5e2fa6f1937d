"""Beginnings of forms among voxels: found wherever they stand, in either byte order and case."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bidsanon.validate.residue_prefixes import _BLOCK, LENGTH, PrefixFilter

FORMS = (
    "quillfeather",
    "20230517",
    "2023-05-17",
    "qf-7719-kx",
    "m\u00fcller^j\u00f6rg",
    "aldwyn s",
)
NOISE = {
    "zeros": lambda _: np.zeros(40_000, "u1"),
    "air": lambda random: np.abs(random.normal(45, 15, 20_000)).astype("i2"),
    "tissue": lambda random: random.normal(600, 90, 20_000).astype("i2"),
    "floats": lambda random: random.normal(3, 1, 10_000).astype("f4"),
    "octets": lambda random: random.integers(0, 256, 40_000).astype("u1"),
}


def found(content: bytes, forms: tuple[str, ...] = FORMS) -> set[tuple[int, str]]:
    return {
        (
            beginning.first + start * beginning.step,
            beginning.octets[start : start + LENGTH].tobytes().lower().decode("latin-1"),
        )
        for beginning in PrefixFilter(forms).find(content)
        for start in beginning.starts.tolist()
    }


@pytest.mark.parametrize("noise", NOISE)
@pytest.mark.parametrize("encoding", ["latin-1", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("form", FORMS)
def test_a_form_is_found_in_noise_at_any_place(noise: str, encoding: str, form: str) -> None:
    content = NOISE[noise](np.random.default_rng(3)).tobytes()
    for place in (0, 1, 1001, 1002, len(content) - 40):
        written = form.swapcase() if form.isascii() else form
        planted = written.encode(encoding)
        filled = content[:place] + planted + content[place + len(planted) :]
        first = place + (encoding == "utf-16-be")
        assert (first, form[:LENGTH]) in found(filled)


@pytest.mark.parametrize("noise", NOISE)
def test_noise_holds_no_form(noise: str) -> None:
    assert found(NOISE[noise](np.random.default_rng(4)).tobytes()) == set()


@pytest.mark.parametrize("before", range(-20, 4))
@pytest.mark.parametrize("encoding", ["ascii", "utf-16-le", "utf-16-be"])
def test_a_form_across_blocks_is_found_once(before: int, encoding: str) -> None:
    content = bytearray(2 * _BLOCK)
    planted = FORMS[0].encode(encoding)
    place = _BLOCK + before
    content[place : place + len(planted)] = planted
    beginnings = [
        beginning.first + start * beginning.step
        for beginning in PrefixFilter(FORMS).find(bytes(content))
        for start in beginning.starts.tolist()
    ]
    assert beginnings == [place + (encoding == "utf-16-be")]


@settings(max_examples=80)
@given(
    forms=st.sets(st.text(st.characters(max_codepoint=255), min_size=8, max_size=20), max_size=9),
    content=st.binary(max_size=200),
    place=st.integers(0, 200),
)
def test_no_beginning_is_missed_or_made_up(forms: set[str], content: bytes, place: int) -> None:
    lower = tuple(form.encode("latin-1").lower().decode("latin-1") for form in forms)
    for form in lower:
        filled = content[:place] + form.encode("latin-1") + content[place:]
        at = min(place, len(content))
        assert (at, form[:LENGTH]) in found(filled, lower)
    assert {text for _, text in found(content, lower)} <= {form[:LENGTH] for form in lower}


def test_without_forms_nothing_is_found() -> None:
    assert found(b"Quillfeather", ()) == set()
    assert (
        found(b"Quillfeather", ("short", "\u5c71\u7530\u592a\u90ce\u5c71\u7530\u592a\u90ce"))
        == set()
    )
    assert found(b"", FORMS) == set()
