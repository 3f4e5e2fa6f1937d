"""``bidsanon inspect`` with ``convert``'s options: what it shows is what ``convert`` would do."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from in_process import ask_in_process
from sessions import MARA, bold_mosaic, two_persons
from tree_digests import tree_digest

from bidsanon.cli import cli
from bidsanon.cli.outcome import run


@pytest.fixture(autouse=True)
def _in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    ask_in_process(monkeypatch)


@pytest.fixture(scope="module")
def visits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one person's studies of two days."""
    folder = tmp_path_factory.mktemp("in")
    bold_mosaic(folder / "a", person=MARA)
    bold_mosaic(folder / "b", person=replace(MARA, study_date="20230607"), protocol="ep2d_bold_b")
    return folder


def table(folder: Path, *lines: str) -> str:
    place = folder / "subjects.csv"
    place.write_text("\n".join(["subject;source", *lines]) + "\n")
    return str(place)


@pytest.mark.parametrize(
    "study",
    [
        ("--study", "2"),
        pytest.param((), marks=pytest.mark.slow),
        pytest.param(("--study", "all"), marks=pytest.mark.slow),
    ],
)
def test_it_shows_what_a_dry_run_of_convert_shows(
    visits: Path, study: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = tree_digest(visits)
    options = [*study, "--subjects", table(tmp_path, f"kid7;{visits}"), "--json"]
    assert run(cli, ["inspect", str(visits), *options]) == 0
    inspected = json.loads(capsys.readouterr().out)
    planned_code = run(
        cli, ["convert", str(visits), "-o", str(tmp_path / "ds"), *options, "--dry-run"]
    )
    planned = json.loads(capsys.readouterr().out)
    assert inspected["series"] == planned["series"]
    names = [name for one in inspected["series"] for name in one["bids"]]
    assert names
    assert all(name.startswith("sub-kid7/") for name in names)
    assert [one["day"] for one in inspected["series"]] == ([2] if "2" in study else [1, 2])
    of_source = [f for f in planned["findings"] if not f["code"].startswith("DATASET_")]
    assert inspected["findings"] == of_source
    assert (planned_code == 4) is (study == ())
    assert tree_digest(visits) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["subjects.csv"]


def test_several_persons_are_shown_whatever_the_table_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "in"
    two_persons(source)
    assert run(cli, ["inspect", str(source), "--subjects", table(tmp_path, f"kid7;{source}")]) == 0
    said = capsys.readouterr().out
    assert "SEVERAL_PERSONS" in said
    assert "sub-kid7" not in said


@pytest.fixture
def _tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder to be in, with a table that does not name the source and one that is none."""
    monkeypatch.chdir(tmp_path)
    Path("others.csv").write_text("subject;source\n01;4711\n")
    Path("broken.csv").write_text("subject;source\nfirst one;4711\n")


@pytest.mark.usefixtures("_tables")
@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--study", "3"], 2, "studies of 2 day(s)"),
        (["--study", "first"], 2, "--study takes the number"),
        (["--subjects", "nowhere.csv"], 2, "the table of subjects cannot be read"),
        (["--subjects", "others.csv"], 5, "none of the 1 line(s)"),
        (["--subjects", "broken.csv"], 5, "the table of subjects is invalid"),
    ],
)
def test_what_convert_would_not_take_is_refused_in_the_same_way(
    visits: Path,
    options: list[str],
    code: int,
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(cli, ["inspect", str(visits), *options]) == code
    inspected = capsys.readouterr().err
    assert said in inspected
    subject = [] if "--subjects" in options else ["-s", "01"]
    convert = ["convert", str(visits), "-o", "ds", *subject, *options, "--dry-run"]
    assert run(cli, convert) == code
    assert said in capsys.readouterr().err
