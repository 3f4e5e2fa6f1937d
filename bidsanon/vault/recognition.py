"""Tells whom a vault knows by what a text says, without knowing any original itself.

The vault holds keyed hashes alone. Who has the key can hash what a text says and see whether that
is one of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bidsanon.dicom.uids import replace_uid
from bidsanon.vault.key import digest

PERSON = "person"
"""The purpose of the hash under which a person is stored."""


@dataclass(frozen=True, kw_only=True)
class Recogniser:
    """What a vault knows, as plain data that a worker takes.

    Attributes
    ----------
    key
        The vault's key. Secret.
    persons
        The keyed hashes of its persons.
    """

    key: bytes = field(repr=False)
    persons: frozenset[bytes]

    def is_person(self, person: str) -> bool:
        """Tell whether somebody is known, by what tells persons apart."""
        return digest(self.key, PERSON, person) in self.persons

    def replaced_uid(self, uid: str) -> str:
        """Return what replaces a UID with this vault."""
        return replace_uid(uid, key=digest(self.key, "uid"))
