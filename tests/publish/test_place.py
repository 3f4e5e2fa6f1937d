"""Where a session may go."""

from __future__ import annotations

from pathlib import Path

import pytest

from bidsanon.errors import ConflictError, UsageError
from bidsanon.publish import (
    Publication,
    SessionPlace,
    clean_label,
    dataset_lock,
    publish_session,
    require_dataset_folder,
    require_free,
    session_claim,
)


@pytest.mark.parametrize(("given", "label"), [("01", "01"), ("sub-01", "01"), ("A1b", "A1b")])
def test_a_label_may_carry_its_prefix(given: str, label: str) -> None:
    assert clean_label(given, prefix="sub-") == label


@pytest.mark.parametrize("given", ["", "sub-", "0 1", "01_02", "../01", "Müller", "a-b", "01\n"])
def test_a_label_holds_letters_and_digits_only(given: str) -> None:
    with pytest.raises(UsageError, match="letters and digits"):
        clean_label(given, prefix="sub-")


def test_a_file_is_no_dataset(tmp_path: Path) -> None:
    (tmp_path / "ds").write_text("")
    with pytest.raises(UsageError, match="is a file"):
        require_dataset_folder(tmp_path / "ds", private=tmp_path / "private")


def test_a_folder_of_other_things_is_no_dataset(tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").write_text("")
    with pytest.raises(UsageError, match="no BIDS dataset"):
        require_dataset_folder(tmp_path, private=tmp_path.parent / "private")


@pytest.mark.parametrize("private", ["ds/private", "ds", "."])
def test_private_folder_and_dataset_stay_apart(tmp_path: Path, private: str) -> None:
    with pytest.raises(UsageError, match="must not lie within each other"):
        require_dataset_folder(tmp_path / "ds", private=tmp_path / private)


def test_a_session_that_exists_is_refused_unless_overwritten(tmp_path: Path) -> None:
    place = SessionPlace(dataset=tmp_path, subject="01", session="01")
    (tmp_path / "sub-01" / "ses-01" / "anat").mkdir(parents=True)
    with pytest.raises(ConflictError, match="exists already"):
        require_free(place, overwrite=False)
    require_free(place, overwrite=True)


@pytest.mark.parametrize("overwrite", [True, False])
def test_overwriting_a_subject_never_removes_its_sessions(tmp_path: Path, overwrite: bool) -> None:
    (tmp_path / "sub-01" / "ses-01").mkdir(parents=True)
    with pytest.raises(ConflictError, match="has sessions"):
        require_free(
            SessionPlace(dataset=tmp_path, subject="01", session=None), overwrite=overwrite
        )


def test_a_subject_without_sessions_does_not_get_one(tmp_path: Path) -> None:
    (tmp_path / "sub-01" / "anat").mkdir(parents=True)
    with pytest.raises(ConflictError, match="has no sessions"):
        require_free(SessionPlace(dataset=tmp_path, subject="01", session="02"), overwrite=True)


def test_a_dataset_is_written_by_one_at_a_time(tmp_path: Path) -> None:
    with (
        dataset_lock(tmp_path / "ds"),
        pytest.raises(ConflictError, match="somebody else"),
        dataset_lock(tmp_path / "ds", timeout_s=0.05),
    ):
        pass


def test_a_session_is_converted_by_one_at_a_time(tmp_path: Path) -> None:
    work = tmp_path / "work" / "sub-01"
    with (
        session_claim(work),
        pytest.raises(ConflictError, match="another process"),
        session_claim(work),
    ):
        pass


def test_publishing_checks_again_under_the_lock(tmp_path: Path) -> None:
    place = SessionPlace(dataset=tmp_path / "ds", subject="01", session=None)
    (tmp_path / "new" / "anat").mkdir(parents=True)
    (place.dataset / "sub-01").mkdir(parents=True)
    (place.dataset / "sub-01" / "anat").mkdir()
    publication = Publication(
        place=place,
        folder=tmp_path / "new",
        participant={"participant_id": "sub-01"},
        tools={},
        series=(),
        private=tmp_path / "ds.private",
        journal_line="{}",
    )
    with pytest.raises(ConflictError, match="exists already"):
        publish_session(publication, bind=lambda: None, overwrite=False)
    assert (tmp_path / "new" / "anat").is_dir()
