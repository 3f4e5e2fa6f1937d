"""Progress: a bar on a terminal, plain lines elsewhere, and two steps at once on either."""

from __future__ import annotations

import io
import sys
import threading

import pytest

from bidsanon.cli.progress import progress_on_stderr


class Terminal(io.StringIO):
    """A stderr that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_lines_say_when_a_step_begins_and_ends(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_on_stderr().step("converting", total=2) as step:
        step.advance()
    err = capsys.readouterr().err.splitlines()
    assert err[0] == "converting (2) ..."
    assert err[1].startswith("converting (2) done in ")


def test_two_steps_show_at_once_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    progress = progress_on_stderr()
    inside = threading.Barrier(2, timeout=60)

    def compare() -> None:
        with progress.step("checking fidelity", total=3) as step:
            inside.wait()
            step.advance(3)
            inside.wait()

    thread = threading.Thread(target=compare)
    thread.start()
    with progress.step("converting", total=2) as step:
        inside.wait()
        step.advance(2)
        inside.wait()
    thread.join()
    with progress.step("validating"):
        pass
    shown = terminal.getvalue()
    for words in ("checking fidelity", "converting", "validating", "3/3", "2/2"):
        assert words in shown
