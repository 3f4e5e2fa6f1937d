"""What names of keys, of columns and of people mean: whether they lead to somebody.

``data/identifying_keys.tsv`` lists the keys and columns that identify, of DICOM and of tables that
people write in several languages; ``data/usual_names.tsv`` the given and family names by which a
label that names somebody is known.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from enum import StrEnum
from functools import cache, lru_cache

from pydicom.datadict import keyword_for_tag

from bidsanon.resources import data_path

KEYS = "identifying_keys.tsv"
NAMES = "usual_names.tsv"

_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_LABEL = re.compile(r"((?:sub|ses)-([^_/.]+))")
_NO_LETTER = re.compile(r"[^a-z0-9]+")
_TAG = re.compile(r"\(?(?:0x)?([0-9A-Fa-f]{4})[,|]?\s?([0-9A-Fa-f]{4})\)?")
_PERSON = re.compile(
    r"[A-ZÀ-Þ][^\W\d_]+(?:-[A-ZÀ-Þ][^\W\d_]+)?(?:\^|,\s?|\s)[A-ZÀ-Þ][^\W\d_]+(?:[\s^-][^\W\d_.]+)*"
)
_RECORD_NUMBER = re.compile(r"[A-Za-z]{0,3}-?\d{6,12}")
_SAY_NOTHING = re.compile(
    r"(?:n/?a|nan|none|null|unknown|unspecified|anon[\w-]*|removed|redacted|withheld"
    r"|de-?identified|pseudonym\w*|hidden|deleted|empty|x+|-+|\?+|0+|subject|patient|participant)?",
    re.IGNORECASE,
)
_LONGEST_KEY = 128
_GIVEN = "given"
_MADE_UID = "2.25."
_DATE_WORDS = frozenset(
    ["date", "dates", "datetime", "datum", "fecha", "dob", "birth", "birthdate", "birthday"]
)
_ACQUISITION_TIME = frozenset({"acq", "time"})
_NOT_OF_PEOPLE = frozenset(
    (
        *("release", "released", "modified", "published", "publication", "version", "build"),
        *("built", "accessed", "processed", "processing", "generated", "downloaded", "updated"),
        *("software", "analysis", "calibration", "manufacture", "order", "weight", "place"),
    )
)
_AGE_WORDS = frozenset({"age", "ages", "alter", "edad", "leeftijd"})
_TELLING = frozenset(
    (
        *(_DATE_WORDS | _ACQUISITION_TIME | _AGE_WORDS),
        *("at", "of", "in", "the", "scan", "visit", "session", "study", "test", "baseline"),
        *("onset", "year", "years", "yrs", "y", "month", "months", "week", "weeks", "day", "days"),
        *("mother", "father", "child", "parent", "patient", "participant", "subject", "mri", "mr"),
        *("content", "series", "instance", "creation", "start", "end", "begin", "performed"),
    )
)
_NOT_LIVED = frozenset({"brain", "predicted", "equivalent", "group", "bin", "gap", "delta", "max"})


class KeyKind(StrEnum):
    """What a key or a column says of somebody."""

    PERSON = "person"
    """Who somebody is."""
    NUMBER = "number"
    """A number that leads to somebody."""
    BIRTH = "birth"
    """When somebody was born."""
    CONTACT = "contact"
    """Where somebody can be found."""
    UID = "uid"
    """An identifier that the scanner or the institution gave."""
    TEXT = "text"
    """Free text, in which operators write."""
    PLACE = "place"
    """Where, or on which device."""
    TIME = "time"
    """A time of day."""


IDENTIFYING = frozenset({KeyKind.PERSON, KeyKind.NUMBER, KeyKind.CONTACT, KeyKind.UID})
"""What leads to a person."""
OF_AUTHORS = frozenset({"Authors", "HowToAcknowledge", "ReferencesAndLinks"})
"""Keys of dataset_description.json in which people are named on purpose."""
TABLES_ABOUT_PEOPLE = re.compile(
    r"(?:^|_)(?:participants|sessions|scans|samples)\.tsv$|^phenotype/"
)
"""Names of tables of which each row is about a person."""


def kind_of_key(key: str) -> KeyKind | None:
    """Return what a key of JSON says: a name, or a DICOM tag as programs write it."""
    kind, where = _known_key(key[:_LONGEST_KEY])
    return kind if where in {"any", "json"} else None


def kind_of_column(column: str) -> KeyKind | None:
    """Return what a column of a table says."""
    kind, where = _known_key(column[:_LONGEST_KEY])
    return kind if where in {"any", "table"} else None


def says_nothing(text: str) -> bool:
    """Tell a value that stands for none: "n/a", a word for what was removed, a random UID."""
    text = text.strip()
    return text.startswith(_MADE_UID) or _SAY_NOTHING.fullmatch(text) is not None


def labels_in(name: str) -> frozenset[str]:
    """Return the labels of participants and sessions in a file's name, which are pseudonyms.

    They are there with and without their prefixes.
    """
    return frozenset(part for found in _LABEL.findall(name) for part in found)


def words_of(name: str) -> tuple[str, ...]:
    """Part a key or a column into its words, in lower case: ``AgeAtScan`` as ``age_at_scan``."""
    return _words(name[:_LONGEST_KEY])


def is_telling(name: str) -> bool:
    """Tell a name of a column or a key of which every word says what it holds, and none who."""
    if not name.isascii() or len(name) > _LONGEST_KEY:
        return False
    words = words_of(name)
    return kind_of_column(name) is not None or (bool(words) and set(words) <= _TELLING)


def is_usual_name(word: str) -> bool:
    """Tell whether a word, in any case, is a given or a family name that many people have."""
    return word.lower() in _usual_names()


def is_given_name(word: str) -> bool:
    """Tell whether a word, in any case, is a given name that many people have."""
    return _usual_names().get(word.lower()) == _GIVEN


def is_of_date(name: str) -> bool:
    """Tell whether a key or a column holds dates of people, by its words.

    When a program was built, or a file was made or changed later, is none.
    """
    words = frozenset(words_of(name))
    if not words.isdisjoint(_NOT_OF_PEOPLE):
        return False
    return not words.isdisjoint(_DATE_WORDS) or words >= _ACQUISITION_TIME


def is_of_age(name: str) -> bool:
    """Tell whether a key or a column holds ages of people, by its words."""
    words = frozenset(words_of(name))
    return not words.isdisjoint(_AGE_WORDS) and words.isdisjoint(_NOT_LIVED)


def names_person(text: str) -> bool:
    """Tell a whole text that is a person's name: as DICOM has it, or by a name of many people."""
    if _PERSON.fullmatch(text) is None:
        return False
    return "^" in text or any(map(is_usual_name, words_of(text)))


