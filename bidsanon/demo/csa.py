"""CSA headers with the items that a made-up scan has something to say about.

Written without the package's own reader and writer of CSA headers, so that the made-up sessions
put that to the test instead of repeating its mistakes.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import TypeAlias

Values: TypeAlias = Sequence[str | int | float]
Items: TypeAlias = dict[str, tuple[str, Values]]
"""Name to VR and values."""

_START = b"SV10\x04\x03\x02\x01"
_MARK = 77
_FEWEST_VALUES = 6
_SYNGO_TYPES = {"UN": 0, "DS": 3, "FD": 4, "IS": 6, "SL": 7, "UL": 9, "US": 10}
_TEXT_TYPE = 19


def csa_header(items: Mapping[str, tuple[str, Values]]) -> bytes:
    """Write a CSA header in its newer form."""
    tags = [_tag(name, vr, values) for name, (vr, values) in items.items()]
    return b"".join([_START, struct.pack("<II", len(tags), _MARK), *tags])


def _tag(name: str, vr: str, values: Values) -> bytes:
    texts = [_text(vr, value) for value in values]
    texts += [b""] * (_FEWEST_VALUES - len(texts))
    syngo_type = _SYNGO_TYPES.get(vr, _TEXT_TYPE)
    head = struct.pack(
        "<64si4siii", name.encode(), len(values), vr.encode(), syngo_type, len(texts), _MARK
    )
    return head + b"".join(_item(text) for text in texts)


def _item(text: bytes) -> bytes:
    length = len(text)
    return struct.pack("<4i", length, length, _MARK, length) + text + bytes(-length % 4)


def _text(vr: str, value: str | float) -> bytes:
    if isinstance(value, str):
        return value.encode("latin-1") + b"\0"
    return (f"{value:.8f}" if vr in {"DS", "FD"} else f"{value:d}").encode() + b"\0"
