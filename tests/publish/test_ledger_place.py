"""A dataset's ledger is found wherever a lab moves the dataset, and never taken for another's."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from additions import journal_line, place_of

from bidsanon.audit import Outcome
from bidsanon.publish import Ledger, Publication, publish_session
from bidsanon.publish.ledger_place import find_ledger
from bidsanon.publish.removal import plan_removal
from bidsanon.publish.upkeep import keeping_own

IMAGE = "sub-01/anat/sub-01_T1w.nii.gz"


@pytest.fixture
def private(tmp_path: Path) -> Path:
    return tmp_path / "private"


def publish(dataset: Path, private: Path, name: str = "01", content: str = "an image") -> None:
    place = place_of(dataset, name)
    folder = private / "made" / place.name
    (folder / "anat").mkdir(parents=True)
    (folder / "anat" / f"{place.name}_T1w.nii.gz").write_text(content)
    (folder / "anat" / f"{place.name}_T1w.json").write_text("{}")
    publication = Publication(
        place=place,
        folder=folder,
        participant={"participant_id": f"sub-{place.subject}"},
        tools={"bidsanon": "0.1.0"},
        series=(f"2.25.{name}",),
        private=private,
        journal_line=journal_line(name, Outcome.PUBLISHED),
    )
    publish_session(publication, bind=lambda: None, overwrite=False)


def sessions(private: Path, dataset: Path) -> list[str]:
    return [one.session for one in Ledger.read(private, dataset).additions]


def ledgers(private: Path) -> list[str]:
    return sorted(path.name for path in (private / "published").iterdir())


def test_a_dataset_that_was_renamed_or_moved_keeps_its_ledger(
    tmp_path: Path, private: Path
) -> None:
    publish(tmp_path / "ds", private)
    moved = tmp_path / "elsewhere" / "renamed"
    moved.parent.mkdir()
    (tmp_path / "ds").rename(moved)
    assert plan_removal(place_of(moved, "01"), private=private).by_hand == ()

    publish(moved, private, "02")
    assert sessions(private, moved) == ["sub-01", "sub-02"]
    assert ledgers(private) == ["ds.json"]
    assert json.loads((private / "published/ds.json").read_text())["dataset"] == str(moved)


def test_the_private_folder_may_move_too(tmp_path: Path, private: Path) -> None:
    publish(tmp_path / "ds", private)
    (tmp_path / "ds").rename(tmp_path / "renamed")
    private.rename(tmp_path / "renamed.private")
    assert sessions(tmp_path / "renamed.private", tmp_path / "renamed") == ["sub-01"]


def test_two_datasets_of_one_name_have_a_ledger_each(tmp_path: Path, private: Path) -> None:
    first, second = tmp_path / "a" / "ds", tmp_path / "b" / "ds"
    publish(first, private, content="one head")
    publish(second, private, content="another head")
    assert len(ledgers(private)) == 2
    for dataset in (first, second):
        assert sessions(private, dataset) == ["sub-01"]
        assert plan_removal(place_of(dataset, "01"), private=private).by_hand == ()

    first.rename(tmp_path / "a" / "moved")
    assert plan_removal(place_of(tmp_path / "a" / "moved", "01"), private=private).known
    assert plan_removal(place_of(second, "01"), private=private).by_hand == ()


def test_another_dataset_of_the_name_does_not_take_the_ledger_of_one_that_moved(
    tmp_path: Path, private: Path
) -> None:
    publish(tmp_path / "ds", private)
    (tmp_path / "ds").rename(tmp_path / "old")
    publish(tmp_path / "old", private, "02")
    publish(tmp_path / "ds", private, content="another head")
    assert sessions(private, tmp_path / "old") == ["sub-01", "sub-02"]
    assert sessions(private, tmp_path / "ds") == ["sub-01"]


def test_a_copy_knows_what_its_original_knew_and_then_has_its_own(
    tmp_path: Path, private: Path
) -> None:
    original, copy = tmp_path / "ds", tmp_path / "copy"
    publish(original, private)
    shutil.copytree(original, copy)
    assert sessions(private, copy) == ["sub-01"]

    publish(copy, private, "02")
    assert sessions(private, copy) == ["sub-01", "sub-02"]
    assert sessions(private, original) == ["sub-01"]
    assert ledgers(private) == ["copy.json", "ds.json"]


def test_what_bidsanon_changes_in_a_moved_dataset_stays_its_own(
    tmp_path: Path, private: Path
) -> None:
    publish(tmp_path / "ds", private)
    moved = (tmp_path / "ds").rename(tmp_path / "moved")
    with keeping_own(private, moved, [IMAGE]):
        (moved / IMAGE).write_text("defaced again")
    assert plan_removal(place_of(moved, "01"), private=private).by_hand == ()


def test_a_dataset_of_which_every_image_is_another_is_not_known(
    tmp_path: Path, private: Path
) -> None:
    publish(tmp_path / "ds", private)
    other = (tmp_path / "ds").rename(tmp_path / "other")
    (other / IMAGE).write_text("another image")
    assert not sessions(private, other)


def test_a_ledger_that_does_not_say_where_its_dataset_was_is_known_by_its_images(
    tmp_path: Path, private: Path
) -> None:
    publish(tmp_path / "ds", private)
    file = private / "published" / "ds.json"
    content = json.loads(file.read_text())
    del content["dataset"]
    file.write_text(json.dumps(content))
    assert sessions(private, tmp_path / "ds") == ["sub-01"]


@pytest.mark.parametrize("text", ["", "[]", '{"additions": 1}', '{"additions": [{}]}', "[" * 9999])
def test_a_damaged_ledger_of_another_dataset_is_in_nobodys_way(
    tmp_path: Path, private: Path, text: str
) -> None:
    publish(tmp_path / "ds", private)
    (private / "published" / "other.json").write_text(text)
    assert sessions(private, tmp_path / "ds") == ["sub-01"]
    assert find_ledger(private, tmp_path / "new").found is None
