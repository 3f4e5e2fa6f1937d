"""Compressed frames lose what stands beside the picture, and the picture stays."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from written_elements import item

from bidsanon.dicom.encapsulated import RLE_LOSSLESS, offsets_are_right, without_asides
from bidsanon.dicom.encoding import NotUnderstoodError
from bidsanon.dicom.file_format import read_file
from bidsanon.dicom.pixel_data import PIXEL_DATA, form_of

JPEG, JPEG_2000 = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.90"
SCAN = b"\xff\xda\0\2\x11\x22\xff\xd9"
RLE_FRAME = struct.pack("<16L", 2, 64, 66, *[0] * 13) + b"\xc1\5\xc1\1"


def items(*fragments: bytes, table: bytes = b"") -> bytes:
    return b"".join(map(item, (table, *fragments)))


def cleared(value: bytes, syntax: str = JPEG, *, frames: int = 1) -> bytes:
    found = without_asides(value, transfer_syntax_uid=syntax, frames=frames, voxels=64)
    return value if found is None else found


def segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(content) + 2) + content


@pytest.mark.parametrize("marker", [0xFE, 0xE1, 0xED])
def test_comments_and_asides_of_jpeg_are_blanked(marker: int) -> None:
    frame = b"\xff\xd8" + segment(marker, b"Quillfeather") + SCAN
    after = cleared(items(frame))
    assert b"Quillfeather" not in after
    assert after == items(frame.replace(b"Quillfeather", bytes(12)))


def test_a_comment_between_two_scans_is_blanked() -> None:
    scan = b"\xff\xda\0\2\x11\x22"
    frame = b"\xff\xd8" + scan + segment(0xFE, b"Quillfeather") + SCAN
    assert b"Quillfeather" not in cleared(items(frame))


@pytest.mark.parametrize("marker", [0xDB, 0xC0, 0xE8, 0xEE])
def test_what_a_decoder_needs_stays(marker: int) -> None:
    value = items(b"\xff\xd8" + segment(marker, b"\1\2\3\4\5\6") + SCAN)
    assert cleared(value) == value


def test_of_jfif_only_its_thumbnail_goes() -> None:
    head = b"JFIF\0\1\1\0\0\1\0\1\0\0"
    after = cleared(items(b"\xff\xd8" + segment(0xE0, head + b"Quillfeather") + SCAN))
    assert head in after
    assert b"Quillfeather" not in after


def test_comments_of_jpeg_2000_are_blanked() -> None:
    frame = b"\xff\x4f" + segment(0x64, b"\0\1Quillfeather") + b"\xff\x90\0\x0a" + bytes(8)
    assert b"Quillfeather" not in cleared(items(frame + b"\xff\xd9"), JPEG_2000)


def test_what_stands_behind_a_picture_is_blanked() -> None:
    assert b"Quill" not in cleared(items(b"\xff\xd8" + SCAN + b"Quillfeather"))
    after = cleared(items(RLE_FRAME + b"Quillfeather"), RLE_LOSSLESS)
    assert after == items(RLE_FRAME + bytes(12))


def test_fragments_that_belong_to_no_picture_go() -> None:
    picture = b"\xff\xd8" + SCAN
    assert cleared(items(picture, b"Quillfeather")) == items(picture)
    assert cleared(items(RLE_FRAME, b"Quillfeather"), RLE_LOSSLESS) == items(RLE_FRAME)


def test_a_picture_in_two_fragments_stays() -> None:
    value = items(b"\xff\xd8\xff\xda\0\2\x11", b"\x22\x33\xff\xd9", b"\xff\xd8" + SCAN)
    assert cleared(value, frames=2) == value


def test_an_offset_table_that_points_nowhere_goes() -> None:
    assert cleared(items(RLE_FRAME, table=b"Quillfeather"), RLE_LOSSLESS) == items(RLE_FRAME)
    right = items(RLE_FRAME, RLE_FRAME, table=struct.pack("<2L", 0, 8 + len(RLE_FRAME)))
    assert cleared(right, RLE_LOSSLESS, frames=2) == right


def test_an_extended_offset_table_must_fit() -> None:
    value = items(RLE_FRAME, RLE_FRAME)
    offsets, lengths = struct.pack("<2Q", 0, 8 + len(RLE_FRAME)), struct.pack("<2Q", 68, 68)
    assert offsets_are_right(value, offsets, lengths, frames=2)
    assert not offsets_are_right(value, b"Quillfeather\0\0\0\0", lengths, frames=2)
    assert not offsets_are_right(value, offsets, b"Quillfeather\0\0\0\0", frames=2)
    assert not offsets_are_right(value, offsets + b"Quillfea", lengths, frames=2)


@pytest.mark.parametrize(
    "value", [b"\xfe\xff\x00\xe0\xff\0\0\0x", b"Quillfeather", items(b"too short")]
)
def test_what_are_no_frames_is_refused(value: bytes) -> None:
    with pytest.raises(NotUnderstoodError):
        cleared(value, RLE_LOSSLESS)


@pytest.mark.parametrize(
    "name",
    [
        "693_J2KI.dcm",
        "MR_small_RLE.dcm",
        "MR_small_jp2klossless.dcm",
        "SC_rgb_rle_16bit_2frame.dcm",
        "SC_rgb_jpeg_gdcm.dcm",
        "SC_rgb_jpeg_app14_dcmd.dcm",
        "JPEG2000.dcm",
    ],
)
def test_real_pictures_are_the_same(name: str, decoded: Callable[[bytes], object]) -> None:
    path = get_testdata_file(name, download=False)
    if path is None:
        pytest.skip(f"pydicom does not bring {name} with it")
    with open(str(path), "rb") as stream:  # noqa: PTH123 (pydicom's path may be of any kind)
        content = stream.read()
    file = read_file(content)
    element, form = file.top[PIXEL_DATA], form_of(file)
    after = without_asides(
        content[element.body : element.end],
        transfer_syntax_uid=file.transfer_syntax_uid,
        frames=form.frames,
        voxels=form.rows * form.columns,
    )
    if after is not None:
        written = content[: element.body] + after + content[element.end :]
        assert np.array_equal(decoded(written), decoded(content))


@pytest.fixture
def decoded() -> Callable[[bytes], object]:
    return lambda content: dcmread(io.BytesIO(content)).pixel_array
