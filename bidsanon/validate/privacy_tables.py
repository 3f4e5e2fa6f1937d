"""Identifying columns, dates, ages and addresses in tables, row by row in bounded memory.

A table is read as a stream, however many rows it has. Only columns whose names tell something are
looked at cell by cell; of every row it is asked whether a date or an address stands in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

from bidsanon.bids.identifying import (
    TABLES_ABOUT_PEOPLE,
    is_record_number,
    names_person,
    words_of,
)
from bidsanon.bids.written import (
    holds_unshifted_day,
    names_somebodys_address,
)
from bidsanon.dicom_names import holds_name
from bidsanon.validate.privacy_columns import (
    LABEL_COLUMNS,
    NUMBERING,
    OF_ANY_COLUMN,
    ColumnAsked,
    asked_of_column,
)
from bidsanon.validate.privacy_lines import TableLines
from bidsanon.validate.privacy_spots import Spot

_MAY_BE_DAY = re.compile(r"\d-\d\d-\d|\d[./]\d{4}")
_MAY_BE_ADDRESS = re.compile(r"@|\+\d|[Tt]el|[Pp]hone|[Ff]ax|[Mm]obile")
_PLACEHOLDER = re.compile(r"\bTODO\b")
_TWO = 2
_HUMAN = frozenset({"", "n/a", "human", "homo sapiens", "h. sapiens"})
_SEPARATORS = "\t;,|"


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
class _Header:
    """A table's first line, taken apart."""

    file: str
    separator: str
    names: tuple[str, ...] = ()
    columns: tuple[ColumnAsked, ...] = ()
    about_people: bool = False
    is_mapping: bool = False
    species: int | None = None

    @cached_property
    def numbering(self) -> frozenset[int]:
        """The columns whose names say that they number or name something."""
        asked = (i for i, n in enumerate(self.names) if not NUMBERING.isdisjoint(words_of(n)))
        return frozenset(asked)

    @property
    def within(self) -> str:
        """The table, or all tables of its kind where each subject has its own."""
        path = PurePosixPath(self.file)
        kind = path.name.rpartition("_")[2]
        return f"sub-*_{kind}" if path.name.startswith("sub-") else self.file

    def place(self, row: int, index: int) -> str:
        return f"{self.file}, row {row}, column {index + 1}"


def table_spots(file: str, lines: TableLines, facts: TableFacts) -> Iterator[Spot]:
    """Yield what is private in a table.

    Parameters
    ----------
    file
        Its name within the dataset.
    lines
        Its lines; without a header where it is compressed, as BIDS has it.
    facts
        What is known of the dataset.

    Raises
    ------
    TableUnreadableError
        If it is damaged, no text, holds a line of more than a megabyte, or never ends.
    OSError
        If it cannot be read.
    """
    if lines.packed:
        headerless = _Header(file=file, separator="\t")
        for row, line in lines:
            yield from _anywhere(line, headerless, row)
    else:
        yield from _with_header(file, iter(lines), facts)
    if not lines.is_utf_8:
        yield Spot(code="PRIVACY_NO_UTF_8", location=file)


def _with_header(file: str, lines: Iterator[tuple[int, str]], facts: TableFacts) -> Iterator[Spot]:
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
                within=header.within,
            )
    yield from _anywhere(line, header, row)


def _anywhere(line: str, header: _Header, row: int) -> Iterator[Spot]:
    """Yield dates and addresses that stand in columns of whatever name."""
    if _MAY_BE_DAY.search(line):
        asked = {column.index for column in header.columns if column.code not in OF_ANY_COLUMN}
        for index, cell in enumerate(line.split(header.separator)):
            if index not in asked and holds_unshifted_day(cell):
                yield Spot(
                    code="PRIVACY_DATE_PERHAPS",
                    location=header.place(row, index),
                    details={"field": f"column {index + 1}"},
                    within=header.within,
                )
    place = f"{header.file}, row {row}"
    if _MAY_BE_ADDRESS.search(line) and names_somebodys_address(line):
        yield Spot(code="PRIVACY_CONTACT", location=place, within=header.within)
    if holds_name(line):
        yield Spot(code="PRIVACY_NAME", location=place, within=header.within)


def _header(file: str, line: str, facts: TableFacts) -> _Header:
    separator = _separator(file, line)
    names = tuple(name.strip().strip('"') for name in line.split(separator))
    about_people = TABLES_ABOUT_PEOPLE.search(file) is not None
    labelled = any(name.lower() in LABEL_COLUMNS for name in names)
    columns = tuple(
        column
        for index, name in enumerate(names)
        for column in asked_of_column(
            index,
            name,
            facts.definitions.get(name),
            labels=facts.labels,
            of_people=about_people or labelled,
        )
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
