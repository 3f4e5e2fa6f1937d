"""Identifying columns, dates, ages and addresses in tables, row by row in bounded memory.

A table is read as a stream, however many rows it has. Only columns whose names tell something are
looked at cell by cell; of every row it is asked whether a date or an address stands in it.
"""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path, PurePosixPath
from typing import Any, TextIO

from bidsanon.bids.identifying import (
    IDENTIFYING,
    KeyKind,
    is_of_age,
    is_of_date,
    is_record_number,
    is_telling,
    kind_of_column,
    kind_of_key,
    names_person,
    says_nothing,
    words_of,
)
from bidsanon.bids.written import (
    OLDEST_AGE,
    age_years,
    is_unshifted,
    names_somebodys_address,
    units_per_year,
    written_date,
)
from bidsanon.validate.privacy_names import holds_name
from bidsanon.validate.privacy_spots import Spot

LONGEST_LINE = 1 << 20
MOST_CHARACTERS = 1 << 30
"""From here on a compressed table is not read: it may never end."""

_ABOUT_PEOPLE = re.compile(r"(?:^|_)(?:participants|sessions|scans|samples)\.tsv$|^phenotype/")
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}")
_MAY_BE_ADDRESS = re.compile(r"@|\+\d|[Tt]el|[Pp]hone|[Ff]ax|[Mm]obile")
_PLACEHOLDER = re.compile(r"\bTODO\b")
_LABEL_COLUMNS = frozenset(
    {"participant_id", "participant", "subject", "subject_id", "sub", "label"}
)
_NUMBERING = frozenset(
    [
        "id",
        "nr",
        "no",
        "number",
        "original",
        "source",
        "patient",
        "old",
        "code",
        "mrn",
        "key",
        "file",
    ]
)
_REMARKS = frozenset(
    (
        *("comment", "comments", "note", "notes", "remark", "remarks", "observations", "anamnesis"),
        *("kommentar", "kommentare", "bemerkung", "bemerkungen", "notiz", "notizen", "anamnese"),
        *("commentaire", "commentaires", "remarque", "remarques", "comentario", "comentarios"),
    )
)
_WORDS_IN_A_ROW = re.compile(r"[^\W\d_]\S*\s+\S*[^\W\d_]")
_TWO = 2
_HUMAN = frozenset({"", "n/a", "human", "homo sapiens", "h. sapiens"})
_SEPARATORS = "\t;,|"


class TableUnreadableError(ValueError):
    """A table cannot be read to its end. The text says why, and holds no cell's content."""


@dataclass(frozen=True, kw_only=True)
class TableFacts:
    """What is known of a dataset while its tables are read.

    Attributes
    ----------
    labels
        Its own labels, with and without prefix: they are pseudonyms.
    definitions
        What a JSON file beside a table says of its columns, by column.
    """

    labels: frozenset[str]
    definitions: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class _Column:
    """A column of which every cell is looked at, and what is asked of a cell."""

    index: int
    code: str
    details: Mapping[str, str]
    tells: Callable[[str], bool]


@dataclass(frozen=True, kw_only=True)
class _Header:
    """A table's first line, taken apart."""

    file: str
    separator: str
    names: tuple[str, ...] = ()
    columns: tuple[_Column, ...] = ()
    about_people: bool = False
    is_mapping: bool = False
    species: int | None = None

    @cached_property
    def numbering(self) -> frozenset[int]:
        """The columns whose names say that they number or name something."""
        asked = (i for i, n in enumerate(self.names) if not _NUMBERING.isdisjoint(words_of(n)))
        return frozenset(asked)

    def place(self, row: int, index: int) -> str:
        return f"{self.file}, row {row}, column {index + 1}"


