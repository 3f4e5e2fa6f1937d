"""Series as their headers describe them, written short: what ``protocols.tsv`` holds, made DICOM.

A row's header is a list of words. A scanning sequence (``GR+IR``); ``3D``; the sequence's name, by
vendor (``*tfl3d1_16ns``, ``xa:*epfid2d1_64``, ``ge:epi2``, ``ph:FEEPI``); ``te``, ``tr`` and ``ti``
in milliseconds, several echoes with commas; ``type=`` with the words of the image type that differ
from ORIGINAL, PRIMARY, M and ND; ``parts=M,P``; ``b=``; ``pe=AP`` (``pe=AP?`` where only the axis
is said); ``planes=3``; ``sag`` or ``cor``; ``planned=``; ``agent``; ``MTC``; ``angio``.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

TABLE = Path(__file__).with_name("protocols.tsv")
_PLANES = {
    "tra": [1, 0, 0, 0, 1, 0],
    "sag": [0, 1, 0, 0, 0, -1],
    "cor": [1, 0, 0, 0, 0, -1],
}
_ENCODING = {"AP": ("COL", 1), "PA": ("COL", 0), "RL": ("ROW", 1), "LR": ("ROW", 0)}
_VENDORS = {
    "siemens": "SIEMENS",
    "xa": "SIEMENS",
    "ge": "GE MEDICAL SYSTEMS",
    "ph": "Philips",
    "uih": "UIH",
    "canon": "CANON_MEC",
}
_COMPONENTS = {"M": 0, "P": 1, "R": 2, "I": 3}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One series of a protocol.

    Attributes
    ----------
    session
        The study and the vendor.
    description
        What the series is called.
    header
        What its header says, in words.
    slices, volumes
        How many.
    expected
        Its name from the datatype on; or, after a hyphen, words of the reason why it has none.
    """

    session: str
    description: str
    header: tuple[str, ...]
    slices: int
    volumes: int
    expected: str


def protocols() -> dict[str, list[Row]]:
    """Read the table, by session."""
    sessions: dict[str, list[Row]] = {}
    with TABLE.open(newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream, delimiter="\t"):
            slices, _, volumes = row["size"].partition("x")
            sessions.setdefault(row["session"], []).append(
                Row(
                    session=row["session"],
                    description=row["description"],
                    header=tuple(row["header"].split()),
                    slices=int(slices),
                    volumes=int(volumes or 1),
                    expected=row["expected"],
                )
            )
    return sessions


def wrapped(row: Row, folder: Path) -> tuple[Any, list[str]]:
    """Make what heudiconv gives to ``custom_seqinfo``: a wrapper of the first file, and the files.

    Only the first few files are there, as they are where a session is planned.
    """
    folder.mkdir(parents=True)
    headers = list(_headers(row))
    enhanced = row.session.endswith("-xa")
    mosaic = "MOSAIC" in headers[0].ImageType
    count = row.volumes * (1 if mosaic or enhanced else row.slices * _kinds(row))
    files = [str(folder / f"{number:05d}.dcm") for number in range(count)]
    for header, file in zip(headers, files, strict=False):
        dcmwrite(file, header, enforce_file_format=True)
    positive = next((w.removeprefix("pe=") for w in row.header if w.startswith("pe=")), "?")
    known = _ENCODING.get(positive)
    csa = {"tags": {"PhaseEncodingDirectionPositive": {"items": [known[1]]}} if known else {}}
    shape = (64, 64, row.slices) if enhanced else (64, 64)
    return SimpleNamespace(dcm_data=headers[0], csa_header=csa, image_shape=shape), files


def _kinds(row: Row) -> int:
    """Count the images that are acquired of each slice."""
    words = [w for w in row.header if w.startswith(("te", "parts="))]
    echoes = max((w.count(",") + 1 for w in words if w.startswith("te")), default=1)
    parts = max((w.count(",") + 1 for w in words if w.startswith("parts=")), default=1)
    return echoes * parts


