"""How sure a proposed name is: told by the headers alone and by what the series is called."""

from __future__ import annotations

import pytest

from bidsanon.convert import PlannedSeries, Sureness, headers_only, judge_names

T1W, T2W, FLAIR = (f"sub-01/anat/sub-01_{suffix}.nii.gz" for suffix in ("T1w", "T2w", "FLAIR"))
BOLD = "sub-01/func/sub-01_task-rest_bold.nii.gz"
SBREF = "sub-01/func/sub-01_task-rest_sbref.nii.gz"
EPI = "sub-01/fmap/sub-01_dir-AP_epi.nii.gz"
DWI = "sub-01/dwi/sub-01_dwi.nii.gz"


def planned(name: str) -> PlannedSeries:
    reason = "" if name else "nothing tells what it is"
    return PlannedSeries(series_index=1, names=(name,) if name else (), reason=reason)


@pytest.mark.parametrize(
    ("proposed", "by_headers", "called", "sure"),
    [
        (T1W, T1W, "t1_mprage_sag", "headers"),
        (T1W, T1W, "anatomy", "headers"),
        (T1W, T1W, "", "headers"),
        (T1W, T1W, "t2_tse_cor", "conflicting"),
        (T1W, T1W, "t1_t2_something", "headers"),
        (T1W, BOLD, "t1_mprage", "conflicting"),
        (T2W, T1W, "T2 SPACE", "name"),
        (T2W, T1W, "anatomy", "heuristic"),
        (FLAIR, T2W, "t2_space_dark-fluid", "name"),
        (SBREF, BOLD, "rest_SBRef", "name"),
        (BOLD, BOLD, "ep2d_diff", "conflicting"),
        (BOLD, BOLD, "SpinEchoFieldMap_task", "headers"),
        (EPI, BOLD, "fmap_AP", "conflicting"),
        (DWI, "", "dti_64", "name"),
        (DWI, "", "series 7", "heuristic"),
        ("", "", "localizer", "headers"),
        ("", T1W, "localizer", "name"),
    ],
)
def test_a_name_is_as_sure_as_its_witnesses(
    proposed: str, by_headers: str, called: str, sure: str
) -> None:
    judged = judge_names(planned(proposed), planned(by_headers), description=called)
    assert judged.sure == sure, judged.why
    assert judged.why


def test_what_the_headers_say_instead_is_told() -> None:
    judged = judge_names(planned(T1W), planned(BOLD), description="")
    assert "func/bold" in judged.why
    judged = judge_names(planned(T1W), planned(T1W), description="T2_tse")
    assert "anat/T2w" in judged.why


def test_without_the_headers_only_the_heuristic_says_so() -> None:
    judged = judge_names(planned(T1W), None, description="t1")
    assert judged.sure is Sureness.HEURISTIC


def test_the_witness_is_the_bundled_heuristic_deaf_to_names() -> None:
    namespace: dict[str, object] = {"__name__": "headers_only"}
    exec(compile(headers_only().path.read_text(), "headers_only.py", "exec"), namespace)  # noqa: S102
    auto = namespace["_AUTO"]
    assert callable(namespace["infotodict"])
    assert callable(namespace["why_skipped"])
    header = {"SeriesDescription": "t1_mprage", "ProtocolName": "t1_mprage"}
    assert auto._names(header) == ""  # type: ignore[attr-defined]
    assert "_names(first)" in headers_only().path.parents[2].joinpath(
        "heuristics/auto.py"
    ).read_text("utf-8")
