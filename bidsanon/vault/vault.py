"""The vault: one SQLite file in the private folder that holds the key and who became whom.

A person is stored under a keyed hash of what identifies them, never under the original identifier.
Everything else follows from the vault's key, so the same vault gives the same replacements, on
any machine and in any order.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Collection
from datetime import date
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

from bidsanon.dicom.dates import FIRST_SCANNED_YEAR, parse_date
from bidsanon.dicom.uids import is_replacement_uid, replace_uid
from bidsanon.errors import UsageError
from bidsanon.files import make_private_folder, storage_errors
from bidsanon.vault.key import digest, sealed, unlock
from bidsanon.vault.passphrase import read_passphrase
from bidsanon.vault.plan import PersonPlan
from bidsanon.vault.pseudonyms import PseudonymForm, make_pseudonym
from bidsanon.vault.recognition import PERSON, Recogniser
from bidsanon.vault.storage import open_copy, open_stored, transaction, vault_errors
from bidsanon.vault.usage import vault_in_use

EARLIEST_ANCHOR = date(1905, 1, 1)
LATEST_ANCHOR = date(1915, 12, 31)

# 1970 is what a clock says that was never set, and what some programs write for all days.
_SCANNED_YEARS = range(1970, 2101)
_NOMINAL_ANCHOR = date(2015, 1, 1)
_BETWEEN_FIELDS = "\x1f"
_WORD = re.compile(r"\w+")
_FEWEST_DIGITS = 2


class Vault:
    """The memory of one dataset: its key, its persons, their date shifts and labels.

    Made by :meth:`open` or :meth:`preview`, used as a context manager. Several processes may
    have the same vault open.
    """

    def __init__(self, connection: sqlite3.Connection, passphrase: str | None) -> None:
        self._connection = connection
        self._key = unlock(connection, passphrase)

    @classmethod
    def open(cls, private: Path, *, passphrase_file: Path | None = None) -> Self:
        """Open the vault of a private folder; make both where they are not there yet.

        Parameters
        ----------
        private
            The private folder. Only its owner can enter it, and read the vault.
        passphrase_file
            Where the passphrase is, if there is one; None: the variable BIDSANON_PASSPHRASE. A
            vault that is made while there is one is protected by it from the beginning.

        Raises
        ------
        StorageError
            If it cannot be written, or is no vault, or is a newer bidsanon's.
        UsageError
            If the passphrase is wrong or missing, or given for a vault without one, or the key
            was destroyed.
        MissingToolError
            If a passphrase is needed and the package cryptography is not installed.
        ConflictError
            If somebody is destroying or protecting the vault now.
        """
        passphrase = read_passphrase(passphrase_file)
        with storage_errors("the private folder"):
            make_private_folder(private)
        with vault_in_use(private), vault_errors():
            return cls._on(open_stored(private), passphrase)

    @classmethod
    def preview(cls, private: Path, *, passphrase_file: Path | None = None) -> Self:
        """Open a copy in memory, or a new one in memory where there is no vault yet.

        Its answers are those of the vault, and nothing is written: for dry runs.

        Parameters
        ----------
        private, passphrase_file
            As for :meth:`open`.

        Raises
        ------
        StorageError
            If the vault cannot be read.
        UsageError, MissingToolError
            As for :meth:`open`.
        """
        passphrase = read_passphrase(passphrase_file)
        with vault_errors():
            return cls._on(open_copy(private), passphrase)

    @classmethod
    def _on(cls, connection: sqlite3.Connection, passphrase: str | None) -> Self:
        try:
            return cls(connection, passphrase)
        except BaseException:
            connection.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the vault."""
        self._connection.close()

    def person_plan(
        self, person: str, *, subject: str, anchor_date: str = "", instance_uid: str = ""
    ) -> PersonPlan:
        """Return a person's plan: the same one for ever, for the same vault.

        At first sight the person's date shift is stored; the label is not, until
        :meth:`bind_subject`. So a run that is refused binds nobody to a label.

        Parameters
        ----------
        person
            What tells this person from another. Identified; only its keyed hash is stored. One of
            the vault's own pseudonyms stands for the person whose it is: what was de-identified
            with this vault is no second person.
        subject
            The label that the person is to have, without ``sub-``; empty where they get none:
            then it is the one that they have, and where they have none, the plan's pseudonyms
            are made of the key.
        anchor_date
            A date of the person's, YYYYMMDD: the study's of the first session that is seen. The
            shift brings it into 1905 to 1915, so that sessions of the ten years after it stay in
            1925 or before. A day in 2015 stands for one that is empty, invalid, or no day on which
            anybody was scanned (a date that was shifted before, a clock that was not set): the
            shift is never so small that a true date would look like one that was shifted.
        instance_uid
            The SOP Instance UID of one of their files. A scanner may call somebody "sub-01" too:
            where neither the UID nor the date was replaced, a label stands for nobody.

        Raises
        ------
        UsageError
            If the label is somebody else's, or the person has another one.
        """
        with vault_errors(), transaction(self._connection):
            as_label = self._may_hold_labels(anchor_date, instance_uid)
            person_id = self._person_id(person, as_label=as_label)
            self._check_label(person_id, subject)
            self._connection.execute(
                "INSERT OR IGNORE INTO person (id, sealed_shift) VALUES (?, ?)",
                (person_id, sealed(self._shift(person_id, anchor_date), person_id, self._key)),
            )
            shift, label = self._connection.execute(
                "SELECT sealed_shift, subject FROM person WHERE id = ?", (person_id,)
            ).fetchone()
        subject = subject or label or ""
        pseudonym = f"sub-{subject}" if subject else self._pseudonym(person_id)
        return PersonPlan(
            subject=subject,
            patient_id=pseudonym,
            patient_name=pseudonym,
            shift_days=sealed(shift, person_id, self._key),
            uid_key=self._digest("uid"),
            label_key=self._digest("label"),
        )

    def bind_subject(self, person: str, subject: str) -> None:
        """Give a person their label for ever; called when their first session is published.

        Raises
        ------
        UsageError
            If the label is somebody else's, or the person has another one.
        KeyError
            If the person has no plan yet.
        """
        with vault_errors(), transaction(self._connection):
            person_id = self._person_id(person)
            self._check_label(person_id, subject)
            changed = self._connection.execute(
                "UPDATE person SET subject = ? WHERE id = ?", (subject, person_id)
            )
            if not changed.rowcount:
                raise KeyError("a person needs a plan before a label")

    def assign_subject(
        self,
        person: str,
        *,
        taken: Collection[str] = (),
        anchor_date: str = "",
        instance_uid: str = "",
    ) -> str:
        """Return a person's label, and give them the next free number for ever if they have none.

        Several processes that ask at once get a label for each person, and one person the same.

        Parameters
        ----------
        person, anchor_date, instance_uid
            As for :meth:`person_plan`.
        taken
            Labels that are used elsewhere, without ``sub-``.
        """
        with vault_errors(), transaction(self._connection):
            as_label = self._may_hold_labels(anchor_date, instance_uid)
            person_id = self._person_id(person, as_label=as_label)
            known = dict(self._connection.execute("SELECT id, subject FROM person"))
            if known.get(person_id):
                return str(known[person_id])
            label = _next_number({*taken, *filter(None, known.values())})
            self._connection.execute(
                "INSERT OR IGNORE INTO person (id, sealed_shift) VALUES (?, ?)",
                (person_id, sealed(self._shift(person_id, anchor_date), person_id, self._key)),
            )
            self._connection.execute(
                "UPDATE person SET subject = ? WHERE id = ?", (label, person_id)
            )
            return label

    def shifts_by_subject(self) -> dict[str, int]:
        """Return by how many days the dates of each person who has a label are shifted."""
        with vault_errors():
            rows = self._connection.execute(
                "SELECT id, sealed_shift, subject FROM person WHERE subject IS NOT NULL"
            ).fetchall()
        return {label: sealed(shift, person_id, self._key) for person_id, shift, label in rows}

    def recogniser(self) -> Recogniser:
        """Return what tells whom the vault knows."""
        persons = self._connection.execute("SELECT id FROM person")
        return Recogniser(key=self._key, persons=frozenset(bytes(one) for (one,) in persons))

    def _may_hold_labels(self, anchor_date: str, instance_uid: str) -> bool:
        """Tell whether files may be what was de-identified with this vault."""
        day = parse_date(anchor_date)
        if not instance_uid or day is None or day.year < FIRST_SCANNED_YEAR:
            return True
        return is_replacement_uid(instance_uid, key=self._digest("uid"))

    def _person_id(self, person: str, *, as_label: bool = True) -> bytes:
        """Return under which hash a person is stored, also when named by their pseudonym here.

        A study whose person nobody names is known by its UID, whether that was replaced or not.

        Parameters
        ----------
        person
            What tells this person from another.
        as_label
            Whether the label that somebody got here stands for them.
        """
        kind, _, rest = person.partition(_BETWEEN_FIELDS)
        name = rest.partition(_BETWEEN_FIELDS)[0]
        if kind == "study":
            uid = replace_uid(name, key=self._digest("uid"))
            return self._digest(PERSON, f"{kind}{_BETWEEN_FIELDS}{uid}")
        own = self._digest(PERSON, person)
        owners = dict(self._connection.execute("SELECT id, subject FROM person"))
        if own in owners or not name:
            return own
        named = [
            owner
            for owner, label in owners.items()
            if name in _spellings(self._pseudonym(owner))
            or (as_label and label and name in _spellings(f"sub-{label}"))
        ]
        return named[0] if len(named) == 1 else own

    def _check_label(self, person_id: bytes, subject: str) -> None:
        """Refuse a label of somebody else's, and a second label for the same person."""
        if not subject:
            return
        for owner, label in self._connection.execute(
            "SELECT id, subject FROM person WHERE id = ? OR subject = ?", (person_id, subject)
        ):
            if owner != person_id:
                raise UsageError(
                    f"sub-{subject} is somebody else in this vault",
                    cure="give this person another --subject, or check that the source is theirs",
                )
            if label not in {None, subject}:
                raise UsageError(
                    f"this person is sub-{label} in this vault, not sub-{subject}",
                    cure=f"use --subject {label}, or another --private folder for another study",
                )

    def _shift(self, person_id: bytes, anchor_date: str) -> int:
        """Choose the days that bring the anchor to a day of 1905 to 1915.

        A shift of a few years, or of none, would let a later session's dates through.
        """
        anchor = parse_date(anchor_date)
        if anchor is None or anchor.year not in _SCANNED_YEARS:
            anchor = _NOMINAL_ANCHOR
        days = (LATEST_ANCHOR - EARLIEST_ANCHOR).days + 1
        chosen = int.from_bytes(self._digest("shift", person_id.hex())) % days
        return (EARLIEST_ANCHOR - anchor).days + chosen

    def _pseudonym(self, person_id: bytes) -> str:
        key, form = self._digest("label"), PseudonymForm.LONG
        return make_pseudonym(PERSON, person_id.hex(), key=key, form=form)

    def _digest(self, purpose: str, text: str = "") -> bytes:
        return digest(self._key, purpose, text)


def _next_number(labels: Collection[str]) -> str:
    """Return the first number that is no label, however many zeros those begin with."""
    numbers = {label for label in labels if label.isascii() and label.isdecimal()}
    used = {int(label) for label in numbers}
    free = next(number for number in count(1) if number not in used)
    width = max((len(label) for label in numbers), default=_FEWEST_DIGITS)
    return f"{free:0{max(width, _FEWEST_DIGITS)}d}"


def _spellings(pseudonym: str) -> tuple[str, str]:
    """Return how a source's person key spells a pseudonym: as an ID, and as a name's words."""
    folded = pseudonym.casefold()
    return folded, " ".join(sorted(_WORD.findall(folded)))
