"""MR images as a Siemens scanner of the VE11 line writes them: headers, CSA blocks, mosaics.

Enough of them for dcm2niix to find everything it finds in real ones (gradients, slice times, phase
encoding), and with an identifying value wherever a real scanner puts one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian, MRImageStorage

from bidsanon.demo.csa import Items, csa_header
from bidsanon.demo.geometry import Grid
from bidsanon.demo.person import Person, clock, person_attributes

Pixels = NDArray[np.uint16]
_LARGEST = 4095
_IMPLEMENTATION_UID = UID("1.3.12.2.1107.5.2")
_TABLE = (0, 0, -1272)


@dataclass(frozen=True, kw_only=True)
class Scan:
    """The protocol of one series.

    Attributes
    ----------
    number
        Series number.
    protocol
        The name that the operator sees: protocol name and series description.
    image_type
        (0008,0008).
    grid
        Where the slices lie.
    start_s, duration_s
        When it starts, in seconds after the visit's start, and how long it takes.
    repetition_ms, echo_ms, inversion_ms, flip_degrees
        Its timing; no inversion where it is None.
    echo_number
        Which echo these images are.
    scanning_sequence, sequence_variant, sequence_name
        (0018,0020), (0018,0021), (0018,0024).
    sequence_file
        The sequence's program, as the scanner's own protocol names it.
    three_dimensional
        Whether a volume is excited as a whole.
    bandwidth_hz
        For each pixel along the readout.
    phase_along_rows
        Whether phase is encoded along the rows.
    echo_spacing_s
        Between the lines of an echo-planar readout; None for other sequences.
    acceleration
        In-plane acceleration factor.
    rescale
        Slope and intercept of the modality LUT, where there is one.
    """

    number: int
    protocol: str
    image_type: tuple[str, ...]
    grid: Grid
    start_s: float
    duration_s: float
    repetition_ms: float
    echo_ms: float
    flip_degrees: float
    scanning_sequence: tuple[str, ...]
    sequence_variant: tuple[str, ...]
    sequence_name: str
    sequence_file: str
    inversion_ms: float | None = None
    echo_number: int = 1
    three_dimensional: bool = False
    bandwidth_hz: float = 260.0
    phase_along_rows: bool = False
    echo_spacing_s: float | None = None
    acceleration: int = 1
    rescale: tuple[float, float] | None = None

    @property
    def phase_steps(self) -> int:
        """How many voxels lie along the phase-encoding direction."""
        return self.grid.shape[2 if self.phase_along_rows else 1]


@dataclass(frozen=True, kw_only=True)
class Diffusion:
    """The diffusion weighting of one volume.

    Attributes
    ----------
    b_value
        In s/mm²; 0 for none.
    direction
        The gradient's unit vector in patient coordinates (LPS+).
    """

    b_value: int
    direction: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @property
    def b_matrix(self) -> list[float]:
        """The six different elements of b times the direction's outer product."""
        x, y, z = self.direction
        return [self.b_value * part for part in (x * x, x * y, x * z, y * y, y * z, z * z)]


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
    items = _image_items(dataset, scan, slice_index=slice_index)
    _add_private(dataset, person, scan, image_items=items | _diffusion_items(diffusion))
    _add_diffusion_private(dataset, diffusion)
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
    items = _image_items(dataset, scan, slice_index=0) | _mosaic_items(scan)
    _add_private(dataset, person, scan, image_items=items | _diffusion_items(diffusion))
    _add_mosaic_private(dataset, scan)
    _add_diffusion_private(dataset, diffusion)
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


def _image_items(dataset: Dataset, scan: Scan, *, slice_index: int) -> Items:
    return {
        "ICE_Dims": ("LO", [f"X_{scan.echo_number}_1_1_1_1_1_1_1_1_1_1_{dataset.InstanceNumber}"]),
        "ProtocolSliceNumber": ("IS", [slice_index]),
        "RealDwellTime": ("IS", [round(1e9 / scan.bandwidth_hz / scan.grid.shape[2] / 2)]),
        "SliceMeasurementDuration": ("DS", [scan.repetition_ms / scan.grid.shape[0]]),
        "AcquisitionMatrixText": ("SH", [_matrix_text(scan)]),
        "PhaseEncodingDirectionPositive": ("IS", [1]),
        "ImaAbsTablePosition": ("SL", list(_TABLE)),
        "NonPlanarImage": ("US", [0]),
        "SlicePosition_PCS": ("FD", [float(value) for value in dataset.ImagePositionPatient]),
        "ImaCoilString": ("LO", ["HE1-4;NE1,2"]),
    }


