"""Which folders of a dataset are datasets themselves, and what belongs to each."""

from __future__ import annotations

from pathlib import Path

import pytest

from bidsanon.bids.nested import dataset_parts
from bidsanon.bids.tree import list_tree

DESCRIBED = "dataset_description.json"


def parts(root: Path, *names: str, **contents: str) -> dict[str, tuple[bool, set[str]]]:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(contents.get(path.parent.name, "{}"))
    found = dataset_parts(list_tree(root))
    return {
        part.base: (part.derived, {part.own(file.name) for file in part.files}) for part in found
    }


@pytest.mark.parametrize(
    ("name", "base", "derived"),
    [
        ("derivatives/a/sub-01/anat/x.nii", "derivatives/a", True),
        ("derivatives/sub-01/x.nii", "derivatives", True),
        ("derivatives/a/b/sub-01/x.nii", "derivatives/a/b", True),
        (f"derivatives/a/{DESCRIBED}", "derivatives/a", True),
        (f"rawdata/{DESCRIBED}", "rawdata", False),
        (f"sourcedata/raw/{DESCRIBED}", "sourcedata/raw", False),
    ],
)
def test_a_dataset_within_is_found(tmp_path: Path, name: str, base: str, *, derived: bool) -> None:
    found = parts(tmp_path, "sub-01/y.nii", name)
    assert found == {"": (False, {"sub-01/y.nii"}), base: (derived, {name[len(base) + 1 :]})}


@pytest.mark.parametrize(
    "name",
    [
        *("sourcedata/sub-01/a.dcm", "derivatives/a/x.tsv", "derivatives/sub-01", "sub-01/sub-01"),
        *(f"code/{DESCRIBED}", f".git/{DESCRIBED}", f"stimuli/{DESCRIBED}", DESCRIBED),
    ],
)
def test_what_is_near_is_none(tmp_path: Path, name: str) -> None:
    assert parts(tmp_path, name) == {"": (False, {name})}


def test_a_file_belongs_to_the_nearest_dataset(tmp_path: Path) -> None:
    inner = "derivatives/a/sourcedata/b"
    found = parts(tmp_path, f"derivatives/a/{DESCRIBED}", f"{inner}/sub-1/x", "derivatives/a/y")
    assert found["derivatives/a"] == (True, {DESCRIBED, "y"})
    assert found[inner] == (True, {"sub-1/x"})


def test_a_dataset_says_itself_whether_it_was_derived(tmp_path: Path) -> None:
    found = parts(tmp_path, f"out/{DESCRIBED}", out='{"DatasetType": "derivative"}')
    assert found["out"] == (True, {DESCRIBED})
    assert parts(tmp_path, f"bad/{DESCRIBED}", bad="{")["bad"] == (False, {DESCRIBED})
