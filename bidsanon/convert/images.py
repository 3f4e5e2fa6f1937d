"""What dcm2niix makes of de-identified copies, without heudiconv: images named by their series.

The names are the series' number and its cleaned description, and what dcm2niix adds to tell echoes,
phases and the like apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pydicom import dcmread

from bidsanon.convert.acquisition import join_series
from bidsanon.convert.fidelity import Converted, convert_folder
from bidsanon.convert.job import Acquisition
from bidsanon.convert.plan import series_place
from bidsanon.files import fresh_folder
from bidsanon.findings import Finding, finding
from bidsanon.progress import Progress
from bidsanon.session import DeidentifiedSeries, DeidentifiedSession

_PLAIN = re.compile(r"[^0-9A-Za-z+-]+")
_LONGEST = 60
_MADE_AS = "image"


@dataclass(frozen=True, kw_only=True)
class PlainImage:
    """One image that dcm2niix made.

    Attributes
    ----------
    source
        The image, not compressed; its sidecar and gradients lie beside it under the same stem.
    name
        What it is to be called, without extension: a path of one or two parts.
    series_index
        Which series it came from.
    """

    source: Path
    name: str
    series_index: int


@dataclass(frozen=True, kw_only=True)
class PlainImages:
    """What dcm2niix made of one person's copies.

    Attributes
    ----------
    images
        In the order of their series.
    findings
        Of which series it made nothing.
    """

    images: tuple[PlainImage, ...]
    findings: tuple[Finding, ...]


def convert_to_images(
    deidentified: DeidentifiedSession, *, work: Path, jobs: int, progress: Progress
) -> PlainImages:
    """Convert the copies of each series.

    Parameters
    ----------
    deidentified
        The copies.
    work
        A private folder to work in; the images stay in it.
    jobs
        How many conversions may run at once.
    progress
        Told of each series that is done.

    Raises
    ------
    MissingToolError
        If dcm2niix is not installed.
    StorageError
        If there is no room for what it makes.
    """
    converted = convert_acquisitions(deidentified.series, work=work, jobs=jobs, progress=progress)
    names = _Names(deidentified, tuple(acquisition for acquisition, _ in converted))
    images: list[PlainImage] = []
    findings: list[Finding] = []
    for acquisition, one in converted:
        images += names.images(acquisition, one)
        if one.status or not one.names():
            findings.append(
                finding(
                    "SERIES_WITHOUT_IMAGE", location=series_place(acquisition), status=one.status
                )
            )
    return PlainImages(images=tuple(images), findings=tuple(findings))


def convert_acquisitions(
    series: Iterable[DeidentifiedSeries], *, work: Path, jobs: int, progress: Progress
) -> tuple[tuple[Acquisition, Converted], ...]:
    """Convert the copies of each series, and those that belong together as one.

    Parameters
    ----------
    series
        In acquisition order; one without files is passed over.
    work, jobs, progress
        As :func:`convert_to_images` has them.

    Raises
    ------
    MissingToolError, StorageError
        As :func:`convert_to_images` does.
    """
    made = [one for one in series if one.files]
    acquisitions = join_series(made, links=fresh_folder(work / "joined"))
    with (
        progress.step("converting", total=len(acquisitions)) as step,
        ThreadPoolExecutor(max_workers=max(1, jobs)) as pool,
    ):
        pending = [
            pool.submit(
                convert_folder,
                acquisition.folder,
                work / f"images-{number:04d}",
                acquisition.files,
            )
            for number, acquisition in enumerate(acquisitions)
        ]
        converted = []
        for future in pending:
            converted.append(future.result())
            step.advance()
    return tuple(zip(acquisitions, converted, strict=True))


class _Names:
    """Names images, each study's in a folder of its own where there are several."""

    def __init__(
        self, deidentified: DeidentifiedSession, acquisitions: tuple[Acquisition, ...]
    ) -> None:
        self._numbers = {s.source.index: s.source.series_number for s in deidentified.series}
        self._headers = {a.series[0]: _header(a.files[0]) for a in acquisitions}
        self._studies = list(dict.fromkeys(study for study, _ in self._headers.values()))
        self._taken: set[str] = set()

    def images(self, acquisition: Acquisition, converted: Converted) -> Iterator[PlainImage]:
        """Name what was made of an acquisition."""
        index = acquisition.series[0]
        study, description = self._headers[index]
        number = self._numbers[index]
        stem = f"{index if number is None else number:04d}"
        stem = "_".join(filter(None, (stem, description)))
        if len(self._studies) > 1:
            stem = f"study-{self._studies.index(study) + 1:02d}/{stem}"
        for made in converted.names():
            name = self._free(stem + made.removeprefix(_MADE_AS))
            yield PlainImage(source=converted.folder / f"{made}.nii", name=name, series_index=index)

    def _free(self, wanted: str) -> str:
        name, again = wanted, 1
        while name.casefold() in self._taken:
            again += 1
            name = f"{wanted}_{again}"
        self._taken.add(name.casefold())
        return name


def _header(file: Path) -> tuple[str, str]:
    """Return a copy's study, and its description as a name may hold it."""
    tags = ["StudyInstanceUID", "SeriesDescription", "ProtocolName"]
    header = dcmread(file, specific_tags=tags, stop_before_pixels=True)
    text = str(header.get("SeriesDescription") or header.get("ProtocolName") or "")
    return str(header.get("StudyInstanceUID", "")), _PLAIN.sub("_", text).strip("_")[:_LONGEST]
