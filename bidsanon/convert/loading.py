"""Loads a heuristic and calls its code: with a time limit, and with its faults named by line.

heudiconv imports a heuristic by its base name from a changed path, so that the second file of a
name gives the first one, and ``json.py`` gives the standard library's module. Here it is loaded
from its file, under a name made from its digest, and from no cache.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import importlib.machinery
import importlib.util
import signal
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FrameType, ModuleType

from bidsanon.convert.job import Heuristic, HeuristicFault, Origin, Request

_LOAD = "load"
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


class HeuristicFailedError(Exception):
    """The heuristic raised, or took too long."""

    def __init__(self, fault: HeuristicFault) -> None:
        super().__init__(fault.doing)
        self.fault = fault


def load_heuristic(heuristic: Heuristic, *, timeout_s: float) -> ModuleType:
    """Load a heuristic under a module name of its own, from its file and from no cache.

    Its folder comes last on the path: what lies beside it can be imported and hides nothing.

    Raises
    ------
    HeuristicFailedError
        If it cannot be loaded, or defines no ``infotodict``.
    """
    with _blaming(heuristic, _LOAD, timeout_s):
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
    """Calls of the heuristic's own code, each with a time limit and with its faults named."""

    def __init__(self, request: Request) -> None:
        self._request = request

    def __call__(self, doing: str) -> contextlib.AbstractContextManager[None]:
        """Open a call that is named `doing` in messages."""
        return _blaming(self._request.heuristic, doing, self._request.heuristic_timeout_s)


@contextlib.contextmanager
def _blaming(heuristic: Heuristic, doing: str, timeout_s: float) -> Iterator[None]:
    try:
        with _time_limit(timeout_s):
            yield
    except (Exception, SystemExit) as error:  # a heuristic is anybody's code
        raise HeuristicFailedError(fault_of(error, heuristic, doing)) from error


@contextlib.contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise TimeoutError(f"it took longer than {seconds:g} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def fault_of(error: BaseException, heuristic: Heuristic, doing: str) -> HeuristicFault:
    """Describe how a heuristic failed; what an exception says of data may identify, and is left."""
    says = str(error) if doing == _LOAD or isinstance(error, _ABOUT_CODE) else ""
    return HeuristicFault(
        doing=doing,
        exception=type(error).__name__,
        message=" ".join(says.split()),
        line=line_of(error, heuristic.path),
    )


def line_of(error: BaseException, path: Path) -> int | None:
    """Return the line of a heuristic's file at which an error arose, or None if none of it did."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return error.lineno
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    return lines[-1] if lines else None
