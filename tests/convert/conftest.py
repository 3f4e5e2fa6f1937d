"""What the tests of the conversion stage share."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
import sessions
from plain_staging import stage_plainly

from bidsanon.convert import Heuristic, conversion, drive, plan, resolve_heuristic, worker
from bidsanon.convert import heuristic as choice
from bidsanon.convert.job import Answer, Request
from bidsanon.session import DeidentifiedSession


@pytest.fixture
def worker_in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask heuristics in this process: the same code, without the second that a new one takes."""

    def drive_here(request: Request, *, work: Path, **_: object) -> Answer:
        monkeypatch.setattr(sys, "path", [*sys.path])
        monkeypatch.setattr(sys, "dont_write_bytecode", sys.dont_write_bytecode)
        work.mkdir(parents=True, exist_ok=True)
        files = [work / "request.json", work / "answer.json"]
        files[0].write_text(request.to_json())
        worker.main([str(file) for file in files])
        return drive.read_answer(files[1], request.heuristic)

    monkeypatch.setattr(choice, "drive_worker", drive_here)
    monkeypatch.setattr(plan, "drive_worker", drive_here)
    monkeypatch.setattr(conversion, "drive_worker", drive_here)


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
