"""Finds the written forms of all values in one pass over a text, and judges what stands beside.

The search itself is Aho and Corasick's (pyahocorasick). A find counts only where its rule says so:
a time of day within a decimal number is no time, and a short name within a word is no name.
"""

from __future__ import annotations

import re
import string
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple

import ahocorasick

from bidsanon.identity import IdentifyingValue, ValueKind
from bidsanon.validate.residue_forms import forms_of
from bidsanon.validate.residue_rules import Form, IgnoredBecause, Rule
from bidsanon.validate.residue_text import View, canonical
from bidsanon.validate.residue_words import is_common


class Context(Enum):
    """What kind of text a view is: decides how much a short find means."""

    TEXT = "text"
    """Text that people or programs wrote."""
    DESCRIPTOR = "descriptor"
    """A series' description or protocol name, which the de-identification has cleaned."""
    MEASURED = "measured"
    """What was measured: numbers in sidecars, gradients, events, physiological recordings."""
    BYTES = "bytes"
    """Runs of printable bytes within other bytes."""
    VOXELS = "voxels"
    """Runs of printable bytes within the voxels of an image."""


class Source(NamedTuple):
    """Which value a form is of: its kind, and where the source held it."""

    kind: ValueKind
    origin: str


class Find(NamedTuple):
    """A form that was found.

    Attributes
    ----------
    start, end
        Where, in the view's text.
    form
        What was found.
    sources
        The values of which it is a form.
    """

    start: int
    end: int
    form: Form
    sources: tuple[Source, ...]


@dataclass(frozen=True, kw_only=True)
class IgnoredValues:
    """Values that were not searched for, counted: never the values.

    Attributes
    ----------
    kind
        What kind of value.
    reason
        Why.
    origin
        Where the source held them.
    count
        How many.
    """

    kind: ValueKind
    reason: IgnoredBecause
    origin: str
    count: int


_WORD_ANYWHERE = 7
_WORD_ONE_SIDED = 5
_SHORTEST_MEASURED = 8
_SHORTEST_IN_BYTES = 6
_SHORTEST_RUN = 16
_SHORTEST_IN_VOXELS = 8
_VOXEL_PREFIX = 12
_HEX_TOKEN = 12
_LONG_TOKEN = 24
_UID_POINTS = 4
_TIME_AFTER_DAY = re.compile(r"(?:[01]\d|2[0-3])[0-5]\d[0-5]\d", re.ASCII)
_CLOCK_AFTER_DAY = re.compile(r"\.(?:[01]\d|2[0-3])[0-5]\d[0-5]\d(?!\d)", re.ASCII)
_SHORT_DAY = re.compile(r"\d([-._/])\d{1,2}\1\d\d|\d\d([-._/])\d\2\d\d", re.ASCII)
_ROW = re.compile(r"\d([-._/])\d{1,4}\1$", re.ASCII)
_LONGEST_ROW = 12
_ZEROS = re.compile(r"\.0+(?!\d)")
_HEX = re.compile(r"[0-9a-f]+")
_ENTITY = re.compile(r"^(?:sub|ses)-")
_DIGITS = frozenset("0123456789")
_WORD_CHARACTERS = string.ascii_letters + string.digits + "._"
_NUMERIC = frozenset("0123456789.")
_SHIFTED_DAY = re.compile(r"1(?:[0-8]\d|9[0-7])\d-\d\d-\d\d[t ]$", re.ASCII)
_ON_PURPOSE = frozenset(
    {ValueKind.NAME, ValueKind.IDENTIFIER, ValueKind.PLACE, ValueKind.TEXT, ValueKind.PATH}
)