def _mosaic_items(scan: Scan) -> Items:
    return {
        "NumberOfImagesInMosaic": ("US", [scan.grid.shape[0]]),
        "SliceNormalVector": ("FD", [float(value) for value in scan.grid.normal]),
        "TimeAfterStart": ("DS", [0.0]),
        "BandwidthPerPixelPhaseEncode": ("FD", [phase_bandwidth_hz(scan)]),
        "MosaicRefAcqTimes": ("FD", slice_times_ms(scan)),
    }


def _diffusion_items(diffusion: Diffusion | None) -> Items:
    if diffusion is None:
        return {}
    items: Items = {"B_value": ("IS", [diffusion.b_value])}
    if diffusion.b_value:
        items |= {
            "DiffusionDirectionality": ("CS", ["DIRECTIONAL"]),
            "DiffusionGradientDirection": ("FD", list(diffusion.direction)),
            "B_matrix": ("FD", diffusion.b_matrix),
        }
    return items


def phase_bandwidth_hz(scan: Scan) -> float:
    """Return the bandwidth of each pixel along the phase-encoding direction."""
    if scan.echo_spacing_s is None:
        raise ValueError(f"{scan.protocol} is not echo-planar")
    return round(scan.acceleration / (scan.echo_spacing_s * scan.phase_steps), 3)


def slice_times_ms(scan: Scan) -> list[float]:
    """Return when each slice of a volume is taken: interleaved, the odd places first.

    A scanner begins with the second slice where their number is even.
    """
    count = scan.grid.shape[0]
    first = 0 if count % 2 else 1
    order = [*range(first, count, 2), *range(1 - first, count, 2)]
    step = scan.repetition_ms / count
    times = [0.0] * count
    for turn, index in enumerate(order):
        times[index] = round(turn * step / 2.5) * 2.5
    return times


def _add_private(dataset: Dataset, person: Person, scan: Scan, *, image_items: Items) -> None:
    _add_readable_private(dataset, person, scan)
    csa = dataset.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
    csa.add_new(0x08, "CS", "IMAGE NUM 4")
    csa.add_new(0x09, "LO", person.study_date)
    csa.add_new(0x10, "OB", csa_header(image_items))
    csa.add_new(0x18, "CS", "MR")
    csa.add_new(0x19, "LO", person.study_date)
    csa.add_new(0x20, "OB", csa_header(_series_items(person, scan)))
    medcom = dataset.private_block(0x0029, "SIEMENS MEDCOM HEADER2", create=True)
    medcom.add_new(0x60, "LO", "com")
    cohort = dataset.private_block(0x0031, "ALDWYN SLEEP COHORT", create=True)
    cohort.add_new(0x01, "LO", f"{person.given_name} {person.family_name}, second visit")


def _add_readable_private(dataset: Dataset, person: Person, scan: Scan) -> None:
    header = dataset.private_block(0x0019, "SIEMENS MR HEADER", create=True)
    header.add_new(0x08, "CS", "IMAGE NUM 4")
    header.add_new(0x09, "LO", "1.0")
    header.add_new(0x0B, "DS", round(scan.repetition_ms / scan.grid.shape[0], 4))
    header.add_new(0x0F, "SH", "Fast")
    header.add_new(0x11, "SH", "No")
    header.add_new(0x12, "SL", list(_TABLE))
    header.add_new(0x13, "SL", list(_TABLE))
    header.add_new(0x15, "FD", [float(value) for value in dataset.ImagePositionPatient])
    header.add_new(0x17, "DS", 1)
    header.add_new(0x18, "IS", round(1e9 / scan.bandwidth_hz / scan.grid.shape[2] / 2))
    text = dataset.private_block(0x0051, "SIEMENS MR HEADER", create=True)
    text.add_new(0x08, "CS", "IMAGE NUM 4")
    text.add_new(0x09, "LO", "1.0")
    text.add_new(0x0A, "LO", f"TA {scan.duration_s:05.2f}")
    text.add_new(0x0B, "LO", _matrix_text(scan))
    text.add_new(0x0F, "LO", "HE1-4;NE1,2")
    if scan.acceleration > 1:
        text.add_new(0x11, "LO", f"p{scan.acceleration}")
    text.add_new(0x13, "SH", "+LPH")
    text.add_new(0x16, "LO", "/".join(scan.image_type[2:]))
    text.add_new(0x17, "SH", f"SL {scan.grid.spacing_mm[0]:.1f}")
    text.add_new(0x19, "LO", f"A1/{person.station}")


