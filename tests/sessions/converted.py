"""What heudiconv leaves of a session, made by code: images, sidecars and tables with identity.

The values that must not be published are in :data:`PLANTED`; each of them stands somewhere in the
tree that :func:`converted_session` writes.
"""

from __future__ import annotations

import gzip
import json
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bidsanon.session import (
    CodedConcept,
    ConvertedImage,
    ConvertedSession,
    DefacedSession,
    DefaceOutcome,
    DefaceVerdict,
    DeidentifiedSession,
    Participant,
    SourceSession,
)

PLANTED = (
    "Doe^Mara",
    "Quux Hospital",
    "4711 Elm Street",
    "scanner-in-room-9",
    "SERIAL-66021",
    "for Mara Doe",
    "ACC0815",
    "Nurse^Nora",
    "jsmith",
    "08:15:00",
)
BASIC = CodedConcept(
    value="113100", scheme="DCM", meaning="Basic Application Confidentiality Profile"
)
METHOD = "bidsanon, PS3.15 Basic Profile"

_TYPICAL: dict[str, Any] = {
    "AcquisitionTime": "08:15:00.000000",
    "ConversionSoftware": "dcm2niix",
    "DeviceSerialNumber": "SERIAL-66021",
    "EchoTime": 0.03,
    "FlipAngle": 60,
    "ImageComments": "scan for Mara Doe",
    "ImageType": ["ORIGINAL", "PRIMARY", "M"],
    "InstitutionAddress": "4711 Elm Street",
    "InstitutionName": "Quux Hospital",
    "MagneticFieldStrength": 3,
    "Manufacturer": "Siemens",
    "ManufacturersModelName": "Prisma",
    "PhaseEncodingDirection": "j-",
    "ProcedureStepDescription": "for Mara Doe",
    "ProtocolName": "a_protocol",
    "ReferringPhysicianName": "Nurse^Nora",
    "RepetitionTime": 2.0,
    "ShimSetting": [1, -2, 3],
    "SliceThickness": 3,
    "StationName": "scanner-in-room-9",
    "StudyDescription": "for Mara Doe",
    "TotalReadoutTime": 0.05,
    "WipMemBlock": "built by jsmith",
    "global": {"const": {"PatientName": "Doe^Mara", "AccessionNumber": "ACC0815"}},
}


def nifti(
    shape: tuple[int, ...] = (4, 5, 6),
    *,
    version: int = 1,
    order: str = "<",
    extension: bytes = b"",
    trailing: bytes = b"",
    intent_code: int = 0,
    texts: Mapping[str, bytes] | None = None,
) -> bytes:
    """Write a NIfTI image of 16-bit numbers, with texts in its header."""
    dimensions = [len(shape), *shape, *[1] * (7 - len(shape))]
    offset = (352 if version == 1 else 544) + len(extension)
    flag = struct.pack("4B", bool(extension), 0, 0, 0)
    if version == 1:
        header = bytearray(348)
        struct.pack_into(order + "i", header, 0, 348)
        struct.pack_into(order + "8h", header, 40, *dimensions)
        struct.pack_into(order + "3h", header, 68, intent_code, 4, 16)
        struct.pack_into(order + "8f", header, 76, 1, *[2.0] * 7)
        struct.pack_into(order + "3f", header, 108, offset, 1, 0)
        header[123] = 10
        struct.pack_into(order + "h", header, 254, 1)
        struct.pack_into(order + "12f", header, 280, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0)
        header[344:348] = b"n+1\0"
        places = {
            "data_type": 4,
            "db_name": 14,
            "descrip": 148,
            "aux_file": 228,
            "intent_name": 328,
        }
    else:
        header = bytearray(540)
        struct.pack_into(order + "i", header, 0, 540)
        header[4:12] = b"n+2\0\r\n\x1a\n"
        struct.pack_into(order + "2h", header, 12, 4, 16)
        struct.pack_into(order + "8q", header, 16, *dimensions)
        struct.pack_into(order + "8d", header, 104, 1, *[2.0] * 7)
        struct.pack_into(order + "q2d", header, 168, offset, 1, 0)
        struct.pack_into(order + "i", header, 504, intent_code)
        struct.pack_into(order + "i", header, 500, 10)
        places = {"descrip": 240, "aux_file": 320, "intent_name": 508, "unused_str": 525}
    for name, text in (texts or {}).items():
        header[places[name] : places[name] + len(text)] = text
    voxels = np.arange(np.prod(shape), dtype=order + "i2")
    return bytes(header) + flag + extension + voxels.tobytes() + trailing


