"""How persons are counted, and what the vault knows them by."""

from __future__ import annotations

import pytest

from bidsanon.source.person import Patient, count_persons, person_key


def patient(id: str = "", name: str = "", birth_date: str = "", issuer: str = "") -> Patient:  # noqa: A002
    return Patient(id=id, issuer=issuer, name=name, birth_date=birth_date)


@pytest.mark.parametrize(
    "patients",
    [
        [patient("X-1", "Quist^Mara"), patient("x-1 ", "QUIST^MARA^^")],
        [patient("X-1", "Quist^Mara"), patient("X-1", "Quist^Mara^Ida")],
        [patient("X-1", "Quist^Mara Ida"), patient("X-1", "Quist^M.")],
        [patient("X-1", "Quist, Mara"), patient("X-1", "Mara Quist")],
        [patient("X-1", "Müller^Jörg"), patient("X-1", "Mu\u0308ller^Jo\u0308rg")],
        [patient("X-1", "Yamada^Tarou=山田^太郎"), patient("X-1", "Yamada^Tarou")],
        [patient("X-1"), patient("X-1", "Quist^Mara", "19610203")],
        [patient("X-1", "Quist^Mara"), patient("", "Quist^Mara")],
        [patient("X-1", "Quist^Mara"), patient("X-1"), patient("", "Quist^Mara")],
        [patient("X-1", "Quist^Mara", issuer="A"), patient("X-1", "Quist^Mara")],
        [patient("X-1", "Quist^Mara"), patient()],
    ],
)
def test_spellings_of_one_person_are_one(patients: list[Patient]) -> None:
    assert count_persons(patients) == 1


@pytest.mark.parametrize(
    "patients",
    [
        [patient("X-1", "Quist^Mara"), patient("X-2", "Quist^Mara")],
        [patient("X-1", "Quist^Mara", "19610203"), patient("X-1", "Quist^Mara", "19610302")],
        [patient("X-1", "Quist^Mara"), patient("X-1", "Quist^Ida")],
        [patient("X-1", issuer="A"), patient("X-1", issuer="B")],
        [patient("", "Quist^Mara"), patient("", "Lund^Tobias")],
        [patient("", "Quist^Mara", "19610203"), patient("", "Quist^Mara", "19610302")],
        [patient("X-1", "Quist^Mara"), patient("", "Lund^Tobias")],
    ],
)
def test_two_persons_are_two(patients: list[Patient]) -> None:
    assert count_persons(patients) == 2
    assert count_persons(reversed(patients)) == 2


def test_files_that_name_nobody_are_nobody() -> None:
    assert count_persons([patient(), patient(birth_date="19610203")]) == 0


def test_the_key_is_the_id_however_it_is_typed() -> None:
    keys = {
        person_key([patient(" x-1", "Quist^Mara")], study_uid="1.2"),
        person_key([patient("X-1"), patient("", "Quist^Mara")], study_uid="1.3"),
    }
    assert len(keys) == 1


def test_without_an_id_the_key_is_name_and_birth_date() -> None:
    born = person_key([patient("", "Quist^Mara", "19610203")], study_uid="1.2")
    assert born == person_key([patient("", "QUIST^MARA", "19610203")], study_uid="1.3")
    assert born != person_key([patient("", "Quist^Mara", "19620203")], study_uid="1.2")


def test_an_issuer_tells_equal_ids_apart() -> None:
    assert person_key([patient("1", issuer="A")], study_uid="") != person_key(
        [patient("1", issuer="B")], study_uid=""
    )


def test_an_id_is_no_name_and_no_study() -> None:
    keys = {
        person_key([patient("1.2")], study_uid="1.2"),
        person_key([patient("", "1.2")], study_uid="1.2"),
        person_key([], study_uid="1.2"),
    }
    assert len(keys) == 3
