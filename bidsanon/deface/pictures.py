"""What a person looks at: a shaded surface from the front and both sides, and three mid-planes.

Drawn in the template's space, so that every head looks at the reader however it lay in the scanner.
The pictures show faces: they belong into the private folder.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from bidsanon.deface.cut import WHOLE, Cut, cut_mask
from bidsanon.deface.grid import (
    Grid,
    Mask,
    Matrix,
    Points,
    Volume,
    block_mean,
    inverse,
    sample_like,
)
from bidsanon.deface.head import Window, centre_of_mass_mm, largest_part
from bidsanon.deface.template import face_template, template_centre_mm, template_midline_mm
from bidsanon.files import PRIVATE_FILE_MODE, make_private_folder, write_bytes

Picture = npt.NDArray[np.uint8]

PICTURE_MM = 1.8
"""The size of a picture element."""
# What is drawn, in the template's world: wider than its head, and lower for a long neck.
_FROM_MM = np.array([-120.0, -140.0, -170.0])
_TO_MM = np.array([108.0, 160.0, 112.0])
_SURFACE_SMOOTHING = 0.8
_SURFACE_BRIGHTNESS = 0.12
# The air's usual brightness times this is certainly no air.
_ABOVE_AIR = 3.0
_SPARSE = 3
_RELIEF_SMOOTHING = 0.7
# To the right, upwards, towards the reader; and how bright a surface turned away stays.
_LIGHT = np.array([-0.35, 0.45, 0.82])
_AMBIENT = 0.12
# Where the planes lie that are not the middle one: through the eyes and the frontal lobe, and
# through the eyes and the ears.
_CORONAL_MM, _AXIAL_MM = 62.0, -38.0
_OUTLINE = np.array([255, 64, 64], dtype=np.uint8)
_WHITE = 255

# Each view turns (x, y, z) into (depth away from the reader, downwards, to the right).
_VIEWS: dict[str, Callable[[Volume], Volume]] = {
    "front": lambda head: np.transpose(head, (1, 2, 0))[::-1, ::-1, ::-1],
    "left": lambda head: np.transpose(head, (0, 2, 1))[:, ::-1, ::-1],
    "right": lambda head: np.transpose(head, (0, 2, 1))[::-1, ::-1, :],
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Pose:
    """A head as it is drawn: upright, on the voxels of the pictures.

    Attributes
    ----------
    brightness
        0 to 1.
    cut_known
        Whether it lies as the template does, so that the cut can be drawn.
    """

    brightness: Volume
    cut_known: bool

    @classmethod
    def of(cls, reference: Grid, window: Window, to_template: Matrix | None) -> Pose:
        """Pose a head.

        Parameters
        ----------
        reference
            The head as it is.
        window
            What is drawn black and white.
        to_template
            From its world to the template's; None where that is not known: then it is drawn as it
            lay in the scanner.
        """
        head = block_mean(reference, PICTURE_MM)
        to_head = _centred(window.apply(head)) if to_template is None else inverse(to_template)
        affine, shape = _canvas()
        values = sample_like(head, shape, affine, to_grid=to_head, outside=window.darkest)
        posed = window.apply(Grid(values=values, affine=affine))
        return cls(brightness=posed.values, cut_known=to_template is not None)

    def surface_brightness(self) -> float:
        """Return a brightness between air and skin: higher where the air is noisy."""
        sparse = self.brightness[::_SPARSE, ::_SPARSE, ::_SPARSE]
        low = sparse[(sparse > 0) & (sparse < _SURFACE_BRIGHTNESS * 2)]
        air = float(np.median(low)) if low.size else 0.0
        return max(_SURFACE_BRIGHTNESS, _ABOVE_AIR * air)


def draw(pose: Pose, *, surface: float, cut: Cut = WHOLE) -> dict[str, Picture]:
    """Draw a head.

    Parameters
    ----------
    pose
        The head.
    surface
        The brightness at which it begins.
    cut
        What is outlined where it is known.

    Returns
    -------
    dict
        The pictures by view: "front", "left", "right" and the planes through the head's middle,
        "sagittal", "coronal" and "axial".
    """
    smooth = ndimage.gaussian_filter(pose.brightness, _SURFACE_SMOOTHING)
    solid = np.where(largest_part(smooth > surface), smooth, np.float32(0))
    pictures = {name: shade(view(solid), surface) for name, view in _VIEWS.items()}
    goes = _cut_planes(cut) if pose.cut_known else {}
    for name, plane in _planes().items():
        pictures[name] = _slice(plane.of(pose.brightness), goes.get(name))
    return pictures


def save(pictures: dict[str, Picture], folder: Path, *, stem: str, when: str) -> dict[str, Path]:
    """Write pictures as private PNG files.

    Parameters
    ----------
    pictures
        By view.
    folder
        Made where it is missing.
    stem
        What the files' names begin with.
    when
        "before" or "after".

    Returns
    -------
    dict
        The files by "before-front" and the like.
    """
    make_private_folder(folder)
    files = {}
    for view, picture in pictures.items():
        name = f"{when}-{view}"
        files[name] = folder / f"{stem}_{name}.png"
        write_bytes(files[name], png(picture), mode=PRIVATE_FILE_MODE)
    return files


def png(picture: Picture) -> bytes:
    """Encode a picture of shape (rows, columns) or (rows, columns, 3) as PNG."""
    rows, columns = picture.shape[:2]
    colour_type = 0 if picture.ndim == 2 else 2  # noqa: PLR2004 - grey or red, green, blue
    lines = picture.reshape(rows, -1)
    # Each line begins with its filter: 0, none.
    filtered = np.concatenate([np.zeros((rows, 1), dtype=np.uint8), lines], axis=1)
    header = struct.pack(">IIBBBBB", columns, rows, 8, colour_type, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(filtered.tobytes()))
        + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, content: bytes) -> bytes:
    checked = kind + content
    return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))


def _canvas() -> tuple[Matrix, tuple[int, ...]]:
    affine = np.diag([PICTURE_MM, PICTURE_MM, PICTURE_MM, 1.0])
    affine[:3, 3] = _FROM_MM
    return affine, tuple(int(n) for n in np.ceil((_TO_MM - _FROM_MM) / PICTURE_MM))


def shade(head: Volume, level: float) -> Picture:
    """Light the first surface along the first axis, as seen from its beginning.

    Parameters
    ----------
    head
        Depth away from the reader, downwards, to the right; 0 where there is nothing.
    level
        The brightness at which the surface begins.
    """
    above = head > level
    first = above.argmax(axis=0)
    hit = np.take_along_axis(above, first[np.newaxis], axis=0)[0]
    depth = _depth(head, level, first)
    far = float(head.shape[0])
    relief = ndimage.gaussian_filter(np.where(hit, depth, far), _RELIEF_SMOOTHING)
    down, right = np.gradient(relief)
    normal = np.stack([right, -down, np.ones_like(relief)])
    lit = np.tensordot(_LIGHT, normal, axes=1) / np.sqrt((normal**2).sum(axis=0))
    grey = np.clip(_AMBIENT + (1 - _AMBIENT) * lit, _AMBIENT, 1)
    return (np.where(hit, grey, 0) * _WHITE).astype(np.uint8)


def _depth(head: Volume, level: float, first: npt.NDArray[np.intp]) -> Points:
    """Return where each line first rises above the level, between the voxels before and there."""
    before = np.maximum(first - 1, 0)
    inner = np.take_along_axis(head, first[np.newaxis], axis=0)[0]
    outer = np.take_along_axis(head, before[np.newaxis], axis=0)[0]
    rise = np.where(inner > outer, inner - outer, 1)
    depth: Points = first - np.clip((inner - level) / rise, 0, 1).astype(np.float64)
    return depth


def _slice(plane: Volume, goes: Mask | None) -> Picture:
    """Draw a plane, its second axis upwards, with the cut's outline in red."""
    grey = (np.clip(plane.T[::-1], 0, 1) * _WHITE).astype(np.uint8)
    picture = np.repeat(grey[:, :, np.newaxis], 3, axis=2)
    if goes is not None:
        inside = goes.T[::-1]
        picture[inside & ~ndimage.binary_erosion(inside, border_value=1)] = _OUTLINE
    return picture


