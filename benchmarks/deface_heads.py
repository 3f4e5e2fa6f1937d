"""Heads of which it is known where the face is, the ways in which they are changed, and non-heads.

A change is known, so the reference registration of the whole head tells where the face is in the
changed one. Brightness is 0 to 1 everywhere.
"""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy import ndimage

from bidsanon.deface.deciding import place_template
from bidsanon.deface.engines import EmbeddedEngine
from bidsanon.deface.grid import (
    Grid,
    Matrix,
    Volume,
    block_mean,
    resample_isotropic,
    rotation,
    sample_like,
)
from bidsanon.deface.head import REGISTERED_MM, brightness
from bidsanon.deface.registration import axis_turns
from bidsanon.deface.template import face_template, template_file
from bidsanon.deface.voxels import mean_volume, read_header

_FINEST_MM = 1.0
_AIR = 0.08
_THICK_MM = 5.0
_SPARSELY = 500
_GAP, _BONE = 0.06, 0.32
# How wide, long and high made-up heads are, against the template, and how far they are bent.
_MADE_UP_SIZES = ((0.94, 1.06, 1.0), (1.08, 0.97, 1.1))
_BENT_BY_MM, _BENT_OVER_MM = 3.0, 35.0
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
"""Where real DICOM is, where it is."""
DEBIAN_HEAD = Path("/usr/share/mricron/templates/ch2.nii.gz")
"""A whole head of 1 mm, in Debian's package mricron-data."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Head:
    """A head, or what is none.

    Attributes
    ----------
    name
        What it was made from.
    image
        Brightness 0 to 1.
    to_head
        From the template's world to the head's, shape (4, 4); None for what is no head.
    has_face
        Whether there is a face to remove.
    """

    name: str
    image: Grid
    to_head: Matrix | None
    has_face: bool = True

    def moved(self, matrix: Matrix) -> Head:
        """Return the head moved in the scanner, its voxels with it."""
        image = Grid(values=self.image.values, affine=matrix @ self.image.affine)
        return replace(self, image=image, to_head=matrix @ self.place)

    def shown_as(self, values: Volume) -> Head:
        """Return the head with other values, on the scale of one's own window."""
        image = Grid(values=values.astype(np.float32), affine=self.image.affine)
        return replace(self, image=brightness(image))

    def cropped(self, axis: int, start: int, stop: int) -> Head:
        """Return what a smaller field of view shows."""
        parts = [slice(None)] * 3
        parts[axis] = slice(start, stop)
        step = np.eye(4)
        step[axis, 3] = start
        image = Grid(values=self.image.values[tuple(parts)], affine=self.image.affine @ step)
        return replace(self, image=image)

    @property
    def place(self) -> Matrix:
        """Where the template lies on it.

        Raises
        ------
        TypeError
            If it is no head.
        """
        if self.to_head is None:
            raise TypeError(f"{self.name} is no head")
        return self.to_head


Change = Callable[[Head, np.random.Generator], Head]


def read_heads(shared: Path, scratch: Path) -> Iterator[Head]:
    """Yield the heads that are to be had here, upright, each with its reference registration.

    The template is its own reference, and two made-up heads are bent from it in a known way. For
    the others it is what the engine finds in the whole, unchanged head: a person has to have looked
    at it.

    Parameters
    ----------
    shared
        Where real DICOM is.
    scratch
        Where it is converted to.
    """
    with template_file() as path:
        template = Head(name="template", image=_read(path), to_head=np.eye(4))
    yield template
    for seed, sizes in enumerate(_MADE_UP_SIZES):
        yield _made_up(template, sizes, seed)
    found = {
        "3D T1w": converted(shared / "siemens-ve11-t1w-face", scratch),
        "2D T1w": converted(shared / "siemens-ve11-dwi-head", scratch),
        "ch2": DEBIAN_HEAD if DEBIAN_HEAD.exists() else None,
    }
    for name, path in found.items():
        if path is None:
            print(f"{name} is not to be had here", file=sys.stderr)
            continue
        image = _read(path)
        head = block_mean(image, REGISTERED_MM)
        placement = place_template(image, head, EmbeddedEngine())
        yield Head(name=name, image=image, to_head=placement.registration.to_head)


