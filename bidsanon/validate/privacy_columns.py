"""What is asked of the cells of a column, by what its name tells."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from bidsanon.bids.identifying import (
    IDENTIFYING,
    KeyKind,
    is_of_age,
    is_of_date,
    is_record_number,
    is_telling,
    kind_of_column,
    kind_of_key,
    says_nothing,
    words_of,
)
from bidsanon.bids.written import (
    OLDEST_AGE,
    age_years,
    is_unshifted,
    units_per_year,
    words_in_a_row,
    written_date,
)
from bidsanon.plain_names import names_in_words

LABEL_COLUMNS = frozenset(
    {"participant_id", "participant", "subject", "subject_id", "sub", "label"}
)

_PROSE = "PRIVACY_FREE_TEXT"
_NAME, _NUMBER = "PRIVACY_NAME_PERHAPS", "PRIVACY_NUMBER_PERHAPS"
OF_ANY_COLUMN = frozenset({_PROSE, _NAME, _NUMBER})
"""What is asked of columns of whatever name."""

_LABELS = LABEL_COLUMNS | {"filename", "session_id", "sample_id", "genetic_id"}
_REMARKS = frozenset(
    (
        *("comment", "comments", "note", "notes", "remark", "remarks", "observations", "anamnesis"),
        *("kommentar", "kommentare", "bemerkung", "bemerkungen", "notiz", "notizen", "anamnese"),
        *("commentaire", "commentaires", "remarque", "remarques", "comentario", "comentarios"),
    )
)
NUMBERING = frozenset(
    (
        *("id", "nr", "no", "number", "original", "source", "patient", "old", "code", "mrn"),
        *("key", "file"),
    )
)
"""Words of columns that number or name something."""
_OF_THINGS = frozenset(
    (
        *("site", "center", "centre", "city", "country", "state", "hospital", "institution"),
        *("scanner", "manufacturer", "model", "vendor", "device", "task", "test", "stimulus"),
        *("stimuli", "species", "strain", "atlas", "template", "region", "location", "scale"),
    )
)
"""Columns that describe places and tests, and name nobody: San Diego, the Simon task."""
_PROSE_FROM, _SENTENCE_FROM = 2, 5
"""Words in a row: an answer that is chosen from a list has fewer than the second."""


@dataclass(frozen=True, kw_only=True)
class ColumnAsked:
    """A column of which every cell is looked at, and what is asked of a cell."""

    index: int
    code: str
    details: Mapping[str, str]
    tells: Callable[[str], bool]


def asked_of_column(
    index: int, name: str, definition: Any, *, labels: frozenset[str], of_people: bool
) -> Iterator[ColumnAsked]:
    """Yield what is asked of the cells of a column.

    Parameters
    ----------
    index
        Its position.
    name
        What it is called.
    definition
        What a JSON file beside the table says of it; None where it says nothing.
    labels
        The dataset's labels, with and without prefix: they are pseudonyms.
    of_people
        Whether the table is about people: elsewhere a channel or a region has a "name".
    """
    kind = kind_of_column(name)
    shown = f"column {index + 1}" + (f" ({name})" if is_telling(name) else "")

    def asked(code: str, tells: Callable[[str], bool], **details: str) -> ColumnAsked:
        return ColumnAsked(index=index, code=code, details=details, tells=tells)

    if kind is KeyKind.BIRTH:
        tells = partial(_says_something, labels=frozenset())
        yield asked("PRIVACY_BIRTH_DATE", tells, field=shown)
    elif kind in IDENTIFYING and (of_people or len(words_of(name)) > 1 or kind_of_key(name)):
        tells = partial(_says_something, labels=labels)
        yield asked("PRIVACY_IDENTIFYING_COLUMN", tells, column=shown)
    elif kind is KeyKind.TEXT or not _REMARKS.isdisjoint(words_of(name)):
        yield asked(_PROSE, _is_prose, key=shown)
    elif is_of_date(name):
        yield asked("PRIVACY_DATE", _is_unshifted_date, field=shown)
    elif is_of_age(name):
        per_year = units_per_year(_told(definition, "Units") or " ".join(words_of(name)))
        yield asked("PRIVACY_AGE", partial(_is_too_old, per_year=per_year), field=shown)
    elif of_people and name.lower() not in _LABELS:
        words = words_of(name)
        if not NUMBERING.isdisjoint(words):
            yield asked(_NUMBER, partial(_is_number_of_somebody, labels=labels), field=shown)
        if _OF_THINGS.isdisjoint(words):
            levels = definition.get("Levels") if isinstance(definition, dict) else None
            known = frozenset(levels) if isinstance(levels, (dict, list)) else frozenset()
            yield asked(_PROSE, partial(_is_sentence, known=known), key=shown)
            yield asked(_NAME, partial(_names_somebody, known=known), field=shown)


def _told(definition: Any, key: str) -> str:
    return str(definition.get(key, "")) if isinstance(definition, dict) else ""


def _says_something(cell: str, *, labels: frozenset[str]) -> bool:
    return not says_nothing(cell) and cell not in labels


def _is_prose(cell: str) -> bool:
    return words_in_a_row(cell) >= _PROSE_FROM and not says_nothing(cell)


def _is_sentence(cell: str, *, known: frozenset[str]) -> bool:
    return cell not in known and words_in_a_row(cell) >= _SENTENCE_FROM


def _names_somebody(cell: str, *, known: frozenset[str]) -> bool:
    return cell not in known and bool(names_in_words(cell))


def _is_number_of_somebody(cell: str, *, labels: frozenset[str]) -> bool:
    return is_record_number(cell) and cell not in labels


def _is_too_old(cell: str, *, per_year: float) -> bool:
    age = age_years(cell, per_year=per_year)
    return age is not None and age > OLDEST_AGE


def _is_unshifted_date(cell: str) -> bool:
    day = written_date(cell, loosely=True)
    return day is not None and is_unshifted(day)
