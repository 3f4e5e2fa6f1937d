"""Defacemasks: their names, and what is in them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest
from heads import KnowingEngine, stored_values, write_image

from bidsanon.bids.names import check_name
from bidsanon.deface.acquisition import Acquisition, group_acquisitions
from bidsanon.deface.grid import Grid
from bidsanon.deface.image import deface_acquisition
from bidsanon.deface.masks import mask_path
from bidsanon.deface.options import DefaceOptions
from bidsanon.deface.voxels import read_header
from bidsanon.session import DefaceVerdict

pytestmark = pytest.mark.usefixtures("without_opencv")

ANAT = "sub-01/ses-2/anat/sub-01_ses-2"


def acquisition_of(root: Path, paths: list[str], head: Grid) -> Acquisition:
    for path in paths:
        write_image(root / path, head.values, head.affine)
    images = {path: read_header(root / path) for path in paths}
    (one,) = group_acquisitions(root, images)
    return one


@pytest.fixture
def speck() -> Grid:
    return Grid(values=np.ones((2, 3, 4), dtype=np.float32), affine=np.eye(4))


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        (["_T1w"], "_mod-T1w"),
        (["_acq-x_ce-gd_rec-n_run-2_T2w"], "_acq-x_ce-gd_rec-n_run-2_mod-T2w"),
        (["_run-1_chunk-3_T1w"], "_run-1_mod-T1w_chunk-3"),
        (["_echo-1_MEGRE", "_echo-2_MEGRE"], "_mod-MEGRE"),
        (["_echo-2_MEGRE"], "_acq-echo2_mod-MEGRE"),
        (["_flip-1_VFA"], "_acq-flip1_mod-VFA"),
        (["_acq-pd_echo-1_flip-4_mt-off_MPM"], "_acq-pdecho1flip4mtoff_mod-MPM"),
        (["_UNIT1", "_inv-1_MP2RAGE", "_inv-2_MP2RAGE"], "_mod-MP2RAGE"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_anatomical_image_has_a_mask_with_a_valid_name(
    tmp_path: Path, speck: Grid, images: list[str], expected: str
) -> None:
    paths = [f"{ANAT}{image}.nii.gz" for image in images]
    found = mask_path(acquisition_of(tmp_path, paths, speck))
    assert found == f"{ANAT}{expected}_defacemask.nii.gz"
    assert check_name(found) is None


@pytest.mark.parametrize("path", ["sub-01/pet/sub-01_pet.nii.gz", "lone_T1w.nii.gz"])
def test_other_images_have_none(tmp_path: Path, speck: Grid, path: str) -> None:
    assert mask_path(acquisition_of(tmp_path, [path], speck)) == ""


def test_a_mask_is_0_where_the_face_was(
    tmp_path: Path, upright_head: Grid, knowing_engine: KnowingEngine
) -> None:
    head = replace(upright_head, values=upright_head.values + np.float32(0.01))
    one = acquisition_of(tmp_path, [f"{ANAT}_T1w.nii.gz"], head)
    (outcome,) = deface_acquisition(
        one, engine=knowing_engine, pictures=None, options=DefaceOptions(masks=True)
    ).outcomes
    assert outcome.mask == f"{ANAT}_mod-T1w_defacemask.nii.gz"
    mask = nibabel.load(tmp_path / outcome.mask)
    values = np.asarray(mask.dataobj)
    assert values.dtype == np.uint8
    assert np.array_equal(values == 0, stored_values(tmp_path / outcome.path) == 0)
    assert set(np.unique(values)) == {0, 1}
    image = nibabel.load(tmp_path / outcome.path)
    assert np.allclose(mask.affine, image.affine)
    assert np.allclose(mask.get_qform(), image.affine)
    for code in ("sform_code", "qform_code"):
        assert mask.header[code] == image.header[code]
    sidecar = (tmp_path / outcome.mask).with_name(
        Path(outcome.mask).name.replace(".nii.gz", ".json")
    )
    assert json.loads(sidecar.read_text()) == {}


def test_the_same_mask_gives_the_same_bytes(
    tmp_path: Path, upright_head: Grid, knowing_engine: KnowingEngine
) -> None:
    found = []
    for folder in ("a", "b"):
        one = acquisition_of(tmp_path / folder, [f"{ANAT}_T1w.nii.gz"], upright_head)
        options = DefaceOptions(masks=True)
        defaced = deface_acquisition(one, engine=knowing_engine, pictures=None, options=options)
        found.append((tmp_path / folder / defaced.outcomes[0].mask).read_bytes())
    assert found[0] == found[1]


def test_an_image_that_is_left_alone_has_no_mask(tmp_path: Path, upright_head: Grid) -> None:
    one = acquisition_of(tmp_path, [f"{ANAT}_T1w.nii.gz"], upright_head)
    lost = KnowingEngine(to_head=np.diag([1.0, 1.0, 1.0, 1.0]) + np.eye(4, k=3) * 90)
    (outcome,) = deface_acquisition(
        one, engine=lost, pictures=None, options=DefaceOptions(masks=True)
    ).outcomes
    assert outcome.verdict is DefaceVerdict.FAILED
    assert outcome.mask == ""
    assert [path.name for path in (tmp_path / ANAT).parent.iterdir()] == ["sub-01_ses-2_T1w.nii.gz"]
