"""Several files and folders put into a dataset as one step, whatever happens in between.

A redo log: everything new is laid out beside the dataset first; writing ``commit.json`` is the
moment at which the change is decided; after it, each item is renamed into place. A crash before
that moment leaves the dataset as it was, and a crash after it leaves a log that :func:`recover`
plays to its end the next time anybody opens the dataset. Replaying is harmless: an item that is
no longer in the log is in its place already.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bidsanon.files import fresh_folder, make_private_folder, remove_tree, write_text
from bidsanon.publish.lock import publishing_folder
from bidsanon.reached import mark_reached

DATASET_FOLDER_MODE = 0o755
DATASET_FILE_MODE = 0o644


@dataclass(frozen=True, kw_only=True)
class Item:
    """One file or folder to put into the dataset.

    Attributes
    ----------
    path
        Where it goes, relative to the dataset. What stands there is replaced.
    content
        A folder to move there, or the text of a file.
    """

    path: PurePosixPath
    content: Path | str


def install(dataset: Path, items: Sequence[Item]) -> None:
    """Put all items into the dataset, or none. The caller holds the dataset's lock.

    Parameters
    ----------
    dataset
        The dataset's folder; made if it is not there.
    items
        In the order in which they appear. Their folders are moved away from where they are.

    Raises
    ------
    PermissionError
        If a folder of the dataset that changes cannot be written. Found out before the change is
        decided: afterwards it would be made by whoever opens the dataset next.
    """
    recover(dataset)
    places = [dataset / item.path for item in items]
    _require_writable({*places, *(place.parent for place in places)})
    log = fresh_folder(_log_folder(dataset))
    try:
        for number, item in enumerate(items):
            _lay_out(item, log / f"new-{number}")
        _sync_tree(log)
        targets = [str(item.path) for item in items]
        write_text(log / "commit.json", json.dumps(targets))
    except BaseException:
        remove_tree(log)
        raise
    _sync_folder(log)
    recover(dataset)


def _require_writable(folders: Iterable[Path]) -> None:
    for folder in folders:
        if folder.is_dir() and not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, "a folder of the dataset cannot be written")


def recover(dataset: Path) -> bool:
    """Bring an interrupted change to its end, or undo it. The caller holds the dataset's lock.

    Returns
    -------
    bool
        Whether there was a decided change to finish.
    """
    log = _log_folder(dataset)
    decided = (log / "commit.json").is_file()
    if decided:
        _apply(dataset, log)
    remove_tree(log)
    return decided


def interrupted(dataset: Path) -> bool:
    """Tell whether an interrupted change waits beside the dataset."""
    return _log_folder(dataset).exists()


def _log_folder(dataset: Path) -> Path:
    return publishing_folder(dataset) / "change"


def _lay_out(item: Item, place: Path) -> None:
    if isinstance(item.content, str):
        write_text(place, item.content, mode=DATASET_FILE_MODE)
        return
    _open_to_readers(item.content)
    shutil.move(item.content, place)


def _apply(dataset: Path, log: Path) -> None:
    mark_reached()
    dataset.mkdir(mode=DATASET_FOLDER_MODE, parents=True, exist_ok=True)
    targets = json.loads((log / "commit.json").read_text("utf-8"))
    for number, target in enumerate(targets):
        new, place = log / f"new-{number}", dataset / target
        if not new.exists():
            continue
        place.parent.mkdir(mode=DATASET_FOLDER_MODE, parents=True, exist_ok=True)
        if place.is_dir():
            old = make_private_folder(log / "old") / str(number)
            remove_tree(old)
            place.rename(old)
        new.replace(place)
        _sync_folder(place.parent)


def _open_to_readers(folder: Path) -> None:
    folder.chmod(DATASET_FOLDER_MODE)
    for path in folder.rglob("*"):
        path.chmod(DATASET_FOLDER_MODE if path.is_dir() else DATASET_FILE_MODE)


def _sync_tree(folder: Path) -> None:
    for path in folder.rglob("*"):
        _sync_folder(path)


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
