"""Takes out of texts what the residue search would find in them, so that it finds nothing there.

Who scrubs against originals validates against them afterwards. The search knows more ways of
writing a value than can be cut piece by piece: there the words go in which it stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_FIGURE = re.compile(r"[+-]?(?:(?:0|[1-9]\d{0,6})(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_GAPS = re.compile(r"(\s+)")
_MOST_WORDS = 256
_LONGEST_FORM = 6


def is_number(text: str) -> bool:
    """Tell a number, which stays as it is or goes: a part of it is another number."""
    return _NUMBER.fullmatch(text) is not None


def is_figure(text: str) -> bool:
    """Tell a number that may be measured: it equals somebody's number or a time by chance."""
    return _FIGURE.fullmatch(text) is not None


def without_residue(text: str, holds: Callable[[str], bool]) -> str:
    """Return a text without the words in which something is found; nothing where they are many.

    Parameters
    ----------
    text
        A cell, or a text of JSON.
    holds
        Tells whether something would be found in a text.
    """
    if not text or not holds(text):
        return text
    pieces = _GAPS.split(text)
    if len(pieces) > 2 * _MOST_WORDS:
        return ""
    for words in range(1, _LONGEST_FORM + 1):
        pieces = _without_runs(pieces, 2 * words - 1, holds)
    left = "".join(pieces).strip()
    return "" if holds(left) else left


def _without_runs(pieces: Sequence[str], length: int, holds: Callable[[str], bool]) -> list[str]:
    """Leave out runs of so many words and gaps in which something is found."""
    left = list(pieces)
    start = 0
    while start + length <= len(left):
        if holds("".join(left[start : start + length])):
            del left[start : start + length + 1]  # and the gap behind them
        else:
            start += 2
    return left
