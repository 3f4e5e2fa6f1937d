"""Files that hold the same instance: the same SOP Instance UID (0008,0018)."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bidsanon.dicom.encoding import NotUnderstoodError
from bidsanon.dicom.file_format import read_file


@dataclass(frozen=True, kw_only=True)
class Duplicates:
    """What is there more than once.

    Attributes
    ----------
    extra
        The files to leave out: all but the first of each instance.
    conflicting
        The UIDs of which the files differ: nobody can say which is the right one. Identified.
    """

    extra: frozenset[Path]
    conflicting: frozenset[str]


def find_duplicates(files: Iterable[tuple[Path, str]]) -> Duplicates:
    """Find files with the same SOP Instance UID, and compare what they hold.

    Parameters
    ----------
    files
        Each file and its SOP Instance UID, in the order in which the first is kept.
    """
    by_uid: dict[str, list[Path]] = defaultdict(list)
    for path, uid in files:
        by_uid[uid].append(path)
    repeated = {uid: paths for uid, paths in by_uid.items() if len(paths) > 1}
    return Duplicates(
        extra=frozenset(path for paths in repeated.values() for path in paths[1:]),
        conflicting=frozenset(
            uid for uid, paths in repeated.items() if len({_digest(p) for p in paths}) > 1
        ),
    )


def _digest(path: Path) -> bytes:
    """Digest a data set and how it is encoded, without the preamble and the file meta."""
    content = path.read_bytes()
    try:
        file = read_file(content)
    except NotUnderstoodError:
        return hashlib.sha256(content).digest()
    elements = file.data_set.elements
    start = elements[0].start if elements else 0
    digest = hashlib.sha256(file.transfer_syntax_uid.encode() + b"\0")
    digest.update(memoryview(file.content)[start:])
    return digest.digest()
