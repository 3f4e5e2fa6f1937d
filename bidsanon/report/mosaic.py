"""A mosaic of an image: slices in three planes as a viewer shows them, right and left labelled.

In the radiological convention: the person's right is on the left of axial and coronal slices, the
nose points to the left on sagittal ones. Slices lie along the image's own axes.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from nibabel.orientations import apply_orientation, io_orientation
from PIL import Image, ImageDraw, ImageFont

Volume = npt.NDArray[np.float32]
Matrix = npt.NDArray[np.float64]

_WIDTH = 1400
_TILE = 200
_SMALLEST_TILE = 20
_GAP = 2
_LABEL_SIZE = 17
_QUALITY = 84
_DARKEST_PERCENT, _BRIGHTEST_PERCENT = 1.0, 99.0
_SOMETHING = 0.1
_WHITE = 255
_OBLIQUE_DEG = 3.0


@dataclass(frozen=True, kw_only=True)
class Mosaic:
    """An image's slices.

    Attributes
    ----------
    jpeg
        The picture.
    width, height
        How large it is.
    slices
        How many of them are axial, coronal and sagittal, in words.
    darkest, brightest
        The values that are drawn black and white.
    oblique_deg
        By how much the image's axes are turned from the scanner's.
    """

    jpeg: bytes
    width: int
    height: int
    slices: str
    darkest: float
    brightest: float
    oblique_deg: float = 0.0

    @property
    def is_uniform(self) -> bool:
        """Whether there is nothing to be seen: all voxels have one value."""
        return self.darkest == self.brightest

    @property
    def is_oblique(self) -> bool:
        """Whether the slices are visibly turned."""
        return self.oblique_deg >= _OBLIQUE_DEG


@dataclass(frozen=True, kw_only=True)
class _View:
    """How slices across one axis are shown.

    Attributes
    ----------
    name
        The plane.
    axis
        Across which axis of a RAS+ volume it lies.
    labels
        What is on the left and on the right of a slice.
    """

    name: str
    axis: int
    labels: tuple[str, str]


_VIEWS = (
    _View(name="axial", axis=2, labels=("R", "L")),
    _View(name="coronal", axis=1, labels=("R", "L")),
    _View(name="sagittal", axis=0, labels=("A", "P")),
)


def draw_mosaic(values: Volume, affine: Matrix) -> Mosaic:
    """Draw a volume.

    Parameters
    ----------
    values
        Finite numbers; some hundred along an axis at most.
    affine
        Voxel indices to world millimetres (RAS+).
    """
    upright: Volume = apply_orientation(values, io_orientation(affine))  # type: ignore[no-untyped-call]
    sizes_mm = _upright_sizes_mm(affine)
    darkest, brightest = display_range(upright)
    extents_mm = np.array(upright.shape) * sizes_mm
    scale = _TILE / float(max(extents_mm[0], extents_mm[1], extents_mm[2] / 1.5))
    rows = list(_rows(upright, (darkest, brightest), extents_mm * scale))
    picture = _stacked([row for _, row in rows])
    return Mosaic(
        jpeg=_encoded(picture),
        width=picture.width,
        height=picture.height,
        slices=", ".join(name for name, _ in rows),
        darkest=darkest,
        brightest=brightest,
        oblique_deg=_oblique_deg(affine),
    )


def display_range(values: Volume) -> tuple[float, float]:
    """Return the values that are drawn black and white: robust against a few bright voxels.

    They are the same where all voxels are.

    From the first to the last hundredth of what is not exactly zero, which is what was cut off; 0
    is black where nothing is negative.
    """
    shown = values[values != 0]
    if not shown.size:
        return 0.0, 0.0
    percent = [_DARKEST_PERCENT, _BRIGHTEST_PERCENT]
    darkest, brightest = (float(value) for value in np.percentile(shown, percent))
    if shown.min() > 0:
        darkest = 0.0
    return darkest, max(darkest, brightest)


def _upright_sizes_mm(affine: Matrix) -> Matrix:
    """Return the voxel's sizes along right, anterior and superior."""
    sizes = np.sqrt((affine[:3, :3] ** 2).sum(axis=0))
    ordered = np.ones(3)
    for axis, (goes, _) in enumerate(io_orientation(affine)):  # type: ignore[no-untyped-call]
        ordered[int(goes)] = sizes[axis]
    return ordered


def _oblique_deg(affine: Matrix) -> float:
    directions = affine[:3, :3] / np.sqrt((affine[:3, :3] ** 2).sum(axis=0))
    straight = np.abs(directions).max(axis=0)
    return float(np.degrees(np.arccos(np.clip(straight, -1, 1))).max())


def _rows(
    upright: Volume, limits: tuple[float, float], extents: Matrix
) -> Iterator[tuple[str, Any]]:
    """Yield each plane's row of slices, with how many they are; thin ones are left out."""
    views = [view for view in _VIEWS if _tile_size(view, extents)[1] >= _SMALLEST_TILE]
    for view in views or _VIEWS[:1]:
        size = width, height = _tile_size(view, extents)
        most = max(1, _WIDTH // (width + _GAP))
        places = _places(upright, limits, view.axis, most=most)
        row = Image.new("L", (len(places) * (width + _GAP) - _GAP, height))
        for number, place in enumerate(places):
            tile = _tile(np.take(upright, place, view.axis), limits, size)
            row.paste(tile, (number * (width + _GAP), 0))
        _label(row, view.labels)
        yield f"{len(places)} {view.name}", row


def _tile_size(view: _View, extents: Matrix) -> tuple[int, int]:
    across, up = (extents[axis] for axis in range(3) if axis != view.axis)
    return max(1, round(across)), max(1, round(up))


def _places(upright: Volume, limits: tuple[float, float], axis: int, *, most: int) -> list[int]:
    """Return which slices are shown: evenly through what is there."""
    others = tuple(other for other in range(3) if other != axis)
    dim = limits[0] + _SOMETHING * (limits[1] - limits[0])
    something = np.flatnonzero(upright.max(axis=others) > dim)
    first, last = (int(something[0]), int(something[-1])) if something.size else (0, 0)
    there = last - first + 1
    if there <= most:
        return list(range(first, last + 1))
    # Not the outermost, which show next to nothing.
    return [first + round((number + 0.5) * there / most - 0.5) for number in range(most)]


def _tile(plane: Volume, limits: tuple[float, float], size: tuple[int, int]) -> Any:
    """Draw a slice: its first axis from right to left (or front to back), its second upwards."""
    darkest, brightest = limits
    grey = np.clip((plane - darkest) / ((brightest - darkest) or 1), 0, 1)
    shown = (grey[::-1, ::-1].T * _WHITE).astype(np.uint8)
    return Image.fromarray(np.ascontiguousarray(shown)).resize(size, Image.Resampling.BICUBIC)


def _label(row: Any, labels: tuple[str, str]) -> None:
    draw = ImageDraw.Draw(row)
    font = ImageFont.load_default(_LABEL_SIZE)
    for place, anchor, text in ((3, "lt", labels[0]), (row.width - 3, "rt", labels[1])):
        draw.text(
            (place, 3), text, fill=_WHITE, font=font, anchor=anchor, stroke_width=2, stroke_fill=0
        )


def _stacked(rows: list[Any]) -> Any:
    height = sum(row.height + _GAP for row in rows) - _GAP
    picture = Image.new("L", (_WIDTH, height))
    top = 0
    for row in rows:
        picture.paste(row, (0, top))
        top += row.height + _GAP
    return picture


def _encoded(picture: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=_QUALITY, optimize=True)
    return stream.getvalue()
