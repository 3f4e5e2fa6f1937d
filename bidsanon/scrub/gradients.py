"""Gradient tables: numbers in rows, and nothing else."""

from __future__ import annotations

import math

_ROWS = {".bval": 1, ".bvec": 3}


class GradientError(ValueError):
    """A gradient table is not what BIDS says. The text holds nothing of its content."""


def scrub_gradients(text: str, *, extension: str) -> str:
    """Return a gradient table with one space between numbers and LF at line ends.

    The numbers stay as they are written: reading and writing them could lose digits.

    Parameters
    ----------
    text
        What the file holds.
    extension
        ".bval" (one row, s/mm2) or ".bvec" (three rows, one for each axis of the image).

    Raises
    ------
    GradientError
        If it has the wrong number of rows, rows of different lengths, or something in it is no
        finite number.
    """
    rows = [line.split() for line in text.split("\n") if line.strip()]
    if len(rows) != _ROWS[extension]:
        raise GradientError(f"it has {len(rows)} rows, not {_ROWS[extension]}")
    if len({len(row) for row in rows}) != 1:
        raise GradientError("its rows differ in length")
    if not all(_is_number(word) for row in rows for word in row):
        raise GradientError("something in it is not a number")
    return "".join(" ".join(row) + "\n" for row in rows)


def _is_number(word: str) -> bool:
    try:
        return math.isfinite(float(word)) and word.isascii() and "_" not in word
    except ValueError:
        return False
