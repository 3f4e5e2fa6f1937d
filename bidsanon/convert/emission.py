"""Completes the sidecars of PET images with what their headers say, and says what they do not.

dcm2niix writes the frames' times from the start of the scan on, and leaves out when that was and
when the tracer was given. Both stand in the header, as times of day of the scanner's clock: the
scan's start becomes ``TimeZero``, which is moved with the session's acquisition times, and the
injection an interval from it, which no moving changes. What no header holds (the mass, how the
tracer was given) is "n/a" where BIDS takes that, with a finding.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pydicom import Dataset, dcmread

from bidsanon.bids.sidecars import read_json_file
from bidsanon.convert.naming import IMAGE
from bidsanon.files import write_json
from bidsanon.findings import Finding, finding
from bidsanon.session import ConvertedImage, DeidentifiedSeries

REQUIRED = (
    "TracerName",
    "TracerRadionuclide",
    "InjectedRadioactivity",
    "InjectedRadioactivityUnits",
    "TimeZero",
    "ScanStart",
    "InjectionStart",
    "FrameTimesStart",
    "FrameDuration",
    "ImageDecayCorrected",
    "ImageDecayCorrectionTime",
    "ReconMethodName",
    "ReconMethodParameterLabels",
    "ReconFilterType",
    "AttenuationCorrection",
    "Units",
)
"""What BIDS requires of a PET image and no "n/a" can stand for."""
_NOT_KNOWN = "n/a"
_MAY_BE_UNKNOWN = (
    "InjectedMass",
    "InjectedMassUnits",
    "SpecificRadioactivity",
    "SpecificRadioactivityUnits",
    "ModeOfAdministration",
    "AcquisitionMode",
)
_NO_UNIT = "none"
_COUNTED = frozenset({"subsets", "iterations"})
_HALF_A_DAY = timedelta(hours=12)


def complete_emission(
    root: Path, images: Iterable[ConvertedImage], series: Sequence[DeidentifiedSeries]
) -> list[Finding]:
    """Write into the sidecars of PET images what follows from their headers.

    Parameters
    ----------
    root
        Where the images are.
    images
        All images of the session; those of other kinds are passed over.
    series
        The session's series, for their headers.

    Returns
    -------
    A finding for each image of which something is not known.
    """
    files = {one.source.index: one.files for one in series}
    findings = []
    for image in images:
        sidecar = root / (image.path.removesuffix(IMAGE) + ".json")
        if image.datatype != "pet" or not sidecar.exists():
            continue
        content = read_json_file(sidecar)
        said = _of_headers(files.get(image.series_index, ())) | _of_reconstruction(content)
        unknown = [key for key in _MAY_BE_UNKNOWN if key not in content]
        added = said | dict.fromkeys(unknown, _NOT_KNOWN)
        sidecar.chmod(0o644)
        write_json(sidecar, added | content)
        if unknown:
            findings.append(finding("PET_NOT_TOLD", location=image.path, keys=", ".join(unknown)))
    return findings


def _of_headers(files: Sequence[Path]) -> dict[str, object]:
    """Say when the scan began and, from there on, when the tracer was given."""
    tags = ["AcquisitionDate", "AcquisitionTime", "RadiopharmaceuticalInformationSequence"]
    headers = [dcmread(file, specific_tags=tags, stop_before_pixels=True) for file in _ends(files)]
    begun = min(
        filter(None, (_moment(h, "AcquisitionDate", "AcquisitionTime") for h in headers)),
        default=None,
    )
    if begun is None:
        return {}
    said: dict[str, object] = {"TimeZero": f"{begun:%H:%M:%S.%f}", "ScanStart": 0}
    given = next(filter(None, (_injection(header, begun) for header in headers)), None)
    if given is not None:
        said["InjectionStart"] = round((given - begun).total_seconds(), 3)
    return said


def _ends(files: Sequence[Path]) -> Sequence[Path]:
    """Take the first and the last file: a scanner may number either way."""
    return [*files[:1], *files[1:][-1:]]


def _injection(header: Dataset, begun: datetime) -> datetime | None:
    for dose in header.get("RadiopharmaceuticalInformationSequence") or []:
        whole = str(dose.get("RadiopharmaceuticalStartDateTime") or "")
        if len(whole) > len("YYYYMMDD"):
            return _read(whole[:8], whole[8:])
        given = _read(f"{begun:%Y%m%d}", str(dose.get("RadiopharmaceuticalStartTime") or ""))
        if given is not None:
            late = given - begun > _HALF_A_DAY  # it was given before midnight
            return given - timedelta(days=1) if late else given
    return None


def _moment(header: Dataset, date: str, time: str) -> datetime | None:
    return _read(str(header.get(date) or ""), str(header.get(time) or ""))


def _read(date: str, time: str) -> datetime | None:
    """Read a date and a time of DICOM, without a zone."""
    clock = time.partition("+")[0].partition("-")[0]
    form = "%Y%m%d%H%M%S.%f" if "." in clock else "%Y%m%d%H%M%S"
    try:
        return datetime.strptime(date + clock, form)  # noqa: DTZ007  # of the scanner's own clock
    except ValueError:
        return None


def _of_reconstruction(content: Mapping[str, Any]) -> dict[str, object]:
    """Say that counts of iterations and subsets have no unit, as BIDS wants it said."""
    labels = content.get("ReconMethodParameterLabels")
    if isinstance(labels, list) and labels and _COUNTED.issuperset(labels):
        return {"ReconMethodParameterUnits": [_NO_UNIT] * len(labels)}
    return {}
