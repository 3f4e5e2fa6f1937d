"""All of a dataset's checks but the search for residue, side by side."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bidsanon.findings import Finding
from bidsanon.validate.layout import check_layout
from bidsanon.validate.official import check_official
from bidsanon.validate.schemas import check_schemas


def validate_dataset(root: Path) -> tuple[Finding, ...]:
    """Check a dataset by the schemas, by the official validator and by pybids.

    The official validator is a program of its own and runs while the others do.

    Parameters
    ----------
    root
        The dataset's folder.

    Raises
    ------
    MissingToolError
        If the official validator is not installed.
    ToolFailedError
        If it crashes.
    """
    with ThreadPoolExecutor(1) as pool:
        official = pool.submit(check_official, root)
        findings = (*check_schemas(root), *check_layout(root))
        return (*findings, *official.result())