def table_spots(file: str, path: Path, facts: TableFacts) -> Iterator[Spot]:
    """Yield what is private in a table.

    Parameters
    ----------
    file
        Its name within the dataset.
    path
        Where it is; gzip if the name ends in ``.gz``, and then without a header, as BIDS has it.
    facts
        What is known of the dataset.

    Raises
    ------
    TableUnreadableError
        If it is damaged, no text, holds a line of more than a megabyte, or never ends.
    OSError
        If it cannot be read.
    """
    lines = _lines(path)
    if file.lower().endswith(".gz"):
        headerless = _Header(file=file, separator="\t")
        for row, line in lines:
            yield from _anywhere(line, headerless, row)
        return
    first = next(lines, None)
    if first is None:
        return
    header = _header(file, first[1], facts)
    if _PLACEHOLDER.search(first[1]):
        yield Spot(code="PRIVACY_PLACEHOLDER", location=f"{file}, row 0", within="tables")
    if header.is_mapping or _is_pair(first[1], header, facts.labels):
        yield Spot(code="PRIVACY_MAPPING", location=file, within=file)
        return
    paired = header.about_people
    for row, line in lines:
        yield from _row(line, row, header)
        if not paired and _is_pair(line, header, facts.labels):
            paired = True
            yield Spot(code="PRIVACY_MAPPING", location=file, within=file)


def _row(line: str, row: int, header: _Header) -> Iterator[Spot]:
    if header.columns:
        cells = [cell.strip() for cell in line.split(header.separator)]
        for column in header.columns:
            cell = cells[column.index] if column.index < len(cells) else ""
            if not column.tells(cell):
                continue
            if column.code == "PRIVACY_AGE" and not _is_human(cells, header.species):
                continue
            yield Spot(
                code=column.code,
                location=header.place(row, column.index),
                details=column.details,
                within=header.file,
            )
    yield from _anywhere(line, header, row)


def _anywhere(line: str, header: _Header, row: int) -> Iterator[Spot]:
    """Yield dates and addresses that stand in columns of whatever name."""
    if _ISO.search(line):
        asked = {column.index for column in header.columns}
        for index, cell in enumerate(line.split(header.separator)):
            day = None if index in asked else written_date(cell, loosely=False)
            if day and is_unshifted(day):
                yield Spot(
                    code="PRIVACY_DATE_PERHAPS",
                    location=header.place(row, index),
                    details={"field": f"column {index + 1}"},
                    within=header.file,
                )
    place = f"{header.file}, row {row}"
    if _MAY_BE_ADDRESS.search(line) and names_somebodys_address(line):
        yield Spot(code="PRIVACY_CONTACT", location=place, within=header.file)
    if holds_name(line):
        yield Spot(code="PRIVACY_NAME", location=place, within=header.file)


def _header(file: str, line: str, facts: TableFacts) -> _Header:
    separator = _separator(file, line)
    names = tuple(name.strip().strip('"') for name in line.split(separator))
    about_people = _ABOUT_PEOPLE.search(file) is not None
    labelled = any(name.lower() in _LABEL_COLUMNS for name in names)
    columns = tuple(
        column
        for index, name in enumerate(names)
        for column in _column(index, name, facts, everything=about_people or labelled)
    )
    identifying = any(column.code == "PRIVACY_IDENTIFYING_COLUMN" for column in columns)
    lowered = [name.lower() for name in names]
    return _Header(
        file=file,
        separator=separator,
        names=names,
        columns=columns,
        about_people=about_people,
        is_mapping=identifying and labelled and not about_people,
        species=lowered.index("species") if "species" in lowered else None,
    )


