"""Starts the heudiconv worker in the private folder, gives it its job, and reads its answer.

nipype, which heudiconv runs dcm2niix with, builds a line for the shell from paths that it does not
quote. Where the private folder's own path holds a space or anything else that a shell would read,
the worker is given another way to it: a link with a plain name in a folder for temporary files.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from bidsanon.convert.job import NOTE, READY, Advance, Answer, Heuristic, HeuristicFault, Request
from bidsanon.convert.loading import STOPPED
from bidsanon.convert.room import out_of_room
from bidsanon.errors import PolicyError, StorageError, ToolFailedError
from bidsanon.external import DCM2NIIX, RunningProgram, require_program, started_program
from bidsanon.files import PRIVATE_FILE_MODE, make_private_folder, write_text

_PLAIN_PATH = re.compile(r"[A-Za-z0-9_./+=@-]+")
_USUAL_PLACES = ("/tmp", "/var/tmp")  # noqa: S108 - what is made there has a name of its own
_POLL_S = 0.2
_LOG = "heudiconv.log"
_CURE = "correct it; `bidsanon heuristic check HEURISTIC SOURCE` tries it without converting"


@contextlib.contextmanager
def ready_worker(folder: Path) -> Iterator[RunningProgram]:
    """Start a worker that loads heudiconv while others work, and then waits for its one job.

    Parameters
    ----------
    folder
        An empty private folder: what the worker and its programs leave behind stays there.
    """
    with _started_worker(folder, READY) as worker:
        yield worker


def drive_worker(
    request: Request,
    *,
    work: Path,
    timeout_s: float,
    told: Callable[[Advance], None] | None = None,
    worker: RunningProgram | None = None,
) -> Answer:
    """Let a worker do one job, and return its answer.

    Parameters
    ----------
    request
        The job. Its output folder lies in `work`.
    work
        A private folder: what heudiconv and dcm2niix print is kept there and shown nowhere.
    timeout_s
        How long the worker may take.
    told
        Called, in a thread of its own, for each name that the worker is done with.
    worker
        One that waits for its job; without it, one is started.

    Raises
    ------
    PolicyError
        If the heuristic fails.
    StorageError
        If the disk is full.
    ToolFailedError
        If heudiconv fails, or takes too long.
    """
    if request.acquisitions:
        require_program(DCM2NIIX)
    make_private_folder(work)
    with _by_plain_paths(request, work) as job:
        write_text(work / "request.json", job.to_json(), mode=PRIVATE_FILE_MODE)
        files = [str(work / name) for name in ("request.json", "answer.json")]
        watching = _watching(work / "progress", told or (lambda _: None))
        given = contextlib.nullcontext(worker) if worker else _started_worker(work)
        with watching, given as waiting, _blaming_the_heuristic(request.heuristic, work / NOTE):
            completed = waiting.finish(timeout_s=timeout_s, told=json.dumps(files) + "\n")
    write_text(work / _LOG, completed.stdout + completed.stderr, mode=PRIVATE_FILE_MODE)
    if completed.returncode != 0 and os.strerror(errno.ENOSPC) in completed.stderr:
        raise out_of_room()
    if (work / NOTE).exists() and STOPPED in completed.stderr:
        raise _never_back(request.heuristic, work / NOTE)
    if (work / NOTE).exists():
        raise _ended_by(request.heuristic, work / NOTE, completed.returncode)
    if completed.returncode != 0:
        raise ToolFailedError(
            f"heudiconv stopped with status {completed.returncode}",
            cure=f"see {_LOG} below work/ in the private folder",
        )
    return read_answer(work / "answer.json", request.heuristic)


def read_answer(file: Path, heuristic: Heuristic) -> Answer:
    """Read what the worker answered.

    Raises
    ------
    PolicyError
        If it says that the heuristic failed.
    """
    answer = Answer.from_json(file.read_text())
    if answer.fault is not None:
        raise _policy_error(heuristic, answer.fault)
    return answer


def _policy_error(heuristic: Heuristic, fault: HeuristicFault) -> PolicyError:
    where = f", line {fault.line} of {heuristic.path.name}" if fault.line else ""
    what = f"{fault.exception}: {fault.message}" if fault.message else fault.exception
    if fault.doing == "load":
        what = f"cannot be loaded: {what}"
        cure = "correct it, or install what it imports"
    else:
        what = f"failed in {fault.doing}: {what}"
        cure = _CURE
    return PolicyError(f"the heuristic {heuristic.name} {what}{where}", cure=cure)


def _ended_by(heuristic: Heuristic, note: Path, status: int) -> PolicyError:
    """Say that a heuristic ended the worker, and in which call."""
    how = f"by signal {-status}: perhaps it took too much memory" if status < 0 else "by itself"
    return PolicyError(
        f"the heuristic {heuristic.name} ended the program {how}, in {note.read_text()}", cure=_CURE
    )


def _never_back(heuristic: Heuristic, note: Path) -> PolicyError:
    return PolicyError(
        f"the heuristic {heuristic.name} did not come back from {note.read_text()} and was stopped",
        cure=_CURE,
    )


@contextlib.contextmanager
def _blaming_the_heuristic(heuristic: Heuristic, note: Path) -> Iterator[None]:
    """Say whose fault it is when the worker takes too long within a call of the heuristic."""
    note.unlink(missing_ok=True)
    try:
        yield
    except ToolFailedError as error:
        if not note.exists():
            raise
        raise _never_back(heuristic, note) from error


@contextlib.contextmanager
def _started_worker(folder: Path, *arguments: str) -> Iterator[RunningProgram]:
    """Start a worker with a folder for temporary files.

    That is a real one, not a way through a link: programs ask where they are.
    """
    within = folder if _is_plain(folder) else _plain_place()
    with tempfile.TemporaryDirectory(prefix="bidsanon-", dir=within) as temporary:
        environment = {
            "NO_ET": "1",
            "NIPYPE_NO_ET": "1",
            "NIPYPE_CONFIG_DIR": temporary,
            "TMPDIR": temporary,
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        command = [sys.executable, "-P", "-m", "bidsanon.convert.worker", *arguments]
        with started_program(command, cwd=folder, environment=environment, waits=True) as worker:
            yield worker


def _is_plain(folder: Path) -> bool:
    return bool(_PLAIN_PATH.fullmatch(str(folder)))


def _plain_place() -> Path:
    """Return a folder for temporary files whose path a shell reads as it stands.

    Raises
    ------
    StorageError
        If there is none.
    """
    for place in (tempfile.gettempdir(), *_USUAL_PLACES):
        if _is_plain(Path(place)) and os.access(place, os.W_OK | os.X_OK):
            return Path(place)
    raise StorageError(
        "heudiconv reads no path that holds a space or a sign other than . _ + = @ -, and there "
        "is no other folder for temporary files",
        cure="set TMPDIR to a folder whose path is made of letters and digits",
    )


@contextlib.contextmanager
def _by_plain_paths(request: Request, work: Path) -> Iterator[Request]:
    """Give the request with paths, to its files and into `work`, that a shell reads as they are."""
    with _plain_path_to(work) as plain, _short_paths(request) as short:
        output = request.output
        if output.is_relative_to(work):
            output = plain / output.relative_to(work)
        yield replace(short, output=output)


@contextlib.contextmanager
def _plain_path_to(folder: Path) -> Iterator[Path]:
    """Give a path to a folder that a shell reads as it stands."""
    if _is_plain(folder):
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="bidsanon-", dir=_plain_place()) as place:
        link = Path(place) / "work"
        link.symlink_to(folder, target_is_directory=True)
        yield link


@contextlib.contextmanager
def _short_paths(request: Request) -> Iterator[Request]:
    """Give the request with its files under paths of less than 60 characters, if they can be.

    nipype makes a link to every file. A longer link takes a block of the disk, and thousands of
    those take seconds to make and to remove.
    """
    with tempfile.TemporaryDirectory(prefix="bidsanon-", dir=_plain_place()) as place:
        short = []
        for number, acquisition in enumerate(request.acquisitions):
            folder = Path(place) / str(number)
            folder.symlink_to(acquisition.folder.absolute(), target_is_directory=True)
            files = tuple(folder / file.name for file in acquisition.files)
            short.append(replace(acquisition, folder=folder, files=files))
        yield replace(request, acquisitions=tuple(short))


@contextlib.contextmanager
def _watching(advances: Path, told: Callable[[Advance], None]) -> Iterator[None]:
    """Pass on what the worker writes line by line into a file, while it works."""
    advances.unlink(missing_ok=True)
    done = threading.Event()
    position = 0

    def look() -> None:
        nonlocal position
        written = advances.read_bytes()[position:] if advances.exists() else b""
        whole = written[: written.rfind(b"\n") + 1]
        position += len(whole)
        for line in whole.decode().splitlines():
            told(Advance.from_line(line))

    def watch() -> None:
        while not done.wait(_POLL_S):
            look()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
        look()
