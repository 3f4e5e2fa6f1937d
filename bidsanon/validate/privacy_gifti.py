"""What the metadata of GIFTI surfaces say, looked at as keys and values of a sidecar are.

Programs write there who ran them, where and when (FreeSurfer: UserName, Date). The texts of the
file are looked at by line as those of any other are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from bidsanon.bids.gifti import EXTENSION, GiftiError, read_gifti
from bidsanon.validate.privacy_json import json_spots
from bidsanon.validate.privacy_spots import Spot

GIFTI = EXTENSION

_C_DATE = re.compile(r"[A-Z][a-z]{2} +([A-Z][a-z]{2}) +(\d{1,2}) [\d:]{8} (?:[A-Z]+ )?(\d{4})")
"""A moment as C's ``ctime`` writes it."""
_TOLD_BY_LINE = frozenset({"PRIVACY_NAME", "PRIVACY_FOLDER", "PRIVACY_CONTACT"})


def gifti_spots(name: str, path: Path) -> Iterator[Spot]:
    """Yield what names and values of metadata say (GIFTI 1.0, section 2.3).

    Parameters
    ----------
    name
        The file's place within the dataset.
    path
        Where it is.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    said: dict[str, list[str]] = {}
    problem = ""
    try:
        with path.open("rb") as stream:
            entries = read_gifti(stream).entries
    except GiftiError as error:
        entries, problem = [], str(error)
    for entry in entries:
        moment = _C_DATE.fullmatch(entry.value)
        value = f"{moment[2]} {moment[1]} {moment[3]}" if moment else entry.value
        values = said.setdefault(entry.key, [])
        if value not in values:
            values.append(value)
    for spot in json_spots(name, said):
        if spot.code not in _TOLD_BY_LINE:
            yield spot
    if problem:
        yield Spot(code="PRIVACY_NOT_READ", location=name, details={"problem": problem})