@dataclass(frozen=True, kw_only=True)
class _Plane:
    """A plane of the canvas.

    Attributes
    ----------
    axis
        Across which axis it lies.
    place
        Where on that axis, in voxels.
    mirrored
        Whether its first axis is drawn from right to left, as one looks at the person.
    """

    axis: int
    place: int
    mirrored: bool

    def of(self, volume: Volume) -> Volume:
        """Return the plane of a volume."""
        plane: Volume = np.take(volume, self.place, self.axis)
        return plane[::-1] if self.mirrored else plane


def _planes() -> dict[str, _Plane]:
    """Return the planes that are drawn: all cross the cut, and the brain."""
    affine, _ = _canvas()
    midline = template_midline_mm(face_template().head)
    places = zip((midline, _CORONAL_MM, _AXIAL_MM), affine[:3, 3], strict=True)
    sagittal, coronal, axial = (round((mm - float(start)) / PICTURE_MM) for mm, start in places)
    return {
        "sagittal": _Plane(axis=0, place=sagittal, mirrored=False),
        "coronal": _Plane(axis=1, place=coronal, mirrored=True),
        "axial": _Plane(axis=2, place=axial, mirrored=True),
    }


@cache
def _cut_planes(cut: Cut) -> dict[str, Mask]:
    """Return the cut on each plane, once a process."""
    affine, shape = _canvas()
    planes = {}
    for name, plane in _planes().items():
        there, thin = affine.copy(), list(shape)
        there[plane.axis, 3] += plane.place * PICTURE_MM
        thin[plane.axis] = 1
        goes = np.take(cut_mask(tuple(thin), there, np.eye(4), cut=cut), 0, plane.axis)
        planes[name] = goes[::-1] if plane.mirrored else goes
    return planes


def _centred(head: Grid) -> Matrix:
    """Put the template's centre of mass on the head's, unturned."""
    to_head = np.eye(4)
    to_head[:3, 3] = centre_of_mass_mm(head) - template_centre_mm()
    return to_head
