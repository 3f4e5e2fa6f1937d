"""What is written can be read: the contrast of all pairs of colours that meet is WCAG's AA."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import bidsanon.report

CSS = (Path(bidsanon.report.__file__).parent / "session.css").read_text("utf-8")
PAIRS = [
    *((ink, ground) for ink in ("ink", "soft", "accent") for ground in ("page", "card")),
    *((ink, "quiet-soft") for ink in ("ink", "soft")),
    *((name, f"{name}-soft") for name in ("good", "bad", "warn")),
    *((name, ground) for name in ("good", "bad", "warn") for ground in ("page", "card")),
]
ENOUGH = 4.5


def palettes() -> dict[str, dict[str, str]]:
    """Return the colours by name: light, dark, and on paper."""
    light, dark, paper = (
        dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6})", block))
        for block in re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
    )
    return {"light": light, "dark": light | dark, "paper": light | paper}


def luminance(colour: str) -> float:
    digits = colour.removeprefix("#")
    digits = "".join(d * 2 for d in digits) if len(digits) == 3 else digits
    parts = [int(digits[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("palette", ["light", "dark", "paper"])
@pytest.mark.parametrize(("ink", "ground"), PAIRS)
def test_each_colour_stands_out_from_its_ground(palette: str, ink: str, ground: str) -> None:
    colours = palettes()[palette]
    one, other = sorted((luminance(colours[ink]), luminance(colours[ground])), reverse=True)
    assert (one + 0.05) / (other + 0.05) >= ENOUGH


def test_what_has_the_focus_is_seen() -> None:
    assert re.search(r":focus-visible \{ outline: 3px solid", CSS)
