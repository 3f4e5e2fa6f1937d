"""What a BIDS dataset holds, as ``deface`` sees it: images, what goes along, what is left alone.

Only what lies in a subject's folder is looked at. No image that was not looked at gets into a copy:
derivatives hold faces as often as originals do, and the history of a repository holds them all.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bidsanon.bids.faces import OTHER_IMAGES, PHOTO
from bidsanon.bids.names import parse_name
from bidsanon.bids.root_documents import DESCRIPTION
from bidsanon.bids.sharing import BIDSIGNORE
from bidsanon.bids.sidecars import IMAGE_EXTENSIONS

_LEFT_ALONE = ("code", "derivatives", "sourcedata")
_NOT_COPIED = ("derivatives", "sourcedata")


@dataclass(frozen=True, kw_only=True)
class DatasetContent:
    """What a dataset holds. All paths are relative to it, with forward slashes, sorted.

    Attributes
    ----------
    images
        The NIfTI images in subjects' folders.
    opaque
        What may show a face there and cannot be looked at, and why.
    files
        What goes along into a copy as it is.
    left_alone
        What is neither looked at nor changed: folders end in a slash.
    not_copied
        Those of them that do not go along into a copy.
    """

    images: tuple[str, ...]
    opaque: dict[str, str]
    files: tuple[str, ...]
    left_alone: tuple[str, ...]
    not_copied: tuple[str, ...]


def dataset_around(path: Path) -> Path | None:
    """Return the dataset that a file or folder is or lies in; None where there is none."""
    return next((p for p in (path, *path.parents) if (p / DESCRIPTION).is_file()), None)


def list_dataset(dataset: Path) -> DatasetContent:
    """List what a dataset holds."""
    images: list[str] = []
    opaque: dict[str, str] = {}
    files: list[str] = []
    left_alone: list[str] = []
    not_copied: list[str] = []
    for entry in sorted(dataset.iterdir()):
        if _is_left_alone(entry):
            left_alone.append(f"{entry.name}/" if entry.is_dir() else entry.name)
        if entry.name in _NOT_COPIED or _is_hidden(entry.name):
            not_copied.append(f"{entry.name}/" if entry.is_dir() else entry.name)
            continue
        for name in _names_below(dataset, entry):
            problem = _problem(dataset, name) if name.startswith("sub-") else ""
            if problem:
                opaque[name] = problem
            elif _is_image(name) and name.startswith("sub-"):
                images.append(name)
            elif _may_show_a_face(dataset, name):
                not_copied.append(name)
                if not _is_left_alone(entry):
                    left_alone.append(name)
            else:
                files.append(name)
    return DatasetContent(
        images=tuple(images),
        opaque=opaque,
        files=tuple(files),
        left_alone=tuple(left_alone),
        not_copied=tuple(not_copied),
    )


def _is_left_alone(entry: Path) -> bool:
    return entry.name in _LEFT_ALONE or (_is_hidden(entry.name) and entry.is_dir())


def _is_hidden(name: str) -> bool:
    return name.startswith(".") and name != BIDSIGNORE


def _names_below(dataset: Path, entry: Path) -> Iterator[str]:
    """Yield files, links, and folders that cannot be opened, at or below an entry.

    Hidden ones are passed over.
    """
    below = entry.rglob("*") if entry.is_dir() and not entry.is_symlink() else ()
    for path in sorted((entry, *below)):
        name = path.relative_to(dataset)
        plain_folder = path.is_dir() and not path.is_symlink() and not _is_closed(path)
        if not plain_folder and not any(map(_is_hidden, name.parts)):
            yield name.as_posix()


def _is_closed(path: Path) -> bool:
    return path.is_dir() and not os.access(path, os.R_OK | os.X_OK)


def _is_image(name: str) -> bool:
    return name.lower().endswith(IMAGE_EXTENSIONS)


def _problem(dataset: Path, name: str) -> str:
    """Say why something in a subject's folder cannot be looked at; an empty text if it can."""
    if (dataset / name).is_symlink() and (dataset / name).is_dir():
        return "it is a link to a folder: deface the images of the folder that it leads to"
    if _is_closed(dataset / name):
        return "it is a folder that cannot be opened: check its permissions"
    if name.lower().endswith(OTHER_IMAGES):
        return "it is an image in a format that is not defaced here: convert it to NIfTI"
    return ""


def _may_show_a_face(dataset: Path, name: str) -> bool:
    """Tell whether something may show a face and is not looked at: a photo, a stray image."""
    if (dataset / name).is_dir():
        return True
    stray = _is_image(name) or name.lower().endswith(OTHER_IMAGES)
    return stray or parse_name(PurePosixPath(name).name).suffix == PHOTO
