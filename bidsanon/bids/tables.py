"""Tab-separated tables as BIDS wants them: no quoting, LF line ends, ``n/a`` for what is not known.

``str.splitlines`` and :mod:`csv` are not used: the first breaks lines at characters that a cell
may hold, the second takes a quotation mark in a cell for quoting.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

NOT_AVAILABLE = "n/a"
_LINE_END = re.compile(r"\r\n|\n|\r")
_FORBIDDEN = re.compile(r"[\t\r\n]")


class TableError(ValueError):
    """A table is not what BIDS allows. The text says where, and holds no cell's content."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table.

    Attributes
    ----------
    columns
        In their order.
    rows
        Each row's cells by column.
    """

    columns: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]


def read_table(text: str) -> Table:
    """Read a table; empty cells become ``n/a``.

    Raises
    ------
    TableError
        If there is no header, a column has no name or the name of another one, or a row is longer
        or shorter than the header.
    """
    columns, rows = open_table(text)
    return Table(columns=columns, rows=tuple(rows))


def open_table(text: str) -> tuple[tuple[str, ...], Iterator[Mapping[str, str]]]:
    """Return a table's columns, and its rows one by one: a million at once are 400 MB.

    Raises
    ------
    TableError
        As :func:`read_table` does; for a row when it is reached.
    """
    lines = _lines(text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}"))
    header = next(lines, None)
    if header is None:
        raise TableError("the table is empty")
    columns = tuple(cell.strip() for cell in header.split("\t"))
    if not all(columns) or len(set(columns)) != len(columns):
        raise TableError("the header has a column without a name, or one name twice")
    return columns, _rows(columns, lines)


def _lines(text: str) -> Iterator[str]:
    """Yield the lines of a text, up to the last that is not empty."""
    begin, empty = 0, []
    while begin < len(text):
        end = _LINE_END.search(text, begin)
        line = text[begin : end.start() if end else None]
        begin = end.end() if end else len(text)
        empty.append(line)
        if line.strip():
            yield from empty
            empty = []


def _rows(columns: tuple[str, ...], lines: Iterator[str]) -> Iterator[Mapping[str, str]]:
    for number, line in enumerate(lines, start=1):
        cells = [cell.strip() or NOT_AVAILABLE for cell in line.split("\t")]
        if len(cells) != len(columns):
            raise TableError(f"row {number} has {len(cells)} cells, the header {len(columns)}")
        yield dict(zip(columns, cells, strict=True))


def write_table(columns: Iterable[str], rows: Iterable[Mapping[str, str]]) -> str:
    """Write a table; what a row does not hold becomes ``n/a``.

    Raises
    ------
    TableError
        If a cell holds a tab or a line end: BIDS has no way to write it.
    """
    columns = tuple(columns)
    lines = ["\t".join(columns)]
    for number, row in enumerate(rows, start=1):
        cells = [row.get(column) or NOT_AVAILABLE for column in columns]
        if any(map(_FORBIDDEN.search, cells)):
            raise TableError(f"row {number} holds a tab or a line end within a cell")
        lines.append("\t".join(cells))
    return "\n".join(lines) + "\n"
