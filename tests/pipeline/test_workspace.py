"""The private folder of a run: what stays of it, and what is gone however the run ends."""

from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from bidsanon.audit import JOURNAL_NAME
from bidsanon.pipeline import workspace as workspaces
from bidsanon.pipeline.workspace import Workspace, claimed_workspace, nameless_workspace
from bidsanon.vault import Vault, read_contents


@pytest.fixture
def private(tmp_path: Path) -> Path:
    return tmp_path / "ds.private"


def workspace(private: Path, name: str) -> AbstractContextManager[Workspace]:
    return claimed_workspace(private, name, words="the private folder")


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
    assert [path for path in (private / "work").iterdir() if path.is_dir()] == []


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


def test_whoever_comes_at_once_never_takes_anothers_folder_for_a_crashed_runs(
    private: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another run comes in each moment in which the first one's folder is made and removed."""
    moments: list[bool] = []

    def come(space: Workspace) -> None:
        if not moments:
            moments.append(space.work.exists())
            with nameless_workspace(private, words="the private folder"):
                moments.append(space.work.exists())

    begin, remove_tree = Workspace.begin, workspaces.remove_tree
    first: list[Workspace] = []

    def begin_while_another_comes(space: Workspace) -> None:
        begin(space)
        first.append(space)
        come(first[0])

    def remove_while_another_comes(path: Path) -> None:
        if path == first[0].work:
            moments.clear()
            come(first[0])
            assert moments == [True, True]
        remove_tree(path)

    monkeypatch.setattr(Workspace, "begin", begin_while_another_comes)
    monkeypatch.setattr(workspaces, "remove_tree", remove_while_another_comes)
    with nameless_workspace(private, words="the private folder"):
        assert moments == [True, True]
    assert not first[0].work.exists()
