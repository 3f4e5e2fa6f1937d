"""A dataset that exists already, whoever made it: what of it changes, and what is left alone.

A derivative, and raw data that lie within, are datasets of their own and are treated as such.
Nothing of the dataset is written here. What a changed file is to hold is laid out in another
folder, so that all of them can take their places in one step.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from bidsanon.bids.leftovers import HISTORIES, leftover_of
from bidsanon.bids.nested import DatasetPart, dataset_parts
from bidsanon.bids.root_documents import DESCRIPTION
from bidsanon.bids.tree import DatasetTree, TreeFile, list_tree, shown_name
from bidsanon.findings import Finding, finding
from bidsanon.progress import Progress
from bidsanon.scrub.stored_files import (
    DatasetPolicy,
    FileChange,
    FileScrub,
    ScrubbedFile,
    is_cleaned,
)
from bidsanon.threads import in_turn

_WHY_LEFT = {
    "derivatives": "in no dataset (a folder with dataset_description.json or sub-*/): look at it",
    "sourcedata": "originals are not cleaned: `bidsanon deidentify` makes copies that are",
    "code": "written by people: look for paths and names in it",
    "stimuli": "what participants were shown is not cleaned",
}
_NOT_ENTERED = ("code", "stimuli")
_HIDDEN = "hidden: look at it"
_HISTORY = "its history keeps what is cleaned now"
_BY_PEOPLE = "written by people: read it"
_OTHER = "of a kind that is not cleaned: look at it"
_TEXTS = frozenset({"README", "CHANGES", "LICENSE", "CITATION", ".bidsignore", ".gitattributes"})
_SUBJECT = "sub-"


@dataclass(frozen=True, kw_only=True)
class ScrubbedDataset:
    """What the scrub of a dataset found.

    Attributes
    ----------
    files
        How many files were looked at.
    changes
        What changes, sorted by name.
    findings
        What cannot be cleaned, and what a person should know.
    left_alone
        What was not looked at, and why, by its place; folders end in a slash.
    leftovers
        What other tools left, and which tool did, by its place; folders end in a slash.
    """

    files: int
    changes: tuple[FileChange, ...]
    findings: tuple[Finding, ...]
    left_alone: Mapping[str, str]
    leftovers: Mapping[str, str]


def list_dataset(dataset: Path) -> DatasetTree:
    """List what is read of a dataset: no code, no stimuli, and no history."""
    return list_tree(dataset, skip=_NOT_ENTERED, skip_named=HISTORIES)


def scrub_dataset(
    tree: DatasetTree,
    policy: DatasetPolicy,
    *,
    into: Path | None,
    jobs: int,
    progress: Progress,
) -> ScrubbedDataset:
    """Find out what of a dataset has to change, and lay it out.

    Parameters
    ----------
    tree
        From :func:`list_dataset`; what it holds is only read.
    policy
        What the scrub needs to know.
    into
        An empty folder on the same file system; None: nothing is laid out.
    jobs
        How many files at once.
    progress
        Who listens.
    """
    tree = tree.without(_hidden_folders(tree.root))
    parts = dataset_parts(tree)
    sorted_out = _sort_out(tree, parts)
    findings = [
        finding("SCRUB_NOT_READ", location=problem.name, problem=problem.problem)
        for problem in tree.problems
    ]
    findings += [
        finding("SCRUB_DERIVATIVE", location=part.base or DESCRIPTION)
        for part in parts
        if part.derived and any(work.part is part for work in sorted_out.todo)
    ]
    scrubs = {part.base: _file_scrub(part, policy, into) for part in parts}

    def scrub(work: _Work) -> ScrubbedFile:
        done = scrubs[work.part.base].scrub(work.number, work.file)
        return _within_whole(done, work.part)

    changes: list[FileChange] = []
    with progress.step("scrubbing", total=len(sorted_out.todo)) as step:
        for done in in_turn(scrub, sorted_out.todo, size=lambda w: w.file.size, jobs=jobs):
            changes += [done.change] if done.change else []
            findings += done.findings
            step.advance()
    return ScrubbedDataset(
        files=len(sorted_out.todo),
        changes=tuple(sorted(changes, key=lambda change: change.name)),
        findings=tuple(findings),
        left_alone=dict(sorted(sorted_out.left_alone.items())),
        leftovers=dict(sorted(sorted_out.leftovers.items())),
    )


@dataclass(frozen=True, kw_only=True)
class _Work:
    """A file that is looked at, by its name within its dataset, and a number of its own."""

    part: DatasetPart
    file: TreeFile
    number: int


@dataclass(frozen=True, kw_only=True)
class _SortedOut:
    """What of a dataset is looked at, and what is not."""

    todo: tuple[_Work, ...]
    left_alone: Mapping[str, str]
    leftovers: Mapping[str, str]


def _hidden_folders(dataset: Path) -> Collection[str]:
    """Return what the root's hidden folders are called; a name that is no UTF-8 is a problem."""
    return {
        entry.name
        for entry in dataset.iterdir()
        if entry.name.startswith(".") and entry.is_dir() and not entry.is_symlink()
        if shown_name(entry.name) == entry.name
    }


