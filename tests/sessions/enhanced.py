"""An enhanced multi-frame MR image as a Siemens XA scanner writes it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from pydicom import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import EnhancedMRImageStorage

from bidsanon.demo import session as demo
from bidsanon.demo.person import MARA, Person, clock, person_attributes
from bidsanon.demo.private import protocol_text
from bidsanon.demo.scan import Scan, phase_bandwidth_hz, slice_times_ms
from sessions.siemens import blob, small
from sessions.writing import write_series


def enhanced_mr_names_in_functional_groups(
    folder: Path, *, person: Person = MARA, volumes: int = 2
) -> list[Path]:
    """A bold series, one file a volume, with the name, dates and UIDs in its functional groups.

    The name is in the frames' comments and in the private protocol text; the real date and time
    in each frame, and in the private groups (0021,10FE) and (0021,11FE), whose own creators stand
    in the blocks 0x10 and 0x11.
    """
    scan = small(demo.BOLD, shape=(4, 12, 12), number=8)
    scan = replace(scan, image_type=("ORIGINAL", "PRIMARY", "FMRI", "NONE"))
    return write_series(folder, (_volume(person, scan, index) for index in range(volumes)))


def _volume(person: Person, scan: Scan, index: int) -> Dataset:
    taken_s = person.study_time_s + scan.start_s + index * scan.repetition_ms / 1000
    dataset = person_attributes(person)
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.SOPClassUID = EnhancedMRImageStorage
    dataset.SOPInstanceUID = person.uid("series", scan.number, "image", index + 1)
    dataset.SeriesInstanceUID = person.uid("series", scan.number)
    dataset.FrameOfReferenceUID = person.uid("frame")
    dataset.SoftwareVersions = "syngo MR XA30"
    dataset.Modality = "MR"
    dataset.ImageType = list(scan.image_type)
    dataset.SeriesNumber = scan.number
    dataset.InstanceNumber = index + 1
    dataset.AcquisitionNumber = index + 1
    dataset.SeriesDescription = dataset.ProtocolName = scan.protocol
    dataset.PatientPosition = "HFS"
    dataset.SeriesDate = dataset.ContentDate = person.study_date
    dataset.SeriesTime = dataset.ContentTime = clock(person.study_time_s + scan.start_s)
    dataset.AcquisitionDateTime = person.study_date + clock(taken_s)
    dataset.MRAcquisitionType = "2D"
    dataset.PulseSequenceName = scan.sequence_name
    dataset.EchoPlanarPulseSequence = "YES"
    dataset.MagneticFieldStrength = 3
    dimensions = person.uid("dimensions")
    dataset.DimensionOrganizationSequence = _one(DimensionOrganizationUID=dimensions)
    dataset.DimensionIndexSequence = Sequence(
        [
            *_one(DimensionOrganizationUID=dimensions, DimensionIndexPointer=Tag("StackID")),
            *_one(
                DimensionOrganizationUID=dimensions,
                DimensionIndexPointer=Tag("InStackPositionNumber"),
            ),
        ]
    )
    dataset.SharedFunctionalGroupsSequence = Sequence([_shared(person, scan)])
    dataset.PerFrameFunctionalGroupsSequence = Sequence(
        [_frame(person, scan, slice_index, taken_s) for slice_index in range(scan.grid.shape[0])]
    )
    _add_pixels(dataset, scan)
    return dataset


def _shared(person: Person, scan: Scan) -> Dataset:
    between_slices, between_rows, between_columns = scan.grid.spacing_mm
    group = Dataset()
    group.MRTimingAndRelatedParametersSequence = _one(
        RepetitionTime=scan.repetition_ms, FlipAngle=scan.flip_degrees, EchoTrainLength=1
    )
    group.MREchoSequence = _one(EffectiveEchoTime=scan.echo_ms)
    group.MRFOVGeometrySequence = _one(
        InPlanePhaseEncodingDirection="COLUMN",
        MRAcquisitionPhaseEncodingStepsInPlane=scan.phase_steps,
    )
    group.PixelMeasuresSequence = _one(
        SliceThickness=between_slices,
        SpacingBetweenSlices=between_slices,
        PixelSpacing=[between_rows, between_columns],
    )
    group.ReferencedImageSequence = _one(
        ReferencedSOPClassUID=EnhancedMRImageStorage,
        ReferencedSOPInstanceUID=person.uid("series", 1, "image", 1),
    )
    series = Dataset()
    block = series.private_block(0x0021, "SIEMENS MR SDS 01", create=True)
    block.add_new(0x01, "IS", round(person.weight_kg))
    block.add_new(0x19, "OB", protocol_text(person, scan).encode())
    pattern = f"1;HFS;{person.weight_kg:.2f};;{person.sex};0;0;-198878115"
    block.add_new(0x2B, "ST", pattern)
    block.add_new(0x3F, "UI", person.uid("frame"))
    outer = group.private_block(0x0021, "SIEMENS MR SDS 01", create=True)
    outer.add_new(0xFE, "SQ", Sequence([series]))
    return group


def _frame(person: Person, scan: Scan, slice_index: int, taken_s: float) -> Dataset:
    moment = person.study_date + clock(taken_s + slice_times_ms(scan)[slice_index] / 1000)
    frame = Dataset()
    frame.FrameContentSequence = _one(
        StackID="1",
        InStackPositionNumber=slice_index + 1,
        TemporalPositionIndex=1,
        DimensionIndexValues=[1, slice_index + 1],
        FrameAcquisitionNumber=1,
        FrameAcquisitionDateTime=moment,
        FrameReferenceDateTime=moment,
        FrameComments=f"{person.family_name}, {person.given_name}",
    )
    frame.PlanePositionSequence = _one(ImagePositionPatient=scan.grid.position(slice_index))
    frame.PlaneOrientationSequence = _one(
        ImageOrientationPatient=[*scan.grid.row_direction, *scan.grid.column_direction]
    )
    frame.MRImageFrameTypeSequence = _one(FrameType=list(scan.image_type))
    frame.PixelValueTransformationSequence = _one(
        RescaleIntercept=0, RescaleSlope=1, RescaleType="US"
    )
    image = Dataset()
    image.add_new(0x00210011, "LO", "SIEMENS MR SDI 02")
    image.add_new(0x00211104, "DS", f"{slice_times_ms(scan)[slice_index] / 1000:.4f}")
    image.add_new(0x0021111C, "IS", 1)
    image.add_new(0x00211153, "FD", phase_bandwidth_hz(scan))
    image.add_new(0x00211160, "DT", moment)
    frame.add_new(0x00210011, "LO", "SIEMENS MR SDI 02")
    frame.add_new(0x002111FE, "SQ", Sequence([image]))
    return frame


def _add_pixels(dataset: Dataset, scan: Scan) -> None:
    slices, rows, columns = scan.grid.shape
    dataset.NumberOfFrames = slices
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = rows, columns
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PixelRepresentation = 0
    dataset.PixelData = blob(scan).astype(np.uint16).tobytes()


def _one(**attributes: object) -> Sequence:
    item = Dataset()
    for keyword, value in attributes.items():
        setattr(item, keyword, value)
    return Sequence([item])
