"""Which images a dataset holds, and whether each is as its header says, and as NIfTI defines."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from bidsanon.bids.ignored import read_ignored
from bidsanon.bids.names import BidsName, parse_name
from bidsanon.bids.nifti import ImageError, read_header
from bidsanon.bids.sidecars import IMAGE_EXTENSIONS
from bidsanon.bids.tree import DatasetTree, TreeFile
from bidsanon.files import is_gzip
from bidsanon.findings import Finding, finding

_LENGTH_MODULUS = 1 << 32
_MOST_PER_BYTE = 1032  # of what deflate makes of a byte
_PART = 1 << 20


def dataset_images(root: Path) -> Iterator[BidsName]:
    """Yield the images in the subjects' folders, sorted by path; links to folders are not followed.

    Parameters
    ----------
    root
        The dataset's folder.
    """
    for subject in sorted(root.glob("sub-*")):
        for folder, folders, files in os.walk(subject):
            folders.sort()
            for file in sorted(files):
                if file.endswith(IMAGE_EXTENSIONS) and not file.startswith("."):
                    yield parse_name(Path(folder, file).relative_to(root).as_posix())


def check_images(tree: DatasetTree) -> Iterator[Finding]:
    """Say which images in the subjects' folders are not as long as their headers say.

    Nor can one be read whose header says of its voxels what NIfTI does not define.

    A compressed one says at its end how long it is (RFC 1952, 2.3.1); it is only decompressed where
    that does not fit, and no further than its header says.

    Parameters
    ----------
    tree
        What the dataset's folder holds.
    """
    ignored = read_ignored(tree.root)
    for file in tree.files:
        is_image = file.name.startswith("sub-") and file.name.endswith(IMAGE_EXTENSIONS)
        if is_image and not ignored.hides(file.name):
            try:
                missing = _bytes_missing(file)
            except ImageError as error:
                yield finding("IMAGE_DAMAGED", location=file.name, problem=error)
                continue
            if missing > 0:
                problem = "it ends before the last voxel that its header promises"
                yield finding("IMAGE_DAMAGED", location=file.name, problem=problem)
            elif missing < 0:
                yield finding("IMAGE_TOO_LONG", location=file.name)


def _bytes_missing(file: TreeFile) -> int:
    """Return how many bytes an image lacks, or has too many: then at least so many.

    Raises
    ------
    ImageError
        If it is none, or cannot be decompressed.
    """
    try:
        if not is_gzip(file.path):
            with file.path.open("rb") as stream:
                return _length(stream) - file.size
        with gzip.open(file.path) as unpacked:
            expected = _length(unpacked)
        if expected > file.size * _MOST_PER_BYTE:
            return expected
        if _length_at_end(file.path) == expected % _LENGTH_MODULUS:
            return 0
        return expected - _unpacked_length(file.path, enough=expected + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise ImageError("it cannot be decompressed to its end") from error


def _length(stream: BinaryIO | gzip.GzipFile) -> int:
    header = read_header(stream)
    if not header.is_of_known_kind:
        raise ImageError("it has voxels of a kind (datatype) that NIfTI does not define")
    return header.voxel_offset + header.voxel_bytes


def _length_at_end(path: Path) -> int:
    with path.open("rb") as stream:
        stream.seek(-4, os.SEEK_END)
        return int.from_bytes(stream.read(4), "little")


def _unpacked_length(path: Path, *, enough: int) -> int:
    length = 0
    with gzip.open(path) as stream:
        while length < enough and (part := stream.read(min(_PART, enough - length))):
            length += len(part)
    return length