def _made_up(template: Head, sizes: tuple[float, ...], seed: int) -> Head:
    """Bend the template smoothly at random: a head of another shape.

    Its reference is the affine matrix that is nearest to what was done.
    """
    grid = template.image
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(3, *grid.values.shape)).astype(np.float32)
    sigmas = _BENT_OVER_MM / grid.voxel_sizes_mm
    bends = np.stack([ndimage.gaussian_filter(each, sigmas) for each in noise])
    bends *= _BENT_BY_MM / np.sqrt((bends**2).mean())
    places = np.indices(grid.values.shape, dtype=np.float32)
    places += bends / grid.voxel_sizes_mm.astype(np.float32)[:, np.newaxis, np.newaxis, np.newaxis]
    values = ndimage.map_coordinates(grid.values, places, order=1, mode="nearest")
    tissue = np.argwhere(grid.values > _AIR)[::_SPARSELY]
    before = grid.affine[:3, :3] @ places[(slice(None), *tissue.T)] + grid.affine[:3, 3:]
    after = grid.affine[:3, :3] @ tissue.T + grid.affine[:3, 3:]
    linear, *_ = np.linalg.lstsq(np.vstack([before, np.ones(len(tissue))]).T, after.T, rcond=None)
    to_head = np.vstack([linear.T, [0, 0, 0, 1]])
    bent = Head(
        name=f"made-up {seed + 1}",
        image=Grid(values=values.astype(np.float32), affine=grid.affine),
        to_head=to_head,
    )
    return bent.moved(np.diag([*sizes, 1.0]))


def read_non_heads(shared: Path, scratch: Path) -> Iterator[Head]:
    """Yield what is no head: real phantoms and fruit, and made-up shapes."""
    for name, folder in (
        ("fruit", "ge-hd16-t1-already-deidentified"),
        ("phantom", "siemens-ve11-pdt2-tse"),
    ):
        path = converted(shared / folder, scratch)
        if path is not None:
            yield Head(name=name, image=_read(path), to_head=None)
    rng = np.random.default_rng(0)
    for name, values in (
        ("egg", _ellipsoid((0.35, 0.4, 0.38))),
        ("knee-like", _knee()),
        ("cube", np.pad(np.ones((50, 50, 50)), 30)),
        ("lumps", ndimage.gaussian_filter(rng.normal(size=(110, 110, 110)), 6)),
        ("noise", rng.random((96, 96, 96))),
    ):
        grid = Grid(values=values.astype(np.float32), affine=np.diag([2.0, 2.0, 2.0, 1.0]))
        yield Head(name=name, image=brightness(grid), to_head=None)


def unchanged(head: Head, rng: np.random.Generator) -> Head:  # noqa: ARG001 (a change)
    """Leave the head as it is."""
    return head


def oblique(head: Head, rng: np.random.Generator) -> Head:
    """Turn the field of view with the head by up to 30 degrees about each axis."""
    return head.moved(_turn(head, rng, degrees=30, shift_mm=40))


def turned(head: Head, rng: np.random.Generator) -> Head:
    """Turn the head by up to 30 degrees about each axis within its field of view."""
    moved = _turn(head, rng, degrees=30, shift_mm=15)
    grid = head.image
    values = sample_like(
        grid, grid.values.shape, grid.affine, to_grid=np.linalg.inv(moved), outside=0.0
    )
    image = Grid(values=values, affine=grid.affine)
    return Head(name=head.name, image=image, to_head=moved @ head.place)


def noisy(head: Head, rng: np.random.Generator) -> Head:
    """Add Rician noise of a tenth of the brightest tissue."""
    real = head.image.values + rng.normal(0, 0.1, head.image.values.shape)
    imaginary = rng.normal(0, 0.1, head.image.values.shape)
    return _tilted(head.shown_as(np.clip(np.hypot(real, imaginary), 0, 1)), rng)


def shaded(head: Head, rng: np.random.Generator) -> Head:
    """Shade the head by up to e to 1 from edge to edge, as a surface coil does."""
    axes = np.meshgrid(*(np.linspace(-1, 1, n) for n in head.image.values.shape), indexing="ij")
    slope = sum(k * axis for k, axis in zip(rng.uniform(-1, 1, 3), axes, strict=True))
    return _tilted(head.shown_as(head.image.values * np.exp(slope)), rng)


def inverted(head: Head, rng: np.random.Generator) -> Head:
    """Make dark tissue bright and bright tissue dark."""
    values = head.image.values
    return _tilted(
        head.shown_as(np.where(values > _AIR, np.clip(1.05 - values, 0.05, 1), values)), rng
    )


