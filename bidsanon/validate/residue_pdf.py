"""Tells the streams of a PDF from what stands between them.

What streams hold is unpacked, or told by the PDF's own reader. As they stand there, packed as rows
of letters and signs (ASCII85), they hold short words by chance.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_BORDER = re.compile(rb"(endstream)|stream\r?\n")
_HELD = 16


class PdfPart(NamedTuple):
    """Some of a PDF, twice: with zeros for what its streams hold, and with zeros for all else."""

    between: bytearray
    inside: bytearray


class PdfParts:
    """Takes a PDF apart as it goes by (ISO 32000-1, 7.3.8)."""

    def __init__(self) -> None:
        self._held = b""
        self._is_inside = False

    def feed(self, chunk: bytes) -> PdfPart:
        """Take what follows, and return what is known of it; the rest comes later."""
        whole = self._held + chunk
        end = max(0, len(whole) - _HELD)
        self._held = whole[end:]
        return self._apart(whole, end)

    def rest(self) -> PdfPart:
        """Return what is left."""
        return self._apart(self._held, len(self._held))

    def _apart(self, content: bytes, end: int) -> PdfPart:
        """Take bytes apart up to an end; what begins a stream or ends it stands between."""
        part = PdfPart(bytearray(end), bytearray(end))
        position = 0
        for border in _BORDER.finditer(content):
            if border.start() < end and (border[1] is not None) == self._is_inside:
                part[self._is_inside][position : border.start()] = content[
                    position : border.start()
                ]
                position, self._is_inside = border.start(), not self._is_inside
        part[self._is_inside][position:end] = content[position:end]
        return part
