"""Tables that are stored already: read row by row, and written only if something changes."""

from __future__ import annotations

import contextlib
import io
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from bidsanon.bids.tables import NOT_AVAILABLE, TableError
from bidsanon.scrub.columns import (
    Column,
    ColumnAction,
    TablePolicy,
    is_suspicious,
    judge_columns,
)
from bidsanon.scrub.gzip_member import NotOneMemberError, copied, read_gzip

LONGEST_LINE = 1 << 20
_BLOCK = 1 << 14
"""What holds nothing of anybody is passed over in blocks; longer texts are cut as a whole."""
_SMALL = 1 << 18
_BOM = b"\xef\xbb\xbf"
_ELSEWHERE = re.compile("[,;]")
_NUMBERS = re.compile(rb"[\s\d.eE+\-naNA/]*")
_DATE = re.compile(rb"\d-\d\d-\d\d")
_SAID = {
    ColumnAction.MOMENT: "{count} acquisition time(s) {how}",
    ColumnAction.DATE: "{count} date(s) emptied in {column}",
    ColumnAction.AGE: "{count} age(s) above 89 capped in {column}",
    ColumnAction.PSEUDONYM: "{count} serial number(s) replaced in {column}",
    ColumnAction.KEEP: "{count} cell(s) cleaned in {column}",
}


@dataclass(kw_only=True)
class _Changes:
    """What is changed in one table so far."""

    removed: tuple[str, ...] = ()
    cells: Counter[tuple[ColumnAction, str]] = field(default_factory=Counter)
    emptied_moments: int = 0

    def words(self) -> tuple[str, ...]:
        said = [f"column {name} removed" for name in self.removed]
        for (action, column), count in sorted(self.cells.items()):
            emptied = self.emptied_moments
            how = f"emptied ({emptied}) or moved" if emptied < count else "emptied"
            how = how if emptied else "moved"
            said.append(_SAID[action].format(count=count, column=column, how=how))
        return tuple(said)


def scrub_stored_table(
    source: Path,
    target: Path | None,
    policy: TablePolicy,
    *,
    table: str,
    definitions: Mapping[str, Any],
    moved: Callable[[str], str],
) -> tuple[str, ...]:
    """Write a table without what identifies in it, where something does.

    Parameters
    ----------
    source
        The table.
    target
        Where it is written if it changes; None: it is only looked at.
    policy
        What the scrub needs to know.
    table
        Its place in the dataset.
    definitions
        What a JSON file beside it says of its columns, by column.
    moved
        Gives what becomes of a moment at which somebody was scanned.

    Returns
    -------
    What changes, in words that repeat no cell; nothing where nothing does.

    Raises
    ------
    TableError
        If it cannot be understood.
    """
    changes = _Changes()
    with source.open("rb") as stream, contextlib.ExitStack() as stack:
        header = _header(stream)
        names = [name.strip() for name in header.split("\t")]
        columns = judge_columns(names, policy, table=table, definitions=definitions, moved=moved)
        changes.removed = tuple(c.shown for c in columns if c.action is ColumnAction.REMOVE)
        written: BinaryIO | None = None
        if target is not None:  # most small tables do not change, and need no file
            small = source.stat().st_size <= _SMALL
            written = io.BytesIO() if small else stack.enter_context(target.open("wb"))
        _write(written, ["\t".join(_kept(header.split("\t"), columns))])
        for block in _blocks(stream):
            _write(written, _scrubbed(block, columns, policy, changes))
        words = changes.words()
        if target is not None and words and isinstance(written, io.BytesIO):
            target.write_bytes(written.getvalue())
    if target is not None and not words:
        target.unlink(missing_ok=True)
    return words


def scrub_packed_table(source: Path, target: Path | None, policy: TablePolicy) -> tuple[str, ...]:
    """Write a compressed table of numbers without what its gzip head tells, where it does.

    Returns
    -------
    What changes, in words; nothing where nothing does.

    Raises
    ------
    TableError
        If it is damaged, is several gzip files in one, or holds text that identifies.
    """
    try:
        with source.open("rb") as stream:
            file = read_gzip(stream)
            with contextlib.ExitStack() as stack:
                written = None
                if target is not None and file.tells:
                    written = stack.enter_context(target.open("wb"))
                for line in _lines_of(copied(stream, written, file)):
                    if not _NUMBERS.fullmatch(line) or _DATE.search(line):
                        _require_harmless(line, policy)
    except (NotOneMemberError, EOFError, zlib.error) as error:
        raise TableError("its compressed data are damaged, or several files in one") from error
    return ("name, time or comment taken out of the gzip header",) if file.tells else ()


