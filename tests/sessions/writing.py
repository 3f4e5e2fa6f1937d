"""Writes the instances of a series into a folder."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pydicom import Dataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from bidsanon.demo.siemens import write_image


def write_series(
    folder: Path,
    datasets: Iterable[Dataset],
    *,
    prefix: str = "IM",
    transfer_syntax: UID = ExplicitVRLittleEndian,
) -> list[Path]:
    """Write data sets as IM0001, IM0002, ... and return where."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, dataset in enumerate(datasets, start=1):
        path = folder / f"{prefix}{number:04d}"
        write_image(dataset, path, transfer_syntax=transfer_syntax)
        paths.append(path)
    return paths
