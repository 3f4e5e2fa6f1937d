"""The private folder of a run: what stays of it, and what is gone however the run ends."""

from pathlib import Path

import pytest

from bidsanon.audit import JOURNAL_NAME
from bidsanon.pipeline.workspace import Workspace, workspace
from bidsanon.vault import Vault, read_contents


@pytest.fixture
def private(tmp_path: Path) -> Path:
    return tmp_path / "ds.private"


def plan_someone(private: Path) -> None:
    with Vault.open(private) as vault:
        vault.person_plan("somebody", subject="01")


def test_nothing_is_left_of_a_private_folder_in_which_nothing_was_decided(private: Path) -> None:
    with workspace(private, "sub-01") as space:
        plan_someone(private)
        (space.folder("dicom") / "000001.dcm").touch()
    assert list(private.parent.iterdir()) == []


def test_a_private_folder_that_was_there_keeps_what_is_in_it(private: Path) -> None:
    plan_someone(private)
    with workspace(private, "sub-01") as space:
        space.folder("dicom")
    assert (private / "vault.sqlite").exists()
    assert list((private / "work").iterdir()) == []


def test_a_private_folder_with_a_record_of_a_run_stays(private: Path) -> None:
    with workspace(private, "sub-01"):
        (private / JOURNAL_NAME).touch()
    assert (private / JOURNAL_NAME).exists()


def test_a_vault_in_which_somebody_has_a_label_is_never_thrown_away(private: Path) -> None:
    with workspace(private, "sub-01"):
        plan_someone(private)
        with Vault.open(private) as vault:
            vault.bind_subject("somebody", "01")
    contents = read_contents(private)
    assert contents is not None
    assert contents.labels == ("01",)


def test_a_private_folder_in_which_somebody_else_is_at_work_stays(private: Path) -> None:
    other = Workspace(private=private, name="sub-02")
    with workspace(private, "sub-01"):
        other.begin()
    assert other.work.is_dir()
