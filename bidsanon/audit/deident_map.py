"""``deident.map``: who became whom, on request.

PMOD's batch anonymization calls a text file so that lists the original names and IDs with their
replacements. This one is a table (UTF-8, TAB between the columns, a heading line) with one line
for each study. It identifies: it lies in the private folder alone, and destroying the vault
deletes it.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from filelock import FileLock

from bidsanon.errors import StorageError
from bidsanon.files import PRIVATE_FILE_MODE, make_private_folder, storage_errors, write_text

MAP_NAME = "deident.map"

_LOCK_NAME = f".{MAP_NAME}.lock"
_NOT_IN_A_CELL = re.compile(r"[\t\r\n\0]+")


@dataclass(frozen=True, kw_only=True, order=True)
class MapEntry:
    """One study of one person, before and after. Identified.

    The order of the attributes is that of the file's columns.

    Attributes
    ----------
    original_id, original_name
        (0010,0020) and (0010,0010) as the source says.
    new_id, new_name
        What stands there now; empty where nothing does.
    original_study_uid, new_study_uid
        (0020,000D).
    original_study_date, new_study_date
        (0008,0020).
    """

    original_id: str
    original_name: str
    new_id: str
    new_name: str
    original_study_uid: str
    new_study_uid: str
    original_study_date: str
    new_study_date: str


COLUMNS = tuple(field.name for field in fields(MapEntry))


def write_deident_map(path: Path, entries: Iterable[MapEntry]) -> None:
    """Add entries to a mapping file: each once, sorted; written whole or not at all, mode 0600.

    Parameters
    ----------
    path
        The file, in the private folder: ``private / MAP_NAME``.
    entries
        What is added.

    Raises
    ------
    StorageError
        If it cannot be written, or if what stands there is no mapping file.
    """
    with storage_errors("the mapping file"):
        make_private_folder(path.parent)
        with FileLock(path.with_name(_LOCK_NAME), mode=PRIVATE_FILE_MODE):
            merged = sorted({*read_deident_map(path), *map(_as_cells, entries)})
            write_text(path, map_text(merged), mode=PRIVATE_FILE_MODE)


def read_deident_map(path: Path) -> tuple[MapEntry, ...]:
    """Read a mapping file; one that is not there has no entries.

    Raises
    ------
    StorageError
        If it is no mapping file.
    """
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return ()
    except UnicodeDecodeError as error:
        raise _not_a_map() from error
    rows = list(csv.reader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE))
    if not rows or tuple(rows[0]) != COLUMNS or any(len(row) != len(COLUMNS) for row in rows):
        raise _not_a_map()
    return tuple(MapEntry(**dict(zip(COLUMNS, row, strict=True))) for row in rows[1:])


def map_text(entries: Iterable[MapEntry]) -> str:
    """Write entries as the file holds them, the heading first."""
    stream = io.StringIO()
    writer = csv.writer(
        stream, delimiter="\t", quoting=csv.QUOTE_NONE, quotechar=None, lineterminator="\n"
    )
    writer.writerows([COLUMNS, *map(astuple, entries)])
    return stream.getvalue()


def _as_cells(entry: MapEntry) -> MapEntry:
    """Replace what cannot stand in a cell."""
    cells = (_NOT_IN_A_CELL.sub(" ", str(value)).strip() for value in astuple(entry))
    return MapEntry(**dict(zip(COLUMNS, cells, strict=True)))


def _not_a_map() -> StorageError:
    return StorageError(
        "deident.map in the private folder is no mapping file that bidsanon wrote",
        cure="move it elsewhere; a new one is begun",
    )
