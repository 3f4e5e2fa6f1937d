"""Bad input: its exit code, a message that says what to do next, and nothing left behind."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path
from typing import NamedTuple

import pytest
from in_process import ask_in_process
from sessions import (
    MARA,
    TOBIAS,
    bold_mosaic,
    burned_in_capture,
    identifying_strings,
    scout,
    truncated_file,
    two_persons,
)
from tree_digests import tree_digest

from bidsanon import external
from bidsanon.cli import cli
from bidsanon.cli.outcome import interrupt_when_terminated, run
from bidsanon.cli.text import finding_lines
from bidsanon.findings import Severity, finding


class Usage(NamedTuple):
    """What shutil.disk_usage answers."""

    total: int
    used: int
    free: int


class Shell:
    """A folder to call ``bidsanon`` in, and what it said."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.capture = capture
        self.out = self.err = ""

    def bidsanon(self, *arguments: object) -> int:
        code = run(cli, [str(argument) for argument in arguments])
        self.out, self.err = self.capture.readouterr()
        return code

    def convert(self, source: object, *more: object) -> int:
        return self.bidsanon("convert", source, "-o", self.folder / "ds", "-s", "01", *more)


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    (tmp_path / "in").mkdir()
    return Shell(tmp_path, capsys)


@pytest.fixture
def heuristics_in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Save the second that a new process takes, where it is not the point."""
    ask_in_process(monkeypatch)


def assert_told(shell: Shell, *words: str) -> None:
    assert "error:" in shell.err
    assert "what to do:" in shell.err
    for word in words:
        assert word in shell.err
    assert "Traceback" not in shell.err
    for value in identifying_strings(MARA) + identifying_strings(TOBIAS):
        assert value not in shell.err + shell.out


def assert_nothing_left(shell: Shell) -> None:
    left = {p.name for p in shell.folder.iterdir()} - {"in", "heuristic.py", "profile.toml"}
    assert left == set()


def test_an_empty_folder(shell: Shell) -> None:
    assert shell.convert(shell.folder / "in") == 3
    assert_told(shell, "no DICOM")
    assert_nothing_left(shell)


def test_a_folder_without_dicom(shell: Shell) -> None:
    (shell.folder / "in" / "thesis.txt").write_text("Chapter 1")
    assert shell.convert(shell.folder / "in") == 3
    assert_told(shell, "no DICOM")
    assert_nothing_left(shell)


def test_a_source_that_is_not_there(shell: Shell) -> None:
    assert shell.convert(shell.folder / "in" / MARA.family_name) == 2
    assert_told(shell, "SOURCE number 1 is not there")
    assert_nothing_left(shell)


def test_a_folder_that_cannot_be_read(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    bold_mosaic(shell.folder / "in" / "bold")
    locked = shell.folder / "in" / "locked"
    locked.mkdir(mode=0)
    if os.access(locked, os.R_OK):  # root reads everything
        scandir = os.scandir

        def denying(path: str | Path | int = ".") -> object:
            if not isinstance(path, int) and Path(path).name == "locked":
                raise PermissionError(13, "Permission denied")
            return scandir(path)

        monkeypatch.setattr(os, "scandir", denying)
    assert shell.convert(shell.folder / "in") == 3
    assert_told(shell, "cannot be read")
    assert_nothing_left(shell)


@pytest.mark.usefixtures("heuristics_in_process")
@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("def infotodict(seqinfo:\n", "line 1"),
        ("def infotodict(seqinfo):\n    return 1 / 0\n", "line 2"),
        ("import not_a_module\ndef infotodict(seqinfo):\n    return {}\n", "heuristic"),
        ("x = 1\n", "infotodict"),
    ],
)
def test_a_heuristic_that_is_broken(shell: Shell, code: str, problem: str) -> None:
    bold_mosaic(shell.folder / "in")
    (shell.folder / "heuristic.py").write_text(code)
    assert shell.convert(shell.folder / "in", "-f", shell.folder / "heuristic.py") == 5
    assert_told(shell, problem)
    assert not (shell.folder / "ds").exists()


@pytest.mark.usefixtures("heuristics_in_process")
def test_what_a_heuristic_says_of_data_is_not_repeated(shell: Shell) -> None:
    bold_mosaic(shell.folder / "in")
    (shell.folder / "heuristic.py").write_text(
        "def infotodict(seqinfo):\n    raise ValueError(seqinfo[0].protocol_name)\n"
    )
    assert shell.convert(shell.folder / "in", "-f", shell.folder / "heuristic.py") == 5
    assert_told(shell, "ValueError", "line 2")
    assert "ep2d_bold_rest" not in shell.err


def test_a_heuristic_that_is_not_there(shell: Shell) -> None:
    bold_mosaic(shell.folder / "in")
    assert shell.convert(shell.folder / "in", "-f", "nobody") == 5
    assert_told(shell)
    assert_nothing_left(shell)


@pytest.mark.usefixtures("heuristics_in_process")
def test_a_heuristic_that_matches_nothing(shell: Shell) -> None:
    bold_mosaic(shell.folder / "in")
    (shell.folder / "heuristic.py").write_text("def infotodict(seqinfo):\n    return {}\n")
    assert shell.convert(shell.folder / "in", "-f", shell.folder / "heuristic.py") == 3
    assert_told(shell, "matches none", "bidsanon inspect")
    assert_nothing_left(shell)


@pytest.mark.usefixtures("heuristics_in_process")
def test_a_session_of_scouts(shell: Shell) -> None:
    scout(shell.folder / "in")
    assert shell.convert(shell.folder / "in") == 3
    assert_told(shell, "bidsanon inspect")
    assert_nothing_left(shell)


@pytest.mark.parametrize("label", ["0-1", "sub 01", "../x", "Zoë"])
def test_a_label_that_is_not_alphanumeric(shell: Shell, label: str) -> None:
    bold_mosaic(shell.folder / "in")
    assert (
        shell.bidsanon("convert", shell.folder / "in", "-o", shell.folder / "ds", "-s", label) == 2
    )
    assert_told(shell, "letters and digits")
    assert_nothing_left(shell)


def test_a_dataset_that_is_a_file(shell: Shell) -> None:
    bold_mosaic(shell.folder / "in" / "dicom")
    dataset = shell.folder / "in" / "thesis"
    dataset.write_text("Chapter 1")
    code = shell.bidsanon("convert", shell.folder / "in" / "dicom", "-o", dataset, "-s", "01")
    assert code == 2
    assert_told(shell, "is a file")
    assert dataset.read_text() == "Chapter 1"


@pytest.mark.parametrize(
    ("option", "name"), [("-o", "the dataset"), ("--private", "the private folder")]
)
def test_a_dataset_or_private_folder_below_a_file(shell: Shell, option: str, name: str) -> None:
    bold_mosaic(shell.folder / "in")
    file = shell.folder / "thesis"
    file.write_text("Chapter 1")
    assert shell.convert(shell.folder / "in", option, file / "further" / "down") == 2
    assert_told(shell, f"{name} would lie below a file")


def test_an_out_below_a_file(shell: Shell) -> None:
    bold_mosaic(shell.folder / "in")
    file = shell.folder / "thesis"
    file.write_text("Chapter 1")
    assert shell.bidsanon("deidentify", shell.folder / "in", file / "out") == 2
    assert_told(shell, "OUT would lie below a file")


@pytest.mark.parametrize("private", ["ds/private", "ds", "."])
def test_a_private_folder_in_the_dataset_or_around_it(shell: Shell, private: str) -> None:
    bold_mosaic(shell.folder / "in")
    assert shell.convert(shell.folder / "in", "--private", shell.folder / private) == 2
    assert_told(shell, "must not lie within each other")
    assert_nothing_left(shell)


@pytest.mark.parametrize("option", ["-o", "--private"])
def test_a_dataset_or_private_folder_in_the_source(shell: Shell, option: str) -> None:
    bold_mosaic(shell.folder / "in")
    before = tree_digest(shell.folder / "in")
    assert shell.convert(shell.folder / "in", option, shell.folder / "in" / "out") == 2
    assert_told(shell, "originals are never touched")
    assert tree_digest(shell.folder / "in") == before


@pytest.mark.parametrize("where", ["ds/sourcedata/in", "ds.private/quarantine/sub-01", "link"])
def test_a_source_within_what_is_written(shell: Shell, where: str) -> None:
    source = shell.folder / where
    bold_mosaic(shell.folder / "ds" / "sourcedata" / "in" if where == "link" else source)
    (shell.folder / "ds").mkdir(exist_ok=True)
    (shell.folder / "ds" / "dataset_description.json").write_text("{}")
    if where == "link":
        source.symlink_to(shell.folder / "ds" / "sourcedata" / "in")
    before = tree_digest(shell.folder)
    assert shell.convert(source) == 2
    assert_told(shell, "SOURCE number 1 lies within", "move the originals out")
    assert tree_digest(shell.folder) == before


def test_a_truncated_file_among_good_ones(shell: Shell) -> None:
    truncated_file(shell.folder / "in")
    bold_mosaic(shell.folder / "in" / "bold")
    before = tree_digest(shell.folder / "in")
    assert shell.convert(shell.folder / "in") == 4
    assert_told(shell, "TRUNCATED_FILES", "--withhold")
    assert not (shell.folder / "ds").exists()
    assert tree_digest(shell.folder / "in") == before


def test_two_persons(shell: Shell) -> None:
    two_persons(shell.folder / "in")
    assert shell.convert(shell.folder / "in") == 4
    assert_told(shell, "2 persons")
    assert not (shell.folder / "ds").exists()


def test_a_refusal_says_where_its_report_is(shell: Shell) -> None:
    two_persons(shell.folder / "in")
    assert shell.convert(shell.folder / "in") == 4
    report = shell.folder / "ds.private" / "reports" / "sub-01_refused.html"
    assert report.is_file()
    assert f"report: {report}" in shell.err


def test_nothing_but_a_burned_in_capture(shell: Shell) -> None:
    burned_in_capture(shell.folder / "in")
    assert shell.convert(shell.folder / "in") == 3
    assert_told(shell, "burned-in")
    assert_nothing_left(shell)


@pytest.mark.parametrize("program", [external.DCM2NIIX, external.BIDS_VALIDATOR])
def test_a_program_that_is_missing(
    shell: Shell, program: external.Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    bold_mosaic(shell.folder / "in")
    which = shutil.which

    def hiding(name: str, **options: object) -> str | None:
        return None if name == program.name else which(name, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(shutil, "which", hiding)
    assert shell.convert(shell.folder / "in") == 6
    assert_told(shell, program.name, "pip install")
    assert_nothing_left(shell)


def test_dcm2niix_failing(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    bold_mosaic(shell.folder / "in")
    broken = shell.folder / "in" / "dcm2niix"
    broken.write_text("#!/bin/sh\nexit 2\n")
    broken.chmod(0o755)
    which = shutil.which

    def pointing_at_broken(name: str, **options: object) -> str | None:
        is_dcm2niix = name == external.DCM2NIIX.name
        return str(broken) if is_dcm2niix else which(name, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(shutil, "which", pointing_at_broken)
    assert shell.convert(shell.folder / "in") == 4
    assert_told(shell)
    assert not (shell.folder / "ds").exists()


@pytest.mark.slow
def test_inspect_shows_what_a_dry_run_refuses(shell: Shell) -> None:
    two_persons(shell.folder / "in")
    assert shell.convert(shell.folder / "in", "--dry-run") == 4
    assert "SEVERAL_PERSONS" in shell.out
    assert shell.bidsanon("inspect", shell.folder / "in") == 0
    assert "SEVERAL_PERSONS" in shell.out
    assert shell.bidsanon("inspect", "--help") == 0
    assert "exit code is 0" in " ".join(shell.out.split())


def test_no_space_left(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    bold_mosaic(shell.folder / "in")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(total=10, used=9, free=1))
    assert shell.convert(shell.folder / "in") == 4
    assert_told(shell, "no space left", "free some space")
    assert_nothing_left(shell)


def test_a_profile_that_does_not_parse(shell: Shell) -> None:
    bold_mosaic(shell.folder / "in")
    (shell.folder / "profile.toml").write_text("options = [\n")
    assert shell.convert(shell.folder / "in", "--profile", shell.folder / "profile.toml") == 5
    assert_told(shell)
    assert_nothing_left(shell)


def test_an_option_that_is_not_there(shell: Shell) -> None:
    assert shell.convert(shell.folder / "in", "--publish-anyway") == 2
    assert "No such option" in shell.err


def test_an_interruption(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    bold_mosaic(shell.folder / "in")

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("bidsanon.pipeline.convert.deidentify_session", interrupted)
    assert shell.convert(shell.folder / "in") == 130
    assert "nothing was published" in shell.err
    assert_nothing_left(shell)


def test_a_termination_ends_like_an_interruption(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    bold_mosaic(shell.folder / "in")
    before = signal.getsignal(signal.SIGTERM)

    def terminated(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr("bidsanon.pipeline.convert.deidentify_session", terminated)
    try:
        interrupt_when_terminated()
        assert shell.convert(shell.folder / "in") == 130
    finally:
        signal.signal(signal.SIGTERM, before)
    assert_nothing_left(shell)


def test_a_bug_says_where_and_not_what(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    bold_mosaic(shell.folder / "in")

    def buggy(*_: object, **__: object) -> None:
        raise ValueError(MARA.family_name)

    monkeypatch.setattr("bidsanon.pipeline.convert.deidentify_session", buggy)
    assert shell.convert(shell.folder / "in") == 1
    assert_told(shell, "ValueError")
    assert not (shell.folder / "ds").exists()


@pytest.mark.parametrize(
    ("command", "named"),
    [(("convert", "in", "-s", "01", "-o"), "DATASET"), (("deidentify", "in"), "OUT")],
)
def test_a_place_that_cannot_be_written_is_called_by_the_name_that_the_user_knows(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], named: str
) -> None:
    bold_mosaic(shell.folder / "in")
    closed = shell.folder / "closed"
    closed.mkdir()
    monkeypatch.chdir(shell.folder)
    monkeypatch.setattr(os, "access", lambda path, _: Path(path) != closed)
    assert shell.bidsanon(*command, "closed/study") == 4
    assert_told(shell, f"{named}, and beside it {named}.private", f"another place for {named}")
    monkeypatch.setattr(os, "access", lambda path, _: Path(path) != shell.folder / "mine.private")
    (shell.folder / "mine.private").mkdir()
    assert shell.bidsanon(*command, "mine") == 4
    assert_told(shell, f"{named}.private", "--private")
    assert shell.bidsanon(*command, "open", "--private", "mine.private") == 4
    assert_told(shell, "the private folder that --private names")
    assert not list(closed.iterdir())
    assert not (shell.folder / "mine").exists()


@pytest.mark.parametrize("given", [False, True])
def test_a_private_folder_that_is_on_a_full_disk_is_called_as_the_user_knows_it(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, given: bool
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    bold_mosaic(shell.folder / "in")
    monkeypatch.setattr("bidsanon.pipeline.workspace.make_private_folder", full)
    private = ("--private", shell.folder / "p") if given else ()
    assert shell.convert(shell.folder / "in", *private) == 4
    assert_told(shell, "no space left")
    assert ("DATASET.private" in shell.err) is not given


def test_a_name_that_a_terminal_would_heed_is_shown_as_it_is() -> None:
    found = finding("FILE_UNREADABLE", location="sub-01/\x1b[31m\n.json", problem="is no file")
    lines = finding_lines((found,), least=Severity.ERROR)
    assert len(lines) == 2
    assert all(line.isprintable() for line in lines)


def test_what_is_said_of_thousands_of_files_is_not_listed_thousands_of_times() -> None:
    many = [finding("PRIVACY_FACE", location=f"sub-{number:04}") for number in range(2000)]
    other = finding("DATASET_NO_AUTHORS", location="dataset_description.json")
    lines = finding_lines((*many, other), least=Severity.INFO)
    assert len([line for line in lines if line.startswith("warning: PRIVACY_FACE")]) == 20
    assert "  and 1,980 more of which the same is said (--json lists all)" in lines
    assert any("DATASET_NO_AUTHORS" in line for line in lines)
    few = finding_lines(tuple(many[:20]), least=Severity.INFO)
    assert len(few) == 21
    assert not any("more" in line for line in few)


def test_what_to_do_stands_once_behind_those_of_which_it_is_the_same() -> None:
    one, two, other = (
        finding("LAYOUT_IMAGE_NOT_FOUND", location="a"),
        finding("LAYOUT_IMAGE_NOT_FOUND", location="b"),
        finding("DATASET_NO_ETHICS", location="c"),
    )
    lines = finding_lines((one, other, two), least=Severity.INFO)
    assert [line.startswith("  what to do: ") for line in lines] == [
        False,
        False,
        True,
        False,
        True,
    ]
    assert lines[2].endswith(one.cure)
    assert lines[4].endswith(other.cure)
