"""Ordinary series of a Siemens VE11 scanner, as small as dcm2niix and heudiconv take them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from scipy import ndimage

from bidsanon.demo import session as demo
from bidsanon.demo.head import sample_t1w
from bidsanon.demo.person import MARA, Person
from bidsanon.demo.scan import Diffusion, Scan
from bidsanon.demo.siemens import mosaic_image, slice_image
from sessions.writing import write_series

_GRADIENTS = (
    Diffusion(b_value=0),
    Diffusion(b_value=1000, direction=(0.6, 0.8, 0.0)),
    Diffusion(b_value=1000, direction=(0.0, 0.6, 0.8)),
)


def siemens_t1w(
    folder: Path, *, person: Person = MARA, slices: int = 4, number: int = 2
) -> list[Path]:
    """A T1w of a few tiny sagittal slices: no head, no face."""
    return write_series(folder, t1w_slices(person, slices=slices, number=number))


def t1w_with_face(folder: Path, *, person: Person = MARA, spacing_mm: float = 2.5) -> list[Path]:
    """A T1w of a whole head with a face, at coarse voxels."""
    scan = _coarse(spacing_mm)
    return write_series(folder, _slices(person, scan, sample_t1w(scan.grid)))


def t1w_of_lumps(folder: Path, *, person: Person = MARA, spacing_mm: float = 7.5) -> list[Path]:
    """A T1w of lumps: no head, and too uneven for a proof that it shows no face."""
    scan = _coarse(spacing_mm)
    noise = np.random.default_rng(7).normal(size=scan.grid.shape)
    lumps = ndimage.gaussian_filter(noise, 2.0)
    return write_series(folder, _slices(person, scan, 900.0 * (lumps > 0.02)))


def _coarse(spacing_mm: float) -> Scan:
    """Return the T1w's scan on a grid of cubes that holds a whole head."""
    side = round(240 / spacing_mm)
    shape = (round(180 / spacing_mm), side, side)
    grid = replace(demo.T1W.grid, shape=shape, spacing_mm=(spacing_mm, spacing_mm, spacing_mm))
    return replace(demo.T1W, grid=grid)


def bold_mosaic(
    folder: Path,
    *,
    person: Person = MARA,
    volumes: int = 3,
    number: int = 5,
    protocol: str = "ep2d_bold_rest",
) -> list[Path]:
    """A bold series of mosaics, with slice times and phase encoding in the CSA header."""
    scan = small(demo.BOLD, shape=(6, 12, 12), number=number, protocol=protocol)
    return write_series(
        folder,
        (mosaic_image(person, scan, blob(scan), volume_index=index) for index in range(volumes)),
    )


def dwi_mosaic(folder: Path, *, person: Person = MARA, number: int = 6) -> list[Path]:
    """A diffusion series of mosaics: b=0 and two directions at b=1000, in the CSA header."""
    scan = small(demo.DIFFUSION, shape=(6, 12, 12), number=number)
    return write_series(
        folder,
        (
            mosaic_image(person, scan, blob(scan), volume_index=index, diffusion=gradient)
            for index, gradient in enumerate(_GRADIENTS)
        ),
    )


def field_map(folder: Path, *, person: Person = MARA) -> list[Path]:
    """A gradient-echo field map: magnitudes of two echoes, and the phase difference."""
    first = small(demo.FIELD_MAP, shape=(4, 12, 12))
    second = replace(first, echo_number=2, echo_ms=7.38)
    phase = small(demo.PHASE_DIFFERENCE, shape=(4, 12, 12))
    magnitudes = [
        *_slices(person, first, blob(first)),
        *_slices(person, second, blob(second), first_number=5),
    ]
    return [
        *write_series(folder / "magnitude", magnitudes),
        *write_series(folder / "phase", _slices(person, phase, 3 * blob(phase))),
    ]


def scout(folder: Path, *, person: Person = MARA) -> list[Path]:
    """A scout of one slice."""
    scan = small(demo.SCOUT, shape=(1, 16, 16))
    return write_series(folder, _slices(person, scan, blob(scan)))


def siemens_session(folder: Path, *, person: Person = MARA) -> list[Path]:
    """A whole session: scout, T1w without a face, field map, bold and diffusion."""
    return [
        *scout(folder / "1", person=person),
        *siemens_t1w(folder / "2", person=person),
        *field_map(folder / "3", person=person),
        *bold_mosaic(folder / "5", person=person),
        *dwi_mosaic(folder / "6", person=person),
    ]


def t1w_slices(
    person: Person = MARA, *, slices: int = 4, number: int = 2, protocol: str | None = None
) -> list[Dataset]:
    """Make the data sets of a tiny T1w, for a builder that changes something about them."""
    scan = small(
        demo.T1W, shape=(slices, 16, 16), number=number, protocol=protocol or demo.T1W.protocol
    )
    return list(_slices(person, scan, blob(scan)))


def small(scan: Scan, *, shape: tuple[int, int, int], **changes: object) -> Scan:
    """Return a scan on a tiny grid."""
    return replace(scan, grid=replace(scan.grid, shape=shape), **changes)  # type: ignore[arg-type]


def blob(scan: Scan) -> NDArray[np.floating]:
    """Return a bright ellipsoid: enough of a picture to tell up from down."""
    axes = np.meshgrid(*(np.linspace(-1, 1, max(size, 2))[:size] for size in scan.grid.shape))
    slices, rows, columns = (axis.swapaxes(0, 1) for axis in axes)
    inside = (0.5 * slices) ** 2 + (rows + 0.2) ** 2 + (1.3 * columns) ** 2
    return 900.0 * np.exp(-2 * inside)


def _slices(
    person: Person, scan: Scan, volume: NDArray[np.floating], *, first_number: int = 1
) -> Iterator[Dataset]:
    for index, picture in enumerate(volume):
        yield slice_image(
            person, scan, picture, slice_index=index, instance_number=first_number + index
        )
