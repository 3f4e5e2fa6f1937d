"""Describes each series as heudiconv's heuristics expect it, without heudiconv's scan of all files.

That scan is most of heudiconv's time. One ``SeqInfo`` a series is made from the series' first file
instead, unless the heuristic groups files itself; its other hooks (``filter_files``,
``filter_dicom``, ``custom_seqinfo``) are honoured. Imported in the worker's process only.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pydicom
from heudiconv import dicoms
from heudiconv.utils import SeqInfo
from nibabel.nicom import dicomwrappers

from bidsanon.convert.job import Acquisition, LeftOut, Request
from bidsanon.convert.loading import Asking

_NOT_UNDERSTOOD = (
    dicomwrappers.WrapperError,
    AttributeError,
    IndexError,
    KeyError,
    TypeError,
    ValueError,
)
"""What nibabel raises on headers that it did not expect."""
_NO_IMAGE = "it holds no image"
_FILTERED = "the heuristic filters its files out"


def describe_series(
    request: Request, heuristic: ModuleType, asking: Asking
) -> tuple[dict[SeqInfo, list[str]], list[LeftOut]]:
    """Make heudiconv's description of each series, as its heuristics expect it.

    Returns
    -------
    Each ``SeqInfo`` with its files, and what cannot be described and why.
    """
    dicoms.total_files = 0
    if getattr(heuristic, "grouping", None) is not None:
        with asking("grouping"):
            return _grouped_by_heuristic(request, heuristic), []
    described: dict[SeqInfo, list[str]] = {}
    left_out: list[LeftOut] = []
    for number, acquisition in enumerate(request.acquisitions):
        with asking("filter_files and filter_dicom"):
            files = _filtered(acquisition, heuristic)
        if not files:
            left_out.append(LeftOut(acquisition=number, reason=_FILTERED))
            continue
        wrapper = _wrapper(files[0], number)
        if wrapper.image_shape is None:
            left_out.append(LeftOut(acquisition=number, reason=_NO_IMAGE))
            continue
        taken = {info.series_id for info in described}
        with asking("custom_seqinfo"):
            info = dicoms.create_seqinfo(
                wrapper,
                files,
                _series_id(wrapper, taken),
                getattr(heuristic, "custom_seqinfo", None),
            )
        described[_without_none(info)] = files
    return described, left_out


def _grouped_by_heuristic(request: Request, heuristic: ModuleType) -> dict[SeqInfo, list[str]]:
    files = [str(file) for acquisition in request.acquisitions for file in acquisition.files]
    return dicoms.group_dicoms_into_seqinfos(
        files,
        "custom",
        file_filter=getattr(heuristic, "filter_files", None),
        dcmfilter=getattr(heuristic, "filter_dicom", None),
        flatten=True,
        custom_grouping=heuristic.grouping,
        custom_seqinfo=getattr(heuristic, "custom_seqinfo", None),
    )


def _filtered(acquisition: Acquisition, heuristic: ModuleType) -> list[str]:
    keep: Callable[[str], Any] | None = getattr(heuristic, "filter_files", None)
    drop: Callable[[Any], Any] | None = getattr(heuristic, "filter_dicom", None)
    files = [str(file) for file in acquisition.files]
    if keep is not None:
        files = [file for file in files if keep(file)]
    if drop is not None:
        files = [file for file in files if not (Path(file).exists() and drop(_header(file)))]
    return files


def _header(file: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pydicom.dcmread(file, stop_before_pixels=True, force=True)


def _wrapper(file: str, number: int) -> Any:
    """Open a series' first file as heudiconv does, and mend what would stop it.

    A missing series number becomes the series' place, and a missing protocol name the one in
    Siemens' own header, as :func:`heudiconv.dicoms.validate_dicom` has it.
    """
    header = _header(file)
    if header.get("SeriesNumber") is None:
        header.SeriesNumber = number + 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            wrapper: Any = dicomwrappers.wrapper_from_data(header)  # type: ignore[no-untyped-call]
            _ = wrapper.image_shape
        except _NOT_UNDERSTOOD:
            wrapper = dicomwrappers.Wrapper(header)  # type: ignore[no-untyped-call]
            wrapper.image_shape = _plain_shape(header)
    if not str(header.get("ProtocolName") or "").strip():
        header.ProtocolName = (
            dicoms.parse_private_csa_header(header, "ProtocolName", "tProtocolName")
            if wrapper.is_csa
            else ""
        )
    return wrapper


def _plain_shape(header: Any) -> tuple[int, ...] | None:
    if "Rows" not in header or "Columns" not in header:
        return None
    frames = int(header.get("NumberOfFrames") or 1)
    plane = (int(header.Rows), int(header.Columns))
    return (*plane, frames) if frames > 1 else plane


def _series_id(wrapper: Any, taken: set[str]) -> str:
    """Name a series as heudiconv does, and apart from the others where two share a number."""
    header = wrapper.dcm_data
    name = f"{int(header.SeriesNumber)}-{header.ProtocolName}"
    repeats = (f"{name}_{count}" for count in range(2, len(taken) + 3))
    return name if name not in taken else next(new for new in repeats if new not in taken)


def _without_none(info: SeqInfo) -> SeqInfo:
    """Give an empty text where de-identification removed one that heuristics search in."""
    return info._replace(
        study_description=info.study_description or "",
        accession_number=info.accession_number or "",
    )
