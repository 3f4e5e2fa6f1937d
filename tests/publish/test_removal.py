"""What adding a session did, removing it undoes: to the byte, in any order, or not at all."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from additions import add, journal, place_of, remove
from hypothesis import given, settings
from hypothesis import strategies as st
from tree_digests import tree_digest

from bidsanon.bids.tables import read_table
from bidsanon.errors import ConflictError, PolicyError, StorageError, UsageError
from bidsanon.publish import Ledger, interrupted, recover
from bidsanon.publish import transaction as redo_log

SESSIONS = ["01/a", "01/b", "02/a", "03", "04/a"]


@pytest.fixture(scope="module")
def unsynced() -> Iterator[None]:
    """Spare the disk: no power is cut here."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "fsync", lambda _: None)
        yield


@contextmanager
def folder() -> Iterator[Path]:
    with TemporaryDirectory() as name:
        yield Path(name) / "ds"


def participants(dataset: Path) -> list[str]:
    rows = read_table((dataset / "participants.tsv").read_text()).rows
    return [row["participant_id"] for row in rows]


@pytest.mark.usefixtures("unsynced")
@settings(max_examples=8)
@given(order=st.permutations(SESSIONS), out=st.sets(st.sampled_from(SESSIONS)))
def test_a_dataset_without_sessions_is_as_if_they_had_never_come(
    order: list[str], out: set[str]
) -> None:
    with folder() as dataset, folder() as without:
        for name in order:
            add(dataset, name)
        for name in [name for name in reversed(SESSIONS) if name in out]:
            remove(dataset, name)
        for name in [name for name in order if name not in out]:
            add(without, name)
        # Both are called "ds", since a new dataset is named after its folder.
        assert dataset.exists() == without.exists()
        assert tree_digest(dataset) == tree_digest(without)


@pytest.mark.usefixtures("unsynced")
@settings(max_examples=12)
@given(data=st.data(), before=st.permutations(SESSIONS[1:]))
def test_adding_and_removing_leaves_the_dataset_byte_for_byte(
    data: st.DataObject, before: list[str]
) -> None:
    """Whatever somebody wrote at the root in between."""
    with folder() as dataset:
        for name in before[: data.draw(st.integers(0, 4))]:
            add(dataset, name)
            if data.draw(st.booleans()):
                edit(dataset, data.draw(st.sampled_from(sorted(EDITS))))
        digest = tree_digest(dataset)
        there = dataset.exists()
        add(dataset, "01/a")
        remove(dataset, "01/a")
        assert tree_digest(dataset) == digest
        assert dataset.exists() == there


def test_columns_are_defined_as_they_were_where_the_table_was_edited_in_between(
    tmp_path: Path,
) -> None:
    dataset = tmp_path / "ds"
    for name in ("01/b", "02/a"):
        add(dataset, name)
    edit(dataset, "participants.json")
    add(dataset, "04/a")
    edit(dataset, "participants.tsv")
    before = tree_digest(dataset)
    add(dataset, "01/a")
    remove(dataset, "01/a")
    assert tree_digest(dataset) == before


EDITS = {
    "README": "Ours\r\n",
    "participants.tsv": "participant_id\tgroup\r\nsub-02\tcontrol\r\nsub-99\tpatient\r\n",
    "dataset_description.json": '{"Name":"x","BIDSVersion":"1.10.1","Authors":["A"]}',
    "participants.json": '{"group":{"Description":"ours"}}',
    "CHANGES": "1.0.1 2020-01-01\n - ours\n",
}


def edit(dataset: Path, name: str) -> None:
    (dataset / name).write_bytes(EDITS[name].encode())


def test_what_somebody_wrote_at_the_root_stays(tmp_path: Path) -> None:
    dataset = tmp_path / "ds"
    add(dataset, "01/a")
    add(dataset, "02/a")
    table = (dataset / "participants.tsv").read_text().splitlines()
    edited = [table[0] + "\tgroup", table[1] + "\tn/a", table[2] + "\tcontrol"]
    (dataset / "participants.tsv").write_text("\n".join(edited) + "\n")
    edit(dataset, "dataset_description.json")
    remove(dataset, "01/a")
    assert participants(dataset) == ["sub-02"]
    assert "control" in (dataset / "participants.tsv").read_text()
    assert json.loads((dataset / "dataset_description.json").read_text())["Authors"] == ["A"]


def test_a_row_that_somebody_wrote_before_stays(tmp_path: Path) -> None:
    dataset = tmp_path / "ds"
    dataset.mkdir()
    edit(dataset, "participants.tsv")
    before = tree_digest(dataset)
    add(dataset, "02/a")
    remove(dataset, "02/a")
    assert tree_digest(dataset) == before