def _add_mosaic_private(dataset: Dataset, scan: Scan) -> None:
    header = dataset.private_block(0x0019, "SIEMENS MR HEADER")
    header.add_new(0x0A, "US", scan.grid.shape[0])
    header.add_new(0x16, "DS", 0)
    header.add_new(0x28, "FD", phase_bandwidth_hz(scan))
    header.add_new(0x29, "FD", slice_times_ms(scan))


def _add_diffusion_private(dataset: Dataset, diffusion: Diffusion | None) -> None:
    if diffusion is None:
        return
    header = dataset.private_block(0x0019, "SIEMENS MR HEADER")
    header.add_new(0x0C, "IS", diffusion.b_value)
    if diffusion.b_value:
        header.add_new(0x0D, "CS", "DIRECTIONAL")
        header.add_new(0x0E, "FD", list(diffusion.direction))
        header.add_new(0x27, "FD", diffusion.b_matrix)


def _series_items(person: Person, scan: Scan) -> Items:
    weight = f"{person.weight_kg:.2f}"
    return {
        "UsedPatientWeight": ("IS", [round(person.weight_kg)]),
        "SequenceFileOwner": ("SH", ["SIEMENS"]),
        "MrProtocolVersion": ("IS", [51130001]),
        "PositivePCSDirections": ("SH", ["+LPH"]),
        "ReadoutOS": ("FD", [2.0]),
        "LongModelName": ("LO", ["NUMARIS/4"]),
        "CoilString": ("LO", ["HE1-4;NE1,2"]),
        "PatReinPattern": ("ST", [f"1;HFS;{weight};{person.age_years:.2f};2;0;0;-345402656"]),
        "MrPhoenixProtocol": ("UN", [protocol_text(person, scan)]),
        "GradientMode": ("SH", ["Fast"]),
        "FlowCompensation": ("SH", ["No"]),
        "TablePositionOrigin": ("SL", list(_TABLE)),
    }


def protocol_text(person: Person, scan: Scan) -> str:
    """Write the scanner's own protocol, with the UIDs and the free text that it holds."""
    values = {
        "ulVersion": "51130001",
        "tSequenceFileName": f'""%SiemensSeq%\\{scan.sequence_file}""',
        "tProtocolName": f'""{scan.protocol}""',
        "tReferenceImage0": f'""{person.uid("series", 1, "image", 1)}""',
        "tReferenceImage1": f'""{person.uid("series", 1, "image", 2)}""',
        "tReferenceImage2": f'""{person.uid("series", 1, "image", 3)}""',
        "lContrasts": "1",
        "lAverages": "1",
        "dAveragesDouble": "1.0",
        "lScanTimeSec": str(round(scan.duration_s)),
        "alTR.__attribute__.size": "128",
        "alTR[0]": str(round(scan.repetition_ms * 1000)),
        "alTE.__attribute__.size": "128",
        "alTE[0]": str(round(scan.echo_ms * 1000)),
        "adFlipAngleDegree[0]": f"{scan.flip_degrees:.1f}",
        "sSliceArray.lSize": str(scan.grid.shape[0]),
        "sSliceArray.ucMode": "4",
        "sKSpace.lBaseResolution": str(scan.grid.shape[2]),
        "sKSpace.lPhaseEncodingLines": str(scan.phase_steps),
        "sKSpace.dPhaseResolution": "1.0",
        "sKSpace.ucPhasePartialFourier": "16",
        "sFastImaging.lEPIFactor": str(scan.phase_steps if scan.echo_spacing_s else 1),
        "sPat.lAccelFactPE": str(scan.acceleration),
        "sPat.lAccelFact3D": "1",
        "sWipMemBlock.tFree": f'""for {person.given_name} {person.family_name}""',
        "sSliceAcceleration.lMultiBandFactor": "1",
    }
    lines = "\n".join(f"{key}\t = \t{value}" for key, value in values.items())
    return (
        '<XProtocol> \n{\n  <Name> "PhoenixMetaProtocol" \n  <ID> 1000002 \n'
        '  <Userversion> 2.0 \n  <ParamMap.""> \n  {\n    <ParamLong."Count"> { 1 }\n'
        '    <ParamString."Protocol0"> \n    {\n      "\n'
        "### ASCCONV BEGIN object=MrProtDataImpl@MrProtocolData version=51130001 "
        "converter=%MEASCONST%/ConverterList/Prot_Converter.txt ###\n"
        f'{lines}\n### ASCCONV END ###" \n    }}\n  }}\n}}\n'
    )


def _matrix_text(scan: Scan) -> str:
    return f"{scan.phase_steps}*{scan.grid.shape[2]}"
