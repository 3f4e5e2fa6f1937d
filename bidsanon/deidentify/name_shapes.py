"""Finds in a text names that nothing else tells of: after titles and labels, and of places.

What follows a title is a name unless it is a word of the acquisition: "Dr. Smith" goes, "DR chest"
(digital radiography) stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bidsanon.deidentify.spans import BEGINS, ENDS, Shapes, Span, compiled, find_shapes
from bidsanon.dicom.terms import is_acquisition_term
from bidsanon.notes import NoteReason

_TITLE = re.compile(
    rf"""{BEGINS}(?:(?:PD|Priv\.-?\s?Doz\.)\s(?=Dr))?(?:
        (?:Dr|Prof|PROF|Professor|Doctor|Doktor|Dra|Mr|Mrs|Ms|Miss|Herrn?|HERRN?|Frau|FRAU|frau|Mme
        |Mlle|Monsieur|Madame|Nurse|Schwester|Señora?|Dottore|Dhr|Mevr|mevr|Rev|Sir){ENDS}\.?
        |(?:Hr|Fr|Sr|Sra|Sig|Sig\.ra|Dott|Dr\.ssa|Pat|Pt|Dipl\.-?\s?Ing)\.
        |(?:Dr|Prof|Herr|Frau)(?=[A-Z][a-z]{{2}}))""",
    re.VERBOSE,
)
_PERHAPS_TITLE = re.compile(
    rf"""{BEGINS}(?:DR|dr|prof|mr|mrs|herrn?){ENDS}\.? | {BEGINS}(?:MR|MS|DR)\.(?=\s)""",
    re.VERBOSE,
)
_LABEL = re.compile(
    rf"""{BEGINS}(?:(?:patient(?:in)?(?:'s)?(?:\ name)? | name | subject\ name | operator | arzt
        | technologist | technician | mtra? | radiographer | physician | referrer | bediener
        | untersucher | surname | nom | nachname | vorname | apellidos?)\s*[:=]
        | (?:scanned|performed|acquired|requested|referred|operated|done|checked|read)\ by\s*:?
        | (?:patient|pat|subject|proband)(?:'s)?[ _]name
        | c/o
        )\s*""",
    re.VERBOSE | re.IGNORECASE,
)
_PERHAPS_LABEL = re.compile(
    rf"""{BEGINS}(?:(?:[Tt]ech|PI|RT|MTRA?|[Oo]p)\s?: | (?:PI|MRS){ENDS}
        | (?:[Aa]ttn|ATTN){ENDS}[.:]?
        | (?:[Rr]eferring\ |[Pp]erforming\ |[Rr]equesting\ )?[Pp]hysician{ENDS}
        | (?:Untersucher(?:in)?|Arzt|Ärztin|Operator|Technician|Technologist|MTRA){ENDS}
        | (?:[A-Z]\.\s?){{1,3}} )""",
    re.VERBOSE,
)
_SUFFIX = re.compile(
    rf"""{BEGINS}(?P<names>(?:[A-ZÀ-Þ][^\W\d_]{{2,}}[,\ ]+){{1,2}})
        (?:M\.?D\.?|Ph\.?\s?D\.?|R\.?N\.|FRCR|MBBS){ENDS}""",
    re.VERBOSE,
)
_NAME_WORD = re.compile(r"[\s._-]{0,3}([^\W\d_]+(?:[-'\u2019][^\W\d_]+)*\.?)(?![^\W_])")
_CAPITALISED_NAME_WORD = re.compile(r"[\s._-]{0,3}([A-ZÀ-Þ][^\W\d_]{2,}\.?)(?![^\W_])")
_BEFORE_NAMES = frozenset(
    (
        *("dr", "prof", "med", "phil", "rer", "nat", "dipl", "ing"),
        *("von", "van", "der", "den", "de", "del", "la", "le", "di", "da", "bin", "al", "zu"),
    )
)
_MOST_NAME_WORDS = 3

_HONOURED = re.compile(
    r"[\u3005\u3400-\u9fff\u3040-\u30ffー]{1,6}(?:先生|さん|様|医师|医師|医生|教授)"
)
_PLACE_WORD = re.compile(
    rf"""{BEGINS}(?:universit(?:y|ät|é|à|eit|et|äts-?(?:klinikum|klinik|spital))
        | universi(?:dad|dade|té) | hospital(?:et)? | h[oô]pital | ospedale | ziekenhuis | spital
        | sykehus | sjukhus(?:et)? | klinik(?:um|en)? | clinics? | clinique | cl[ií]nica
        | krankenhaus | infirmary | policlinico | institut[eo]? | college | chr?u
        | medical\ cent(?:er|re) | radiologie | praxis | charit[eé]){ENDS}""",
    re.VERBOSE | re.IGNORECASE,
)
_PLACE_ALONE = frozenset({"charité", "charite"})
_NAMED_HOUSE = re.compile(
    rf"""{BEGINS}[^\W\d_]{{3,}}(?:hospital(?:et)?|sjukhuset|sykehus|spital|krankenhaus
        |klinik(?:um)?){ENDS}""",
    re.VERBOSE | re.IGNORECASE,
)
_WORD_BEFORE = re.compile(
    BEGINS + r"(?:St\.|[A-ZÀ-Þ][^\W\d_'\u2019]*(?:['\u2019-][^\W\d_]+)*['\u2019]?)[\s,_-]{1,2}\Z"
)
_WORD_AFTER = re.compile(
    r"[\s,_-]{1,2}(?:(?:of|für|de|der|del|di|the|zu|am|Saint|St\.)\s)*"
    r"(St\.|[A-ZÀ-Þ][^\W\d_]+(?:['\u2019-][^\W\d_]+)*)(?![^\W_])"
)
_MOST_PLACE_WORDS = 4
_STREETS: Shapes = compiled(
    {
        NoteReason.PLACE: (
            rf"{BEGINS}[A-ZÄÖÜ][^\W\d_]*(?:straße|strasse|str\.|gasse)\s?\d+\s?[a-z]?{ENDS}",
            rf"""{BEGINS}\d+[A-Za-z]?\s(?:[A-Z][a-z]+\s){{1,2}}
                (?:Street|St|Road|Rd|Avenue|Ave|Lane|Blvd|Boulevard){ENDS}\.?""",
            rf"{BEGINS}\d+,?\s(?:rue|avenue|calle|Rue|Calle)\s(?:d[eu]\s)?[A-Z][^\W\d_]+",
        )
    },
    flags=0,
)


def name_spans(text: str) -> Iterator[Span]:
    """Yield where names of persons stand with a title or label, and where places are named."""
    for title, terms_too in ((_TITLE, True), (_PERHAPS_TITLE, False), (_LABEL, True)):
        for match in title.finditer(text):
            yield from _with_names(text, match, _NAME_WORD, terms_too=terms_too)
    for match in _PERHAPS_LABEL.finditer(text):
        yield from _with_names(text, match, _CAPITALISED_NAME_WORD, terms_too=False)
    for match in _SUFFIX.finditer(text):
        words = re.findall(r"[^\W\d_]+", match["names"])
        if not any(map(is_acquisition_term, words)):
            yield Span(*match.span(), NoteReason.TITLE_WITH_NAME)
    yield from (Span(*m.span(), NoteReason.TITLE_WITH_NAME) for m in _HONOURED.finditer(text))
    for match in _PLACE_WORD.finditer(text):
        yield from _with_place(text, match, named=match[0].lower() in _PLACE_ALONE)
    for match in _NAMED_HOUSE.finditer(text):
        yield from _with_place(text, match, named=True)
    yield from find_shapes(text, _STREETS)


def _with_names(
    text: str, match: re.Match[str], words: re.Pattern[str], *, terms_too: bool
) -> Iterator[Span]:
    """Yield a title or label with the names after it; nothing where no name follows.

    Parameters
    ----------
    text
        The whole text.
    match
        The title or label.
    words
        What may be a name.
    terms_too
        Whether the first word is taken for a name although it is an acquisition term: after
        "Dr." it is, after "DR" (digital radiography) it is not.
    """
    end, names = match.end(), 0
    while names < _MOST_NAME_WORDS and (word := words.match(text, end)):
        bare = word[1].rstrip(".")
        if bare.lower() not in _BEFORE_NAMES:
            is_first = names == 0
            is_joined = "-" in text[end : word.start(1)]
            if is_acquisition_term(bare) and not (is_first and terms_too and not is_joined):
                break
            if not is_first and not bare[0].isupper():
                break
            names += 1
        end = word.end()
    if names:
        yield Span(match.start(), end, NoteReason.TITLE_WITH_NAME)


def _with_place(text: str, match: re.Match[str], *, named: bool) -> Iterator[Span]:
    """Yield what an institution is called, where it is called something.

    Parameters
    ----------
    text
        The whole text.
    match
        What says that it is an institution.
    named
        Whether that alone says which.
    """
    start, end = match.span()
    position = start
    for _ in range(_MOST_PLACE_WORDS):
        before = _WORD_BEFORE.search(text, max(0, position - 64), position)
        if before is None:
            break
        if start < match.start() and not _is_name(before[0]):
            break
        position = before.start()
        if _is_name(before[0]):
            start, named = position, True
    position = end
    for _ in range(_MOST_PLACE_WORDS):
        after = _WORD_AFTER.match(text, position)
        if after is None:
            break
        position = after.end()
        if _is_name(after[1]):
            end, named = position, True
    if named:
        yield Span(start, end, NoteReason.PLACE)


def _is_name(word: str) -> bool:
    return not any(map(is_acquisition_term, re.findall(r"[^\W\d_]+", word)))
