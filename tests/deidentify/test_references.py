"""What referred to something before refers to it after, wherever the UID stands."""

from __future__ import annotations

import re
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.uid import UID_dictionary

from bidsanon.deidentify import NotUnderstoodError, Replacements, deidentify_instance
from bidsanon.deidentify.private_value import PrivateCleaning
from bidsanon.dicom.elements import DataSet, encoding_of_items, holds_items
from bidsanon.dicom.file_format import IMPLEMENTATION_CLASS_UID, DicomFile, read_file
from bidsanon.dicom.parsing import read_item, read_items
from bidsanon.dicom.uids import is_replacement_uid, is_well_known_uid, replace_uid
from bidsanon.identity import ValueKind
from bidsanon.profile import Profile
from bidsanon.vault import PersonPlan

SETS = (
    "siemens-ve11-t1w-face",
    "siemens-ve11-epi-mosaic",
    "siemens-xa10-enhanced-bold",
    "siemens-xa60-interrupted-bold",
    "siemens-phoenix-sr",
    "ge-mr750-epi",
    "philips-r53-enhanced-fmap",
    "philips-r57-dwi-dicomdir",
)
FILES_OF_A_SET = 2
CREATOR_VERSION = 0x00089123  # says which software made an instance; no row of Table E.1-1
SOP_INSTANCE, STUDY, SERIES, FRAME = 0x00080018, 0x0020000D, 0x0020000E, 0x00200052
UID_IN_BYTES = re.compile(rb"(?<![\d.])(?:[0-2](?:\.\d{1,40}){4,}|2\.25\.\d{20,39})(?![\d.])")


def values_of_uids(file: DicomFile) -> Iterator[tuple[tuple[int, ...], str]]:
    """Yield each UID that stands in an attribute of VR UI, with the path to it."""

    def walk(data_set: DataSet, path: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], str]]:
        depth = len(path) + 1
        for element in data_set.elements:
            if holds_items(file.content, element):
                encoding = encoding_of_items(element, data_set.encoding)
                for item in read_items(file.content, element, data_set.encoding, depth=depth):
                    inner = read_item(file.content, item, encoding, depth=depth)
                    yield from walk(inner, (*path, element.tag))
            elif element.vr == "UI":
                text = file.content[element.body : element.end].decode().strip(" \0")
                yield from (((*path, element.tag), uid) for uid in text.split("\\") if uid)

    yield from walk(file.data_set, ())


def targets(files: list[DicomFile]) -> set[str]:
    """Return what can be referred to: studies, series, instances, frames of reference."""
    own = (file.value(tag) for file in files for tag in (SOP_INSTANCE, STUDY, SERIES, FRAME))
    return {uid.decode() for uid in own if uid}


@pytest.fixture(scope="module", params=SETS)
def before_and_after(
    request: pytest.FixtureRequest,
    shared_data: Callable[[str], Path],
    plan: PersonPlan,
    bids: Profile,
) -> list[tuple[DicomFile, DicomFile]]:
    pairs = []
    for path in sorted(p for p in shared_data(request.param).rglob("*") if p.is_file()):
        content = path.read_bytes()
        try:
            cleaned = deidentify_instance(content, profile=bids, plan=plan).content
        except NotUnderstoodError:
            continue
        pairs.append((read_file(content), read_file(cleaned)))
        if len(pairs) == FILES_OF_A_SET:
            break
    return pairs


def test_every_uid_is_a_replacement_or_the_standards_own(
    before_and_after: list[tuple[DicomFile, DicomFile]], plan: PersonPlan
) -> None:
    for _, after in before_and_after:
        for path, uid in values_of_uids(after):
            if path[-1] != CREATOR_VERSION:
                assert is_well_known_uid(uid) or is_replacement_uid(uid, key=plan.uid_key), path


def test_what_resolved_before_resolves_after(
    before_and_after: list[tuple[DicomFile, DicomFile]], plan: PersonPlan
) -> None:
    old = targets([before for before, _ in before_and_after])
    new = targets([after for _, after in before_and_after])
    assert new == {replace_uid(uid, key=plan.uid_key) for uid in old}
    for before, after in before_and_after:
        kept = {path for path, _ in values_of_uids(after)}
        resolved = Counter(
            (path, replace_uid(uid, key=plan.uid_key))
            for path, uid in values_of_uids(before)
            if path in kept and uid in old
        )
        found = Counter(pair for pair in values_of_uids(after) if pair[1] in new)
        assert resolved == found
        assert resolved


def test_a_uid_in_texts_and_blobs_gets_the_replacement_that_it_has_in_headers(
    before_and_after: list[tuple[DicomFile, DicomFile]], plan: PersonPlan
) -> None:
    """CSA headers, protocols and XA groups lie as plain bytes in the file."""
    for before, after in before_and_after:
        originals = {uid.decode() for uid in UID_IN_BYTES.findall(before.content)}
        expected = {replace_uid(uid, key=plan.uid_key) for uid in originals}
        dummy = replace_uid("0", key=plan.uid_key)
        versions = {uid for path, uid in values_of_uids(before) if path[-1] == CREATOR_VERSION}
        expected |= {IMPLEMENTATION_CLASS_UID, dummy, *versions}
        for uid in map(bytes.decode, UID_IN_BYTES.findall(after.content)):
            assert is_well_known_uid(uid) or uid in expected


@given(number=st.uuids(version=4))
def test_a_uid_made_of_a_uuid_is_found_in_texts_and_blobs(
    number: uuid.UUID, plan: PersonPlan
) -> None:
    cleaning = PrivateCleaning(Replacements(plan))
    text = f"FOR=2.25.{number.int}:AAMTag=Brain"
    once = cleaning.uids(text)
    expected = replace_uid(f"2.25.{number.int}", key=plan.uid_key)
    assert once == f"FOR={expected}:AAMTag=Brain"
    assert cleaning.cut == ((ValueKind.UID, f"2.25.{number.int}"),)
    again = PrivateCleaning(Replacements(plan))
    assert again.uids(once) == once
    again.note_uids(once)
    assert again.cut == ()


def test_the_standards_frames_of_reference_stay(plan: PersonPlan) -> None:
    atlases = [uid for uid in UID_dictionary if uid.startswith("1.2.840.10008.1.4.")]
    assert atlases
    assert [replace_uid(uid, key=plan.uid_key) for uid in atlases] == atlases
