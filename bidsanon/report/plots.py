"""Lines and stems as SVG, whose colours are the page's: sharp on paper, and light or dark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 900, 90
_TOP, _BOTTOM = 6, 84
_DASH = 4


@dataclass(frozen=True, kw_only=True)
class Plot:
    """A drawing, and what its scale is.

    Attributes
    ----------
    path
        The `d` of an SVG path.
    lowest, highest
        The values at its lower and upper edge.
    """

    path: str
    lowest: float
    highest: float


def line(values: Sequence[float], *, places: int | None = None) -> Plot:
    """Draw values over their number, the last ones at the right edge.

    Parameters
    ----------
    values
        Finite numbers.
    places
        How many places the width has; that of the values if None.
    """
    lowest, highest = _limits(values)
    places = places or len(values)
    points = [
        f"{_across(number + places - len(values), places):.1f} {_up(value, lowest, highest):.1f}"
        for number, value in enumerate(values)
    ]
    return Plot(path="M" + " L".join(points), lowest=lowest, highest=highest)


def stems(values: Sequence[float]) -> Plot:
    """Draw a stem from 0 to each value; one of 0 is still a dash."""
    _, highest = _limits((0.0, *values))
    drawn = [
        f"M{_across(number, len(values)):.1f} {_BOTTOM + _DASH}V{_up(value, 0, highest):.1f}"
        for number, value in enumerate(values)
    ]
    return Plot(path="".join(drawn), lowest=0.0, highest=highest)


def _limits(values: Sequence[float]) -> tuple[float, float]:
    lowest, highest = min(values, default=0.0), max(values, default=1.0)
    return (lowest, highest) if highest > lowest else (lowest, lowest + 1)


def _across(number: int, places: int) -> float:
    """Return the middle of a place: where a carpet's column is, too."""
    return (number + 0.5) * WIDTH / max(1, places)


def _up(value: float, lowest: float, highest: float) -> float:
    return _BOTTOM - (value - lowest) / (highest - lowest) * (_BOTTOM - _TOP)
