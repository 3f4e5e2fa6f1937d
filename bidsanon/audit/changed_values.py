"""The original and the cleaned value of every attribute that was changed, on request.

They lie in one SQLite database in the private folder and nowhere else, run by run, instance by
instance, in the order of the source. The database identifies: it can be deleted at any time, and
destroying the vault deletes it.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from bidsanon.audit.journal import now
from bidsanon.errors import StorageError
from bidsanon.files import (
    PRIVATE_FILE_MODE,
    fresh_folder,
    make_private_folder,
    overwrite_and_remove,
    remove_tree,
    storage_errors,
)

VALUES_NAME = "audit-values.sqlite"

_LONGEST = 1 << 20
_REMEMBERED = 1 << 16
_BUSY_S = 30.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS run (
    id INTEGER PRIMARY KEY,
    began TEXT NOT NULL,
    command TEXT NOT NULL,
    subject TEXT NOT NULL,
    session TEXT
);
CREATE TABLE IF NOT EXISTS value (id INTEGER PRIMARY KEY, digest BLOB UNIQUE, content NOT NULL);
CREATE TABLE IF NOT EXISTS change (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run,
    instance TEXT NOT NULL,
    place TEXT NOT NULL,
    action TEXT NOT NULL,
    original INTEGER REFERENCES value,
    cleaned INTEGER REFERENCES value
);
CREATE VIEW IF NOT EXISTS changed_value AS
    SELECT change.id, run, command, subject, session, instance, place, action,
        before.content AS original, after.content AS cleaned
    FROM change JOIN run ON run.id = change.run
        LEFT JOIN value AS before ON before.id = change.original
        LEFT JOIN value AS after ON after.id = change.cleaned
    ORDER BY change.id;
"""

