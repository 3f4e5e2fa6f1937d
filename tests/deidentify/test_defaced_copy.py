"""A copy written again without its face: what is refused, and that it stays whole until then."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.sequence import Sequence
from sessions import siemens_t1w

from bidsanon.deidentify.defaced_copy import NewPixels, write_without_face
from bidsanon.dicom.encoding import NotUnderstoodError
from bidsanon.dicom.planes import NoPlanesError, planes_of
from bidsanon.dicom.reading import read_path
from bidsanon.dicom.stored_frames import stored_frames


def changed(tmp_path: Path, change: Callable[[Dataset], None]) -> Path:
    path = siemens_t1w(tmp_path, slices=1)[0]
    image = dcmread(path)
    change(image)
    image.save_as(path)
    return path


def black(path: Path) -> NewPixels:
    length = len(dcmread(path).PixelData)
    return NewPixels(parts=[bytes(length)], length=length, decoded=False, bits_allocated=16)


def add_icon(image: Dataset) -> None:
    icon = Dataset()
    icon.Rows = icon.Columns = 2
    icon.PixelData = b"\0\1\2\3"
    icon["PixelData"].VR = "OB"
    image.IconImageSequence = Sequence([icon])


def add_overlay(image: Dataset) -> None:
    image.add_new(0x60000010, "US", 1)
    image.add_new(0x60003000, "OW", b"\0\1")


@pytest.mark.parametrize("change", [add_icon, add_overlay])
def test_what_could_show_the_face_elsewhere_is_refused(
    change: Callable[[Dataset], None], tmp_path: Path
) -> None:
    path = changed(tmp_path, change)
    before = path.read_bytes()
    with pytest.raises(NotUnderstoodError, match="could show the face too"):
        write_without_face(path, read_path(path), method="", proved=True, pixels=black(path))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_refused_after_it_was_written_leaves_the_copy_as_it_was(tmp_path: Path) -> None:
    path = siemens_t1w(tmp_path, slices=1)[0]
    before = path.read_bytes()

    def no(*_args: object) -> None:
        raise NotUnderstoodError("no")

    with pytest.raises(NotUnderstoodError, match="no"):
        write_without_face(
            path, read_path(path), method="", proved=True, pixels=black(path), judge=no
        )
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_too_few_pixels_are_no_file(tmp_path: Path) -> None:
    path = siemens_t1w(tmp_path, slices=1)[0]
    before = path.read_bytes()
    short = NewPixels(parts=[b"\0\0"], length=2, decoded=False, bits_allocated=16)
    with pytest.raises(NotUnderstoodError):
        write_without_face(path, read_path(path), method="", proved=True, pixels=short)
    assert path.read_bytes() == before


def high_bit(image: Dataset) -> None:
    image.BitsStored, image.HighBit = 12, 15


def colours(image: Dataset) -> None:
    image.SamplesPerPixel, image.PhotometricInterpretation = 3, "RGB"


@pytest.mark.parametrize("change", [high_bit, colours])
def test_pixels_that_are_stored_otherwise_are_refused(
    change: Callable[[Dataset], None], tmp_path: Path
) -> None:
    path = changed(tmp_path, change)
    with pytest.raises(NotUnderstoodError, match="unusual"):
        stored_frames(path, read_path(path))


def test_pixels_that_end_early_are_refused(tmp_path: Path) -> None:
    path = siemens_t1w(tmp_path, slices=1)[0]
    image = dcmread(path)
    image.Rows *= 2
    image.save_as(path)
    with pytest.raises(NotUnderstoodError, match="end before"):
        stored_frames(path, read_path(path)).frame(0)


def test_stored_numbers_are_read_as_they_are(tmp_path: Path) -> None:
    path = siemens_t1w(tmp_path, slices=1)[0]
    frames = stored_frames(path, read_path(path))
    assert frames.limits == (0, 4095)
    assert np.array_equal(frames.frame(0), dcmread(path).pixel_array)


def no_position(image: Dataset) -> None:
    del image.ImagePositionPatient


def odd_position(image: Dataset) -> None:
    image.ImagePositionPatient = [1, 2]


def many_frames(image: Dataset) -> None:
    image.NumberOfFrames = 2


def mosaic_without_csa(image: Dataset) -> None:
    image.ImageType = [*image.ImageType, "MOSAIC"]
    image.remove_private_tags()


@pytest.mark.parametrize(
    "change", [no_position, odd_position, many_frames, mosaic_without_csa, colours]
)
def test_an_image_that_says_nowhere_where_it_lies_is_refused(
    change: Callable[[Dataset], None], tmp_path: Path
) -> None:
    with pytest.raises(NoPlanesError):
        planes_of(changed(tmp_path, change))
