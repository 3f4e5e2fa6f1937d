"""Finds in a text what the headers say elsewhere about the person, the staff, the place and time.

A name is looked for whole and by its parts, in either order, with whatever stands between the
parts, spaced out, backwards and in Base64; a date in all its written forms; an identifier with or
without its separators.

A part of two letters is cut where no letter stands beside it, unless it is a term, a particle or a
word of every text: then nobody could tell.

A word that equals part of a name may be a word of the acquisition as well (a person called Brain).
Alone, such a word is cut where it is anatomy or as common as that, since losing it costs nothing;
it stays where it names a sequence ("bold"), which heuristics go by and which stands in everybody's
headers. Beside another part of the name it is cut in any case. No part of a word on the list of
acquisition terms is ever cut: a person called Brain does not break "brainstem".
"""

from __future__ import annotations

import base64
import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

import ahocorasick

from bidsanon.deidentify.spans import Span
from bidsanon.dicom.dates import written_forms
from bidsanon.dicom.terms import TermKind, acquisition_terms, is_acquisition_term
from bidsanon.identity import IdentifyingValue, ValueKind
from bidsanon.notes import NoteReason

_SHORTEST = 3
_SHORTEST_DIGITS = 4
_SHORTEST_INSIDE_WORDS = 5
_SHORTEST_PARTED = 6
_MOST_PARTS = 6
_CJK = "\u2e80"
_PARTICLES = frozenset(
    (
        *("von", "van", "der", "den", "dem", "del", "della", "dos", "das", "des", "bin", "ibn"),
        *("abu", "the", "and", "jun", "sen", "jnr", "snr", "med", "phd", "dipl", "ing", "esq"),
    )
)
_NO_SHORT_NAMES = frozenset(
    (
        # Particles, titles and generations.
        *("af", "al", "am", "av", "da", "de", "di", "do", "du", "el", "la", "le", "zu"),
        *("ba", "dr", "hr", "ii", "iv", "jr", "ma", "md", "ms", "sr", "st", "vi"),
        # Units, beginnings of the names of sequences, and words of every text.
        *("cc", "cm", "dl", "hz", "kg", "mm", "ep", "fl", "me", "mp", "mt", "pc", "ph", "re"),
        *("an", "as", "at", "by", "im", "in", "no", "of", "or", "to", "um"),
    )
)
"""Of two letters, what is no part of a name that could be told from other words."""
_REASONS = {
    ValueKind.NAME: NoteReason.NAME,
    ValueKind.IDENTIFIER: NoteReason.IDENTIFIER,
    ValueKind.DATE: NoteReason.DATE,
    ValueKind.PLACE: NoteReason.PLACE,
    ValueKind.TEXT: NoteReason.TEXT,
}
_SEARCHED_KINDS = frozenset(_REASONS)

_LETTER = r"[^\W\d_]"
_UPPER, _LOWER = "A-ZÀ-ÖØ-Þ", "a-zß-öø-ÿ"
_WORD_BEGINS = (
    rf"(?:(?<!{_LETTER})|(?-i:(?<=[{_LOWER}])(?=[{_UPPER}]))"
    rf"|(?-i:(?<=[{_UPPER}])(?=[{_UPPER}][{_LOWER}])))"
)
_WORD_ENDS = (
    rf"(?:(?!{_LETTER})|(?-i:(?<=[{_LOWER}])(?=[{_UPPER}]))"
    rf"|(?-i:(?<=[{_UPPER}])(?=[{_UPPER}][{_LOWER}])))"
)
_WORDS = re.compile(rf"{_LETTER}+")
_ALPHANUMERICS = re.compile(r"[^\W_]+")
_TOKENS = re.compile(rf"{_LETTER}+|\d+")
_NO_SIGN = re.compile(r"[\W_]+")
_BETWEEN = r"[\s_.,;:^=/+&'\u2019-]{0,3}"
_BETWEEN_LETTERS = r"[\s._-]{1,2}"
_ANYTHING_BETWEEN = r"(?:[^\w()\[\]{}<>]|_)*"
_PARTED = "[-./ ]?"
_ELIDED_BEFORE = re.compile(rf"(?<!{_LETTER})[OoDdLl]['\u2019]\Z")
_POSSESSIVE = re.compile(rf"['\u2019]s(?!{_LETTER})")
_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


