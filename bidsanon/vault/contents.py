"""What is in a vault, without its key: for people who ask, and for runs that end early."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

from bidsanon.vault.key import DESTROYED, WRAPPED, stored_secret
from bidsanon.vault.storage import VAULT_NAME, open_copy, schema_version, vault_errors


@dataclass(frozen=True, kw_only=True)
class VaultContents:
    """What a vault holds, without any value of the key.

    Attributes
    ----------
    schema_version
        The version of its tables.
    protected
        Whether the key is wrapped with a passphrase.
    destroyed
        When the key was destroyed, ISO 8601; None where it was not.
    persons
        How many persons have a date shift.
    labels
        The labels that were given for ever, without ``sub-``, sorted.
    """

    schema_version: int
    protected: bool
    destroyed: str | None
    persons: int
    labels: tuple[str, ...]

    @property
    def is_needed(self) -> bool:
        """Whether it may not be thrown away: somebody has a label, or nobody ever may again."""
        return bool(self.labels) or self.destroyed is not None


def read_contents(private: Path) -> VaultContents | None:
    """Read what is in the vault of a private folder; None where there is none.

    Raises
    ------
    StorageError
        If it cannot be read, or is a newer bidsanon's.
    """
    if not (private / VAULT_NAME).is_file():
        return None
    with vault_errors(), contextlib.closing(open_copy(private)) as connection:
        form, value = stored_secret(connection) or ("", b"")
        (persons,) = connection.execute("SELECT count(*) FROM person").fetchone()
        labels = connection.execute("SELECT subject FROM person WHERE subject IS NOT NULL")
        return VaultContents(
            schema_version=schema_version(connection),
            protected=form == WRAPPED,
            destroyed=value.decode() if form == DESTROYED else None,
            persons=persons,
            labels=tuple(sorted(label for (label,) in labels)),
        )
