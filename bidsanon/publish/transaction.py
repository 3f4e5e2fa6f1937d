"""Several files and folders put into a dataset as one step, whatever happens in between.

A redo log: everything new is laid out beside the dataset first; writing ``commit.json`` is the
moment at which the change is decided; after it, each item is renamed into place. A crash before
that moment leaves the dataset as it was, and a crash after it leaves a log that :func:`recover`
plays to its end the next time anybody opens the dataset. Replaying is harmless: an item that is
no longer in the log is in its place already. What the private folder remembers of the change
belongs to it: the journal knows of every session that is in the dataset.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bidsanon.audit import Journal
from bidsanon.files import (
    PRIVATE_FILE_MODE,
    fresh_folder,
    make_private_folder,
    remove_tree,
    sync_all,
    sync_path,
    write_text,
)
from bidsanon.publish.lock import publishing_folder
from bidsanon.reached import mark_reached

DATASET_FOLDER_MODE = 0o755
DATASET_FILE_MODE = 0o644
_MEMORY = "memory.json"


@dataclass(frozen=True, kw_only=True)
class Item:
    """One file or folder of the dataset that changes.

    Attributes
    ----------
    path
        Where it is, relative to the dataset. What stands there is replaced.
    content
        A folder or a file to move there, or the text of a file; None: nothing is left there. A
        file keeps its permissions, and a link that stands there is replaced, not followed.
    """

    path: PurePosixPath
    content: Path | str | None


@dataclass(frozen=True, kw_only=True)
class Memory:
    """What the private folder remembers of a change.

    Attributes
    ----------
    private
        The private folder. Where it is gone when the change is brought to its end, nothing is
        remembered.
    line
        A line for its journal.
    path, text
        A file in it, relative to it, and what it is to hold; None: no file.
    """

    private: Path
    line: str
    path: PurePosixPath | None = None
    text: str = ""


def install(dataset: Path, items: Sequence[Item], *, memory: Memory | None = None) -> None:
    """Make all changes to the dataset, or none. The caller holds the dataset's lock.

    Parameters
    ----------
    dataset
        The dataset's folder; made if it is not there, and removed if nothing is left in it.
    items
        In the order in which they appear. Their folders are moved away from where they are.
    memory
        What the private folder remembers of it; None: nothing.

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
            _lay_out(item, log, number)
        if memory is not None:
            record = {"private": str(memory.private), "path": str(memory.path or "")}
            record |= {"line": memory.line, "text": memory.text}
            write_text(log / _MEMORY, json.dumps(record), mode=PRIVATE_FILE_MODE)
        sync_all(log.rglob("*"))
        targets = [str(item.path) for item in items]
        write_text(log / "commit.json", json.dumps(targets))
    except BaseException:
        remove_tree(log)
        raise
    sync_path(log)
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


def _lay_out(item: Item, log: Path, number: int) -> None:
    if item.content is None:
        write_text(log / f"gone-{number}", "")
    elif isinstance(item.content, str):
        write_text(log / f"new-{number}", item.content, mode=DATASET_FILE_MODE)
    else:
        if item.content.is_dir():
            _open_to_readers(item.content)
        shutil.move(item.content, log / f"new-{number}")


def _apply(dataset: Path, log: Path) -> None:
    mark_reached()
    dataset.mkdir(mode=DATASET_FOLDER_MODE, parents=True, exist_ok=True)
    targets = json.loads((log / "commit.json").read_text("utf-8"))
    for number, target in enumerate(targets):
        new, gone, place = log / f"new-{number}", log / f"gone-{number}", dataset / target
        if new.exists():
            place.parent.mkdir(mode=DATASET_FOLDER_MODE, parents=True, exist_ok=True)
            if place.is_dir():
                _set_aside(place, log, number)
            new.replace(place)
        elif gone.exists():
            if os.path.lexists(place):
                _set_aside(place, log, number)
            gone.unlink()
    folders = {(dataset / target).parent for target in targets}
    sync_all(folder for folder in folders if folder.is_dir())
    for folder in folders:
        _remove_empty(dataset, folder)
    _remember(log)


def _set_aside(place: Path, log: Path, number: int) -> None:
    old = make_private_folder(log / "old") / str(number)
    remove_tree(old)
    place.rename(old)


def _remove_empty(dataset: Path, folder: Path) -> None:
    """Remove a folder that holds nothing, and those above it that then hold nothing."""
    for place in (folder, *folder.parents):
        if place.is_dir():
            if any(place.iterdir()):
                return
            place.rmdir()
        if place == dataset:
            return


def _remember(log: Path) -> None:
    """Write what the private folder remembers; doing it again changes nothing."""
    if not (log / _MEMORY).is_file():
        return
    record = json.loads((log / _MEMORY).read_text("utf-8"))
    private = Path(record["private"])
    if not private.is_dir():
        return
    if record["path"]:
        file = private / record["path"]
        make_private_folder(file.parent)
        write_text(file, record["text"], mode=PRIVATE_FILE_MODE)
    Journal(private).append_once(record["line"])


def _open_to_readers(folder: Path) -> None:
    folder.chmod(DATASET_FOLDER_MODE)
    for path in folder.rglob("*"):
        path.chmod(DATASET_FOLDER_MODE if path.is_dir() else DATASET_FILE_MODE)