class Needles:
    """Everything that is searched for.

    Parameters
    ----------
    identity
        The identifying values.
    allowed
        Texts that are published on purpose.
    descriptors
        Descriptions that are published on purpose, as far as they say how the images were made.
    """

    def __init__(
        self,
        identity: Iterable[IdentifyingValue],
        *,
        allowed: Iterable[str] = (),
        descriptors: Iterable[str] = (),
    ) -> None:
        self._allowed = _allowed_texts(allowed)
        published = {_squeezed(text) for text in (*self._allowed, *map(canonical, descriptors))}
        self._published = "\n".join(sorted(published))
        self.searched: Counter[ValueKind] = Counter()
        self._ignored: Counter[tuple[ValueKind, IgnoredBecause, str]] = Counter()
        sources: dict[Form, set[Source]] = defaultdict(set)
        for value in identity:
            self._take(value, sources)
        self._forms: dict[str, list[tuple[Form, tuple[Source, ...]]]] = defaultdict(list)
        for form, found in sorted(sources.items(), key=lambda item: item[0].text):
            self._forms[form.text].append((form, tuple(sorted(found))))
        self._automaton = _automaton(self._forms)
        self._prefixes = _automaton(
            {text[:_VOXEL_PREFIX] for text in self._forms if len(text) >= _SHORTEST_IN_VOXELS}
        )

    @property
    def ignored(self) -> tuple[IgnoredValues, ...]:
        """What is not searched for."""
        return tuple(
            IgnoredValues(kind=kind, reason=reason, origin=origin, count=count)
            for (kind, reason, origin), count in sorted(self._ignored.items())
        )

    def alphabet(self, *, shortest: int) -> frozenset[int]:
        """Return the bytes of which forms of at least this length, and what is beside them, are."""
        letters = {c for text in self._forms if len(text) >= shortest for c in text}
        return frozenset(map(ord, (*_WORD_CHARACTERS, *filter(_is_byte, letters))))

    @property
    def texts(self) -> Iterator[str]:
        """Every form but those that are others with zeros between their characters (UTF-16)."""
        return (
            text
            for text in self._forms
            if "\0" not in text or text.replace("\0", "") not in self._forms
        )

    def may_be_in(self, text: str) -> bool:
        """Tell, quickly, whether the beginning of any long form is in a text."""
        return any(True for _ in self._prefixes.iter(text))

    def find(self, view: View, context: Context) -> Iterator[Find]:
        """Yield every find that counts, from left to right by its end."""
        for last, text in self._automaton.iter(view.text):
            start, end = last + 1 - len(text), last + 1
            for form, sources in self._forms.get(text, ()):
                if counts(form, view, start, end, context):
                    find = Find(start, end, form, sources)
                    if not self._is_on_purpose(find, view.text):
                        yield find

    def _take(self, value: IdentifyingValue, sources: dict[Form, set[Source]]) -> None:
        forms = forms_of(value)
        ignored = set(forms.ignored)
        if forms.found and self._is_published(value):
            forms.found.clear()
            ignored = {IgnoredBecause.PUBLISHED}
        for reason in ignored:
            self._ignored[value.kind, reason, value.origin] += 1
        self.searched[value.kind] += bool(forms.found)
        for form in forms.found:
            sources[form].add(Source(value.kind, value.origin))

    def _is_on_purpose(self, find: Find, text: str) -> bool:
        """Whether a find lies within a text that is published on purpose.

        A name must be that text, and one with a number: a label, not a person's name. Days,
        times and UIDs are never published on purpose.
        """
        kinds = {source.kind for source in find.sources}
        if not kinds <= _ON_PURPOSE:
            return False
        if ValueKind.NAME in kinds:
            return find.form.text in self._allowed and any(c in _DIGITS for c in find.form.text)
        return any(
            allowed in text[max(0, find.end - len(allowed)) : find.start + len(allowed)]
            for allowed in self._allowed
            if find.form.text in allowed
        )

    def _is_published(self, value: IdentifyingValue) -> bool:
        if value.kind not in {ValueKind.PATH, ValueKind.TEXT}:
            return False
        squeezed = _squeezed(canonical(value.text))
        return bool(squeezed) and squeezed in self._published


def counts(form: Form, view: View, start: int, end: int, context: Context) -> bool:
    """Judge whether a form that stands in a text is a find."""
    if context is not Context.TEXT and not _is_long_enough(form, view, start, end, context):
        return False
    if form.rule is Rule.ANYWHERE:
        return True
    if not (_edge_before(form, view, start) and _edge_after(form, view, end)):
        return False
    if form.text[0] in _DIGITS and form.text[-1] in _DIGITS:
        is_shifted = form.rule is Rule.TIME and _is_shifted(view.text, start)
        by_chance = is_shifted or _is_in_row(form, view.text, start)
        return not by_chance and not _is_in_digest(view.text, start, end)
    return _stands_out(form, view, start, end)


def _is_in_row(form: Form, text: str, start: int) -> bool:
    """Whether a day as short as 2_2_96 ends a row of more numbers, as coils' elements make."""
    day = _SHORT_DAY.fullmatch(form.text)
    row = _ROW.search(text[max(0, start - _LONGEST_ROW) : start]) if day else None
    return day is not None and row is not None and row[1] == (day[1] or day[2])


def _is_long_enough(form: Form, view: View, start: int, end: int, context: Context) -> bool:
    """Whether a find is too long to be there by chance in such a context."""
    text = form.text
    if context is Context.DESCRIPTOR:
        return not form.is_piece
    if context is Context.MEASURED:
        return len(text) >= _SHORTEST_MEASURED or not text.isdigit()
    if context is Context.BYTES:
        return (
            len(text) >= _SHORTEST_IN_BYTES or _run_length(view.text, start, end) >= _SHORTEST_RUN
        )
    return len(text) >= _SHORTEST_IN_VOXELS


def _run_length(text: str, start: int, end: int) -> int:
    before, after = start, end
    while before and text[before - 1].isprintable():
        before -= 1
    while after < len(text) and text[after].isprintable():
        after += 1
    return after - before


