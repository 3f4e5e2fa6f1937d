"""The vault's key (plain, wrapped with a passphrase, or destroyed), and what it seals.

A person's shift is stored sealed with the key: a label beside a shift in plain would tell the true
dates of a published session to whoever has the file, with a passphrase on it or without.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import sqlite3

from bidsanon.errors import UsageError
from bidsanon.vault.passphrase import PASSPHRASE_VARIABLE, unwrap_key, wrap_key
from bidsanon.vault.storage import SCHEMA_VERSION, schema_version, transaction

PLAIN, WRAPPED, DESTROYED = "key", "wrapped key", "destroyed"
"""The names of the one secret of a vault: which of them is there says how the key is kept."""

_KEY_BYTES = 32
_PAD_BYTES = 4


def unlock(connection: sqlite3.Connection, passphrase: str | None) -> bytes:
    """Return the vault's key; a new vault gets one, wrapped where a passphrase is given.

    A vault of an older version is brought up to date.

    Raises
    ------
    UsageError
        If the passphrase is wrong or missing, the vault has none, or its key was destroyed.
    MissingToolError
        If a passphrase is needed and the package cryptography is not installed.
    """
    key = _load(connection, passphrase)
    if schema_version(connection) < SCHEMA_VERSION:
        with transaction(connection):
            _seal_stored_shifts(connection, key)
    return key


def digest(key: bytes, purpose: str, text: str = "") -> bytes:
    """Return a keyed hash for one purpose."""
    return hmac.digest(key, f"{purpose}\0{text}".encode(), hashlib.sha256)


def sealed(shift_days: int, person_id: bytes, key: bytes) -> int:
    """Seal a person's shift with the key; sealing a sealed shift opens it.

    The pad is the person's alone, and a person's shift never changes.
    """
    pad = digest(key, "sealed shift", person_id.hex())
    return shift_days ^ int.from_bytes(pad[:_PAD_BYTES], signed=True)


def stored_secret(connection: sqlite3.Connection) -> tuple[str, bytes] | None:
    """Return how the key is kept, and what is kept; None for a new vault."""
    row = connection.execute("SELECT name, value FROM secret").fetchone()
    return None if row is None else (str(row[0]), bytes(row[1]))


def store_key(connection: sqlite3.Connection, key: bytes, passphrase: str | None) -> None:
    """Keep a key in place of what is kept now: wrapped where a passphrase is given."""
    form, value = (PLAIN, key) if passphrase is None else (WRAPPED, wrap_key(key, passphrase))
    connection.execute("DELETE FROM secret")
    connection.execute("INSERT INTO secret (name, value) VALUES (?, ?)", (form, value))


def _load(connection: sqlite3.Connection, passphrase: str | None) -> bytes:
    with transaction(connection):
        kept = stored_secret(connection)
        if kept is None:
            key = secrets.token_bytes(_KEY_BYTES)
            store_key(connection, key, passphrase)
            return key
    form, value = kept
    if form == DESTROYED:
        raise UsageError(
            "the key of this private folder was destroyed: nobody in it is known any more",
            cure="make an empty folder and name it with --private: it begins with a new key",
        )
    if form == PLAIN:
        if passphrase is not None:
            raise UsageError(
                "a passphrase is given, and the vault is not protected by any",
                cure="protect it with `bidsanon vault protect`, or leave out the passphrase "
                f"(--passphrase-file, {PASSPHRASE_VARIABLE})",
            )
        return value
    if passphrase is None:
        raise UsageError(
            "the vault is protected by a passphrase",
            cure=f"give it with --passphrase-file, or in the variable {PASSPHRASE_VARIABLE}",
        )
    return unwrap_key(value, passphrase)


def _seal_stored_shifts(connection: sqlite3.Connection, key: bytes) -> None:
    """Bring a vault of version 1, which held the shifts in plain, to version 2."""
    if schema_version(connection) >= SCHEMA_VERSION:
        return  # another run was faster
    connection.execute("ALTER TABLE person RENAME COLUMN shift_days TO sealed_shift")
    shifts = connection.execute("SELECT id, sealed_shift FROM person").fetchall()
    connection.executemany(
        "UPDATE person SET sealed_shift = ? WHERE id = ?",
        ((sealed(shift, person_id, key), person_id) for person_id, shift in shifts),
    )
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
