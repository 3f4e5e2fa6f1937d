"""What a heuristic proposes, and what is wrong with it, without converting anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pydicom
import pytest

from bidsanon.convert import (
    ConversionPlan,
    Heuristic,
    naming,
    plan_conversion,
    resolve_heuristic,
    sample_positions,
)
from bidsanon.convert.drive import drive_worker
from bidsanon.convert.job import Acquisition, Mode, Request
from bidsanon.errors import PolicyError
from bidsanon.session import DeidentifiedSession

pytestmark = pytest.mark.usefixtures("worker_in_process")

WriteHeuristic = Callable[..., Heuristic]

NAMING_BY_NUMBER = """
    NAMES = {names!r}

    def infotodict(seqinfo):
        table = {{}}
        for name, info in zip(NAMES, seqinfo):
            key = (name, ("nii.gz",), None)
            table.setdefault(key, []).append(info.series_id)
        return table
"""
FOLDER = "{bids_subject_session_dir}"
PREFIX = "{bids_subject_session_prefix}"


def _plan(
    session: DeidentifiedSession, heuristic: Heuristic, work: Path, label: str | None = "01"
) -> ConversionPlan:
    return plan_conversion(
        session, heuristic=heuristic, subject="01", session=label, work=work / "plan"
    )


def test_a_plan_names_every_series_or_says_why_not(
    siemens: DeidentifiedSession, tmp_path: Path
) -> None:
    plan = _plan(siemens, resolve_heuristic("auto"), tmp_path, None)
    assert [(one.series_index, one.names, one.reason) for one in plan.series] == [
        (1, (), "a scout: its name says so"),
        (2, ("sub-01/anat/sub-01_T1w.nii.gz",), ""),
        (3, ("sub-01/fmap/sub-01_magnitude.nii.gz",), ""),
        (4, ("sub-01/fmap/sub-01_phasediff.nii.gz",), ""),
        (5, ("sub-01/func/sub-01_task-rest_bold.nii.gz",), ""),
        (6, ("sub-01/dwi/sub-01_dwi.nii.gz",), ""),
    ]
    assert plan.findings == ()


def test_a_plan_needs_a_few_files_of_each_series_only(
    siemens: DeidentifiedSession, tmp_path: Path
) -> None:
    whole = _plan(siemens, resolve_heuristic("auto"), tmp_path)
    for series in siemens.series:
        for position in set(range(len(series.files))) - set(sample_positions(len(series.files))):
            series.files[position].unlink()
    assert _plan(siemens, resolve_heuristic("auto"), tmp_path) == whole


def test_names_that_will_not_do_are_findings_with_their_series(
    siemens: DeidentifiedSession, heuristic: WriteHeuristic, tmp_path: Path
) -> None:
    names = [
        f"{FOLDER}/anat/{PREFIX}_T9w",
        f"{FOLDER}/anat/{PREFIX}_run-x_T1w",
        f"{FOLDER}/../../sub-02/anat/sub-02_T1w",
        "/sub-01/ses-01/anat/sub-01_ses-01_T1w",
        "sub-{subject}/anat/sub-{subject}_T1w",
        f"{FOLDER}/anat/{PREFIX}_T1w",
    ]
    found = _plan(siemens, heuristic(NAMING_BY_NUMBER.format(names=names)), tmp_path).findings
    assert [(one.code, one.location) for one in found] == [
        ("INVALID_BIDS_NAME", "series 1"),
        ("INVALID_BIDS_NAME", "series 2"),
        ("OUTSIDE_SESSION", "series 3"),
        ("OUTSIDE_SESSION", "series 4"),
        ("OUTSIDE_SESSION", "series 5"),
    ]
    assert all(one.severity == "error" and one.cure for one in found)
    assert "T9w" in found[0].message


def test_runs_of_which_nobody_says_the_task_are_one_warning(
    siemens: DeidentifiedSession, heuristic: WriteHeuristic, tmp_path: Path
) -> None:
    tasks = ["unnamed_run-1", "unnamed_run-2", "rest", "unnamedgame"]
    names = [f"{FOLDER}/func/{PREFIX}_task-{task}_bold" for task in tasks]
    found = _plan(siemens, heuristic(NAMING_BY_NUMBER.format(names=names)), tmp_path).findings
    assert [(one.code, one.location, one.severity) for one in found] == [
        ("TASK_UNNAMED", "series 1, series 2", "warning")
    ]


def test_names_given_twice_and_discarded_repeats_are_findings(
    siemens: DeidentifiedSession, heuristic: WriteHeuristic, tmp_path: Path
) -> None:
    t1w = f"{FOLDER}/anat/{PREFIX}_T1w"
    ours = heuristic(
        f"""
        def infotodict(seqinfo):
            ids = [info.series_id for info in seqinfo]
            return {{
                ("{t1w}", ("nii.gz",), None): ids[:2],
                ("{FOLDER}/anat/{PREFIX}_T2w", "nii.gz", None): [ids[1]],
                ("{FOLDER}/func/{PREFIX}_task-rest_bold__dup-01", ("nii.gz",), None): [ids[4]],
                ("{FOLDER}/anat/{PREFIX}_PDw", ("dicom",), None): [ids[5]],
            }}
        """
    )
    plan = _plan(siemens, ours, tmp_path)
    assert [(one.code, one.location) for one in plan.findings] == [
        ("DISCARDED_REPEAT", "series 5"),
        ("REPEATED_BIDS_NAME", "series 1, series 2"),
        ("SERIES_NAMED_TWICE", "series 2"),
    ]
    assert [one.reason for one in plan.series][2:] == [
        "the heuristic gives it no name",
        "the heuristic gives it no name",
        "the heuristic marks it as a discarded repeat",
        "the heuristic gives it no name",
    ]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (
            "def infotodict(s):\n    x = {}\n    return x['rest']\n",
            ["infotodict", "KeyError", "line 3"],
        ),
        ("def infotodict(s):\n    return None\n", ["gives NoneType and not a dict"]),
        (
            "def infotodict(s):\n    return {('{nosuch}', ('nii.gz',), None): [s[0].series_id]}\n",
            ["KeyError", "fill in the names"],
        ),
        (
            "def filter_files(f):\n    1 / 0\ndef infotodict(s):\n    return {}\n",
            ["filter_files", "line 2"],
        ),
        ("def custom_seqinfo(**_):\n    1 / 0\ndef infotodict(s):\n    return {}\n", ["line 2"]),
    ],
)
def test_a_heuristic_that_raises_is_named_with_its_line(
    bold: DeidentifiedSession,
    heuristic: WriteHeuristic,
    tmp_path: Path,
    code: str,
    said: list[str],
) -> None:
    ours = heuristic(code)
    with pytest.raises(PolicyError) as refusal:
        _plan(bold, ours, tmp_path)
    assert all(part in refusal.value.message for part in ["ourlab", *said]), refusal.value.message


def test_a_heuristic_that_never_ends_is_stopped(
    bold: DeidentifiedSession, heuristic: WriteHeuristic, tmp_path: Path
) -> None:
    """Its minute is cut short once it is asked: a short limit may strike while it is loaded."""
    code = """
        import signal
        def infotodict(s):
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            while True:
                pass
    """
    with pytest.raises(PolicyError, match=r"took longer than 60 s, line [456]"):
        drive_worker(
            _request(bold, heuristic(code), heuristic_timeout_s=60), work=tmp_path, timeout_s=600
        )


def test_a_heuristic_that_changed_since_it_was_checked_is_refused(
    bold: DeidentifiedSession, heuristic: WriteHeuristic, tmp_path: Path
) -> None:
    ours = heuristic("def infotodict(s):\n    return {}\n")
    with pytest.raises(PolicyError, match="was changed"):
        _plan(bold, replace(ours, digest="0" * 64), tmp_path)


def test_two_heuristics_of_one_name_are_two_heuristics(
    bold: DeidentifiedSession, heuristic: WriteHeuristic, tmp_path: Path
) -> None:
    first = heuristic(NAMING_BY_NUMBER.format(names=[f"{FOLDER}/anat/{PREFIX}_T1w"]))
    assert "T1w" in _plan(bold, first, tmp_path).series[0].names[0]
    second = heuristic(NAMING_BY_NUMBER.format(names=[f"{FOLDER}/anat/{PREFIX}_T2w"]))
    assert "T2w" in _plan(bold, second, tmp_path).series[0].names[0]


def test_a_heuristics_own_filters_facts_and_grouping_are_honoured(
    siemens: DeidentifiedSession, heuristic: WriteHeuristic, tmp_path: Path
) -> None:
    ours = heuristic(
        f"""
        from pydicom import dcmread

        def filter_files(path):
            return dcmread(path).SeriesNumber != 5

        def filter_dicom(header):
            return header.get("MRAcquisitionType") == "3D"

        def custom_seqinfo(wrapper, series_files, **_):
            return len(series_files), wrapper.dcm_data.SeriesNumber

        def infotodict(seqinfo):
            return {{
                ("{FOLDER}/anat/{PREFIX}_acq-%dfiles_T1w" % info.custom[0], ("nii.gz",), None):
                [info.series_id] for info in seqinfo
            }}
        """
    )
    plan = _plan(siemens, ours, tmp_path, None)
    filtered = "the heuristic filters its files out"
    assert [one.reason for one in plan.series] == ["", filtered, "", "", filtered, ""]
    assert plan.series[2].names == ("sub-01/anat/sub-01_acq-8files_T1w.nii.gz",)


def test_a_heuristic_may_group_the_files_itself(
    siemens: DeidentifiedSession, heuristic: WriteHeuristic, tmp_path: Path
) -> None:
    ours = heuristic(
        f"""
        from heudiconv.dicoms import group_dicoms_into_seqinfos
        from pydicom import dcmread

        def grouping(files, dcmfilter, seqinfo):
            wanted = [file for file in files if dcmread(file).SeriesNumber == 5]
            return group_dicoms_into_seqinfos(wanted, "all", flatten=True)

        def infotodict(seqinfo):
            return {{("{FOLDER}/func/{PREFIX}_task-x_bold", ("nii.gz",), None):
                     [info.series_id for info in seqinfo]}}
        """
    )
    plan = _plan(siemens, ours, tmp_path, None)
    assert [bool(one.names) for one in plan.series] == [False] * 4 + [True, False]
    assert plan.series[0].reason == "the heuristic's own grouping leaves it out"


def test_reproin_names_work_though_the_study_has_no_description(
    bold: DeidentifiedSession, tmp_path: Path
) -> None:
    for file in bold.series[0].files:
        header = pydicom.dcmread(file)
        header.ProtocolName = header.SeriesDescription = "func-bold_task-nback_run-01"
        header.StudyDescription = None
        del header.StudyDescription
        header.save_as(file)
    (series,) = _plan(bold, resolve_heuristic("reproin"), tmp_path, None).series
    assert series.names == ("sub-01/func/sub-01_task-nback_run-01_bold.nii.gz",)


def test_series_of_one_number_are_kept_apart(siemens: DeidentifiedSession, tmp_path: Path) -> None:
    for series in siemens.series:
        for file in series.files:
            header = pydicom.dcmread(file)
            header.SeriesNumber, header.ProtocolName = 7, "same"
            header.save_as(file)
    named = [one.names for one in _plan(siemens, resolve_heuristic("auto"), tmp_path).series]
    assert len({name for names in named for name in names}) == 5


@pytest.mark.parametrize(
    ("prefix", "good"),
    [
        ("sub-01/anat/sub-01_T1w", True),
        ("sub-01/anat/sub-01_MEGRE", True),
        ("sub-01/fmap/sub-01_magnitude", True),
        ("sub-01/fmap/sub-01_phase", False),
        ("sub-01/anat/sub-01_bold", False),
    ],
)
def test_a_prefix_will_do_if_heudiconvs_completion_of_it_does(prefix: str, good: bool) -> None:
    assert (naming.check_prefix(prefix) is None) is good


@pytest.mark.parametrize(
    ("name", "within"),
    [
        ("sub-01/ses-02/anat/x", True),
        ("sub-01/ses-02x/anat/x", False),
        ("sub-01/ses-02/../ses-03/x", False),
        ("sub-01/anat/x", False),
        ("/sub-01/ses-02/x", False),
    ],
)
def test_a_name_lies_within_the_sessions_folder_or_not(name: str, within: bool) -> None:
    assert naming.lies_within_session(name, subject="01", session="02") is within


def _request(session: DeidentifiedSession, heuristic: Heuristic, **changes: float) -> Request:
    (series,) = session.series
    return Request(
        mode=Mode.PLAN,
        heuristic=heuristic,
        subject="01",
        acquisitions=(Acquisition(series=(1,), folder=series.folder, files=series.files),),
        **changes,
    )
