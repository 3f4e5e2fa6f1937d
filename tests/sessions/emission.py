"""A dynamic PET series as a Siemens Biograph writes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from pydicom import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import PositronEmissionTomographyImageStorage

from bidsanon.demo import session as demo
from bidsanon.demo.person import MARA, Person, clock, person_attributes
from sessions.siemens import blob, small
from sessions.writing import write_series

INJECTED_BEFORE_S = 40 * 60.0
"""How long before the scan the tracer was given."""
_FRAME_S = 300.0


def positron_emission(
    folder: Path, *, person: Person = MARA, frames: int = 2, tracer: str = "FDG"
) -> list[Path]:
    """A few frames of a few slices, with the tracer's dose and when it was given."""
    return write_series(folder, _images(person, frames, tracer))


def _images(person: Person, frames: int, tracer: str) -> Iterator[Dataset]:
    scan = small(demo.FIELD_MAP, shape=(6, 16, 16), number=4, protocol="Brain dynamic AC")
    volume = blob(scan)
    slices = len(volume)
    for frame in range(frames):
        for place, picture in enumerate(volume):
            number = frame * slices + place + 1
            dataset = _image(person, number, taken_s=frame * _FRAME_S, slices=slices)
            _add_isotope(dataset, person, tracer)
            dataset.ImagePositionPatient = scan.grid.position(place)
            dataset.ImageOrientationPatient = [
                *scan.grid.row_direction,
                *scan.grid.column_direction,
            ]
            dataset.PixelSpacing = list(scan.grid.spacing_mm[1:])
            dataset.SliceThickness = scan.grid.spacing_mm[0]
            dataset.NumberOfTimeSlices = frames
            dataset.Rows, dataset.Columns = picture.shape
            dataset.PixelData = (picture * (1 + 0.1 * frame)).astype(np.uint16).tobytes()
            yield dataset


def _image(person: Person, number: int, *, taken_s: float, slices: int) -> Dataset:
    began = person.study_time_s + 60.0
    dataset = person_attributes(person)
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.ManufacturerModelName = "Biograph40_TruePoint"
    dataset.SOPClassUID = PositronEmissionTomographyImageStorage
    dataset.SOPInstanceUID = person.uid("pet", number)
    dataset.SeriesInstanceUID = person.uid("pet")
    dataset.FrameOfReferenceUID = person.uid("pet", "frame")
    dataset.Modality = "PT"
    dataset.SeriesNumber = 4
    dataset.InstanceNumber = number
    dataset.ImageIndex = number
    dataset.ImageType = ["ORIGINAL", "PRIMARY"]
    dataset.SeriesType = ["DYNAMIC", "IMAGE"]
    dataset.SeriesDescription = "Brain dynamic AC"
    dataset.PatientPosition = "HFS"
    dataset.SeriesDate = dataset.AcquisitionDate = dataset.ContentDate = person.study_date
    dataset.SeriesTime = clock(began)
    dataset.AcquisitionTime = clock(began + taken_s)
    dataset.ContentTime = clock(began + taken_s)
    dataset.NumberOfSlices = slices
    dataset.FrameReferenceTime = (taken_s + _FRAME_S / 2) * 1000
    dataset.ActualFrameDuration = round(_FRAME_S * 1000)
    dataset.DecayFactor = round(1.01 + taken_s / 10000, 5)
    dataset.Units = "BQML"
    dataset.CountsSource = "EMISSION"
    dataset.DecayCorrection = "START"
    dataset.CorrectedImage = ["DECY", "ATTN", "SCAT", "DTIM", "RAN", "NORM"]
    dataset.AttenuationCorrectionMethod = "measured,CT"
    dataset.ScatterCorrectionMethod = "Model-based"
    dataset.RandomsCorrectionMethod = "DLYD"
    dataset.ReconstructionMethod = "OSEM3D 4i21s"
    dataset.ConvolutionKernel = "XYZ Gauss4.00"
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15
    dataset.PixelRepresentation = 0
    dataset.RescaleIntercept, dataset.RescaleSlope = 0, 2.5
    return dataset


def _add_isotope(dataset: Dataset, person: Person, tracer: str) -> None:
    given_s = person.study_time_s + 60.0 - INJECTED_BEFORE_S
    nuclide = Dataset()
    nuclide.CodeValue = "C-111A1"
    nuclide.CodingSchemeDesignator = "SRT"
    nuclide.CodeMeaning = "^18^Fluorine"
    dose = Dataset()
    dose.Radiopharmaceutical = tracer
    dose.RadiopharmaceuticalVolume = 3.0
    dose.RadiopharmaceuticalStartTime = clock(given_s)
    dose.RadiopharmaceuticalStartDateTime = person.study_date + clock(given_s)
    dose.RadionuclideTotalDose = 371_000_000
    dose.RadionuclideHalfLife = 6586.2
    dose.RadionuclidePositronFraction = 0.9673
    dose.RadionuclideCodeSequence = Sequence([nuclide])
    dataset.RadiopharmaceuticalInformationSequence = Sequence([dose])