def _column(index: int, name: str, facts: TableFacts, *, everything: bool) -> Iterator[_Column]:
    """Yield what is asked of the cells of a column.

    Parameters
    ----------
    everything
        Whether the table is about people: elsewhere a channel or a region has a "name".
    """
    kind = kind_of_column(name)
    shown = f"column {index + 1}" + (f" ({name})" if is_telling(name) else "")
    if kind is KeyKind.BIRTH:
        tells = partial(_says_something, labels=frozenset())
        yield _Column(index=index, code="PRIVACY_BIRTH_DATE", details={"field": shown}, tells=tells)
    elif kind in IDENTIFYING and (everything or len(words_of(name)) > 1 or kind_of_key(name)):
        tells, code = partial(_says_something, labels=facts.labels), "PRIVACY_IDENTIFYING_COLUMN"
        yield _Column(index=index, code=code, details={"column": shown}, tells=tells)
    elif kind is KeyKind.TEXT or not _REMARKS.isdisjoint(words_of(name)):
        yield _Column(
            index=index, code="PRIVACY_FREE_TEXT", details={"key": shown}, tells=_is_prose
        )
    elif is_of_date(name):
        yield _Column(
            index=index, code="PRIVACY_DATE", details={"field": shown}, tells=_is_unshifted_date
        )
    elif is_of_age(name):
        definition = facts.definitions.get(name)
        units = str(definition.get("Units", "")) if isinstance(definition, dict) else ""
        per_year = units_per_year(units or " ".join(words_of(name)))
        tells = partial(_is_too_old, per_year=per_year)
        yield _Column(index=index, code="PRIVACY_AGE", details={"field": shown}, tells=tells)


def _says_something(cell: str, *, labels: frozenset[str]) -> bool:
    return not says_nothing(cell) and cell not in labels


def _is_prose(cell: str) -> bool:
    return _WORDS_IN_A_ROW.search(cell) is not None and not says_nothing(cell)


def _is_too_old(cell: str, *, per_year: float) -> bool:
    age = age_years(cell, per_year=per_year)
    return age is not None and age > OLDEST_AGE


def _is_unshifted_date(cell: str) -> bool:
    day = written_date(cell, loosely=True)
    return day is not None and is_unshifted(day)


def _is_human(cells: list[str], species: int | None) -> bool:
    if species is None or species >= len(cells):
        return True
    return cells[species].lower() in _HUMAN


def _is_pair(line: str, header: _Header, labels: frozenset[str]) -> bool:
    """Tell a row that holds one of the labels beside what names or numbers somebody.

    A number does so where its column says that it numbers something, or where the table has no
    header and no third column: elsewhere it is what was measured.
    """
    if header.separator not in line:
        return False
    cells = [cell.strip().strip('"') for cell in line.split(header.separator)]
    if labels.isdisjoint(cells):
        return False
    alone = len(cells) == _TWO and not labels.isdisjoint(header.names)
    return any(
        names_person(cell) or (is_record_number(cell) and (alone or index in header.numbering))
        for index, cell in enumerate(cells)
        if cell not in labels
    )


def _separator(file: str, line: str) -> str:
    if "\t" in line and PurePosixPath(file).suffix.lower() == ".tsv":
        return "\t"
    most = max(_SEPARATORS, key=line.count)
    return most if most in line or not file.lower().endswith(".txt") else " "


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of a table that are not empty, with their numbers: the header's is 0."""
    packed = path.name.lower().endswith(".gz")
    try:
        with path.open("rb") as raw:
            stream = gzip.GzipFile(fileobj=raw) if packed else raw
            text = io.TextIOWrapper(stream, encoding="utf-8", errors="replace", newline=None)
            yield from _numbered(text, first=1 if packed else 0)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise TableUnreadableError("its compressed data are damaged") from error


def _numbered(text: TextIO, *, first: int) -> Iterator[tuple[int, str]]:
    number, total = first, 0
    while line := text.readline(LONGEST_LINE + 1):
        total += len(line)
        if len(line) > LONGEST_LINE:
            raise TableUnreadableError("it holds a line of more than a megabyte")
        if total > MOST_CHARACTERS:
            raise TableUnreadableError("it is larger than a gigabyte")
        if "\0" in line:
            raise TableUnreadableError("it is no text in UTF-8")
        stripped = line.rstrip("\r\n").removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")
        if stripped.strip():
            yield number, stripped
        number += 1
