"""Real Siemens images that ship inside installed packages, given to a made-up person."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from pydicom import Dataset, dcmread

from bidsanon.demo.person import MARA, Person, person_attributes

_MOSAIC = ("heudiconv", "tests", "data", "axasc35.dcm")


def real_csa(folder: Path, *, person: Person = MARA) -> list[Path]:
    """One real bold mosaic (VB17, 35 slices) with the scanner's whole CSA headers."""
    package, *parts = _MOSAIC
    dataset = dcmread(str(files(package).joinpath(*parts)))
    _give_to(dataset, person)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "IM0001"
    dataset.save_as(path, enforce_file_format=True)
    return [path]


def _give_to(dataset: Dataset, person: Person) -> None:
    dataset.update(person_attributes(person))
    dataset.SoftwareVersions = "syngo MR B17"
    for keyword in ("SeriesDate", "AcquisitionDate", "ContentDate", "InstanceCreationDate"):
        setattr(dataset, keyword, person.study_date)
    dataset.SOPInstanceUID = person.uid("real", 1)
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.SeriesInstanceUID = person.uid("real")
    dataset.FrameOfReferenceUID = person.uid("frame")
