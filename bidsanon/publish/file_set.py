"""Files by the names that they are delivered under: their new UIDs, and nothing of the original.

A folder's files are called ``<study>/<series>/<instance>.dcm``. On a medium, which has a directory
(DICOMDIR), names may have eight characters (PS3.10 8.2): they are made of the same UIDs.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from itertools import count
from pathlib import Path, PurePosixPath
from string import ascii_uppercase, digits

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


def medium_paths(files: Iterable[Uids]) -> dict[Uids, PurePosixPath]:
    """Return what files are called on a medium: three components of eight characters.

    Where two UIDs in one folder would have the same name, the later one gets another.
    """
    paths: dict[Uids, PurePosixPath] = {}
    names: dict[tuple[PurePosixPath, str], str] = {}
    taken: set[PurePosixPath] = set()
    for uids in sorted(set(files)):
        path = PurePosixPath()
        for uid in uids:
            known = (path, uid)
            if known not in names:
                names[known] = _free_name(path, uid, taken)
                taken.add(path / names[known])
            path /= names[known]
        paths[uids] = path
    return paths


def _free_name(folder: PurePosixPath, uid: str, taken: Collection[PurePosixPath]) -> str:
    candidates = (_medium_name(uid, attempt) for attempt in count())
    return next(name for name in candidates if folder / name not in taken)


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
    names = medium_paths(uids for _, uids in files) if medium else {}
    targets = [names[uids] if medium else uid_path(uids) for _, uids in files]
    shared = _shared(targets)
    if not shared:
        for folder in dict.fromkeys(target.parent for target in targets):
            (into / folder).mkdir(parents=True, exist_ok=True)
        for (path, _), target in zip(files, targets, strict=True):
            path.rename(into / target)
    return shared


def _shared(targets: Iterable[PurePosixPath]) -> int:
    return sum(times - 1 for times in Counter(targets).values())


def _component(uid: str) -> str:
    if _UID.fullmatch(uid) and len(uid) <= _LONGEST_UID:
        return uid
    return f"unknown-{hashlib.sha256(uid.encode()).hexdigest()[:_HASHED]}"


def _medium_name(uid: str, attempt: int) -> str:
    """Make a name of letters and digits in turn: neither a word nor a number can stand in it."""
    number = int.from_bytes(hashlib.sha256(f"{uid}\0{attempt}".encode()).digest())
    name = ""
    while len(name) < _MEDIUM_NAME:
        number, letter = divmod(number, len(ascii_uppercase))
        number, digit = divmod(number, len(digits))
        name += ascii_uppercase[letter] + digits[digit]
    return name
