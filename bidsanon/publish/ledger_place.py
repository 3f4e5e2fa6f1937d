"""Which of a private folder's ledgers is a dataset's: by where it lies, or by what it holds.

A lab renames and moves its datasets, and several of one name may share a private folder. So a
ledger says where its dataset was when it was written. One whose dataset lies elsewhere now is known
again by its images: one with the bytes that were published there is enough.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bidsanon.bids.sidecars import IMAGE_EXTENSIONS
from bidsanon.files import sha256

_FOLDER = "published"
_MOST_LOOKED_AT = 8


@dataclass(frozen=True, kw_only=True)
class LedgerPlace:
    """Where a dataset's ledger is read, and where it is written.

    Attributes
    ----------
    file
        Where it is written, relative to the private folder.
    found
        Where it is read, relative to the private folder; None where there is none yet. It is
        another file than `file` where the dataset is a copy of one that is still there.
    """

    file: PurePosixPath
    found: PurePosixPath | None


def find_ledger(private: Path, dataset: Path) -> LedgerPlace:
    """Find a dataset's ledger in a private folder.

    Parameters
    ----------
    private
        The private folder.
    dataset
        The dataset's folder.
    """
    dataset = dataset.resolve()
    names = sorted((private / _FOLDER).glob("*.json"))
    ledgers = {PurePosixPath(_FOLDER) / path.name: _read(path) for path in names}
    known = {file: kept for file, kept in ledgers.items() if kept is not None}
    here = place_words(dataset)
    for file, kept in known.items():
        if kept.dataset == here:
            return LedgerPlace(file=file, found=file)
    # One that was moved comes before one that is there still, of which this is a copy.
    for file, kept in sorted(known.items(), key=lambda one: one[1].is_there):
        if kept.tells_of(dataset):
            own = free_ledger(ledgers, dataset) if kept.is_there else file
            return LedgerPlace(file=own, found=file)
    # What cannot be understood may be this dataset's: whoever reads it says so.
    usual = PurePosixPath(_FOLDER) / f"{dataset.name}.json"
    if usual in ledgers.keys() - known.keys():
        return LedgerPlace(file=usual, found=usual)
    return LedgerPlace(file=free_ledger(ledgers, dataset), found=None)


def free_ledger(taken: Iterable[PurePosixPath], dataset: Path) -> PurePosixPath:
    """Return where a new ledger goes: by the dataset's name, and by its place where that is taken.

    Parameters
    ----------
    taken
        The ledgers that are there, relative to the private folder.
    dataset
        The dataset's folder.
    """
    names = set(taken)
    digest = hashlib.sha256(place_words(dataset).encode()).hexdigest()
    endings = ["", *(f"-{digest[:length]}" for length in range(8, len(digest) + 1, 8))]
    files = [PurePosixPath(_FOLDER) / f"{dataset.name}{ending}.json" for ending in endings]
    return next((file for file in files if file not in names), files[-1])


def place_words(dataset: Path) -> str:
    """Return how a ledger says where its dataset is; any name can be written so."""
    return os.fsencode(dataset).decode("utf-8", "backslashreplace")


@dataclass(frozen=True, kw_only=True)
class _Kept:
    """What a ledger says of its dataset.

    Attributes
    ----------
    dataset
        Where it was; empty where an earlier version did not say.
    images
        The SHA-256 of each image, by its path in the dataset.
    """

    dataset: str
    images: Mapping[str, str]

    @property
    def is_there(self) -> bool:
        """Whether there is a folder where the dataset was."""
        return bool(self.dataset) and Path(self.dataset).is_dir()

    def tells_of(self, dataset: Path) -> bool:
        """Tell whether a dataset holds an image as it was published; a few small ones are read."""
        there = {dataset / name: digest for name, digest in self.images.items()}
        sizes = {path: size for path in there if (size := _size(path)) is not None}
        smallest = sorted(sizes, key=lambda path: sizes[path])[:_MOST_LOOKED_AT]
        return any(_digest(path) == there[path] for path in smallest)


def _read(path: Path) -> _Kept | None:
    """Return what a ledger says of its dataset; None where it is not understood."""
    try:
        content = json.loads(path.read_text("utf-8"))
        images = {
            str(name): str(digest)
            for addition in content["additions"]
            for name, digest in addition["files"].items()
            if name.endswith(IMAGE_EXTENSIONS)
        }
        return _Kept(dataset=str(content.get("dataset", "")), images=images)
    except (OSError, AttributeError, KeyError, TypeError, ValueError, RecursionError):
        return None


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size if path.is_file() else None
    except OSError:
        return None


def _digest(path: Path) -> str:
    try:
        return sha256(path)
    except OSError:
        return ""
