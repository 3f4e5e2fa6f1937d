"""All of a dataset's checks but the search for residue, side by side."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bidsanon.bids.sidecars import LARGEST_JSON
from bidsanon.bids.tree import DatasetTree, list_tree
from bidsanon.errors import ToolFailedError
from bidsanon.findings import Finding, finding
from bidsanon.validate.files import check_files, others_lose_their_way
from bidsanon.validate.images import check_images
from bidsanon.validate.layout import check_layout
from bidsanon.validate.official import OfficialReport, ask_official, bids_schema_file
from bidsanon.validate.schemas import check_schemas

_NOT_DATA = frozenset({".git"})
_LOST = "the official validator and pybids were not run: such links and names stop them"


@dataclass(frozen=True, kw_only=True)
class DatasetChecks:
    """What the checks of a dataset say.

    Attributes
    ----------
    findings
        Of all of them.
    official
        What the official validator says by the schema that it brings; None where it was not run,
        or failed.
    newest
        What it says by the newest schema, under the configuration that was asked for, of errors
        alone; None where nobody asked, it was not run, or failed.
    """

    findings: tuple[Finding, ...]
    official: OfficialReport | None = None
    newest: OfficialReport | None = None


def validate_dataset(root: Path) -> tuple[Finding, ...]:
    """Check a dataset, and return what is found: see :func:`check_dataset`."""
    return check_dataset(root).findings


def check_dataset(root: Path, *, newest: Path | None = None) -> DatasetChecks:
    """Check a dataset by the schemas, by the official validator and by pybids.

    The official validator is a program of its own and runs while the others do. Where a dataset
    holds what it and pybids would not come to an end with, they are not asked, and that is an
    error too.

    Parameters
    ----------
    root
        The dataset's folder.
    newest
        The validator's configuration under which it is run once more, by the newest schema;
        None: it is not.

    Raises
    ------
    MissingToolError
        If the official validator is not installed.
    """
    tree = list_tree(root, skip=_NOT_DATA)
    lost = others_lose_their_way(tree)
    problem = _LOST if lost else _too_large(tree)
    if problem:
        found = (*_own_checks(tree, pybids=not lost), _failed(problem))
        return DatasetChecks(findings=found)
    with ThreadPoolExecutor(2) as pool:
        plain = pool.submit(_ask, root)
        more = pool.submit(_ask, root, newest=newest) if newest else None
        found = _own_checks(tree)
        official, said = plain.result()
        by_newest, said_by_newest = more.result() if more else (None, ())
    findings = dict.fromkeys((*found, *said, *said_by_newest))
    return DatasetChecks(findings=tuple(findings), official=official, newest=by_newest)


def _own_checks(tree: DatasetTree, *, pybids: bool = True) -> tuple[Finding, ...]:
    files = (*check_files(tree), *check_images(tree))
    layout = check_layout(tree.root) if pybids else ()
    return (*files, *check_schemas(tree), *layout)


def _ask(
    root: Path, *, newest: Path | None = None
) -> tuple[OfficialReport | None, tuple[Finding, ...]]:
    """Ask the official validator: what it says, and as findings; by the newest schema only that."""
    try:
        if newest:
            return ask_official(root, schema=bids_schema_file(), config=newest), ()
        report = ask_official(root)
    except ToolFailedError as error:
        return None, (_failed(error.message),)
    return report, report.findings


def _too_large(tree: DatasetTree) -> str:
    """Say why the official validator would take all memory; empty where it would not."""
    if any(file.name.endswith(".json") and file.size > LARGEST_JSON for file in tree.files):
        return f"the official validator was not run: a JSON file exceeds {LARGEST_JSON >> 20} MB"
    return ""


def _failed(problem: str) -> Finding:
    return finding("OFFICIAL_VALIDATOR_FAILED", problem=problem)
