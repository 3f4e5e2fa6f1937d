"""Where the pixels of an image lie in the scanner: a plane for each frame or tile of a mosaic.

From the headers alone (PS3.3 C.7.6.2 Image Plane, C.7.6.16.2 the functional groups of enhanced
images), and for Siemens mosaics from the CSA header. World coordinates are NIfTI's: millimetres,
RAS+; DICOM's are LPS+.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset

from bidsanon.dicom.csa import CsaError, CsaHeader, parse_csa
from bidsanon.dicom.quiet import quiet_pydicom

_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_CSA_GROUP, _CSA_CREATOR, _CSA_IMAGE = 0x0029, "SIEMENS CSA HEADER", 0x10
_MOSAIC = "MOSAIC"
_VECTOR = 3
_MALFORMED = (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError)
"""What pydicom and arithmetic raise where a header does not hold what it should."""

Matrix = NDArray[np.float64]


class NoPlanesError(Exception):
    """A header does not say where the pixels lie; the text says why, in words."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Plane:
    """A part of a frame whose pixels lie in one plane.

    Attributes
    ----------
    frame
        Which frame, counted from 0.
    first_row, first_column
        Where the part begins: 0 and 0 but in a mosaic.
    rows, columns
        How large it is.
    affine
        (column, row, 0, 1), both counted from the part's first, to world millimetres: (4, 4).
    slope, intercept
        Value = stored * slope + intercept.
    """

    frame: int
    first_row: int
    first_column: int
    rows: int
    columns: int
    affine: Matrix
    slope: float
    intercept: float

    @property
    def part(self) -> tuple[slice, slice]:
        """The part's rows and columns in its frame."""
        return (
            slice(self.first_row, self.first_row + self.rows),
            slice(self.first_column, self.first_column + self.columns),
        )


def planes_of(path: Path) -> tuple[Plane, ...]:
    """Read where the pixels of an image lie.

    Parameters
    ----------
    path
        A DICOM file with pixel data.

    Raises
    ------
    NoPlanesError
        If its header does not say.
    """
    with quiet_pydicom():
        try:
            header = dcmread(path, stop_before_pixels=True, force=True)
            if int(header.get("SamplesPerPixel", 1)) != 1:
                raise NoPlanesError("its pixels have colours")
            if _MOSAIC in header.get("ImageType", ()):
                return tuple(_tiles(header))
            if "PerFrameFunctionalGroupsSequence" in header:
                return tuple(_frames(header))
            if int(header.get("NumberOfFrames") or 1) == 1:
                return (_plane(header, 0, (header, header, header), header),)
        except _MALFORMED as error:
            raise NoPlanesError("its header does not say where its slices lie") from error
    raise NoPlanesError("its header does not say where each of its frames lies")


def _frames(header: Dataset) -> Iterator[Plane]:
    shared = header.SharedFunctionalGroupsSequence[0]
    groups = header.PerFrameFunctionalGroupsSequence
    if len(groups) != int(header.NumberOfFrames):
        raise NoPlanesError("it has another number of frames than its header describes")
    for number, group in enumerate(groups):

        def macro(keyword: str, own: Dataset = group) -> Dataset | None:
            sequence = own.get(keyword) or shared.get(keyword)
            return sequence[0] if sequence else None

        place = macro("PlanePositionSequence")
        orientation = macro("PlaneOrientationSequence")
        measures = macro("PixelMeasuresSequence")
        if place is None or orientation is None or measures is None:
            raise NoPlanesError("its header does not say where each of its frames lies")
        values = macro("PixelValueTransformationSequence") or header
        yield _plane(header, number, (place, orientation, measures), values)


def _plane(
    header: Dataset, frame: int, said_by: tuple[Dataset, Dataset, Dataset], values: Dataset
) -> Plane:
    place, orientation, measures = said_by
    slope, intercept = _scaling(values)
    return Plane(
        frame=frame,
        first_row=0,
        first_column=0,
        rows=int(header.Rows),
        columns=int(header.Columns),
        affine=_LPS_TO_RAS
        @ _affine(
            _numbers(place.ImagePositionPatient, _VECTOR),
            _numbers(orientation.ImageOrientationPatient, 2 * _VECTOR),
            _numbers(measures.PixelSpacing, 2),
        ),
        slope=slope,
        intercept=intercept,
    )


def _tiles(header: Dataset) -> Iterator[Plane]:
    """Yield the slices of a Siemens mosaic, whose position is that of one image of its size."""
    csa = _csa_of(header)
    count = int(_csa_values(csa, "NumberOfImagesInMosaic")[0])
    normal = np.array([float(text) for text in _csa_values(csa, "SliceNormalVector")[:_VECTOR]])
    side = math.ceil(math.sqrt(count))
    rows, columns = int(header.Rows) // side, int(header.Columns) // side
    slope, intercept = _scaling(header)
    first = _affine(
        _numbers(header.ImagePositionPatient, _VECTOR),
        _numbers(header.ImageOrientationPatient, 2 * _VECTOR),
        _numbers(header.PixelSpacing, 2),
    )
    first[:3, 3] += first[:3, 0] * (int(header.Columns) - columns) / 2
    first[:3, 3] += first[:3, 1] * (int(header.Rows) - rows) / 2
    step = normal * float(header.SpacingBetweenSlices)
    for number in range(count):
        affine = first.copy()
        affine[:3, 3] += step * number
        yield Plane(
            frame=0,
            first_row=number // side * rows,
            first_column=number % side * columns,
            rows=rows,
            columns=columns,
            affine=_LPS_TO_RAS @ affine,
            slope=slope,
            intercept=intercept,
        )


def _csa_of(header: Dataset) -> CsaHeader:
    try:
        block = header.private_block(_CSA_GROUP, _CSA_CREATOR)
        return parse_csa(bytes(block[_CSA_IMAGE].value))
    except (KeyError, CsaError) as error:
        raise NoPlanesError("it is a mosaic without a CSA header that says of what") from error


def _csa_values(csa: CsaHeader, name: str) -> tuple[str, ...]:
    tag = csa.tag(name)
    if tag is None or not tag.values:
        raise NoPlanesError("it is a mosaic whose CSA header does not say of what")
    return tag.values


def _affine(position: Matrix, orientation: Matrix, spacing: Matrix) -> Matrix:
    """Return (column, row, 0) to LPS+ millimetres (PS3.3 equation C.7.6.2.1-1)."""
    along_row, down_column = orientation[:3], orientation[3:]
    affine = np.eye(4)
    affine[:3, 0] = along_row * spacing[1]
    affine[:3, 1] = down_column * spacing[0]
    affine[:3, 2] = np.cross(along_row, down_column)
    affine[:3, 3] = position
    return affine


def _scaling(values: Dataset) -> tuple[float, float]:
    slope = float(values.get("RescaleSlope", 1) or 1)
    return slope, float(values.get("RescaleIntercept", 0) or 0)


def _numbers(value: Any, count: int) -> Matrix:
    numbers = np.array([float(part) for part in value])
    if numbers.shape != (count,) or not np.isfinite(numbers).all():
        raise NoPlanesError("its header does not say where its slices lie")
    return numbers
