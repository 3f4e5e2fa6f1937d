"""What a study holds besides its scans: a screenshot with the name in its pixels, and a report."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw
from pydicom import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import BasicTextSRStorage, SecondaryCaptureImageStorage

from bidsanon.demo.person import Person, clock, person_attributes

_SIDE = 256
_AFTER_SCANS_S = 1500.0


def burned_in_capture(person: Person, *, series_number: int = 90) -> Dataset:
    """Make a secondary capture that shows the person's name, birth date and ID."""
    dataset = _document(person, series_number=series_number, description="Screen Save")
    dataset.SOPClassUID = SecondaryCaptureImageStorage
    dataset.Modality = "MR"
    dataset.ConversionType = "WSD"
    dataset.ImageType = ["DERIVED", "SECONDARY", "OTHER"]
    dataset.BurnedInAnnotation = "YES"
    dataset.PatientOrientation = ""
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows = dataset.Columns = _SIDE
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit = 7
    dataset.PixelRepresentation = 0
    dataset.PixelData = _page(person)
    return dataset


def structured_report(person: Person, *, series_number: int = 91) -> Dataset:
    """Make a Basic Text SR whose text names the person and the staff."""
    dataset = _document(person, series_number=series_number, description="Findings")
    dataset.SOPClassUID = BasicTextSRStorage
    dataset.Modality = "SR"
    dataset.CompletionFlag = "COMPLETE"
    dataset.VerificationFlag = "UNVERIFIED"
    dataset.ReferencedPerformedProcedureStepSequence = Sequence([])
    dataset.PerformedProcedureCodeSequence = Sequence([])
    dataset.ValueType = "CONTAINER"
    dataset.ContinuityOfContent = "SEPARATE"
    dataset.ConceptNameCodeSequence = Sequence([_code("18748-4", "LN", "Diagnostic imaging study")])
    dataset.ContentSequence = Sequence(
        [
            _text_item(f"{person.given_name} {person.family_name}: {person.comment}"),
            _text_item(f"Dictated by {person.physician.replace('^', ' ')}"),
        ]
    )
    return dataset


def _document(person: Person, *, series_number: int, description: str) -> Dataset:
    dataset = person_attributes(person)
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.SOPInstanceUID = person.uid("series", series_number, "image", 1)
    dataset.SeriesInstanceUID = person.uid("series", series_number)
    dataset.SeriesNumber = series_number
    dataset.SeriesDescription = description
    dataset.InstanceNumber = 1
    dataset.SeriesDate = dataset.ContentDate = person.study_date
    dataset.SeriesTime = dataset.ContentTime = clock(person.study_time_s + _AFTER_SCANS_S)
    return dataset


def _page(person: Person) -> bytes:
    page = Image.new("L", (_SIDE, _SIDE), color=12)
    pen = ImageDraw.Draw(page)
    lines = [person.name.replace("^", " "), f"* {person.birth_date}", person.patient_id]
    lines += [person.institution, person.study_date]
    for row, line in enumerate(lines):
        pen.text((10, 12 + 18 * row), line, fill=235)
    return np.asarray(page, dtype=np.uint8).tobytes()


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue = value
    code.CodingSchemeDesignator = scheme
    code.CodeMeaning = meaning
    return code


def _text_item(text: str) -> Dataset:
    item = Dataset()
    item.RelationshipType = "CONTAINS"
    item.ValueType = "TEXT"
    item.ConceptNameCodeSequence = Sequence([_code("121071", "DCM", "Finding")])
    item.TextValue = text
    return item
