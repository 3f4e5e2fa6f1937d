"""All of a dataset's checks but the search for residue, side by side."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bidsanon.bids.sidecars import LARGEST_JSON
from bidsanon.bids.tree import DatasetTree, list_tree
from bidsanon.errors import ToolFailedError
from bidsanon.findings import Finding, finding
from bidsanon.validate.files import check_files, others_lose_their_way
from bidsanon.validate.images import check_images
from bidsanon.validate.layout import check_layout
from bidsanon.validate.official import check_official
from bidsanon.validate.schemas import check_schemas

_NOT_DATA = frozenset({".git"})


def validate_dataset(root: Path) -> tuple[Finding, ...]:
    """Check a dataset by the schemas, by the official validator and by pybids.

    The official validator is a program of its own and runs while the others do. Where a dataset
    holds what it and pybids would not come to an end with, they are not asked, and that is an
    error too.

    Parameters
    ----------
    root
        The dataset's folder.

    Raises
    ------
    MissingToolError
        If the official validator is not installed.
    """
    tree = list_tree(root, skip=_NOT_DATA)
    if others_lose_their_way(tree):
        problem = "the official validator and pybids were not run: such links and names stop them"
        unknown = finding("OFFICIAL_VALIDATOR_FAILED", problem=problem)
        return (*check_files(tree), *check_images(tree), *check_schemas(tree), unknown)
    with ThreadPoolExecutor(1) as pool:
        official = pool.submit(_official, tree)
        files = (*check_files(tree), *check_images(tree))
        findings = (*files, *check_schemas(tree), *check_layout(root))
        return (*findings, *official.result())


def _official(tree: DatasetTree) -> tuple[Finding, ...]:
    """Ask the official validator, unless it would take all memory."""
    if any(file.name.endswith(".json") and file.size > LARGEST_JSON for file in tree.files):
        problem = f"the official validator was not run: a JSON file exceeds {LARGEST_JSON >> 20} MB"
        return (finding("OFFICIAL_VALIDATOR_FAILED", problem=problem),)
    try:
        return check_official(tree.root)
    except ToolFailedError as error:
        return (finding("OFFICIAL_VALIDATOR_FAILED", problem=error.message),)
