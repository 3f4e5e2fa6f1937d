"""What a profile says of an attribute is what is done to it, for every attribute of the table.

Instances that hold all attributes, at the top and within a sequence that stays, are de-identified
by every bundled profile and by each option; what is left is read with pydicom and compared with
what :meth:`Profile.describe` promises.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from pydicom import DataElement, Dataset, FileMetaDataset, Sequence, dcmread, dcmwrite
from pydicom.errors import InvalidDicomError
from pydicom.tag import BaseTag, Tag
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage
from real_sets import MR_SETS

from bidsanon.deidentify import deidentify_instance
from bidsanon.dicom.confidentiality import Option, TableRow, table_rows
from bidsanon.dicom.vrs import dictionary_vr
from bidsanon.profile import Action, AttributeRow, Profile, bundled_profiles, load_profile
from bidsanon.vault import PersonPlan

NAME = "Quimby"
UID = "1.3.12.2.1107.5.2.19.45152.2013030808110258929186035"
WORDS = {"LO", "LT", "SH", "ST", "UC", "UT"}
WRITTEN_ANEW = {0x00020003, 0x00001000, 0x00001001, 0x00041511}
KEEPING_SEQUENCE = 0x52009229
PRIVATE_ROW = "(gggg,eeee) where gggg is odd"
OPTIONS = [
    Profile(
        name=str(option),
        description="Made for a test.",
        options=frozenset({option}),
        modalities=frozenset({"MR"}),
    )
    for option in Option
]
FAST = {"bids", "strict"}
PROFILES = [*map(load_profile, bundled_profiles()), *OPTIONS]


def tag_of(row: TableRow) -> int:
    example = row.tag[1:10].replace("xxxx", "3000").replace("xx", "00").replace(",", "")
    return row.number or int(example, 16)


def vr_of(row: TableRow) -> str:
    vr = {0x60003000: "OW", 0x60004000: "LT"}.get(tag_of(row)) or dictionary_vr(tag_of(row))
    if vr != "UN" or row.tag == "(50xx,xxxx)":
        return "OW" if vr == "UN" else vr
    if row.name.endswith("Sequence"):
        return "SQ"
    return "DT" if row.name.endswith("DateTime") else "LO"


def value_of(vr: str) -> object:
    """Return a value that identifies somebody, or a list of items with one."""
    if vr == "SQ":
        item = Dataset()
        item.PatientName = NAME
        item.SliceThickness = "2"
        return Sequence([item])
    return {
        "AE": "QUIMBYAE",
        "AS": "097Y",
        "CS": "QUIMBY",
        "DA": "20130308",
        "DT": "20130308081102.5",
        "DS": "37.25",
        "IS": "3712",
        "OB": b"Quimby",
        "OW": b"Quimby",
        "TM": "081102.5",
        "UI": UID,
        "UN": b"Quimby",
        "UR": "https://quimby.example/",
        "US": 3712,
    }.get(vr, f"head {NAME} head")


@cache
def instance() -> bytes:
    """Return an MR instance that holds every attribute of the table that a data set can hold."""
    dataset, item = Dataset(), Dataset()
    for row in table_rows():
        if row.tag != PRIVATE_ROW and tag_of(row) not in WRITTEN_ANEW:
            for place in (dataset, item):
                place.add(DataElement(tag_of(row), vr_of(row), value_of(vr_of(row))))
    dataset.SOPClassUID = MRImageStorage
    dataset.PatientName = dataset.ReferringPhysicianName = NAME
    dataset.SliceThickness = "2"
    dataset.add(DataElement(KEEPING_SEQUENCE, "SQ", Sequence([item])))
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    buffer = io.BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


class Promise:
    """Compares an attribute before and after with what a profile says of it."""

    def __init__(self, plan: PersonPlan, told: AttributeRow) -> None:
        self.plan = plan
        self.told = told

    def is_kept_by(self, before: DataElement, after: DataElement | None) -> bool:
        """Tell whether what became of an element is what the words say."""
        checks: tuple[tuple[str, Callable[[DataElement, DataElement | None], bool]], ...] = (
            ("is removed, or ", lambda b, a: a is None or is_neutral(b, a)),
            ("is emptied, or ", lambda b, a: a is not None and is_neutral(b, a)),
            ("is replaced by a dummy, or ", lambda b, a: a is not None and is_neutral(b, a)),
            ("is removed", lambda _, a: a is None),
            ("is emptied", lambda _, a: a is not None and a.is_empty),
            ("is replaced by a dummy", lambda b, a: a is not None and is_dummy(b, a)),
            ("is replaced by a UID", lambda b, a: a is not None and is_new_uid(b, a)),
            ("is replaced by a pseudonym", self.is_pseudonym),
            ("is shifted", self.is_shifted),
            ("is kept, capped", lambda _, a: a is not None and a.value == "089Y"),
            ("is kept, without", lambda b, a: a is not None and is_without_name(b, a)),
            ("is kept, its items", lambda _, a: a is not None and NAME not in str(a)),
            ("is kept, rewritten", lambda _, a: a is None),
            ("is kept", lambda b, a: a is not None and a.value == b.value),
            ("loses", lambda b, a: a is not None and is_without_name(b, a)),
            ("keeps only words", lambda b, a: a is not None and is_without_name(b, a)),
        )
        check = next(check for words, check in checks if self.told.happens.startswith(words))
        return check(before, after)

    def is_pseudonym(self, before: DataElement, after: DataElement | None) -> bool:
        """Tell whether a value is the person's of the vault, or a device's pseudonym."""
        if after is None:
            return False
        own = {0x00100010: self.plan.patient_name, 0x00100020: self.plan.patient_id}
        expected = own.get(before.tag)
        value = str(after.value)
        return value == expected if expected else value.startswith("anon-")

    def is_shifted(self, before: DataElement, after: DataElement | None) -> bool:
        """Tell whether a date is the original moved by the person's days; a time stays."""
        if after is None:
            return False
        old, new = str(before.value), str(after.value)
        if before.VR == "TM":
            return new == old
        moved = datetime.strptime(old[:8], "%Y%m%d") + timedelta(days=self.plan.shift_days)  # noqa: DTZ007
        return new == f"{moved:%Y%m%d}{old[8:]}"


