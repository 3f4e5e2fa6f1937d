"""pybids finds a session's images by their entities."""

from pathlib import Path

import pytest
from sessions.converted import nifti

from bidsanon.bids.sidecars import LARGEST_JSON
from bidsanon.validate import check_layout


def test_every_image_of_a_session_is_found(dataset: Path) -> None:
    assert check_layout(dataset, "01", "01") == ()
    assert check_layout(dataset) == ()


@pytest.mark.parametrize("root", ["", "sub-01/..", "../link"])
def test_a_dataset_may_be_named_in_any_way(
    dataset: Path, monkeypatch: pytest.MonkeyPatch, root: str
) -> None:
    (dataset.parent / "link").symlink_to(dataset)
    assert check_layout(dataset / root) == ()
    monkeypatch.chdir(dataset.parent)
    assert check_layout(dataset.relative_to(dataset.parent) / root) == ()


@pytest.mark.parametrize("above", ["eeg", "sub-09", "x/task-rest_func", "a.b(c)/ses-09\nb"])
def test_where_a_dataset_lies_says_nothing_of_its_images(
    above: str, dataset: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / above / "study"
    elsewhere.parent.mkdir(parents=True)
    dataset.rename(elsewhere)

    assert check_layout(elsewhere) == ()


@pytest.mark.parametrize(
    "name",
    [
        "func/sub-01_ses-01_task-rest_dir-AP_run-02_echo-1_part-phase_bold.nii.gz",
        "anat/sub-01_ses-01_acq-hi_ce-gd_rec-norm_run-1_T1w.nii.gz",
        "anat/sub-01_ses-01_run-1_inv-2_part-mag_MP2RAGE.nii.gz",
        "fmap/sub-01_ses-01_acq-a_dir-PA_run-01_epi.nii.gz",
        "pet/sub-01_ses-01_trc-FDG_pet.nii",
    ],
)
def test_names_with_many_entities_are_found(dataset: Path, name: str) -> None:
    path = dataset / "sub-01/ses-01" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(nifti())

    assert check_layout(dataset, "01", "01") == ()


def test_an_image_that_pybids_cannot_place_is_an_error(dataset: Path) -> None:
    name = "sub-01/ses-01/anat/sub-01_ses-01_acq-a-b_T1w.nii.gz"
    (dataset / name).write_bytes(nifti())

    (found,) = check_layout(dataset, "01", "01")

    assert (found.code, found.location) == ("LAYOUT_IMAGE_NOT_FOUND", name)


def test_other_sessions_are_not_looked_at(dataset: Path) -> None:
    other = dataset / "sub-02/anat/sub-02_acq-a-b_T1w.nii.gz"
    other.parent.mkdir(parents=True)
    other.write_bytes(nifti())

    assert check_layout(dataset, "01", "01") == ()
    assert len(check_layout(dataset)) == 1


def test_a_dataset_without_images_has_nothing_to_find(tmp_path: Path) -> None:
    assert check_layout(tmp_path) == ()


def test_a_description_without_end_is_not_opened(
    dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bidsanon.validate.layout._pybids", pytest.fail)
    with (dataset / "dataset_description.json").open("ab") as stream:
        stream.truncate(LARGEST_JSON + 1)

    (found,) = check_layout(dataset)

    assert found.code == "LAYOUT_NOT_READ"


@pytest.mark.parametrize("content", ["[1, 2]", "null", '"text"', "{"])
def test_a_description_that_is_none_is_an_error_and_no_crash(content: str, dataset: Path) -> None:
    (dataset / "dataset_description.json").write_text(content)

    assert {found.code for found in check_layout(dataset)} <= {"LAYOUT_NOT_READ"}