def test_a_redone_session_goes_as_one(tmp_path: Path) -> None:
    dataset = tmp_path / "ds"
    add(dataset, "02/a")
    before = tree_digest(dataset)
    add(dataset, "01/a")
    add(dataset, "01/a", overwrite=True)
    remove(dataset, "01/a")
    assert tree_digest(dataset) == before


def test_the_row_goes_with_the_last_session(tmp_path: Path) -> None:
    dataset = tmp_path / "ds"
    for name in ("01/a", "01/b", "02/a"):
        add(dataset, name)
    assert not remove(dataset, "01/a").participant_goes
    assert participants(dataset) == ["sub-01", "sub-02"]
    assert remove(dataset, "01/b").participant_goes
    assert participants(dataset) == ["sub-02"]
    assert not (dataset / "sub-01").exists()


def test_the_journal_knows_of_both(tmp_path: Path) -> None:
    dataset = tmp_path / "ds"
    add(dataset, "01/a")
    remove(dataset, "01/a")
    assert journal(dataset) == [("published", "01/a"), ("removed", "01/a")]


def added(dataset: Path) -> str:
    (dataset / "sub-01/ses-a/anat/notes.txt").write_text("by hand")
    return "sub-01/ses-a/anat/notes.txt"


def changed(dataset: Path) -> str:
    (dataset / "sub-01/ses-a/anat/sub-01_ses-a_T1w.json").write_text("by hand")
    return "sub-01_ses-a_T1w.json"


def beside_the_last_session(dataset: Path) -> str:
    (dataset / "sub-01/sub-01_sessions.tsv").write_text("session_id\n")
    return "sub-01_sessions.tsv"


def in_the_row(dataset: Path) -> str:
    header, row = (dataset / "participants.tsv").read_text().splitlines()
    (dataset / "participants.tsv").write_text(f"{header}\thandedness\n{row}\tleft\n")
    return "handedness"


@pytest.mark.parametrize("by_hand", [added, changed, beside_the_last_session, in_the_row])
def test_what_was_done_by_hand_goes_when_it_is_asked_for_alone(
    tmp_path: Path, by_hand: Callable[[Path], str]
) -> None:
    dataset = tmp_path / "ds"
    add(dataset, "01/a")
    named = by_hand(dataset)
    before = tree_digest(dataset)
    with pytest.raises(ConflictError, match=named):
        remove(dataset, "01/a")
    assert tree_digest(dataset) == before
    remove(dataset, "01/a", by_hand_too=True)
    assert not (dataset / "sub-01").exists()


def test_a_session_that_nobody_knows_goes_when_it_is_asked_for_alone(tmp_path: Path) -> None:
    dataset = tmp_path / "ds"
    for name in ("01/a", "02/a"):
        add(dataset, name)
    shutil.rmtree(tmp_path / "ds.private")
    with pytest.raises(ConflictError, match="does not know"):
        remove(dataset, "01/a")
    remove(dataset, "01/a", by_hand_too=True)
    assert participants(dataset) == ["sub-02"]


def test_derivatives_stay_and_are_named(tmp_path: Path) -> None:
    dataset = tmp_path / "ds"
    add(dataset, "01/a")
    for path in ("derivatives/prep/sub-01/ses-a", "derivatives/sub-01/ses-a", "sourcedata/x"):
        (dataset / path).mkdir(parents=True)
    removal = remove(dataset, "01/a")
    assert removal.left == ("derivatives/sub-01/ses-a", "derivatives/prep/sub-01/ses-a")
    assert all((dataset / path).is_dir() for path in removal.left)


@pytest.mark.parametrize("name", ["01", "01/c", "09", "09/a"])
def test_what_is_not_there_cannot_be_removed(tmp_path: Path, name: str) -> None:
    dataset = tmp_path / "ds"
    add(dataset, "01/a")
    with pytest.raises(UsageError):
        remove(dataset, name)


@pytest.mark.parametrize("name", ["README", "README.rst", "participants.tsv"])
@pytest.mark.parametrize("kind", ["latin-1", "folder", "link"])
def test_what_is_no_text_at_the_root_is_told_and_stays(
    name: str, kind: str, tmp_path: Path
) -> None:
    dataset = tmp_path / "ds"
    add(dataset, "01/a")
    place = dataset / name
    place.unlink(missing_ok=True)
    if kind == "latin-1":
        place.write_bytes("\xe9tude".encode("latin-1"))
    elif kind == "folder":
        (place / "ours").mkdir(parents=True)
    else:
        place.symlink_to(tmp_path / "not fetched")
    digest = tree_digest(dataset)
    with pytest.raises(PolicyError, match=f"^{name} of the dataset"):
        add(dataset, "02/a")
    with pytest.raises(PolicyError, match=f"^{name} of the dataset"):
        remove(dataset, "01/a")
    assert tree_digest(dataset) == digest


