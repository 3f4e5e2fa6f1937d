"""Sidecars: reading one, and what holds for an image once inheritance is resolved.

BIDS lets a JSON file stand at any level above an image and hold for all images whose names have
its suffix and its entities; what stands closer to the image overrules what stands further away.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from bidsanon.bids.names import BidsName, parse_name

IMAGE_EXTENSIONS = (".nii.gz", ".nii")
GRADIENT_EXTENSIONS = (".bval", ".bvec")
LARGEST_JSON = 1 << 23
"""Bytes; decoded, JSON takes up to ten times as much. Real sidecars hold some kilobytes."""

_INDENT = re.compile(r'\{\s*\n([ \t]+)"')


class SidecarError(ValueError):
    """A JSON file cannot be understood. The text says where, and holds none of its content."""


@dataclass(frozen=True, kw_only=True)
class MergedSidecar:
    """What all sidecars together say about one image.

    Attributes
    ----------
    content
        Each key's value.
    origins
        The file that each key's value comes from, relative to the dataset.
    """

    content: Mapping[str, Any]
    origins: Mapping[str, str]


def read_json_object(content: bytes) -> dict[str, Any]:
    """Read a JSON object.

    Raises
    ------
    SidecarError
        If it is not UTF-8, not JSON (``NaN`` and ``Infinity`` are not), or no object.
    """
    try:
        value = json.loads(content.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise SidecarError("it is not UTF-8") from error
    except json.JSONDecodeError as error:
        raise SidecarError(f"it is not JSON: line {error.lineno}, column {error.colno}") from error
    except RecursionError as error:
        raise SidecarError("it is nested too deeply") from error
    except ValueError as error:
        raise SidecarError("it holds a number of too many digits") from error
    if not isinstance(value, dict):
        raise SidecarError("it is not a JSON object")
    return value


def read_json_file(path: Path) -> dict[str, Any]:
    """Read a file that holds a JSON object, if it is not too large to be a sidecar.

    Raises
    ------
    SidecarError
        If it cannot be read, is too large, or is not what :func:`read_json_object` takes.
    """
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for
            raise SidecarError("it is no file")
        content = read_bounded(path)
    except OSError as error:
        raise SidecarError("it cannot be read") from error
    return read_json_object(content)


def read_bounded(path: Path) -> bytes:
    """Read the bytes of a JSON file, if they are not too many for a sidecar.

    Raises
    ------
    SidecarError
        If they are.
    OSError
        If it cannot be read.
    """
    with path.open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size  # a buffer for the largest takes its time
        content = stream.read(min(size, LARGEST_JSON) + 1)
    if len(content) > LARGEST_JSON:
        raise SidecarError(f"it is larger than {LARGEST_JSON >> 20} MB")
    return content


def json_like(raw: bytes, content: Mapping[str, object]) -> str:
    """Write a JSON object indented as the text that it replaces was.

    Raises
    ------
    SidecarError
        If it holds what JSON cannot say: a number beyond all bounds, half a character.
    """
    found = _INDENT.match(raw.decode("utf-8-sig"))
    try:
        text = json.dumps(
            content, indent=found[1] if found else 2, ensure_ascii=False, allow_nan=False
        )
        text.encode()
    except ValueError as error:
        raise SidecarError("it holds a number or a character that is none") from error
    return text + "\n"


class SidecarTree:
    """The JSON files of one dataset, each read once where the dataset is walked through in order.

    Parameters
    ----------
    root
        The dataset's folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folders: dict[PurePosixPath, list[BidsName]] = {}
        self._contents: dict[str, dict[str, Any]] = {}
        self._at = PurePosixPath()

    def merged(self, image: str) -> MergedSidecar:
        """Merge the sidecars that hold for an image.

        Parameters
        ----------
        image
            The image, relative to the dataset, with forward slashes.

        Raises
        ------
        SidecarError
            If one of them cannot be understood; the text begins with its path.
        """
        content: dict[str, Any] = {}
        origins: dict[str, str] = {}
        for path in self.applicable(image):
            for key, value in self.read(path).items():
                content[key] = value
                origins[key] = path
        return MergedSidecar(content=content, origins=origins)

    def applicable(self, image: str) -> list[str]:
        """Return the sidecars that hold for an image, the furthest away first."""
        name = parse_name(image)
        found: list[str] = []
        for folder in reversed(PurePosixPath(image).parents):
            here = [sidecar for sidecar in self._sidecars_in(folder) if _applies(sidecar, name)]
            here.sort(key=lambda sidecar: (len(sidecar.entities), sidecar.path))
            found += [sidecar.path for sidecar in here]
        return found

    def _sidecars_in(self, folder: PurePosixPath) -> list[BidsName]:
        if folder not in self._folders:
            names = sorted(path.name for path in (self._root / folder).glob("*.json"))
            shown = [name for name in names if not name.startswith(".")]
            self._folders[folder] = [parse_name(str(folder / name)) for name in shown]
        return self._folders[folder]

    def read(self, path: str) -> dict[str, Any]:
        """Read one of the JSON files.

        Parameters
        ----------
        path
            The file, relative to the dataset, with forward slashes.

        Raises
        ------
        SidecarError
            If it cannot be understood; the text begins with its path.
        """
        if path not in self._contents:
            self._forget_far_from(PurePosixPath(path).parent)
            try:
                self._contents[path] = read_json_file(self._root / path)
            except SidecarError as error:
                raise SidecarError(f"{path}: {error}") from error
        return self._contents[path]

    def _forget_far_from(self, folder: PurePosixPath) -> None:
        """Keep what stands in a folder or above it: all that a walk in order asks for again."""
        if folder != self._at:
            near = {folder, *folder.parents}
            far = [path for path in self._contents if PurePosixPath(path).parent not in near]
            for path in far:
                del self._contents[path]
            self._at = folder


def _applies(sidecar: BidsName, image: BidsName) -> bool:
    return sidecar.suffix == image.suffix and sidecar.entities.items() <= image.entities.items()


def _refuse_constant(_name: str) -> float:
    raise json.JSONDecodeError("not a number", "", 0)
