"""The tables of events that the user gives: each goes beside the functional runs that it names.

The validator and the residue search look at them as at everything else that is published; nothing
of them is cleaned.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from bidsanon.bids.names import BidsName, parse_name
from bidsanon.bids.sidecars import IMAGE_EXTENSIONS
from bidsanon.bids.tables import NOT_AVAILABLE, Table, TableError, read_table, write_table
from bidsanon.errors import ConflictError, PolicyError, UsageError
from bidsanon.files import files_below, write_text
from bidsanon.findings import Finding, finding
from bidsanon.publish import SessionPlace

_NOT_OF_THE_RUN = frozenset({"sub", "ses", "echo", "part"})
"""What no name of an events table holds, or what its place says."""
_TIMES = ("onset", "duration")


def clean_events(texts: Iterable[str]) -> dict[str, Path]:
    """Take apart what the user gives: ``task-rest_run-1=FILE.tsv``.

    Returns
    -------
    dict
        Each file by the run that it is of.

    Raises
    ------
    UsageError
        If a text is not of that form, or two are of one run.
    """
    given: dict[str, Path] = {}
    for text in texts:
        run, equals, file = text.partition("=")
        if not equals or not file or not run.startswith("task-"):
            raise UsageError(
                "--events needs RUN=FILE.tsv",
                cure="say the run as its image's name does: --events task-rest_run-1=FILE.tsv",
            )
        if run in given:
            raise UsageError(f"--events gives {run} twice", cure="give one table for each run")
        given[run] = Path(file)
    return given


def load_events(given: Mapping[str, Path]) -> dict[str, Table]:
    """Read the tables.

    Raises
    ------
    PolicyError
        If one cannot be read, or is no table of events.
    """
    tables = {}
    for run, file in given.items():
        try:
            tables[run] = read_table(file.read_text("utf-8"))
        except OSError as error:
            raise PolicyError(
                f"the events of {run} cannot be read ({error.strerror})",
                cure="check the file's path and its permissions",
            ) from error
        except (TableError, UnicodeDecodeError) as error:
            problem = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else error
            raise _unusable(run, str(problem)) from error
        _require_times(run, tables[run])
    return tables


def _require_times(run: str, table: Table) -> None:
    if table.columns[: len(_TIMES)] != _TIMES:
        raise _unusable(run, "its first columns are not onset and duration")
    for number, row in enumerate(table.rows, start=1):
        for column in _TIMES:
            if row[column] != NOT_AVAILABLE and not _is_number(row[column]):
                raise _unusable(run, f"{column} in row {number} is no number of seconds")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _unusable(run: str, problem: str) -> PolicyError:
    return PolicyError(
        f"the events of {run} cannot be used: {problem}",
        cure="write tab-separated columns onset and duration, in seconds, and others after them",
    )


def write_events(root: Path, tables: Mapping[str, Table]) -> tuple[Finding, ...]:
    """Put each table beside the run that it is of, and name those of no run that is published.

    Parameters
    ----------
    root
        Holds the session as it is to be published.
    tables
        Each table, by its run.
    """
    runs = _functional_runs(p.relative_to(root).as_posix() for p in files_below(root))
    for run in tables.keys() & runs.keys():
        place = {
            key: runs[run].entities[key] for key in ("sub", "ses") if key in runs[run].entities
        }
        prefix = "_".join(f"{key}-{label}" for key, label in place.items())
        file = (root / runs[run].path).with_name(f"{prefix}_{run}_events.tsv")
        write_text(file, write_table(tables[run].columns, tables[run].rows))
    return _of_no_run(tables, runs)


def foresee_events(given: Iterable[str], images: Iterable[str]) -> tuple[Finding, ...]:
    """Name the tables of no run among the images that are to be published.

    Parameters
    ----------
    given
        The runs that there are tables of.
    images
        The images' paths in the dataset, as the heuristic gives them.
    """
    return _of_no_run(given, _functional_runs(images))


def _functional_runs(paths: Iterable[str]) -> dict[str, BidsName]:
    names = (parse_name(path) for path in paths)
    return {
        _run(name): name
        for name in names
        if (name.datatype, name.suffix) == ("func", "bold") and name.extension in IMAGE_EXTENSIONS
    }


def _of_no_run(given: Iterable[str], runs: Iterable[str]) -> tuple[Finding, ...]:
    there = ", ".join(sorted(runs)) or "none"
    return tuple(
        finding("EVENTS_OF_NO_RUN", location=f"--events {run}", runs=there)
        for run in given
        if run not in runs
    )


def _run(name: BidsName) -> str:
    pairs = (f"{k}-{label}" for k, label in name.entities.items() if k not in _NOT_OF_THE_RUN)
    return "_".join(pairs)


def require_events_again(place: SessionPlace, given: Mapping[str, Path]) -> None:
    """Refuse to replace a session that has tables of events by one that would lack them.

    Raises
    ------
    ConflictError
        If one of them is not given again.
    """
    there = (place.dataset / place.relative).glob("func/*_events.tsv")
    lost = sorted({_run(parse_name(file.name)) for file in there} - given.keys())
    if lost:
        raise ConflictError(
            f"{place.name} has events of {', '.join(lost)}, and would lose them",
            cure="give them again with --events, or delete them from the dataset first",
        )
