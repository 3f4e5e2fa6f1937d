"""The dataset is as it was, or complete: never anything between."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import pytest
from additions import journal_line
from tree_digests import tree_digest

from bidsanon.audit import Outcome
from bidsanon.files import make_private_folder
from bidsanon.publish import Item, Memory, install, interrupted, publishing_folder, recover
from bidsanon.publish import transaction as redo_log


def a_session(folder: Path, text: str) -> Path:
    (folder / "anat").mkdir(parents=True)
    (folder / "anat" / "sub-01_T1w.json").write_text(text)
    return folder


def items_for(folder: Path, text: str) -> list[Item]:
    return [
        Item(path=PurePosixPath("sub-01/ses-01"), content=a_session(folder, text)),
        Item(path=PurePosixPath("participants.tsv"), content=text),
        Item(path=PurePosixPath("README"), content=text),
    ]


def test_a_new_dataset_appears_with_everything_in_it(tmp_path: Path) -> None:
    dataset = tmp_path / "ds"
    install(dataset, items_for(tmp_path / "new", "one"))
    assert (dataset / "sub-01/ses-01/anat/sub-01_T1w.json").read_text() == "one"
    assert (dataset / "participants.tsv").read_text() == "one"
    assert not interrupted(dataset)


def test_what_stood_there_is_replaced_and_the_rest_stays(tmp_path: Path) -> None:
    dataset = tmp_path / "ds"
    install(dataset, items_for(tmp_path / "a", "one"))
    (dataset / "sub-01/ses-01/anat/old.json").write_text("old")
    (dataset / "sub-02").mkdir()
    install(dataset, items_for(tmp_path / "b", "two"))
    assert (dataset / "sub-01/ses-01/anat/sub-01_T1w.json").read_text() == "two"
    assert not (dataset / "sub-01/ses-01/anat/old.json").exists()
    assert (dataset / "sub-02").is_dir()


def test_what_is_published_can_be_read_by_others(tmp_path: Path) -> None:
    dataset = tmp_path / "ds"
    folder = a_session(tmp_path / "new", "one")
    folder.chmod(0o700)
    install(dataset, [Item(path=PurePosixPath("sub-01"), content=folder)])
    assert (dataset / "sub-01").stat().st_mode & 0o777 == 0o755
    assert (dataset / "sub-01/anat/sub-01_T1w.json").stat().st_mode & 0o777 == 0o644


class Crash(BaseException):
    """Stands for a power cut: nothing after it runs."""


def crash_at(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Let the process die at its n-th rename, of which each is one change on the disk."""
    count = 0
    rename, replace = Path.rename, Path.replace

    def dying(original):  # noqa: ANN001, ANN202 - wraps two methods of pathlib
        def step(self: Path, target: Path) -> Path:
            nonlocal count
            count += 1
            if count == number:
                raise Crash
            return original(self, target)

        return step

    monkeypatch.setattr(Path, "rename", dying(rename))
    monkeypatch.setattr(Path, "replace", dying(replace))
    monkeypatch.setattr(redo_log, "remove_tree", lambda _: None)  # the dead clean up nothing


@pytest.mark.parametrize("moment", range(1, 10))
def test_a_crash_at_any_moment_leaves_the_dataset_as_it_was_or_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    dataset = tmp_path / "ds"
    install(dataset, items_for(tmp_path / "a", "one"))
    before = tree_digest(dataset)
    install(tmp_path / "other", items_for(tmp_path / "b", "two"))
    after = tree_digest(tmp_path / "other")

    new = items_for(tmp_path / "c", "two")
    with monkeypatch.context() as context:
        crash_at(context, moment)
        try:
            install(dataset, new)
        except Crash:
            pass
        else:
            assert moment > 7, "the crash did not strike"
    recover(dataset)

    assert tree_digest(dataset) in {before, after}
    assert not interrupted(dataset)


