"""How many persons the files are of, and by what the vault knows the one.

The same Patient ID with different birth dates or names is not the same person: numbers are typed,
and a session that mixes two people must not become one subject.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

_WORD = re.compile(r"\w+")
_SEPARATOR = "\x1f"


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Patient:
    """Who a file says it is of. Identified.

    Attributes
    ----------
    id
        Patient ID (0010,0020).
    issuer
        Issuer of Patient ID (0010,0021).
    name
        Patient's Name (0010,0010), in DICOM's component form.
    birth_date
        Patient's Birth Date (0010,0030).
    """

    id: str
    issuer: str
    name: str
    birth_date: str

    @property
    def is_told(self) -> bool:
        """Whether there is an ID or a name."""
        return bool(self.id or self.name)


@dataclass(frozen=True, kw_only=True)
class PersonKeys:
    """Whose the files are. Identified.

    Attributes
    ----------
    keys
        Of each file, what tells its person from another within the vault.
    shared
        How many persons have the key of another: the same ID, but another birth date or name.
    """

    keys: tuple[str, ...]
    shared: int


@lru_cache(maxsize=1 << 10)
def normalised(patient: Patient) -> Patient:
    """Bring spellings that mean the same to one: case, spaces, accents, empty components."""
    return Patient(
        id=_folded(patient.id),
        issuer=_folded(patient.issuer),
        name=" ".join(sorted(_WORD.findall(_folded(_alphabetic(patient.name)).replace("_", " ")))),
        birth_date="".join(c for c in patient.birth_date if c.isdigit()),
    )


def count_persons(patients: Iterable[Patient]) -> int:
    """Return how many persons the files are of, at least.

    Files that name nobody count for no one. One that lacks what another says (the issuer, the
    birth date, the ID) is taken to be of the same person if what both say agrees.
    """
    return len(_persons(patients))


def person_keys(patients: Sequence[tuple[Patient, str]]) -> PersonKeys:
    """Tell of each file whose it is, where the files may be of several persons.

    A file that names nobody is the person's of whom the rest of its study is, where that is one
    person; else its study stands for a person of its own.

    Parameters
    ----------
    patients
        Of each file, who it says it is of, and its Study Instance UID.
    """
    persons = _persons(patient for patient, _ in patients)
    of_patient = {patient: number for number, person in enumerate(persons) for patient in person}
    keys = [person_key(person, study_uid="") for person in persons]
    of_study: dict[str, set[int]] = defaultdict(set)
    for patient, study_uid in patients:
        if patient.is_told:
            of_study[study_uid].add(of_patient[normalised(patient)])

    def key(patient: Patient, study_uid: str) -> str:
        if patient.is_told:
            return keys[of_patient[normalised(patient)]]
        owners = of_study.get(study_uid, set()) if len(keys) > 1 else set(range(len(keys)))
        return keys[min(owners)] if len(owners) == 1 else person_key((), study_uid=study_uid)

    return PersonKeys(
        keys=tuple(key(patient, study_uid) for patient, study_uid in patients),
        shared=len(keys) - len(set(keys)),
    )


def _persons(patients: Iterable[Patient]) -> list[list[Patient]]:
    """Group what the files say of whom they are into persons; each is normalised."""
    told = {normalised(p) for p in patients if p.is_told}
    persons: list[list[Patient]] = []
    for patient in sorted(told, key=lambda p: (-_fullness(p), p)):
        same = next((person for person in persons if _belongs(patient, person)), None)
        if same is None:
            persons.append([patient])
        else:
            same.append(patient)
    return persons


def person_key(patients: Iterable[Patient], *, study_uid: str) -> str:
    """Return what tells this person from another within the vault. Identified.

    Parameters
    ----------
    patients
        Who the files say they are of: one person.
    study_uid
        What stands for the person where no file says who it is.
    """
    told = sorted({normalised(p) for p in patients if p.is_told})
    identified = [p for p in told if p.id]
    if identified:
        issuer = max(p.issuer for p in identified)
        return _SEPARATOR.join(filter(None, ("id", identified[0].id, issuer)))
    if told:
        birth_date = max(p.birth_date for p in told)
        return _SEPARATOR.join(filter(None, ("name", told[0].name, birth_date)))
    return _SEPARATOR.join(("study", study_uid))


def is_patient_id(text: str, person: str) -> bool:
    """Tell whether a text is the Patient ID of a person.

    Parameters
    ----------
    text
        An ID as somebody wrote it.
    person
        From :func:`person_key`.
    """
    kind, *rest = person.split(_SEPARATOR)
    return kind == "id" and bool(rest) and _folded(text) == rest[0]


def _belongs(patient: Patient, person: Iterable[Patient]) -> bool:
    """Whether nothing that is known of a person speaks against it, and an ID or a name for it."""
    return not any(_contradict(patient, other) for other in person) and any(
        (patient.id and other.id) or (patient.name and other.name) for other in person
    )


def _contradict(a: Patient, b: Patient) -> bool:
    return (
        _differ(a.id, b.id)
        or _differ(a.issuer, b.issuer)
        or _differ(a.birth_date, b.birth_date)
        or bool(a.name and b.name and not _names_agree(a.name, b.name))
    )


def _differ(a: str, b: str) -> bool:
    return bool(a and b and a != b)


def _names_agree(a: str, b: str) -> bool:
    """Whether the words of one name are among those of the other, initials included."""
    fewer, more = sorted((a.split(), b.split()), key=len)
    left = list(more)
    for word in sorted(fewer, key=len, reverse=True):
        match = next((w for w in left if w == word), None) or next(
            (w for w in left if w[0] == word[0] and min(len(w), len(word)) == 1), None
        )
        if match is None:
            return False
        left.remove(match)
    return True


def _alphabetic(name: str) -> str:
    """Return the first component group that is filled (PS3.5 6.2.1: alphabetic comes first)."""
    return next((group for group in name.split("=") if group.strip("^ ")), "")


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c for c in decomposed if not unicodedata.combining(c)).split())


def _fullness(patient: Patient) -> int:
    return sum(map(bool, (patient.id, patient.issuer, patient.name, patient.birth_date)))
