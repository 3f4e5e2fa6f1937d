"""The vault's file: where it lies, how it is opened and written, what SQLite's errors mean."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from bidsanon.errors import StorageError
from bidsanon.files import (
    PRIVATE_FILE_MODE,
    make_private_folder,
    overwrite_and_remove,
    overwrite_file,
    storage_errors,
    write_bytes,
)

VAULT_NAME = "vault.sqlite"
SCHEMA_VERSION = 2
"""Version 1 held the persons' shifts in plain: see :mod:`bidsanon.vault.vault`."""

_BUSY_S = 30.0
_BESIDE = ("-journal", "-wal", "-shm")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS secret (name TEXT PRIMARY KEY, value BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS person (
    id BLOB PRIMARY KEY,
    sealed_shift INTEGER NOT NULL,
    subject TEXT UNIQUE
);
"""


def open_stored(private: Path) -> sqlite3.Connection:
    """Open the vault of a private folder; make both where they are not there yet.

    Raises
    ------
    StorageError
        If it cannot be written, or is a newer bidsanon's.
    """
    with storage_errors("the private folder"):
        path = make_private_folder(private) / VAULT_NAME
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, PRIVATE_FILE_MODE))
        path.chmod(PRIVATE_FILE_MODE)
    return _prepared(sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None))


def open_copy(private: Path) -> sqlite3.Connection:
    """Open a copy in memory, or a new one in memory where there is no vault yet.

    Raises
    ------
    StorageError
        If it is a newer bidsanon's.
    """
    path = private / VAULT_NAME
    if not path.is_file():
        return new_in_memory()
    memory = sqlite3.connect(":memory:", isolation_level=None)
    _copy(path, memory)
    return _prepared(memory)


def new_in_memory() -> sqlite3.Connection:
    """Make a vault with nothing in it, in memory."""
    return _prepared(sqlite3.connect(":memory:", isolation_level=None))


def write_anew(private: Path, connection: sqlite3.Connection) -> None:
    """Put what a connection holds in place of the vault, and overwrite the old file.

    The caller holds the vault alone. A crash leaves the old vault or the new one.

    Parameters
    ----------
    private
        The private folder. It holds a vault.
    connection
        Holds the new vault, in memory.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    connection.execute("VACUUM")
    path = private / VAULT_NAME
    with storage_errors("the vault"), path.open("r+b") as old:
        write_bytes(path, connection.serialize(), mode=PRIVATE_FILE_MODE)
        overwrite_file(old)
        for suffix in _BESIDE:
            overwrite_and_remove(path.with_name(path.name + suffix))


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Hold the vault's write lock: what is read cannot change before what is written."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


@contextlib.contextmanager
def vault_errors() -> Iterator[None]:
    """Turn what SQLite says of a broken or unwritable file into an error with a cure.

    Raises
    ------
    StorageError
        If the vault cannot be read or written.
    """
    try:
        yield
    except sqlite3.OperationalError as error:
        raise StorageError(
            "the vault in the private folder cannot be written",
            cure="check the folder's permissions and free space, and that no other run hangs",
        ) from error
    except sqlite3.DatabaseError as error:
        raise damaged() from error


def damaged() -> StorageError:
    """Return the error of a vault that cannot be understood."""
    return StorageError(
        "the vault in the private folder is damaged",
        cure="put vault.sqlite back from a backup; a new one would give other pseudonyms",
    )


def schema_version(connection: sqlite3.Connection) -> int:
    """Return by which version of the schema the vault is written."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def _copy(path: Path, memory: sqlite3.Connection) -> None:
    uri = f"{path.resolve().as_uri()}?mode=ro"
    try:
        with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=_BUSY_S)) as stored:
            stored.backup(memory)
    except BaseException:
        memory.close()
        raise


def _prepared(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Make the tables where there are none; what is deleted is overwritten.

    Raises
    ------
    StorageError
        If a newer bidsanon made them.
    """
    try:
        connection.execute("PRAGMA secure_delete = ON")
        _require_known(schema_version(connection))
        if not schema_version(connection):
            connection.executescript(
                f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
            )
    except BaseException:
        connection.close()
        raise
    return connection


def _require_known(version: int) -> None:
    if version > SCHEMA_VERSION:
        raise StorageError(
            "the vault was made by a newer bidsanon", cure="install the newest bidsanon"
        )
