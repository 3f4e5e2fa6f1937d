"""Writes enhanced multi-frame MR images of many elements, as scanners do, for the benchmarks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydicom import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import EnhancedMRImageStorage

from bidsanon.demo.person import MARA, clock, person_attributes
from bidsanon.demo.siemens import write_image

FRAMES = 256
ROWS = 64
SECONDS_A_FRAME = 0.05


def write_enhanced_session(folder: Path, *, files: int) -> None:
    """Write a series of enhanced MR images, each of some 8,000 elements in 256 frames."""
    random = np.random.default_rng(1)
    for number in range(1, files + 1):
        image = _image(number)
        voxels = random.integers(0, 1200, size=(FRAMES, ROWS, ROWS), dtype=np.uint16)
        image.PixelData = voxels.tobytes()
        write_image(image, folder / f"EMR{number:05d}.dcm")


def _image(number: int) -> Dataset:
    image = person_attributes(MARA)
    image.SpecificCharacterSet = "ISO_IR 100"
    image.SOPClassUID = EnhancedMRImageStorage
    image.SOPInstanceUID = MARA.uid("series", 9, "image", number)
    image.SeriesInstanceUID = MARA.uid("series", 9)
    image.FrameOfReferenceUID = MARA.uid("frame")
    image.Modality = "MR"
    image.ImageType = ["ORIGINAL", "PRIMARY", "FMRI", "NONE"]
    image.SeriesNumber = 9
    image.InstanceNumber = image.AcquisitionNumber = number
    image.SeriesDescription = image.ProtocolName = "ep2d_bold_rest"
    image.SeriesDate = image.ContentDate = MARA.study_date
    image.SeriesTime = image.ContentTime = clock(MARA.study_time_s)
    image.AcquisitionDateTime = MARA.study_date + clock(MARA.study_time_s + number)
    image.NumberOfFrames = FRAMES
    image.Rows = image.Columns = ROWS
    image.SamplesPerPixel = 1
    image.PhotometricInterpretation = "MONOCHROME2"
    image.BitsAllocated = image.BitsStored = 16
    image.HighBit = 15
    image.PixelRepresentation = 0
    image.PerFrameFunctionalGroupsSequence = Sequence(
        _frame(number, index) for index in range(FRAMES)
    )
    return image


def _frame(number: int, index: int) -> Dataset:
    moment = MARA.study_date + clock(MARA.study_time_s + number + index * SECONDS_A_FRAME)
    frame = Dataset()
    frame.FrameContentSequence = _one(
        StackID="1",
        InStackPositionNumber=index + 1,
        TemporalPositionIndex=number,
        DimensionIndexValues=[1, index + 1],
        FrameAcquisitionNumber=number,
        FrameAcquisitionDateTime=moment,
        FrameReferenceDateTime=moment,
        FrameAcquisitionDuration=50.0,
    )
    frame.PlanePositionSequence = _one(ImagePositionPatient=[-96, -96, round(index * 2.5, 2)])
    frame.PlaneOrientationSequence = _one(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])
    frame.PixelMeasuresSequence = _one(SliceThickness=2.5, PixelSpacing=[3, 3])
    frame.MRImageFrameTypeSequence = _one(
        FrameType=["ORIGINAL", "PRIMARY", "FMRI", "NONE"], PixelPresentation="MONOCHROME"
    )
    frame.MREchoSequence = _one(EffectiveEchoTime=30.0)
    frame.PixelValueTransformationSequence = _one(
        RescaleIntercept=0, RescaleSlope=1, RescaleType="US"
    )
    frame.FrameVOILUTSequence = _one(WindowCenter=600, WindowWidth=1200)
    return frame


def _one(**attributes: object) -> Sequence:
    item = Dataset()
    for keyword, value in attributes.items():
        setattr(item, keyword, value)
    return Sequence([item])
