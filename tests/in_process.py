"""Asks heuristics in this process: the same code, without the second that a new one takes."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from bidsanon.convert import conversion, drive, loading, plan, worker
from bidsanon.convert import heuristic as choice
from bidsanon.convert.job import Answer, Request
from bidsanon.pipeline import convert


def find_programs_beside_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """Find programs as a worker does: where this Python is, also where no environment is active."""
    places = [str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
    monkeypatch.setenv("PATH", os.pathsep.join(places))


def ask_in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask one after the other; signals, and so time limits, are the main thread's alone."""
    find_programs_beside_python(monkeypatch)
    limit = loading._time_limit
    one_at_a_time = threading.Lock()

    def limit_here(seconds: float) -> contextlib.AbstractContextManager[None]:
        here = threading.current_thread() is threading.main_thread()
        return limit(seconds) if here else contextlib.nullcontext()

    def drive_here(request: Request, *, work: Path, **_: object) -> Answer:
        with one_at_a_time:
            return ask(request, work)

    def ask(request: Request, work: Path) -> Answer:
        monkeypatch.setattr(sys, "path", [*sys.path])
        monkeypatch.setattr(sys, "dont_write_bytecode", sys.dont_write_bytecode)
        monkeypatch.setattr(tempfile, "tempdir", str(drive._plain_place()))
        work.mkdir(parents=True, exist_ok=True)
        files = [work / "request.json", work / "answer.json"]
        with drive._by_plain_paths(request, work) as job:
            files[0].write_text(job.to_json())
            worker.do_job(*files)
        return drive.read_answer(files[1], request.heuristic)

    monkeypatch.setattr(loading, "_time_limit", limit_here)
    monkeypatch.setattr(choice, "drive_worker", drive_here)
    monkeypatch.setattr(plan, "drive_worker", drive_here)
    monkeypatch.setattr(conversion, "drive_worker", drive_here)
    monkeypatch.setattr(convert, "ready_worker", contextlib.nullcontext)
