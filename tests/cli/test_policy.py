"""Profiles on the command line: amended by options, shown and checked."""

from __future__ import annotations

import importlib
import json
import shlex
from pathlib import Path

import click
import pytest
from pydicom import dcmread
from sessions import MARA, bold_mosaic

from bidsanon.audit import Journal
from bidsanon.cli import cli
from bidsanon.cli.outcome import run
from bidsanon.dicom.confidentiality import Option
from bidsanon.profile import bundled_profiles, load_profile


def option_help(command: str) -> str:
    loaded: click.Command = importlib.import_module(f"bidsanon.cli.{command}").command
    return next(
        p.help or "" for p in loaded.params if isinstance(p, click.Option) and p.name == "options"
    )


@pytest.mark.parametrize("command", ["convert", "deidentify", "inspect"])
def test_the_help_names_all_ten_options(command: str) -> None:
    assert [option for option in Option if option not in option_help(command)] == []


def test_subject_and_name_are_kept_as_the_help_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = "--keep PatientID --keep PatientName"
    with pytest.raises(SystemExit):
        importlib.import_module("bidsanon.cli.deidentify").command.main(["--help"])
    assert words in " ".join(capsys.readouterr().out.split())
    bold_mosaic(tmp_path / "in", person=MARA)
    given = ["deidentify", str(tmp_path / "in"), str(tmp_path / "out"), "--jobs", "1"]
    assert run(cli, [*given, *words.split()]) == 0
    header = dcmread(next((tmp_path / "out").rglob("*.dcm")), stop_before_pixels=True)
    assert header.PatientID == MARA.patient_id
    assert header.PatientName == MARA.name


@pytest.mark.parametrize(
    "name", [name for name in bundled_profiles() if load_profile(name).variations]
)
def test_every_variation_is_given_by_options_that_the_command_line_has(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    deidentify: click.Command = importlib.import_module("bidsanon.cli.deidentify").command
    for variation in load_profile(name).variations:
        words = shlex.split(variation.give)
        known = {flag for p in deidentify.params for flag in p.opts}
        assert {word for word in words if word.startswith("--")} <= known
        if {"--option", "--keep"} & set(words):
            assert run(cli, ["profile", "show", name, *words]) == 0
            assert f"{name}, amended" in capsys.readouterr().out


def test_an_amended_profile_is_shown_as_it_decides(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--keep", "StationName", "--remove", "0010,1030", "--force", "Manufacturer=A=B"]
    assert run(cli, ["profile", "show", "--json", *words]) == 0
    printed = json.loads(capsys.readouterr().out)
    happens = {row["tag"]: row["happens"] for row in printed["attributes"]}
    assert happens["(0008,1010)"] == "is kept"
    assert happens["(0010,1030)"] == "is removed"
    assert happens["(0008,0070)"] == 'is set to "A=B"'


def test_private_attributes_are_shown_by_their_creators(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(cli, ["profile", "show", "bids"]) == 0
    assert "(0019,SIEMENS MR HEADER,0C)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--force", "Manufacturer"], 2),
        (["--force", "(0019,SIEMENS MR HEADER,0C)=1000"], 0),
        (["--option", "retain-full-dates"], 2),
        (["--option", "retain-everything"], 2),
        (["--keep", "SOPInstanceUID"], 2),
        (["--keep", "Typo"], 2),
        (["--modality", "magnetic"], 2),
    ],
)
def test_changes_that_cannot_be_made_are_refused(words: list[str], code: int) -> None:
    assert run(cli, ["profile", "show", "bids", *words]) == code


def test_a_profile_is_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "lab.toml"
    path.write_text('name = "lab"\ndescription = "Ours."\nstart = "strict"\n')
    assert run(cli, ["profile", "check", str(path)]) == 0
    assert capsys.readouterr().out.startswith("valid\nlab: ")
    assert run(cli, ["profile", "check", str(path), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["allow_list"] is True


def test_all_that_is_wrong_with_a_profile_is_said_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "lab.toml"
    path.write_text('start = "nowhere"\nkeeep = []\nkeep = ["PatientNaem", "(0002,0016)"]\n')
    assert run(cli, ["profile", "check", str(path)]) == 5
    said = capsys.readouterr().err
    for problem in ("description", "keeep", "nowhere", "PatientNaem", "(0002,0016)"):
        assert problem in said


def test_what_no_dataset_may_hold_is_refused_before_anything_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bold_mosaic(tmp_path / "in")
    dataset = tmp_path / "ds"
    code = run(
        cli,
        ["convert", str(tmp_path / "in"), "-o", str(dataset), "-s", "01", "--keep", "PatientName"],
    )
    assert code == 2
    assert "(0010,0010)" in capsys.readouterr().err
    assert not dataset.exists()


def test_an_amended_run_is_journalled_as_such(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bold_mosaic(tmp_path / "in")
    arguments = ["deidentify", str(tmp_path / "in"), str(tmp_path / "out"), "--jobs", "1", "--json"]
    assert run(cli, [*arguments, "--option", "retain-device-identity"]) == 0
    printed = json.loads(capsys.readouterr().out)
    (entry,) = Journal(tmp_path / "out.private").entries()
    assert printed["profile"]["name"] == entry["profile"] == "bids, amended"
    assert printed["profile"]["digest"] == entry["profile_digest"]
    assert entry["profile_digest"] != load_profile("bids").digest
