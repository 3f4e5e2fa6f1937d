"""A cut that was made in NIfTI images, made in the DICOM frames of which they were converted.

What was cut is what differs between an image and its defaced copy. Each pixel of a frame finds its
voxel by where both lie in the scanner; a frame that lies on no image's grid is refused, so that
none keeps its face unnoticed. The pixels that go get the stored number of the value that the voxels
got, and not another bit changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bidsanon.deface.grid import Mask, Matrix, inverse
from bidsanon.deface.voxels import Nifti, UnreadableImageError, read_header, slabs
from bidsanon.dicom.encoding import NotUnderstoodError
from bidsanon.dicom.planes import Plane
from bidsanon.dicom.stored_frames import Stored, StoredFrames

_OFF_GRID_VOXELS = 0.25
"""How far from a voxel's centre a pixel may lie: headers and affines are rounded."""
_SAME_VALUE = 1e-6
_MOST_KNOWN = 1024


@dataclass(frozen=True, kw_only=True, eq=False)
class CutImage:
    """What was cut from one image.

    Attributes
    ----------
    space, affine
        Its grid.
    goes
        Which voxels go; None where it was left as it was.
    value
        The value that they got.
    loose
        Whether it was cut from another series: pixels take what their nearest voxel has.
    """

    space: tuple[int, int, int]
    affine: Matrix
    goes: Mask | None = None
    value: float = 0.0
    loose: bool = False


