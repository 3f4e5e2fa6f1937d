"""What a dataset's folder holds, whoever made it."""

import os
from pathlib import Path

import pytest

from bidsanon.bids.tree import list_tree


def problems(root: Path) -> dict[str, str]:
    return {problem.name: problem.problem for problem in list_tree(root).problems}


def test_every_file_is_listed_with_hidden_ones(tmp_path: Path) -> None:
    (tmp_path / "sub-01" / ".cache").mkdir(parents=True)
    (tmp_path / "README").write_bytes(b"1234")
    (tmp_path / "sub-01" / ".cache" / "x").touch()

    files = list_tree(tmp_path).files

    assert [file.name for file in files] == ["README", "sub-01/.cache/x"]
    assert files[0].size == 4
    assert files[0].path == tmp_path / "README"
    assert not files[0].is_link


def test_a_link_within_the_dataset_is_a_file_that_is_marked(tmp_path: Path) -> None:
    (tmp_path / "there").write_bytes(b"12")
    (tmp_path / "link").symlink_to("there")

    link = list_tree(tmp_path).files[0]

    assert (link.name, link.size, link.is_link) == ("link", 2, True)


def test_a_dataset_reached_over_a_link_is_still_its_own(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a").touch()
    (tmp_path / "real" / "b").symlink_to("a")
    (tmp_path / "dataset").symlink_to("real")

    tree = list_tree(tmp_path / "dataset")

    assert [file.name for file in tree.files] == ["a", "b"]
    assert not tree.problems


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    root = tmp_path / "dataset"
    (root / "folder").mkdir(parents=True)
    (tmp_path / "outside").touch()
    (root / "leaves").symlink_to(tmp_path / "outside")
    (root / "circle").symlink_to("circle")
    (root / "nowhere").symlink_to("missing")
    (root / "to_folder").symlink_to("folder")
    (root / "folder" / "up").symlink_to("..")
    os.mkfifo(root / "pipe")

    assert problems(root) == {
        "leaves": "is a link that leaves the dataset",
        "circle": "is a link that leads in a circle or cannot be followed",
        "nowhere": "is a link to what is not here (git annex get)",
        "to_folder": "is a link to a folder",
        "folder/up": "is a link to a folder",
        "pipe": "is no file",
    }


def test_a_name_that_is_no_utf8_is_shown_and_not_entered(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/n\xe9e"
    try:
        os.mkdir(folder)  # noqa: PTH102 (a name of bytes)
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    Path(os.fsdecode(folder), "file").touch()

    assert problems(tmp_path) == {"n\N{REPLACEMENT CHARACTER}e": "has a name that is no UTF-8"}
    assert not list_tree(tmp_path).files


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_what_nobody_may_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0)
    (tmp_path / "secret").touch(mode=0)

    assert problems(tmp_path) == {
        "closed": "is a folder that cannot be opened",
        "secret": "cannot be read: its permissions forbid it",
    }


def test_folders_to_skip_are_named_and_not_entered(tmp_path: Path) -> None:
    (tmp_path / ".git" / "objects").mkdir(parents=True)
    (tmp_path / ".git" / "objects" / "x").touch()

    tree = list_tree(tmp_path, skip={".git", "sourcedata"})

    assert tree.skipped == (".git",)
    assert not tree.files


def test_folders_can_be_left_out_of_a_walk_later(tmp_path: Path) -> None:
    for name in (".cache/a", ".cache/.git/b", ".bidsignore", "code/.git/c", "sub-01/.cache/d"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / ".cache" / "nowhere").symlink_to("missing")
    (tmp_path / ".empty").mkdir()
    whole = list_tree(tmp_path, skip_named={".git"})

    left = whole.without({".cache", ".empty"})

    assert left == list_tree(tmp_path, skip={".cache", ".empty"}, skip_named={".git"})
    assert left != whole
