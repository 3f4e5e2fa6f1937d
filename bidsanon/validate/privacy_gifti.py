"""What the metadata of GIFTI surfaces say, looked at as keys and values of a sidecar are.

Programs write there who ran them, where and when (FreeSurfer: UserName, Date). The texts of the
file are looked at by line as those of any other are.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import IO

from bidsanon.validate.privacy_json import json_spots
from bidsanon.validate.privacy_spots import Spot

GIFTI = ".gii"

_CHUNK = 1 << 20
_LONGEST_ENTRY = 1 << 14
_ENTRY = re.compile(
    rb"<MD>\s*<Name>(.{1,512}?)</Name>\s*<Value>(.{1,8192}?)</Value>\s*</MD>", re.DOTALL
)
_CDATA = re.compile(r"\s*<!\[CDATA\[(.*)\]\]>\s*", re.DOTALL)
_C_DATE = re.compile(r"[A-Z][a-z]{2} +([A-Z][a-z]{2}) +(\d{1,2}) [\d:]{8} (?:[A-Z]+ )?(\d{4})")
"""A moment as C's ``ctime`` writes it."""
_TOLD_BY_LINE = frozenset({"PRIVACY_NAME", "PRIVACY_FOLDER", "PRIVACY_CONTACT"})


def gifti_spots(name: str, stream: IO[bytes]) -> Iterator[Spot]:
    """Yield what names and values of metadata say (GIFTI 1.0, section 2.3).

    Parameters
    ----------
    name
        The file's place within the dataset.
    stream
        What it holds.
    """
    said: dict[str, list[str]] = {}
    for key, value in _entries(stream):
        values = said.setdefault(key, [])
        if value not in values:
            values.append(value)
    for spot in json_spots(name, said):
        if spot.code not in _TOLD_BY_LINE:
            yield spot


def _entries(stream: IO[bytes]) -> Iterator[tuple[str, str]]:
    """Yield names and values, wherever they stand, in bounded memory; some twice."""
    before = b""
    while part := stream.read(_CHUNK):
        window = before + part
        for entry in _ENTRY.finditer(window):
            key, value = map(_plain, entry.groups())
            moment = _C_DATE.fullmatch(value)
            yield key, f"{moment[2]} {moment[1]} {moment[3]}" if moment else value
        before = window[-_LONGEST_ENTRY:]


def _plain(text: bytes) -> str:
    """Return what a piece of XML says."""
    words = text.decode("utf-8", "replace")
    within = _CDATA.fullmatch(words)
    return within[1].strip() if within else html.unescape(words).strip()
