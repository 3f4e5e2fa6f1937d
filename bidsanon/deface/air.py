"""What stands for nothing in an image: the value of the air around the head."""

from __future__ import annotations

import numpy as np

from bidsanon.deface.grid import Grid, Volume
from bidsanon.deface.head import Window

_NEARLY_NOTHING = 0.25
_AT_THE_EDGE = 0.1


def air_value(image: Grid, window: Window) -> float:
    """Return the value that removed voxels get, so that they look like air.

    0, which scanners write for it, unless what surrounds the head is far from 0, and the darkest or
    the brightest of the image: CT, whose air is -1000; what was stored with an offset.

    Parameters
    ----------
    image
        As it is, coarse.
    window
        The values between which it lies.
    """
    values = image.values
    outer = np.concatenate([face.ravel() for axis in range(3) for face in _faces(values, axis)])
    around = float(np.median(outer))
    span = window.brightest - window.darkest
    if abs(around) <= _NEARLY_NOTHING * span:
        return 0.0
    edges = (window.darkest, window.brightest)
    near = [edge for edge in edges if abs(edge - around) <= _AT_THE_EDGE * span]
    # Where the field of view lies within the head, tissue surrounds it.
    return near[0] if near else 0.0


def _faces(values: Volume, axis: int) -> tuple[Volume, Volume]:
    return values.take([0], axis), values.take([-1], axis)
