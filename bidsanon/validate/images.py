"""Which images a dataset holds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from bidsanon.bids.names import BidsName, parse_name
from bidsanon.bids.sidecars import IMAGE_EXTENSIONS


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
