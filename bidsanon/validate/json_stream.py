"""Reads JSON that may be too large for memory, value by value.

Values are decoded whole as long as they are of ordinary size. What is larger is passed over: a
text becomes an empty one, a list an empty one, and of an object only the members are kept that
somebody asked for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from typing import Any, TextIO

LARGEST = 1 << 20
"""Characters of the largest value that is decoded whole."""
_WINDOW = 1 << 16
_AFTER_NUMBER = "e+"
"""The longest that can follow a number's beginning and be no number's end yet."""
_SPACE = re.compile(r"[ \t\r\n]*")
_IN_TEXT = re.compile(r'[^"\\]+|\\.|"', re.DOTALL)
_DECODER = json.JSONDecoder()


class JsonStream:
    """A JSON document that is read from its beginning to its end.

    Parameters
    ----------
    stream
        Where it stands.

    Raises
    ------
    ValueError
        By each of the methods, if what stands there is not JSON, or not of the kind asked for.
    RecursionError
        If it is nested too deeply.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._text = ""
        self._at = 0
        self._ended = False

    def members(self) -> Iterator[str]:
        """Open an object and yield the names of its members; each is to be read before the next."""
        self._take("{")
        if self._peek() == "}":
            self._at += 1
            return
        delimiter = ","
        while delimiter == ",":
            if self._peek() != '"':
                raise ValueError("a member has no name")
            name = self.value()
            self._take(":")
            yield name
            delimiter = self._take(",}")

    def items(self, *, wanted: Collection[str] = ()) -> Iterator[Any]:
        """Open a list and yield its values: see :meth:`value`."""
        self._take("[")
        if self._peek() == "]":
            self._at += 1
            return
        delimiter = ","
        while delimiter == ",":
            yield self.value(wanted=wanted)
            delimiter = self._take(",]")

    def value(self, *, wanted: Collection[str] = ()) -> Any:
        """Read a value.

        Parameters
        ----------
        wanted
            What is kept of an object that is too large.
        """
        while True:
            self._peek()
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError:
                if self._ended:
                    raise
            else:
                if len(self._text) - end > len(_AFTER_NUMBER) or self._ended:
                    self._at = end
                    return value
            if len(self._text) - self._at > LARGEST:
                return self._small_of_large(wanted)
            self._fill()

    def end(self) -> None:
        """Make sure that nothing follows."""
        if self._peek():
            raise ValueError("something follows the document")

    def _small_of_large(self, wanted: Collection[str]) -> Any:
        match self._peek():
            case "{":
                kept = {}
                for name in self.members():
                    value = self.value()
                    if name in wanted:
                        kept[name] = value
                return kept
            case "[":
                for _ in self.items():
                    pass
                return []
            case '"':
                self._pass_text()
                return ""
        raise ValueError("a value is none that JSON knows")

    def _pass_text(self) -> None:
        """Go to the end of a text."""
        self._at += 1
        while True:
            while found := _IN_TEXT.match(self._text, self._at):
                self._at = found.end()
                if found[0] == '"':
                    return
            if self._ended:
                raise ValueError("a text has no end")
            self._fill()

    def _take(self, expected: str) -> str:
        found = self._peek()
        if not found or found not in expected:
            raise ValueError(f"{' or '.join(expected)} is missing")
        self._at += 1
        return found

    def _peek(self) -> str:
        """Return the next character that is no space; an empty text at the end."""
        while True:
            found = _SPACE.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text) or self._ended:
                return self._text[self._at : self._at + 1]
            self._fill()

    def _fill(self) -> None:
        """Read on, and forget what was read."""
        more = self._stream.read(_WINDOW)
        self._text = self._text[self._at :] + more
        self._at = 0
        self._ended = not more
