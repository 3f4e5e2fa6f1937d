"""What a dataset says itself of persons, under keys and columns that name or number them.

Who is named in one sidecar, or by heudiconv's table of series, may be named in the texts of others:
operators type names into protocols. Keys that go are read before they do.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from bidsanon.bids.identifying import KeyKind, kind_of_column, kind_of_key, says_nothing
from bidsanon.bids.root_documents import DESCRIPTION
from bidsanon.bids.sidecars import SidecarError, read_json_file
from bidsanon.bids.tables import TableError
from bidsanon.bids.tree import DatasetTree, TreeFile
from bidsanon.dicom.terms import is_in_vocabulary
from bidsanon.identity import IdentifyingValue, ValueKind, merge_identity
from bidsanon.plain_names import names_in_words
from bidsanon.scrub.stored_tables import read_column

_KINDS = {KeyKind.PERSON: ValueKind.NAME, KeyKind.NUMBER: ValueKind.IDENTIFIER}
_ABOUT_PEOPLE = re.compile(
    r"(?:^|[/_])(?:participants|sessions|scans)\.tsv$|^phenotype/.*\.tsv$|(?:^|/)dicominfo\w*\.tsv$"
)
_NO_NAMES = frozenset(
    (
        *("AdditionalPatientHistory", "Allergies", "MedicalAlerts", "MilitaryRank", "Initials"),
        *("PatientComments", "PatientReligiousPreference", "PatientState", "SpecialNeeds"),
        *("PatientAlternativeCalendar", "OrderEnteredBy"),
    )
)
"""Keys of what is said of a person, and not how they are called."""
_STAFF = frozenset({"operator"})
"""Columns that hold names of people only, or their initials."""
_WORDS = re.compile(r"[^\W\d_]{2,}")
_MOST_WORDS, _LONGEST = 6, 64
_SHORTEST_NUMBER = 4
_SHORTEST_OF_STAFF = 4


def told_by_dataset(tree: DatasetTree) -> tuple[IdentifyingValue, ...]:
    """Return the names and numbers of persons that stand in a dataset.

    Parameters
    ----------
    tree
        What it holds; it is only read. What cannot be understood has its finding elsewhere.
    """
    labels = _labels(tree.files)
    return merge_identity(_told_by(file, labels) for file in tree.files)


def _labels(files: Collection[TreeFile]) -> frozenset[str]:
    """Return what names of files call participants, tasks and the like, in lower case.

    Programs take a participant's label for an ID, and a phantom may be called as the task is.
    """
    entities = {
        entity.lower()
        for file in files
        for part in PurePosixPath(file.name).parts
        for entity in part.partition(".")[0].split("_")
    }
    return frozenset((*entities, *(entity.partition("-")[2] for entity in entities)))


def _told_by(file: TreeFile, labels: frozenset[str]) -> Iterator[IdentifyingValue]:
    name = PurePosixPath(file.name).name
    try:
        if name.lower().endswith(".json") and name != DESCRIPTION:
            yield from _of_object(read_json_file(file.path), labels)
        elif _ABOUT_PEOPLE.search(file.name):
            yield from _of_table(file.path, labels)
    except (SidecarError, TableError, OSError, RecursionError):
        return


def _of_object(content: Mapping[str, Any], labels: frozenset[str]) -> Iterator[IdentifyingValue]:
    for key, value in content.items():
        kind = kind_of_key(key)
        if kind in _KINDS:
            for text in _texts(value):
                yield from _value(key, kind, text, labels)
        for part in value if isinstance(value, list) else (value,):
            if isinstance(part, dict):
                yield from _of_object(part, labels)


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts and numbers of a value; not what a column's description holds."""
    if isinstance(value, dict):
        for key in ("Value", "Alphabetic"):  # the JSON model of DICOM (PS3.18 F.2)
            yield from _texts(value.get(key))
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)
    elif isinstance(value, (str, int)) and not isinstance(value, bool):
        yield str(value)


def _of_table(path: Path, labels: frozenset[str]) -> Iterator[IdentifyingValue]:
    with path.open("rb") as stream:
        header = stream.readline(_LONGEST << 10).decode("utf-8", "replace")
    for column in header.rstrip("\r\n").split("\t"):
        kind = kind_of_column(column.strip())
        if kind in _KINDS:
            for cell in set(read_column(path, column.strip().lower())):
                yield from _value(column, kind, cell, labels)


def _value(
    key: str, kind: KeyKind, text: str, labels: frozenset[str]
) -> Iterator[IdentifyingValue]:
    """Yield what a text says, where it stands out: a phantom is nobody, and "01" is a label."""
    text = text.strip()
    if says_nothing(text) or text.lower() in labels or len(text) > _LONGEST:
        return
    words = [word for word in _WORDS.findall(text) if word.lower() not in labels]
    if kind is KeyKind.PERSON:
        named = 0 < len(words) <= _MOST_WORDS and key not in _NO_NAMES
        if key.strip().lower() in _STAFF:
            named = named and max(map(len, words)) >= _SHORTEST_OF_STAFF
        elif kind_of_key(key) is None:  # "name" of a column: of persons, groups, anything
            named = named and (bool(names_in_words(text)) or "^" in text)
        tells = named and not all(map(is_in_vocabulary, words))
    else:
        tells = len(text) >= _SHORTEST_NUMBER and any(map(str.isdigit, text))
    if tells:
        yield IdentifyingValue(kind=_KINDS[kind], text=text, origin="the dataset itself")
