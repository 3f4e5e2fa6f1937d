"""What is looked at for a face in de-identified DICOM: the images that dcm2niix makes of it.

Each gets a name by which the defacing stage knows what kind of image it is, and words by which
people know it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pydicom import dcmread

from bidsanon.bids.sidecars import SidecarError, read_json_file
from bidsanon.convert.fidelity import Converted
from bidsanon.convert.images import convert_acquisitions
from bidsanon.convert.job import Acquisition
from bidsanon.convert.plan import series_place
from bidsanon.deface.kinds import kind_of
from bidsanon.deface.voxels import UnreadableImageError, read_header
from bidsanon.files import make_private_folder
from bidsanon.pipeline.deidentify_request import SHOWING_FACES
from bidsanon.progress import Progress
from bidsanon.session import ConvertedImage, DeidentifiedSeries, DeidentifiedSession

_LINKED = (".nii", ".json", ".bval")


@dataclass(frozen=True, kw_only=True)
class ScanImage:
    """One image that dcm2niix made.

    Attributes
    ----------
    asked
        What the stage is asked about: a link to it, relative to the root of what is defaced.
    source
        The image.
    words
        What it is called in messages.
    """

    asked: ConvertedImage
    source: Path
    words: str

    @property
    def path(self) -> str:
        """Where the link is, relative to the root."""
        return self.asked.path


@dataclass(frozen=True, kw_only=True)
class Scan:
    """What was converted together.

    Attributes
    ----------
    person
        Which person's, counted from 0.
    series
        The indices of its series.
    folder, files
        A folder that holds its files and nothing else.
    words
        What it is called in messages.
    images
        What dcm2niix made of it.
    """

    person: int
    series: tuple[int, ...]
    folder: Path
    files: tuple[Path, ...]
    words: str
    images: tuple[ScanImage, ...]

    @cached_property
    def frame_of_reference(self) -> str:
        """What says that scans were made without the person having been taken out between.

        Empty where the files say different things, or nothing.
        """
        said = set()
        for file in self.files:
            header = dcmread(file, specific_tags=["FrameOfReferenceUID"], stop_before_pixels=True)
            said.add(str(header.get("FrameOfReferenceUID", "")))
        return said.pop() if len(said) == 1 else ""


def looked_at(person: DeidentifiedSession) -> Iterator[DeidentifiedSeries]:
    """Yield a person's series from which a head could be rendered."""
    for series in person.series:
        if series.files and series.source.modality in SHOWING_FACES:
            yield series


def make_scans(
    persons: tuple[DeidentifiedSession, ...],
    *,
    work: Path,
    root: Path,
    jobs: int,
    progress: Progress,
) -> tuple[Scan, ...]:
    """Convert the copies of all series from which a head could be rendered.

    Parameters
    ----------
    persons
        The copies.
    work
        A private folder to work in; the images stay in it.
    root
        A private folder for the links to them.
    jobs
        How many conversions may run at once.
    progress
        Told of each series.

    Raises
    ------
    MissingToolError, StorageError
        As :func:`bidsanon.convert.images.convert_acquisitions` does.
    """
    scans = []
    for number, person in enumerate(persons):
        made = convert_acquisitions(
            looked_at(person),
            work=make_private_folder(work / f"person-{number:04d}"),
            jobs=jobs,
            progress=progress,
        )
        scans += [_scan(*one, person=number, root=root) for one in made]
    return tuple(scans)


def _scan(acquisition: Acquisition, converted: Converted, *, person: int, root: Path) -> Scan:
    words = series_place(acquisition)
    sources = [converted.folder / f"{name}.nii" for name in converted.names()]
    images = tuple(
        ScanImage(
            asked=_link(root, source, person=person, series=acquisition.series[0], number=number),
            source=source,
            words=words if len(sources) == 1 else f"{words}, image {number} of {len(sources)}",
        )
        for number, source in enumerate(sources, start=1)
    )
    return Scan(
        person=person,
        series=acquisition.series,
        folder=acquisition.folder,
        files=acquisition.files,
        words=words,
        images=images,
    )


def _link(root: Path, source: Path, *, person: int, series: int, number: int) -> ConvertedImage:
    """Link an image and what came with it to a name that says what it is.

    Images of one series are named as echoes of each other: those of one grid are registered
    together.
    """
    datatype, suffix = _kind(source)
    whose = f"sub-{person + 1}"
    stem = f"{whose}_run-{series}_echo-{number}_{suffix}"
    folder = make_private_folder(make_private_folder(root / whose) / datatype)
    for extension in _LINKED:
        beside = source.with_suffix(extension)
        if beside.is_file():
            (folder / f"{stem}{extension}").symlink_to(beside.absolute())
    return ConvertedImage(
        path=f"{whose}/{datatype}/{stem}.nii",
        series_index=series,
        datatype=datatype,
        suffix=suffix,
    )


def _kind(source: Path) -> tuple[str, str]:
    try:
        sidecar = read_json_file(source.with_suffix(".json"))
    except SidecarError:
        sidecar = {}
    gradients = source.with_suffix(".bval").is_file()
    try:
        kind = kind_of(read_header(source), sidecar, gradients=gradients)
    except UnreadableImageError:
        return "anat", "image"  # the stage says what is wrong with it
    return kind.datatype, kind.suffix