def read_column(source: Path, name: str) -> Iterator[str]:
    """Yield the cells of a column; none where there is no such column.

    Raises
    ------
    TableError
        If the table cannot be understood.
    """
    with source.open("rb") as stream:
        header = _header(stream)
        names = [cell.strip().lower() for cell in header.split("\t")]
        if name not in names:
            return
        index = names.index(name)
        rows = (line.split("\t") for block in _blocks(stream) for line in _lines(block))
        yield from (row[index].strip() for row in rows if index < len(row))


def _header(stream: BinaryIO) -> str:
    lines = _lines(stream.readline(LONGEST_LINE))
    if not lines:
        raise TableError("the table is empty, or begins with an empty line")
    if len(lines) > 1:
        raise TableError("its lines end as no table's of today do")
    if "\t" not in lines[0] and _ELSEWHERE.search(lines[0]):
        raise TableError("its columns are parted by commas or semicolons, not by tabs")
    return lines[0]


def _kept(cells: list[str], columns: tuple[Column, ...]) -> Iterator[str]:
    for cell, column in zip(cells, columns, strict=True):
        if column.action is not ColumnAction.REMOVE:
            yield cell


def _scrubbed(
    block: bytes, columns: tuple[Column, ...], policy: TablePolicy, changes: _Changes
) -> Iterator[str]:
    """Yield what becomes of some lines; many at once where nothing of them changes."""
    if not any(column.always for column in columns):
        whole = "\n".join(_lines(block))
        lines = whole.count("\n") + 1
        regular = whole.count("\t") == lines * (len(columns) - 1)
        if regular and not is_suspicious(whole, policy.without_known):
            yield whole
            return
    for line in _lines(block):
        yield _scrubbed_line(line, columns, policy, changes)


def _scrubbed_line(
    line: str, columns: tuple[Column, ...], policy: TablePolicy, changes: _Changes
) -> str:
    cells = line.split("\t")
    if len(cells) != len(columns):
        raise TableError(f"a row has {len(cells)} cells, and the header {len(columns)}")
    every = is_suspicious(line, policy.without_known)
    for index, column in enumerate(columns):
        if every or column.always:
            changed = column.change(cells[index])
            if changed != cells[index]:
                cells[index] = changed
                changes.cells[column.action, column.shown] += 1
                if column.action is ColumnAction.MOMENT and changed == NOT_AVAILABLE:
                    changes.emptied_moments += 1
    return "\t".join(_kept(cells, columns))


def _write(target: BinaryIO | None, lines: Iterable[str]) -> None:
    for line in lines:
        if target is not None and line:
            target.write(line.encode() + b"\n")


def _blocks(stream: BinaryIO) -> Iterator[bytes]:
    """Yield whole lines, many at once.

    Raises
    ------
    TableError
        If one is longer than any table's.
    """
    while block := stream.read(_BLOCK):
        rest = b"" if block.endswith(b"\n") else stream.readline(LONGEST_LINE)
        if len(rest) >= LONGEST_LINE:
            raise TableError("it holds a line of a megabyte and more")
        yield block + rest


def _lines(block: bytes) -> list[str]:
    """Return the lines that hold something, without their ends.

    Raises
    ------
    TableError
        If they are no UTF-8.
    """
    if len(block) >= LONGEST_LINE and b"\n" not in block:
        raise TableError("it holds a line of a megabyte and more")
    try:
        text = block.removeprefix(_BOM).decode()
    except UnicodeDecodeError as error:
        raise TableError("it is not UTF-8") from error
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return [line for line in text.split("\n") if line and not line.isspace()]


def _lines_of(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield whole lines, many at once."""
    rest = b""
    for piece in pieces:
        whole, newline, rest = (rest + piece).rpartition(b"\n")
        if newline:
            yield whole
        if len(rest) > LONGEST_LINE:
            raise TableError("it holds a line of a megabyte and more")
    yield rest


def _require_harmless(lines: bytes, policy: TablePolicy) -> None:
    try:
        text = lines.decode()
    except UnicodeDecodeError as error:
        raise TableError("it is not UTF-8") from error
    for line in text.split("\n"):
        if is_suspicious(line, policy.without_known):
            raise TableError("it holds text that may identify somebody")
