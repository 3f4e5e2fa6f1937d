"""Where the slices of a made-up scan lie in the scanner."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0])


@dataclass(frozen=True, kw_only=True)
class Grid:
    """A stack of parallel slices in DICOM's patient coordinates (LPS+, mm).

    Attributes
    ----------
    shape
        Slices, rows, columns.
    spacing_mm
        Between slices, between rows, between columns.
    row_direction, column_direction
        The unit vectors of ImageOrientationPatient: along a row, and down a column.
    centre_mm
        The middle of the stack.
    """

    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    row_direction: tuple[float, float, float]
    column_direction: tuple[float, float, float]
    centre_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @property
    def normal(self) -> NDArray[np.float64]:
        """The unit vector from one slice to the next."""
        normal: NDArray[np.float64] = np.cross(self.row_direction, self.column_direction)
        return normal

    @property
    def steps_mm(self) -> NDArray[np.float64]:
        """Columns: the step from slice to slice, from row to row, from column to column."""
        directions = np.array([self.normal, self.column_direction, self.row_direction]).T
        steps: NDArray[np.float64] = directions * np.array(self.spacing_mm)
        return steps

    def position(self, slice_index: float, row: float = 0.0, column: float = 0.0) -> list[float]:
        """Return the centre of a voxel: of a slice's first one, its ImagePositionPatient."""
        middle = (np.array(self.shape) - 1) / 2
        offset = np.array([slice_index, row, column]) - middle
        place = np.array(self.centre_mm) + self.steps_mm @ offset
        return [round(float(value), 6) for value in place]

    def affine_ras(self) -> NDArray[np.float64]:
        """Return the 4 x 4 affine from (slice, row, column) to RAS+ mm."""
        affine = np.eye(4)
        affine[:3, :3] = _LPS_TO_RAS @ self.steps_mm
        affine[:3, 3] = _LPS_TO_RAS @ np.array(self.position(0))
        return affine


def sagittal(
    *,
    shape: tuple[int, int, int],
    spacing_mm: tuple[float, float, float],
    centre_mm: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> Grid:
    """Lay sagittal slices from right to left, with rows from front to back."""
    return Grid(
        shape=shape,
        spacing_mm=spacing_mm,
        row_direction=(0.0, 1.0, 0.0),
        column_direction=(0.0, 0.0, -1.0),
        centre_mm=centre_mm,
    )


def coronal(
    *,
    shape: tuple[int, int, int],
    spacing_mm: tuple[float, float, float],
    centre_mm: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> Grid:
    """Lay coronal slices from front to back, with rows from right to left."""
    return Grid(
        shape=shape,
        spacing_mm=spacing_mm,
        row_direction=(1.0, 0.0, 0.0),
        column_direction=(0.0, 0.0, -1.0),
        centre_mm=centre_mm,
    )


def transverse(
    *,
    shape: tuple[int, int, int],
    spacing_mm: tuple[float, float, float],
    tilt_degrees: float = 0.0,
    centre_mm: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> Grid:
    """Lay transverse slices from the feet up, tilted towards coronal by some degrees."""
    tilt = np.deg2rad(tilt_degrees)
    return Grid(
        shape=shape,
        spacing_mm=spacing_mm,
        row_direction=(1.0, 0.0, 0.0),
        column_direction=(0.0, round(float(np.cos(tilt)), 8), round(float(np.sin(tilt)), 8)),
        centre_mm=centre_mm,
    )
