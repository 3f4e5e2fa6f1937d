"""Keeps identifying values out of what is logged or shown: the last net, not the first.

Messages are written without identifying values to begin with. What other programs and libraries
print (a path, a header value in an exception) passes through here. So does, where people read it,
the text of a header that stays: it must not be able to move a terminal's cursor or start a line.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable

REDACTED = "[redacted]"
_SHORTEST = 3


def printable(text: str) -> str:
    """Return a header's text as one line without control characters, direction marks among them."""
    return "".join(c if c.isprintable() else " " for c in text)


def printable_lines(lines: Iterable[str]) -> str:
    """Return lines as one text in which no name of a file begins a line or steers a terminal."""
    return "\n".join(map(printable, lines))


class Redactor:
    """Replaces known identifying values in text.

    Values shorter than three characters are not known: they would redact ordinary words.
    """

    def __init__(self) -> None:
        self._values: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def add(self, values: Iterable[str]) -> None:
        """Learn more values."""
        self._values.update(v for v in (v.strip() for v in values) if len(v) >= _SHORTEST)
        self._pattern = None

    def redact(self, text: str) -> str:
        """Return `text` with every known value replaced."""
        if not self._values:
            return text
        if self._pattern is None:  # compiled when first needed: a session has thousands of UIDs
            longest_first = sorted(self._values, key=lambda v: (-len(v), v))
            self._pattern = re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE)
        return self._pattern.sub(REDACTED, text)


class RedactionFilter(logging.Filter):
    """A logging filter that redacts each record before a handler sees it."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the record's message and its exception, and let it pass."""
        record.msg = self._redactor.redact(record.getMessage())
        record.args = None
        if record.exc_info:
            text = logging.Formatter().formatException(record.exc_info)
            record.exc_text = self._redactor.redact(text)
            record.exc_info = None
        return True
