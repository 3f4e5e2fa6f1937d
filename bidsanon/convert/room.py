"""Tells a conversion that failed for want of space from one that failed by itself.

dcm2niix does not say why it stopped. Uncompressed images are about as large as the DICOM files
that they come from: where there is less room than that, the disk is to blame.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from bidsanon.errors import StorageError


def require_room(folder: Path, files: Iterable[Path]) -> None:
    """Refuse to go on where a folder's disk has no room for what some files become.

    Raises
    ------
    StorageError
        If there is less free space than the files take.
    """
    needed = sum(file.stat().st_size for file in files if file.exists())
    if shutil.disk_usage(folder).free < needed:
        raise out_of_room()


def out_of_room() -> StorageError:
    """Make the error that says that the disk is full."""
    return StorageError(
        "no space left while converting in the private folder",
        cure="free some space and run it again, or choose another place by --private",
    )