def _headers(row: Row) -> Iterator[Dataset]:
    """Make the headers of a series that differ: by echo, by part, by diffusion, by plane."""
    said = dict(word.split("=", 1) for word in row.header if "=" in word)
    echoes = next((w[2:] for w in row.header if w[:2] == "te"), "").split(",")
    parts = said.get("parts", "").split(",")
    planes = ["sag", "cor", "tra"][: int(said.get("planes", 0))] or [
        next((w for w in row.header if w in _PLANES), "tra")
    ]
    weightings = ["0", said["b"]] if said.get("b", "0") != "0" else [said.get("b", "")]
    for number, (echo, part, plane, weighting) in enumerate(
        itertools.product(echoes, parts, planes, weightings)
    ):
        header = _header(row, said, number)
        header.ImageOrientationPatient = _PLANES[plane]
        if echo:
            header.EchoTime = float(echo)
        if part:
            header.ImageType = [part if word == "M" else word for word in header.ImageType]
        if weighting:
            header.DiffusionBValue = float(weighting)
        if part and row.session.endswith("-ge"):
            header.private_block(0x0043, "GEMS_PARM_01", create=True).add_new(
                0x2F, "SS", _COMPONENTS[part]
            )
            header.ImageType = ["ORIGINAL", "PRIMARY", "OTHER"]
        yield header


def _header(row: Row, said: dict[str, str], number: int) -> Dataset:
    vendor = row.session.rpartition("-")[2]
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.SOPClassUID = MRImageStorage
    header.SOPInstanceUID = f"2.25.{number + 1}"
    header.Modality = said.get("modality", "MR")
    header.Manufacturer = _VENDORS[vendor]
    header.SeriesDescription = header.ProtocolName = row.description
    header.ImageType = _image_type(said.get("type", ""), vendor)
    header.MRAcquisitionType = "3D" if "3D" in row.header else "2D"
    header.Rows = header.Columns = 64
    header.PixelSpacing = [2, 2]
    header.SliceThickness = 2
    _add_sequence(header, row)
    for word in row.header:
        if word[:2] == "tr" and word[2:3].isdigit():
            header.RepetitionTime = float(word[2:])
        elif word[:2] == "ti" and word[2:3].isdigit():
            header.InversionTime = float(word[2:])
    if "pe" in said:
        header.InPlanePhaseEncodingDirection = _ENCODING[said["pe"].rstrip("?")][0]
    if "planned" in said:
        header.NumberOfTemporalPositions = int(said["planned"])
    if "agent" in row.header:
        header.ContrastBolusAgent = "YES"
    if "MTC" in row.header:
        header.SequenceVariant = ["SP", "MTC"]
    if "angio" in row.header:
        header.AngioFlag = "Y"
    if vendor == "xa":
        header.NumberOfFrames = row.slices
    elif vendor == "ge":
        header.private_block(0x0021, "GEMS_RELA_01", create=True).add_new(0x4F, "SS", row.slices)
    elif vendor == "ph":
        header.private_block(0x2001, "Philips Imaging DD 001", create=True).add_new(
            0x18, "SL", row.slices
        )
    return header


def _image_type(words: str, vendor: str) -> list[str]:
    usual = {"ge": ["ORIGINAL", "PRIMARY", "OTHER"], "ph": ["ORIGINAL", "PRIMARY", "M_FFE", "M"]}
    if words.startswith(("DERIVED", "ORIGINAL")):
        return words.replace("_", " ").split("/")
    plain = usual.get(vendor, ["ORIGINAL", "PRIMARY", "M", "ND"])
    return [*plain, *words.replace("_", " ").split("/")] if words else plain


def _add_sequence(header: Dataset, row: Row) -> None:
    for word in row.header:
        if set(word.split("+")) <= {"GR", "SE", "EP", "IR", "RM"}:
            header.ScanningSequence = word.split("+")
        elif word.startswith("*"):
            header.SequenceName = word
        elif word.startswith("xa:"):
            header.PulseSequenceName = word[3:]
        elif word.startswith("ge:"):
            block = header.private_block(0x0019, "GEMS_ACQU_01", create=True)
            block.add_new(0x9C, "LO", word[3:])
            if "epi" in word.lower():
                header.ScanOptions = "EPI_GEMS"
        elif word.startswith("ph:"):
            block = header.private_block(0x2001, "Philips Imaging DD 001", create=True)
            block.add_new(0x20, "LO", word[3:])
            if "EPI" in word or word == "ph:DwiSE":
                block.add_new(0x13, "SL", 51)
