"""What names of keys and columns mean, and which names people have."""

from __future__ import annotations

import csv

import pytest

from bidsanon.bids.identifying import (
    KEYS,
    NAMES,
    KeyKind,
    is_of_age,
    is_of_date,
    is_usual_name,
    kind_of_column,
    kind_of_key,
    names_person,
    says_nothing,
)
from bidsanon.bids.standard import image_fields
from bidsanon.resources import data_path


def rows(table: str) -> list[dict[str, str]]:
    lines = data_path(table).read_text("utf-8").splitlines()
    return list(csv.DictReader(lines, delimiter="\t"))


def test_the_tables_hold_each_word_once() -> None:
    keys = [row["key"].lower() for row in rows(KEYS)]
    names = [row["name"] for row in rows(NAMES)]
    assert len(keys) >= 242
    assert len(names) == 655
    assert len(set(keys)) == len(keys)
    assert names == sorted(set(names))
    assert {row["where"] for row in rows(KEYS)} == {"any", "json", "table"}


def test_no_field_of_bids_for_images_leads_to_a_person() -> None:
    kinds = {field: kind_of_key(field) for field in image_fields()}
    told = {field for field, kind in kinds.items() if kind}
    assert {kinds[field] for field in told} <= {KeyKind.PLACE, KeyKind.TIME}
    assert "InstitutionName" in told


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("PatientName", KeyKind.PERSON),
        ("patient_name", KeyKind.PERSON),
        ("Patient's Name", KeyKind.PERSON),
        ("(0010,0010)", KeyKind.PERSON),
        ("0010|0020", KeyKind.NUMBER),
        ("00080018", KeyKind.UID),
        ("date of birth", KeyKind.BIRTH),
        ("name", None),
        ("TaskName", None),
        ("EchoTime", None),
        ("x" * 1000, None),
    ],
)
def test_a_key_is_known_however_it_is_spelled(key: str, kind: KeyKind | None) -> None:
    assert kind_of_key(key) is kind


def test_a_name_is_telling_in_a_table_alone() -> None:
    assert kind_of_column("name") is KeyKind.PERSON
    assert kind_of_key("name") is None


def test_dates_and_ages_are_told_by_words() -> None:
    assert all(map(is_of_date, ["acq_time", "ScanDate", "visit date", "AcquisitionDateTime"]))
    assert not any(map(is_of_date, ["update", "candidate", "acquisition", "ReleaseDate", "time"]))
    assert all(map(is_of_age, ["age", "AgeAtScan", "mother_age"]))
    assert not any(map(is_of_age, ["stage", "image", "voltage", "language", "brain_age"]))


def test_what_was_removed_says_nothing() -> None:
    for text in ("", " ", "n/a", "anonymous", "anon-ks76", "REMOVED", "xxx", "000", "2.25.17"):
        assert says_nothing(text)
    for text in ("Doe^Mara", "4711", "1.2.840.1", "Anna", "removed by Anna"):
        assert not says_nothing(text)


def test_persons_are_told_by_dicoms_spelling_or_by_usual_names() -> None:
    for text in ("Doe^Mara", "Smith, Xyla", "Mary Quillfeather", "Jean-Paul Sartre"):
        assert names_person(text)
    for text in ("Healthy Control", "Left, Right", "mary jones", "Mary", "A B"):
        assert not names_person(text)
    assert is_usual_name("ANNA")
    assert not is_usual_name("bold")
