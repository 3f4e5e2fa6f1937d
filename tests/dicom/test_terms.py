"""The words that acquisitions are described with."""

from __future__ import annotations

from bidsanon.dicom.terms import TABLE, TermKind, acquisition_terms, is_acquisition_term
from bidsanon.resources import data_path


def test_terms_are_in_lower_case_and_each_stands_once() -> None:
    lines = data_path(TABLE).read_text("utf-8").splitlines()[1:]
    terms = [line.split("\t")[0] for line in lines]
    assert len(terms) == len(set(terms)) == len(acquisition_terms())
    assert all(term == term.lower().strip() for term in terms)


def test_sequence_words_are_told_from_common_ones() -> None:
    assert acquisition_terms()["bold"] is TermKind.SEQUENCE
    assert acquisition_terms()["head"] is TermKind.COMMON
    assert is_acquisition_term("BrainStem")
    assert not is_acquisition_term("Smith")
