"""What a Siemens scanner writes into private elements: readable ones, CSA headers, its protocol.

An identifying value stands wherever a real scanner puts one.
"""

from __future__ import annotations

from pydicom import Dataset

from bidsanon.demo.csa import Items, csa_header
from bidsanon.demo.person import Person
from bidsanon.demo.scan import Diffusion, Scan, phase_bandwidth_hz, slice_times_ms

_TABLE = (0, 0, -1272)


def add_private(
    dataset: Dataset,
    person: Person,
    scan: Scan,
    *,
    slice_index: int = 0,
    mosaic: bool = False,
    diffusion: Diffusion | None = None,
) -> None:
    """Add all private elements to an image.

    Parameters
    ----------
    dataset
        The image; it has its position and its number already.
    person
        Whose it is.
    scan
        Its series.
    slice_index
        Which slice it is, from 0.
    mosaic
        Whether it holds all slices of a volume.
    diffusion
        Its weighting, in a diffusion scan.
    """
    items = _image_items(dataset, scan, slice_index=slice_index) | _diffusion_items(diffusion)
    _add_readable_private(dataset, person, scan)
    if mosaic:
        items |= _mosaic_items(scan)
        _add_mosaic_private(dataset, scan)
    _add_diffusion_private(dataset, diffusion)
    csa = dataset.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
    csa.add_new(0x08, "CS", "IMAGE NUM 4")
    csa.add_new(0x09, "LO", person.study_date)
    csa.add_new(0x10, "OB", csa_header(items))
    csa.add_new(0x18, "CS", "MR")
    csa.add_new(0x19, "LO", person.study_date)
    csa.add_new(0x20, "OB", csa_header(_series_items(person, scan)))
    medcom = dataset.private_block(0x0029, "SIEMENS MEDCOM HEADER2", create=True)
    medcom.add_new(0x60, "LO", "com")
    cohort = dataset.private_block(0x0031, "ALDWYN SLEEP COHORT", create=True)
    cohort.add_new(0x01, "LO", f"{person.given_name} {person.family_name}, second visit")


def _image_items(dataset: Dataset, scan: Scan, *, slice_index: int) -> Items:
    return {
        "ICE_Dims": ("LO", [f"X_{scan.echo_number}_1_1_1_1_1_1_1_1_1_1_{dataset.InstanceNumber}"]),
        "ProtocolSliceNumber": ("IS", [slice_index]),
        "RealDwellTime": ("IS", [round(1e9 / scan.bandwidth_hz / scan.grid.shape[2] / 2)]),
        "SliceMeasurementDuration": ("DS", [scan.repetition_ms / scan.grid.shape[0]]),
        "AcquisitionMatrixText": ("SH", [_matrix_text(scan)]),
        "PhaseEncodingDirectionPositive": ("IS", [int(scan.phase_positive)]),
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
