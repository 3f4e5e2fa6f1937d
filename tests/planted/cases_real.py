"""Whole series: what dcm2niix says before and after, and identifiers planted in real files."""

from __future__ import annotations

import io
import json
import subprocess
import tempfile
import warnings
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import sessions
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.sequence import Sequence

from bidsanon.external import DCM2NIIX, require_program
from planted.checks import (
    UNREADABLE,
    Across,
    Case,
    Check,
    Cleaned,
    File,
    Kind,
    no_raw_byte_hit,
    pixels_retained,
    text_removed,
    uid_changed,
)
from planted.madeup import Tokens

GALLERY: dict[str, Callable[[Path], list[Path]]] = {
    "T1w": sessions.siemens_t1w,
    "bold mosaics": sessions.bold_mosaic,
    "diffusion mosaics": sessions.dwi_mosaic,
    "field map": sessions.field_map,
    "enhanced bold": sessions.enhanced_mr_names_in_functional_groups,
    "real CSA header": sessions.real_csa,
    "implicit VR": sessions.implicit_vr,
    "big endian": sessions.big_endian,
}
REAL_SETS = (
    "siemens-ve11-epi-mosaic",
    "siemens-ve11-dwi-head",
    "siemens-ve11-fmap-gre",
    "siemens-xa10-enhanced-bold",
    "ge-mr750-epi",
    "ge-dv27-b0map",
    "philips-dual-echo-bold",
    "philips-r53-enhanced-fmap",
    "transfer-syntaxes",
)
IDENTIFYING_KEYS = frozenset(
    {
        *("AccessionNumber", "AcquisitionDateTime", "AcquisitionTime", "BidsGuess"),
        *("ConsistencyInfo", "ConversionComments", "DeidentificationMethod"),
        *("DeidentificationMethodCodeSequence", "DeviceSerialNumber", "ImageComments"),
        *("InstitutionAddress", "InstitutionName", "InstitutionalDepartmentName"),
        *("OperatorsName", "PatientAge", "PatientBirthDate", "PatientID", "PatientName"),
        *("PatientWeight", "PerformingPhysicianName", "ProcedureStepDescription"),
        *("PulseSequenceDetails", "ReferringPhysicianName", "ScanStart", "SeriesInstanceUID"),
        *("SeriesTime", "StationName", "StudyDescription", "StudyID", "StudyInstanceUID"),
        *("WipMemBlock", "ContentDate", "ContentTime", "SeriesDate", "StudyDate", "StudyTime"),
        *("ProtocolName", "SeriesDescription"),
    }
)
"""What a sidecar says of who, where and when, or in free text: it may change."""
_PLANTED = {
    "PatientName": "PN",
    "PatientID": "LO",
    "OtherPatientIDs": "LO",
    "PatientBirthName": "PN",
    "PatientAddress": "LO",
    "PatientTelephoneNumbers": "SH",
    "InstitutionName": "LO",
    "InstitutionAddress": "ST",
    "InstitutionalDepartmentName": "LO",
    "StationName": "SH",
    "DeviceSerialNumber": "LO",
    "AccessionNumber": "SH",
    "StudyID": "SH",
    "ReferringPhysicianName": "PN",
    "PerformingPhysicianName": "PN",
    "OperatorsName": "PN",
    "RequestingPhysician": "PN",
    "PatientComments": "LT",
    "AdditionalPatientHistory": "LT",
    "CurrentPatientLocation": "LO",
    "AdmissionID": "LO",
    "IssuerOfPatientID": "LO",
}
_SAID = ("PatientID", "AccessionNumber", "InstitutionAddress", "DeviceSerialNumber", "StationName")
_DATES = ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate", "PatientBirthDate")
_UIDS = ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID")
_SHORTEST, _SHORTEST_NUMBER = 5, 8
_FILES_PLANTED = 2


def conversion_cases(shared: Path | None = None) -> Iterator[Case]:
    """Yield series, each value of whose sidecars is a check.

    Parameters
    ----------
    shared
        The folder of real sets; None: only series made by code.
    """
    for name, build in GALLERY.items():
        with tempfile.TemporaryDirectory() as folder:
            paths = build(Path(folder))
            files = {f"{n:04d}.dcm": path.read_bytes() for n, path in enumerate(paths)}
        yield _conversion(f"conversion/{name}", files)
    for name in REAL_SETS if shared is not None else ():
        if shared is not None and (shared / name).is_dir():
            yield _conversion(f"conversion/{name}", _files_of(shared / name))


def real_cases(shared: Path, seed: int) -> Iterator[Case]:
    """Yield real files with values planted in them, and with their own."""
    for number, name in enumerate(REAL_SETS):
        if (shared / name).is_dir():
            yield _planted_in_real(name, _files_of(shared / name), Tokens(seed + number))


def _files_of(folder: Path) -> dict[str, bytes]:
    files = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != "DICOMDIR":
            content = path.read_bytes()
            if content[128:132] == b"DICM":
                files[f"{len(files):04d}.dcm"] = content
    return files


