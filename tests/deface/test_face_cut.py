"""The template's brain and ears, and where the cut goes."""

from __future__ import annotations

from importlib.resources import as_file, files

import nibabel
import numpy as np
import pytest
from scipy import ndimage

from bidsanon.deface import cut
from bidsanon.deface.cut import (
    BRAIN_GUARD_MM,
    GROWN_BY_MM,
    WHOLE,
    Cut,
    cut_mask,
    face_cut,
    face_tissue,
)
from bidsanon.deface.grid import Grid, Matrix
from bidsanon.deface.options import DefaceOptions, Faces
from bidsanon.deface.template import face_template

AS_IT_IS = np.eye(4)
# Read off the template's slices, in its world: mm to the right, to the front, upwards.
GOES = {
    "tip of the nose": (-4, 117, -51),
    "mouth": (-4, 95, -90),
    "back tooth on the left": (-32, 48, -90),
    "back tooth on the right": (25, 48, -90),
    "left eye": (-36, 84, -29),
    "right eye": (28, 78, -29),
    "left ear": (-83, 0, -40),
    "right ear": (76, -8, -40),
    "chin below the field of view": (-4, 90, -180),
    "nose in front of the field of view": (-4, 160, -51),
    "ear beside the field of view": (-130, 0, -40),
}
STAYS = {
    "forehead": (-4, 95, 30),
    "crown": (-4, 0, 80),
    "back of the head": (-4, -100, 0),
    "neck": (-4, -30, -115),
    "pharynx": (-4, 20, -95),
    "temporal pole": (-40, 35, -35),
    "neck below the field of view": (-4, -30, -180),
    "brain stem": (-4, -10, -40),
    "air above": (-4, 60, 150),
}


def goes(point: tuple[float, float, float], *, what: Cut = WHOLE) -> bool:
    """Ask for one voxel of 1 mm at a point."""
    affine = np.eye(4)
    affine[:3, 3] = point
    return bool(cut_mask((1, 1, 1), affine, AS_IT_IS, cut=what)[0, 0, 0])


@pytest.mark.parametrize("place", GOES)
def test_the_face_and_the_ears_go(place: str) -> None:
    assert goes(GOES[place])


@pytest.mark.parametrize("place", STAYS)
def test_head_and_neck_stay(place: str) -> None:
    assert not goes(STAYS[place])


@pytest.mark.parametrize("place", GOES)
def test_ears_stay_where_they_are_to_be_kept(place: str) -> None:
    without_ears = Cut.of(DefaceOptions(keep_ears=True))
    assert goes(GOES[place], what=without_ears) is not ("ear" in place.split())


def test_pydefaces_mask_is_cut_exactly() -> None:
    as_pydeface = Cut.of(DefaceOptions(faces=Faces.PYDEFACE))
    folder = files("pydeface") / "data"
    with as_file(folder / "facemask.nii.gz") as path:
        image = nibabel.load(path)
    kept = np.asarray(image.dataobj) > 0
    cut_away = cut_mask(kept.shape, image.affine, AS_IT_IS, cut=as_pydeface)
    behind_the_sheet = ~kept.all(axis=(0, 2))
    last = int(np.flatnonzero(behind_the_sheet)[-1])
    assert np.array_equal(cut_away[:, :last], ~kept[:, :last])
    assert cut_away[:, last:].sum() >= (~kept[:, last:]).sum()
    assert goes(GOES["nose in front of the field of view"], what=as_pydeface)
    assert not goes(GOES["left ear"], what=as_pydeface)
    assert not goes(STAYS["neck below the field of view"], what=as_pydeface)


def test_what_is_unusual_about_a_cut_is_said() -> None:
    assert WHOLE.words() == ""
    assert Cut.of(DefaceOptions(keep_ears=True)).words() == "the ears kept"
    assert "exactly" in Cut.of(DefaceOptions(faces=Faces.PYDEFACE, keep_ears=True)).words()


def test_the_brain_of_the_template_is_a_brain() -> None:
    template = face_template()
    millilitres = template.brain.sum() * np.prod(template.head.voxel_sizes_mm) / 1000
    assert 1250 < millilitres < 1500
    assert ndimage.label(template.brain)[1] == 1
    assert not (template.brain & (template.face | template.ears)).any()


def test_the_cut_holds_all_of_pydefaces_mask_and_keeps_off_the_brain() -> None:
    template = face_template()
    size = template.head.voxel_sizes_mm[0]
    removed = face_cut().values < 0
    assert removed[template.face].all()
    from_brain = ndimage.distance_transform_edt(~template.brain) * size
    assert from_brain[removed].min() > BRAIN_GUARD_MM


def test_the_cut_is_grown_beyond_pydefaces_mask() -> None:
    template = face_template()
    size = template.head.voxel_sizes_mm[0]
    from_face = ndimage.distance_transform_edt(~template.face) * size
    added = ndimage.binary_dilation(template.ears | cut._teeth(template.head), iterations=2)
    reached = from_face[(face_cut().values < 0) & ~added].max()
    assert GROWN_BY_MM - size < reached <= GROWN_BY_MM


def grid_affine(size_mm: float) -> Matrix:
    affine = np.diag([size_mm, size_mm, size_mm, 1.0])
    affine[:3, 3] = (-110, -140, -140)
    return affine


def test_voxels_of_any_size_are_cut_alike() -> None:
    volumes = []
    for size in (1.2, 3.0, 6.0):
        shape = tuple(int(length / size) for length in (216, 276, 240))
        volumes.append(cut_mask(shape, grid_affine(size), AS_IT_IS).sum() * size**3)
    assert max(volumes) < 1.03 * min(volumes)


def test_the_mask_does_not_depend_on_its_slabs(monkeypatch: pytest.MonkeyPatch) -> None:
    shape, affine = (61, 70, 53), grid_affine(3.1)
    whole = cut_mask(shape, affine, AS_IT_IS)
    monkeypatch.setattr(cut, "_SLAB_VOXELS", 61 * 70 * 5)
    assert np.array_equal(cut_mask(shape, affine, AS_IT_IS), whole)
    assert whole.flags.f_contiguous


def test_fine_voxels_between_samples_are_cut_as_if_each_were_sampled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shape, affine = (90, 100, 80), grid_affine(1.2)
    affine[:3, 3] += (60, 150, 40)
    between = cut_mask(shape, affine, AS_IT_IS)
    monkeypatch.setattr(cut, "_SAMPLED_MM", 0.0)
    each = cut_mask(shape, affine, AS_IT_IS)
    assert each.any()
    assert not each.all()
    assert (between != each).mean() < 0.005


def test_tissue_in_the_face_is_measured(upright_head: Grid) -> None:
    goes = cut_mask(upright_head.values.shape, upright_head.affine, AS_IT_IS)
    measured = face_tissue(upright_head, goes)
    assert 500 < measured.tissue_ml < 1000
    assert 0.1 < measured.tissue_share < 0.25
    assert measured.cut_ml > measured.tissue_ml


def test_a_head_without_a_face_has_no_tissue_there() -> None:
    template = face_template()
    values = template.head.values * template.brain
    stripped = Grid(values=values, affine=template.head.affine)
    goes = cut_mask(values.shape, stripped.affine, AS_IT_IS)
    assert face_tissue(stripped, goes).tissue_ml == 0