def is_record_number(text: str) -> bool:
    """Tell a whole text that may be the number of a person or a visit: six digits and more."""
    return _RECORD_NUMBER.fullmatch(text) is not None


@lru_cache(maxsize=4096)
def _known_key(name: str) -> tuple[KeyKind | None, str]:
    """Return what a key or a column says, and whether it says so in JSON, in tables, or in both."""
    tag = _TAG.fullmatch(name)
    if tag:
        name = keyword_for_tag(tag[1] + tag[2]) or name
    return _known_keys().get(_plain(name), (None, ""))


@lru_cache(maxsize=4096)
def _words(name: str) -> tuple[str, ...]:
    return tuple(part.lower() for part in _PARTS.findall(name))


def _plain(name: str) -> str:
    return _NO_LETTER.sub("", name.lower())


@cache
def _known_keys() -> dict[str, tuple[KeyKind, str]]:
    lines = data_path(KEYS).read_text("utf-8").splitlines()
    rows = csv.DictReader(lines, delimiter="\t")
    return {_plain(row["key"]): (KeyKind(row["kind"]), row["where"]) for row in rows}


@cache
def _usual_names() -> Mapping[str, str]:
    lines = data_path(NAMES).read_text("utf-8").splitlines()
    return {row["name"]: row["kind"] for row in csv.DictReader(lines, delimiter="\t")}
