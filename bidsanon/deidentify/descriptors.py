"""How free text is cleaned: what says how it was acquired stays, who, where and when goes.

Two things are cut: what the headers say elsewhere about the person (:mod:`known_values`), and what
has the shape of an identifier (:mod:`shapes`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from bidsanon.deidentify.known_values import known_values
from bidsanon.deidentify.shapes import shape_spans
from bidsanon.deidentify.spans import Span
from bidsanon.dicom.terms import is_in_vocabulary
from bidsanon.identity import ValueKind
from bidsanon.notes import NoteReason

_MOST_ROUNDS = 8
_LONGEST = 1 << 15
_LONGEST_REMEMBERED = 1 << 10
# The digits behind a decimal point are one number with those before it (Canon's b-vectors).
_WORD = re.compile(r"(?<![\w.])\d{1,4}\.\d{1,16}(?!\w|\.\d)|[^\W_]+")
_BEFORE_A_SIGN = re.compile(r"[ \t_.,;:^/|+=&-]*[ ,=](?=-[\d.])")
_SEPARATORS = " \t_-.,;:/^|+=&"
_GAP = re.compile(r"[\s_.,;:^/-]{1,2}")
_EMPTY_BRACKETS = re.compile(r"[\s_]?(?:\(\s*\)|\[\s*\]|<\s*>|\{\s*\})")


@dataclass(frozen=True, kw_only=True)
class CleanedText:
    """A text without what identifies, and what was cut.

    Attributes
    ----------
    text
        What is left.
    cut
        The pieces that were cut, in their order. Identified: for the harvest only.
    reasons
        Why: one for each thing that was found. Several found side by side are one piece.
    """

    text: str
    cut: tuple[str, ...] = ()
    reasons: tuple[NoteReason, ...] = ()


def clean_descriptor(
    text: str,
    known: frozenset[tuple[ValueKind, str]],
    *,
    by_shape: bool = True,
    vocabulary: frozenset[str] | None = None,
) -> CleanedText:
    """Cut from a free text what identifies; one of which nothing is cut stays as it is.

    Cleaning a cleaned text changes nothing more. A text of more than 32,768 characters is no
    description: it is cut whole.

    Parameters
    ----------
    text
        A description or comment, decoded.
    known
        What the headers say about the person, as
        :func:`~bidsanon.deidentify.known_values.searched_values` gives it.
    by_shape
        Whether what has the shape of an identifier is cut as well, whoever it belongs to.
    vocabulary
        A lab's own words, in lower case: every word that is neither one of them nor in the
        vocabulary (:func:`~bidsanon.dicom.terms.is_in_vocabulary`) is cut as well. None: words
        need not be in it.
    """
    if len(text) > _LONGEST:
        return CleanedText(text="", cut=(text,), reasons=(NoteReason.TOO_LONG,))
    clean = _clean_once if len(text) <= _LONGEST_REMEMBERED else _clean
    return clean(text, known, by_shape=by_shape, vocabulary=vocabulary)


def _clean(
    text: str,
    known: frozenset[tuple[ValueKind, str]],
    *,
    by_shape: bool,
    vocabulary: frozenset[str] | None,
) -> CleanedText:
    finder = known_values(known)
    cut: list[str] = []
    reasons: list[NoteReason] = []
    for _ in range(_MOST_ROUNDS):
        found = [*finder.spans(text), *(shape_spans(text) if by_shape else ())]
        if vocabulary is not None:
            found += _spans_of_strange_words(text, vocabulary)
        spans, found_for = _merged(text, found)
        if not spans:
            return CleanedText(text=text, cut=tuple(cut), reasons=tuple(reasons))
        cut += [text[span.start : span.end] for span in spans]
        reasons += found_for
        text = _without(text, spans)
    return CleanedText(text="", cut=(*cut, text), reasons=(*reasons, NoteReason.TEXT))


_clean_once = lru_cache(maxsize=4096)(_clean)


def _spans_of_strange_words(text: str, own: frozenset[str]) -> Iterator[Span]:
    """Yield where words stand that neither the vocabulary nor the lab's own list has."""
    for word in _WORD.finditer(text):
        if "." not in word[0] and not is_in_vocabulary(word[0], own):
            yield Span(*word.span(), NoteReason.NOT_IN_VOCABULARY)


def _merged(text: str, spans: Iterable[Span]) -> tuple[list[Span], list[NoteReason]]:
    """Join spans that overlap, or that only a separator parts, and say what was found.

    Of spans that overlap the first one's reason stands.
    """
    merged: list[Span] = []
    reasons: list[NoteReason] = []
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        last = merged[-1] if merged else None
        if last is None or span.start >= last.end:
            reasons.append(span.reason)
        if last and (span.start <= last.end or _GAP.fullmatch(text, last.end, span.start)):
            merged[-1] = last._replace(end=max(last.end, span.end))
        else:
            merged.append(span)
    return merged, reasons


def _without(text: str, spans: Iterable[Span]) -> str:
    """Take the spans out; where two separators meet, the left one stays."""
    left, position = "", 0
    for span in spans:
        between = text[position : span.start]
        left = _joined(left, between) if position else between
        position = span.end
    rest = _joined(left, text[position:])
    return _EMPTY_BRACKETS.sub("", rest).strip(_SEPARATORS)


def _joined(left: str, right: str) -> str:
    if not left or not right:
        return left or right
    if left[-1] in _SEPARATORS:
        signed = _BEFORE_A_SIGN.match(right)
        return left + (right[signed.end() :] if signed else right.lstrip(_SEPARATORS))
    if left[-1].isalnum() and right[0].isalnum():
        return f"{left} {right}"
    return left + right
