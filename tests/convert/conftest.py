"""What the tests of the conversion stage share."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
import sessions
from in_process import ask_in_process
from plain_staging import stage_plainly

from bidsanon.convert import Heuristic, resolve_heuristic
from bidsanon.session import DeidentifiedSession


@pytest.fixture
def worker_in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask heuristics in this process: the same code, without the second that a new one takes."""

    ask_in_process(monkeypatch)


@pytest.fixture
def bold(tmp_path: Path) -> DeidentifiedSession:
    """A session of one functional run, series 1."""
    sessions.bold_mosaic(tmp_path / "source")
    return stage_plainly([tmp_path / "source"], tmp_path / "staged")


@pytest.fixture
def siemens(tmp_path: Path) -> DeidentifiedSession:
    """A scout, a T1w, a field map in two series, a functional run, diffusion: series 1 to 6."""
    sessions.siemens_session(tmp_path / "source")
    return stage_plainly([tmp_path / "source"], tmp_path / "staged")


@pytest.fixture
def heuristic(tmp_path: Path) -> Callable[..., Heuristic]:
    """Write a heuristic and find it, without trying to load it."""

    def write(code: str, name: str = "ourlab.py") -> Heuristic:
        path = tmp_path / "heuristics" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(code))
        return resolve_heuristic(str(path))

    return write
