"""Files of published sessions that bidsanon itself changes later: they stay its own.

What somebody else changed is not: ``remove`` asks before it takes that with the session.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from pathlib import Path

from bidsanon.files import PRIVATE_FILE_MODE, sha256, storage_errors, write_text
from bidsanon.publish.ledger import Ledger
from bidsanon.publish.ledger_place import find_ledger
from bidsanon.publish.lock import dataset_lock


@contextlib.contextmanager
def keeping_own(private: Path, dataset: Path, names: Collection[str]) -> Iterator[None]:
    """Know files for ours after a change if they were before it.

    Parameters
    ----------
    private
        The private folder.
    dataset
        The dataset.
    names
        The files that may be changed meanwhile, by their paths in the dataset.

    Raises
    ------
    ConflictError
        If the dataset stays locked.
    StorageError
        If the ledger cannot be understood or written.
    """
    # Found before the change: afterwards nothing may be as it was published.
    place = find_ledger(private, dataset)
    known = Ledger.read_at(place, private, dataset).digests
    ours = {name for name in names if name in known and _digest(dataset / name) == known[name]}
    try:
        yield
    finally:
        now = {name: _digest(dataset / name) for name in ours}
        changed = {n: (known[n], after) for n, after in now.items() if after not in {known[n], ""}}
        if changed:
            with storage_errors("the ledger in the private folder"), dataset_lock(dataset):
                ledger = Ledger.read_at(place, private, dataset).with_rewritten(changed)
                write_text(private / ledger.file, ledger.text, mode=PRIVATE_FILE_MODE)


def _digest(path: Path) -> str:
    return sha256(path) if path.is_file() else ""
