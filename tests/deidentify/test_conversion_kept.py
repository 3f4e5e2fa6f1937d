"""What dcm2niix makes of real originals and of their de-identified copies agrees."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from real_sets import MR_SETS

from bidsanon.deidentify.instance import Deidentifier
from bidsanon.dicom.encoding import NotUnderstoodError
from bidsanon.external import DCM2NIIX, require_program, run_program
from bidsanon.profile import Profile
from bidsanon.vault import PersonPlan

WRITTEN_ANEW = {
    "AccessionNumber",
    "AcquisitionDateTime",
    "DeidentificationMethod",
    "DeidentificationMethodCodeSequence",
    "DeviceSerialNumber",
    "InstitutionAddress",
    "InstitutionName",
    "InstitutionalDepartmentName",
    "PatientAge",
    "PatientBirthDate",
    "PatientID",
    "PatientName",
    "ProcedureStepDescription",
    "ReferringPhysicianName",
    "SeriesInstanceUID",
    "StationName",
    "StudyDescription",
    "StudyID",
    "StudyInstanceUID",
}
FREE_TEXT = {"ProtocolName", "SeriesDescription", "PulseSequenceDetails"}
NIFTI_HEADER_BYTES = 352
DESCRIPTION = slice(148, 252)  # descrip and aux_file


@pytest.mark.slow
@pytest.mark.parametrize("name", MR_SETS)
def test_images_gradients_and_sidecars_agree(
    name: str,
    shared_data: Callable[[str], Path],
    bids: Profile,
    plan: PersonPlan,
    tmp_path: Path,
) -> None:
    original = shared_data(name)
    copies = tmp_path / "copies"
    copy_deidentified(original, copies, Deidentifier(profile=bids, plan=plan, marked=False))
    before, after = convert(original, tmp_path / "before"), convert(copies, tmp_path / "after")
    assert before
    assert [path.name for path in before] == [path.name for path in after]
    for one, other in zip(before, after, strict=True):
        assert_agree(one, other)


def copy_deidentified(original: Path, copies: Path, deidentifier: Deidentifier) -> None:
    for number, path in enumerate(sorted(p for p in original.rglob("*") if p.is_file())):
        if path.name == "DICOMDIR":
            continue
        try:
            cleaned = deidentifier.clean(path.read_bytes())
        except NotUnderstoodError:
            assert path.suffix == ".txt", path
            continue
        target = copies / path.relative_to(original).parent / f"{number:06d}.dcm"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(b"".join(cleaned.pieces))


def convert(folder: Path, into: Path) -> list[Path]:
    into.mkdir()
    options = ["-b", "y", "-z", "n", "-ba", "n", "-d", "9", "-f", "s%s"]
    run_program([require_program(DCM2NIIX), *options, "-o", into, folder], timeout_s=600)
    return sorted(into.iterdir())


def assert_agree(before: Path, after: Path) -> None:
    if before.suffix == ".json":
        one, other = (json.loads(path.read_text()) for path in (before, after))
        assert {k: v for k, v in one.items() if k not in WRITTEN_ANEW | FREE_TEXT} == {
            k: v for k, v in other.items() if k not in WRITTEN_ANEW | FREE_TEXT
        }
        assert FREE_TEXT & one.keys() == FREE_TEXT & other.keys()
        return
    first, second = bytearray(before.read_bytes()), bytearray(after.read_bytes())
    if before.suffix == ".nii":
        first[DESCRIPTION] = second[DESCRIPTION] = b""
    assert first == second
