"""In which written forms an identifying value is searched for, and which values are not.

A form is text as :func:`~bidsanon.validate.residue_text.canonical` writes it, with a rule that
says what may stand beside it. What is left out as too short or too common is said, never dropped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import permutations

from bidsanon.identity import IdentifyingValue, ValueKind
from bidsanon.validate.residue_calendar import day_forms, time_forms
from bidsanon.validate.residue_numbers import (
    JOINTS,
    SHORTEST_NUMBER,
    SHORTEST_NUMBER_INSIDE,
    TOKENS,
    add_as_typed,
    add_number,
)
from bidsanon.validate.residue_rules import Forms, IgnoredBecause, Rule
from bidsanon.validate.residue_text import canonical, encodings, spellings
from bidsanon.validate.residue_words import is_common

UID_IN_NAME = re.compile(r"\d+(?:\.\d+){4,}", re.ASCII)
"""A UID in the name of a file or folder: five numbers and more, so that no version is one."""
SHORTEST_UID, SHORTEST_UID_END = 10, 12
"""How many characters a UID must have to be searched for, and its last number alone."""
_WORDS = re.compile(r"[^\W\d_]+")
_NAME_PARTS = re.compile(r"[^\s^,;=()/_.]+")
_SUFFIXES = re.compile(r"\.(?:dcm|ima|dicom|img|gz|zip|tar|tgz|xz|zst|txt|mrdc)(?=\.|$)")
_IDEOGRAPHS = "\u2e80"
_NAME_JOINTS = (*JOINTS, ",", ", ", "^", "+", "=", ";", "; ", ". ")
_INITIAL_JOINTS = ("", ".", "_", "-", " ", ". ", ", ")
_PARTICLES = frozenset(
    (
        *("von", "van", "der", "den", "dem", "del", "della", "dos", "das", "des", "bin", "ibn"),
        *("abu", "the", "and", "jun", "sen", "jnr", "snr", "med", "phd", "dipl", "ing", "esq"),
        "prof",
    )
)

_SHORTEST_WORD = 3
_SHORTEST_CODE = 4
_SHORTEST_WORD_OF_PLACE = 5
_MOST_NAME_PARTS = 6
_MOST_TOKENS = 8
_LONGEST_WHOLE = 160
_PIECE_OVER = 24
_PIECE = 20
_SHORTEST_PIECE = 16
_MOST_PIECES = 60


def forms_of(value: IdentifyingValue) -> Forms:
    """Return the written forms of a value."""
    forms = Forms()
    _BY_KIND[value.kind](forms, value.text.strip())
    if not (forms.found or forms.ignored):
        forms.ignored.add(IgnoredBecause.TOO_SHORT)
    parts = {IgnoredBecause.PART_COMMON, IgnoredBecause.PART_TOO_SHORT}
    forms.ignored = forms.ignored & parts if forms.found else forms.ignored - parts
    if not (forms.found or forms.ignored):
        forms.ignored.add(IgnoredBecause.COMMON)
    return forms


def _name(forms: Forms, text: str) -> None:
    """Add a person's name: each part, and parts beside each other in any order."""
    for group in text.split("="):
        parts = _NAME_PARTS.findall(group)[:_MOST_NAME_PARTS]
        for part in parts:
            _name_part(forms, part)
        for first, second in permutations(parts, 2):
            for a in spellings(first):
                for b in spellings(second):
                    _pair(forms, a, b)
        _encoded(forms, [*parts, "".join(parts), " ".join(parts), "^".join(parts)])


def _name_part(forms: Forms, part: str) -> None:
    if any(c.isdigit() for c in part):
        _identifier(forms, part)
        return
    for spelling in spellings(part):
        words = _WORDS.findall(spelling)
        if len(words) > 1:
            forms.add(spelling, Rule.WORD)
            words.append("".join(words))
        for word in words:
            _single_word(forms, word, shortest=_SHORTEST_WORD)


def _single_word(forms: Forms, word: str, *, shortest: int) -> None:
    if word >= _IDEOGRAPHS:
        if len(word) > 1:
            forms.add(word, Rule.ANYWHERE)
    elif len(word) < shortest:
        forms.ignored.add(IgnoredBecause.PART_TOO_SHORT)
    elif is_common(word) or word in _PARTICLES:
        forms.ignored.add(IgnoredBecause.PART_COMMON)
    else:
        forms.add(word, Rule.WORD)


