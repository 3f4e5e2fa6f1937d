"""What a file is searched in: pieces of it, each of one kind, at a place."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bidsanon.validate.residue_json import Field
from bidsanon.validate.residue_needles import Context

OVERLAP = 1 << 10
"""So much of a piece stands at the beginning of the next, for what lies across their border."""

_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")
_CONTROLS = bytes(i for i in range(32) if i not in b"\t\n\r\f\x0b\x1b\0")
_MOST_CONTINUED = 3
"""So many bytes of a character in UTF-8 follow its first; more in a row are no text."""
_WHITE = tuple(b"\t\n\r")
_SPACE = ord(" ")


class Piece(NamedTuple):
    """Something to search through.

    Attributes
    ----------
    content
        Bytes, text that was decoded already, or the fields of a JSON document.
    context
        What kind of content it is; each field has its own.
    place
        Where it stands within the file: a header field; empty for the body.
    offset
        Where bytes begin within the file, decompressed; None where that says nothing.
    """

    content: bytes | str | list[Field]
    context: Context
    place: tuple[str, ...] = ()
    offset: int | None = 0

    @property
    def end(self) -> int:
        """Where bytes end within the file; 0 where that is not known."""
        length = len(self.content) if isinstance(self.content, bytes) else 0
        return 0 if self.offset is None else self.offset + length


def is_binary(chunk: bytes) -> bool:
    """Whether bytes are not text in any encoding (UTF-16 holds zeros, and few other controls)."""
    if chunk.startswith(_BYTE_ORDER_MARKS) or _is_utf_32(chunk):
        return False
    sample = chunk[:: max(1, len(chunk) // 65536)]
    controls = len(sample) - len(sample.translate(None, _CONTROLS))
    return controls * 50 > len(sample)


def _is_utf_32(chunk: bytes) -> bool:
    """Whether bytes are characters of four bytes, none of them a control."""
    for highest, character_set in ((chunk[3::4], "<u4"), (chunk[::4], ">u4")):
        if highest and not highest.strip(b"\0"):
            characters = np.frombuffer(chunk[: len(chunk) // 4 * 4], character_set)
            return bool(((characters >= _SPACE) | np.isin(characters, _WHITE)).all())
    return False


def end_of(chunk: bytes) -> bytes:
    """Return the end of a chunk, from the beginning of a character on."""
    start = max(0, len(chunk) - OVERLAP)
    for _ in range(_MOST_CONTINUED):
        if 0 < start < len(chunk) and chunk[start] & 0xC0 == 0x80:  # noqa: PLR2004 (UTF-8)
            start -= 1
    return chunk[start:]
