"""Whether a program that finds faces in photographs finds one: OpenCV's, where it is installed.

The extra ``faces`` brings OpenCV 4, whose wheel brings trained cascades; version 5 has none. The
head is drawn in the template's pose, seen from several sides, and two cascades that learnt from the
same photographs in different ways look for a face of a face's size. In a view in which both find
one there is a face: alone, each also finds some in holes and edges. Three whole heads, in nine
contrasts and slice thicknesses, showed one in most views, up to 20 degrees to the side; without
their faces they showed none, and neither did brains, nor heads whose field of view ends at the
nose.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage

from bidsanon.deface.grid import Grid, Matrix, inverse, sample_like
from bidsanon.deface.head import largest_part
from bidsanon.deface.pictures import Picture, shade
from bidsanon.deface.template import face_template, template_midline_mm
from bidsanon.deface.visage import skin_brightness

PACKAGE = "opencv-python-headless"
INSTALL = "pip install 'bidsanon[faces]'"
VIEWS_DEG = (-15.0, 0.0, 15.0)
"""How far the head is turned to the side in each view."""

_PACKAGES = (PACKAGE, "opencv-python", "opencv-contrib-python-headless", "opencv-contrib-python")
_CASCADES = ("haarcascade_frontalface_alt.xml", "haarcascade_frontalface_alt2.xml")
_SIZE_MM = 2.0
_SMOOTHING_VOXELS = 0.8
# What is drawn, around the point about which the head is turned: in the middle, below the brow.
_FROM_MM = np.array([-100.0, -20.0, -110.0])
_TO_MM = np.array([100.0, 150.0, 120.0])
_BELOW_BROW_MM = -40.0
_SMALLEST_MM, _LARGEST_MM = 95.0, 165.0
_STEP = 1.05
_NEIGHBOURS = 6


def opencv_version() -> str | None:
    """Return the version of OpenCV; None where it is not installed or brings no cascades."""
    if not _cascade_files():
        return None
    for package in _PACKAGES:
        try:
            return version(package)
        except PackageNotFoundError:
            continue
    return None


def views_with_face(head: Grid, to_template: Matrix) -> int | None:
    """Count the views of a head in which a face is found.

    Parameters
    ----------
    head
        Brightness 0 to 1, coarse.
    to_template
        From its world to the template's.

    Returns
    -------
    int or None
        0 to the number of :data:`VIEWS_DEG`; None where OpenCV is not installed.
    """
    cascades = _cascades()
    if not cascades:
        return None
    drawn = (_draw(head, to_template, degrees) for degrees in VIEWS_DEG)
    return sum(all(_finds(cascade, picture) for cascade in cascades) for picture in drawn)


def _draw(head: Grid, to_template: Matrix, degrees: float) -> Picture:
    """Draw a head from the front, turned to the side."""
    affine = np.diag([_SIZE_MM, _SIZE_MM, _SIZE_MM, 1.0])
    affine[:3, 3] = _FROM_MM
    shape = tuple(int(n) for n in np.round((_TO_MM - _FROM_MM) / _SIZE_MM) + 1)
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn = np.eye(4)
    turn[:2, :2] = [[cosine, -sine], [sine, cosine]]
    turn[:3, 3] = [template_midline_mm(face_template().head), 0, _BELOW_BROW_MM]
    to_head = inverse(to_template) @ turn
    posed = sample_like(head, shape, affine, to_grid=to_head, outside=-1.0)
    inside = posed >= 0
    smooth = ndimage.gaussian_filter(np.maximum(posed, 0), _SMOOTHING_VOXELS)
    level = skin_brightness(head, to_template)
    solid = np.where(largest_part((smooth > level) & inside), smooth, 0).astype(np.float32)
    return shade(np.transpose(solid, (1, 2, 0))[::-1, ::-1, ::-1], level)


def _finds(cascade: Any, picture: Picture) -> bool:
    smallest, largest = round(_SMALLEST_MM / _SIZE_MM), round(_LARGEST_MM / _SIZE_MM)
    found = cascade.detectMultiScale(
        picture, _STEP, _NEIGHBOURS, minSize=(smallest, smallest), maxSize=(largest, largest)
    )
    return len(found) > 0


@cache
def _cascades() -> tuple[Any, ...]:
    """Load the cascades, once a process; none where they are not all there."""
    files = _cascade_files()
    if not files:
        return ()
    import cv2  # noqa: PLC0415 - an extra

    # Workers share the processors already.
    cv2.setNumThreads(1)
    return tuple(cv2.CascadeClassifier(str(file)) for file in files)


def _cascade_files() -> tuple[Path, ...]:
    """Find the cascades in OpenCV's wheel without importing it."""
    spec = find_spec("cv2")
    if spec is None or not spec.submodule_search_locations:
        return ()
    folder = Path(spec.submodule_search_locations[0]) / "data"
    files = tuple(folder / name for name in _CASCADES)
    return files if all(file.is_file() for file in files) else ()
