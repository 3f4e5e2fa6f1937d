"""What of a header was not searched before, put with what is searched alike."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import NamedTuple

from bidsanon.dicom.charset import decode_text
from bidsanon.validate.residue_codes import coded_texts
from bidsanon.validate.residue_escapes import is_plain
from bidsanon.validate.residue_needles import Context
from bidsanon.validate.residue_text import View, byte_views, text_views
from bidsanon.validate.residue_treatment import DESCRIPTOR, KEPT

_TEXT_VRS = frozenset(
    {"AE", "AS", "CS", "DA", "DT", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT"}
)
_NUMBER_VRS = frozenset({"DS", "IS"})
_PERHAPS_TEXT = frozenset({"OB", "OW", "UN"})
_PRINTABLE = re.compile(rb"[\x20-\x7e\r\n\t]{3,}")
_ESCAPES = re.compile(rb"[\x1b%&]|\\[ux]")
"""What makes a text other than it is written: code extensions, and the escapes of programs."""
_NEVER_CODED = frozenset({"UI", "DA", "DT", "TM", "AS", "CS"})
"""Whose characters are too few for escapes and codes, or are looked up by themselves."""
_FEWEST_BYTES = 4


class Value(NamedTuple):
    """A value that was not seen before: how it is searched, and where it stands."""

    treatment: int
    vr: str
    value: bytes
    attribute: str
    character_set: bytes


class Gathered:
    """What of one file was not seen before, by the context in which it is searched.

    Attributes
    ----------
    texts
        Plain ASCII, with the attribute that each is the value of.
    bytes
        What is no text.
    views
        The readings of texts that are not plain.
    pixel_bytes
        How long the native pixel data are.
    """

    def __init__(self) -> None:
        self.texts: dict[Context, list[tuple[str, str]]] = defaultdict(list)
        self.bytes: dict[Context, list[tuple[str, bytes]]] = defaultdict(list)
        self.views: list[tuple[str, Context, tuple[View, ...]]] = []
        self.pixel_bytes = 0

    def take(self, found: Value) -> None:
        """Put a value with others that are searched alike."""
        treatment, vr, value, attribute, character_set = found
        if treatment == KEPT:
            return
        if vr in _NUMBER_VRS:
            self.texts[Context.MEASURED].append((attribute, value.decode("latin-1")))
        elif _is_text(vr, value):
            context = Context.DESCRIPTOR if treatment == DESCRIPTOR else Context.TEXT
            if value.isascii() and _is_written_out(vr, value):
                self.texts[context].append((attribute, value.decode("ascii").rstrip(" \0")))
            else:
                views = (*text_views(decode_text(value, character_set)), *byte_views(value))
                self.views.append((attribute, context, views))
        elif len(value) >= _FEWEST_BYTES:
            self.bytes[Context.BYTES].append((attribute, value))


def _is_text(vr: str, value: bytes) -> bool:
    return vr in _TEXT_VRS or (
        vr in _PERHAPS_TEXT and bool(_PRINTABLE.fullmatch(value.strip(b"\0")))
    )


def _is_written_out(vr: str, value: bytes) -> bool:
    """Whether a text of ASCII has neither escapes nor codes."""
    if _ESCAPES.search(value):
        return False
    if vr in _NEVER_CODED:
        return True
    text = value.decode("ascii").replace("\\", " ")  # which parts values in DICOM
    return is_plain(text) and not coded_texts(text)
