"""Whether an image is a mask, by its voxels: a name proves nothing."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import IO, cast

import numpy as np

from bidsanon.bids.nifti import ImageError, read_header
from bidsanon.files import is_gzip

_PART = 1 << 22  # a multiple of any voxel's bytes
_MOST_BYTES = 1 << 32
_WHOLE = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}


def is_mask(path: Path) -> bool:
    """Tell whether an image has two values at most; one that cannot be read to its end has not.

    Parameters
    ----------
    path
        A NIfTI file.
    """
    try:
        with cast("IO[bytes]", gzip.open(path) if is_gzip(path) else path.open("rb")) as stream:
            return _has_two_values(stream)
    except (OSError, EOFError, ImageError, zlib.error):
        return False


def _has_two_values(stream: IO[bytes]) -> bool:
    header = read_header(stream)
    voxel_bytes = int(header.number(header.layout.bits_per_voxel)) // 8
    left = header.voxel_bytes
    if voxel_bytes not in _WHOLE or left > _MOST_BYTES:
        return False
    stream.seek(header.voxel_offset)
    values: set[int] = set()
    while left:
        part = stream.read(min(left, _PART))
        if not part or len(part) % voxel_bytes:
            return False
        left -= len(part)
        voxels = np.frombuffer(part, _WHOLE[voxel_bytes])
        values |= {int(voxels.min()), int(voxels.max())}
        low, high = min(values), max(values)
        if values != {low, high} or not np.all((voxels == low) | (voxels == high)):
            return False
    return True
