"""Which series are converted together.

Usually each by itself. Siemens XA scanners export every volume of a run as a series of its own
(16001, 16002, ... for what is series 16 on the console): dcm2niix joins them by their numbers'
thousands if it is given them together, and so must a heuristic see them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bidsanon.convert.job import Acquisition
from bidsanon.files import make_private_folder
from bidsanon.session import DeidentifiedSeries

_XA_RUN = 1000
_XA_SOFTWARE = "syngo MR XA"


def join_series(series: Sequence[DeidentifiedSeries], *, links: Path) -> tuple[Acquisition, ...]:
    """Group series into what is converted together, in the order of the first of each.

    Parameters
    ----------
    series
        The session's series, in acquisition order.
    links
        A folder in which joined series get a folder of links, so that their files lie together
        under names that do not clash.
    """
    groups: dict[object, list[DeidentifiedSeries]] = {}
    for one in series:
        groups.setdefault(_run_of(one), []).append(one)
    return tuple(_acquisition(group, links=links) for group in groups.values())


def link_names(group: Sequence[DeidentifiedSeries]) -> tuple[str, ...]:
    """Name the files of a group apart: as they are where it is one series."""
    if len(group) == 1:
        return tuple(file.name for file in group[0].files)
    return tuple(f"{one.source.index:04d}-{file.name}" for one in group for file in one.files)


def _run_of(series: DeidentifiedSeries) -> object:
    """Return what the series of one XA run share, and something unique for any other series."""
    number = series.source.series_number
    if number is None or number <= _XA_RUN or not series.files or not _is_xa(series.files[0]):
        return series.source.index
    return number // _XA_RUN, series.source.description, series.source.study_date


def _is_xa(file: Path) -> bool:
    from pydicom import dcmread  # noqa: PLC0415  # slow, and seldom needed
    from pydicom.errors import InvalidDicomError  # noqa: PLC0415

    try:
        header = dcmread(file, specific_tags=["SoftwareVersions"], stop_before_pixels=True)
    except (InvalidDicomError, OSError):
        return False
    return _XA_SOFTWARE in str(header.get("SoftwareVersions", ""))


def _acquisition(group: Sequence[DeidentifiedSeries], *, links: Path) -> Acquisition:
    indices = tuple(one.source.index for one in group)
    if len(group) == 1:
        return Acquisition(series=indices, folder=group[0].folder, files=group[0].files)
    folder = make_private_folder(links / f"{indices[0]:04d}")
    targets = [file for one in group for file in one.files]
    files = tuple(folder / name for name in link_names(group))
    for link, target in zip(files, targets, strict=True):
        link.unlink(missing_ok=True)
        link.symlink_to(target.absolute())
    return Acquisition(series=indices, folder=folder, files=files)
