"""``bidsanon scrub`` as people meet it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from foreign import PLANTED, foreign_dataset
from tree_digests import tree_digest

from bidsanon.cli import cli
from bidsanon.cli.outcome import run


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    return foreign_dataset(tmp_path / "ds")


@pytest.mark.parametrize("options", [["--dry-run"], [], ["--remove", ".heudiconv"]])
def test_stdout_is_one_object_as_its_schema_says(
    dataset: Path, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    before = tree_digest(dataset)
    assert run(cli, ["scrub", str(dataset), "--json", *options]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["outcome"] == ("planned" if options == ["--dry-run"] else "scrubbed")
    assert (tree_digest(dataset) == before) is (options == ["--dry-run"])
    assert not any(value in json.dumps(printed) for value in PLANTED)


def test_what_cannot_be_cleaned_ends_with_exit_code_4(
    dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (dataset / "sub-01/anat/sub-01_T2w.json").write_text('{"PatientName": "Doe"')
    assert run(cli, ["scrub", str(dataset), "--json"]) == 4
    said = capsys.readouterr()
    printed = json.loads(said.out)
    assert printed["outcome"] == "refused"
    assert printed["changes"], "the rest is cleaned all the same"
    assert "mend each of them" in said.err
    assert run(cli, ["scrub", str(dataset)]) == 4
    said = capsys.readouterr()
    assert "NOT CLEANED: sub-01/anat/sub-01_T2w.json: it stays as it is: it is not JSON" in said.out
    assert "nothing else can be cleaned" in said.out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--dry-run"], "would change and 1 folder(s) would be removed (sourcedata/)  (dry run"),
        ([], "file(s) were changed and 1 folder(s) removed (sourcedata/), all in one step"),
    ],
)
def test_the_end_says_what_went_also_where_nothing_else_changes(
    dataset: Path, options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run(cli, ["scrub", str(dataset)])
    capsys.readouterr()
    assert run(cli, ["scrub", str(dataset), "--remove", "sourcedata", *options]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert said in last
    assert last.startswith("0 of ")


def test_the_text_names_what_changes_and_what_does_not(
    dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(cli, ["scrub", str(dataset), "--remove", "sourcedata/"]) == 0
    said = capsys.readouterr().out
    lines = said.split("\n")
    assert "participants.tsv: removed: column last_name; " in said
    assert "task-rest_bold.nii.gz: emptied: descrip of the header, aux_file of the header; " in said
    assert any(line.startswith("left by heudiconv: .heudiconv/") for line in lines)
    assert "removed: sourcedata/" in lines
    assert any(line.startswith("not touched: code/") for line in lines)
    assert any(line.startswith(f"look at {'sub-01/sub-01_scans.tsv'}: ") for line in lines)
    assert not any(value in said for value in PLANTED)
    assert run(cli, ["scrub", str(dataset)]) == 0
    assert "nothing has to change" in capsys.readouterr().out


def test_many_changes_are_told_by_kind(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(70):
        sidecar = dataset / f"sub-01/anat/sub-01_run-{number}_T2w.json"
        sidecar.write_text('{"EchoTime": 1, "StudyID": "x"}')
    assert run(cli, ["scrub", str(dataset), "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "     70 file(s): StudyID removed  (sub-01/anat/sub-01_run-0_T2w.json, " in said
    assert len(said.splitlines()) < 60


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], "not a folder"),
        (["ds", "--remove", "sub-01"], "no leftover"),
        (["ds", "--private", "elsewhere"], "no private folder"),
        (["ds", "--private", "ds/sub-01"], "must not lie within"),
        (["ds", "--against", "nowhere"], "not there"),
        (["ds", "--against", "ds/sourcedata"], "lies within the dataset"),
        (["."], "no BIDS dataset"),
    ],
)
def test_what_cannot_be_is_said(
    dataset: Path,
    arguments: list[str],
    words: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(dataset.parent)
    before = tree_digest(dataset)
    assert run(cli, ["scrub", *arguments]) == 2
    assert words in capsys.readouterr().err
    assert tree_digest(dataset) == before