def is_neutral(before: DataElement, after: DataElement) -> bool:
    return after.is_empty or is_dummy(before, after) or is_new_uid(before, after)


def is_dummy(before: DataElement, after: DataElement) -> bool:
    return after.value != before.value and NAME not in str(after)


def is_new_uid(before: DataElement, after: DataElement) -> bool:
    if before.VR == "SQ":
        return NAME not in str(after)
    return after.value != before.value and str(after.value).startswith("2.25.")


def is_without_name(before: DataElement, after: DataElement) -> bool:
    return NAME.lower() not in str(after).lower() and after.VR == before.VR


def broken_promises(
    profile: Profile, plan: PersonPlan, content: bytes, rows: dict[int, AttributeRow]
) -> Iterator[str]:
    """Yield what became of attributes and is not what the profile says."""
    before = dcmread(io.BytesIO(content))
    done = deidentify_instance(content, profile=profile, plan=plan)
    after = dcmread(io.BytesIO(done.content))
    sequence = Tag(KEEPING_SEQUENCE)
    places = [(before, after)]
    if sequence in after:
        places.append((before[sequence][0], after[sequence][0]))
    for was, became in places:
        for tag, told in rows.items():
            if tag in was and not Promise(plan, told).is_kept_by(was[tag], became.get(tag)):
                yield f"{told.tag} {told.name} {told.happens!r}: became {became.get(tag)}"


def described(profile: Profile) -> dict[int, AttributeRow]:
    told = {row.tag: row for row in profile.describe()}
    return {
        tag_of(row): told[row.tag]
        for row in table_rows()
        if row.tag != PRIVATE_ROW and tag_of(row) not in WRITTEN_ANEW
    }


Told = dict[str, AttributeRow]


def told_of(told: Told, tag: BaseTag) -> AttributeRow | None:
    return told.get(f"({tag.group:04X},{tag.element:04X})")


def standard_elements(
    before: Dataset, after: Dataset, told: Told, *, cleaned: bool = False
) -> Iterator[tuple[DataElement, DataElement | None, bool]]:
    """Yield each standard element of a real instance, with what became of it.

    The third is whether it stands within a sequence that is cleaned, where words are too.
    """
    for element in before:
        if element.tag.is_private or not element.tag.element:
            continue
        became = after.get(element.tag)
        yield element, became, cleaned
        row = told_of(told, element.tag)
        stays = row is None or row.happens.startswith(("is kept", "loses", "is replaced by a UID"))
        if element.VR == "SQ" and stays and became is not None:
            within = cleaned or (row is not None and row.action == Action.CLEAN)
            for was, is_now in zip(element.value, became.value, strict=True):
                yield from standard_elements(was, is_now, told, cleaned=within)


def is_as_told(
    told: AttributeRow, plan: PersonPlan, before: DataElement, after: DataElement | None
) -> bool:
    """Compare an element of a real instance: it may be empty, invalid or hold no name to cut."""
    if told.happens.startswith("is written"):
        return after is not None and after.value is not None
    if before.is_empty and (after is None or after.is_empty or before.VR == "SQ"):
        return True
    if told.happens.startswith(("loses", "keeps only words", "is kept, ca", "is kept, w")):
        return after is None or len(str(after.value)) <= len(str(before.value))
    if told.happens.startswith("is shifted") and after is not None and after.is_empty:
        return True  # it was no date
    if told.happens.startswith(("is kept, its items", "is replaced by a UID")):
        return after is not None
    return Promise(plan, told).is_kept_by(before, after)


@pytest.mark.parametrize(
    "profile_name",
    [
        pytest.param(name, marks=() if name in FAST else pytest.mark.slow)
        for name in bundled_profiles()
    ],
)
@pytest.mark.parametrize("name", MR_SETS)
def test_real_instances_become_what_is_documented(
    name: str, profile_name: str, plan: PersonPlan, shared_data: Callable[[str], Path]
) -> None:
    path = next(p for p in sorted(shared_data(name).rglob("*")) if is_image(p))
    profile = load_profile(profile_name)
    told = {row.tag: row for row in profile.describe()}
    done = deidentify_instance(path.read_bytes(), profile=profile, plan=plan)
    before, after = dcmread(path), dcmread(io.BytesIO(done.content))
    broken = set()
    for was, became, cleaned in standard_elements(before, after, told):
        row = told_of(told, was.tag)
        if row is None:
            words = was.VR in WORDS or cleaned  # of which what the headers say elsewhere is cut
            kept = became is not None and (words or was.VR == "SQ" or became.value == was.value)
            right = became is None if profile.allow_list else kept
        else:
            right = is_as_told(row, plan, was, became)
        if not right:
            broken.add(f"{was.tag} {was.keyword} {row.happens if row else 'not listed'}")
    assert broken == set()


def is_image(path: Path) -> bool:
    if not path.is_file() or path.name == "DICOMDIR":
        return False
    try:
        return "Rows" in dcmread(path, specific_tags=["Rows"])
    except InvalidDicomError:
        return False


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_what_is_documented_is_what_is_done(profile: Profile, plan: PersonPlan) -> None:
    assert list(broken_promises(profile, plan, instance(), described(profile))) == []
