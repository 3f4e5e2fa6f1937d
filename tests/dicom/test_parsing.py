"""Data sets are parsed: everything is found where it lies, and nothing else is accepted."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import sessions
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset, dcmread
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.sequence import Sequence
from real_sets import MR_SETS
from written_elements import TRANSFER_SYNTAXES, file_of, item, sequence

from bidsanon.dicom.elements import DataSet, Element, encoding_of_items, looks_like_items
from bidsanon.dicom.encoding import (
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    Encoding,
    NotUnderstoodError,
)
from bidsanon.dicom.file_format import (
    DicomFile,
    read_file,
)
from bidsanon.dicom.parsing import MAX_DEPTH, read_item, read_items
from bidsanon.dicom.writing import write_element, write_sequence

EVERY_ENCODING = pytest.mark.parametrize("encoding", TRANSFER_SYNTAXES, ids=str)
SETS = (
    *MR_SETS,
    "burned-in-pixels",
    "dicomdir-media-multipatient",
    "malformed-and-odd",
)
NOT_UNDERSTOOD = {
    "MR_truncated.dcm": "an element is longer than what holds it",
    "rtplan_truncated.dcm": "an element is longer than what holds it",
    "SC_rgb_jpeg.dcm": "an element has no valid VR",
    "emri_small_jpeg_2k_lossless_too_short.dcm": "its encapsulated pixel data do not end",
    "no_meta.dcm": "an element is longer than what holds it",
    "zipMR.gz": "an element is longer than what holds it",
    "DICOMDIR-nooffset": "an item is longer than its sequence",
}


def element(tag: int, vr: str, value: bytes, encoding: Encoding = EXPLICIT_LITTLE) -> bytes:
    return write_element(tag, vr, value, encoding)


def tree(file: DicomFile, data_set: DataSet | None = None, depth: int = 0) -> list[Any]:
    """Return tags and values, the values of sequences as lists of trees."""
    data_set = data_set or file.data_set
    found: list[Any] = []
    for e in data_set.elements:
        if e.vr == "SQ" or (e.vr == "UN" and looks_like_items(file.content, e)):
            items = [
                tree(file, inner, depth + 1) for inner in inner_data_sets(file, data_set, e, depth)
            ]
            found.append((e.tag, items))
        else:
            found.append((e.tag, file.content[e.body : e.end]))
    return found


def inner_data_sets(
    file: DicomFile, data_set: DataSet, sequence: Element, depth: int
) -> Iterator[DataSet]:
    inner = encoding_of_items(sequence, data_set.encoding)
    for one in read_items(file.content, sequence, data_set.encoding, depth=depth + 1):
        yield read_item(file.content, one, inner, depth=depth + 1)


def rewritten(file: DicomFile, data_set: DataSet | None = None, depth: int = 0) -> bytes:
    """Write everything anew that was read."""
    data_set = data_set or file.data_set
    pieces = []
    for e in data_set.elements:
        if e.vr == "SQ":
            spans = read_items(file.content, e, data_set.encoding, depth=depth + 1)
            inner = inner_data_sets(file, data_set, e, depth)
            items = [
                (rewritten(file, one, depth + 1), span.undefined)
                for one, span in zip(inner, spans, strict=True)
            ]
            pieces.append(write_sequence(e, items, data_set.encoding))
        elif e.after != e.end:
            pieces.append(file.content[e.start : e.after])
        else:
            value = file.content[e.body : e.end]
            pieces.append(write_element(e.tag, e.vr, value, data_set.encoding))
    return b"".join(pieces)


def pydicom_tree(data_set: Dataset) -> list[Any]:
    """Return what pydicom reads: tags, and the items of sequences."""
    return [
        (int(e.tag), [pydicom_tree(one) for one in e.value] if e.VR == "SQ" else None)
        for e in data_set
    ]


def assert_agree(found: list[Any], expected: list[Any]) -> None:
    """Compare two trees; a sequence that pydicom left as bytes of VR UN may be read further."""
    assert [one[0] for one in found] == [one[0] for one in expected]
    for (_, value), (_, items) in zip(found, expected, strict=True):
        if items is not None:
            assert len(value) == len(items)
            for inner, one in zip(value, items, strict=True):
                assert_agree(inner, one)


@EVERY_ENCODING
def test_an_element_is_found_where_it_was_written(encoding: Encoding) -> None:
    body = element(0x00080060, "CS", b"MR", encoding) + element(
        0x00080080, "LO", b"Aldwyn", encoding
    )
    file = read_file(file_of(body, syntax=TRANSFER_SYNTAXES[encoding]))
    assert file.value(0x00080080) == b"Aldwyn"
    assert [e.vr for e in file.data_set.elements] == ["CS", "LO"]
    assert file.data_set.encoding == encoding


@pytest.mark.parametrize("undefined", [False, True])
def test_a_sequence_of_vr_un_is_implicit_inside(undefined: bool) -> None:
    inner = element(0x00100010, "PN", b"Quill^M ", IMPLICIT_LITTLE)
    items = item(inner, undefined=undefined)
    body = element(0x00081140, "UN", items)
    if undefined:
        body = sequence(0x00081140, items, vr="UN", undefined=True)
    file = read_file(file_of(body))
    assert tree(file) == [(0x00081140, [[(0x00100010, b"Quill^M ")]])]


def test_implicit_items_in_an_explicit_data_set_are_read_as_they_are() -> None:
    inner = element(0x00081155, "UI", b"1.2.3\0", IMPLICIT_LITTLE)
    file = read_file(file_of(element(0x00081140, "SQ", item(inner))))
    assert tree(file) == [(0x00081140, [[(0x00081155, b"1.2.3\0")]])]


def test_an_undefined_length_in_implicit_vr_is_a_sequence_also_where_the_tag_is_private() -> None:
    inner = element(0x00100010, "PN", b"Quill^M ", IMPLICIT_LITTLE)
    head = struct.pack("<HHL", 0x0031, 0x1002, 0xFFFFFFFF)
    body = head + item(inner, undefined=True) + b"\xfe\xff\xdd\xe0\0\0\0\0"
    file = read_file(file_of(body, syntax=TRANSFER_SYNTAXES[IMPLICIT_LITTLE]))
    assert file.data_set.elements[0].vr == "SQ"
    assert tree(file) == [(0x00311002, [[(0x00100010, b"Quill^M ")]])]


def test_fragments_of_pixel_data_may_hold_what_looks_like_their_end() -> None:
    fragments = item(b"") + item(b"\xfe\xff\xdd\xe0\0\0\0\0")
    body = sequence(0x7FE00010, fragments, vr="OB", undefined=True) + element(
        0xFFFCFFFC, "OB", b"\0\0"
    )
    file = read_file(file_of(body, syntax="1.2.840.10008.1.2.4.50"))
    pixels, padding = file.data_set.elements
    assert file.content[pixels.body : pixels.end] == fragments
    assert padding.tag == 0xFFFCFFFC


def test_zeros_after_the_last_element_are_no_element() -> None:
    file = read_file(file_of(element(0x00080060, "CS", b"MR") + bytes(500)))
    assert [e.tag for e in file.data_set.elements] == [0x00080060]


def test_elements_out_of_order_come_in_the_order_of_their_tags() -> None:
    body = element(0x00100020, "LO", b"7 ") + element(0x00080060, "CS", b"MR")
    assert [e.tag for e in read_file(file_of(body)).data_set.elements] == [0x00080060, 0x00100020]


def test_a_vr_of_a_later_edition_has_a_length_of_four_bytes() -> None:
    body = struct.pack("<HH2sHL", 0x0008, 0x9999, b"ZZ", 0, 2) + b"ab"
    file = read_file(file_of(body + element(0x00100020, "LO", b"7 ")))
    assert [e.vr for e in file.data_set.elements] == ["UN", "LO"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (element(0x00100020, "LO", b"12345678")[:-1], "longer than what holds it"),
        (element(0x00100020, "LO", b"12345678")[:5], "ends within an element"),
        (struct.pack("<HH2sHL", 0x0010, 0x0020, b"lo", 7, 0), "no valid VR"),
        (element(0x00081140, "SQ", b"\xfe\xff\x00\xe0\x09\0\0\0"), "an item is longer"),
        (sequence(0x00081140, b"", undefined=True)[:-8], "a sequence has no end"),
        (sequence(0x00081140, b"garbage!", undefined=True), "something else than items"),
        (sequence(0x00081140, b"", vr="UT", undefined=True), "no length"),
        (sequence(0x7FE00010, b"abcdefgh", vr="OB", undefined=True), "do not end"),
        (b"\xfe\xff\x0d\xe0\0\0\0\0", "a delimiter stands"),
    ],
)
def test_what_is_not_understood_is_refused(body: bytes, reason: str) -> None:
    def understand() -> None:
        tree(read_file(file_of(body)))

    with pytest.raises(NotUnderstoodError, match=reason):
        understand()


@pytest.mark.parametrize("undefined", [False, True])
def test_sequences_nest_only_so_deeply(undefined: bool) -> None:
    def nested(depth: int) -> bytes:
        body = element(0x00100020, "LO", b"7 ")
        for _ in range(depth):
            items = item(body, undefined=undefined)
            if undefined:
                body = sequence(0x00081140, items, undefined=True)
            else:
                body = element(0x00081140, "SQ", items)
        return body

    assert tree(read_file(file_of(nested(MAX_DEPTH))))
    with pytest.raises(NotUnderstoodError, match="nest too deeply"):
        tree(read_file(file_of(nested(MAX_DEPTH + 1))))
    with pytest.raises(NotUnderstoodError, match="nest too deeply"):
        tree(read_file(file_of(nested(3000))))


def test_an_error_says_nothing_of_the_file() -> None:
    with pytest.raises(NotUnderstoodError) as caught:
        read_file(file_of(element(0x00100010, "PN", b"Quillfeather")[:-3]))
    assert "Quill" not in str(caught.value)


texts = st.text("ABCdef 123", max_size=12)


@st.composite
def data_sets(draw: st.DrawFn, depth: int = 3) -> Dataset:
    made = Dataset()
    made.Modality = "MR"
    for keyword in draw(st.sets(st.sampled_from(["PatientID", "ImageComments", "StationName"]))):
        setattr(made, keyword, draw(texts))
    if draw(st.booleans()):
        made.PixelSpacing = [1.5, draw(st.integers(1, 9))]
        made.Rows = draw(st.integers(0, 0xFFFF))
    if depth and draw(st.booleans()):
        items = draw(st.lists(data_sets(depth=depth - 1), max_size=3))
        for one in items:
            one.is_undefined_length_sequence_item = draw(st.booleans())
        made.ReferencedImageSequence = Sequence(items)
        made["ReferencedImageSequence"].is_undefined_length = draw(st.booleans())
    if draw(st.booleans()):
        made.private_block(0x0031, "ALDWYN", create=True).add_new(0x01, "LO", draw(texts))
    return made


def bytes_of(data_set: Dataset, encoding: Encoding) -> bytes:
    buffer = DicomBytesIO()
    buffer.is_little_endian = encoding.little_endian
    buffer.is_implicit_VR = not encoding.explicit
    write_dataset(buffer, data_set)
    return buffer.getvalue()


@given(data_set=data_sets(), encoding=st.sampled_from(list(TRANSFER_SYNTAXES)))
def test_reading_and_writing_gives_the_same_bytes(data_set: Dataset, encoding: Encoding) -> None:
    body = bytes_of(data_set, encoding)
    file = read_file(file_of(body, syntax=TRANSFER_SYNTAXES[encoding]))
    assert_agree(tree(file), pydicom_tree(data_set))
    assert rewritten(file) == body


@given(garbage=st.binary(max_size=400), with_head=st.booleans())
def test_garbage_is_read_or_refused_and_nothing_else(garbage: bytes, with_head: bool) -> None:
    content = file_of(garbage) if with_head else garbage
    with suppress(NotUnderstoodError):
        tree(read_file(content))


@given(
    data_set=data_sets(),
    encoding=st.sampled_from(list(TRANSFER_SYNTAXES)),
    place=st.floats(0, 1, exclude_max=True),
    byte=st.integers(0, 255),
    cut=st.booleans(),
)
def test_a_damaged_file_is_read_or_refused_and_nothing_else(
    data_set: Dataset, encoding: Encoding, place: float, byte: int, cut: bool
) -> None:
    content = file_of(bytes_of(data_set, encoding), syntax=TRANSFER_SYNTAXES[encoding])
    at = int(place * len(content))
    damaged = content[:at] if cut else content[:at] + bytes([byte]) + content[at + 1 :]
    with suppress(NotUnderstoodError):
        tree(read_file(damaged))


@pytest.mark.parametrize(
    "builder",
    [
        sessions.siemens_t1w,
        sessions.implicit_vr,
        sessions.big_endian,
        sessions.enhanced_mr_names_in_functional_groups,
        sessions.nested_sequences_with_names,
        sessions.structured_report,
    ],
    ids=lambda builder: builder.__name__,
)
def test_the_gallery_is_read_as_pydicom_reads_it(
    builder: Callable[[Path], list[Path]], tmp_path: Path
) -> None:
    for path in builder(tmp_path):
        assert_read_as_by_pydicom(path)


@pytest.mark.parametrize("name", SETS)
def test_real_files_are_read_as_pydicom_reads_them(
    name: str, shared_data: Callable[[str], Path]
) -> None:
    folders: dict[Path, int] = {}
    few = name not in ("malformed-and-odd", "transfer-syntaxes", "dicomdir-media-multipatient")
    for path in sorted(p for p in shared_data(name).rglob("*") if p.is_file()):
        folders[path.parent] = folders.get(path.parent, 0) + 1
        too_slow_for_pydicom = path.name == "DICOMDIR" and path.stat().st_size > 100_000
        if (few and folders[path.parent] > 2) or too_slow_for_pydicom:
            continue
        if not path.name.startswith("README"):
            assert_read_as_by_pydicom(path)


def assert_read_as_by_pydicom(path: Path) -> None:
    if path.name in NOT_UNDERSTOOD:
        with pytest.raises(NotUnderstoodError, match=NOT_UNDERSTOOD[path.name]):
            tree(read_file(path.read_bytes()))
        return
    file = read_file(path.read_bytes())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = pydicom_tree(dcmread(path, force=True))
    assert_agree(tree(file), expected)
    in_order = [e.start for e in file.data_set.elements]
    if in_order == sorted(in_order):
        spans = b"".join(file.content[e.start : e.after] for e in file.data_set.elements)
        rest = file.content[file.data_set.elements[-1].after :]
        assert file.content.endswith(spans + rest)
        assert not rest.strip(b"\0")