def like_t2w(head: Head, rng: np.random.Generator) -> Head:
    """Give tissue the order of brightness of a T2w image: fluid, grey, fat, white, muscle."""
    return _tilted(
        _remapped(head, (0, 0.08, 0.25, 0.45, 0.6, 0.8, 1), (0, 0.15, 1, 0.65, 0.45, 0.35, 0.6)),
        rng,
    )


def like_flair(head: Head, rng: np.random.Generator) -> Head:
    """Give tissue the order of brightness of a FLAIR image: fluid dark, fat suppressed."""
    return _tilted(
        _remapped(head, (0, 0.08, 0.25, 0.45, 0.6, 0.8, 1), (0, 0.1, 0.15, 0.9, 0.75, 0.6, 0.25)),
        rng,
    )


def thick(axis: int) -> Change:
    """Return the change to slices of 5 mm across an axis."""

    def change(head: Head, rng: np.random.Generator) -> Head:
        factor = max(1, round(_THICK_MM / head.image.voxel_sizes_mm[axis]))
        count = head.image.values.shape[axis] // factor
        whole = head.cropped(axis, 0, count * factor)
        shape = list(whole.image.values.shape)
        shape[axis : axis + 1] = [count, factor]
        step = np.eye(4)
        step[axis, axis], step[axis, 3] = factor, (factor - 1) / 2
        values = whole.image.values.reshape(shape).mean(axis + 1, dtype=np.float32)
        image = Grid(values=values, affine=whole.image.affine @ step)
        return _tilted(replace(whole, image=image), rng)

    return change


