"""One session into the dataset, with the top-level files brought up to date in the same step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

from bidsanon.files import storage_errors
from bidsanon.publish.lock import dataset_lock
from bidsanon.publish.place import SessionPlace, require_free
from bidsanon.publish.transaction import Item, install, interrupted, recover


def publish_session(
    place: SessionPlace,
    folder: Path,
    *,
    describe: Callable[[Path], Mapping[str, str]],
    overwrite: bool,
) -> None:
    """Move a session into its place and update the dataset's top-level files, as one step.

    Parameters
    ----------
    place
        Where it goes.
    folder
        The session's folder in the private folder; it is moved away from there.
    describe
        Given the dataset as it is under the lock, returns the top-level files to write, by name.
    overwrite
        Whether a session that stands there is replaced.

    Raises
    ------
    ConflictError
        If the session exists and `overwrite` is not set, or the dataset stays locked.
    StorageError
        If there is no room beside the dataset, or it cannot be written.
    """
    with storage_errors("the dataset"), dataset_lock(place.dataset):
        recover(place.dataset)
        require_free(place, overwrite=overwrite)
        top_level = describe(place.dataset)
        items = [Item(path=place.relative, content=folder)]
        items += [Item(path=PurePosixPath(name), content=text) for name, text in top_level.items()]
        install(place.dataset, items)


def settle_dataset(dataset: Path) -> None:
    """Bring a change that a crash interrupted to its end, before anybody reads the dataset."""
    if interrupted(dataset):
        with storage_errors("the dataset"), dataset_lock(dataset):
            recover(dataset)
