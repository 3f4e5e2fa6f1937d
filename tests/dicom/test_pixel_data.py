"""Bits that no voxel uses: found, cleared, and nothing else touched."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, MRImageStorage

from bidsanon.dicom.encoding import NotUnderstoodError
from bidsanon.dicom.file_format import DicomFile, read_file
from bidsanon.dicom.pixel_data import without_hidden_bits

VOXELS = np.arange(16, dtype=np.uint16) * 250
HIDDEN = np.where(np.arange(16) % 3, 0, 1 << 13).astype(np.uint16)


def image(
    pixels: bytes, *, little_endian: bool = True, overlay: bool = False, **attributes: Any
) -> DicomFile:
    data_set = Dataset()
    data_set.SOPClassUID = MRImageStorage
    data_set.Rows = data_set.Columns = 4
    data_set.SamplesPerPixel = 1
    data_set.PhotometricInterpretation = "MONOCHROME2"
    data_set.BitsAllocated, data_set.BitsStored, data_set.HighBit = 16, 12, 11
    data_set.PixelRepresentation = 0
    for keyword, value in attributes.items():
        setattr(data_set, keyword, value)
    if overlay:
        data_set.add_new(0x60000100, "US", 16)
        data_set.add_new(0x60000102, "US", 13)
    data_set.add_new(0x7FE00010, "OW", pixels)
    data_set.file_meta = Dataset()
    syntax = ExplicitVRLittleEndian if little_endian else ExplicitVRBigEndian
    stream = BytesIO()
    data_set.save_as(stream, little_endian=little_endian, implicit_vr=False)
    file = read_file(stream.getvalue())
    assert file.transfer_syntax_uid == syntax
    return file


def cleared(file: DicomFile, kept: tuple[int, ...] = ()) -> bytes | None:
    return without_hidden_bits(file, kept_overlays=kept)


@pytest.mark.parametrize("little_endian", [True, False])
def test_a_hidden_plane_is_cleared_and_voxels_stay(*, little_endian: bool) -> None:
    order = "<u2" if little_endian else ">u2"
    file = image((VOXELS | HIDDEN).astype(order).tobytes(), little_endian=little_endian)
    assert cleared(file) == VOXELS.astype(order).tobytes()


def test_nothing_is_written_anew_where_nothing_is_hidden() -> None:
    assert cleared(image(VOXELS.tobytes())) is None


def test_bits_below_the_voxels_are_cleared_too() -> None:
    stored = VOXELS << 4
    file = image((stored | 5).astype("<u2").tobytes(), HighBit=15)
    assert cleared(file) == stored.astype("<u2").tobytes()


def test_a_voxel_that_fills_its_word_is_left_alone() -> None:
    pixels = np.full(16, 0xFFFF, dtype="<u2").tobytes()
    assert cleared(image(pixels, BitsStored=16, HighBit=15)) is None


def signed(values: NDArray[Any]) -> bytes:
    return values.astype("<i2").tobytes()


NEGATIVE = np.arange(-8, 8) * 100


def test_a_repeated_sign_is_no_secret() -> None:
    assert cleared(image(signed(NEGATIVE), PixelRepresentation=1)) is None


def test_signed_voxels_keep_their_numbers_while_a_plane_is_cleared() -> None:
    hidden = NEGATIVE.astype("<i2").view("<u2") ^ np.uint16(1 << 13)
    file = image(hidden.tobytes(), PixelRepresentation=1)
    assert cleared(file) == signed(NEGATIVE)


def test_what_stands_behind_the_last_voxel_is_cleared() -> None:
    file = image(VOXELS.tobytes() + b"QUIST^MARA")
    assert cleared(file) == VOXELS.tobytes() + bytes(10)


def test_padding_behind_the_last_voxel_is_no_reason_to_write_anew() -> None:
    assert cleared(image(VOXELS.tobytes() + bytes(10))) is None


def test_an_overlay_that_stays_keeps_its_bits() -> None:
    file = image((VOXELS | HIDDEN).tobytes(), overlay=True)
    assert cleared(file, kept=(0x6000,)) is None
    assert cleared(file) == VOXELS.tobytes()


def test_an_overlay_within_compressed_pixels_is_not_understood() -> None:
    fragments = b"\xfe\xff\x00\xe0\0\0\0\0\xfe\xff\x00\xe0\x04\0\0\0abcd\xfe\xff\xdd\xe0\0\0\0\0"
    content = image(b"", overlay=True).content
    header = b"\xe0\x7f\x10\x00OW\0\0"
    file = read_file(content[: content.index(header)] + header + b"\xff" * 4 + fragments)
    with pytest.raises(NotUnderstoodError, match="overlay"):
        cleared(file)
    assert cleared(file, kept=(0x6000,)) is None


def test_an_image_without_pixels_hides_none() -> None:
    data_set = read_file(b"\x08\x00\x60\x00CS\x02\x00MR")
    assert cleared(data_set) is None


@given(
    words=st.binary(min_size=0, max_size=70),
    allocated=st.sampled_from([1, 8, 12, 16, 32, 64, 0, 65535]),
    stored=st.integers(0, 70),
    high=st.integers(0, 70),
    representation=st.integers(0, 1),
)
def test_any_header_and_any_pixels_are_cleared_once(
    words: bytes, allocated: int, stored: int, high: int, representation: int
) -> None:
    form = {"BitsAllocated": allocated, "BitsStored": stored, "HighBit": high}
    words += b"\0" * (len(words) % 2)
    file = image(words, PixelRepresentation=representation, **form)
    once = cleared(file)
    if once is not None:
        assert len(once) == len(words)
        assert cleared(image(once, PixelRepresentation=representation, **form)) is None


@pytest.mark.parametrize("name", ["MR-SIEMENS-DICOM-WithOverlays.dcm", "examples_overlay.dcm"])
def test_a_real_plane_of_its_own_leaves_the_voxels_alone(
    name: str, shared_data: Callable[[str], Path]
) -> None:
    file = read_file((shared_data("malformed-and-odd") / name).read_bytes())
    assert any(tag >> 24 == 0x60 for tag in file.top)
    assert cleared(file) is None
