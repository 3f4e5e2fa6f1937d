"""The lines of tables, one after the other in bounded memory, whatever somebody saved them as.

BIDS asks for UTF-8. What is no UTF-8 is read as Latin-1, in which programs of spreadsheets write,
so that what it says is looked at all the same.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TextIO, cast

LONGEST_LINE = 1 << 20
MOST_CHARACTERS = 1 << 30
"""From here on a compressed table is not read: it may never end."""
_HARMLESS, _MOST_TIMES = 1 << 26, 100
"""A table of numbers packs to a third or a tenth, and to a hundredth only where nothing changes."""
_MANY_ROWS, _MOST_TIMES_OF_ROWS = 1 << 23, 25
"""Two hours of a thousand samples a second. What holds more rows than that has no equal ones."""

_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"


class TableUnreadableError(ValueError):
    """A table cannot be read to its end. The text says why, and holds no cell's content."""


class TableLines:
    """The lines of a table that are not empty, with their numbers: the header's is 0.

    Parameters
    ----------
    opened
        Opens it.
    packed
        Whether it is gzip, and then without a header.

    Attributes
    ----------
    is_utf_8
        Whether all that was read so far is.
    packed
        As it was given.
    """

    def __init__(self, opened: Callable[[], IO[bytes]], *, packed: bool) -> None:
        self._opened = opened
        self.packed = packed
        self.is_utf_8 = True

    @classmethod
    def of_file(cls, path: Path) -> TableLines:
        """Return the lines of a file, by whose name it is told whether it is gzip."""
        return cls(lambda: path.open("rb"), packed=path.name.lower().endswith(".gz"))

    @classmethod
    def of_content(cls, content: bytes) -> TableLines:
        """Return the lines of a table that is not compressed."""
        return cls(lambda: io.BytesIO(content), packed=False)

    def __iter__(self) -> Iterator[tuple[int, str]]:
        """Yield the lines.

        Raises
        ------
        TableUnreadableError
            If the table is damaged, no text, holds a line of more than a megabyte, or never ends.
        OSError
            If it cannot be read.
        """
        try:
            with self._opened() as raw:
                size = raw.seek(0, io.SEEK_END)
                raw.seek(0)
                stream = cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if self.packed else raw
                text = io.TextIOWrapper(
                    stream, encoding="utf-8", errors="surrogateescape", newline=None
                )
                yield from self._numbered(text, size, first=1 if self.packed else 0)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise TableUnreadableError("its compressed data are damaged") from error

    def _numbered(self, text: TextIO, size: int, *, first: int) -> Iterator[tuple[int, str]]:
        number, total = first, 0
        most = max(_HARMLESS, _MOST_TIMES * size)
        while line := text.readline(LONGEST_LINE + 1):
            total += len(line)
            if len(line) > LONGEST_LINE:
                raise TableUnreadableError("it holds a line of more than a megabyte")
            if total > MOST_CHARACTERS:
                raise TableUnreadableError("it is larger than a gigabyte")
            if total > most or (number > _MANY_ROWS and total > _MOST_TIMES_OF_ROWS * size):
                raise TableUnreadableError("it unpacks to many more rows than anybody measures")
            if "\0" in line:
                raise TableUnreadableError("it is no text in UTF-8")
            stripped = self._understood(line).rstrip("\r\n").removeprefix(_BOM)
            if stripped.strip():
                yield number, stripped
            number += 1

    def _understood(self, line: str) -> str:
        """Return a line as it is if it is UTF-8, and read anew as Latin-1 otherwise."""
        if line.isascii():
            return line
        content = line.encode("utf-8", "surrogateescape")
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError:
            self.is_utf_8 = False
            return content.decode("latin-1")
