"""An image as far as field maps are concerned, and what two of them have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bidsanon.bids.names import BidsName

Affine = tuple[tuple[float, ...], ...]

_ENOUGH_COVERED = 0.5
_SAME_SHIM = 1e-3
_SAME_VOXEL_MM = 0.02
_HALF = 0.5
_SAMPLES = (0.05, 0.35, 0.65, 0.95)
"""Where points of a grid lie along each of its axes."""


@dataclass(frozen=True, kw_only=True)
class MappedImage:
    """One image of a session, as far as field maps are concerned.

    Attributes
    ----------
    name
        Its name.
    shim
        ``ShimSetting``; empty where it is not known.
    phase_encoding
        ``PhaseEncodingDirection``; empty where it is not known.
    shape
        Voxels along the three axes; empty where it is not known.
    affine
        Three rows of four numbers: voxels to RAS+ mm of the scanner; empty where it is not known.
    moment
        Seconds at which it was acquired, on one clock for all images of a session.
    """

    name: BidsName
    shim: tuple[float, ...] = ()
    phase_encoding: str = ""
    shape: tuple[int, ...] = ()
    affine: Affine = ()
    moment: float = 0.0

    def is_opposed_to(self, other: MappedImage) -> bool:
        """Tell whether phase was encoded along one axis, the other way round."""
        way, back = self.phase_encoding, other.phase_encoding
        return bool(way) and way[:1] == back[:1] and way != back

    def has_shim_of(self, other: MappedImage) -> bool:
        """Tell whether two shims are the same, or one of them is not known."""
        if not self.shim or not other.shim:
            return True
        return len(self.shim) == len(other.shim) and all(
            abs(a - b) <= _SAME_SHIM * max(1.0, abs(a), abs(b))
            for a, b in zip(self.shim, other.shim, strict=True)
        )

    def has_voxels_of(self, other: MappedImage) -> bool:
        """Tell whether two images have as many voxels, of one size and orientation."""
        if not self.affine or not other.affine:
            return True
        pairs = (
            (a, b)
            for row, other_row in zip(self.affine, other.affine, strict=True)
            for a, b in zip(row[:3], other_row[:3], strict=True)
        )
        return self.shape == other.shape and all(abs(a - b) <= _SAME_VOXEL_MM for a, b in pairs)

    def covers(self, other: MappedImage) -> bool:
        """Tell whether it shows the larger part of what the other one shows."""
        if not self.affine or not other.affine:
            return True
        to_voxels = _inverse(self.affine)
        if to_voxels is None:
            return True
        inside = total = 0
        for place in _sampled(other.shape):
            voxel = _apply(to_voxels, _apply(other.affine, place))
            total += 1
            inside += all(0 <= v + _HALF <= n for v, n in zip(voxel, self.shape, strict=True))
        return inside >= _ENOUGH_COVERED * total


def _sampled(shape: Sequence[int]) -> Iterator[tuple[float, ...]]:
    x, y, z = shape
    for a in _SAMPLES:
        for b in _SAMPLES:
            for c in _SAMPLES:
                yield a * (x - 1), b * (y - 1), c * (z - 1)


def _apply(affine: Affine, place: Sequence[float]) -> tuple[float, ...]:
    x, y, z = place
    return tuple(row[0] * x + row[1] * y + row[2] * z + row[3] for row in affine)


def _inverse(affine: Affine) -> Affine | None:
    (a, b, c, p), (d, e, f, q), (g, h, i, r) = affine
    determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
    if not determinant:
        return None
    rows = (
        (e * i - f * h, c * h - b * i, b * f - c * e),
        (f * g - d * i, a * i - c * g, c * d - a * f),
        (d * h - e * g, b * g - a * h, a * e - b * d),
    )
    scaled = [tuple(value / determinant for value in row) for row in rows]
    return tuple((*row, -(row[0] * p + row[1] * q + row[2] * r)) for row in scaled)
