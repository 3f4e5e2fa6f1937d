"""What names, headers and sidecars say of faces; a claim that is not understood is none."""

from __future__ import annotations

import gzip
from pathlib import Path

import nibabel
import numpy as np
import pytest

from bidsanon.bids.faces import FaceClaim, face_claim, kind_shows_face, nifti_voxel_mm3


@pytest.mark.parametrize(
    ("sidecar", "claim"),
    [
        ({}, FaceClaim.NOTHING),
        ({"DeidentificationMethod": "Defaced with pydeface"}, FaceClaim.REMOVED),
        ({"DeidentificationMethod": ["names", "Face removed by x"]}, FaceClaim.REMOVED),
        ({"DeidentificationMethodCodeSequence": [{"CodeValue": "113102"}]}, FaceClaim.REMOVED),
        ({"DeidentificationMethod": ["Face not removed: defaced elsewhere"]}, FaceClaim.KEPT),
        ({"DeidentificationMethod": "Face not removed: consent"}, FaceClaim.KEPT),
        ({"DeidentificationMethod": 7, "DeidentificationMethodCodeSequence": 1}, FaceClaim.NOTHING),
    ],
)
def test_a_sidecar_claims_that_the_face_is_gone_or_kept(
    sidecar: dict[str, object], claim: FaceClaim
) -> None:
    assert face_claim(sidecar) is claim


@pytest.mark.parametrize("image_class", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("name", ["i.nii", "i.nii.gz"])
def test_the_volume_of_a_voxel_is_read_from_any_nifti(
    tmp_path: Path, image_class: type[nibabel.Nifti1Image], order: str, name: str
) -> None:
    header = image_class.header_class(endianness=order)
    image = image_class(np.zeros((4, 4, 4), np.int16), np.diag([1.0, 2.0, 3.0, 1.0]), header)
    image.to_filename(tmp_path / name)
    assert nifti_voxel_mm3(tmp_path / name) == pytest.approx(6)


@pytest.mark.parametrize("content", [b"", b"\x5c\x01\0\0", bytes(600), gzip.compress(b"x")[:12]])
def test_a_header_that_is_none_has_no_voxels_and_may_show_a_face(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "sub-01_magnitude1.nii.gz"
    path.write_bytes(content)
    assert nifti_voxel_mm3(path) is None
    assert nifti_voxel_mm3(tmp_path / "missing") is None
    assert kind_shows_face("fmap", "magnitude1", lambda: nifti_voxel_mm3(path)).asked


def test_the_header_is_not_asked_where_the_kind_decides() -> None:
    def never() -> float:
        raise AssertionError

    assert kind_shows_face("anat", "T1w", never).asked
    assert not kind_shows_face("func", "bold", never).asked
    assert not kind_shows_face("fmap", "epi", never).asked
    assert not kind_shows_face("anat", "defacemask", never).asked
