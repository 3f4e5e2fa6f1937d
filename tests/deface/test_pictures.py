"""The pictures that a person looks at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from heads import pose, posed_head
from matplotlib.image import imread
from scipy import ndimage

from bidsanon.deface.cut import cut_mask
from bidsanon.deface.grid import Grid
from bidsanon.deface.head import Window
from bidsanon.deface.pictures import Picture, Pose, draw, png, save

PLAIN = Window(darkest=0.0, brightest=1.0)
RED = (255, 64, 64)
PLANES = ("sagittal", "coronal", "axial")


def pictures_of(head: Grid, to_template: np.ndarray | None) -> dict[str, Picture]:
    upright = Pose.of(head, PLAIN, to_template)
    return draw(upright, surface=upright.surface_brightness())


@pytest.mark.parametrize("shape", [(3, 5), (4, 2, 3)], ids=["grey", "colour"])
def test_png_is_read_back_as_it_was(tmp_path: Path, shape: tuple[int, ...]) -> None:
    picture = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    path = tmp_path / "x.png"
    path.write_bytes(png(picture))
    assert (np.round(imread(path) * 255) == picture).all()


def test_a_head_looks_at_the_reader_however_it_lay(upright_head: Grid) -> None:
    truth = pose(shift_mm=(10, -20, 30), turn_deg=(15, -10, 20))
    usual = pictures_of(upright_head, np.eye(4))
    turned = pictures_of(posed_head(truth), np.linalg.inv(truth))
    for view in ("front", "left", "right"):
        silhouettes = [one[view] > 0 for one in (usual, turned)]
        overlap = (silhouettes[0] & silhouettes[1]).sum() / (silhouettes[0] | silhouettes[1]).sum()
        assert overlap > 0.93


def test_the_nose_is_to_the_left_seen_from_the_left(upright_head: Grid) -> None:
    pictures = pictures_of(upright_head, np.eye(4))
    columns = {view: np.flatnonzero((pictures[view] > 0).any(axis=0)) for view in pictures}
    nose = slice(84, 104)
    left = np.flatnonzero((pictures["left"][nose] > 0).any(axis=0))
    right = np.flatnonzero((pictures["right"][nose] > 0).any(axis=0))
    assert left.min() == columns["left"].min()
    assert right.max() == columns["right"].max()


def test_the_cut_is_outlined_where_it_is_known(upright_head: Grid) -> None:
    known = pictures_of(upright_head, np.eye(4))
    unknown = pictures_of(upright_head, None)
    for plane in PLANES:
        assert (known[plane] == RED).all(axis=2).sum() > 50
        assert not (unknown[plane] == RED).all(axis=2).any()


def test_the_outline_lies_between_what_goes_and_what_stays(upright_head: Grid) -> None:
    goes = cut_mask(upright_head.values.shape, upright_head.affine, np.eye(4))
    marked = Grid(values=np.where(goes, 0.9, 0.2).astype(np.float32), affine=upright_head.affine)
    pictures = draw(Pose.of(marked, PLAIN, np.eye(4)), surface=0.12)
    for plane in PLANES:
        picture = pictures[plane]
        outlined = (picture == RED).all(axis=2)
        near = ndimage.binary_dilation(outlined, iterations=4)
        grey = picture[..., 0].astype(float)
        grey[outlined] = np.nan
        assert np.nanmin(grey[near]) < 80
        assert np.nanmax(grey[near]) > 180


def test_planes_seen_from_before_and_below_have_the_right_side_on_the_left(
    upright_head: Grid,
) -> None:
    values = upright_head.values.copy()
    values[values.shape[0] // 2 + 3 :] *= 0.2
    darker = Grid(values=values, affine=upright_head.affine)
    assert upright_head.affine[0, 0] > 0
    pictures = pictures_of(darker, np.eye(4))
    for plane in ("coronal", "axial"):
        grey = pictures[plane][..., 1].astype(float)
        middle = grey.shape[1] // 2
        assert grey[:, :middle].mean() < 0.7 * grey[:, middle:].mean()


def test_without_its_face_a_head_looks_different_from_the_front_only(upright_head: Grid) -> None:
    goes = cut_mask(upright_head.values.shape, upright_head.affine, np.eye(4))
    values = np.where(goes, 0, upright_head.values).astype(np.float32)
    before = Pose.of(upright_head, PLAIN, np.eye(4))
    surface = before.surface_brightness()
    after = Pose.of(Grid(values=values, affine=upright_head.affine), PLAIN, np.eye(4))
    one, other = draw(before, surface=surface), draw(after, surface=surface)
    crown, face = slice(0, 60), slice(75, 120)
    assert np.array_equal(one["front"][crown] > 0, other["front"][crown] > 0)
    assert np.abs(one["front"][face].astype(int) - other["front"][face]).mean() > 10


def test_noisy_air_is_not_drawn_as_a_surface(upright_head: Grid) -> None:
    noise = np.abs(np.random.default_rng(2).normal(0, 0.06, upright_head.values.shape))
    noisy = Grid(
        values=(upright_head.values + noise).astype(np.float32), affine=upright_head.affine
    )
    front = pictures_of(noisy, np.eye(4))["front"]
    assert (front[:10] == 0).all()
    assert (front > 0).any()


def test_pictures_are_private(tmp_path: Path, upright_head: Grid) -> None:
    folder = tmp_path / "pictures"
    files = save(pictures_of(upright_head, None), folder, stem="sub-01_T1w", when="before")
    views = ("front", "left", "right", *PLANES)
    assert set(files) == {f"before-{view}" for view in views}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in files.values())
    assert sum(path.stat().st_size for path in files.values()) < 150_000
