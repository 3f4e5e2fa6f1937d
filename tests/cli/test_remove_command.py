"""``bidsanon remove`` as people meet it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from additions import add
from tree_digests import tree_digest

from bidsanon.cli import cli
from bidsanon.cli.outcome import run


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    for name in ("01/a", "01/b"):
        add(tmp_path / "ds", name)
    return tmp_path / "ds"


@pytest.mark.parametrize("dry", [True, False])
def test_stdout_is_one_object_as_its_schema_says(
    dataset: Path, dry: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    before = tree_digest(dataset.parent)
    arguments = ["remove", str(dataset), "-s", "sub-01", "-ss", "ses-b", "--json"]
    assert run(cli, arguments + ["--dry-run"] * dry) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["outcome"] == ("planned" if dry else "removed")
    assert printed["files"] == ["sub-01/ses-b/anat/sub-01_ses-b_T1w.json"]
    assert (tree_digest(dataset.parent) == before) is dry


@pytest.mark.parametrize(
    ("arguments", "code_and_words"),
    [
        (["-s", "01"], (2, "name one with -ss: a, b")),
        (["-s", "07"], (2, "holds no sub-07")),
        (["-s", "0 7"], (2, "letters and digits")),
        (["-s", "01", "-ss", "a", "--private", "elsewhere"], (7, "does not know")),
    ],
)
def test_what_cannot_be_removed_is_said(
    dataset: Path,
    arguments: list[str],
    code_and_words: tuple[int, str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(dataset.parent)
    before = tree_digest(dataset)
    code, said = code_and_words
    assert run(cli, ["remove", str(dataset), *arguments]) == code
    assert said in capsys.readouterr().err
    assert tree_digest(dataset) == before
    assert not Path("elsewhere").exists()


def test_the_text_names_what_goes_and_what_stays(
    dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (dataset / "derivatives/prep/sub-01/ses-a").mkdir(parents=True)
    assert run(cli, ["remove", str(dataset), "-s", "01", "-ss", "a"]) == 0
    said = capsys.readouterr().out
    assert "  sub-01/ses-a/anat/sub-01_ses-a_T1w.json\n" in said
    assert "made by others: derivatives/prep/sub-01/ses-a" in said
