"""Loads a heuristic and calls its code: with a time limit, and with its faults named by line.

A heuristic is anybody's code. What it prints is kept up to a length, the working directory is put
back after each call, and a note beside the answer says which call is going on: whoever finds the
note when the process is gone knows that the heuristic ended it.

heudiconv imports a heuristic by its base name from a changed path, so that the second file of a
name gives the first one, and ``json.py`` gives the standard library's module. Here it is loaded
from its file, under a name made from its digest, and from no cache.
"""

from __future__ import annotations

import contextlib
import faulthandler
import hashlib
import importlib
import importlib.machinery
import importlib.util
import io
import os
import signal
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FrameType, ModuleType
from typing import TextIO

from bidsanon.convert.job import Heuristic, HeuristicFault, Origin, Request

STOPPED = "Timeout ("
"""What the process says last where a call that heeds no signal is stopped."""
_LOAD = "load"
_STUBBORN = 2
"""How many times its limit a call may take that heeds no signal, before the process ends."""
_MOST_PRINTED = 1_000_000
"""How many characters of what one call prints are kept."""
_ABOUT_CODE = (
    ArithmeticError,
    AttributeError,
    ImportError,
    NameError,
    SyntaxError,
    TimeoutError,
    TypeError,
)
"""What these say is about the heuristic's code; others quote the data that it was given."""


class WrongAnswerError(TypeError):
    """The heuristic answered with something that heudiconv cannot use.

    Parameters
    ----------
    message
        What is wrong with it.
    line
        Where the function that answered begins, if that is known.
    """

    def __init__(self, message: str, line: int | None) -> None:
        super().__init__(message)
        self.line = line


class HeuristicFailedError(Exception):
    """The heuristic raised, or took too long."""

    def __init__(self, fault: HeuristicFault) -> None:
        super().__init__(fault.doing)
        self.fault = fault


def load_heuristic(
    heuristic: Heuristic, *, timeout_s: float, note: Path | None = None
) -> ModuleType:
    """Load a heuristic under a module name of its own, from its file and from no cache.

    Its folder comes last on the path: what lies beside it can be imported and hides nothing.

    Parameters
    ----------
    heuristic
        Which one.
    timeout_s
        How long it may take.
    note
        The file that is there while it is being loaded.

    Raises
    ------
    HeuristicFailedError
        If it cannot be loaded, or defines no ``infotodict``.
    """
    with _blaming(heuristic, _LOAD, timeout_s, note):
        if heuristic.origin is Origin.HEUDICONV:
            module = importlib.import_module(f"heudiconv.heuristics.{heuristic.name}")
        else:
            module = _load_file(heuristic)
        if not callable(getattr(module, "infotodict", None)):
            raise TypeError("it defines no function infotodict")
    module.__dict__["filename"] = str(heuristic.path)
    return module


def _load_file(heuristic: Heuristic) -> ModuleType:
    code = heuristic.path.read_bytes()
    if hashlib.sha256(code).hexdigest() != heuristic.digest:
        raise RuntimeError("its file was changed after it had been checked")
    name = f"bidsanon_heuristic_{heuristic.digest[:16]}"
    loader = importlib.machinery.SourceFileLoader(name, str(heuristic.path))
    spec = importlib.util.spec_from_loader(name, loader)
    assert spec is not None  # noqa: S101  # a loader was given
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    sys.path.append(str(heuristic.path.parent))
    exec(compile(code, str(heuristic.path), "exec"), module.__dict__)  # noqa: S102  # it is Python to be run
    return module


class Asking:
    """Calls of the heuristic's own code, each with a time limit and with its faults named.

    Parameters
    ----------
    request
        The job.
    note
        A file that names the call while it is going on.
    """

    def __init__(self, request: Request, note: Path | None = None) -> None:
        self._request = request
        self._note = note

    def __call__(self, doing: str) -> contextlib.AbstractContextManager[None]:
        """Open a call that is named `doing` in messages."""
        request = self._request
        return _blaming(request.heuristic, doing, request.heuristic_timeout_s, self._note)


@contextlib.contextmanager
def _blaming(
    heuristic: Heuristic, doing: str, timeout_s: float, note: Path | None
) -> Iterator[None]:
    here = Path.cwd()
    if note is not None:
        note.write_text(doing)
    try:
        with _time_limit(timeout_s), _printing_little():
            yield
    except HeuristicFailedError:
        raise
    except (Exception, SystemExit, KeyboardInterrupt) as error:  # a heuristic is anybody's code
        raise HeuristicFailedError(fault_of(error, heuristic, doing)) from error
    finally:
        os.chdir(here)
        if note is not None:
            note.unlink(missing_ok=True)


class _LittlePrinted(io.TextIOBase):
    """Passes on what is printed up to a length, and forgets the rest."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._left = _MOST_PRINTED

    def write(self, text: str, /) -> int:
        """Pass on what there is room for."""
        self._stream.write(text[: self._left])
        self._left -= min(self._left, len(text))
        return len(text)

    def flush(self) -> None:
        """Flush what was passed on."""
        self._stream.flush()


@contextlib.contextmanager
def _printing_little() -> Iterator[None]:
    """Let what a heuristic prints fill no memory: the process that started this one keeps it."""
    with (
        contextlib.redirect_stdout(_LittlePrinted(sys.stdout)),
        contextlib.redirect_stderr(_LittlePrinted(sys.stderr)),
    ):
        yield


@contextlib.contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise TimeoutError(f"it took longer than {seconds:g} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    if sys.__stderr__ is not None:
        faulthandler.dump_traceback_later(_STUBBORN * seconds, exit=True, file=sys.__stderr__)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def fault_of(error: BaseException, heuristic: Heuristic, doing: str) -> HeuristicFault:
    """Describe how a heuristic failed; what an exception says of data may identify, and is left."""
    says = str(error) if doing == _LOAD or isinstance(error, _ABOUT_CODE) else ""
    wrong_answer = isinstance(error, WrongAnswerError)
    return HeuristicFault(
        doing=doing,
        exception=TypeError.__name__ if wrong_answer else type(error).__name__,
        message=" ".join(says.split()),
        line=line_of(error, heuristic.path),
    )


def line_of(error: BaseException, path: Path) -> int | None:
    """Return the line of a heuristic's file at which an error arose, or None if none of it did."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return error.lineno
    if isinstance(error, WrongAnswerError):
        return error.line
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    return lines[-1] if lines else None
