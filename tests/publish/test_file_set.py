"""Names by new UIDs, and a medium's directory that says what is on it."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.fileset import FileSet
from sessions import MARA, TOBIAS, bold_mosaic, siemens_t1w, structured_report

from bidsanon.publish import DICOMDIR, arrange, write_dicomdir
from bidsanon.publish.file_set import Uids, medium_paths, uid_path

UIDS = st.integers(0, 300).map(lambda number: f"1.2.{number}")


def a_file(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(path.name)
    return path


def test_files_lie_in_folders_of_their_study_and_series(tmp_path: Path) -> None:
    files = [(a_file(tmp_path / "x" / f"{n}"), ("1.2", "1.2.3", f"1.2.3.{n}")) for n in (7, 8)]
    assert arrange(files, tmp_path / "out", medium=False) == 0
    names = {path.relative_to(tmp_path / "out").as_posix() for path in tmp_path.rglob("*.dcm")}
    assert names == {"1.2/1.2.3/1.2.3.7.dcm", "1.2/1.2.3/1.2.3.8.dcm"}


def test_files_that_would_share_a_name_are_counted_and_stay(tmp_path: Path) -> None:
    files = [(a_file(tmp_path / f"{n}"), ("1.2", "1.2.3", "1.2.3.4")) for n in range(3)]
    assert arrange(files, tmp_path / "out", medium=False) == 2
    assert all(path.exists() for path, _ in files)


@pytest.mark.parametrize("uid", ["", "..", "../../etc", "/tmp/x", "1.2/3", "ü", "1" * 65, "1..2"])  # noqa: S108 - no path is used
def test_what_is_no_uid_is_no_path_either(uid: str) -> None:
    path = uid_path((uid, uid, uid))
    assert re.fullmatch(r"(unknown-[0-9a-f]{16}/){2}unknown-[0-9a-f]{16}\.dcm", path.as_posix())


@given(st.lists(st.tuples(UIDS, UIDS, UIDS), max_size=30))
def test_names_on_a_medium_have_eight_characters_and_are_all_different(files: list[Uids]) -> None:
    paths = medium_paths(files)
    assert len(set(paths.values())) == len(set(files))
    assert all(
        re.fullmatch(r"([A-Z][0-9]){4}", part) for path in paths.values() for part in path.parts
    )
    assert medium_paths(reversed(files)) == paths


def test_two_uids_with_one_name_get_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "bidsanon.publish.file_set._medium_name",
        lambda uid, attempt: f"A{attempt}",  # noqa: ARG005
    )
    paths = medium_paths([("1", "2", "3"), ("1", "2", "4"), ("5", "6", "7")])
    assert sorted(path.as_posix() for path in paths.values()) == [
        "A0/A0/A0",
        "A0/A0/A1",
        "A1/A0/A0",
    ]


@pytest.fixture
def medium(tmp_path: Path) -> Path:
    sources = [
        *siemens_t1w(tmp_path / "a", person=MARA),
        *bold_mosaic(tmp_path / "b", person=MARA),
        *siemens_t1w(tmp_path / "c", person=TOBIAS),
    ]
    files = []
    for path in sources:
        header = dcmread(path, stop_before_pixels=True)
        uids = (header.StudyInstanceUID, header.SeriesInstanceUID, header.SOPInstanceUID)
        files.append((path, tuple(map(str, uids))))
    root = tmp_path / "medium"
    root.mkdir()
    assert arrange(files, root, medium=True) == 0  # type: ignore[arg-type]
    return root


def write(medium: Path) -> int:
    return write_dicomdir(medium, [path for path in medium.rglob("*") if path.is_file()])


def test_a_directory_lists_every_file_of_every_person(medium: Path) -> None:
    files = [path for path in medium.rglob("*") if path.is_file()]
    assert write(medium) == 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        file_set = FileSet(medium / DICOMDIR)
        assert {Path(instance.path) for instance in file_set} == set(files)
        assert set(file_set.find_values("PatientID")) == {MARA.patient_id, TOBIAS.patient_id}
        for instance in file_set:
            header = dcmread(instance.path, stop_before_pixels=True)
            assert header.SOPInstanceUID == instance.SOPInstanceUID
            assert header.SeriesInstanceUID == instance.SeriesInstanceUID
            assert header.file_meta.TransferSyntaxUID == (
                instance.ReferencedTransferSyntaxUIDInFile
            )
        # pydicom leaves its staging folder to the garbage collector, which complains of it.
        file_set._stage["t"].cleanup()


def test_the_images_of_a_series_are_listed_by_their_numbers(medium: Path) -> None:
    write(medium)
    records = dcmread(medium / DICOMDIR).DirectoryRecordSequence
    numbers: list[list[int]] = []
    for record in records:
        if record.DirectoryRecordType == "SERIES":
            numbers.append([])
        elif record.DirectoryRecordType == "IMAGE":
            numbers[-1].append(int(record.InstanceNumber))
    assert len(numbers) == 3
    assert all(series == sorted(series) for series in numbers)


def test_a_directory_is_the_same_bytes_each_time(medium: Path) -> None:
    write(medium)
    first = (medium / DICOMDIR).read_bytes()
    (medium / DICOMDIR).unlink()
    write(medium)
    assert (medium / DICOMDIR).read_bytes() == first


def test_what_a_record_needs_and_an_instance_lacks_says_nothing(tmp_path: Path) -> None:
    path = siemens_t1w(tmp_path)[0]
    header = dcmread(path)
    for keyword in ("StudyDate", "StudyTime", "StudyID", "SeriesNumber", "InstanceNumber"):
        delattr(header, keyword)
    (tmp_path / "M").mkdir()
    header.save_as(tmp_path / "M" / "A1B2C3D4")
    assert write_dicomdir(tmp_path / "M", [tmp_path / "M" / "A1B2C3D4"]) == 0
    records = dcmread(tmp_path / "M" / DICOMDIR).DirectoryRecordSequence
    assert [record.DirectoryRecordType for record in records] == [
        *("PATIENT", "STUDY", "SERIES", "IMAGE")
    ]
    assert records[1].StudyDate == "19000101"
    assert records[3].InstanceNumber == 0


def test_objects_that_are_no_images_are_counted(tmp_path: Path) -> None:
    path = structured_report(tmp_path)[0]
    assert write_dicomdir(tmp_path, [path]) == 1
