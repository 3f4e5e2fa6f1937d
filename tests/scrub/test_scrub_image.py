"""One image: no text is left in its header, and not one voxel changes."""

import gzip
import zlib
from pathlib import Path

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sessions.converted import named_gzip, nifti, nifti_extension

from bidsanon.bids.nifti import ImageError
from bidsanon.files import write_gzip
from bidsanon.scrub.images import scrub_image

TEXTS = {"descrip": b"TE=30;Time=081500.000", "aux_file": b"for Mara Doe", "intent_name": b"Doe"}
ONLY_1 = {"db_name": b"Mara", "data_type": b"Doe"}
ONLY_2 = {"unused_str": b"Mara Doe"}
HEADERS = [(1, "<"), (1, ">"), (2, "<"), (2, ">")]


def _scrub(tmp_path: Path, content: bytes, *, name: str = "out.nii.gz") -> bytes:
    source = tmp_path / "in.nii.gz"
    source.write_bytes(content)
    scrub_image(source, tmp_path / name)
    return (tmp_path / name).read_bytes()


@pytest.mark.parametrize(("version", "order"), HEADERS)
def test_texts_extensions_and_what_is_behind_the_voxels_go(
    tmp_path: Path, version: int, order: str
) -> None:
    plain = nifti(version=version, order=order)
    texts = TEXTS | (ONLY_1 if version == 1 else ONLY_2)
    extension = nifti_extension(b"Doe^Mara") + nifti_extension(b"Mara")
    planted = nifti(
        version=version, order=order, texts=texts, extension=extension, trailing=b"Doe^Mara"
    )

    published = _scrub(tmp_path, named_gzip(planted))

    assert gzip.decompress(published) == plain
    changes = scrub_image(tmp_path / "in.nii.gz", tmp_path / "again.nii.gz")
    assert set(changes.cleared) == set(texts)
    assert changes.extension_bytes == len(extension)
    assert changes.trailing


@pytest.mark.parametrize(("version", "order"), HEADERS)
def test_an_image_without_texts_comes_out_bit_for_bit(
    tmp_path: Path, version: int, order: str
) -> None:
    content = nifti((3, 4, 5, 2), version=version, order=order)

    assert gzip.decompress(_scrub(tmp_path, gzip.compress(content))) == content


def test_voxels_scaling_and_space_are_read_back_the_same(tmp_path: Path) -> None:
    affine = np.diag([1.5, 2, 2.5, 1])
    affine[:3, 3] = [-10, 20, 5]
    values = np.random.default_rng(0).normal(size=(5, 6, 7)).astype("float32")
    image = nibabel.Nifti1Image(values, affine)
    image.header["descrip"] = b"for Mara Doe"
    image.header.set_slope_inter(2, 1)
    image.header["cal_max"] = 7
    source = tmp_path / "in.nii.gz"
    nibabel.save(image, source)

    scrub_image(source, tmp_path / "out.nii.gz")

    before, after = nibabel.load(source), nibabel.load(tmp_path / "out.nii.gz")
    assert np.array_equal(np.asanyarray(before.dataobj), np.asanyarray(after.dataobj))
    assert np.array_equal(before.affine, after.affine)
    before.header["descrip"] = b""
    assert before.header == after.header


def test_the_name_of_a_statistic_stays(tmp_path: Path) -> None:
    content = nifti(intent_code=5, texts={"intent_name": b"Zscore"})

    assert gzip.decompress(_scrub(tmp_path, gzip.compress(content))) == content


def test_the_gzip_header_holds_neither_name_nor_time(tmp_path: Path) -> None:
    published = _scrub(tmp_path, named_gzip(nifti()))

    assert published[:10] == b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
    assert b"Mara" not in published


def test_the_same_image_gives_the_same_bytes_however_many_threads(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 500, size=3_000_000).astype("<i2").tobytes()
    (tmp_path / "in.nii").write_bytes(nifti((300, 100, 100))[:352] + noise)

    for threads in (1, 3):
        scrub_image(tmp_path / "in.nii", tmp_path / f"{threads}.nii.gz", threads=threads)

    assert (tmp_path / "1.nii.gz").read_bytes() == (tmp_path / "3.nii.gz").read_bytes()


def test_what_is_not_compressed_is_read_whatever_its_name_says(tmp_path: Path) -> None:
    assert gzip.decompress(_scrub(tmp_path, nifti())) == nifti()
    assert _scrub(tmp_path, nifti(), name="out.nii") == nifti()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no NIfTI image"),
        (b"GIF89a" * 100, "no NIfTI image"),
        (nifti()[:300], "no NIfTI image"),
        (nifti().replace(b"n+1\0", b"ni1\0"), "no NIfTI image in one file"),
        (nifti()[:-1], "ends before its voxels do"),
        (nifti()[:352], "ends before its voxels do"),
        (nifti()[:40] + b"\x09\0" + nifti()[42:], "impossible dimensions"),
        (nifti((0, 3, 3)), "impossible dimensions"),
        (nifti()[:108] + bytes(4) + nifti()[112:], "begin within the header"),
        (nifti()[:108] + b"\0\0\xc0\x7f" + nifti()[112:], "begin within the header"),
        (nifti(extension=bytes(64))[:380], "before its voxels begin"),
        (gzip.compress(nifti())[:-20], "damaged"),
        (gzip.compress(nifti())[:-8] + b"\0\0\0\0" + gzip.compress(nifti())[-4:], "damaged"),
        (b"\x1f\x8b\x08" + b"\xff" * 50, "damaged"),
    ],
)
def test_a_damaged_image_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(ImageError, match=said):
        _scrub(tmp_path, content)


def test_a_copy_that_differs_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(path: Path, chunks: object, *, threads: int) -> None:  # noqa: ARG001
        content = bytearray(b"".join(chunks))  # type: ignore[call-overload]
        content[-1] ^= 1
        path.write_bytes(gzip.compress(content))

    monkeypatch.setattr("bidsanon.scrub.images.write_gzip", careless)

    with pytest.raises(ImageError, match="differs"):
        _scrub(tmp_path, gzip.compress(nifti()))


@settings(max_examples=25)
@given(st.lists(st.binary(max_size=3_000_000), max_size=3), st.integers(1, 3))
def test_what_is_compressed_in_blocks_is_one_ordinary_gzip_file(
    tmp_path_factory: pytest.TempPathFactory, chunks: list[bytes], threads: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "blocks.gz"

    write_gzip(path, chunks, threads=threads)

    assert gzip.decompress(path.read_bytes()) == b"".join(chunks)
    decompressor = zlib.decompressobj(31)
    decompressor.decompress(path.read_bytes())
    assert decompressor.eof
    assert decompressor.unused_data == b""
