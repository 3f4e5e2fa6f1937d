"""The tables of a lab's file that are about its dataset and its findings, not about attributes.

``[dataset]`` says what fills the files at the dataset's root, ``[severity]`` what findings weigh.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bidsanon.bids.dataset_facts import DatasetFacts, facts_of_table
from bidsanon.findings import Severity, finding_codes

DATASET, SEVERITY = "dataset", "severity"
TABLES = (DATASET, SEVERITY)

_README, _README_FILE = "README", "README-file"
_LARGEST_README = 1 << 20
_CLOSE = 0.6


def problems_of_tables(content: Mapping[str, Any], folder: Path) -> Iterator[str]:
    """Say what is wrong with the tables that a schema cannot, each with its place.

    Parameters
    ----------
    content
        The parts of a lab's file that are as the JSON Schema has them.
    folder
        The folder that the file is in.
    """
    for code, severity in content.get(SEVERITY, {}).items():
        problem = _severity_problem(code, Severity(severity))
        if problem:
            yield f"{SEVERITY}.{code}: {problem}"
    table = content.get(DATASET, {})
    if _README in table and _README_FILE in table:
        yield f"{DATASET}.{_README_FILE}: give it or {_README}, not both"
    elif _README_FILE in table:
        try:
            _read_readme(folder / table[_README_FILE])
        except ValueError as error:
            yield f"{DATASET}.{_README_FILE}: {error}"
    lacking = [key for key in ("Name", "Authors") if key not in table]
    if table.get("citation") and lacking:
        yield f"{DATASET}.citation: CITATION.cff needs {' and '.join(lacking)} in this table"


def severities_of(content: Mapping[str, Any]) -> dict[str, Severity]:
    """Return what a valid file has findings weigh, by code."""
    return {code: Severity(severity) for code, severity in content.get(SEVERITY, {}).items()}


def dataset_of(content: Mapping[str, Any], folder: Path) -> DatasetFacts:
    """Return what a valid file says of the dataset."""
    table = content.get(DATASET, {})
    readme = _read_readme(folder / table[_README_FILE]) if _README_FILE in table else ""
    return facts_of_table(table, readme=readme)


def _severity_problem(code: str, severity: Severity) -> str:
    known = finding_codes().get(code)
    if known is None:
        close = difflib.get_close_matches(code.upper(), finding_codes(), n=1, cutoff=_CLOSE)
        nearest = f"; perhaps {close[0]} is meant" if close else ""
        return f"there is no finding of this code{nearest} (docs/findings.md lists all)"
    if known.fixed and severity is not Severity.ERROR:
        return (
            f"it stays an error: what the gate {known.gate} says here is no matter of policy, "
            "since it leads to a person or loses what was measured"
        )
    return ""


def _read_readme(path: Path) -> str:
    """Read the text of a README.

    Raises
    ------
    ValueError
        If it cannot be read, is no text, or is to be filled in.
    """
    if path.exists() and not path.is_file():
        raise ValueError("it is no file")
    try:
        with path.open("rb") as stream:
            text = stream.read(_LARGEST_README + 1).decode("utf-8-sig")
    except OSError as error:
        raise ValueError("there is no such file that can be read") from error
    except UnicodeDecodeError as error:
        raise ValueError("it is no text in UTF-8") from error
    if len(text) > _LARGEST_README:
        raise ValueError("it is larger than a megabyte")
    if not text.strip() or "TODO" in text:
        raise ValueError("it is empty, or holds a TODO that is still to be done")
    return text
