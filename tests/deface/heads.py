"""Heads for the tests: the mean head of pydeface's template, posed otherwise, and what is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np

from bidsanon.deface.engines import Attempt
from bidsanon.deface.grid import Grid, Matrix, Volume, pose_matrix, sample_like
from bidsanon.deface.registration import Registration
from bidsanon.deface.template import face_template, template_centre_mm

WriteHead = Callable[..., Path]
UNTURNED = np.eye(3)
_BRIGHTEST = 1000


@dataclass(frozen=True)
class KnowingEngine:
    """An engine that is told where the template lies: saves the seconds of finding it."""

    to_head: Matrix
    name: str = "knowing"
    version: str = "knowing 1"

    def attempts(self, reference: Grid, head: Grid) -> Iterator[Attempt]:
        del reference
        yield Attempt(registration=registration(self.to_head), head=head)


def registration(to_head: Matrix) -> Registration:
    """Make a registration from one start."""
    return Registration(to_head=to_head, similarity=1.0, starts_apart_mm=None, lead=None)


def pose(
    *,
    shift_mm: Sequence[float] = (0, 0, 0),
    turn_deg: Sequence[float] = (0, 0, 0),
    scale: float = 1,
) -> Matrix:
    """Return where a head lies: from the template's world to its own."""
    numbers = np.array([*shift_mm, *np.radians(turn_deg), *[np.log(scale)] * 3, 0, 0, 0])
    return pose_matrix(numbers, centre_mm=template_centre_mm(), turn=UNTURNED)


def posed_head(
    to_head: Matrix, *, size_mm: float = 4.0, shape: tuple[int, int, int] = (52, 64, 66)
) -> Grid:
    """Sample the mean head where `to_head` puts it, on voxels along the scanner's axes."""
    affine = np.diag([size_mm, size_mm, size_mm, 1.0])
    middle = (np.array(shape) - 1) * size_mm / 2
    affine[:3, 3] = (to_head @ [*template_centre_mm(), 1])[:3] - middle
    values = sample_like(
        face_template().head, shape, affine, to_grid=np.linalg.inv(to_head), outside=0.0
    )
    return Grid(values=values, affine=affine)


def write_image(path: Path, values: Volume, affine: Matrix) -> Path:
    """Write brightness as whole numbers."""
    path.parent.mkdir(parents=True, exist_ok=True)
    stored = np.round(values * _BRIGHTEST).astype(np.int16)
    nibabel.Nifti1Image(stored, affine).to_filename(path)
    return path


def stored_values(path: Path) -> np.ndarray:
    """Read an image's stored numbers."""
    return np.asarray(nibabel.load(path).dataobj)


def ball() -> Grid:
    """Make a phantom: an egg filled with one fluid, on voxels of 4 mm."""
    x, y, z = np.ogrid[-30:31, -30:31, -30:31]
    inside = (x / 20) ** 2 + (y / 24) ** 2 + (z / 22) ** 2 < 1
    return Grid(values=inside.astype(np.float32), affine=np.diag([4.0, 4.0, 4.0, 1.0]))