_LONGEST_SEARCHED = 1024
"""Of a longer value, which no name or number is, only the beginning is looked for."""


class KnownValues:
    """What is known of one session or instance, ready to be looked for.

    Parameters
    ----------
    values
        Names, identifiers, dates, places and texts; other kinds are not looked for in text (a
        UID or a time is found by its shape).
    """

    def __init__(self, values: Iterable[IdentifyingValue]) -> None:
        reasons: dict[_Pattern, NoteReason] = {}
        for value in sorted(v for v in values if v.kind in _REASONS):
            for pattern in _patterns(value.kind, value.text[:_LONGEST_SEARCHED]):
                reasons.setdefault(pattern, _REASONS[value.kind])
        self._patterns = sorted(reasons)
        self._reasons = [reasons[pattern] for pattern in self._patterns]
        self._compiled: dict[int, re.Pattern[str]] = {}
        by_signs: dict[str, list[int]] = {}
        for number, pattern in enumerate(self._patterns):
            by_signs.setdefault(pattern.signs, []).append(number)
        self._always = by_signs.pop("", [])
        self._by_signs = ahocorasick.Automaton()
        for signs, numbers in by_signs.items():
            self._by_signs.add_word(signs, numbers)
        self._by_signs.make_automaton()

    def spans(self, text: str) -> Iterator[Span]:
        """Yield where known values stand in a text, from left to right."""
        position = 0
        ahead: dict[int, re.Match[str]] = {}
        waiting = self._possible(text)
        while True:
            for number in waiting:
                match = self._pattern(number).search(text, position)
                if match:
                    ahead[number] = match
            if not ahead:
                return
            first = min(ahead, key=lambda number: (ahead[number].start(), number))
            start, end = ahead[first].span()
            if _is_inside_a_term(text, start, end):
                position = start + 1
            else:
                if elided := _ELIDED_BEFORE.search(text, max(0, start - 2), start):
                    start = elided.start()
                if possessive := _POSSESSIVE.match(text, end):
                    end = possessive.end()
                yield Span(start, end, self._reasons[first])
                position = end
            waiting = [number for number, match in ahead.items() if match.start() < position]
            for number in waiting:
                del ahead[number]

    def _possible(self, text: str) -> list[int]:
        """Return the patterns of which all letters and digits stand in a text, in their order.

        There are thousands where many persons are known, and no text is searched for each.
        """
        if not self._by_signs:
            return self._always
        found = {id(numbers): numbers for _, numbers in self._by_signs.iter(_signs(text))}
        return sorted(chain(self._always, *found.values()))

    def _pattern(self, number: int) -> re.Pattern[str]:
        pattern = self._compiled.get(number)
        if pattern is None:
            pattern = re.compile(self._patterns[number].regex, re.IGNORECASE)
            self._compiled[number] = pattern
        return pattern


class _Pattern(NamedTuple):
    """A regular expression, ordered by how much text it finds: the longest first.

    Attributes
    ----------
    minus_length
        How many letters and digits it finds, below zero.
    regex
        Texts that must be there, and between them what is no letter or digit.
    signs
        The letters and digits that must be there, as :func:`_signs` writes them.
    """

    minus_length: int
    regex: str
    signs: str


def _signs(text: str) -> str:
    """Return the letters and digits of a text side by side, whatever their case.

    What :data:`re.IGNORECASE` takes for one letter is one letter here.
    """
    return _NO_SIGN.sub("", text.casefold()).replace("\N{LATIN SMALL LETTER DOTLESS I}", "i")


@lru_cache(maxsize=64)
def known_values(values: frozenset[tuple[ValueKind, str]]) -> KnownValues:
    """Return what finds these values; the same set is prepared once."""
    return KnownValues(
        IdentifyingValue(kind=kind, text=text, origin="") for kind, text in sorted(values)
    )


