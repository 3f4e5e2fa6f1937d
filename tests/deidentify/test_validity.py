"""De-identification breaks no rule of DICOM that the original kept: dciodvfy, before and after."""

from __future__ import annotations

import re
import shutil
import subprocess
import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import pytest
import sessions
from optional import lacking
from pydicom import Dataset, dcmread
from pydicom.datadict import dictionary_VM, dictionary_VR
from pydicom.errors import InvalidDicomError
from pydicom.sequence import Sequence
from pydicom.uid import DeflatedExplicitVRLittleEndian
from real_sets import MR_SETS, ODD_SETS

from bidsanon.deidentify import NotUnderstoodError, deidentify_instance
from bidsanon.dicom.confidentiality import TYPES, table_row, table_rows
from bidsanon.profile import Action, bundled_profiles, load_profile
from bidsanon.resources import data_path
from bidsanon.vault import PersonPlan

IMAGE = "1.2.840.10008.5.1.4.1.1."
SOP_CLASSES = {
    "MR": f"{IMAGE}4",
    "Enhanced MR": f"{IMAGE}4.1",
    "CT": f"{IMAGE}2",
    "Enhanced CT": f"{IMAGE}2.1",
    "PET": f"{IMAGE}128",
    "Secondary Capture": f"{IMAGE}7",
    "Enhanced SR": f"{IMAGE}88.22",
    "Comprehensive SR": f"{IMAGE}88.33",
    "Presentation State": f"{IMAGE}11.1",
    "Segmentation": f"{IMAGE}66.4",
}
IMAGES = (f"{IMAGE}2", f"{IMAGE}4", f"{IMAGE}128")
VALUES = {
    "AE": "ALDWYN",
    "AS": "034Y",
    "CS": "ALDWYN",
    "DA": "20230517",
    "DS": "1",
    "DT": "20230517101112",
    "FD": 1.0,
    "IS": "1",
    "OB": b"\1\2",
    "OW": b"\1\2",
    "TM": "101112",
    "UI": "1.3.12.2.1107.5.2.1",
    "UL": 1,
    "UN": b"\1\2",
    "UR": "https://aldwyn.example",
    "US": 1,
}
BUILDERS = (
    sessions.siemens_t1w,
    sessions.bold_mosaic,
    sessions.dwi_mosaic,
    sessions.implicit_vr,
    sessions.big_endian,
    sessions.japanese_name,
    sessions.enhanced_mr_names_in_functional_groups,
    sessions.nested_sequences_with_names,
    sessions.un_encoded_sequence,
    sessions.burned_in_capture,
    sessions.structured_report,
    sessions.computed_tomography,
    sessions.phoenix_report,
)
DOCUMENTS = (
    sessions.burned_in_capture,
    sessions.structured_report,
    sessions.phoenix_report,
)
FOR_IMAGES_OF_PEOPLE = {"bids", "strict"}
"""Profiles that let no reports through, and remove what only reports need."""
IMAGES_OF_PEOPLE = {"MR", "Enhanced MR", "CT", "Enhanced CT", "PET"}
MOST_FILES_A_SET = 12


def complaints(path: Path) -> Counter[str]:
    """Return what dciodvfy calls an error, without values and numbers of items."""
    program = shutil.which("dciodvfy")
    if program is None:
        lacking("dciodvfy (Debian: dicom3tools)")
    said = subprocess.run([program, "-new", path], capture_output=True, check=False)
    lines = (said.stdout + said.stderr).decode("latin-1").splitlines()
    return Counter(
        re.sub(r"\[\d+\]|= (<[^>]*>|'[^']*')", "...", line)
        for line in lines
        if line.startswith("Error")
    )


def new_complaints(original: Path, *, profile: str, plan: PersonPlan, folder: Path) -> list[str]:
    """Return the errors in a de-identified copy that the original does not have."""
    try:
        instance = deidentify_instance(
            original.read_bytes(), profile=load_profile(profile), plan=plan
        )
    except NotUnderstoodError:
        return []
    copy = folder / f"{profile}.dcm"
    copy.write_bytes(instance.content)
    added = complaints(copy) - complaints(original)
    return sorted(line for line in added if not is_intended(line, profile=profile))


def is_intended(complaint: str, *, profile: str) -> bool:
    """Tell whether what is wrong is what the table, or the profile, asks for.

    The table removes some attributes whatever their Type is. And it replaces the name of an ethics
    committee, which may only be there together with the approval's number, which it removes. The
    profile strict keeps no reference to other images, whatever condition would ask for it. And
    where a body part repeats a name and is cut, a laterality is asked for that nobody knows.
    """
    if "Conditional" in complaint and (profile == "strict" or "(0020,0060)> -" in complaint):
        return True
    if "(0012,0081)> - Attribute present when condition unsatisfied" in complaint:
        return True
    path = re.findall(r"\(([0-9a-f]{4}),([0-9a-f]{4})\)", complaint.partition("> -")[0])
    if "Missing attribute" not in complaint or not path:
        return False
    row = table_row(int("".join(path[-1]), 16))
    return row is not None and row.basic == Action.REMOVE


