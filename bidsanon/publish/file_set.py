"""Files by the names that they are delivered under: their new UIDs, and nothing of the original.

A folder's files are called ``<study>/<series>/<instance>.dcm``. On a medium, which has a directory
(DICOMDIR), names may have eight characters (PS3.10 8.2): they are made of the same UIDs.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

_UID = re.compile(r"\d+(\.\d+)*", re.ASCII)
_LONGEST_UID = 64
_MEDIUM_NAME = 8
_HASHED = 16

Uids = tuple[str, str, str]
"""Of study, series and instance."""


def uid_path(uids: Uids) -> PurePosixPath:
    """Return what a file is called by its UIDs; one that is no UID by a digest of it."""
    study, series, instance = map(_component, uids)
    return PurePosixPath(study, series, f"{instance}.dcm")


def medium_path(uids: Uids) -> PurePosixPath:
    """Return what a file is called on a medium: three components of eight characters."""
    return PurePosixPath(*map(_medium_name, uids))


def arrange(files: Sequence[tuple[Path, Uids]], into: Path, *, medium: bool) -> int:
    """Move files to where their UIDs say, and return how many share their name with another.

    Nothing is moved where any two share a name.

    Parameters
    ----------
    files
        Each with its UIDs.
    into
        A folder on the same file system that holds nothing yet.
    medium
        Whether the names are those of a medium.
    """
    targets = [medium_path(uids) if medium else uid_path(uids) for _, uids in files]
    shared = _shared(targets)
    if not shared:
        for folder in dict.fromkeys(target.parent for target in targets):
            (into / folder).mkdir(parents=True, exist_ok=True)
        for (path, _), target in zip(files, targets, strict=True):
            path.rename(into / target)
    return shared


def _shared(targets: Iterable[PurePosixPath]) -> int:
    return sum(count - 1 for count in Counter(targets).values())


def _component(uid: str) -> str:
    if _UID.fullmatch(uid) and len(uid) <= _LONGEST_UID:
        return uid
    return f"unknown-{hashlib.sha256(uid.encode()).hexdigest()[:_HASHED]}"


def _medium_name(uid: str) -> str:
    return base64.b32encode(hashlib.sha256(uid.encode()).digest()).decode()[:_MEDIUM_NAME]