def _edge_before(form: Form, view: View, start: int) -> bool:
    if not start:
        return True
    text, first = view.text, form.text[0]
    before = text[start - 1]
    if first not in _DIGITS:
        return True  # letters are judged by _stands_out
    if form.rule is Rule.NUMBER and before == "0":
        while start and text[start - 1] == "0":
            start -= 1
        before = text[start - 1] if start else ""
    if before in _DIGITS:
        return form.rule is Rule.TIME and _day_precedes(text, start)
    if before == ":" and form.rule is Rule.TIME:
        return text[start - 2 : start - 1] not in _DIGITS
    return not (before == "." and start > 1 and text[start - 2] in _DIGITS) or _is_in_uid(
        text, start
    )


def _edge_after(form: Form, view: View, end: int) -> bool:
    text = view.text
    if end >= len(text) or form.text[-1] not in _DIGITS:
        return True
    after = text[end]
    if after in _DIGITS:
        return form.rule is Rule.DAY and bool(_TIME_AFTER_DAY.match(text, end))
    followed = end + 1 < len(text) and text[end + 1] in _DIGITS
    if after == "." and followed:
        if form.rule is Rule.DAY and _CLOCK_AFTER_DAY.match(text, end):
            return True
        return form.rule is Rule.TIME or bool(_ZEROS.match(text, end)) or _is_in_uid(text, end)
    return not (after == ":" and followed and form.rule is Rule.TIME)


def _is_in_uid(text: str, position: int) -> bool:
    """Whether a position is within a number of many parts: a UID rather than a decimal."""
    start = end = position
    while start and text[start - 1] in _NUMERIC:
        start -= 1
    while end < len(text) and text[end] in _NUMERIC:
        end += 1
    return text.count(".", start, end) >= _UID_POINTS


def _day_precedes(text: str, start: int) -> bool:
    """Whether exactly eight digits stand before: a time that follows a day."""
    begin = start
    while begin and text[begin - 1] in _DIGITS:
        begin -= 1
    return start - begin == 8  # noqa: PLR2004 (YYYYMMDD)


def _is_shifted(text: str, start: int) -> bool:
    """Whether a time follows a day before 1980: what is published there runs from noon on."""
    return bool(_SHIFTED_DAY.search(text[max(0, start - 11) : start]))


def _stands_out(form: Form, view: View, start: int, end: int) -> bool:
    """Judge a form that begins or ends with a letter by the letters beside it."""
    text = view.text
    left = _word_begins(view, start)
    right = _word_ends(view, end)
    length = len(form.text)
    if form.rule is Rule.ALONE or length < _WORD_ONE_SIDED:
        enough = left and right
    else:
        enough = length >= _WORD_ANYWHERE or left or right
    if not enough:
        return False
    before, after = start, end
    while before and text[before - 1].isalnum():
        before -= 1
    while after < len(text) and text[after].isalnum():
        after += 1
    token = text[before:after]
    if length < _WORD_ANYWHERE and _is_digest(token):
        return False
    return (before, after) == (start, end) or not is_common(token.strip("0123456789"))


def _word_begins(view: View, start: int) -> bool:
    text = view.text
    if not start or not text[start].isalpha() or not text[start - 1].isalpha():
        return True
    return bool(view.cased) and view.cased[start].isupper() and view.cased[start - 1].islower()


def _word_ends(view: View, end: int) -> bool:
    text = view.text
    if end >= len(text) or not text[end - 1].isalpha() or not text[end].isalpha():
        return True
    return bool(view.cased) and view.cased[end].isupper() and view.cased[end - 1].islower()


def _is_in_digest(text: str, start: int, end: int) -> bool:
    before, after = start, end
    while before and text[before - 1].isalnum():
        before -= 1
    while after < len(text) and text[after].isalnum():
        after += 1
    token = text[before:after]
    return not token.isdigit() and end - start < _SHORTEST_MEASURED and _is_digest(token)


def _is_digest(token: str) -> bool:
    """Whether a token is a checksum or code in which a short find is there by chance."""
    has_digits = any(c in _DIGITS for c in token)
    return has_digits and (
        len(token) >= _LONG_TOKEN or (len(token) >= _HEX_TOKEN and bool(_HEX.fullmatch(token)))
    )


def _allowed_texts(texts: Iterable[str]) -> frozenset[str]:
    """Return texts in canonical form, and labels without their entity (``sub-``) too."""
    forms = [canonical(text) for text in texts]
    return frozenset((*forms, *(_ENTITY.sub("", form) for form in forms))) - {""}


def _is_byte(character: str) -> bool:
    return ord(character) < 256  # noqa: PLR2004 (what a byte can be)


def _squeezed(text: str) -> str:
    return "".join(c for c in text if c.isalnum())


def _automaton(texts: Iterable[str]) -> Any:
    automaton = ahocorasick.Automaton()
    automaton.add_word("\0 nothing is searched for \0", "")  # an empty one cannot be searched with
    for text in texts:
        automaton.add_word(text, text)
    automaton.make_automaton()
    return automaton
