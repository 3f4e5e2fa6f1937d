"""Conditional actions follow the attribute's Type in the instance's IOD, in every sequence."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from itertools import groupby

import pytest
from written_elements import item

from bidsanon.deidentify import deidentify_instance
from bidsanon.dicom.confidentiality import TABLE, TYPES
from bidsanon.dicom.elements import DataSet, Element
from bidsanon.dicom.encoding import EXPLICIT_LITTLE, EXPLICIT_VR_LITTLE_ENDIAN
from bidsanon.dicom.file_format import DicomFile, read_file, write_file_head
from bidsanon.dicom.parsing import read_item, read_items
from bidsanon.dicom.vrs import dictionary_vr
from bidsanon.dicom.writing import write_element
from bidsanon.profile import Profile
from bidsanon.resources import data_path
from bidsanon.vault import PersonPlan

UNKNOWN_SOP_CLASS = "1.2.840.10008.5.1.4.1.1.99999"
VALUES = {"DA": b"20230517", "DT": b"20230517101112", "TM": b"101112", "UI": b"1.2.3.99977755"}
INNER_UID = b"1.2.3.9997775551"
Path = tuple[int, ...]


@cache
def codes() -> dict[int, str]:
    """Read the conditional codes of Table E.1-1 by themselves."""
    rows = [line.split("\t") for line in data_path(TABLE).read_text("utf-8").splitlines()[1:]]
    tag, basic = 0, 4
    return {
        int(row[tag][1:5] + row[tag][6:10], 16): row[basic].removesuffix("*")
        for row in rows
        if "/" in row[basic]
    }


@cache
def types() -> dict[str, dict[tuple[int, Path], str]]:
    """Read the strictest Type of each conditional attribute, by SOP class and place."""
    found: dict[str, dict[tuple[int, Path], str]] = defaultdict(dict)
    for line in data_path(TYPES).read_text("utf-8").splitlines()[1:]:
        tag, place, type_, sop_classes = line.split("\t")
        path = tuple(int(part, 16) for part in place.split("/") if part)
        key = (int(tag[1:5] + tag[6:10], 16), path)
        for sop_class in sop_classes.split():
            known = found["1.2.840.10008.5.1.4." + sop_class]
            known[key] = min(type_, known.get(key, type_))
    return dict(found)


def what_the_table_asks(code: str, type_: str | None) -> str:
    """Say what Table E.1-1a makes of a code: "X" gone, "Z" empty, "D" a dummy, "U" new UIDs."""
    if type_ in {None, "3"}:
        return code[0]
    if type_ in {"2", "2C"}:
        return "Z" if "Z" in code else "D"
    return "U" if code.endswith("U") else "D"


def element(tag: int, vr: str, value: bytes) -> bytes:
    return write_element(tag, vr, value, EXPLICIT_LITTLE)


def data_set_of(attributes: list[tuple[Path, int]]) -> bytes:
    """Write attributes, and the sequences in which they stand."""
    pieces = {}
    for path, tag in attributes:
        if not path and dictionary_vr(tag) == "SQ":
            pieces[tag] = element(tag, "SQ", item(element(0x00081155, "UI", INNER_UID)))
        elif not path:
            vr = dictionary_vr(tag)
            pieces[tag] = element(tag, vr, VALUES.get(vr, b"Zq7Planted"))
    nested = sorted((path, tag) for path, tag in attributes if path)
    for sequence, group in groupby(nested, key=lambda one: one[0][0]):
        inner = data_set_of([(path[1:], tag) for path, tag in group])
        pieces[sequence] = element(sequence, "SQ", item(inner))
    return b"".join(pieces[tag] for tag in sorted(pieces))


def instance_of(sop_class: str, attributes: list[tuple[Path, int]]) -> bytes:
    head = write_file_head(
        sop_class_uid=sop_class.encode(),
        sop_instance_uid=b"1.3",
        transfer_syntax_uid=EXPLICIT_VR_LITTLE_ENDIAN,
    )
    identity = element(0x00080016, "UI", sop_class.encode()) + element(0x00080018, "UI", b"1.3")
    return head + identity + data_set_of(attributes)


def find(file: DicomFile, path: Path, tag: int) -> Element | None:
    data_set: DataSet = file.data_set
    for depth, sequence in enumerate(path, start=1):
        outer = {element.tag: element for element in data_set.elements}.get(sequence)
        items = read_items(file.content, outer, EXPLICIT_LITTLE, depth=depth) if outer else ()
        if not items:
            return None
        data_set = read_item(file.content, items[0], EXPLICIT_LITTLE, depth=depth)
    return {element.tag: element for element in data_set.elements}.get(tag)


def what_was_done(before: Element | None, after: Element | None, file: DicomFile) -> str:
    assert before is not None
    if after is None:
        return "X"
    value = file.content[after.body : after.end]
    if not value:
        return "Z"
    assert b"Zq7" not in value
    assert INNER_UID not in value
    assert value.strip(b" \0") not in VALUES.values()
    return "U" if codes()[after.tag].endswith("U") else "D"


def assert_done_as_asked(
    sop_class: str, known: dict[tuple[int, Path], str], basic: Profile, plan: PersonPlan
) -> int:
    """De-identify an instance with all conditional attributes; return how many were compared."""
    places = [(path, tag) for tag, path in known]
    content = instance_of(sop_class, places)
    original = read_file(content)
    file = read_file(deidentify_instance(content, profile=basic, plan=plan).content)
    compared = 0
    for path, tag in places:
        if tag in (0x00100010, 0x00100020) or not all(stays(basic, one, sop_class) for one in path):
            continue
        if any(other[: len(path) + 1] == (*path, tag) for other, _ in places):
            continue
        done = what_was_done(find(original, path, tag), find(file, path, tag), file)
        asked = what_the_table_asks(codes()[tag], known.get((tag, path)))
        assert (f"{tag:08X}", path, done) == (f"{tag:08X}", path, asked)
        compared += 1
    return compared


def stays(profile: Profile, sequence: int, sop_class: str) -> bool:
    return profile.decide(sequence, sop_class_uid=sop_class, path=()).action == "K"


def test_the_actions_of_all_sop_classes_follow_their_types(
    basic: Profile, plan: PersonPlan
) -> None:
    compared = sum(
        assert_done_as_asked(sop_class, known, basic, plan) for sop_class, known in types().items()
    )
    assert len(types()) == 179
    assert compared > 4800


def test_of_an_unknown_sop_class_the_strictest_action_is_taken(
    basic: Profile, plan: PersonPlan
) -> None:
    attributes: list[tuple[Path, int]] = [((), tag) for tag in codes()]
    content = instance_of(UNKNOWN_SOP_CLASS, attributes)
    file = read_file(deidentify_instance(content, profile=basic, plan=plan).content)
    for tag, code in codes().items():
        if tag not in (0x00100010, 0x00100020):
            after = file.top.get(tag)
            done = "X" if after is None else "Z" if after.body == after.end else "D"
            assert (f"{tag:08X}", done) == (f"{tag:08X}", code[0])


@pytest.mark.parametrize(
    ("code", "type_", "asked"),
    [
        ("X/Z", "3", "X"),
        ("X/Z", "2", "Z"),
        ("X/D", "1C", "D"),
        ("Z/D", "2C", "Z"),
        ("Z/D", None, "Z"),
        ("X/Z/D", "1", "D"),
        ("X/Z/U", "1C", "U"),
    ],
)
def test_the_table_is_read_as_its_key_says(code: str, type_: str | None, asked: str) -> None:
    assert what_the_table_asks(code, type_) == asked
