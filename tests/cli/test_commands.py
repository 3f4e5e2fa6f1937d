"""The command line as people meet it: documented, helpful, quick to answer."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from bidsanon.cli import COMMANDS, cli, main
from bidsanon.errors import BidsanonError
from bidsanon.findings import finding_codes

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")


def all_commands() -> Iterator[tuple[str, click.Command]]:
    for name in COMMANDS:
        command = importlib.import_module(f"bidsanon.cli.{name}").command
        yield name, command
        if isinstance(command, click.Group):
            yield from ((f"{name} {sub}", c) for sub, c in command.commands.items())


@pytest.mark.parametrize(("name", "command"), list(all_commands()))
def test_every_command_and_option_has_help(name: str, command: click.Command) -> None:
    assert command.help, name
    undocumented = [p.name for p in command.params if isinstance(p, click.Option) and not p.help]
    assert not undocumented, name


@pytest.mark.parametrize("name", [name for name, _ in all_commands()])
def test_every_command_is_in_the_readme(name: str) -> None:
    assert f"bidsanon {name}" in README


def test_the_readme_names_no_command_that_is_not_there() -> None:
    named = set(re.findall(r"`bidsanon ([a-z]+)", README)) | set(
        re.findall(r"^bidsanon ([a-z]+)", README, re.MULTILINE)
    )
    assert named <= set(COMMANDS)


def test_no_cure_names_a_command_that_is_not_there() -> None:
    cures = " ".join(code.cure for code in finding_codes().values())
    named = set(re.findall(r"`bidsanon ([a-z]+(?: [a-z]+)?)", cures))
    assert named
    assert named <= {name for name, _ in all_commands()}


def test_the_list_of_commands_says_what_each_command_says_of_itself() -> None:
    for name, summary in COMMANDS.items():
        command = importlib.import_module(f"bidsanon.cli.{name}").command
        words = {word.strip(".,").lower() for word in summary.split()}
        own = {word.strip(".,").lower() for word in (command.help or "").split()}
        assert len(words & own) >= len(words) / 2, name


def test_every_exit_code_is_in_the_readme() -> None:
    codes = {error.exit_code for error in all_errors(BidsanonError)} | {0, 130}
    documented = {int(code) for code in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)}
    assert documented == codes


def all_errors(base: type[BidsanonError]) -> Iterator[type[BidsanonError]]:
    yield base
    for error in base.__subclasses__():
        yield from all_errors(error)


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys; from bidsanon.cli import cli\n"
        "try: cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'scipy', 'nibabel', 'pydicom', 'matplotlib', 'rich', 'jsonschema'}\n"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert "convert" in ended.stdout


def test_the_group_knows_only_its_own_commands() -> None:
    assert cli.list_commands(click.Context(cli)) == list(COMMANDS)  # type: ignore[attr-defined]
    assert cli.get_command(click.Context(cli), "os") is None  # type: ignore[attr-defined]


def test_ctrl_c_while_the_program_still_loads_is_no_crash(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Loading:
        def __getattr__(self, _: str) -> None:
            raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "bidsanon.cli.outcome", Loading())  # type: ignore[arg-type]

    with pytest.raises(SystemExit, match="130"):
        main()

    assert capsys.readouterr().err == "interrupted: nothing was begun\n"
