"""The bytes of images: only what is masked changes."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import struct
from collections.abc import Iterator
from dataclasses import replace
from io import BufferedIOBase
from pathlib import Path

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from nibabel.nifti1 import Nifti1Extension

from bidsanon.deface import voxels
from bidsanon.deface.grid import Mask
from bidsanon.deface.voxels import (
    ChangedElsewhereError,
    UnreadableImageError,
    background,
    mean_volume,
    read_header,
    remove,
)

SHAPE = (5, 6, 7)
AFFINE = np.diag([2.0, 3.0, 4.0, 1.0])
KINDS = (nibabel.Nifti1Image, nibabel.Nifti2Image)
PLAIN_TYPES = ["u1", "i1", "i2", "u2", "i4", "u4", "i8", "f4", "f8", "c8", "c16"]


@pytest.fixture
def mask() -> Mask:
    goes = np.zeros(SHAPE, dtype=bool)
    goes[1:3, 2:, :4] = True
    return goes


def numbers(dtype: str, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    values = np.random.default_rng(3).integers(1, 100, size=shape)
    return values.astype(dtype)


def write(
    path: Path,
    values: np.ndarray,
    *,
    kind: type = nibabel.Nifti1Image,
    order: str = "<",
    comment: str = "",
) -> Path:
    header = kind.header_class(endianness=order)
    header.set_data_dtype(values.dtype)
    image = kind(values, AFFINE, header=header)
    if comment:
        image.header.extensions.append(Nifti1Extension("comment", comment.encode()))
    image.to_filename(path)
    return path


def set_scaling(path: Path, *, slope: float, inter: float) -> None:
    """Write a scaling into a plain little-endian NIfTI-1 file."""
    content = bytearray(path.read_bytes())
    content[112:120] = struct.pack("<ff", slope, inter)
    path.write_bytes(content)


def unpacked(path: Path) -> bytes:
    content = path.read_bytes()
    return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize(("kind", "order"), list(itertools.product(KINDS, "<>")))
@pytest.mark.parametrize("dtype", PLAIN_TYPES)
def test_only_masked_voxels_change(
    tmp_path: Path, mask: Mask, *, name: str, kind: type, order: str, dtype: str
) -> None:
    path = write(tmp_path / name, numbers(dtype), kind=kind, order=order, comment="kept")
    before, stored = unpacked(path), np.asarray(nibabel.load(path).dataobj)
    image = read_header(path)
    assert remove(image, mask) == mask.sum()
    after = unpacked(path)
    assert after[: image.offset] == before[: image.offset]
    assert len(after) == len(before)
    defaced = nibabel.load(path)
    assert (np.asarray(defaced.dataobj)[~mask] == stored[~mask]).all()
    assert (np.asarray(defaced.dataobj)[mask] == 0).all()
    assert defaced.get_data_dtype() == np.dtype(dtype).newbyteorder(order)
    assert defaced.header.extensions[0].get_content() == b"kept"


@settings(max_examples=25)
@given(
    stored=arrays(
        dtype=st.sampled_from([np.uint8, np.int16, np.uint16, np.float32]),
        shape=st.tuples(*[st.integers(1, 4)] * 4),
    ),
    slope=st.sampled_from([0.0, 1.0, 2.0, -0.5, 0.001]),
    inter=st.sampled_from([0.0, -4096.0, 100.0]),
    data=st.data(),
)
def test_bytes_outside_the_mask_are_identical_whatever_the_scaling(
    tmp_path: Path, stored: np.ndarray, slope: float, inter: float, data: st.DataObject
) -> None:
    path = write(tmp_path / "x.nii", stored)
    set_scaling(path, slope=slope, inter=inter)
    goes = data.draw(arrays(dtype=np.bool_, shape=stored.shape[:3]))
    before = path.read_bytes()
    image = read_header(path)
    remove(image, goes)
    after = path.read_bytes()
    one = np.frombuffer(before[image.offset :], stored.dtype).reshape(stored.shape, order="F")
    other = np.frombuffer(after[image.offset :], stored.dtype).reshape(stored.shape, order="F")
    assert before[: image.offset] == after[: image.offset]
    assert one[~goes].tobytes() == other[~goes].tobytes()
    assert set(other[goes].ravel()) <= {background(image)[()]}


def test_voxels_begin_where_the_file_says_although_nibabel_forgets(
    tmp_path: Path, mask: Mask
) -> None:
    path = write(tmp_path / "a.nii", numbers("i2"), comment="a long comment " * 30)
    image = read_header(path)
    assert nibabel.load(path).header["vox_offset"] == 0
    assert image.offset > 352
    remove(image, mask)
    assert b"a long comment" in path.read_bytes()[: image.offset]


def test_a_phase_of_zero_is_written_where_stored_zero_is_minus_pi(
    tmp_path: Path, mask: Mask
) -> None:
    path = write(tmp_path / "phase.nii", numbers("u2"))
    set_scaling(path, slope=2.0, inter=-4096.0)
    remove(read_header(path), mask)
    image = nibabel.load(path)
    assert (np.asarray(image.dataobj)[mask] == 0).all()
    assert (image.dataobj.get_unscaled()[mask] == 2048).all()


def test_a_background_that_cannot_be_stored_becomes_the_nearest_that_can(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii", numbers("u1"))
    set_scaling(path, slope=1.0, inter=10.0)
    assert background(read_header(path)) == 0


def test_colours_become_black(tmp_path: Path, mask: Mask) -> None:
    colours = np.zeros(SHAPE, dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    colours["R"], colours["G"], colours["B"] = 10, 20, 60
    path = write(tmp_path / "rgb.nii.gz", colours)
    image = read_header(path)
    assert mean_volume(image).values[0, 0, 0] == 30
    remove(image, mask)
    after = np.asarray(nibabel.load(path).dataobj)
    assert (after[~mask] == colours[~mask]).all()
    assert (after["B"][mask] == 0).all()


def test_every_volume_of_a_series_is_cut(tmp_path: Path, mask: Mask) -> None:
    values = numbers("i2", (*SHAPE, 3, 2))
    path = write(tmp_path / "echoes.nii.gz", values)
    remove(read_header(path), mask)
    after = np.asarray(nibabel.load(path).dataobj)
    assert (after[mask] == 0).all()
    assert (after[~mask] == values[~mask]).all()


def test_the_mean_is_taken_over_volumes_and_of_magnitudes(tmp_path: Path) -> None:
    values = np.full((*SHAPE, 2), 3 + 4j, dtype="c8")
    values[..., 1] = np.nan
    path = write(tmp_path / "complex.nii", values)
    assert np.allclose(mean_volume(read_header(path)).values, 2.5)


def test_numbers_that_are_none_stay_as_they_are(tmp_path: Path, mask: Mask) -> None:
    values = numbers("f4")
    values[0, 0, 0] = np.nan
    path = write(tmp_path / "nan.nii", values)
    remove(read_header(path), mask)
    assert np.isnan(np.asarray(nibabel.load(path).dataobj)[0, 0, 0])


def test_bytes_after_the_voxels_stay(tmp_path: Path, mask: Mask) -> None:
    path = write(tmp_path / "a.nii", numbers("i2"))
    path.write_bytes(path.read_bytes() + b"the end")
    remove(read_header(path), mask)
    assert path.read_bytes().endswith(b"the end")


def test_a_read_only_file_is_replaced_and_stays_read_only(tmp_path: Path, mask: Mask) -> None:
    path = write(tmp_path / "a.nii.gz", numbers("i2"))
    path.chmod(0o444)
    remove(read_header(path), mask)
    assert path.stat().st_mode & 0o777 == 0o444
    assert [p.name for p in tmp_path.iterdir()] == ["a.nii.gz"]


def test_gzip_says_neither_name_nor_time(tmp_path: Path, mask: Mask) -> None:
    one = write(tmp_path / "one.nii.gz", numbers("i2"))
    two = tmp_path / "two.nii.gz"
    with two.open("wb") as file, gzip.GzipFile("two", "wb", 1, file, mtime=77) as stream:
        stream.write(unpacked(one))
    for path in (one, two):
        remove(read_header(path), mask)
    assert one.read_bytes() == two.read_bytes()
    assert one.read_bytes()[3:8] == bytes(5)


def test_a_file_with_something_else_behind_it_is_refused_and_left_alone(
    tmp_path: Path, mask: Mask
) -> None:
    path = write(tmp_path / "a.nii.gz", numbers("i2"))
    image = read_header(path)
    longer = path.read_bytes() + b"something else"
    path.write_bytes(longer)
    with pytest.raises(UnreadableImageError, match="damaged"):
        remove(image, mask)
    assert path.read_bytes() == longer


def test_a_file_that_ends_early_is_refused_and_left_alone(tmp_path: Path, mask: Mask) -> None:
    path = write(tmp_path / "a.nii.gz", numbers("i2"))
    image = read_header(path)
    cut_off = path.read_bytes()[:-30]
    path.write_bytes(cut_off)
    with pytest.raises(UnreadableImageError, match="ends early"):
        remove(image, mask)
    with pytest.raises(UnreadableImageError):
        mean_volume(image)
    assert path.read_bytes() == cut_off
    assert [p.name for p in tmp_path.iterdir()] == ["a.nii.gz"]


def test_a_change_outside_the_mask_keeps_the_original(
    tmp_path: Path, mask: Mask, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.nii.gz", numbers("i2"))
    before = path.read_bytes()
    honest = voxels._write_without

    def careless(image: voxels.Nifti, cut: voxels._Cut, file: object) -> None:
        wider = cut.goes.copy()
        wider[-1] = True
        honest(image, replace(cut, goes=wider), file)  # type: ignore[arg-type]

    monkeypatch.setattr(voxels, "_write_without", careless)
    with pytest.raises(ChangedElsewhereError):
        remove(read_header(path), mask)
    assert path.read_bytes() == before


def test_a_voxel_that_was_missed_keeps_the_original(
    tmp_path: Path, mask: Mask, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.nii.gz", numbers("i2"))
    before = path.read_bytes()
    honest = voxels._write_without

    def lazy(image: voxels.Nifti, cut: voxels._Cut, file: object) -> None:
        fewer = cut.goes.copy()
        fewer[np.flatnonzero(cut.goes)[0]] = False
        honest(image, replace(cut, goes=fewer), file)  # type: ignore[arg-type]

    monkeypatch.setattr(voxels, "_write_without", lazy)
    with pytest.raises(ChangedElsewhereError):
        remove(read_header(path), mask)
    assert path.read_bytes() == before


def test_a_change_behind_the_voxels_keeps_the_original(
    tmp_path: Path, mask: Mask, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.nii", numbers("i2"))
    before = path.read_bytes()
    honest = voxels._write_without

    def careless(image: voxels.Nifti, cut: voxels._Cut, file: BufferedIOBase) -> None:
        honest(image, cut, file)
        file.write(b"more")

    monkeypatch.setattr(voxels, "_write_without", careless)
    with pytest.raises(ChangedElsewhereError):
        remove(read_header(path), mask)
    assert path.read_bytes() == before


def unusable(folder: Path) -> Iterator[Path]:
    """Write files of which none can be defaced."""
    flat = folder / "flat.nii"
    nibabel.Nifti1Image(np.ones((4, 4), dtype="i2"), np.eye(4)).to_filename(flat)
    yield flat
    lost = folder / "lost.nii"
    image = nibabel.Nifti1Image(np.ones(SHAPE, dtype="i2"), np.eye(4))
    image.header["sform_code"] = 1
    image.header["srow_x"] = np.nan
    image.to_filename(lost)
    content = bytearray(lost.read_bytes())
    content[254:256] = struct.pack("<h", 1)
    content[280:296] = struct.pack("<4f", *[np.nan] * 4)
    lost.write_bytes(content)
    yield lost
    collapsed = folder / "collapsed.nii"
    collapsed.write_bytes(bytes(content[:280]) + bytes(48) + bytes(content[328:]))
    yield collapsed
    empty = folder / "empty.nii.gz"
    empty.touch()
    yield empty
    garbage = folder / "garbage.nii"
    garbage.write_bytes(b"no image" * 100)
    yield garbage
    pair = folder / "pair.hdr"
    nibabel.Nifti1Pair(np.ones(SHAPE, dtype="i2"), np.eye(4)).to_filename(pair)
    yield pair
    yield folder / "nowhere.nii"


def test_what_cannot_be_defaced_is_refused_in_words(tmp_path: Path) -> None:
    files = list(unusable(tmp_path))
    assert len(files) == 7
    for path in files:
        with pytest.raises(UnreadableImageError) as refused:
            read_header(path)
        assert str(refused.value), path.name


@settings(max_examples=25)
@given(place=st.integers(0, 347), value=st.integers(0, 255))
def test_a_damaged_header_is_read_or_refused_and_nothing_else(
    tmp_path: Path, place: int, value: int
) -> None:
    path = write(tmp_path / "x.nii", numbers("i2"))
    content = bytearray(path.read_bytes())
    content[place] = value
    path.write_bytes(content)
    with contextlib.suppress(UnreadableImageError):
        mean_volume(read_header(path))


@pytest.mark.parametrize("offset", [np.nan, np.inf, 1e30, 4e9])
def test_an_offset_that_makes_no_sense_is_refused(tmp_path: Path, offset: float) -> None:
    path = write(tmp_path / "x.nii", numbers("i2"))
    content = bytearray(path.read_bytes())
    content[108:112] = struct.pack("<f", offset)
    path.write_bytes(content)
    with pytest.raises(UnreadableImageError, match="make no sense"):
        read_header(path)
