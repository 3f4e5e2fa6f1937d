"""Datasets within a dataset: each derivative, and raw data that lie beside what was made of them.

A folder is one where its ``dataset_description.json`` says so, and among the derivatives also where
it holds subjects: older pipelines describe nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from bidsanon.bids.root_documents import DESCRIPTION
from bidsanon.bids.sidecars import SidecarError, read_json_file
from bidsanon.bids.tree import DatasetTree, TreeFile

DERIVATIVES = "derivatives"

_NO_DATA = frozenset({"code", "stimuli"})
_TYPE, _DERIVATIVE = "DatasetType", "derivative"


@dataclass(frozen=True, kw_only=True)
class DatasetPart:
    """A dataset, and its own files.

    Attributes
    ----------
    base
        Its folder within the whole; empty for the whole itself.
    derived
        Whether a program made it of other data.
    files
        What belongs to it and to no dataset within it.
    """

    base: str
    derived: bool
    files: tuple[TreeFile, ...]

    def own(self, name: str) -> str:
        """Return a place within the dataset, of one within the whole."""
        return name.removeprefix(f"{self.base}/") if self.base else name

    def whole(self, name: str) -> str:
        """Return a place within the whole, of one within the dataset."""
        return f"{self.base}/{name}" if self.base else name


def dataset_parts(tree: DatasetTree) -> tuple[DatasetPart, ...]:
    """Part a dataset into itself and the datasets within it, sorted by their folders."""
    by_name = {file.name: file for file in tree.files}
    owned: dict[str, list[TreeFile]] = {"": []}
    owned |= {base: [] for name in by_name for base in _told_by(PurePosixPath(name))}
    for name, file in by_name.items():
        above = (parent.as_posix() for parent in PurePosixPath(name).parents)
        base = next((folder for folder in above if folder in owned), "")
        owned[base].append(file)
    return tuple(
        DatasetPart(base=base, derived=_is_derived(base, by_name), files=tuple(files))
        for base, files in sorted(owned.items())
    )


def _told_by(path: PurePosixPath) -> Iterator[str]:
    """Yield the folders that a file tells to be datasets."""
    folders = path.parts[:-1]
    if not folders or folders[0] in _NO_DATA or any(part.startswith(".") for part in folders):
        return
    if path.name == DESCRIPTION:
        yield path.parent.as_posix()
    if folders[0] == DERIVATIVES:
        subject = next((n for n, part in enumerate(folders) if part.startswith("sub-")), 0)
        if subject:
            yield "/".join(folders[:subject])


def _is_derived(base: str, files: Mapping[str, TreeFile]) -> bool:
    if PurePosixPath(base).parts[:1] == (DERIVATIVES,):
        return True
    file = files.get(f"{base}/{DESCRIPTION}".removeprefix("/"))
    try:
        return file is not None and read_json_file(file.path).get(_TYPE) == _DERIVATIVE
    except (OSError, SidecarError):
        return False