def searched_values(values: Iterable[IdentifyingValue]) -> frozenset[tuple[ValueKind, str]]:
    """Return what of `values` is looked for in text."""
    return frozenset((value.kind, value.text) for value in values if value.kind in _SEARCHED_KINDS)


def _patterns(kind: ValueKind, text: str) -> Iterator[_Pattern]:
    if kind is ValueKind.DATE:
        for form in written_forms(text):
            yield _Pattern(-len(form), rf"(?<!\d){re.escape(form)}(?!\d)", _signs(form))
    elif kind is ValueKind.NAME:
        for group in text.split("="):
            yield from _name_patterns(group)
    elif kind is ValueKind.TEXT:
        if any(_stands_out(word, shortest=_SHORTEST + 1) for word in _WORDS.findall(text)):
            yield from _whole_patterns(text)
    else:
        yield from _whole_patterns(text)
        if kind is ValueKind.IDENTIFIER:
            yield from _base64_patterns(text)
        for word in _WORDS.findall(text):
            if _stands_out(word, shortest=_SHORTEST if word.isupper() else _SHORTEST + 1):
                yield from (_word(form) for form in _spellings(word))


def _name_patterns(name: str) -> Iterator[_Pattern]:
    """Yield the patterns of one component group of a PN value, or of a name as typed."""
    yield from _whole_patterns(name)
    yield from _base64_patterns(name)
    words = [word for word in _WORDS.findall(name) if word.lower() not in _PARTICLES]
    for word in words:
        if _stands_out(word, shortest=_SHORTEST, common_too=True):
            yield from (_word(form) for form in _spellings(word))
        elif len(word) < _SHORTEST:
            yield from _short_patterns(word)
        if len(word) >= _SHORTEST_INSIDE_WORDS and not is_acquisition_term(word):
            yield from _disguise_patterns(word)
    parts = words[:_MOST_PARTS]
    yield from _initials_patterns(parts)
    for first in parts:
        for second in parts:
            if first is not second:
                yield from _pair_patterns(first, second)


def _short_patterns(word: str) -> Iterator[_Pattern]:
    """Yield the patterns of a name of two letters, which counts with no letter beside it."""
    if len(word) == _SHORTEST - 1 and word.lower() not in _NO_SHORT_NAMES:
        for form in _spellings(word):
            if not is_acquisition_term(form):
                regex = rf"(?<!{_LETTER}){re.escape(form)}(?!{_LETTER})"
                yield _Pattern(-len(form), regex, _signs(form))


def _disguise_patterns(word: str) -> Iterator[_Pattern]:
    """Yield the patterns of a name that is written backwards, or with spaces between letters."""
    for form in _spellings(word):
        if not is_acquisition_term(form[::-1]):
            yield _Pattern(-len(form), re.escape(form[::-1]), _signs(form[::-1]))
        spaced = _BETWEEN_LETTERS.join(map(re.escape, form))
        yield _Pattern(-len(form), rf"(?<!{_LETTER}){spaced}(?!{_LETTER})", _signs(form))