def instance_of(sop_class_uid: str) -> Dataset:
    """Make an instance with every attribute of Table E.1-1 that its top level may hold.

    The attributes whose action depends on their Type stand in every sequence where the IOD has
    them.
    """
    made = Dataset()
    for row in table_rows():
        if row.number and row.number >> 16 >= 0x0008 and is_known(row.number):
            add(made, row.number)
    below = sop_class_uid.removeprefix("1.2.840.10008.5.1.4.")
    for line in data_path(TYPES).read_text("utf-8").splitlines()[1:]:
        tag, place, _, sop_classes = line.split("\t")
        sequences = [int(part, 16) for part in place.split("/") if part]
        if below in sop_classes.split() and all(is_known(tag) for tag in sequences):
            item = made
            for sequence in sequences:
                if sequence not in item or not item[sequence].value:
                    item[sequence] = item.get(sequence) or new_element(sequence)
                    item[sequence].value = Sequence([Dataset()])
                item = item[sequence].value[0]
            add(item, int(tag[1:5] + tag[6:10], 16))
    made.SOPClassUID = sop_class_uid
    made.SpecificCharacterSet = "ISO_IR 100"
    return made


def is_known(tag: int) -> bool:
    try:
        return bool(dictionary_VR(tag))
    except KeyError:
        return False


def new_element(tag: int) -> object:
    holder = Dataset()
    add(holder, tag)
    return holder[tag]


def add(item: Dataset, tag: int) -> None:
    vr = dictionary_VR(tag).split(" or ")[0]
    if tag in item:
        return
    value = [Dataset()] if vr == "SQ" else VALUES.get(vr, "Aldwyn")
    if vr != "SQ" and dictionary_VM(tag) in ("2", "2-n"):
        value = [value, value]
    item.add_new(tag, vr, value)


@pytest.mark.parametrize(
    ("name", "profile"),
    [
        (name, profile)
        for name in SOP_CLASSES
        for profile in bundled_profiles()
        if profile not in FOR_IMAGES_OF_PEOPLE or (name in IMAGES_OF_PEOPLE and profile == "bids")
    ],
)
def test_no_attribute_that_the_iod_requires_is_lost(
    name: str, profile: str, plan: PersonPlan, written: Callable[..., bytes], tmp_path: Path
) -> None:
    original = tmp_path / "original.dcm"
    original.write_bytes(written(instance_of(SOP_CLASSES[name])))
    added = new_complaints(original, profile=profile, plan=plan, folder=tmp_path)
    assert added == []


@pytest.mark.parametrize("builder", BUILDERS, ids=lambda builder: builder.__name__)
def test_what_was_valid_in_the_gallery_stays_valid(
    builder: Callable[[Path], list[Path]], plan: PersonPlan, tmp_path: Path
) -> None:
    original = builder(tmp_path / "session")[0]
    for profile in bundled_profiles():
        if profile in FOR_IMAGES_OF_PEOPLE and builder in DOCUMENTS:
            continue
        added = new_complaints(original, profile=profile, plan=plan, folder=tmp_path)
        assert (profile, added) == (profile, [])


@pytest.mark.slow
@pytest.mark.parametrize("profile", bundled_profiles())
@pytest.mark.parametrize("name", [*MR_SETS, *ODD_SETS])
def test_what_was_valid_in_real_files_stays_valid(
    name: str,
    profile: str,
    plan: PersonPlan,
    shared_data: Callable[[str], Path],
    tmp_path: Path,
) -> None:
    only = IMAGES if profile in FOR_IMAGES_OF_PEOPLE else ("",)
    for original in one_of_each_kind(shared_data(name).rglob("*"), sop_classes=only):
        added = new_complaints(original, profile=profile, plan=plan, folder=tmp_path)
        assert added == []


def one_of_each_kind(paths: Iterable[Path], *, sop_classes: tuple[str, ...]) -> list[Path]:
    """Return one file of each series and kind; dciodvfy does not inflate what is deflated."""
    kinds: dict[object, Path] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for path in sorted(path for path in paths if path.is_file()):
            with suppress(InvalidDicomError, NotImplementedError, EOFError, AttributeError):
                header = dcmread(path, stop_before_pixels=True)
                syntax = header.file_meta.get("TransferSyntaxUID")
                sop_class_uid = header.get("SOPClassUID", "")
                if (
                    sop_class_uid.startswith(sop_classes)
                    and syntax != DeflatedExplicitVRLittleEndian
                ):
                    kind = (sop_class_uid, header.get("SeriesInstanceUID"), syntax)
                    kinds.setdefault((*kind, tuple(header.get("ImageType") or ())), path)
    return list(kinds.values())[:MOST_FILES_A_SET]