def test_a_picture_for_the_readme_is_nobodys_business(tmp_path: Path) -> None:
    dataset = tmp_path / "ds"
    add(dataset, "01/a")
    (dataset / "README.png").write_bytes(b"\x89PNG\xff")
    add(dataset, "02/a")
    remove(dataset, "02/a")
    assert participants(dataset) == ["sub-01"]


def test_a_link_that_leads_nowhere_counts_as_changed(tmp_path: Path) -> None:
    dataset = tmp_path / "ds"
    add(dataset, "01/a")
    (file,) = (dataset / "sub-01").rglob("*.json")
    file.unlink()
    file.symlink_to(tmp_path / "not fetched")
    with pytest.raises(ConflictError, match="were added or changed"):
        remove(dataset, "01/a")
    remove(dataset, "01/a", by_hand_too=True)
    assert not (dataset / "sub-01").exists()


def test_what_a_link_leads_to_stays(tmp_path: Path) -> None:
    dataset, elsewhere = tmp_path / "ds", tmp_path / "elsewhere"
    add(dataset, "01/a")
    shutil.move(dataset / "sub-01", elsewhere)
    (dataset / "sub-01").symlink_to(elsewhere)
    digest = tree_digest(elsewhere)
    remove(dataset, "01/a")
    assert not os.path.lexists(dataset / "sub-01")
    assert tree_digest(elsewhere) == digest


def test_a_damaged_ledger_is_told(tmp_path: Path) -> None:
    dataset = tmp_path / "ds"
    add(dataset, "01/a")
    (tmp_path / "ds.private/published/ds.json").write_text('{"additions": [{}], "root": {}}')
    with pytest.raises(StorageError, match="damaged"):
        Ledger.read(tmp_path / "ds.private", dataset)


def test_an_added_file_is_not_overwritten_with_its_session(tmp_path: Path) -> None:
    dataset = tmp_path / "ds"
    add(dataset, "01/a")
    name = added(dataset)
    with pytest.raises(ConflictError, match=name):
        add(dataset, "01/a", overwrite=True)
    assert (dataset / name).read_text() == "by hand"


def test_scans_that_another_session_holds_are_not_published(tmp_path: Path) -> None:
    dataset = tmp_path / "ds"
    add(dataset, "01/a", series="2.25.7")
    before = tree_digest(dataset)
    with pytest.raises(ConflictError, match="sub-01_ses-a"):
        add(dataset, "02/a", series="2.25.7")
    assert tree_digest(dataset) == before
    remove(dataset, "01/a")
    shutil.rmtree(tmp_path / "ds.private/made")
    add(dataset, "02/a", series="2.25.7")


Act = Callable[[Path, str], object]


class Crash(BaseException):
    """Stands for a power cut: nothing after it runs."""


@pytest.mark.parametrize("moment", range(1, 16))
@pytest.mark.parametrize("act", [add, remove])
def test_a_crash_at_any_moment_leaves_all_as_it_was_or_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: int, act: Act
) -> None:
    """The dataset, the ledger and the journal: each of them, and together."""
    dataset = tmp_path / "ds"
    add(dataset, "02/a")
    if act is remove:
        add(dataset, "01/a")
    before = (tree_digest(dataset), len(journal(dataset)))

    count = 0

    def dying(original):  # noqa: ANN001, ANN202 - wraps what changes the disk
        def step(*args: object, **kwargs: object) -> object:
            nonlocal count
            count += 1
            if count >= moment:
                raise Crash
            return original(*args, **kwargs)

        return step

    with monkeypatch.context() as context:
        for method in ("rename", "replace", "unlink", "rmdir"):
            context.setattr(Path, method, dying(getattr(Path, method)))
        context.setattr(redo_log, "remove_tree", lambda _: None)  # the dead clean up nothing
        try:
            act(dataset, "01/a")
        except Crash:
            pass
        else:
            assert moment > 6, "the crash did not strike"
    recover(dataset)
    happened = (tree_digest(dataset), len(journal(dataset)))
    known = {one.session for one in Ledger.read(tmp_path / "ds.private", dataset).additions}
    there = place_of(dataset, "01/a").exists
    assert there == ("sub-01_ses-a" in known)
    assert there == ("sub-01" in participants(dataset))
    if happened[0] == before[0]:
        assert happened == before
    else:
        assert happened[1] == before[1] + 1
    assert not interrupted(dataset)
