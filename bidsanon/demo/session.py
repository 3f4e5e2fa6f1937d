"""A made-up person's session, laid out in folders as a hospital exports it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from bidsanon.demo.documents import burned_in_capture, structured_report
from bidsanon.demo.geometry import Grid, coronal, sagittal, transverse
from bidsanon.demo.head import Volume, add_noise, sample_t1w, sample_t2w
from bidsanon.demo.person import MARA, Person, clock
from bidsanon.demo.scan import Diffusion, Scan
from bidsanon.demo.siemens import mosaic_image, slice_image, write_image

_HEAD_CENTRE = (0.0, 0.0, -1.0)
_BRAIN_CENTRE = (0.0, 12.0, 16.0)

SCOUT = Scan(
    number=1,
    protocol="AAHead_Scout",
    image_type=("ORIGINAL", "PRIMARY", "M", "ND", "NORM"),
    grid=sagittal(shape=(1, 128, 128), spacing_mm=(1.6, 2.0, 2.0), centre_mm=_HEAD_CENTRE),
    start_s=0.0,
    duration_s=14.0,
    repetition_ms=3.15,
    echo_ms=1.37,
    flip_degrees=8,
    scanning_sequence=("GR",),
    sequence_variant=("SP", "OSP"),
    sequence_name="*fl3d1_ns",
    sequence_file="AALScout",
    bandwidth_hz=540,
)
T1W = Scan(
    number=2,
    protocol="t1_mprage_sag_p2_iso",
    image_type=("ORIGINAL", "PRIMARY", "M", "ND", "NORM"),
    grid=sagittal(shape=(160, 208, 208), spacing_mm=(1.15, 1.2, 1.2), centre_mm=_HEAD_CENTRE),
    start_s=65.0,
    duration_s=312.0,
    repetition_ms=2300,
    echo_ms=2.98,
    inversion_ms=900,
    flip_degrees=9,
    scanning_sequence=("GR", "IR"),
    sequence_variant=("SK", "SP", "MP"),
    sequence_name="*tfl3d1_16ns",
    sequence_file="tfl",
    three_dimensional=True,
    bandwidth_hz=240,
    phase_along_rows=True,
    acceleration=2,
)
FIELD_MAP = Scan(
    number=3,
    protocol="gre_field_mapping",
    image_type=("ORIGINAL", "PRIMARY", "M", "ND"),
    grid=transverse(
        shape=(28, 64, 64), spacing_mm=(4.2, 3.5, 3.5), tilt_degrees=-8, centre_mm=_BRAIN_CENTRE
    ),
    start_s=402.0,
    duration_s=54.0,
    repetition_ms=488,
    echo_ms=4.92,
    flip_degrees=60,
    scanning_sequence=("GR",),
    sequence_variant=("SP",),
    sequence_name="*fm2d2r",
    sequence_file="gre_field_mapping",
)
PHASE_DIFFERENCE = replace(
    FIELD_MAP,
    number=4,
    image_type=("ORIGINAL", "PRIMARY", "P", "ND"),
    echo_ms=7.38,
    echo_number=2,
    rescale=(2.0, -4096.0),
)
BOLD = Scan(
    number=5,
    protocol="ep2d_bold_rest",
    image_type=("ORIGINAL", "PRIMARY", "M", "ND", "NORM", "MOSAIC"),
    grid=replace(FIELD_MAP.grid, shape=(28, 64, 64)),
    start_s=480.0,
    duration_s=14.0,
    repetition_ms=2000,
    echo_ms=30,
    flip_degrees=80,
    scanning_sequence=("EP",),
    sequence_variant=("SK",),
    sequence_name="*epfid2d1_64",
    sequence_file="ep2d_bold",
    bandwidth_hz=2442,
    echo_spacing_s=0.00051,
)
DIFFUSION = Scan(
    number=6,
    protocol="ep2d_diff_6dir",
    image_type=("ORIGINAL", "PRIMARY", "DIFFUSION", "NONE", "ND", "NORM", "MOSAIC"),
    grid=transverse(shape=(25, 80, 80), spacing_mm=(4.6, 2.8, 2.8), centre_mm=_BRAIN_CENTRE),
    start_s=515.0,
    duration_s=33.0,
    repetition_ms=4100,
    echo_ms=88,
    flip_degrees=90,
    scanning_sequence=("EP",),
    sequence_variant=("SK", "SP"),
    sequence_name="*ep_b",
    sequence_file="ep2d_diff",
    bandwidth_hz=1984,
    echo_spacing_s=0.00068,
    acceleration=2,
)
_BOLD_VOLUMES = 6
_SECOND_ECHO_MS = 7.38
_HALF = 0.70710678
_GRADIENTS = (
    Diffusion(b_value=0),
    Diffusion(b_value=1000, direction=(_HALF, _HALF, 0.0)),
    Diffusion(b_value=1000, direction=(_HALF, 0.0, _HALF)),
    Diffusion(b_value=1000, direction=(0.0, _HALF, _HALF)),
    Diffusion(b_value=1000, direction=(_HALF, -_HALF, 0.0)),
    Diffusion(b_value=1000, direction=(-_HALF, 0.0, _HALF)),
    Diffusion(b_value=1000, direction=(0.0, _HALF, -_HALF)),
)


@dataclass(frozen=True, kw_only=True)
class _SeriesFolder:
    name: str
    images: Iterator[Dataset]


def write_demo_session(folder: Path) -> None:
    """Write a made-up person's session as DICOM: the same bytes each time.

    A scout, a T1w of a head with a face, a field map, a resting-state bold series and a diffusion
    series, as a Siemens scanner writes them; a screenshot with the name in its pixels and a
    report. Folders and files bear the person's name, as a hospital's export does.

    Parameters
    ----------
    folder
        Where to; made if it is not there.
    """
    person = MARA
    export = folder / f"{person.family_name}_{person.given_name}_{person.birth_date}".upper()
    study = export / f"{person.study_description.replace('^', '_').replace(' ', '_')}".upper()
    for series in _session(person):
        place = study / series.name
        place.mkdir(parents=True, exist_ok=True)
        for image in series.images:
            write_image(image, place / _file_name(person, image), source_ae_title=person.station)


def _session(person: Person) -> Iterator[_SeriesFolder]:
    yield _SeriesFolder(name="AAHEAD_SCOUT_0001", images=_scout(person))
    yield _SeriesFolder(name="T1_MPRAGE_SAG_P2_ISO_0002", images=_t1w(person))
    yield _SeriesFolder(name="GRE_FIELD_MAPPING_0003", images=_magnitude(person))
    yield _SeriesFolder(name="GRE_FIELD_MAPPING_0004", images=_phase_difference(person))
    yield _SeriesFolder(name="EP2D_BOLD_REST_0005", images=_bold(person))
    yield _SeriesFolder(name="EP2D_DIFF_6DIR_0006", images=_diffusion(person))
    yield _SeriesFolder(name="SCREEN_SAVE_0090", images=iter([burned_in_capture(person)]))
    yield _SeriesFolder(name="FINDINGS_0091", images=iter([structured_report(person)]))


def _file_name(person: Person, image: Dataset) -> str:
    """Name a file as the scanner's export does, with the person's name and the moment in it."""
    moment = f"{person.study_date}{clock(person.study_time_s)[:6]}"
    who = f"{person.family_name}_{person.given_name}".upper()
    series, instance = int(image.SeriesNumber or 0), int(image.InstanceNumber or 0)
    return f"{who}.MR.{series:04d}.{instance:04d}.{moment}.IMA"


def _scout(person: Person) -> Iterator[Dataset]:
    planes = (sagittal, coronal, transverse)
    for number, plane in enumerate(planes, start=1):
        grid = plane(
            shape=SCOUT.grid.shape, spacing_mm=SCOUT.grid.spacing_mm, centre_mm=_HEAD_CENTRE
        )
        scan = replace(SCOUT, grid=grid)
        picture = add_noise(sample_t1w(grid), sigma=9, seed=number)[0]
        yield slice_image(person, scan, picture, slice_index=0, instance_number=number)


def _t1w(person: Person) -> Iterator[Dataset]:
    volume = add_noise(sample_t1w(T1W.grid), sigma=4, seed=T1W.number)
    yield from _slices(person, T1W, volume)


def _magnitude(person: Person) -> Iterator[Dataset]:
    head = sample_t1w(FIELD_MAP.grid)
    second = replace(FIELD_MAP, echo_number=2, echo_ms=_SECOND_ECHO_MS)
    yield from _slices(person, FIELD_MAP, add_noise(head, sigma=6, seed=31))
    yield from _slices(person, second, add_noise(0.85 * head, sigma=6, seed=32), first_number=29)


def _phase_difference(person: Person) -> Iterator[Dataset]:
    yield from _slices(person, PHASE_DIFFERENCE, _phase(PHASE_DIFFERENCE.grid))


def _bold(person: Person) -> Iterator[Dataset]:
    head = sample_t2w(BOLD.grid)
    for index in range(_BOLD_VOLUMES):
        volume = add_noise(head * (1 + 0.004 * index), sigma=12, seed=500 + index)
        yield mosaic_image(person, BOLD, volume, volume_index=index)


def _diffusion(person: Person) -> Iterator[Dataset]:
    head = sample_t2w(DIFFUSION.grid)
    for index, gradient in enumerate(_GRADIENTS):
        left = float(np.exp(-0.0008 * gradient.b_value))
        volume = add_noise(head * left, sigma=8, seed=600 + index)
        yield mosaic_image(person, DIFFUSION, volume, volume_index=index, diffusion=gradient)


def _slices(
    person: Person, scan: Scan, volume: Volume, *, first_number: int = 1
) -> Iterator[Dataset]:
    for index, picture in enumerate(volume):
        yield slice_image(
            person, scan, picture, slice_index=index, instance_number=first_number + index
        )


def _phase(grid: Grid) -> NDArray[np.floating]:
    """Return stored phase values, 0 to 4095 for -π to π: smooth in the head, noise around it."""
    slices, rows, columns = np.meshgrid(
        *(np.linspace(-1, 1, size) for size in grid.shape), indexing="ij"
    )
    smooth = 2048 + 620 * slices - 480 * rows**2 + 240 * columns
    random = np.random.default_rng(4)
    noise = random.integers(0, 4096, size=grid.shape)
    inside = sample_t1w(grid) > 60  # noqa: PLR2004 - what parts the head from the air
    return np.where(inside, smooth + random.normal(0, 20, size=grid.shape), noise)
