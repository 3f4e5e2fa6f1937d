"""What the originals say of whose a series is, for whoever may see it and asks for it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from pydicom import Dataset, dcmread
from pydicom.errors import InvalidDicomError

from bidsanon.session import SourceSeries

_KEYWORDS = {
    "patient_id": "PatientID",
    "patient_name": "PatientName",
    "birth_date": "PatientBirthDate",
    "study_date": "StudyDate",
    "study_description": "StudyDescription",
    "series_description": "SeriesDescription",
    "protocol_name": "ProtocolName",
}


@dataclass(frozen=True, kw_only=True, repr=False)
class IdentifiedSeries:
    """What the first file of a series says of whose it is, as it stands there. Identified.

    Attributes
    ----------
    index
        Which series.
    patient_id, patient_name, birth_date, study_date, study_description
        (0010,0020), (0010,0010), (0010,0030), (0008,0020), (0008,1030).
    series_description, protocol_name
        (0008,103E), (0018,1030).
    """

    index: int
    patient_id: str
    patient_name: str
    birth_date: str
    study_date: str
    study_description: str
    series_description: str
    protocol_name: str


def identified_series(series: SourceSeries) -> IdentifiedSeries:
    """Read what the first file of a series says of whose it is.

    Raises
    ------
    OSError
        If that file cannot be read.
    """
    header = Dataset()
    # What cannot be read, the source gate has said already.
    with suppress(InvalidDicomError, ValueError, NotImplementedError):
        header = dcmread(
            series.instances[0].path,
            stop_before_pixels=True,
            force=True,
            specific_tags=list(_KEYWORDS.values()),
        )
    values = {name: str(header.get(keyword) or "") for name, keyword in _KEYWORDS.items()}
    return IdentifiedSeries(index=series.index, **values)