def _base64_patterns(text: str) -> Iterator[_Pattern]:
    """Yield the patterns of a text in Base64, but for what depends on what follows it."""
    for encoding in ("utf-8", "latin-1"):
        content = text.encode(encoding, "replace")
        written = base64.b64encode(content).decode()[: len(content) * 4 // 3]
        if len(content) >= _SHORTEST_INSIDE_WORDS:
            regex = re.escape(written) + "[A-Za-z0-9+/]?={0,2}"
            yield _Pattern(-len(written), regex, _signs(written))


def _initials_patterns(parts: list[str]) -> Iterator[_Pattern]:
    """Yield the patterns of the initials of a name of three parts and more, in either order.

    Two letters are too common to be cut (AP, PA), and a title (Dr) has no initial.
    """
    letters = "".join(p[0] for p in parts if len(p) >= _SHORTEST and p < _CJK).lower()
    for initials in {letters, letters[1:] + letters[:1]}:
        if len(initials) >= _SHORTEST and not is_acquisition_term(initials):
            yield _bounded(*initials)


def _pair_patterns(first: str, second: str) -> Iterator[_Pattern]:
    """Yield the patterns of two parts of a name side by side, and of one with an initial."""
    for a in _spellings(first):
        for b in _spellings(second):
            if len(a) + len(b) > _SHORTEST or a >= _CJK:
                yield _bounded(a, b)
        if len(a) >= _SHORTEST and not is_acquisition_term(a):
            yield _bounded(second[0].lower(), a)
            yield _bounded(a + second[0].lower())


def _whole_patterns(text: str) -> Iterator[_Pattern]:
    """Yield the pattern of all words and numbers of a text, unless it names only sequences."""
    if all(_is_sequence_word(word) for word in _ALPHANUMERICS.findall(text)):
        return
    tokens = _TOKENS.findall(text)
    length = sum(map(len, tokens))
    shortest = _SHORTEST_DIGITS if all(token.isdigit() for token in tokens) else _SHORTEST
    if length < shortest and not any(token >= _CJK for token in tokens):
        return
    before = r"(?<!\d)(?<!\d\.)" if tokens[0].isdigit() else _WORD_BEGINS
    after = r"(?!\d)" if tokens[-1].isdigit() else _WORD_ENDS
    pieces = [re.escape(token) for token in tokens]
    signs = _signs("".join(tokens))
    significant = tokens[0].lstrip("0")
    if len(tokens) == 1 and len(significant) >= _SHORTEST_DIGITS and tokens[0].isdigit():
        parted = _PARTED if len(significant) >= _SHORTEST_PARTED else ""
        pieces = ["0*" + parted.join(significant)]
        signs = significant
    yield _Pattern(-length, before + _ANYTHING_BETWEEN.join(pieces) + after, signs)


def _is_sequence_word(word: str) -> bool:
    if word.isdigit():
        return len(word) < _SHORTEST_DIGITS
    return acquisition_terms().get(word.lower()) is TermKind.SEQUENCE


def _stands_out(word: str, *, shortest: int, common_too: bool = False) -> bool:
    """Tell whether a word alone gives somebody or some place away."""
    if word >= _CJK:
        return len(word) > 1
    kind = acquisition_terms().get(word.lower())
    allowed = kind is None or (common_too and kind is TermKind.COMMON)
    return allowed and len(word) >= shortest and word.lower() not in _PARTICLES


def _word(word: str) -> _Pattern:
    """Return a pattern of one word: anywhere where it is long and no term, else bounded."""
    if len(word) >= _SHORTEST_INSIDE_WORDS and not is_acquisition_term(word):
        return _Pattern(-len(word), re.escape(word), _signs(word))
    return _bounded(word)


def _bounded(*words: str) -> _Pattern:
    """Return a pattern of words side by side, in whatever way they are joined."""
    regex = _BETWEEN.join(map(re.escape, words))
    return _Pattern(
        -sum(map(len, words)), _WORD_BEGINS + regex + _WORD_ENDS, _signs("".join(words))
    )


def _spellings(word: str) -> tuple[str, ...]:
    """Return a word composed and decomposed, without its accents, with umlauts written out.

    With SS for ß, as capitals have it, and the other way round; and as a reader has it who takes
    UTF-8 for Latin-1.
    """
    lower = unicodedata.normalize("NFC", word).lower()
    decomposed = unicodedata.normalize("NFD", lower)
    bare = "".join(c for c in decomposed if not unicodedata.combining(c)).replace("ß", "ss")
    misread = word.encode().decode("latin-1").lower()
    folded = lower.casefold()
    doubled = (folded, unicodedata.normalize("NFD", folded), folded.replace("ss", "ß"))
    forms = (lower, decomposed, bare, lower.translate(_GERMAN), misread, *doubled)
    return tuple(dict.fromkeys(forms))


def _is_inside_a_term(text: str, start: int, end: int) -> bool:
    """Tell whether a find is a part of a longer word that is an acquisition term."""
    word_start, word_end = start, end
    while word_start and text[word_start - 1].isalpha():
        word_start -= 1
    while word_end < len(text) and text[word_end].isalpha():
        word_end += 1
    is_part = (word_start, word_end) != (start, end)
    return is_part and is_acquisition_term(text[word_start:word_end])
