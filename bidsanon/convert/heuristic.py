"""Which heuristics there are, and whether the one that was asked for can be used at all."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bidsanon.convert.drive import drive_worker
from bidsanon.convert.job import Heuristic, Mode, Origin, Request
from bidsanon.errors import PolicyError
from bidsanon.resources import heuristics_folder

_LOAD_TIMEOUT_S = 60.0
_NEEDED = "infotodict"


@dataclass(frozen=True, kw_only=True)
class HeuristicRow:
    """One line of the list of heuristics.

    Attributes
    ----------
    name
        What to give as HEURISTIC.
    origin
        Where it comes from.
    summary
        The first line of its docstring.
    """

    name: str
    origin: Origin
    summary: str


def list_heuristics() -> tuple[HeuristicRow, ...]:
    """List the bundled heuristics and heudiconv's own, in that order."""
    return tuple(
        HeuristicRow(name=path.stem, origin=origin, summary=_summary(path))
        for origin, path in _known()
    )


def resolve_heuristic(name_or_path: str) -> Heuristic:
    """Find a heuristic by its name or its file, and see that it can be loaded.

    A text that holds a path separator or ends in ``.py`` is a file; another is first a bundled
    name, then one of heudiconv's. A file is loaded once, in a process of its own: whoever waits
    for a conversion should hear of a missing module before it begins.

    Raises
    ------
    PolicyError
        If there is no such heuristic, or it does not parse, cannot be loaded, or defines no
        ``infotodict``.
    """
    if os.sep in name_or_path or name_or_path.endswith(".py"):
        return _from_file(Path(name_or_path).expanduser().absolute())
    for origin, path in _known():
        if path.stem == name_or_path:
            return _heuristic(path, path.read_bytes(), origin)
    if Path(name_or_path).is_file():
        return _from_file(Path(name_or_path).absolute())
    raise PolicyError(
        f"there is no heuristic {name_or_path!r}",
        cure="`bidsanon heuristic list` names those there are; give a file by its path",
    )


def engine_heuristic(path: Path) -> Heuristic:
    """Return the engine of drafts as a heuristic without rules."""
    return _heuristic(path, path.read_bytes(), Origin.BUNDLED)


def _known() -> Iterator[tuple[Origin, Path]]:
    for path in sorted(heuristics_folder().glob("*.py")):
        yield Origin.BUNDLED, path
    spec = importlib.util.find_spec("heudiconv")  # finds the folder without the slow import
    for place in (spec.submodule_search_locations or ()) if spec else ():
        for path in sorted((Path(place) / "heuristics").glob("*.py")):
            if not path.stem.startswith(("_", "test_")):
                yield Origin.HEUDICONV, path


def _heuristic(path: Path, code: bytes, origin: Origin) -> Heuristic:
    digest = hashlib.sha256(code).hexdigest()
    return Heuristic(name=path.stem, path=path, digest=digest, origin=origin)


def _from_file(path: Path) -> Heuristic:
    if path.exists() and not path.is_file():
        raise PolicyError(f"the heuristic {path.name} is no file", cure="give a Python file")
    try:
        code = path.read_bytes()
    except OSError as error:
        raise PolicyError(
            f"the heuristic {path.name} cannot be read ({error.strerror})",
            cure="check its path and its permissions",
        ) from error
    heuristic = _heuristic(path, code, Origin.FILE)
    _check_parses(heuristic, code)
    with tempfile.TemporaryDirectory(prefix="bidsanon-") as folder:
        drive_worker(
            Request(mode=Mode.LOAD, heuristic=heuristic, heuristic_timeout_s=_LOAD_TIMEOUT_S),
            work=Path(folder),
            timeout_s=2 * _LOAD_TIMEOUT_S,
        )
    return heuristic


def _check_parses(heuristic: Heuristic, code: bytes) -> None:
    try:
        tree = ast.parse(code, filename=heuristic.path.name)
    except SyntaxError as error:
        where = f", line {error.lineno} of {heuristic.path.name}" if error.lineno else ""
        raise PolicyError(
            f"the heuristic {heuristic.name} does not parse: {error.msg}{where}",
            cure="correct that line, or the one before it: often a quotation mark, a bracket or a "
            "comma is missing",
        ) from error
    except ValueError as error:
        raise PolicyError(
            f"the heuristic {heuristic.name} is no Python file", cure="give a Python file"
        ) from error
    if not any(map(_may_define_it, tree.body)):
        raise PolicyError(
            f"the heuristic {heuristic.name} defines no function {_NEEDED}",
            cure="`bidsanon heuristic list` names examples; heudiconv's documentation explains it",
        )


def _may_define_it(statement: ast.stmt) -> bool:
    """Tell whether a top-level statement could define the function; only loading knows for sure."""
    match statement:
        case ast.FunctionDef(name=name):
            return name == _NEEDED
        case ast.Import() | ast.ImportFrom():
            return any(
                alias.name == "*" or (alias.asname or alias.name) == _NEEDED
                for alias in statement.names
            )
        case ast.ClassDef() | ast.AsyncFunctionDef():
            return False
        case _:
            return any(
                (isinstance(node, ast.Name) and node.id == _NEEDED)
                or (isinstance(node, ast.FunctionDef) and node.name == _NEEDED)
                for node in ast.walk(statement)
            )


def _summary(path: Path) -> str:
    docstring = ast.get_docstring(ast.parse(path.read_bytes())) or ""
    return docstring.strip().split("\n", maxsplit=1)[0].strip()