def read_cut(before: Path, after: Path, *, mask: Path | None = None) -> CutImage:
    """Find out what was cut from an image, some slices at a time.

    Parameters
    ----------
    before, after
        The image and its defaced copy; the same file where it was left as it was.
    mask
        Its defacemask, where the cut is for another series: what was air here may be face there.

    Raises
    ------
    UnreadableImageError
        If one of them cannot be read, or what was cut does not have one value.
    """
    image = read_header(before)
    if before.samefile(after):
        return CutImage(space=image.space, affine=image.affine)
    goes = np.zeros(image.space, dtype=bool, order="F")
    values: set[float] = set()
    for one, other in zip(slabs(image), slabs(read_header(after)), strict=True):
        differs = one.values != other.values
        goes[:, :, one.first : one.first + differs.shape[2]] |= differs
        values.update(np.unique(other.values[differs]).tolist())
    if len(values) > 1:
        raise UnreadableImageError("what was cut from it does not have one value")
    if mask is not None:
        kept = read_header(mask)
        if not kept.same_grid(image):
            raise UnreadableImageError("its defacemask is another image's")
        for slab in slabs(kept):
            goes[:, :, slab.first : slab.first + slab.values.shape[2]] = slab.values == 0
    return CutImage(
        space=image.space,
        affine=image.affine,
        goes=goes,
        value=next(iter(values), 0.0),
        loose=mask is not None,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _PlaneCut:
    """Which pixels of a plane go, and the value that they get."""

    goes: Mask
    value: float


@dataclass(frozen=True, kw_only=True, eq=False)
class SeriesCut:
    """What was cut from all images of some series.

    Attributes
    ----------
    images
        Every image that was made of them, also those that were left as they were.
    """

    images: tuple[CutImage, ...]
    _known: dict[bytes, _PlaneCut] = field(default_factory=dict)

    def of(self, plane: Plane) -> _PlaneCut:
        """Say which pixels of a plane go.

        Raises
        ------
        NotUnderstoodError
            If it lies on no image's grid, or two images disagree about what the pixels become.
        """
        key = plane.affine.tobytes() + np.array([plane.rows, plane.columns]).tobytes()
        if key not in self._known:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[key] = self._find(plane)
        return self._known[key]

    def _find(self, plane: Plane) -> _PlaneCut:
        goes = np.zeros((plane.rows, plane.columns), dtype=bool)
        values: set[float] = set()
        found = False
        for image in self.images:
            places = _places(plane, image)
            if places is None:
                continue
            found = True
            if image.goes is not None:
                goes |= image.goes[places]
                values.add(image.value)
        if not found:
            raise NotUnderstoodError("a slice of it lies where none of its images has one")
        if max(values, default=0.0) - min(values, default=0.0) > _SAME_VALUE:
            raise NotUnderstoodError("its images have different values of air")
        return _PlaneCut(goes=goes, value=next(iter(values), 0.0))


def _places(plane: Plane, image: CutImage) -> tuple[Matrix, Matrix, Matrix] | None:
    """Return the voxel of each pixel of a plane; None where they do not lie on an image's grid.

    A loose cut goes on beyond its image as at its edge.
    """
    to_voxels = inverse(image.affine) @ plane.affine
    column, row = np.arange(plane.columns), np.arange(plane.rows)[:, np.newaxis]
    places = []
    for axis in range(3):
        exact = to_voxels[axis, 0] * column + to_voxels[axis, 1] * row + to_voxels[axis, 3]
        nearest = np.rint(exact).astype(np.intp)
        if image.loose:
            places.append(np.clip(nearest, 0, image.space[axis] - 1))
            continue
        if (
            np.abs(exact - nearest).max() > _OFF_GRID_VOXELS
            or nearest.min() < 0
            or nearest.max() >= image.space[axis]
        ):
            return None
        places.append(nearest)
    return places[0], places[1], places[2]


def frames_without_face(
    frames: StoredFrames, planes: Sequence[Plane], cut: SeriesCut
) -> Iterator[bytes]:
    """Yield the pixel data of an image without the face, frame by frame, uncompressed.

    Raises
    ------
    NotUnderstoodError
        If a frame cannot be decoded, or where it lies cannot be told.
    """
    for number, within in _by_frame(frames, planes):
        frame = frames.frame(number)
        _remove(frame, within, cut, frames)
        yield frame.tobytes()
    yield frames.behind


def removed_pixels(planes: Sequence[Plane], cut: SeriesCut) -> int:
    """Count the pixels of an image that go.

    Raises
    ------
    NotUnderstoodError
        If where a frame lies cannot be told.
    """
    return sum(int(np.count_nonzero(cut.of(plane).goes)) for plane in planes)


def require_cut(
    before: StoredFrames, after: StoredFrames, planes: Sequence[Plane], cut: SeriesCut
) -> None:
    """Refuse written frames in which a pixel differs that stays, or one that goes is there.

    Raises
    ------
    NotUnderstoodError
        If it is so.
    """
    for number, within in _by_frame(before, planes):
        expected, stays = (
            before.frame(number),
            np.ones((before.form.rows, before.form.columns), bool),
        )
        for plane in within:
            stays[plane.part] &= ~cut.of(plane).goes
        written = after.frame(number)
        gone = expected.copy()
        _remove(gone, within, cut, before)
        if (written[stays] != expected[stays]).any() or (written[~stays] != gone[~stays]).any():
            raise NotUnderstoodError("what was written differs outside the face")


def _by_frame(frames: StoredFrames, planes: Sequence[Plane]) -> Iterator[tuple[int, list[Plane]]]:
    within: list[list[Plane]] = [[] for _ in range(frames.form.frames)]
    for plane in planes:
        within[plane.frame].append(plane)
    yield from enumerate(within)


def _remove(frame: Stored, planes: Sequence[Plane], cut: SeriesCut, frames: StoredFrames) -> None:
    least, greatest = frames.limits
    for plane in planes:
        goes = cut.of(plane)
        stored = round((goes.value - plane.intercept) / plane.slope)
        frame[plane.part][goes.goes] = min(max(stored, least), greatest)


def same_voxels(defaced: Nifti, again: Nifti, cut: CutImage) -> bool:
    """Tell whether what was converted of written frames is the defaced image, voxel for voxel.

    Values are compared, since what goes may have been what asked for a wider type. Where the face
    was, one stored number of either may lie between them.

    Parameters
    ----------
    defaced
        The image that was defaced.
    again
        What the written frames were converted to.
    cut
        What was cut.
    """
    if defaced.shape != again.shape or not defaced.same_grid(again):
        return False
    step = max(abs(one.slope) for one in (defaced, again))
    tolerance = step / 2 if defaced.dtype.kind in "iu" else _SAME_VALUE
    for one, other in zip(slabs(defaced), slabs(again), strict=True):
        close = np.isclose(one.values, other.values, rtol=_SAME_VALUE, atol=0)
        if cut.goes is not None:
            goes = cut.goes[:, :, one.first : one.first + one.values.shape[2]]
            close |= goes & (np.abs(one.values - other.values) <= tolerance * (1 + _SAME_VALUE))
        if not close.all():
            return False
    return True
