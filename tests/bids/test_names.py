"""BIDS file names: which are valid, and what is said of those that are not."""

import pytest

from bidsanon.bids.names import check_name, parse_name


@pytest.mark.parametrize(
    "path",
    [
        "sub-01/ses-01/anat/sub-01_ses-01_T1w.nii.gz",
        "sub-01/anat/sub-01_acq-mprage_run-01_T1w.json",
        "sub-01/func/sub-01_task-rest_dir-AP_run-2_echo-1_bold.nii.gz",
        "sub-01/func/sub-01_task-rest_sbref.nii.gz",
        "sub-01/dwi/sub-01_dir-PA_dwi.bvec",
        "sub-01/fmap/sub-01_phasediff.nii.gz",
        "sub-01/fmap/sub-01_dir-AP_epi.nii.gz",
        "sub-01/perf/sub-01_aslcontext.tsv",
        "sub-01/pet/sub-01_trc-FDG_pet.nii.gz",
        "sub-01/ses-01/sub-01_ses-01_scans.tsv",
        "participants.tsv",
        "dataset_description.json",
    ],
)
def test_a_valid_name_is_accepted(path: str) -> None:
    assert check_name(path) is None


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("sub-01/anat/sub-01_ses-01_T1w.nii.gz", "not in a folder ses-01"),
        ("sub-01/ses-01/anat/sub-01_T1w.nii.gz", "begin it with ses-01_"),
        ("sub-01/anat/sub-02_T1w.nii.gz", "begin it with sub-01_"),
        ("sub-0_1/anat/sub-0_1_T1w.nii.gz", "use letters and digits only"),
        ("sub-01/func/sub-01_bold.nii.gz", "needs the entity 'task'; add task-<label>"),
        ("sub-01/anat/sub-01_MEGRE.nii.gz", "needs the entity 'echo'"),
        (
            "sub-01/func/sub-01_run-1_task-rest_bold.nii.gz",
            "write sub-01_task-rest_run-1_bold",
        ),
        ("sub-01/anat/sub-01_bold.nii.gz", "it goes to func/"),
        ("sub-01/anat/sub-01_T1.nii.gz", "perhaps T1w"),
        ("sub-01/antt/sub-01_T1w.nii.gz", "perhaps anat is meant"),
        ("sub-01/sub-01_T1w.nii.gz", "put it in anat/"),
        ("sub-01/anat/sub-01_acquisition-a_T1w.nii.gz", "write acq-<label>"),
        ("sub-01/anat/sub-01_aqc-a_T1w.nii.gz", "perhaps acq"),
        ("sub-01/anat/sub-01_acq-a_b_T1w.nii.gz", "'b' is no entity"),
        ("sub-01/anat/sub-01_acq-a-b_T1w.nii.gz", "invalid label"),
        ("sub-01/anat/sub-01_run-a_T1w.nii.gz", "use digits only"),
        ("sub-01/anat/sub-01_part-both_T1w.nii.gz", "BIDS allows mag or phase"),
        ("sub-01/anat/sub-01_run-1_run-2_T1w.nii.gz", "stands twice"),
        ("sub-01/anat/sub-01_dir-AP_T1w.nii.gz", "has no entity 'dir'"),
        ("sub-01/anat/sub-01_T1w.nii.bz2", "use .json or .nii or .nii.gz"),
        ("sub-01/anat/sub-01_T1w__dup-01.nii.gz", "is no entity"),
        ("sub-01/anat/sub-01_.nii.gz", "ends without a suffix"),
        ("/sub-01/anat/sub-01_T1w.nii.gz", "must lie within the dataset"),
        ("sub-01/../x.nii.gz", "must lie within the dataset"),
        ("x/y.nii.gz", "start the path with sub-<label>/"),
    ],
)
def test_an_invalid_name_is_refused_with_what_is_wrong_and_what_would_be_right(
    path: str, said: str
) -> None:
    problem = check_name(path)

    assert problem is not None
    assert said in problem


def test_a_name_is_taken_apart() -> None:
    name = parse_name("sub-01/ses-02/func/sub-01_ses-02_task-rest_run-03_bold.nii.gz")

    assert name.entities == {"sub": "01", "ses": "02", "task": "rest", "run": "03"}
    assert (name.datatype, name.suffix, name.extension) == ("func", "bold", ".nii.gz")
    assert name.stem == "sub-01_ses-02_task-rest_run-03_bold"


def test_a_file_above_the_datatypes_has_no_datatype() -> None:
    assert parse_name("sub-01/ses-02/sub-01_ses-02_scans.tsv").datatype == ""
    assert parse_name("task-rest_bold.json").datatype == ""
