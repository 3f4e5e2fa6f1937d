"""What changes a vault as a whole: a passphrase is put on it or taken off it, it is destroyed.

The vault is written anew and the old file overwritten, so that no page of it keeps what is gone.
Overwriting reaches the file, not the copies that others make of it: backups, snapshots, and what a
solid-state disk or a copying file system leaves behind.
"""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from pathlib import Path

from bidsanon.errors import UsageError
from bidsanon.files import files_below, overwrite_and_remove, remove_tree, storage_errors
from bidsanon.vault.key import DESTROYED, PLAIN, WRAPPED, store_key, stored_secret, unlock
from bidsanon.vault.passphrase import PASSPHRASE_VARIABLE
from bidsanon.vault.storage import (
    VAULT_NAME,
    new_in_memory,
    open_copy,
    open_stored,
    vault_errors,
    write_anew,
)
from bidsanon.vault.usage import LOCK_NAME, vault_alone

_STAYS = frozenset({VAULT_NAME, "journal.jsonl", "decisions.json", LOCK_NAME})
"""What destroying leaves in a private folder: a vault without a key, and what identifies nobody.

Without what a person decided about defaced images, somebody would have to look at all of them again
before the dataset is shared.
"""


def protect_vault(private: Path, passphrase: str | None) -> None:
    """Wrap the vault's key with a passphrase.

    Raises
    ------
    UsageError
        If there is no vault or no passphrase, or the vault has one already.
    ConflictError
        If a run uses it now.
    MissingToolError
        If the package cryptography is not installed.
    """
    if passphrase is None:
        raise UsageError(
            "no passphrase is given",
            cure=f"give it with --passphrase-file, or in the variable {PASSPHRASE_VARIABLE}",
        )
    _keep_key(private, expected=PLAIN, old=None, new=passphrase)


def unprotect_vault(private: Path, passphrase: str | None) -> None:
    """Keep the vault's key in plain again.

    Raises
    ------
    UsageError
        If there is no vault, it has no passphrase, or it has another one.
    ConflictError
        If a run uses it now.
    MissingToolError
        If the package cryptography is not installed.
    """
    _keep_key(private, expected=WRAPPED, old=passphrase, new=None)


def destroy_vault(private: Path) -> None:
    """Destroy the key, every shift and all else in a private folder that leads to a person.

    What stays is the journal, what a person decided about defaced images, and a vault that says it
    was destroyed: a later run with this folder is refused, since it would take persons that are
    published for new ones. The originals themselves are not bidsanon's.

    Raises
    ------
    UsageError
        If there is no vault.
    ConflictError
        If a run uses it now.
    StorageError
        If something cannot be overwritten or removed.
    """
    _require_vault(private)
    with vault_alone(private):
        _write_destroyed(private)
        with storage_errors("the private folder"):
            for path in sorted(private.iterdir()):
                if path.name not in _STAYS:
                    _remove(path)


def forgotten_by_destroying(private: Path) -> tuple[str, ...]:
    """Name what :func:`destroy_vault` removes from a private folder besides the key, sorted."""
    return tuple(sorted(p.name for p in private.iterdir() if p.name not in _STAYS))


def _keep_key(private: Path, *, expected: str, old: str | None, new: str | None) -> None:
    _require_vault(private)
    with vault_alone(private), vault_errors():
        with contextlib.closing(open_stored(private)) as stored:
            kept, _ = stored_secret(stored) or (PLAIN, b"")
            if kept not in {expected, DESTROYED}:
                raise UsageError(
                    "the vault is protected by a passphrase already"
                    if kept == WRAPPED
                    else "the vault is not protected by a passphrase",
                    cure="`bidsanon vault show` says how it is",
                )
            key = unlock(stored, old)
        with contextlib.closing(open_copy(private)) as memory:
            store_key(memory, key, new)
            write_anew(private, memory)


def _write_destroyed(private: Path) -> None:
    """Put a vault without a key in place of one, whatever state that is in."""
    with vault_errors(), contextlib.closing(new_in_memory()) as memory:
        moment = datetime.now(UTC).isoformat(timespec="seconds")
        memory.execute("INSERT INTO secret VALUES (?, ?)", (DESTROYED, moment.encode()))
        write_anew(private, memory)


def _require_vault(private: Path) -> None:
    if not (private / VAULT_NAME).is_file():
        raise UsageError(
            "there is no vault in this private folder",
            cure="name the dataset, or the private folder itself",
        )


def _remove(path: Path) -> None:
    """Overwrite every file below a path, and remove it."""
    if path.is_symlink() or not path.is_dir():
        overwrite_and_remove(path)
        return
    for file in files_below(path):
        overwrite_and_remove(file)
    remove_tree(path)
