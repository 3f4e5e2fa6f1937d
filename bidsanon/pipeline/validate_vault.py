"""Finds in a dataset what its vault knows by keyed hashes: patient IDs, and UIDs of series."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import lru_cache

from bidsanon.identity import ValueKind
from bidsanon.source.person import Patient, person_key
from bidsanon.validate.residue_needles import Source
from bidsanon.validate.residue_uids import UidFind
from bidsanon.vault import Recogniser

_UID = re.compile(r"(?<![\d.])\d+(?:\.\d+){4,}(?![\d.])", re.ASCII)
_PERHAPS_ID = re.compile(r"[^\s\"',;:()\[\]{}<>=|\\]{3,64}")
_WITHIN = re.compile(r"[^\W_]+")
_MOST_REMEMBERED = 1 << 16
_ID = Source(ValueKind.IDENTIFIER, "the vault, as patient ID")
_SERIES = Source(ValueKind.UID, "the vault, as UID of a series")


class VaultLookup:
    """Looks up what a text says in a vault.

    Parameters
    ----------
    recogniser
        What the vault knows.
    series
        The UIDs that replace those of the series that were published.
    allowed
        Labels that are published on purpose.
    """

    def __init__(
        self, recogniser: Recogniser, series: Collection[str], allowed: Collection[str] = ()
    ) -> None:
        self._series = frozenset(series)
        self._allowed = frozenset(label.lower() for label in allowed)
        self._recogniser = recogniser
        self._is_id = lru_cache(maxsize=_MOST_REMEMBERED)(self._hashes_to_person)

    def find(self, text: str) -> Iterator[UidFind]:
        """Yield the patient IDs and UIDs of series that stand in a text."""
        for match in _PERHAPS_ID.finditer(text):
            whole = match[0].strip("._-/")
            for part in dict.fromkeys((whole, *_WITHIN.findall(whole))):
                if part not in self._allowed and self._is_id(part):
                    yield UidFind(match.start(), part, _ID)
        if self._series:
            for match in _UID.finditer(text):
                if self._recogniser.replaced_uid(match[0]) in self._series:
                    yield UidFind(match.start(), match[0], _SERIES)

    def _hashes_to_person(self, text: str) -> bool:
        patient = Patient(id=text, issuer="", name="", birth_date="")
        return self._recogniser.is_person(person_key([patient], study_uid=""))