def _file_scrub(part: DatasetPart, policy: DatasetPolicy, into: Path | None) -> FileScrub:
    files = (replace(file, name=part.own(file.name)) for file in part.files)
    return FileScrub({file.name: file for file in files}, policy, into, derived=part.derived)


def _within_whole(done: ScrubbedFile, part: DatasetPart) -> ScrubbedFile:
    """Name what became of a file by its place in the whole."""
    change = done.change and replace(done.change, name=part.whole(done.change.name))
    findings = tuple(replace(f, location=part.whole(f.location)) for f in done.findings)
    return ScrubbedFile(change=change, findings=findings)


def _sort_out(tree: DatasetTree, parts: Iterable[DatasetPart]) -> _SortedOut:
    todo: list[_Work] = []
    left_alone, leftovers = {}, {}
    for name in tree.skipped:
        left = leftover_of(f"{name}/x")
        if left and left[1] == PurePosixPath(name).name and left[1] in HISTORIES:
            left_alone[f"{name}/"] = _HISTORY
        elif left:
            leftovers[f"{name}/"] = left[1]
        else:
            left_alone[f"{name}/"] = _WHY_LEFT.get(name, _HIDDEN)
        if name in _NOT_ENTERED:
            leftovers |= _left_among(tree.root, name)
    names = {file.path: file.name for file in tree.files}
    for part in parts:
        for file in part.files:
            left = leftover_of(part.own(file.name))
            if left:
                place = part.whole(left[0])
                leftovers[place if place == file.name else f"{place}/"] = left[1]
                continue
            where, why = _left(part, part.own(file.name))
            if why:
                left_alone[part.whole(where)] = why
            elif not (file.is_link and file.path.resolve() in names):
                # A link to another file of the dataset changes with that.
                own = replace(file, name=part.own(file.name))
                todo.append(_Work(part=part, file=own, number=len(todo)))
    return _SortedOut(todo=tuple(todo), left_alone=left_alone, leftovers=leftovers)


def _left_among(root: Path, folder: str) -> Mapping[str, str]:
    """Return what tools left in a folder that is not entered: BIDScoin has a place in code."""
    leftovers: dict[str, str] = {}
    for file in list_tree(root / folder, skip_named=HISTORIES).files:
        name = f"{folder}/{file.name}"
        left = leftover_of(name)
        if left:
            leftovers[name if left[0] == name else f"{left[0]}/"] = left[1]
    return leftovers


def _left(part: DatasetPart, name: str) -> tuple[str, str]:
    """Return what of a dataset is left alone together with a file, and why; nothing if it is not.

    A program makes thousands of files of a kind, so of a derivative kinds are named.
    """
    path = PurePosixPath(name)
    top, kind = path.parts[0], "".join(path.suffixes[-1:]).lower()
    if len(path.parts) > 1 and top in _WHY_LEFT:
        return f"{top}/", _WHY_LEFT[top]
    if part.base and top.startswith("."):
        return (f"{top}/" if len(path.parts) > 1 else name), _HIDDEN
    if top.startswith(_SUBJECT) and len(path.parts) > 1 and not part.derived:
        return name, ""
    if len(path.parts) == 1 and (path.stem in _TEXTS or path.name in _TEXTS):
        return name, "" if path.suffix == ".json" else _BY_PEOPLE
    if is_cleaned(name):
        return name, ""
    return (f"**/*{kind}" if part.derived else name), _OTHER