def nifti_extension(content: bytes) -> bytes:
    """Frame a header extension of DICOM kind."""
    size = -(-(len(content) + 8) // 16) * 16
    return struct.pack("<ii", size, 2) + content.ljust(size - 8, b"\0")


def named_gzip(content: bytes) -> bytes:
    """Compress with a name and a time in the gzip header, as ``gzip`` the program does."""
    plain = gzip.compress(content, 1, mtime=1_600_000_000)
    return plain[:3] + b"\x08" + plain[4:10] + b"Doe^Mara.nii\0" + plain[10:]


def write_image(path: Path, content: bytes, sidecar: Mapping[str, Any]) -> None:
    """Write an image as heudiconv leaves it: read-only, its sidecar beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    own = path.with_name(path.name.removesuffix(".nii.gz") + ".json")
    for file, written in (
        (path, named_gzip(content)),
        (own, json.dumps(sidecar, indent=2).encode()),
    ):
        file.unlink(missing_ok=True)
        file.write_bytes(written)
        file.chmod(0o444)


def converted_session(root: Path) -> DefacedSession:
    """Write a session of a T1w, a bold, a dwi and a field map, with identity all over it."""
    folder = root / "sub-01" / "ses-01"
    texts = {"descrip": b"TE=30;Time=081500.000", "aux_file": b"for Mara Doe", "db_name": b"Doe"}
    images = {
        "anat/sub-01_ses-01_T1w": ((4, 5, 6), {}),
        "dwi/sub-01_ses-01_dwi": ((4, 5, 6, 3), {}),
        "fmap/sub-01_ses-01_magnitude1": ((4, 5, 6), {}),
        "fmap/sub-01_ses-01_phasediff": (
            (4, 5, 6),
            {"EchoTime1": 0.005, "EchoTime2": 0.0075},
        ),
        "func/sub-01_ses-01_task-rest_bold": (
            (4, 5, 6, 3),
            {"TaskName": "rest", "SliceTiming": [0, 0.5, 1, 1.5, 0.2, 0.7]},
        ),
    }
    for name, (shape, more) in images.items():
        extension = nifti_extension(b"Doe^Mara")
        content = nifti(shape, texts=texts, extension=extension)
        write_image(folder / f"{name}.nii.gz", content, _TYPICAL | more)
    dwi = folder / "dwi" / "sub-01_ses-01_dwi"
    dwi.with_suffix(".bval").write_text("0 1000 1000 \r\n")
    dwi.with_suffix(".bvec").write_text("0 1 0\n0 0 1\n0 0 0\n")
    stub = folder / "func" / "sub-01_ses-01_task-rest_events.tsv"
    stub.write_text("onset\tduration\tTODO -- fill in rows and add more columns\n")
    write_scans(
        folder / "sub-01_ses-01_scans.tsv",
        {
            "func/sub-01_ses-01_task-rest_bold.nii.gz": "1912-03-04T08:20:00.500000",
            "anat/sub-01_ses-01_T1w.nii.gz": "1912-03-04T08:15:00.500000",
            "fmap/sub-01_ses-01_magnitude1.nii.gz": "1912-03-04T08:40:00.500000",
            "fmap/sub-01_ses-01_phasediff.nii.gz": "1912-03-04T08:40:00.500000",
            "dwi/sub-01_ses-01_dwi.nii.gz": "n/a",
        },
    )
    paths = [f"sub-01/ses-01/{name}.nii.gz" for name in images]
    return defaced_session(root, paths, defaced=paths[:1])


def write_scans(path: Path, times: Mapping[str, str]) -> None:
    """Write a scans.tsv with heudiconv's columns and line ends."""
    rows = [f"{name}\t{moment}\tNurse^Nora\tf081cc75" for name, moment in times.items()]
    path.write_bytes("\r\n".join(["filename\tacq_time\toperator\trandstr", *rows, ""]).encode())


def defaced_session(
    root: Path,
    paths: Iterable[str],
    *,
    defaced: Iterable[str] = (),
    withheld: Iterable[str] = (),
    first_acquisition: str | None = None,
    codes: tuple[CodedConcept, ...] = (BASIC,),
    session: str | None = "01",
) -> DefacedSession:
    """Make the record of a session whose files stand below `root`."""
    source = SourceSession(
        roots=(), given=(), person="a person", series=(), quarantine=(), other_files=0
    )
    deidentified = DeidentifiedSession(
        source=source,
        folder=root,
        series=(),
        identity=(),
        participant=Participant(age_years=44, sex="F"),
        method=METHOD,
        method_codes=codes,
        first_acquisition=first_acquisition,
        changes={},
    )
    converted = ConvertedSession(
        deidentified=deidentified,
        root=root,
        subject="01",
        session=session,
        images=tuple(
            ConvertedImage(path=path, series_index=1, datatype="anat", suffix="T1w")
            for path in paths
        ),
        skipped=(),
        tools={"heudiconv": "1.5.1", "dcm2niix": "v1.0.20260724"},
    )
    outcomes = tuple(
        DefaceOutcome(
            path=path,
            verdict=DefaceVerdict.DEFACED if path in set(defaced) else DefaceVerdict.NOT_NEEDED,
            engine="bidsanon" if path in set(defaced) else "",
            engine_version="bidsanon 0.0.1 with a template" if path in set(defaced) else "",
            reason="",
        )
        for path in paths
    )
    return DefacedSession(converted=converted, outcomes=outcomes, withheld=tuple(withheld))
