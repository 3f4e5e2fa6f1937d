"""DICOM as spans of bytes: everything is found where it lies, and nothing else is accepted."""

from __future__ import annotations

import os
import struct
import warnings
import zlib
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
from pydicom.uid import UID
from real_sets import MR_SETS

from bidsanon.dicom import file_format
from bidsanon.dicom.elements import DataSet, Element, encoding_of_items, looks_like_items
from bidsanon.dicom.encoding import (
    DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    Encoding,
    NotUnderstoodError,
)
from bidsanon.dicom.file_format import (
    DicomFile,
    deflate,
    read_beginning,
    read_file,
    write_file_head,
)
from bidsanon.dicom.parsing import MAX_DEPTH, read_item, read_items
from bidsanon.dicom.vrs import dictionary_vr
from bidsanon.dicom.writing import write_element, write_sequence

TRANSFER_SYNTAXES = {
    EXPLICIT_LITTLE: "1.2.840.10008.1.2.1",
    EXPLICIT_BIG: "1.2.840.10008.1.2.2",
    IMPLICIT_LITTLE: "1.2.840.10008.1.2",
}
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


def file_of(body: bytes, *, syntax: str = "1.2.840.10008.1.2.1") -> bytes:
    head = write_file_head(
        sop_class_uid=b"1.2", sop_instance_uid=b"1.3", transfer_syntax_uid=syntax
    )
    return head + body


def element(tag: int, vr: str, value: bytes, encoding: Encoding = EXPLICIT_LITTLE) -> bytes:
    return write_element(tag, vr, value, encoding)


def item(body: bytes, *, undefined: bool = False) -> bytes:
    if undefined:
        return b"\xfe\xff\x00\xe0\xff\xff\xff\xff" + body + b"\xfe\xff\x0d\xe0\0\0\0\0"
    return b"\xfe\xff\x00\xe0" + struct.pack("<L", len(body)) + body


def undefined_sequence(tag: int, vr: bytes, items: bytes) -> bytes:
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr + b"\0\0\xff\xff\xff\xff"
    return head + items + b"\xfe\xff\xdd\xe0\0\0\0\0"


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


@EVERY_ENCODING
def test_without_file_meta_the_bytes_show_their_encoding(encoding: Encoding) -> None:
    body = element(0x00080060, "CS", b"MR", encoding) + element(0x00100020, "LO", b"7", encoding)
    file = read_file(body)
    assert file.data_set.encoding == encoding
    assert file.transfer_syntax_uid == TRANSFER_SYNTAXES[encoding]
    assert file.value(0x00100020) == b"7"


def test_a_data_set_that_is_not_written_as_the_file_meta_says_is_read_as_it_is() -> None:
    body = element(0x00080060, "CS", b"MR", IMPLICIT_LITTLE)
    file = read_file(file_of(body, syntax=TRANSFER_SYNTAXES[EXPLICIT_LITTLE]))
    assert file.transfer_syntax_uid == TRANSFER_SYNTAXES[IMPLICIT_LITTLE]


def test_a_deflated_data_set_is_inflated() -> None:
    body = element(0x00080060, "CS", b"MR")
    file = read_file(file_of(deflate(body), syntax="1.2.840.10008.1.2.1.99"))
    assert file.content == body
    assert zlib.decompress(deflate(body), -15) == body


def test_a_deflated_data_set_that_does_not_end_is_refused() -> None:
    body = deflate(element(0x00080060, "CS", b"MR") * 40)[:-6]
    with pytest.raises(NotUnderstoodError):
        read_file(file_of(body, syntax="1.2.840.10008.1.2.1.99"))


@pytest.mark.parametrize("undefined", [False, True])
def test_a_sequence_of_vr_un_is_implicit_inside(undefined: bool) -> None:
    inner = element(0x00100010, "PN", b"Quill^M ", IMPLICIT_LITTLE)
    items = item(inner, undefined=undefined)
    body = element(0x00081140, "UN", items)
    if undefined:
        body = undefined_sequence(0x00081140, b"UN", items)
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
    body = undefined_sequence(0x7FE00010, b"OB", fragments) + element(0xFFFCFFFC, "OB", b"\0\0")
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
        (undefined_sequence(0x00081140, b"SQ", b"")[:-8], "a sequence has no end"),
        (undefined_sequence(0x00081140, b"SQ", b"garbage!"), "something else than items"),
        (undefined_sequence(0x00081140, b"UT", b""), "no length"),
        (undefined_sequence(0x7FE00010, b"OB", b"abcdefgh"), "do not end"),
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
                body = undefined_sequence(0x00081140, b"SQ", items)
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


