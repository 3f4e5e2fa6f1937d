"""Everything that a dataset's folder holds, whoever made it, and what of it cannot be read.

A dataset from elsewhere holds links that lead out or in circles, names that are no UTF-8, sockets,
and files that nobody may read. The walk never follows a link to a folder, and never raises for
what it meets: what cannot be read is listed with its problem, so that whoever asked can say so.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class TreeFile:
    """A file, or a link to one, that can be read.

    Attributes
    ----------
    name
        Its place within the dataset, with forward slashes.
    path
        Where it is.
    size
        How many bytes it holds, or what it links to does.
    is_link
        Whether it is a link: to write through it would change what it leads to.
    """

    name: str
    path: Path
    size: int
    is_link: bool


@dataclass(frozen=True, kw_only=True)
class TreeProblem:
    """Something that cannot be read, and is therefore unknown.

    Attributes
    ----------
    name
        Its place within the dataset; what of it is no UTF-8 is shown as a question mark in a
        diamond (U+FFFD).
    path
        Where it is.
    problem
        What is wrong with it, in words that continue "it ...".
    """

    name: str
    path: Path
    problem: str


@dataclass(frozen=True, kw_only=True)
class DatasetTree:
    """What a dataset's folder holds.

    Attributes
    ----------
    root
        The folder.
    files
        Every file that can be read, sorted by name.
    problems
        Everything else that is no folder, and the folders that cannot be entered.
    skipped
        The folders that were asked not to be entered and are there, relative.
    """

    root: Path
    files: tuple[TreeFile, ...]
    problems: tuple[TreeProblem, ...]
    skipped: tuple[str, ...]

    def only(self, stays: Callable[[str], bool]) -> DatasetTree:
        """Return what lies at the places for which a condition holds."""
        return DatasetTree(
            root=self.root,
            files=tuple(file for file in self.files if stays(file.name)),
            problems=tuple(problem for problem in self.problems if stays(problem.name)),
            skipped=tuple(filter(stays, self.skipped)),
        )

    def without(self, folders: Collection[str]) -> DatasetTree:
        """Return what a walk finds that does not enter some folders of the root either."""
        left = self.only(lambda name: name.partition("/")[0] not in folders)
        return replace(left, skipped=tuple(sorted((*folders, *left.skipped))))


def list_tree(
    root: Path, *, skip: Collection[str] = (), skip_named: Collection[str] = ()
) -> DatasetTree:
    """List what a dataset's folder holds, hidden files too.

    Parameters
    ----------
    root
        The folder.
    skip
        Folders that are not entered, as names relative to it (``code``).
    skip_named
        What folders are called that are not entered at any depth (``.git``).
    """
    real_root = root.resolve()
    found = list(_walk(root, "", real_root, (frozenset(skip), frozenset(skip_named))))
    return DatasetTree(
        root=root,
        files=tuple(sorted((f for f in found if isinstance(f, TreeFile)), key=_by_name)),
        problems=tuple(sorted((f for f in found if isinstance(f, TreeProblem)), key=_by_name)),
        skipped=tuple(sorted(f for f in found if isinstance(f, str))),
    )


def shown_name(name: str) -> str:
    """Return a name as it can be written: what of it is no UTF-8 is replaced."""
    return os.fsencode(name).decode("utf-8", "replace")


def _by_name(found: TreeFile | TreeProblem) -> str:
    return found.name


def _walk(
    folder: Path, name: str, root: Path, skip: tuple[frozenset[str], frozenset[str]]
) -> Iterator[TreeFile | TreeProblem | str]:
    try:
        with os.scandir(folder) as scan:
            entries = sorted(scan, key=lambda entry: entry.name)
    except OSError:
        yield TreeProblem(name=name, path=folder, problem="is a folder that cannot be opened")
        return
    for entry in entries:
        path, below = Path(entry.path), f"{name}/{entry.name}".removeprefix("/")
        if not _is_text(entry.name):
            yield TreeProblem(
                name=shown_name(below), path=path, problem="has a name that is no UTF-8"
            )
        elif not entry.is_dir(follow_symlinks=False):
            problem, size = _look(entry, root)
            if problem:
                yield TreeProblem(name=below, path=path, problem=problem)
            else:
                yield TreeFile(name=below, path=path, size=size, is_link=entry.is_symlink())
        elif below in skip[0] or entry.name in skip[1]:
            yield below
        else:
            yield from _walk(path, below, root, skip)


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _look(entry: os.DirEntry[str], root: Path) -> tuple[str, int]:
    """Say why an entry that is no folder cannot be read, or how long it is."""
    try:
        target = Path(entry.path).resolve(strict=True) if entry.is_symlink() else None
        status = entry.stat()
    except FileNotFoundError:
        return "is a link to what is not here (git annex get)", 0
    except (OSError, RuntimeError):
        return "is a link that leads in a circle or cannot be followed", 0
    return _problem_of(entry, target, status, root), status.st_size


def _problem_of(
    entry: os.DirEntry[str], target: Path | None, status: os.stat_result, root: Path
) -> str:
    if target is not None and not target.is_relative_to(root):
        return "is a link that leaves the dataset"
    if stat.S_ISDIR(status.st_mode):
        return "is a link to a folder"
    if not stat.S_ISREG(status.st_mode):
        return "is no file"
    if not os.access(entry.path, os.R_OK):
        return "cannot be read: its permissions forbid it"
    return ""
