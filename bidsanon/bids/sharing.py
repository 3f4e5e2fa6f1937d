"""What of a dataset is shared: all that OpenNeuro's own client uploads, and nothing hidden.

That client uploads every file (``sourcedata``, ``derivatives`` and ``code`` too, and what
``.bidsignore`` names) but those at the root of which the name begins with a dot; only
``.bidsignore`` itself goes all the same. OpenNeuro's server refuses an upload that holds a hidden
file in a folder. So nothing hidden is shared, at any depth.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bidsanon.bids.tree import DatasetTree, TreeFile, TreeProblem, list_tree

BIDSIGNORE = ".bidsignore"


@dataclass(frozen=True, kw_only=True)
class SharedTree:
    """What of a dataset is shared.

    Attributes
    ----------
    files
        What is, sorted by the bytes of its name.
    problems
        What would be and cannot be read, sorted by name.
    left_out
        What is hidden: each file and each folder once, folders ending in a slash, sorted.
    """

    files: tuple[TreeFile, ...]
    problems: tuple[TreeProblem, ...]
    left_out: tuple[str, ...]


def list_shared(dataset: Path) -> SharedTree:
    """Find out what of a dataset is shared.

    Parameters
    ----------
    dataset
        Its folder.
    """
    tree = list_tree(dataset, skip={path.name for path in dataset.glob(".*")})
    names = (*(file.name for file in tree.files), *(problem.name for problem in tree.problems))
    hidden = {f"{name}/" for name in tree.skipped} | set(map(hidden_part, names))
    shared = without_hidden(tree)
    return SharedTree(
        files=tuple(sorted(shared.files, key=lambda file: file.name.encode())),
        problems=shared.problems,
        left_out=tuple(sorted(hidden - {""})),
    )


def without_hidden(tree: DatasetTree) -> DatasetTree:
    """Return what of a tree is shared."""
    return tree.only(lambda name: not hidden_part(name))


def hidden_part(name: str) -> str:
    """Return the hidden file or folder that something is or lies in; empty where it is shared.

    Parameters
    ----------
    name
        Its place within the dataset, with forward slashes. A folder is returned with a slash.
    """
    if name == BIDSIGNORE:
        return ""
    parts = PurePosixPath(name).parts
    for number, part in enumerate(parts, start=1):
        if part.startswith("."):
            return "/".join(parts[:number]) + ("/" if number < len(parts) else "")
    return ""
