"""A source of several persons, and whose each of its files is."""

from __future__ import annotations

from pathlib import Path

import pytest
from instances import write_instance

from bidsanon.progress import Silent
from bidsanon.session import SourceSession
from bidsanon.source import read_source, split_by_person
from bidsanon.source.person import Patient, person_key, person_keys


def patient(id: str = "", name: str = "", birth_date: str = "") -> Patient:  # noqa: A002
    return Patient(id=id, issuer="", name=name, birth_date=birth_date)


def test_each_file_has_the_key_of_its_person_alone() -> None:
    mara, tobias = patient("X-1", "Quist^Mara"), patient("X-2", "Quist^Tobias")
    found = person_keys([(mara, "1.1"), (tobias, "1.2"), (patient("x-1"), "1.3")])
    assert found.keys == (
        person_key([mara], study_uid=""),
        person_key([tobias], study_uid=""),
        person_key([mara], study_uid=""),
    )
    assert found.shared == 0


def test_a_file_that_names_nobody_is_the_persons_of_its_study() -> None:
    mara, tobias = patient("X-1", "Quist^Mara"), patient("X-2", "Quist^Tobias")
    keys = person_keys(
        [(mara, "1.1"), (tobias, "1.2"), (patient(), "1.2"), (patient(), "1.9")]
    ).keys
    assert keys[2] == keys[1]
    assert keys[3] not in keys[:3]


def test_where_one_person_is_named_all_files_are_theirs() -> None:
    keys = person_keys([(patient("X-1"), "1.1"), (patient(), "1.9")]).keys
    assert keys[0] == keys[1]


def test_where_nobody_is_named_each_study_is_a_person() -> None:
    keys = person_keys([(patient(), "1.1"), (patient(), "1.1"), (patient(), "1.2")]).keys
    assert keys[0] == keys[1] != keys[2]


def test_persons_who_share_a_number_are_counted() -> None:
    found = person_keys(
        [(patient("X-1", "Quist^Mara"), "1.1"), (patient("X-1", "Aldwyn^Jo"), "1.2")]
    )
    assert found.shared == 1


def read(folder: Path) -> SourceSession:
    return read_source(
        [folder],
        unpack_into=folder.parent / "unpacked",
        modalities=frozenset({"MR"}),
        progress=Silent(),
    )


def images(folder: Path) -> SourceSession:
    """Two persons, of whom the second has a screenshot too, in series of one number each."""
    folder.mkdir()
    other = {"PatientID": "Y-1", "PatientName": "Aldwyn^Jo", "StudyInstanceUID": "1.2.4"}
    write_instance(folder / "a1", SOPInstanceUID="1.2.3.1.1.1")
    write_instance(folder / "a2", SOPInstanceUID="1.2.3.1.1.2", InstanceNumber=2)
    write_instance(
        folder / "b1", SOPInstanceUID="1.2.4.1.1.1", SeriesInstanceUID="1.2.4.1", **other
    )
    write_instance(
        folder / "b2",
        SOPInstanceUID="1.2.4.1.1.2",
        SeriesInstanceUID="1.2.4.2",
        BurnedInAnnotation="YES",
        **other,
    )
    return read(folder)


def test_a_source_is_split_into_its_persons(tmp_path: Path) -> None:
    source = images(tmp_path / "source")
    first, second = split_by_person(source)
    assert first.person != second.person
    assert [len(s.instances) for s in first.series] == [2]
    assert [len(s.instances) for s in second.series] == [1]
    assert (len(first.quarantine), len(second.quarantine)) == (0, 1)
    assert sorted(s.index for part in (first, second) for s in part.series) == [1, 2]


def test_a_series_of_two_persons_is_split(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    write_instance(tmp_path / "source" / "a", SOPInstanceUID="1.2.3.9.1")
    write_instance(
        tmp_path / "source" / "b",
        SOPInstanceUID="1.2.3.9.2",
        PatientID="Y-1",
        PatientName="Aldwyn^Jo",
    )
    parts = split_by_person(read(tmp_path / "source"))
    assert [[len(s.instances) for s in part.series] for part in parts] == [[1], [1]]


@pytest.mark.parametrize("reason", ["unreadable", "burned-in"])
def test_what_is_nobodys_image_is_in_one_part_all_the_same(tmp_path: Path, reason: str) -> None:
    folder = tmp_path / "source"
    folder.mkdir()
    write_instance(folder / "a", SOPInstanceUID="1.2.3.9.1")
    if reason == "unreadable":
        (folder / "b.dcm").write_bytes(b"no DICOM")
    else:
        write_instance(
            folder / "b",
            SOPInstanceUID="1.2.3.9.2",
            PatientID="Y-1",
            PatientName="Aldwyn^Jo",
            BurnedInAnnotation="YES",
        )
    source = read(folder)
    (part,) = split_by_person(source)
    assert [file.reason.value for file in part.quarantine] == [reason]
