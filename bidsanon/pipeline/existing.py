"""A dataset that is there already, whoever made it: that it is one, and its private folder."""

from __future__ import annotations

from pathlib import Path

from bidsanon.bids.root_documents import DESCRIPTION
from bidsanon.errors import UsageError
from bidsanon.files import require_apart
from bidsanon.pipeline.places import require_own_private_folder
from bidsanon.publish import private_beside

_ITS_OWN_FOLDER = "give the dataset's own folder"


def is_dataset(folder: Path) -> bool:
    """Tell whether a folder is a BIDS dataset: it says so, or it holds subjects."""
    return (folder / DESCRIPTION).is_file() or any(p.is_dir() for p in folder.glob("sub-*"))


def require_folder(dataset: Path) -> None:
    """Refuse a dataset that is no folder.

    Raises
    ------
    UsageError
        If it is none.
    """
    if not dataset.is_dir():
        raise UsageError("the DATASET is not a folder", cure="check how it is spelled")


def require_dataset(dataset: Path, *, cure: str = _ITS_OWN_FOLDER) -> None:
    """Refuse a folder that is no dataset: whatever lies in it would be read.

    Raises
    ------
    UsageError
        If it is none.
    """
    require_folder(dataset)
    if not is_dataset(dataset):
        raise UsageError(
            "the DATASET is no BIDS dataset: it has neither a dataset_description.json nor sub-*/",
            cure=cure,
        )


def require_described(dataset: Path) -> None:
    """Refuse a dataset without the one file that BIDS wants of all.

    Raises
    ------
    UsageError
        If it is not there.
    """
    if not (dataset / DESCRIPTION).is_file():
        raise UsageError(
            f"DATASET holds no {DESCRIPTION}: it is no BIDS dataset",
            cure="give the dataset's folder",
        )


def require_private_there(private: Path) -> None:
    """Refuse a private folder that is named and is not there.

    Raises
    ------
    UsageError
        If it is not.
    """
    if not private.is_dir():
        raise UsageError(
            "there is no private folder at --private",
            cure="check how it is spelled, or leave it out where there is none",
        )


def private_folder_of(dataset: Path, private: Path | None) -> Path:
    """Return a dataset's private folder: the one that is named, or ``DATASET.private`` beside it.

    Raises
    ------
    UsageError
        If it is a file, or shares its tree with the dataset.
    StorageError
        If it may not be entered.
    """
    private = (private or private_beside(dataset)).absolute()
    require_own_private_folder(private)
    require_apart(private, dataset, first_name="the private folder", second_name="the dataset")
    return private
