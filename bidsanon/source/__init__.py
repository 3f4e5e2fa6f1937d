"""The first stage: find, read and sort one person's DICOM, and set aside what is no image."""

from bidsanon.source.facts import SeriesFacts, series_facts
from bidsanon.source.gate import read_source
from bidsanon.source.identified import IdentifiedSeries, identified_series
from bidsanon.source.originals import Originals, find_originals
from bidsanon.source.person import is_patient_id
from bidsanon.source.quarantine import write_quarantine
from bidsanon.source.several import split_by_person

__all__ = [
    "IdentifiedSeries",
    "Originals",
    "SeriesFacts",
    "find_originals",
    "identified_series",
    "is_patient_id",
    "read_source",
    "series_facts",
    "split_by_person",
    "write_quarantine",
]
