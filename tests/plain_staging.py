"""Stage DICOM as it is, as a de-identified session would lie there: for tests of later stages."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterable
from pathlib import Path

import pydicom
from pydicom.errors import InvalidDicomError

from bidsanon.session import (
    DeidentifiedSeries,
    DeidentifiedSession,
    Participant,
    SourceInstance,
    SourceSeries,
    SourceSession,
)

_STORAGE = "1.2.840.10008.5.1.4.1.1"
_IMAGES = tuple(f"{_STORAGE}.{kind}" for kind in ("4", "4.1", "128", "2"))  # MR, PET, CT


def stage_plainly(sources: Iterable[Path], folder: Path) -> DeidentifiedSession:
    """Copy the MR, PET and CT images of some folders, unchanged, into a folder for each series."""
    series: dict[str, list[tuple[pydicom.Dataset, Path]]] = {}
    for file in sorted(f for source in sources for f in source.rglob("*") if f.is_file()):
        header = _header(file)
        if header is not None and header.get("SOPClassUID") in _IMAGES and "Rows" in header:
            series.setdefault(str(header.SeriesInstanceUID), []).append((header, file))
    in_order = sorted(series.values(), key=lambda s: int(s[0][0].get("SeriesNumber") or 0))
    staged = tuple(_stage(n, files, folder) for n, files in enumerate(in_order, start=1))
    return DeidentifiedSession(
        source=SourceSession(
            roots=tuple(sources),
            given=(),
            person="",
            series=tuple(one.source for one in staged),
            quarantine=(),
            other_files=0,
        ),
        folder=folder,
        series=staged,
        identity=(),
        participant=Participant(),
        method="",
        method_codes=(),
        first_acquisition=None,
        changes={},
    )


def _header(file: Path) -> pydicom.Dataset | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return pydicom.dcmread(file, stop_before_pixels=True)
        except InvalidDicomError:
            return None


def _stage(
    index: int, files: list[tuple[pydicom.Dataset, Path]], folder: Path
) -> DeidentifiedSeries:
    files = sorted(files, key=lambda one: (int(one[0].get("InstanceNumber") or 0), one[1]))
    place = folder / f"{index:04d}"
    place.mkdir(parents=True)
    staged = []
    for number, (_, file) in enumerate(files, start=1):
        target = place / f"{number:06d}.dcm"
        shutil.copyfile(file, target)
        staged.append(target)
    first = files[0][0]
    return DeidentifiedSeries(
        source=SourceSeries(
            index=index,
            series_instance_uid=str(first.SeriesInstanceUID),
            series_number=int(first.get("SeriesNumber") or 0),
            modality=str(first.get("Modality", "")),
            description=str(first.get("SeriesDescription", "")),
            study_date=str(first.get("StudyDate", "")),
            start=str(first.get("SeriesTime", "")),
            instances=tuple(
                SourceInstance(
                    path=file,
                    sop_class_uid=str(header.SOPClassUID),
                    sop_instance_uid=str(header.SOPInstanceUID),
                    transfer_syntax_uid="",
                    instance_number=int(header.get("InstanceNumber") or 0),
                )
                for header, file in files
            ),
        ),
        folder=place,
        files=tuple(staged),
    )


def stage_volumes_as_series(bold: DeidentifiedSession, folder: Path) -> DeidentifiedSession:
    """Stage a bold series as XA scanners export it: each volume is a series of its own."""
    scattered = folder / "scattered"
    scattered.mkdir(parents=True)
    for number, file in enumerate(bold.series[0].files, start=1):
        header = pydicom.dcmread(file)
        header.SoftwareVersions = "syngo MR XA11"
        header.SeriesNumber = 16000 + number
        header.SeriesInstanceUID += f".{number}"
        header.save_as(scattered / f"{number}.dcm")
    return stage_plainly([scattered], folder / "staged")
