"""``--json``: stdout is one object that the schema describes, also when a command fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from sessions import MARA, bold_mosaic

from bidsanon.cli import cli
from bidsanon.cli.outcome import run
from bidsanon.resources import schema_path

SCHEMA = json.loads(schema_path("summary.schema.json").read_text("utf-8"))


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("doctor",), 0),
        (("heuristic", "list"), 0),
        (("profile", "list"), 0),
        (("profile", "show", "basic"), 0),
        (("profile", "show", "nobody"), 5),
        (("profile", "show", "bids", "--keep", "Typo"), 2),
        (("inspect", "nowhere"), 2),
        (("convert", "nowhere", "-o", "ds", "-s", "01"), 2),
        (("deidentify", "nowhere", "out"), 2),
        (("validate", "nowhere"), 2),
        (("remove", "nowhere", "-s", "01"), 2),
        (("convert", "nowhere", "-o", "ds"), 2),
        (("vault", "show"), 2),
        (("deidentify", "in", "out", "--force", "PatientSex"), 2),
    ],
)
def test_stdout_is_one_object_as_its_schema_says(
    arguments: tuple[str, ...],
    code: int,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(cli, [*arguments, "--json"]) == code
    printed = json.loads(capsys.readouterr().out)
    jsonschema.validate(printed, SCHEMA)
    assert printed.get("exit_code", 0) == code


def test_a_bug_is_an_object_too_that_says_nothing_of_what_it_met(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def buggy(*_: object, **__: object) -> None:
        raise ValueError(MARA.family_name)

    monkeypatch.setattr("bidsanon.profile.load_profile", buggy)
    assert run(cli, ["profile", "show", "bids", "--json"]) == 1
    out, err = capsys.readouterr()
    printed = json.loads(out)
    jsonschema.validate(printed, SCHEMA)
    assert (printed["command"], printed["exit_code"]) == ("profile", 1)
    assert "ValueError at profile.py" in printed["error"]["message"]
    assert printed["error"]["cure"] in err
    assert MARA.family_name not in out + err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is always full")
@pytest.mark.parametrize("full", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_output_that_nobody_can_read_is_told_and_what_is_there_is_not_denied(
    tmp_path: Path, full: bool
) -> None:
    bold_mosaic(tmp_path / "in")
    line = [sys.executable, "-m", "bidsanon", "deidentify", "in", "out", "--jobs", "1", "--json"]
    if full:
        stdout = os.open("/dev/full", os.O_WRONLY)
    else:
        nobody, stdout = os.pipe()
        os.close(nobody)
    ended = subprocess.run(
        line, cwd=tmp_path, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(stdout)
    assert ended.returncode == 4, ended.stderr
    assert "nothing was published" not in ended.stderr
    assert "look whether OUT" in ended.stderr
    assert ("make room" if full else "left before everything was said") in ended.stderr
    assert "Exception ignored" not in ended.stderr
    assert (tmp_path / "out").is_dir()