def test_a_value_too_long_for_its_vr_is_written_as_un() -> None:
    written = element(0x00104000, "LT", b"x" * 70_000)
    found = read_file(file_of(written)).data_set.elements[0]
    assert found.vr == "UN"
    assert found.end - found.body == 70_000


@pytest.mark.parametrize(
    ("vr", "value", "padded"),
    [("LO", b"abc", b"abc "), ("UI", b"1.2", b"1.2\0"), ("OB", b"\1", b"\1\0"), ("CS", b"", b"")],
)
def test_values_are_padded_to_an_even_length(vr: str, value: bytes, padded: bytes) -> None:
    assert element(0x00080080, vr, value).endswith(padded)
    assert len(element(0x00080080, vr, value)) % 2 == 0


@pytest.mark.parametrize(
    ("tag", "vr"),
    [
        (0x00100010, "PN"),
        (0x00280106, "US"),
        (0x7FE00010, "OW"),
        (0x60003000, "OW"),
        (0x00290010, "LO"),
        (0x00291010, "UN"),
        (0x00080000, "UL"),
        (0x00100012, "LO"),
    ],
)
def test_the_dictionary_gives_one_vr(tag: int, vr: str) -> None:
    assert dictionary_vr(tag) == vr


def test_the_file_head_is_what_pydicom_reads(tmp_path: Path) -> None:
    path = tmp_path / "one.dcm"
    path.write_bytes(file_of(element(0x00080060, "CS", b"MR")))
    meta = dcmread(path).file_meta
    assert meta.MediaStorageSOPInstanceUID == "1.3"
    assert meta.TransferSyntaxUID == UID("1.2.840.10008.1.2.1")
    assert path.stat().st_size == 144 + meta.FileMetaInformationGroupLength + 10
    assert meta.ImplementationVersionName == "BIDSANON"
    assert UID(meta.ImplementationClassUID).is_valid
    assert path.read_bytes()[:128] == bytes(128)


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


def test_the_beginning_of_a_damaged_file_is_read_as_far_as_it_goes() -> None:
    name = write_element(0x00100010, "PN", b"Quist^Mara", EXPLICIT_LITTLE)
    number = write_element(0x00100020, "LO", b"X-4711", EXPLICIT_LITTLE)
    cut = write_element(0x7FE00010, "OW", bytes(64), EXPLICIT_LITTLE)[:40]
    with pytest.raises(NotUnderstoodError):
        read_file(name + number + cut)
    file = read_beginning(name + number + cut)
    assert [element.tag for element in file.data_set.elements] == [0x00100010, 0x00100020]
    assert file.value(0x00100020) == b"X-4711"


@pytest.mark.parametrize("content", [b"", b"\x08\x00", bytes(200), b"\xff" * 300])
def test_nothing_begins_where_nothing_can_be_understood(content: bytes) -> None:
    with pytest.raises(NotUnderstoodError):
        read_beginning(content)


def test_the_beginning_of_a_deflated_file_that_is_cut_is_read() -> None:
    name = write_element(0x00100010, "PN", b"Quist^Mara", EXPLICIT_LITTLE)
    pixels = write_element(0x7FE00010, "OW", os.urandom(4096), EXPLICIT_LITTLE)
    head = write_file_head(
        sop_class_uid=b"1.2",
        sop_instance_uid=b"1.3",
        transfer_syntax_uid=DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    )
    file = read_beginning((head + deflate(name + pixels))[:-2000])
    assert file.value(0x00100010) == b"Quist^Mara"


def test_a_deflated_bomb_is_not_inflated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_format, "_HARMLESS_INFLATED", 1 << 20)
    head = write_file_head(
        sop_class_uid=b"1.2",
        sop_instance_uid=b"1.3",
        transfer_syntax_uid=DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    )
    with pytest.raises(NotUnderstoodError, match="does not end"):
        read_file(head + deflate(bytes(1 << 22)))
