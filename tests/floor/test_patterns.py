"""Regular expressions mean the same to every Python that runs this."""

from __future__ import annotations

import re
from pathlib import Path

import bidsanon

GROUP_REPEATED_POSSESSIVELY = re.compile(r"\)(?:[+*?]|\{\d*,?\d*\})\+")


def test_no_group_is_repeated_possessively() -> None:
    # Until Python 3.11.4 what the last, failing, round had read stays read (CPython's gh-106052).
    # An atomic group around an ordinary repetition is the same and was always right.
    modules = {
        path: path.read_text("utf-8") for path in Path(bidsanon.__file__).parent.rglob("*.py")
    }
    assert modules
    assert [
        path for path, text in modules.items() if GROUP_REPEATED_POSSESSIVELY.search(text)
    ] == []
