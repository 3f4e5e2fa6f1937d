"""A dataset that exists already, whoever made it: what of it changes, and what is left alone.

Nothing of the dataset is written here. What a changed file is to hold is laid out in another
folder, so that all of them can take their places in one step.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bidsanon.bids.leftovers import leftover_of
from bidsanon.bids.tree import DatasetTree, TreeFile, list_tree
from bidsanon.findings import Finding, finding
from bidsanon.progress import Progress
from bidsanon.scrub.stored_files import DatasetPolicy, FileChange, FileScrub, ScrubbedFile

_WHY_LEFT = {
    "derivatives": "each derivative is a dataset of its own: scrub it by its folder",
    "sourcedata": "originals are not cleaned: `bidsanon deidentify` makes copies that are",
    "code": "written by people: look for paths and names in it",
    "stimuli": "what participants were shown is not cleaned",
}
_HIDDEN = "hidden: look at it"
_HISTORY = "its history keeps what is cleaned now"
_BY_PEOPLE = "written by people: read it"
_OTHER = "of a kind that is not cleaned: look at it"
_TEXTS = frozenset({"README", "CHANGES", "LICENSE", "CITATION", ".bidsignore", ".gitattributes"})
_SUBJECT = "sub-"
_KNOWN = (".json", ".tsv", ".tsv.gz", ".nii", ".nii.gz")


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


def scrub_dataset(
    dataset: Path,
    policy: DatasetPolicy,
    *,
    into: Path | None,
    jobs: int,
    progress: Progress,
) -> ScrubbedDataset:
    """Find out what of a dataset has to change, and lay it out.

    Parameters
    ----------
    dataset
        Its folder; it is only read.
    policy
        What the scrub needs to know.
    into
        An empty folder on the same file system; None: nothing is laid out.
    jobs
        How many files at once.
    progress
        Who listens.
    """
    tree = list_tree(dataset, skip=_not_entered(dataset))
    sorted_out = _sort_out(tree)
    scrub = FileScrub({file.name: file for file in tree.files}, policy, into)
    findings = [
        finding("SCRUB_NOT_READ", location=problem.name, problem=problem.problem)
        for problem in tree.problems
    ]
    changes: list[FileChange] = []
    with (
        progress.step("scrubbing", total=len(sorted_out.todo)) as step,
        ThreadPoolExecutor(jobs) as pool,
    ):
        for done in _in_turn(pool, scrub.scrub, sorted_out.todo, most=4 * jobs):
            changes += [done.change] if done.change else []
            findings += done.findings
            step.advance()
    return ScrubbedDataset(
        files=len(sorted_out.todo),
        changes=tuple(changes),
        findings=tuple(findings),
        left_alone=dict(sorted(sorted_out.left_alone.items())),
        leftovers=dict(sorted(sorted_out.leftovers.items())),
    )


@dataclass(frozen=True, kw_only=True)
class _SortedOut:
    """What of a dataset is looked at, and what is not."""

    todo: tuple[TreeFile, ...]
    left_alone: Mapping[str, str]
    leftovers: Mapping[str, str]


def _not_entered(dataset: Path) -> Collection[str]:
    hidden = (entry.name for entry in dataset.iterdir() if entry.name.startswith("."))
    return {*_WHY_LEFT, *hidden}


def _sort_out(tree: DatasetTree) -> _SortedOut:
    todo, left_alone, leftovers = [], {}, {}
    for name in tree.skipped:
        left = leftover_of(f"{name}/x")
        if left and left[1] == left[0]:
            left_alone[f"{name}/"] = _HISTORY
        elif left:
            leftovers[f"{name}/"] = left[1]
        else:
            left_alone[f"{name}/"] = _WHY_LEFT.get(name, _HIDDEN)
    names = {file.path: file.name for file in tree.files}
    for file in tree.files:
        left = leftover_of(file.name)
        why = _why_left(file.name)
        if left:
            leftovers[left[0] if left[0] == file.name else f"{left[0]}/"] = left[1]
        elif why:
            left_alone[file.name] = why
        elif not (file.is_link and file.path.resolve() in names):
            todo.append(file)  # a link to another file of the dataset changes with that
    return _SortedOut(todo=tuple(todo), left_alone=left_alone, leftovers=leftovers)


def _why_left(name: str) -> str:
    path = PurePosixPath(name)
    if path.parts[0].startswith(_SUBJECT) and len(path.parts) > 1:
        return ""
    if len(path.parts) == 1 and (path.stem in _TEXTS or path.name in _TEXTS):
        return "" if path.suffix == ".json" else _BY_PEOPLE
    return "" if name.lower().endswith(_KNOWN) else _OTHER


def _in_turn(
    pool: ThreadPoolExecutor,
    work: Callable[[int, TreeFile], ScrubbedFile],
    files: tuple[TreeFile, ...],
    *,
    most: int,
) -> Iterator[ScrubbedFile]:
    """Work on files side by side and yield what became of them, in their order."""
    waiting: list[Future[ScrubbedFile]] = []
    try:
        for number, file in enumerate(files):
            waiting.append(pool.submit(work, number, file))
            if len(waiting) >= most:
                yield waiting.pop(0).result()
        while waiting:
            yield waiting.pop(0).result()
    finally:
        for future in waiting:
            future.cancel()
