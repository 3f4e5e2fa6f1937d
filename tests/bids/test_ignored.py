"""``.bidsignore`` is read as git reads its own."""

from pathlib import Path

import pytest

from bidsanon.bids.ignored import read_ignored

CT = "sub-01/ses-01/anat/sub-01_ses-01_ct.nii.gz"


@pytest.mark.parametrize(
    ("written", "name", "hidden"),
    [
        ("*_ct.nii.gz", CT, True),
        ("*_ct.nii.gz", CT.replace("ct", "T1w"), False),
        ("# *_ct.nii.gz\n\n", CT, False),
        ("sub-01/", CT, True),
        ("/sub-01/", CT, True),
        ("anat/", CT, True),
        ("/anat/", CT, False),
        ("sub-01/anat", CT, False),
        ("sub-*/**/*_ct.*", CT, True),
        ("**/anat", CT, True),
        ("sub-01/**", CT, True),
        ("sub-0[12]/", CT, True),
        ("sub-0[!1]/", CT, False),
        ("sub-0?/ses-01/anat/*", CT, True),
        ("sub-01/*", CT, True),
        ("*.nii", CT, False),
        ("anat/\n!*_ct.nii.gz", CT, False),
        ("!anat/\n*_ct.nii.gz", CT, True),
        ("a.json", "aXjson", False),
        ("\\", CT, False),
        ("[", CT, False),
        ("(", CT, False),
        ("[z-a]", CT, False),
        ("[[&&x]", CT, False),
        ("[[s]ub-01", CT, True),
        ("*a" * 50, "a" * 200, False),
    ],
)
def test_a_pattern_hides_what_it_fits(
    tmp_path: Path, written: str, name: str, hidden: bool
) -> None:
    (tmp_path / ".bidsignore").write_text(written)

    assert read_ignored(tmp_path).hides(name) is hidden


def test_hidden_files_are_not_looked_at_in_any_dataset(tmp_path: Path) -> None:
    ignored = read_ignored(tmp_path)

    assert ignored.hides("sub-01/anat/._sub-01_T1w.json")
    assert ignored.hides(".heudiconv/01/x.json")
    assert not ignored.hides(CT)


def test_a_file_that_cannot_be_read_hides_nothing(tmp_path: Path) -> None:
    (tmp_path / ".bidsignore").mkdir()

    assert not read_ignored(tmp_path).hides(CT)