def _conversion(name: str, files: dict[str, bytes]) -> Case:
    before = _converted(tuple(files.values()))
    checks = [
        Across(
            kind=Kind.BIDS_VALUE_EQUAL, place=f"{name}/{image}: {key}", passes=_equal(image, key)
        )
        for image, said in before.items()
        for key in said
    ]
    return Case(name=name, files=files, checks=tuple(checks))


def _equal(image: str, key: str) -> Callable[[Cleaned], bool]:
    def passes(cleaned: Cleaned) -> bool:
        before = _converted(tuple(file.content for file in cleaned.before.values()))
        after = _converted(
            tuple(file.content for file in cleaned.after.values() if file is not None)
        )
        return after.get(image, {}).get(key) == before[image][key]

    return passes


@lru_cache(maxsize=4)
def _converted(contents: tuple[bytes, ...]) -> dict[str, dict[str, Any]]:
    """Return what dcm2niix makes of files: of each image its sidecar, voxels and gradients."""
    with tempfile.TemporaryDirectory() as name:
        source, out = Path(name, "in"), Path(name, "out")
        source.mkdir()
        out.mkdir()
        for number, content in enumerate(contents):
            (source / f"{number:04d}.dcm").write_bytes(content)
        program = require_program(DCM2NIIX)
        command = [program, "-ba", "n", "-z", "n", "-f", "%s_%e", "-o", out, source]
        subprocess.run(command, check=False, capture_output=True, timeout=300)
        return {path.stem: _said(path) for path in sorted(out.glob("*.nii"))}


def _said(image: Path) -> dict[str, Any]:
    sidecar = image.with_suffix(".json")
    said = json.loads(sidecar.read_text("utf-8")) if sidecar.exists() else {}
    said = {key: value for key, value in said.items() if key not in IDENTIFYING_KEYS}
    said["voxels"] = image.read_bytes()[352:]
    for suffix in (".bval", ".bvec"):
        gradients = image.with_suffix(suffix)
        if gradients.exists():
            said[suffix] = gradients.read_text("ascii")
    return said


def _planted_in_real(name: str, files: dict[str, bytes], tokens: Tokens) -> Case:
    chosen: dict[str, bytes] = {}
    checks: list[Check] = []
    for file, content in list(files.items())[:: max(1, len(files) // _FILES_PLANTED)]:
        data_set = dcmread(io.BytesIO(content))
        place = f"real/{name}/{file}"
        chosen[f"own-{file}"] = content
        checks += _own_checks(f"own-{file}", data_set, place)
        planted = _plant(data_set, tokens)
        written = _written(data_set)
        if written is None:
            continue
        chosen[f"planted-{file}"] = written
        checks.append(pixels_retained(f"planted-{file}", place))
        for keyword, token in planted.items():
            checks.append(no_raw_byte_hit(f"planted-{file}", f"{place}/{keyword}", token))
            if keyword in _PLANTED:
                tag = Dataset()
                setattr(tag, keyword, "")
                path = (int(next(iter(tag.keys()))),)
                checks.append(text_removed(f"planted-{file}", path, f"{place}/{keyword}", token))
    return Case(name=f"real/{name}", files=chosen, checks=tuple(checks))


def _own_checks(file: str, data_set: Dataset, place: str) -> Iterator[Check]:
    """Yield checks on what a real file says of itself."""
    for keyword in (*_SAID, *_DATES, *_UIDS):
        value = str(data_set.get(keyword, "") or "")
        telling = any(map(str.isdigit, value)) or " " in value
        # A short number may stand in a new UID by chance.
        shortest = _SHORTEST_NUMBER if value.isdigit() else _SHORTEST
        if len(value) >= shortest and telling:
            yield no_raw_byte_hit(file, f"{place}/own {keyword}", value)
    for keyword in _UIDS:
        if keyword in data_set:
            yield uid_changed(file, (int(data_set[keyword].tag),), f"{place}/own {keyword}")
    if "PixelData" in data_set:
        yield pixels_retained(file, f"{place}/own pixels")


def _plant(data_set: Dataset, tokens: Tokens) -> dict[str, str]:
    planted = {}
    for keyword, vr in _PLANTED.items():
        planted[keyword] = tokens.code() if vr == "SH" else tokens.word()
        setattr(data_set, keyword, planted[keyword])
    item = Dataset()
    item.PersonName = planted["nested name"] = tokens.word()
    item.StudyDate = planted["nested date"] = tokens.day()
    item.ReferencedSOPInstanceUID = planted["nested UID"] = tokens.uid()
    data_set.ContributingEquipmentSequence = Sequence([item])
    block = data_set.private_block(0x0071, "WENDLOHE COHORT", create=True)
    planted["private"] = tokens.word()
    block.add_new(0x01, "LO", planted["private"])
    # The words of the series' names stay, what names the patient in them goes.
    data_set.SeriesDescription = f"tse {planted['PatientName']} axial"
    data_set.ImageComments = f"{planted['PatientID']} and {planted['OperatorsName']}"
    return planted


def _written(data_set: Dataset) -> bytes | None:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            dcmwrite(buffer, data_set)
        except UNREADABLE:
            return None
    content = buffer.getvalue()
    return content if File(content).data_set.get("PatientID") else None
