"""What MATLAB's files of level 5 say of people: EEGLAB's recordings, and others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from bidsanon.bids.matlab import EXTENSION, read_matlab
from bidsanon.bids.matlab_elements import MatlabError
from bidsanon.bids.written import is_unshifted, written_date
from bidsanon.validate.privacy_fields import field_spots
from bidsanon.validate.privacy_hdf5 import as_field
from bidsanon.validate.privacy_spots import Spot

_CREATED = re.compile(r"Created on: \w{3} (\w{3}) +(\d{1,2}) [\d:]{8} (\d{4})")


def matlab_spots(name: str, path: Path) -> Iterator[Spot]:
    """Yield what texts of a file tell.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    try:
        with path.open("rb") as stream:
            facts = read_matlab(stream)
    except MatlabError as error:
        yield Spot(code="PRIVACY_NOT_READ", location=name, details={"problem": str(error)})
        return
    spots = field_spots(name, ((text.names, text.text) for text in facts.texts))
    is_cleaned = name.lower().endswith(EXTENSION)
    yield from spots if is_cleaned else map(as_field, spots)
    moment = _CREATED.search(facts.heading)
    day = written_date(f"{moment[2]} {moment[1]} {moment[3]}", loosely=True) if moment else None
    if is_cleaned and day is not None and is_unshifted(day):
        details = {"field": "the file's heading"}
        yield Spot(code="PRIVACY_DATE_PERHAPS", location=name, details=details)
    if facts.unread:
        problem = "it holds objects that only MATLAB understands"
        yield Spot(code="PRIVACY_NOT_READ", location=name, details={"problem": problem})
