"""Two visits in one source do not become one session unless somebody says so."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from runs import run_convert
from sessions import MARA, bold_mosaic

from bidsanon.cli import cli
from bidsanon.cli.outcome import run
from bidsanon.errors import UsageError
from bidsanon.findings import finding
from bidsanon.pipeline.studies import ALL, choose_study, clean_study, shown_days, study_days
from bidsanon.session import SourceSeries, SourceSession


def series(index: int, day: str) -> SourceSeries:
    return SourceSeries(
        index=index,
        series_instance_uid=f"1.{index}",
        series_number=index,
        modality="MR",
        description="",
        study_date=day,
        start="",
        instances=(),
    )


def source(*days: str) -> SourceSession:
    gap = finding("INSTANCES_MISSING", location="series 1", count=1)
    several = [finding("SEVERAL_DAYS", count=2)] if len(set(days) - {""}) > 1 else []
    return SourceSession(
        roots=(),
        given=(),
        person="id\x1f1",
        series=tuple(series(index, day) for index, day in enumerate(days, start=1)),
        quarantine=(),
        other_files=0,
        findings=(gap, *several),
    )


def kept(chosen: SourceSession) -> list[int]:
    return [one.index for one in chosen.series]


def codes(chosen: SourceSession) -> list[str]:
    return [found.code for found in chosen.findings]


def test_one_day_needs_no_choice() -> None:
    one = source("20200101", "20200101")
    assert choose_study(one, None) is one
    assert kept(choose_study(one, "1")) == [1, 2]


def test_several_days_are_refused_until_one_is_chosen() -> None:
    chosen = choose_study(source("20200102", "20200101", "20200102"), None)
    assert codes(chosen) == ["INSTANCES_MISSING", "STUDIES_MIXED"]


def test_days_are_numbered_in_their_order() -> None:
    days = study_days(source("20200102", "20200101", "", "20200102"))
    assert days == {"20200101": 1, "20200102": 2}


def test_whose_the_studies_are_comes_first() -> None:
    persons = finding("SEVERAL_PERSONS", count=2)
    mixed = replace(source("20200102", "20200101"), findings=(persons,))
    assert codes(choose_study(mixed, None)) == ["SEVERAL_PERSONS"]


@pytest.mark.parametrize(("study", "indices"), [("1", [2]), ("2", [1, 3])])
def test_a_day_is_chosen_by_its_number(study: str, indices: list[int]) -> None:
    chosen = choose_study(source("20200102", "20200101", "20200102"), study)
    assert kept(chosen) == indices
    assert "STUDY_CHOSEN" in codes(chosen)
    assert "STUDIES_MIXED" not in codes(chosen)
    assert ("INSTANCES_MISSING" in codes(chosen)) == (1 in indices)


def test_a_chosen_day_is_still_called_by_its_number() -> None:
    days = source("20200101", "20200102", "")
    assert shown_days(choose_study(days, "2"), "2") == {"20200102": 2}
    assert shown_days(choose_study(days, ALL), ALL) == {"20200101": 1, "20200102": 2}


def test_all_days_are_one_session_where_that_is_meant() -> None:
    several = source("20200102", "20200101")
    assert choose_study(several, "all") is several


def test_a_day_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match="2 day"):
        choose_study(source("20200102", "20200101"), "3")


@pytest.mark.parametrize("study", ["", "-1", "first", "\u0662", "1.5"])
def test_what_is_no_number_is_refused(study: str) -> None:
    with pytest.raises(UsageError):
        clean_study(study)


@pytest.mark.slow
def test_two_visits_in_one_folder_become_two_sessions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset = tmp_path / "ds"
    bold_mosaic(tmp_path / "in" / "a", person=MARA)
    bold_mosaic(tmp_path / "in" / "b", person=replace(MARA, study_date="20230607"))
    refused = run_convert(tmp_path / "in", dataset=dataset, session="01").refusal
    assert refused is not None
    assert [found.code for found in refused.findings] == ["STUDIES_MIXED"]
    assert run(cli, ["inspect", str(tmp_path / "in"), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert [one["day"] for one in shown["series"]] == [1, 2]
    assert "20230607" not in json.dumps(shown)
    assert not dataset.exists()
    for number in ("1", "2"):
        arguments = ["convert", str(tmp_path / "in"), "-o", str(dataset), "-s", "01"]
        assert run(cli, [*arguments, "-ss", number, "--study", number]) == 0
    names = sorted(path.name for path in dataset.rglob("*.nii.gz"))
    assert names == [f"sub-01_ses-{n}_task-rest_bold.nii.gz" for n in (1, 2)]
    capsys.readouterr()
