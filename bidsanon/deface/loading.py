"""How nibabel opens an image: what it puts right in a header is told to whoever asked for it.

nibabel writes that to stderr, for each time that an image is opened, past any filter of logs.
"""

from __future__ import annotations

import logging
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import nibabel
from nibabel import imageglobals

_told: ContextVar[list[str] | None] = ContextVar("_told", default=None)


class _ToReader(logging.Filter):
    """Takes what nibabel says while an image is opened here; the rest goes where it went."""

    def filter(self, record: logging.LogRecord) -> bool:
        told = _told.get()
        if told is None:
            return True
        told.append(record.getMessage())
        return False


imageglobals.logger.addFilter(_ToReader())


def load_image(path: Path) -> tuple[Any, tuple[str, ...]]:
    """Open an image, without its voxels.

    Returns
    -------
    image
        As nibabel has it.
    repairs
        What nibabel says that it put right in the header, in its words: "pixdim[1,2,3] should be
        positive". They hold no values but codes.

    Raises
    ------
    ValueError, OverflowError, ImageFileError, HeaderDataError, OSError
        As nibabel does.
    """
    token = _told.set([])
    try:
        image = nibabel.load(path)
        repairs = [said.partition(";")[0] for said in _told.get() or ()]
    finally:
        _told.reset(token)
    return image, tuple(dict.fromkeys(repairs))