Content = str | bytes | None
"""A value: characters where it is text, else bytes; None where there is none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangedValue:
    """What became of one attribute of one instance. Identified.

    Attributes
    ----------
    instance
        The new SOP Instance UID.
    place
        "(0010,0010)"; within sequences with the number of each item from 1:
        "(0008,1140)[1](0008,1155)"; private "(0029,SIEMENS CSA HEADER,20)".
    action
        The action's code as PS3.15 Table E.1-1a has it; empty where the attribute was inserted.
    original
        None where it was inserted.
    cleaned
        None where it was removed.
    """

    instance: str
    place: str
    action: str
    original: Content
    cleaned: Content


class ChangedValues:
    """The database of one private folder, open for one run.

    Made by :meth:`begin`, used as a context manager: what a run that fails has written is taken
    back. Workers write their records to parts by :func:`write_part`, and the parts are added in
    the order of the source, so that neither memory nor order depends on how many workers there are.

    Attributes
    ----------
    parts
        Where workers write their parts.
    """

    def __init__(self, connection: sqlite3.Connection, *, run: int, parts: Path) -> None:
        self.parts = parts
        self._connection = connection
        self._run = run
        self._known: dict[bytes, int] = {}

    @classmethod
    def begin(cls, private: Path, *, command: str, subject: str, session: str | None) -> Self:
        """Open the database for a run, and make it where there is none.

        Parameters
        ----------
        private
            The private folder.
        command
            What is run: "deidentify".
        subject, session
            The labels, without their prefixes; empty and None where there are none.

        Raises
        ------
        StorageError
            If it cannot be written.
        """
        with storage_errors("the private folder"):
            path = make_private_folder(private) / VALUES_NAME
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, PRIVATE_FILE_MODE))
            path.chmod(PRIVATE_FILE_MODE)
            make_private_folder(private / "work")
            parts = fresh_folder(private / "work" / f"{VALUES_NAME}.{os.getpid()}")
        with _database_errors(), contextlib.ExitStack() as on_error:
            connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)
            on_error.callback(connection.close)
            connection.execute("PRAGMA secure_delete = ON")
            connection.executescript(_SCHEMA)
            connection.execute("BEGIN IMMEDIATE")
            inserted = connection.execute(
                "INSERT INTO run (began, command, subject, session) VALUES (?, ?, ?, ?)",
                (now(), command, subject, session),
            )
            on_error.pop_all()
        return cls(connection, run=inserted.lastrowid or 0, parts=parts)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            with _database_errors():
                self._connection.execute("ROLLBACK" if kind else "COMMIT")
        finally:
            self._connection.close()
            remove_tree(self.parts)

    def add_part(self, part: Path) -> None:
        """Add the records of a part, and remove it.

        Raises
        ------
        StorageError
            If they cannot be written.
        """
        with storage_errors("the private folder"):
            self.add(_read_part(part))
            part.unlink()

    def add(self, changed: Iterable[ChangedValue]) -> None:
        """Add records.

        Raises
        ------
        StorageError
            If they cannot be written.
        """
        with _database_errors():
            self._connection.executemany(
                "INSERT INTO change (run, instance, place, action, original, cleaned) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (
                    (self._run, c.instance, c.place, c.action, *map(self._id, _contents(c)))
                    for c in changed
                ),
            )

    def _id(self, content: Content) -> int | None:
        """Return the number of a value, which is stored once."""
        if content is None:
            return None
        digest = _digest(content)
        known = self._known.get(digest)
        if known is None:
            self._connection.execute(
                "INSERT OR IGNORE INTO value (digest, content) VALUES (?, ?)", (digest, content)
            )
            query = "SELECT id FROM value WHERE digest = ?"
            (known,) = self._connection.execute(query, (digest,)).fetchone()
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[digest] = known
        return known


def read_originals(private: Path) -> Iterator[tuple[str, str | bytes]]:
    """Yield every original value that is kept, once for each place; nothing where none are.

    Parameters
    ----------
    private
        The private folder.

    Yields
    ------
    tuple
        The place, as :attr:`ChangedValue.place` has it, and the value. Of one of more than a
        mebibyte its length and digest.

    Raises
    ------
    StorageError
        If the database cannot be read.
    """
    path = private / VALUES_NAME
    if not path.is_file():
        return
    query = (
        "SELECT DISTINCT place, content FROM change JOIN value ON value.id = change.original "
        "ORDER BY place, value.id"
    )
    with _database_errors():
        uri = f"{path.resolve().as_uri()}?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=_BUSY_S)) as stored:
            yield from stored.execute(query)


def forget_changed_values(private: Path) -> None:
    """Overwrite and delete the database of a private folder; one that is not there is fine.

    Raises
    ------
    StorageError
        If it cannot be overwritten.
    """
    with storage_errors("the private folder"):
        for suffix in ("", "-journal"):
            overwrite_and_remove(private / f"{VALUES_NAME}{suffix}")


def new_part(folder: Path) -> Path:
    """Make an empty part in :attr:`ChangedValues.parts`, and return it."""
    descriptor, name = tempfile.mkstemp(dir=folder, suffix=".jsonl")
    os.close(descriptor)
    return Path(name)


def write_part(part: Path, changed: Iterable[ChangedValue]) -> None:
    """Append records to a part.

    Raises
    ------
    StorageError
        If they cannot be written.
    """
    with (
        storage_errors("the private folder"),
        part.open("a", encoding="utf-8") as stream,
    ):
        for c in changed:
            contents = map(_to_json, _contents(c))
            stream.write(json.dumps([c.instance, c.place, c.action, *contents]) + "\n")


def _read_part(part: Path) -> Iterator[ChangedValue]:
    with part.open(encoding="utf-8") as stream:
        for line in stream:
            instance, place, action, original, cleaned = json.loads(line)
            yield ChangedValue(
                instance=instance,
                place=place,
                action=action,
                original=_from_json(original),
                cleaned=_from_json(cleaned),
            )


def _contents(changed: ChangedValue) -> tuple[Content, Content]:
    return _shortened(changed.original), _shortened(changed.cleaned)


def _shortened(content: Content) -> Content:
    """Return a value, or of one of more than a mebibyte (pixels) its length and SHA-256."""
    if content is None:
        return None
    raw = content if isinstance(content, bytes) else content.encode("utf-8", "replace")
    if len(raw) > _LONGEST:
        return f"{len(raw)} bytes, SHA-256 {hashlib.sha256(raw).hexdigest()}"
    return raw.decode() if isinstance(content, str) else raw


def _to_json(content: Content) -> str | list[str] | None:
    if isinstance(content, bytes):
        return [base64.b64encode(content).decode("ascii")]
    return content


def _from_json(content: str | list[str] | None) -> Content:
    return base64.b64decode(content[0]) if isinstance(content, list) else content


def _digest(content: str | bytes) -> bytes:
    kind, raw = (b"t", content.encode()) if isinstance(content, str) else (b"b", content)
    return hashlib.sha256(kind + raw).digest()


@contextlib.contextmanager
def _database_errors() -> Iterator[None]:
    """Turn what SQLite says of a full disk or a broken file into an error with a cure.

    Raises
    ------
    StorageError
        If the database cannot be written.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise StorageError(
            "the database of changed values in the private folder cannot be written",
            cure="check free space and permissions, or delete it: bidsanon vault forget-values",
        ) from error
