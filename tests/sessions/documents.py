"""What belongs into quarantine: screenshots, dose pages, reports, raw data."""

from __future__ import annotations

from pathlib import Path

from bidsanon.demo import documents
from bidsanon.demo.person import MARA, Person
from sessions.siemens import t1w_slices
from sessions.writing import write_series

_CSA_NON_IMAGE_STORAGE = "1.3.12.2.1107.5.9.1"


def burned_in_capture(folder: Path, *, person: Person = MARA) -> list[Path]:
    """A secondary capture with the name in its pixels, which says so."""
    return write_series(folder, [documents.burned_in_capture(person)], prefix="SC")


def structured_report(folder: Path, *, person: Person = MARA) -> list[Path]:
    """A Basic Text SR that names the person."""
    return write_series(folder, [documents.structured_report(person)], prefix="SR")


def patient_protocol(folder: Path, *, person: Person = MARA) -> list[Path]:
    """A "Patient Protocol" page: an MR image by its class, identifying text by its pixels."""
    (page,) = t1w_slices(person, slices=1, number=502, protocol="Patient Protocol")
    page.ImageType = ["DERIVED", "SECONDARY", "OTHER"]
    return write_series(folder, [page], prefix="PP")


def phoenix_report(folder: Path, *, person: Person = MARA) -> list[Path]:
    """A Siemens object without an image, of a private class."""
    (report,) = t1w_slices(person, slices=1, number=99, protocol="PhoenixZIPReport")
    report.SOPClassUID = _CSA_NON_IMAGE_STORAGE
    report.ImageType = ["ORIGINAL", "PRIMARY", "OTHER", "CSA REPORT"]
    for keyword in ("PixelData", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit"):
        delattr(report, keyword)
    return write_series(folder, [report], prefix="RP")
