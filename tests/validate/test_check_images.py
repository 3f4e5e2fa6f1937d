"""Images that are shorter or longer than their headers say, compressed or not."""

from __future__ import annotations

import gzip
import struct
import tracemalloc
from pathlib import Path

import nibabel
import pytest
from sessions.converted import nifti

from bidsanon.bids.tree import list_tree
from bidsanon.findings import Severity
from bidsanon.validate.images import check_images

WHOLE = nifti((40, 50, 60))
NAME = "sub-01/anat/sub-01_T1w.nii"


def said(root: Path, content: bytes, *, name: str = NAME) -> list[tuple[str, str]]:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return [(found.code, found.message) for found in check_images(list_tree(root))]


def dimensions(*sizes: int) -> bytes:
    """An image's beginning that promises other voxels than follow."""
    header = bytearray(WHOLE[:352])
    struct.pack_into("<8h", header, 40, len(sizes), *sizes, *[1] * (7 - len(sizes)))
    return bytes(header) + WHOLE[352:]


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("order", ["<", ">"])
def test_whole_images_have_nothing_said_of_them(tmp_path: Path, version: int, order: str) -> None:
    whole = nifti((4, 5, 6, 7), version=version, order=order)

    assert said(tmp_path, whole) == []
    assert said(tmp_path, gzip.compress(whole, mtime=0), name=f"{NAME}.gz") == []
    assert said(tmp_path, whole, name=f"{NAME}.gz") == []  # not compressed, whatever its name says


@pytest.mark.parametrize("kind", [0, 3, 255, 999, -4])
@pytest.mark.parametrize(("version", "place"), [(1, 70), (2, 12)])
@pytest.mark.parametrize("name", [NAME, f"{NAME}.gz"])
def test_voxels_of_a_kind_that_nifti_does_not_define_are_an_error(
    tmp_path: Path, kind: int, version: int, place: int, name: str
) -> None:
    image = bytearray(nifti((4, 5, 6), version=version))
    struct.pack_into("<h", image, place, kind)
    content = gzip.compress(bytes(image), mtime=0) if name.endswith(".gz") else bytes(image)

    ((code, message),) = said(tmp_path, content, name=name)

    assert code == "IMAGE_DAMAGED"
    assert "of a kind (datatype) that NIfTI does not define" in message


@pytest.mark.parametrize("kind", sorted(nibabel.nifti1.data_type_codes.value_set() - {0, 255}))
def test_voxels_of_every_kind_that_nifti_defines_have_nothing_said_of_them(
    tmp_path: Path, kind: int
) -> None:
    image = bytearray(WHOLE)
    struct.pack_into("<h", image, 70, kind)

    assert said(tmp_path, bytes(image)) == []


@pytest.mark.parametrize(
    "content",
    [
        WHOLE[:-1],
        gzip.compress(WHOLE[:-1], mtime=0),
        gzip.compress(WHOLE, mtime=0)[:-9],
        gzip.compress(WHOLE, mtime=0)[:300],
        gzip.compress(WHOLE, mtime=0)[:5],
        WHOLE[:100],
        b"",
        b"\x1f\x8b",
        b"hello",
        dimensions(40, 50, 61),
        dimensions(40, 0, 60),
        dimensions(*[32767] * 7),
        gzip.compress(dimensions(*[32767] * 7), mtime=0),
    ],
)
@pytest.mark.parametrize("name", [NAME, f"{NAME}.gz"])
def test_an_image_that_is_damaged_is_an_error(tmp_path: Path, content: bytes, name: str) -> None:
    ((code, message),) = said(tmp_path, content, name=name)

    assert code == "IMAGE_DAMAGED"
    assert message.startswith("the image is damaged: it")


@pytest.mark.parametrize("extra", [b"x", bytes(5000)])
def test_what_stands_behind_the_voxels_is_told(tmp_path: Path, extra: bytes) -> None:
    for content in (WHOLE + extra, gzip.compress(WHOLE + extra, mtime=0)):
        ((code, _),) = said(tmp_path, content)
        assert code == "IMAGE_TOO_LONG"


def test_several_gzip_members_are_one_image(tmp_path: Path) -> None:
    members = gzip.compress(WHOLE[:5000], mtime=0) + gzip.compress(WHOLE[5000:], mtime=0)

    assert said(tmp_path, members, name=f"{NAME}.gz") == []


def test_a_gzip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    bomb = gzip.compress(WHOLE + bytes(32 << 20), mtime=0)
    tracemalloc.start()

    ((code, _),) = said(tmp_path, bomb, name=f"{NAME}.gz")

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert code == "IMAGE_TOO_LONG"
    assert peak < 4 << 20


def test_only_the_subjects_folders_are_looked_at(tmp_path: Path) -> None:
    assert said(tmp_path, b"hello", name="derivatives/x/sub-01_T1w.nii") == []


def test_too_much_is_no_error(tmp_path: Path) -> None:
    said(tmp_path, WHOLE + b"x")

    (found,) = check_images(list_tree(tmp_path))

    assert found.severity is Severity.WARNING
