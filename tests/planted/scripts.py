"""Encodes text with the escape sequences of ISO 2022, written by hand (PS3.5 Annexes H to K)."""

from __future__ import annotations

import re

_WIDE = re.compile(r"[^\x00-\x7f]+")
_ESCAPES = {
    "iso2022_jp": (b"\x1b$B", b"\x1b(B"),
    "korean": (b"\x1b$)C", b""),
    "chinese": (b"\x1b$)A", b""),
}
_CODECS = {"korean": "euc_kr", "chinese": "gb2312"}


def encoded(text: str, encoding: str) -> bytes:
    """Encode a text, with an escape sequence before each run that is not ASCII."""
    if encoding not in _ESCAPES:
        return text.encode(encoding)
    into, back = _ESCAPES[encoding]

    def wide(found: re.Match[str]) -> str:
        run = _wide(found[0], encoding)
        return (into + run + back).decode("latin-1")

    return _WIDE.sub(wide, text).encode("latin-1")


def _wide(run: str, encoding: str) -> bytes:
    if encoding == "iso2022_jp":
        written = run.encode("iso2022_jp")
        return written[3:-3]
    return run.encode(_CODECS[encoding])
