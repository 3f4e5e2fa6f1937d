"""A carpet plot: how many voxels of a run go up and down in time, each a line, and what they share.

J. D. Power, "A simple but useful way to assess fMRI scan qualities", NeuroImage 154 (2017). Motion
is a dark or bright column, a broken slice a band.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

Values = npt.NDArray[np.float32]

_MOST_NUMBERS = 1 << 23
_MOST_VOXELS = 24_000
_MOST_LINES = 280
_HEAD = 0.25
_BRIGHT_PERCENT = 98.0
_SHOWN_SD = 2.0
_GREY, _WHITE = 127.5, 255
_FEWEST_VOLUMES = 3


class Slices(Protocol):
    """Some slices of a volume, as they are read."""

    @property
    def first(self) -> int:
        """The number of the first slice within its volume."""

    @property
    def values(self) -> Values:
        """Shape (i, j, slices)."""


@dataclass(frozen=True, kw_only=True)
class Carpet:
    """A run's carpet, and two lines above it.

    Attributes
    ----------
    png
        A grey column for each volume; the head's top above.
    signal_percent
        Of each volume, how far the head's mean is from that of all volumes.
    change_percent
        Of each volume but the first, the root mean square of how far its voxels are from those of
        the volume before, by the mean of all (DVARS).
    """

    png: bytes
    signal_percent: tuple[float, ...]
    change_percent: tuple[float, ...]


@dataclass(kw_only=True, eq=False)
class CarpetLoom:
    """Takes some voxels of each volume while a run is read, in bounded memory.

    Attributes
    ----------
    space
        The three spatial axes.
    volumes
        How many volumes there are.
    """

    space: tuple[int, int, int]
    volumes: int
    _taken: Values = field(init=False)
    _steps: tuple[int, int, int] = field(init=False)
    _volume: int = field(default=-1, init=False)

    def __post_init__(self) -> None:
        most = min(_MOST_VOXELS, max(1, _MOST_NUMBERS // max(1, self.volumes)))
        steps, grid = [1, 1, 1], list(self.space)
        while np.prod(grid) > most:
            axis = int(np.argmax(grid))
            steps[axis] += 1
            grid[axis] = len(range(0, self.space[axis], steps[axis]))
        self._steps = (steps[0], steps[1], steps[2])
        self._taken = np.zeros((self.volumes, *grid), dtype=np.float32)

    def add(self, slices: Slices) -> None:
        """Take what is wanted of some slices."""
        if slices.first == 0:
            self._volume += 1
        i, j, k = self._steps
        begin = -slices.first % k
        wanted = slices.values[::i, ::j, begin::k]
        place = (slices.first + begin) // k
        self._taken[self._volume, :, :, place : place + wanted.shape[2]] = wanted

    def carpet(self) -> Carpet | None:
        """Return the carpet of what was read; None where there is no head, or hardly any volume."""
        if self.volumes < _FEWEST_VOLUMES:
            return None
        mean = self._taken.mean(axis=0)
        bright = float(np.percentile(mean, _BRIGHT_PERCENT))
        if bright <= 0:
            return None
        head = mean > _HEAD * bright
        # Slice by slice, the lowest first.
        lines = np.moveaxis(self._taken, 3, 1)[:, np.moveaxis(head, 2, 0)]
        level = float(np.mean(lines))
        change = np.sqrt(np.mean(np.square(np.diff(lines, axis=0)), axis=1))
        return Carpet(
            png=_picture(lines),
            signal_percent=_percent(lines.mean(axis=1) - level, level),
            change_percent=_percent(change, level),
        )


def _percent(values: Values, level: float) -> tuple[float, ...]:
    return tuple(round(float(value) * 100 / level, 4) for value in values)


def _picture(lines: Values) -> bytes:
    """Draw the lines without their own trends, each in its own standard deviations."""
    time = np.linspace(-1, 1, len(lines), dtype=np.float32)[:, np.newaxis]
    flat = lines - lines.mean(axis=0)
    flat -= time * (flat * time).sum(axis=0) / (time**2).sum()
    spread = flat.std(axis=0)
    flat /= np.where(spread > 0, spread, 1)
    starts = np.unique(np.linspace(0, flat.shape[1], _MOST_LINES, endpoint=False).astype(int))
    counts = np.diff([*starts, flat.shape[1]])
    means = np.add.reduceat(flat, starts, axis=1) / counts
    scale = float(means.std()) or 1.0
    grey = np.clip(_GREY + means.T[::-1] * _GREY / (_SHOWN_SD * scale), 0, _WHITE)
    stream = io.BytesIO()
    Image.fromarray(grey.astype(np.uint8)).save(stream, "PNG", optimize=True)
    return stream.getvalue()