def decide(
    monkeypatch: pytest.MonkeyPatch,
    dataset: Path,
    items: list[Item],
    *,
    memory: Memory | None = None,
) -> None:
    """Let the process die as soon as a change is decided."""

    def dying(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as context:
        context.setattr(redo_log, "_apply", dying)
        with pytest.raises(Crash):
            install(dataset, items, memory=memory)
    assert interrupted(dataset)


def test_a_decided_change_is_brought_to_its_end_before_the_next_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = tmp_path / "ds"
    decide(monkeypatch, dataset, [Item(path=PurePosixPath("README"), content="one")])
    install(dataset, [Item(path=PurePosixPath("CHANGES"), content="two")])
    assert (dataset / "README").read_text() == "one"
    assert (dataset / "CHANGES").read_text() == "two"


def test_everything_is_on_the_disk_before_the_change_is_decided(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = tmp_path / "ds"
    log = publishing_folder(dataset) / "change"
    synced = []

    def noted(paths: Iterable[Path]) -> None:
        synced.append(({path.name for path in paths}, (log / "commit.json").exists()))

    monkeypatch.setattr(redo_log, "sync_all", noted)
    install(dataset, items_for(tmp_path / "new", "one"))
    laid_out, decided = synced[0]
    assert laid_out >= {"new-0", "new-1", "new-2", "sub-01_T1w.json"}
    assert not decided


@pytest.mark.parametrize("trouble", [OSError(28, os.strerror(28)), KeyboardInterrupt()])
def test_a_change_that_cannot_be_laid_out_leaves_nothing(
    trouble: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = tmp_path / "ds"

    def full(*_: object, **__: object) -> None:
        raise trouble

    monkeypatch.setattr(redo_log, "write_text", full)
    with pytest.raises(type(trouble)):
        install(dataset, items_for(tmp_path / "a", "one"))
    assert not dataset.exists()
    assert not (publishing_folder(dataset) / "change").exists()


def test_a_link_that_leads_nowhere_goes_too(tmp_path: Path) -> None:
    dataset = tmp_path / "ds"
    install(dataset, items_for(tmp_path / "a", "one"))
    (dataset / "CHANGES").symlink_to("nowhere")
    install(dataset, [Item(path=PurePosixPath("CHANGES"), content=None)])
    assert not os.path.lexists(dataset / "CHANGES")


@pytest.mark.parametrize("locked", ["ds", "ds/sub-01", "ds/sub-01/ses-01"])
def test_a_change_that_may_not_be_made_is_not_decided(
    locked: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = tmp_path / "ds"
    install(dataset, items_for(tmp_path / "a", "one"))
    before = tree_digest(dataset)
    allowed = os.access
    # Root may write anywhere, so the answer is made up.
    monkeypatch.setattr(
        os, "access", lambda path, mode: path != tmp_path / locked and allowed(path, mode)
    )
    with pytest.raises(PermissionError):
        install(dataset, items_for(tmp_path / "b", "two"))
    monkeypatch.undo()
    assert not interrupted(dataset)
    assert not recover(dataset)
    assert tree_digest(dataset) == before


def test_a_file_takes_the_place_of_a_link_and_what_that_led_to_stays(tmp_path: Path) -> None:
    dataset = tmp_path / "ds"
    install(dataset, items_for(tmp_path / "a", "one"))
    (tmp_path / "annex").write_text("old")
    (dataset / "README").unlink()
    (dataset / "README").symlink_to(tmp_path / "annex")
    new = tmp_path / "new"
    new.write_text("new")
    new.chmod(0o440)

    install(dataset, [Item(path=PurePosixPath("README"), content=new)])

    assert not (dataset / "README").is_symlink()
    assert (dataset / "README").read_text() == "new"
    assert (dataset / "README").stat().st_mode & 0o777 == 0o440
    assert (tmp_path / "annex").read_text() == "old"


def test_many_files_are_changed_at_once(tmp_path: Path) -> None:
    names = [PurePosixPath(f"sub-{n:03d}/note") for n in range(300)]
    install(tmp_path / "ds", [Item(path=name, content=str(name)) for name in names])
    assert all((tmp_path / "ds" / name).read_text() == str(name) for name in names)


def test_what_happened_is_remembered_without_a_file_of_its_own(tmp_path: Path) -> None:
    private = make_private_folder(tmp_path / "private")
    items = [Item(path=PurePosixPath("README"), content="x")]
    memory = Memory(private=private, line=journal_line("01", Outcome.PUBLISHED))
    install(tmp_path / "ds", items, memory=memory)
    assert [path.name for path in private.iterdir()] == ["journal.jsonl"]


def test_what_was_destroyed_meanwhile_is_not_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = make_private_folder(tmp_path / "private")
    items = [Item(path=PurePosixPath("README"), content="x")]
    memory = Memory(private=private, line=journal_line("01", Outcome.PUBLISHED))
    decide(monkeypatch, tmp_path / "ds", items, memory=memory)
    private.rmdir()
    assert recover(tmp_path / "ds")
    assert (tmp_path / "ds" / "README").read_text() == "x"
    assert not private.exists()


def test_a_folder_that_is_made_again_after_a_crash_is_replaced_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = tmp_path / "ds"
    install(dataset, items_for(tmp_path / "a", "one"))
    decide(monkeypatch, dataset, items_for(tmp_path / "b", "two"))
    aside = make_private_folder(publishing_folder(dataset) / "change" / "old")
    (dataset / "sub-01/ses-01").rename(aside / "0")
    a_session(dataset / "sub-01/ses-01", "by hand")
    assert recover(dataset)
    assert (dataset / "sub-01/ses-01/anat/sub-01_T1w.json").read_text() == "two"