def _pair(forms: Forms, a: str, b: str) -> None:
    """Add two parts of a name side by side, and one with the initial of the other."""
    if a >= _IDEOGRAPHS:
        forms.add(a + b, Rule.ANYWHERE)
        return
    if len(a) > 1 and len(b) > 1 and not (is_common(a) and is_common(b)):
        for joint in _NAME_JOINTS:
            forms.add(a + joint + b, Rule.WORD if len(a + b) > _SHORTEST_CODE else Rule.ALONE)
    if len(a) >= _SHORTEST_WORD and not is_common(a) and b[:1].isalpha():
        for joint in _INITIAL_JOINTS:
            for written in (b[0] + joint + a, a + joint + b[0]):
                if not is_common(written):
                    forms.add(written, Rule.ALONE)


def _identifier(forms: Forms, text: str) -> None:
    """Add a number or label: with and without its separators and leading zeros."""
    whole = canonical(text)
    tokens = TOKENS.findall(whole)[:_MOST_TOKENS]
    words = [token for token in tokens if not token.isdigit()]
    if not words:
        add_number(forms, tokens)
        add_as_typed(forms, whole)
        return
    length = sum(map(len, tokens))
    has_digits = len(words) < len(tokens)
    if length < (_SHORTEST_CODE if has_digits else _SHORTEST_WORD):
        forms.ignored.add(IgnoredBecause.TOO_SHORT)
    elif _counts(words, length - sum(map(len, words))):
        forms.ignored.add(IgnoredBecause.COMMON)
    else:
        rule = Rule.WORD if length >= SHORTEST_NUMBER_INSIDE else Rule.ALONE
        forms.add(whole, rule)
        for joint in JOINTS:
            forms.add(joint.join(tokens), rule)
            forms.add(joint.join(re.findall(r"[^\W_]+", whole)), rule)
        numbers = [token for token in tokens if token.isdigit()]
        if len(numbers) > 1 and sum(map(len, numbers)) > SHORTEST_NUMBER_INSIDE:
            add_number(forms, ["".join(numbers)])
        for token in tokens:
            if token.isdigit() and len(token) >= SHORTEST_NUMBER_INSIDE:
                add_number(forms, [token])
            elif not token.isdigit() and len(token) >= _SHORTEST_WORD_OF_PLACE:
                _single_word(forms, token, shortest=_SHORTEST_WORD_OF_PLACE)
        _encoded(forms, [text])


def _counts(words: Iterable[str], digits: int) -> bool:
    """Whether a label is a common word with a small number: "subject12", but not "P001"."""
    long = [word for word in words if len(word) >= _SHORTEST_WORD]
    return bool(long) and all(map(is_common, long)) and digits < SHORTEST_NUMBER


def _uid(forms: Forms, text: str) -> None:
    """Add a UID whole, as file names have it, and its last part where that says when it was."""
    uid = canonical(text)
    if len(uid) < SHORTEST_UID:
        forms.ignored.add(IgnoredBecause.TOO_SHORT)
        return
    for joint in (".", "_", "-"):
        forms.add(uid.replace(".", joint), Rule.NUMBER)
    last = uid.rpartition(".")[2]
    if len(last) >= SHORTEST_UID_END:
        forms.add(last, Rule.NUMBER)


def _day(forms: Forms, text: str) -> None:
    written = day_forms(text)
    if not written:
        _text(forms, text)
    for form in written:
        forms.add(form, Rule.DAY if form.isdigit() else Rule.NUMBER)


def _time(forms: Forms, text: str) -> None:
    written = time_forms(text)
    if not written:
        forms.ignored.add(IgnoredBecause.TOO_SHORT)
    for form in written:
        forms.add(form, Rule.TIME)


def _place(forms: Forms, text: str) -> None:
    """Add an institution, address or station: whole, and the words in it that stand out."""
    tokens = TOKENS.findall(canonical(text))
    if len(canonical(text).split()) == 1 and any(token.isdigit() for token in tokens):
        _identifier(forms, text)
        return
    _text(forms, text)
    for spelling in spellings(text):
        for word in _WORDS.findall(spelling):
            _single_word(forms, word, shortest=_SHORTEST_WORD_OF_PLACE)
    _encoded(forms, [text, *_WORDS.findall(text)])


