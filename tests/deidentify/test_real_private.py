"""Private data of real headers: the same in every encoding, nothing identifying in what stays."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from real_sets import MR_SETS

from bidsanon.deidentify import deidentify_instance
from bidsanon.dicom.elements import DataSet, encoding_of_items, holds_items
from bidsanon.dicom.encoding import NotUnderstoodError
from bidsanon.dicom.file_format import DicomFile, read_file
from bidsanon.dicom.parsing import read_item, read_items
from bidsanon.profile import Profile
from bidsanon.vault import PersonPlan

Reencode = Callable[[Path], bytes]
BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
PIXELS = 0x7FE00010
PRIVATE = 0x10000
LAST_BLOCK = 0xFF
WHO_AND_WHEN = (
    0x00080018,  # SOP Instance UID
    0x00080020,  # Study Date
    0x00080021,  # Series Date
    0x00080022,  # Acquisition Date
    0x00080023,  # Content Date
    0x00080030,  # Study Time
    0x00080050,  # Accession Number
    0x00080090,  # Referring Physician's Name
    0x00081010,  # Station Name
    0x00100010,  # Patient's Name
    0x00100020,  # Patient ID
    0x00100030,  # Patient's Birth Date
    0x00181000,  # Device Serial Number
    0x0020000D,  # Study Instance UID
    0x0020000E,  # Series Instance UID
    0x00200052,  # Frame of Reference UID
)
SHORTEST = 5


@pytest.fixture(params=["IMPLICIT", "UNKNOWN"])
def reencoded(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Reencode:
    """Give what writes a file in another encoding."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    module = importlib.import_module("reencoding")
    return lambda path: module.reencoded(path, module.Form[request.param])


@pytest.mark.parametrize("name", MR_SETS)
def test_the_same_stays_whatever_says_the_representation(
    name: str,
    shared_data: Callable[[str], Path],
    reencoded: Reencode,
    bids: Profile,
    plan: PersonPlan,
) -> None:
    path = one_image(shared_data(name))
    explicit = deidentify_instance(path.read_bytes(), profile=bids, plan=plan).content
    other = deidentify_instance(reencoded(path), profile=bids, plan=plan).content
    before, after = (dict(values(read_file(one))) for one in (explicit, other))
    assert any(tags[-1] & PRIVATE for tags in before)
    assert after == before


@pytest.mark.parametrize("name", MR_SETS)
def test_private_values_that_stay_hold_nothing_of_the_header(
    name: str, shared_data: Callable[[str], Path], bids: Profile, plan: PersonPlan
) -> None:
    content = one_image(shared_data(name)).read_bytes()
    original = read_file(content)
    said = {part for tag in WHO_AND_WHEN for part in parts_of(original.value(tag))}
    cleaned = read_file(deidentify_instance(content, profile=bids, plan=plan).content)
    private = [(tags, value) for tags, value in values(cleaned) if is_private(tags)]
    assert said
    assert private
    for tags, value in private:
        found = [text for text in said if text in value.upper()]
        assert not found, [f"{tag:08X}" for tag in tags[::2]]


def test_of_a_phoenix_report_no_protocol_stays(
    shared_data: Callable[[str], Path], bids: Profile, plan: PersonPlan
) -> None:
    reports = [
        path
        for path in sorted(shared_data("siemens-phoenix-sr").rglob("*.dcm"))
        if b"PhoenixZIP" in path.read_bytes()
    ]
    assert reports
    for path in reports:
        content = deidentify_instance(path.read_bytes(), profile=bids, plan=plan).content
        for text in (b"SIEMENS CSA REPORT", b"EdfRoot", b"PK\3\4", b"<XProtocol>", b"PatientName"):
            assert text not in content


def one_image(folder: Path) -> Path:
    """Return the first file whose private data can be compared in every encoding."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        try:
            file = read_file(path.read_bytes())
        except NotUnderstoodError:
            continue
        pixels = file.top.get(PIXELS)
        native = pixels is not None and pixels.after == pixels.end
        if native and file.data_set.encoding.little_endian:
            return path
    raise AssertionError(folder.name)


def parts_of(value: bytes) -> set[bytes]:
    """Return the parts of a value that are long enough to be told from numbers."""
    parts = {value, *value.split(b"^"), *value.split(b"\\"), value.partition(b".")[0]}
    return {part.strip().upper() for part in parts if len(part.strip()) >= SHORTEST}


def is_private(tags: tuple[int, ...]) -> bool:
    return bool(tags[-1] & PRIVATE) and tags[-1] & 0xFFFF > LAST_BLOCK


def values(file: DicomFile) -> Iterator[tuple[tuple[int, ...], bytes]]:
    """Yield every value but the pixels, by the tags and item numbers that lead to it."""
    yield from _values(file.content, file.data_set, ())


def _values(
    content: bytes, data_set: DataSet, path: tuple[int, ...]
) -> Iterator[tuple[tuple[int, ...], bytes]]:
    depth = len(path) // 2 + 1
    for element in data_set.elements:
        if holds_items(content, element):
            inner = encoding_of_items(element, data_set.encoding)
            found = read_items(content, element, data_set.encoding, depth=depth)
            for number, item in enumerate(found):
                within = read_item(content, item, inner, depth=depth)
                yield from _values(content, within, (*path, element.tag, number))
        elif element.tag != PIXELS:
            value = content[element.body : element.end].rstrip(b" \0")
            yield (*path, element.tag), value
