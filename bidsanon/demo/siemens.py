"""MR images as a Siemens scanner of the VE11 line writes them: headers, CSA blocks, mosaics.

Enough of them for dcm2niix to find everything it finds in real ones (gradients, slice times, phase
encoding), and with an identifying value wherever a real scanner puts one.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian, MRImageStorage

from bidsanon.demo.person import Person, clock, person_attributes
from bidsanon.demo.private import add_private
from bidsanon.demo.scan import Diffusion, Scan

Pixels = NDArray[np.uint16]
_LARGEST = 4095
_IMPLEMENTATION_UID = UID("1.3.12.2.1107.5.2")


def slice_image(
    person: Person,
    scan: Scan,
    pixels: NDArray[np.floating],
    *,
    slice_index: int,
    instance_number: int,
    volume_index: int = 0,
    diffusion: Diffusion | None = None,
) -> Dataset:
    """Make a classic image of one slice.

    Parameters
    ----------
    person
        Whose it is.
    scan
        Its series.
    pixels
        Rows and columns.
    slice_index
        Which slice of the scan's grid it is, from 0.
    instance_number
        (0020,0013); tells its UID from the others' of the series.
    volume_index
        Which volume of the series it belongs to, from 0.
    diffusion
        Its weighting, in a diffusion scan.
    """
    taken_s = person.study_time_s + scan.start_s + volume_index * scan.repetition_ms / 1000
    if not scan.three_dimensional:
        taken_s += scan.repetition_ms / 1000 * slice_index / scan.grid.shape[0]
    dataset = _image(person, scan, pixels, instance_number=instance_number, taken_s=taken_s)
    dataset.AcquisitionNumber = volume_index + 1
    dataset.ImagePositionPatient = scan.grid.position(slice_index)
    dataset.SliceLocation = round(float(np.dot(scan.grid.normal, dataset.ImagePositionPatient)), 4)
    add_private(dataset, person, scan, slice_index=slice_index, diffusion=diffusion)
    return dataset


def mosaic_image(
    person: Person,
    scan: Scan,
    volume: NDArray[np.floating],
    *,
    volume_index: int,
    diffusion: Diffusion | None = None,
) -> Dataset:
    """Make one image that holds all slices of a volume as tiles.

    Parameters
    ----------
    person
        Whose it is.
    scan
        Its series.
    volume
        Slices, rows and columns.
    volume_index
        Which volume of the series it is, from 0.
    diffusion
        Its weighting, in a diffusion scan.
    """
    slices, rows, columns = scan.grid.shape
    tiles = math.isqrt(slices - 1) + 1
    mosaic = np.zeros((tiles * rows, tiles * columns), dtype=volume.dtype)
    for index, picture in enumerate(volume):
        row, column = divmod(index, tiles)
        mosaic[row * rows : (row + 1) * rows, column * columns : (column + 1) * columns] = picture
    taken_s = person.study_time_s + scan.start_s + volume_index * scan.repetition_ms / 1000
    dataset = _image(person, scan, mosaic, instance_number=volume_index + 1, taken_s=taken_s)
    dataset.AcquisitionNumber = volume_index + 1
    # The scanner says where the mosaic would begin if its middle were the first slice's.
    dataset.ImagePositionPatient = scan.grid.position(
        0, row=-rows * (tiles - 1) / 2, column=-columns * (tiles - 1) / 2
    )
    if diffusion is not None and diffusion.b_value:
        dataset.SequenceName = f"{scan.sequence_name}{diffusion.b_value}#{volume_index}"
    add_private(dataset, person, scan, mosaic=True, diffusion=diffusion)
    return dataset


def write_image(
    dataset: Dataset,
    path: Path,
    *,
    source_ae_title: str = "",
    transfer_syntax: UID = ExplicitVRLittleEndian,
) -> None:
    """Write a data set as a DICOM file.

    Parameters
    ----------
    dataset
        What to write.
    path
        Where to; its folder exists.
    source_ae_title
        (0002,0016), which names the machine that sent it.
    transfer_syntax
        How it is encoded; its pixels are in that byte order already.
    """
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = transfer_syntax
    meta.ImplementationClassUID = _IMPLEMENTATION_UID
    meta.ImplementationVersionName = "MR_VE11C"
    if source_ae_title:
        meta.SourceApplicationEntityTitle = source_ae_title
    dataset.file_meta = meta
    dcmwrite(path, dataset, enforce_file_format=True)


def _image(
    person: Person,
    scan: Scan,
    pixels: NDArray[np.floating],
    *,
    instance_number: int,
    taken_s: float,
) -> Dataset:
    dataset = person_attributes(person)
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.SOPClassUID = MRImageStorage
    dataset.SOPInstanceUID = person.uid("series", scan.number, "image", instance_number)
    dataset.ImageType = list(scan.image_type)
    dataset.Modality = "MR"
    dataset.InstanceNumber = instance_number
    dataset.ImageComments = person.comment
    _add_times(dataset, person, scan, taken_s)
    _add_series(dataset, person, scan)
    _add_acquisition(dataset, scan)
    _add_pixels(dataset, scan, pixels)
    return dataset


def _add_times(dataset: Dataset, person: Person, scan: Scan, taken_s: float) -> None:
    written_s = person.study_time_s + scan.start_s + scan.duration_s + 9.5
    dataset.SeriesDate = dataset.AcquisitionDate = dataset.ContentDate = person.study_date
    dataset.InstanceCreationDate = person.study_date
    dataset.SeriesTime = clock(written_s)
    dataset.AcquisitionTime = clock(taken_s)
    dataset.ContentTime = dataset.InstanceCreationTime = clock(written_s)


def _add_series(dataset: Dataset, person: Person, scan: Scan) -> None:
    dataset.SeriesInstanceUID = person.uid("series", scan.number)
    dataset.SeriesNumber = scan.number
    dataset.SeriesDescription = dataset.ProtocolName = scan.protocol
    dataset.FrameOfReferenceUID = person.uid("frame")
    dataset.PositionReferenceIndicator = ""
    dataset.BodyPartExamined = "HEAD"
    dataset.PatientPosition = "HFS"
    planned_on = Dataset()
    planned_on.ReferencedSOPClassUID = MRImageStorage
    planned_on.ReferencedSOPInstanceUID = person.uid("series", 1, "image", 1)
    dataset.ReferencedImageSequence = Sequence([planned_on])


def _add_acquisition(dataset: Dataset, scan: Scan) -> None:
    dataset.ScanningSequence = list(scan.scanning_sequence)
    dataset.SequenceVariant = list(scan.sequence_variant)
    dataset.SequenceName = scan.sequence_name
    dataset.ScanOptions = "IR" if scan.inversion_ms is not None else "FS"
    dataset.MRAcquisitionType = "3D" if scan.three_dimensional else "2D"
    dataset.RepetitionTime = scan.repetition_ms
    dataset.EchoTime = scan.echo_ms
    if scan.inversion_ms is not None:
        dataset.InversionTime = scan.inversion_ms
    dataset.FlipAngle = scan.flip_degrees
    dataset.NumberOfAverages = 1
    dataset.ImagingFrequency = 123.255559
    dataset.ImagedNucleus = "1H"
    dataset.EchoNumbers = scan.echo_number
    dataset.MagneticFieldStrength = 3
    dataset.NumberOfPhaseEncodingSteps = scan.phase_steps
    dataset.EchoTrainLength = scan.phase_steps if scan.echo_spacing_s else 1
    dataset.PercentSampling = dataset.PercentPhaseFieldOfView = 100
    dataset.PixelBandwidth = scan.bandwidth_hz
    dataset.TransmitCoilName = "Body"
    _, rows, columns = scan.grid.shape
    dataset.AcquisitionMatrix = (
        [0, rows, columns, 0] if scan.phase_along_rows else [columns, 0, 0, rows]
    )
    dataset.InPlanePhaseEncodingDirection = "ROW" if scan.phase_along_rows else "COL"
    dataset.VariableFlipAngleFlag = "N"
    dataset.SAR = 0.0645


def _add_pixels(dataset: Dataset, scan: Scan, pixels: NDArray[np.floating]) -> None:
    stored: Pixels = np.clip(np.rint(pixels), 0, _LARGEST).astype("<u2")
    between_slices, between_rows, between_columns = scan.grid.spacing_mm
    dataset.SliceThickness = between_slices
    if not scan.three_dimensional:
        dataset.SpacingBetweenSlices = between_slices
    dataset.ImageOrientationPatient = [*scan.grid.row_direction, *scan.grid.column_direction]
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = stored.shape
    dataset.PixelSpacing = [between_rows, between_columns]
    dataset.BitsAllocated = 16
    dataset.BitsStored = 12
    dataset.HighBit = 11
    dataset.PixelRepresentation = 0
    dataset.SmallestImagePixelValue = int(stored.min())
    dataset.LargestImagePixelValue = int(stored.max())
    dataset.WindowCenter = 300
    dataset.WindowWidth = 700
    if scan.rescale is not None:
        dataset.RescaleSlope, dataset.RescaleIntercept = scan.rescale
        dataset.RescaleType = "US"
    dataset.PixelData = stored.tobytes()
