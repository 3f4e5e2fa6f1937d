"""Series that a Siemens scanner makes besides the usual ones: small, and as dcm2niix takes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pydicom import Dataset

from bidsanon.demo import session as demo
from bidsanon.demo.person import MARA, Person
from bidsanon.demo.scan import Scan
from bidsanon.demo.siemens import mosaic_image, slice_image
from sessions.siemens import blob, small
from sessions.writing import write_series

_SHAPE = (6, 16, 16)
_MINUTE_S = 60.0


def special_contrasts(folder: Path, *, person: Person = MARA) -> list[Path]:
    """MP2RAGE, susceptibility, angiography, gradient echoes, dual echo and an in-plane image."""
    paths = []
    for scan, echoes_ms in _scans():
        placed = replace(scan, start_s=scan.number * _MINUTE_S)
        slices = _slices(person, placed, echoes_ms)
        paths += write_series(folder / f"{scan.number:02d}", slices)
    return paths


def diffusion_maps(folder: Path, *, person: Person = MARA) -> list[Path]:
    """Three maps that the scanner computed of diffusion, and one in colour."""
    paths = []
    for number, kind in enumerate(("ADC", "FA", "TRACEW", "COLFA"), start=40):
        scan = replace(
            small(demo.DIFFUSION, shape=(6, 12, 12), number=number, protocol=f"ep2d_diff_{kind}"),
            image_type=("DERIVED", "PRIMARY", "DIFFUSION", kind, "ND", "NORM"),
            sequence_name="*ep_b1000t" if kind == "TRACEW" else "*ep_b0_1000",
            start_s=number * _MINUTE_S,
        )
        paths += write_series(folder / f"{number}", _slices(person, scan, (scan.echo_ms,)))
    return paths


def labelled(folder: Path, *, person: Person = MARA) -> list[Path]:
    """Arterial spin labelling of a few volumes, and the image of its equilibrium."""
    asl = replace(
        small(demo.BOLD, shape=(6, 12, 12), number=21, protocol="ep2d_pasl"),
        start_s=21 * _MINUTE_S,
        sequence_file="ep2d_pasl",
        echo_ms=13,
    )
    calibration = replace(asl, number=20, protocol="ep2d_pasl_m0", start_s=20 * _MINUTE_S)
    return [
        *write_series(folder / "m0", _mosaics(person, calibration, volumes=1)),
        *write_series(folder / "asl", _mosaics(person, asl, volumes=7)),
    ]


def opposite_polarities(folder: Path, *, person: Person = MARA) -> list[Path]:
    """A spin-echo EPI encoded one way and the other, and a run that they correct."""
    run = small(demo.BOLD, shape=(6, 12, 12), number=32, protocol="ep2d_bold_rest")
    one = replace(
        run,
        number=30,
        protocol="SpinEchoFieldMap",
        sequence_name="*epse2d1_64",
        start_s=run.start_s - 2 * _MINUTE_S,
        echo_ms=66,
    )
    other = replace(one, number=31, phase_positive=False, start_s=one.start_s + 30)
    return [
        *write_series(folder / "one", _mosaics(person, one, volumes=2)),
        *write_series(folder / "other", _mosaics(person, other, volumes=2)),
        *write_series(folder / "run", _mosaics(person, run, volumes=4)),
    ]


def _scans() -> Iterator[tuple[Scan, tuple[float, ...]]]:
    """Give each scan with the times of its echoes."""
    inversion = small(demo.T1W, shape=_SHAPE, number=10, protocol="mp2rage_0p7_INV1")
    inversion = replace(inversion, image_type=("ORIGINAL", "PRIMARY", "M", "ND"), inversion_ms=840)
    yield inversion, (2.3,)
    yield replace(inversion, number=11, protocol="mp2rage_0p7_INV2", inversion_ms=2370), (2.3,)
    uniform = ("DERIVED", "PRIMARY", "M", "ND", "UNI")
    yield (
        replace(inversion, number=12, protocol="mp2rage_0p7_UNI_Images", image_type=uniform),
        (2.3,),
    )
    echo = replace(
        small(demo.FIELD_MAP, shape=_SHAPE, number=13, protocol="Mag_Images"),
        three_dimensional=True,
        sequence_name="*swi3d1r",
        sequence_file="gre",
    )
    yield echo, (20.0,)
    phase = replace(demo.PHASE_DIFFERENCE, grid=echo.grid, three_dimensional=True)
    phase = replace(
        phase, number=14, protocol="Pha_Images", sequence_name="*swi3d1r", echo_number=1
    )
    yield phase, (20.0,)
    weighted = ("ORIGINAL", "PRIMARY", "M", "ND", "SWI")
    yield replace(echo, number=15, protocol="SWI_Images", image_type=weighted), (20.0,)
    yield replace(echo, number=16, protocol="TOF_3D", sequence_name="*fi3d1r"), (3.4,)
    yield replace(echo, number=17, protocol="gre_t2s", sequence_name="*fl3d3"), (5.0, 12.0, 19.0)
    spin = replace(
        echo,
        three_dimensional=False,
        scanning_sequence=("SE",),
        sequence_name="*tse2d1_11",
        sequence_file="tse",
        repetition_ms=5000,
    )
    yield replace(spin, number=18, protocol="t2_tse_inplane"), (77.0,)
    yield replace(spin, number=19, protocol="pd+t2_tse", sequence_name="*tse2d2_5"), (11.0, 92.0)


def _slices(person: Person, scan: Scan, echoes_ms: tuple[float, ...]) -> Iterator[Dataset]:
    for number, time_ms in enumerate(echoes_ms, start=1):
        own = replace(scan, echo_number=number, echo_ms=time_ms)
        volume = blob(own) / number
        for place, picture in enumerate(volume):
            instance = (number - 1) * len(volume) + place + 1
            yield slice_image(person, own, picture, slice_index=place, instance_number=instance)


def _mosaics(person: Person, scan: Scan, *, volumes: int) -> Iterator[Dataset]:
    for index in range(volumes):
        yield mosaic_image(person, scan, blob(scan), volume_index=index)
