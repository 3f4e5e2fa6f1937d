"""Puts tables into pages of the documentation, between two comments that name them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path


def table_of(page: Path, name: str) -> list[str]:
    """Return the lines of a page's table.

    Raises
    ------
    LookupError
        If the page has no such table, or several.
    """
    return _place(page, name).group("table").strip().splitlines()


def write_table(page: Path, name: str, lines: Iterable[str]) -> None:
    """Put a table in the place of the one that a page has.

    Raises
    ------
    LookupError
        If the page has no such table, or several.
    """
    found = _place(page, name)
    start, end = found.span("table")
    table = "\n".join(lines)
    text = found.string
    page.write_text(f"{text[:start]}\n{table}\n\n{text[end:]}", "utf-8")


def _place(page: Path, name: str) -> re.Match[str]:
    marked = rf"<!-- {re.escape(name)}[^>]* -->\n(?P<table>.*?)<!-- end -->"
    found = list(re.finditer(marked, page.read_text("utf-8"), re.DOTALL))
    if len(found) != 1:
        raise LookupError(f"{page.name} has {len(found)} tables called {name}")
    return found[0]
