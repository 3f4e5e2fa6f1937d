"""``scrub --profile``: a dataset that anything made says what its lab says of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import jsonschema
import pytest
from additions import add
from foreign import foreign_dataset
from tree_digests import tree_digest

from bidsanon.cli import cli
from bidsanon.cli.outcome import run
from bidsanon.pipeline.remove import make_remove_request, remove
from bidsanon.pipeline.scrub import ScrubRun, scrub
from bidsanon.pipeline.scrub_request import make_scrub_request
from bidsanon.progress import Silent
from bidsanon.redaction import Redactor
from bidsanon.resources import schema_path

SCHEMA = json.loads(schema_path("summary.schema.json").read_text("utf-8"))
LAB = """description = "Ours."
start = "bids"
[dataset]
Name = "Balloons"
Authors = ["Lovelace, Ada", "Bell, Burr"]
License = "CC0"
README = "# Balloons\\n\\nWhy they burst."
[dataset.participants.sex]
LongName = "sex as told"
"""


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return foreign_dataset(tmp_path_factory.mktemp("foreign") / "ds")


@pytest.fixture
def dataset(foreign: Path, tmp_path: Path) -> Path:
    root = shutil.copytree(foreign, tmp_path / "ds")
    for name in ("dataset_description.json", "README"):
        (root / name).chmod(0o644)
    return root


def lab(folder: Path, more: str = "") -> str:
    path = folder / "lab.toml"
    path.write_text(LAB + more)
    return str(path)


def scrubbed(dataset: Path, *, profile: str, dry_run: bool = False) -> ScrubRun:
    request = make_scrub_request(dataset, profile=profile, dry_run=dry_run, jobs=2)
    return scrub(request, progress=Silent(), redactor=Redactor())


def words_of(done: ScrubRun) -> dict[str, tuple[str, ...]]:
    return {change.name: change.words for change in done.changes}


def test_a_dry_run_says_what_the_run_then_does(dataset: Path) -> None:
    path = dataset / "dataset_description.json"
    path.write_text('{"Name": "ds", "BIDSVersion": "1.8.0", "PatientName": "Doe^Jane"}')
    before = tree_digest(dataset)
    foretold = scrubbed(dataset, profile=lab(dataset.parent), dry_run=True)
    assert tree_digest(dataset) == before
    done = scrubbed(dataset, profile=lab(dataset.parent))
    assert words_of(foretold) == words_of(done)
    assert words_of(done)[path.name] == (
        "PatientName removed",
        "Name filled",
        "Authors filled",
        "License filled",
    )
    assert json.loads(path.read_text()) == {
        "Name": "Balloons",
        "BIDSVersion": "1.8.0",
        "Authors": ["Ada Lovelace", "Burr Bell"],
        "License": "CC0",
    }


def test_a_second_run_changes_nothing(dataset: Path) -> None:
    scrubbed(dataset, profile=lab(dataset.parent))
    before = tree_digest(dataset)
    again = scrubbed(dataset, profile=lab(dataset.parent))
    assert again.changes == ()
    assert tree_digest(dataset) == before


def test_a_text_that_is_filled_is_not_said_to_be_left_alone(dataset: Path) -> None:
    (dataset / "README").write_text("TODO\n")
    assert "README" in scrubbed(dataset, profile="bids", dry_run=True).left_alone
    done = scrubbed(dataset, profile=lab(dataset.parent), dry_run=True)
    assert "README" in words_of(done)
    assert "README" not in done.left_alone


def test_without_a_lab_s_file_nothing_is_filled(dataset: Path) -> None:
    done = scrubbed(dataset, profile="bids")
    assert not any("filled" in word for words in words_of(done).values() for word in words)


def test_what_a_person_wrote_stays_and_is_told(
    dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (dataset / "README").write_text("# Ours\n\nWritten by a person.\n")
    assert run(cli, ["scrub", str(dataset), "--profile", lab(dataset.parent)]) == 0
    said = capsys.readouterr().out
    fields = ", ".join(f"dataset_description.json#/{field}" for field in ("Name", "Authors"))
    assert f"look at {fields}, README: [dataset] of the lab's file says something else" in said
    assert "filled" not in said
    assert (dataset / "README").read_text().startswith("# Ours")


def test_what_is_filled_stands_in_the_list_for_people_and_programs(
    dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (dataset / "README").unlink(missing_ok=True)
    (dataset / "dataset_description.json").write_text('{"Name": "ds", "BIDSVersion": "1.8.0"}')
    arguments = ["scrub", str(dataset), "--profile", lab(dataset.parent), "--dry-run"]
    assert run(cli, arguments) == 0
    said = capsys.readouterr().out
    assert "README: made, as [dataset] of the lab's file says" in said
    assert "dataset_description.json: filled: Name, Authors, License" in said
    assert run(cli, [*arguments, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    jsonschema.validate(printed, SCHEMA)
    assert "README" in {change["path"] for change in printed["changes"]}
    assert not (dataset / "README").exists()


def test_a_lab_s_file_that_is_wrong_is_refused_and_nothing_is_changed(
    dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = tree_digest(dataset)
    wrong = lab(dataset.parent, '[severity]\nNO_SUCH_CODE = "info"\n')
    assert run(cli, ["scrub", str(dataset), "--profile", wrong]) == 5
    assert "NO_SUCH_CODE" in capsys.readouterr().err
    assert tree_digest(dataset) == before


@pytest.mark.parametrize("target", ["README", "nowhere"])
def test_a_file_at_the_root_that_cannot_be_read_is_refused_and_nothing_is_changed(
    dataset: Path, target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (dataset / "README").unlink()
    (dataset / "README").symlink_to(target)  # to itself, or to what is not there
    before = tree_digest(dataset / "sub-01")
    for dry in (["--dry-run"], []):
        code = run(cli, ["scrub", str(dataset), "--profile", lab(dataset.parent), *dry])
        assert code not in {0, 1}
        assert "error:" in capsys.readouterr().err
        assert tree_digest(dataset / "sub-01") == before


def test_a_link_becomes_a_file_that_is_filled(dataset: Path) -> None:
    path = dataset / "dataset_description.json"
    (dataset / ".git").mkdir()
    path.write_text('{"Name": "ds", "BIDSVersion": "1.8.0"}')
    path.rename(dataset / ".git" / "object")
    path.symlink_to(".git/object")
    done = scrubbed(dataset, profile=lab(dataset.parent))
    assert [one.was_link for one in done.changes if one.name == path.name] == [True]
    assert not path.is_symlink()
    assert json.loads(path.read_text())["Name"] == "Balloons"
    assert json.loads((dataset / ".git" / "object").read_text())["Name"] == "ds"


def test_sessions_come_and_go_in_a_dataset_that_was_filled(tmp_path: Path) -> None:
    add(tmp_path / "ds", "01/a")
    add(tmp_path / "ds", "02/a")
    scrubbed(tmp_path / "ds", profile=lab(tmp_path))
    add(tmp_path / "ds", "03/a")
    remove(make_remove_request(tmp_path / "ds", subject="02", session="a", private=None))
    description = json.loads((tmp_path / "ds" / "dataset_description.json").read_text())
    assert description["Authors"] == ["Ada Lovelace", "Burr Bell"]
    assert (tmp_path / "ds" / "README").read_text().startswith("# Balloons")
    assert sorted(path.name for path in (tmp_path / "ds").glob("sub-*")) == ["sub-01", "sub-03"]