def _text(forms: Forms, text: str) -> None:
    """Add free text whole, and pieces of a long one: header fields cut what is put into them."""
    for whole in map(str.strip, spellings(text)):
        tokens = TOKENS.findall(whole)
        words = [token for token in tokens if not token.isdigit()]
        if not words:
            if sum(map(len, tokens)) >= SHORTEST_NUMBER_INSIDE:
                add_number(forms, tokens[:_MOST_TOKENS])
            continue
        if sum(map(len, tokens)) < _SHORTEST_CODE and whole < _IDEOGRAPHS:
            continue
        if not _stands_out(tokens):
            forms.ignored.add(IgnoredBecause.COMMON)
            continue
        forms.add(whole[:_LONGEST_WHOLE], Rule.WORD)
        if len(tokens) <= _MOST_TOKENS:
            for joint in JOINTS:
                forms.add(joint.join(tokens)[:_LONGEST_WHOLE], Rule.WORD)
        for piece in _pieces(whole):
            forms.add(piece, Rule.WORD, is_piece=True)
    if forms.found:
        _encoded(forms, [text[:_LONGEST_WHOLE]])


def _pieces(text: str) -> Iterator[str]:
    if len(text) <= _PIECE_OVER:
        return
    for match in list(re.finditer(r"[^\W_]+", text))[:_MOST_PIECES]:
        piece = text[match.start() : match.start() + _PIECE].strip()
        whole_words = TOKENS.findall(piece)[:-1]
        if len(piece) >= _SHORTEST_PIECE and _stands_out(whole_words):
            yield piece
            yield re.sub(r"\s", "_", piece)


def _stands_out(tokens: Iterable[str]) -> bool:
    """Whether a text holds a word or number that not every dataset has."""
    return any(
        len(token) >= SHORTEST_NUMBER_INSIDE
        if token.isdigit()
        else (len(token) >= _SHORTEST_WORD or token >= _IDEOGRAPHS) and not is_common(token)
        for token in tokens
    )


def _path(forms: Forms, text: str) -> None:
    """Add the name of a file or folder, unless it only counts or names a series."""
    name = _SUFFIXES.sub("", canonical(text))
    for uid in UID_IN_NAME.findall(name):
        _uid(forms, uid)
    rest = UID_IN_NAME.sub("", name)
    tokens = TOKENS.findall(rest)
    if not _stands_out_in_names(tokens):
        if not forms.found:
            forms.ignored.add(IgnoredBecause.COUNTED_NAME)
        return
    if all(token.isdigit() for token in tokens):
        add_number(forms, tokens[:_MOST_TOKENS])
        return
    forms.add(name[:_LONGEST_WHOLE], Rule.WORD)
    if len(tokens) <= _MOST_TOKENS and rest == name:
        for joint in JOINTS[1:]:
            forms.add(joint.join(re.findall(r"[^\W_]+", name)), Rule.WORD)
    _encoded(forms, [text])


def _stands_out_in_names(tokens: Iterable[str]) -> bool:
    return any(
        len(token) > SHORTEST_NUMBER_INSIDE
        if token.isdigit()
        else (len(token) >= _SHORTEST_CODE or token >= _IDEOGRAPHS) and not is_common(token)
        for token in tokens
    )


def _encoded(forms: Forms, texts: Iterable[str]) -> None:
    """Add texts that are not ASCII as the bytes of the character sets that could hold them."""
    for text in texts:
        for encoded in encodings(text):
            forms.add(encoded, Rule.ANYWHERE)


_BY_KIND: dict[ValueKind, Callable[[Forms, str], None]] = {
    ValueKind.NAME: _name,
    ValueKind.IDENTIFIER: _identifier,
    ValueKind.UID: _uid,
    ValueKind.DATE: _day,
    ValueKind.TIME: _time,
    ValueKind.PLACE: _place,
    ValueKind.TEXT: _text,
    ValueKind.PATH: _path,
}
