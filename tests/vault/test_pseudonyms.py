"""Pseudonyms: their form, and who can tell one from another text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bidsanon.vault.pseudonyms import PseudonymForm, is_pseudonym, make_pseudonym

KEY, OTHER = bytes(range(32)), bytes(32)
forms = st.sampled_from(PseudonymForm)
texts = st.text(min_size=1)


@given(text=texts, form=forms)
def test_a_pseudonym_has_its_form_and_hides_its_original(text: str, form: PseudonymForm) -> None:
    pseudonym = make_pseudonym("device", text, key=KEY, form=form)
    assert re.fullmatch(rf"anon-[a-z2-7]{{{sum(form.value)}}}", pseudonym)
    assert pseudonym != make_pseudonym("device", text, key=OTHER, form=form)
    assert pseudonym != make_pseudonym("place", text, key=KEY, form=form)


@given(text=texts, form=forms)
def test_a_pseudonym_gets_no_pseudonym(text: str, form: PseudonymForm) -> None:
    once = make_pseudonym("device", text, key=KEY, form=form)
    assert make_pseudonym("device", once, key=KEY, form=form) == once


@given(text=texts, form=forms)
def test_a_pseudonym_is_known_with_its_key_and_kind_alone(text: str, form: PseudonymForm) -> None:
    pseudonym = make_pseudonym("device", text, key=KEY, form=form)
    assert is_pseudonym(pseudonym, "device", key=KEY, form=form)
    assert not is_pseudonym(pseudonym, "device", key=OTHER, form=form)
    assert not is_pseudonym(pseudonym, "place", key=KEY, form=form)
    assert not is_pseudonym(text, "device", key=KEY, form=form)


@pytest.mark.parametrize(
    "text", ["anon-abcdefghijk", "anon-", "anon-ABCDEFGHIJK", "nona-abcdefghijk"]
)
def test_what_only_looks_like_a_pseudonym_gets_one(text: str) -> None:
    assert make_pseudonym("device", text, key=KEY, form=PseudonymForm.SHORT) != text


def test_the_short_form_fits_what_holds_sixteen_characters() -> None:
    assert len(make_pseudonym("device", "35135", key=KEY, form=PseudonymForm.SHORT)) == 16
