"""``bidsanon export`` as people meet it."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import jsonschema
import pytest
from additions import add

from bidsanon.audit import FaceDecision, FaceVerdict, Journal, now, record_decision
from bidsanon.cli import cli
from bidsanon.cli.outcome import run
from bidsanon.files import sha256
from bidsanon.findings import Finding, finding
from bidsanon.pipeline import validate as checks
from bidsanon.resources import schema_path
from bidsanon.validate import DatasetChecks, OfficialReport

JOURNAL = json.loads(schema_path("journal.schema.json").read_text("utf-8"))
WRONG = finding("LAYOUT_IMAGE_NOT_FOUND", location="sub-01/anat/sub-01_T1w.nii.gz")


@pytest.fixture
def dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A dataset in which the checks find nothing."""
    found(monkeypatch)
    add(tmp_path / "ds", "01/a")
    (tmp_path / "ds" / ".hidden").write_text("x")
    next((tmp_path / "ds").rglob("*_T1w.json")).write_text("{}")
    return tmp_path / "ds"


def found(monkeypatch: pytest.MonkeyPatch, *findings: Finding) -> None:
    official = OfficialReport(issues=(), schema="1.2.7")
    said = DatasetChecks(findings=findings, official=official)
    monkeypatch.setattr(checks, "check_dataset", lambda *_, **__: said)


@pytest.mark.parametrize("name", ["out.tar.gz", "out.zip"])
@pytest.mark.parametrize("dry", [True, False])
def test_stdout_is_one_object_as_its_schema_says(
    dataset: Path, name: str, dry: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    out = dataset.parent / name
    lines = len(list(Journal(dataset.with_name("ds.private")).entries()))
    assert run(cli, ["export", str(dataset), str(out), "--json"] + ["--dry-run"] * dry) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["outcome"] == ("planned" if dry else "exported")
    assert printed["left_out"] == [".hidden"]
    assert out.exists() is not dry
    entries = list(Journal(dataset.with_name("ds.private")).entries())[lines:]
    assert len(entries) == (not dry)
    for entry in entries:
        jsonschema.validate(entry, JOURNAL)
        assert entry["archive_digest"] == printed["archive"]["sha256"] == sha256(out)


def test_an_image_that_a_person_rejected_is_packed_by_no_option(
    dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = dataset / "sub-01" / "ses-a" / "anat" / "sub-01_ses-a_T1w.nii.gz"
    image.write_bytes(b"a head")
    decision = FaceDecision(
        image="where/it/was.nii.gz",
        sha256=sha256(image),
        size=6,
        verdict=FaceVerdict.REJECTED,
        when=now(),
    )
    record_decision(dataset.with_name("ds.private"), decision)
    out = dataset.parent / "out.zip"
    assert run(cli, ["export", str(dataset), str(out), "--despite-errors"]) == 4
    said = capsys.readouterr().err
    assert f"FACE_REJECTED [{image.relative_to(dataset).as_posix()}]" in said
    assert "--despite-errors" not in said
    assert not out.exists()
    image.unlink()
    assert run(cli, ["export", str(dataset), str(out), "--despite-errors"]) == 0


def test_a_dataset_with_errors_is_refused_unless_asked_otherwise(
    dataset: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found(monkeypatch, WRONG)
    out = dataset.parent / "out.tar.gz"
    assert run(cli, ["export", str(dataset), str(out), "--json"]) == 4
    said = capsys.readouterr()
    assert json.loads(said.out)
    assert json.loads(said.out)["outcome"] == "refused"
    assert "LAYOUT_IMAGE_NOT_FOUND" in said.err
    assert "--despite-errors" in said.err
    assert not out.exists()
    assert [e["outcome"] for e in Journal(dataset.with_name("ds.private")).entries()][-1] == (
        "refused"
    )
    assert run(cli, ["export", str(dataset), str(out), "--despite-errors"]) == 0
    assert "LAYOUT_IMAGE_NOT_FOUND" in capsys.readouterr().out
    assert tarfile.is_tarfile(out)


def test_what_cannot_be_packed_is_refused_whatever_is_asked(
    dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (dataset / "sub-01" / "far").symlink_to("/etc/hostname")
    out = dataset.parent / "out.zip"
    assert run(cli, ["export", str(dataset), str(out), "--despite-errors"]) == 4
    said = capsys.readouterr().err
    assert "FILE_UNREADABLE [sub-01/far]" in said
    assert "--despite-errors" not in said
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "code_and_words"),
    [
        (["ds", "out"], (2, "OUT is no archive")),
        (["ds", "out.tar.xz"], (2, "kind that is not written")),
        (["ds", "ds/out.zip"], (2, "must not lie within each other")),
        (["ds", "link/out.zip"], (2, "must not lie within each other")),
        (["ds", "ds.private/out.zip"], (2, "must not lie within each other")),
        (["ds", "there.zip"], (7, "exists")),
        (["ds", "out.zip", "--private", "ds/sub-01"], (2, "must not lie within each other")),
        (["ds", "out.zip", "--private", "mistyped"], (2, "no private folder at --private")),
        (["nowhere", "out.zip"], (2, "not a folder")),
        (["empty", "out.zip"], (2, "no BIDS dataset")),
        (["ds", "there.zip/out.zip"], (2, "below a file")),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_checked(
    dataset: Path,
    arguments: list[str],
    code_and_words: tuple[int, str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(dataset.parent)
    Path("empty").mkdir()
    Path("there.zip").write_text("mine")
    Path("link").symlink_to("ds")
    names = sorted(path.name for path in dataset.parent.iterdir())
    code, said = code_and_words
    assert run(cli, ["export", *arguments]) == code
    assert said in capsys.readouterr().err
    assert sorted(path.name for path in dataset.parent.iterdir()) == names
    assert Path("there.zip").read_text() == "mine"


def test_without_a_private_folder_nothing_is_made_beside_the_archive(
    dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = dataset.parent / "for sharing" / "out.tgz"
    private = dataset.with_name("ds.private")
    private.rename(dataset.with_name("moved"))
    assert run(cli, ["export", str(dataset), str(out)]) == 0
    said = capsys.readouterr().out
    assert [path.name for path in out.parent.iterdir()] == ["out.tgz"]
    assert not private.exists()
    assert "PRIVATE_FOLDER_MISSING" in said
    assert sha256(out) in said
    assert "left out, since hidden: .hidden" in said


def test_what_is_hidden_does_not_count_since_it_stays_behind(
    dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in (".heudiconv/01/info", "sub-01/.old"):
        (dataset / folder).mkdir(parents=True)
        (dataset / folder / "one.json").write_text('{"PatientName": "Doe^Jane"}')
    out = dataset.parent / "out.tgz"
    assert run(cli, ["validate", str(dataset), "--openneuro"]) == 4
    said = capsys.readouterr().out
    assert "PRIVACY_LEFTOVER" in said
    assert "OPENNEURO_HIDDEN_FILES" in said
    assert run(cli, ["export", str(dataset), str(out), "--openneuro"]) == 0
    said = capsys.readouterr().out
    assert ".heudiconv/, .hidden, sub-01/.old/" in said
    assert "PRIVACY_LEFTOVER" not in said
    with tarfile.open(out) as packed:
        assert not [name for name in packed.getnames() if "/." in name]
    (dataset / "sub-01" / "one.json").write_text('{"PatientName": "Doe^Jane"}')
    assert run(cli, ["export", str(dataset), str(out), "--overwrite"]) == 4
    assert "PRIVACY_IDENTIFYING_KEY [sub-01/one.json" in capsys.readouterr().err