def without_neck(head: Head, rng: np.random.Generator) -> Head:
    """Lose the lowest quarter of the field of view."""
    height = head.image.values.shape[2]
    return _tilted(head.cropped(2, height // 4, height), rng)


def without_crown(head: Head, rng: np.random.Generator) -> Head:
    """Lose the highest quarter of the field of view."""
    height = head.image.values.shape[2]
    return _tilted(head.cropped(2, 0, height - height // 4), rng)


def slab(height_mm: float) -> Change:
    """Return the change to a transverse slab through the middle of the field of view."""

    def change(head: Head, rng: np.random.Generator) -> Head:
        half = int(height_mm / 2 / head.image.voxel_sizes_mm[2])
        middle = head.image.values.shape[2] // 2
        return _tilted(head.cropped(2, max(0, middle - half), middle + half), rng)

    return change


def orientation_lost(head: Head, rng: np.random.Generator) -> Head:
    """Put the axes in another order and direction, without a word in the header."""
    turn = axis_turns()[rng.integers(1, len(axis_turns()))]
    moved = _about_centre(head, turn)
    values = head.image.values
    order = [int(np.argmax(np.abs(turn[row]))) for row in range(3)]
    values = np.transpose(values, order)
    for row, axis in enumerate(order):
        if turn[row, axis] < 0:
            values = np.flip(values, row)
    sizes = head.image.voxel_sizes_mm[order]
    affine = np.diag([*sizes, 1.0])
    affine[:3, 3] = head.image.centre_mm - affine[:3, :3] @ ((np.array(values.shape) - 1) / 2)
    image = Grid(values=np.ascontiguousarray(values), affine=affine)
    return Head(name=head.name, image=image, to_head=moved @ head.place)


def child(scale: float) -> Change:
    """Return the change to a smaller head whose face is smaller still (a child's)."""

    def change(head: Head, rng: np.random.Generator) -> Head:
        smaller = np.diag([scale, scale, scale * 0.97, 1.0])
        return _tilted(head.moved(smaller), rng)

    return change


def skull_stripped(head: Head, rng: np.random.Generator) -> Head:
    """Leave nothing but the brain."""
    template = face_template()
    mask = Grid(values=template.brain.astype(np.float32), affine=template.head.affine)
    inside = sample_like(
        mask,
        head.image.values.shape,
        head.image.affine,
        to_grid=np.linalg.inv(head.place),
        outside=0.0,
    )
    brain = head.shown_as(np.where(inside > 0.5, head.image.values, 0))  # noqa: PLR2004
    return _tilted(replace(brain, has_face=False), rng)


CHANGES: dict[str, Change] = {
    "unchanged": unchanged,
    "oblique by 30°": oblique,
    "turned by 30°": turned,
    "noise": noisy,
    "shading": shaded,
    "contrast inverted": inverted,
    "T2w-like": like_t2w,
    "FLAIR-like": like_flair,
    "5 mm transverse slices": thick(2),
    "5 mm sagittal slices": thick(0),
    "neck cropped": without_neck,
    "crown cropped": without_crown,
    "slab of 120 mm": slab(120),
    "slab of 60 mm": slab(60),
    "orientation lost": orientation_lost,
    "child, 0.90": child(0.9),
    "child, 0.82": child(0.82),
    "child, 0.75": child(0.75),
    "skull-stripped": skull_stripped,
}


def _tilted(head: Head, rng: np.random.Generator) -> Head:
    return head.moved(_turn(head, rng, degrees=15, shift_mm=20))


def _turn(head: Head, rng: np.random.Generator, *, degrees: float, shift_mm: float) -> Matrix:
    matrix = _about_centre(head, rotation(np.radians(rng.uniform(-degrees, degrees, 3))))
    matrix[:3, 3] += rng.uniform(-shift_mm, shift_mm, 3)
    return matrix


def _about_centre(head: Head, turn: Matrix) -> Matrix:
    matrix = np.eye(4)
    matrix[:3, :3] = turn
    matrix[:3, 3] = head.image.centre_mm - turn @ head.image.centre_mm
    return matrix


def _remapped(head: Head, before: tuple[float, ...], after: tuple[float, ...]) -> Head:
    return head.shown_as(np.interp(head.image.values, before, after))


def _read(path: Path) -> Grid:
    """Read an image, upright, no finer than a millimetre."""
    grid = brightness(mean_volume(read_header(path)))
    if min(grid.voxel_sizes_mm) < _FINEST_MM * 0.9:
        grid = resample_isotropic(grid, _FINEST_MM)
    return _upright(grid)


def _upright(grid: Grid) -> Grid:
    """Put the axes in the order and direction right, front, top (RAS+)."""
    axes = grid.affine[:3, :3] / grid.voxel_sizes_mm
    order = max(
        itertools.permutations(range(3)),
        key=lambda order: sum(abs(axes[world, axis]) for world, axis in enumerate(order)),
    )
    step = np.zeros((4, 4))
    step[3, 3] = 1
    values = np.transpose(grid.values, order)
    for world, axis in enumerate(order):
        backwards = axes[world, axis] < 0
        step[axis, world] = -1 if backwards else 1
        if backwards:
            step[axis, 3] = values.shape[world] - 1
            values = np.flip(values, world)
    return Grid(values=np.ascontiguousarray(values), affine=grid.affine @ step)


def converted(folder: Path, scratch: Path) -> Path | None:
    """Convert the first series of a set that is one volume; None where the set is not here."""
    if not folder.exists():
        return None
    into = scratch / folder.name
    into.mkdir()
    subprocess.run(
        [
            Path(sys.executable).with_name("dcm2niix"),
            "-z",
            "n",
            "-b",
            "n",
            "-f",
            "%s",
            "-o",
            into,
            folder,
        ],
        check=True,
        capture_output=True,
    )
    volumes = [p for p in sorted(into.glob("*.nii")) if read_header(p).volume_count == 1]
    return volumes[0]


def _ellipsoid(radii: tuple[float, float, float]) -> Volume:
    axes = np.ogrid[-1:1:100j, -1:1:100j, -1:1:100j]
    inside = sum((axis / radius) ** 2 for axis, radius in zip(axes, radii, strict=True)) < 1
    return np.asarray(inside, dtype=np.float32)


def _knee() -> Volume:
    """Make two bones in a cylinder of muscle and fat, with a gap of fluid and a cap before them."""
    x, y, z = np.ogrid[-1:1:90j, -1:1:90j, -1:1:110j]
    knee = np.zeros((90, 90, 110), dtype=np.float32)
    for radius, value in ((0.7, 1.0), (0.6, 0.4), (0.32, 0.1), (0.28, 0.8)):
        knee[np.broadcast_to(np.hypot(x, y) < radius, knee.shape)] = value
    knee[(np.abs(z) < _GAP) & (np.hypot(x, y) < _BONE)] = 0.2
    knee[(x / 0.15) ** 2 + ((y - 0.45) / 0.1) ** 2 + (z / 0.2) ** 2 < 1] = 0.7
    return knee
