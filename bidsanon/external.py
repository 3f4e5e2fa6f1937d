"""The programs that bidsanon runs: where they are, which version, and how they are run.

Nothing else in the package starts another program.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, TextIO, cast

from bidsanon.errors import MissingToolError, ToolFailedError

_TERMINATE_S = 5.0


@dataclass(frozen=True, kw_only=True)
class Program:
    """A program that bidsanon can run.

    Attributes
    ----------
    name
        Its command.
    install
        How a user gets it.
    package
        The Python package that holds the program itself, where what stands beside Python only
        starts Python to start it.
    """

    name: str
    install: str
    package: str = ""


DCM2NIIX = Program(name="dcm2niix", install="pip install dcm2niix", package="dcm2niix")
BIDS_VALIDATOR = Program(name="bids-validator-deno", install="pip install bids-validator-deno")
GIT = Program(name="git", install="install git")
FLIRT = Program(name="flirt", install="install FSL, which brings flirt")


@dataclass(frozen=True, kw_only=True)
class Completed:
    """How a program ended, and what it said, but for what went into a file."""

    returncode: int
    stdout: str
    stderr: str


def find_program(program: Program) -> Path | None:
    """Return where a program is: in its package first, beside this Python, then on the PATH."""
    found = shutil.which(program.name, path=_search_path(program))
    return Path(found) if found else None


def require_program(program: Program) -> Path:
    """Return where a program is.

    Raises
    ------
    MissingToolError
        If it is not installed.
    """
    found = find_program(program)
    if found is None:
        raise MissingToolError(f"{program.name} is not installed", cure=program.install)
    return found


class RunningProgram:
    """A program that was started, and has not been waited for."""

    def __init__(self, process: subprocess.Popen[str], *, name: str) -> None:
        self._process = process
        self._name = name

    def finish(self, *, timeout_s: float, told: str = "") -> Completed:
        """Give the program what it waits for, if it does, and let it run to its end.

        Parameters
        ----------
        timeout_s
            After how many seconds from now it is ended, with its whole process group.
        told
            What it reads from its standard input.

        Raises
        ------
        ToolFailedError
            If it took longer than `timeout_s`.
        """
        process = self._process
        try:
            said, stderr = process.communicate(told or None, timeout=timeout_s)
        except subprocess.TimeoutExpired as error:
            _end_group(process)
            raise ToolFailedError(
                f"{self._name} took longer than {timeout_s:.0f} s and was stopped",
                cure="check the input, or give it more time",
            ) from error
        return Completed(returncode=process.returncode, stdout=said or "", stderr=stderr)


@contextmanager
def started_program(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    waits: bool = False,
    output: TextIO | None = None,
) -> Iterator[RunningProgram]:
    """Start a program without a shell; its process group is ended if it still runs afterwards.

    On its PATH, dcm2niix itself and the programs beside this Python come first.

    Parameters
    ----------
    command
        The program's path and its arguments.
    cwd
        Its working directory.
    environment
        Variables to add to this process's.
    waits
        Whether it has a standard input, which ends when this process does.
    output
        A file that takes what it says on its standard output, where that may be too much for
        memory.

    Raises
    ------
    MissingToolError
        If it cannot be started.
    """
    name = Path(command[0]).name
    added = {"PATH": _search_path(DCM2NIIX), "NO_COLOR": "1", **(environment or {})}
    try:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.PIPE if waits else subprocess.DEVNULL,
            stdout=subprocess.PIPE if output is None else output,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env={**os.environ, **added},
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise MissingToolError(
            f"{name} could not be started", cure="bidsanon doctor says what is missing"
        ) from error
    with process:
        try:
            yield RunningProgram(process, name=name)
        finally:
            if process.poll() is None:
                _end_group(process)


@contextmanager
def started_module(module: str, given: BinaryIO) -> Iterator[BinaryIO]:
    """Start one of bidsanon's own modules in a process of its own, and yield what it writes.

    It bounds itself; it is ended if it still runs afterwards. Neither the folder where bidsanon was
    started nor what the process says to people is looked at.

    Parameters
    ----------
    module
        Its name.
    given
        A file that it reads from its standard input; where that is read before makes no difference
        to a module that begins by going to its beginning.
    """
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", module],
        stdin=given,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    with process:
        try:
            yield cast("BinaryIO", process.stdout)
        finally:
            if process.poll() is None:
                _end_group(process)


def run_program(
    command: Sequence[str | Path],
    *,
    timeout_s: float,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    output: TextIO | None = None,
) -> Completed:
    """Run a program to its end as :func:`started_program` starts it, without standard input.

    Its exit status is the caller's to judge.

    Raises
    ------
    MissingToolError
        If it cannot be started.
    ToolFailedError
        If it took longer than `timeout_s`.
    """
    with started_program(command, cwd=cwd, environment=environment, output=output) as program:
        return program.finish(timeout_s=timeout_s)


@cache
def program_version(program: Program) -> str | None:
    """Return the version that an installed program reports, or None."""
    path = find_program(program)
    if path is None:
        return None
    flag = "-version" if program is FLIRT else "--version"
    completed = run_program([path, flag], timeout_s=60)
    lines = (completed.stdout or completed.stderr).split()
    versions = [word.strip(",") for word in lines if any(c.isdigit() for c in word)]
    return versions[-1] if versions else None


def _search_path(program: Program) -> str:
    package = importlib.util.find_spec(program.package) if program.package else None
    own = (package and package.submodule_search_locations) or ()
    beside = str(Path(sys.executable).parent)
    return os.pathsep.join([*own, beside, os.environ.get("PATH", os.defpath)])


def _end_group(process: subprocess.Popen[Any]) -> None:
    try:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(_TERMINATE_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    except ProcessLookupError:
        pass
