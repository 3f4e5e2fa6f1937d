"""An invalid name is answered with the valid one that is nearest to it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bidsanon.bids.names import check_name
from bidsanon.bids.nearest import nearest_name

SESSION = "sub-01/ses-02"


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("func/sub-01_ses-02_task-rest_blod", "func/sub-01_ses-02_task-rest_bold"),
        ("func/sub-01_ses-02_run-1_task-rest_bold", "func/sub-01_ses-02_task-rest_run-1_bold"),
        ("func/sub-01_ses-02_bold", "func/sub-01_ses-02_task-TASK_bold"),
        ("fmri/sub-01_ses-02_task-a_bold", "func/sub-01_ses-02_task-a_bold"),
        ("func/sub-01_ses-02_task-stop-signal_bold", "func/sub-01_ses-02_task-stopsignal_bold"),
        ("anat/sub-01_ses-02_run-x_T1w", "anat/sub-01_ses-02_T1w"),
        ("anat/sub-01_ses-02_t1W", "anat/sub-01_ses-02_T1w"),
        ("anat/sub-01_ses-02_task-rest_T1w", "anat/sub-01_ses-02_task-rest_T1w"),
        ("anat/sub-01_ses-02_part-magnitude_T1w", "anat/sub-01_ses-02_part-mag_T1w"),
        ("anat/T1w", "anat/sub-01_ses-02_T1w"),
        ("dwi/sub-01_ses-02_direction-AP_dwi", "dwi/sub-01_ses-02_dir-AP_dwi"),
        ("anat/sub-01_ses-02_xyzzy", None),
    ],
)
def test_what_was_meant_is_found(wrong: str, meant: str | None) -> None:
    found = nearest_name(f"{SESSION}/{wrong}.nii.gz")
    assert found == (meant and f"{SESSION}/{meant}.nii.gz")


@pytest.mark.parametrize("path", ["/sub-01/anat/sub-01_T9w.nii.gz", "T1w.nii.gz", "../sub-01/x"])
def test_what_lies_elsewhere_has_no_name_near_it(path: str) -> None:
    assert nearest_name(path) is None


@given(st.text("abT1w2-_bold.task/ñ", max_size=30), st.sampled_from(["anat", "func", "x"]))
def test_what_is_found_is_valid_and_in_the_same_session(text: str, folder: str) -> None:
    found = nearest_name(f"{SESSION}/{folder}/sub-01_ses-02_{text}.nii.gz")
    assert found is None or (check_name(found) is None and found.startswith(f"{SESSION}/"))
