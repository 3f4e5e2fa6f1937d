"""Tab-separated tables as BIDS wants them: no quoting, LF line ends, ``n/a`` for what is not known.

``str.splitlines`` and :mod:`csv` are not used: the first breaks lines at characters that a cell
may hold, the second takes a quotation mark in a cell for quoting.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
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
    lines = _LINE_END.split(text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}"))
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        raise TableError("the table is empty")
    columns = tuple(cell.strip() for cell in lines[0].split("\t"))
    if not all(columns) or len(set(columns)) != len(columns):
        raise TableError("the header has a column without a name, or one name twice")
    rows = []
    for number, line in enumerate(lines[1:], start=1):
        cells = [cell.strip() or NOT_AVAILABLE for cell in line.split("\t")]
        if len(cells) != len(columns):
            raise TableError(f"row {number} has {len(cells)} cells, the header {len(columns)}")
        rows.append(dict(zip(columns, cells, strict=True)))
    return Table(columns=columns, rows=tuple(rows))


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
