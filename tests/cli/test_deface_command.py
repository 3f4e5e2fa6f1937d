"""``bidsanon deface`` as people and scripts meet it: what it prints, and its exit codes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from template_head import Knowing, cut_the_front, has_face, write_head, write_thing
from tree_digests import tree_digest

from bidsanon.cli import cli
from bidsanon.cli.outcome import run
from bidsanon.deface import stage
from bidsanon.deface.image import deface_acquisition

T1W = "sub-01/anat/sub-01_T1w.nii.gz"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test wait until a head is found."""
    monkeypatch.setattr(stage, "choose_engine", lambda *_args, **_kwargs: Knowing())
    monkeypatch.setattr(stage, "deface_acquisition", cut_the_front)


@pytest.fixture
def thorough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the stage do all its work, on a head of which it knows where it lies."""
    monkeypatch.setattr(stage, "deface_acquisition", deface_acquisition)


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    root = tmp_path / "study"
    (root / "sub-01" / "anat").mkdir(parents=True)
    (root / "derivatives").mkdir()
    (root / "dataset_description.json").write_text("{}")
    write_head(root / T1W)
    return root


def deface(*arguments: object) -> int:
    return run(cli, ["deface", *map(str, arguments), "--jobs", "1"])


@pytest.mark.parametrize("mode", ["check", "copy", "in-place"])
def test_stdout_is_one_object_as_its_schema_says(
    dataset: Path, mode: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = dataset.parent / "out"
    asked = {"check": ["--check-only"], "copy": ["-o", out], "in-place": ["--in-place"]}[mode]
    code, outcome = (4, "refused") if mode == "check" else (0, "defaced")
    assert deface(dataset, *asked, "--json") == code
    said = json.loads(capsys.readouterr().out)
    assert (said["mode"], said["outcome"], said["exit_code"]) == (mode, outcome, code)
    (image,) = said["images"]
    assert image["path"] == T1W
    assert image["verdict"] == ("shows-face" if mode == "check" else "defaced")
    written = {"check": None, "copy": str(out / T1W), "in-place": str(dataset / T1W)}
    assert image["written"] == written[mode]
    assert said["left_alone"] == ["derivatives/"]


def test_the_table_says_what_became_of_each_image(
    dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deface(dataset, "--in-place") == 0
    out = capsys.readouterr().out
    assert out.startswith("defaced ")
    assert T1W in out
    assert "not looked at: derivatives/" in out
    assert "the originals are gone" in out


def test_an_image_that_fails_is_told_on_both_streams(
    dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    thing = write_thing(dataset.parent / "thing.nii.gz")
    before = thing.read_bytes()
    assert deface(thing, dataset / T1W, "--in-place") == 4
    out, err = capsys.readouterr()
    assert "FAILED" in out
    assert "1 of 2 image(s) could not be defaced" in err
    assert "thing.nii.gz: FAILED: " in err
    assert thing.read_bytes() == before
    assert not has_face(dataset / T1W)


def test_what_was_only_looked_at_has_neither_failed_nor_been_removed(
    dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_thing(dataset / "sub-01/anat/sub-01_T2w.nii.gz")
    (dataset / "sub-01/anat/sub-01_PDw.nii.gz").touch()
    assert deface(dataset, "--check-only") == 4
    out, err = capsys.readouterr()
    assert "CANNOT TELL" in out
    assert "FAILED" not in out + err
    assert "removed" not in out
    assert "1 of 3 image(s) show a face; of 2 nobody can tell" in err


@pytest.mark.slow
@pytest.mark.usefixtures("thorough")
def test_a_face_that_stays_is_not_said_to_be_removed(
    dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (dataset / "sub-01/anat/sub-01_T1w.json").write_text('{"DeidentificationMethod": "Defaced"}')
    assert deface(dataset, "--check-only") == 4
    out, _ = capsys.readouterr()
    assert " ml of tissue, although its sidecar says that it had been removed" in out
    assert "was removed" not in out
    assert deface(dataset, "--in-place") == 0
    assert "the face was removed: " in capsys.readouterr().out
    assert deface(dataset, "--check-only") == 0
    assert "already defaced" in capsys.readouterr().out


@pytest.mark.usefixtures("thorough")
def test_an_image_that_may_only_be_read_is_replaced_and_may_still_only_be_read(
    dataset: Path,
) -> None:
    (dataset / T1W).chmod(0o444)
    assert deface(dataset, "--in-place") == 0
    assert not has_face(dataset / T1W)
    assert (dataset / T1W).stat().st_mode & 0o777 == 0o444


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ([T1W], 2),
        (["nowhere", "--in-place"], 2),
        ([".", "--in-place", "-o", "out"], 2),
        ([".", "--in-place", "--deface", "none"], 2),
        (["derivatives", "--check-only"], 2),
        (["empty", "--check-only"], 3),
        (["broken.nii.gz", "-o", "out"], 3),
        ([T1W, "-o", "sub-01/anat"], 7),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_written(
    dataset: Path,
    asked: list[str],
    code: int,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(dataset)
    (dataset / "empty" / "sub-01").mkdir(parents=True)
    (dataset / "broken.nii.gz").symlink_to("nowhere")
    before = tree_digest(dataset)
    assert deface(*asked, "--json") == code
    out, err = capsys.readouterr()
    said = json.loads(out)
    assert said["exit_code"] == code
    assert "what to do: " in err
    assert tree_digest(dataset) == before


@pytest.mark.parametrize("asked", [["--in-place"], ["-o", "out"], ["--check-only"]])
def test_an_interruption_says_what_was_done(
    dataset: Path,
    asked: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(*_args: object, **_kwargs: object) -> Iterator[object]:
        raise KeyboardInterrupt

    monkeypatch.setattr(stage, "deface_images", interrupted)
    monkeypatch.chdir(dataset.parent)
    before = tree_digest(dataset)
    assert deface(dataset, *asked) == 130
    words = {"--in-place": "0 image(s) are defaced", "-o": "at OUT", "--check-only": "written"}
    assert words[asked[0]] in capsys.readouterr().err
    assert tree_digest(dataset) == before
    assert {p.name for p in dataset.parent.iterdir()} <= {"study", ".study.bidsanon"}


def test_pictures_go_into_a_folder_for_its_owner_alone(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "deface_acquisition", deface_acquisition)
    pictures = tmp_path / "pictures"
    assert deface(dataset, "-o", tmp_path / "out", "--pictures", pictures) == 0
    assert pictures.stat().st_mode & 0o777 == 0o700
    names = {path.name for path in pictures.iterdir()}
    assert {"sub-01_T1w_before-front.png", "sub-01_T1w_after-front.png"} <= names
