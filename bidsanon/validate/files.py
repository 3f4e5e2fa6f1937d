"""What of a dataset cannot be read, and what of that other programs would lose their way on."""

from __future__ import annotations

from collections.abc import Iterator

from bidsanon.bids.root_documents import DESCRIPTION
from bidsanon.bids.tree import DatasetTree, TreeProblem
from bidsanon.findings import Finding, finding


def check_files(tree: DatasetTree) -> Iterator[Finding]:
    """Yield an error for everything that cannot be read."""
    for problem in tree.problems:
        yield finding("FILE_UNREADABLE", location=problem.name, problem=problem.problem)
    if (tree.root / DESCRIPTION).is_dir():
        yield finding("FILE_UNREADABLE", location=DESCRIPTION, problem="is a folder")


def others_lose_their_way(tree: DatasetTree) -> bool:
    """Tell whether programs that follow links to folders and expect UTF-8 names would not end.

    A link to a folder above it makes what they see forty times as deep, two such links without
    end; one that leaves the dataset can lead them through the whole disk.
    """
    return any(map(_misleads, tree.problems))


def _misleads(problem: TreeProblem) -> bool:
    try:
        return problem.path.is_dir() or _is_no_text(problem)
    except OSError:
        return True


def _is_no_text(problem: TreeProblem) -> bool:
    """Tell whether a name is no UTF-8: Python holds its bytes as lone surrogates."""
    return any("\udc80" <= character <= "\udcff" for character in str(problem.path))
