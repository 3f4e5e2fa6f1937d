"""What no validator looks for: people, in the names and the content of a dataset.

Every file is looked at once, whoever made the dataset. What cannot be understood is said, since
nobody knows what it holds; that a file cannot be opened is for :mod:`bidsanon.validate.files` to
say. Findings name keys, columns and files, and repeat no value.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from itertools import chain
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any

from bidsanon.bids.leftovers import HISTORIES, leftover_of
from bidsanon.bids.sharing import without_hidden
from bidsanon.bids.sidecars import GRADIENT_EXTENSIONS
from bidsanon.bids.tree import DatasetTree, TreeFile, list_tree
from bidsanon.findings import Finding
from bidsanon.validate.privacy_content import content_spots, gzip_spots, is_dicom, read_head
from bidsanon.validate.privacy_dates import shift_spots
from bidsanon.validate.privacy_faces import face_spots
from bidsanon.validate.privacy_history import history_spots
from bidsanon.validate.privacy_json import JsonError, json_spots, read_any_json
from bidsanon.validate.privacy_lines import TableLines, TableUnreadableError
from bidsanon.validate.privacy_places import place_spots
from bidsanon.validate.privacy_spots import Spot, gather
from bidsanon.validate.privacy_tables import TableFacts, table_spots

_TABLES = (".tsv", ".csv", ".tsv.gz")
_LARGEST_TEXT_TABLE = 1 << 20
_NUMBERS = re.compile(rb"(?:[\s\d.eE+\-]|nan|NaN)*")
_NO_SHIFTS: Mapping[str, int] = MappingProxyType({})


def check_privacy(
    root: Path,
    *,
    shifts: Mapping[str, int] = _NO_SHIFTS,
    accepted: Collection[str] = (),
    faces: bool = True,
    hidden: bool = True,
) -> tuple[Finding, ...]:
    """Look for what tells who somebody is.

    Parameters
    ----------
    root
        The dataset's folder.
    shifts
        How many days were added to each subject's dates, by label without prefix, as the vault
        has it.
    accepted
        Images of which a person decided that they show no face.
    faces
        Whether it is asked if faces were removed; not where that was looked at already.
    hidden
        Whether hidden files are looked at; not where they are not shared.
    """
    tree = list_tree(root, skip_named=HISTORIES)
    if not hidden:
        tree = without_hidden(tree)
    return gather(
        chain(
            place_spots(tree),
            history_spots(tree),
            _files(tree),
            shift_spots(tree, shifts=shifts),
            face_spots(tree, accepted=accepted) if faces else (),
        )
    )


def _files(tree: DatasetTree) -> Iterator[Spot]:
    """Yield what is private in each file: JSON first, since it says what columns of tables mean."""
    labels = _labels(tree)
    definitions: dict[str, Mapping[str, Any]] = {name: {} for name in _names_of_tables(tree)}
    for file in sorted(tree.files, key=lambda one: not one.name.endswith(".json")):
        if leftover_of(file.name) is None:
            yield from _file(file, labels, definitions)


def _names_of_tables(tree: DatasetTree) -> Iterator[str]:
    """Yield the names of tables without extension: by these, JSON says what their columns mean."""
    for file in tree.files:
        if file.name.lower().endswith(_TABLES):
            yield _without_extension(file.name)


def _without_extension(name: str) -> str:
    return name.removesuffix(".gz").rpartition(".")[0]


def _labels(tree: DatasetTree) -> frozenset[str]:
    """Return the labels of the dataset's subjects, with and without prefix."""
    tops = {PurePosixPath(file.name).parts[0] for file in tree.files}
    subjects = {top for top in tops if top.startswith("sub-")}
    return frozenset((*subjects, *(subject.removeprefix("sub-") for subject in subjects)))


def _file(
    file: TreeFile, labels: frozenset[str], definitions: dict[str, Mapping[str, Any]]
) -> Iterator[Spot]:
    """Yield what is private in one file; `definitions` gathers what JSON says of each table."""
    problem = ""
    try:
        yield from _content(file, labels, definitions)
    except (JsonError, TableUnreadableError) as error:
        problem = str(error)
    except RecursionError:
        problem = "it is nested too deeply"
    except OSError:
        problem = "it cannot be read"
    if problem:
        details = {"problem": problem}
        yield Spot(code="PRIVACY_NOT_READ", location=file.name, details=details)


def _content(
    file: TreeFile, labels: frozenset[str], definitions: dict[str, Mapping[str, Any]]
) -> Iterator[Spot]:
    head, kind = read_head(file.name, file.path), file.name.lower()
    if is_dicom(head.prefix):
        yield from content_spots(head)
    elif kind.endswith(".json"):
        content = read_any_json(file.path)
        described = file.name.removesuffix(".json")
        if described in definitions and isinstance(content, dict):
            definitions[described] = content
        yield from json_spots(file.name, content, labels=labels)
    elif kind.endswith(_TABLES):
        if kind.endswith(".gz"):
            yield from gzip_spots(head)
        columns = definitions[_without_extension(file.name)]
        facts = TableFacts(labels=labels, definitions=columns)
        yield from table_spots(file.name, TableLines.of_file(file.path), facts)
    elif kind.endswith(GRADIENT_EXTENSIONS):
        _require_numbers(file)
    else:
        yield from content_spots(head)
        if kind.endswith(".txt") and file.size <= _LARGEST_TEXT_TABLE:
            facts = TableFacts(labels=labels, definitions={})
            yield from _mapping(table_spots(file.name, TableLines.of_file(file.path), facts))


def _require_numbers(file: TreeFile) -> None:
    """Refuse a gradient table with anything else in it: a comment, say.

    Raises
    ------
    TableUnreadableError
        If it holds that.
    """
    content = file.path.read_bytes() if file.size <= _LARGEST_TEXT_TABLE else b"?"
    if not _NUMBERS.fullmatch(content):
        raise TableUnreadableError("it holds something beside numbers, or too many of them")


def _mapping(spots: Iterator[Spot]) -> Iterator[Spot]:
    """Of a text that may be a table, yield only that it tells who is who."""
    yield from (spot for spot in spots if spot.code == "PRIVACY_MAPPING")
