"""`--deface` of ``deidentify``: alone or with an engine's name, anywhere on the line."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from bidsanon.cli.deidentify import command

FOLDERS = ["in", "out"]


def engine_of(arguments: list[str]) -> str | None:
    context = command.make_context("deidentify", arguments)
    assert context.params["sources"] == (Path("in"),)
    assert context.params["out"] == Path("out")
    engine: str | None = context.params["engine"]
    return engine


@pytest.fixture(autouse=True)
def _source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "in").mkdir()
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "engine"),
    [
        (FOLDERS, None),
        ([*FOLDERS, "--deface"], "auto"),
        (["--deface", *FOLDERS], "auto"),
        (["in", "--deface", "out"], "auto"),
        ([*FOLDERS, "--deface", "--jobs", "2"], "auto"),
        ([*FOLDERS, "--deface", "bidsanon"], "bidsanon"),
        (["--deface", "pydeface", *FOLDERS], "pydeface"),
        ([*FOLDERS, "--deface=none", "--because", "consent"], "none"),
    ],
)
def test_the_switch_takes_an_engine_and_nothing_else(
    arguments: list[str], engine: str | None
) -> None:
    assert engine_of(arguments) == engine


def test_an_engine_that_is_not_there_is_refused() -> None:
    with pytest.raises(click.BadParameter, match="not one of"):
        engine_of([*FOLDERS, "--deface=afni"])


@pytest.mark.parametrize(
    "options", [["--keep-ears"], ["--because", "consent"], ["--faces", "pydeface"]]
)
def test_how_to_deface_is_asked_only_where_faces_go(options: list[str]) -> None:
    context = command.make_context("deidentify", [*FOLDERS, *options])
    with pytest.raises(click.UsageError, match="without --deface"):
        command.invoke(context)
