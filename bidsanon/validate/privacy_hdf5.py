"""What HDF5 files (SNIRF, NWB, MATLAB 7.3) say of people, where h5py is there to read them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from bidsanon.apart import Kind, read_apart
from bidsanon.findings import Severity, finding_codes
from bidsanon.hdf5 import READER
from bidsanon.validate.privacy_fields import Field, field_spots
from bidsanon.validate.privacy_spots import Spot

_CODES = ("PRIVACY_FIELD", "PRIVACY_FIELD_PERHAPS")


def hdf5_spots(name: str, path: Path) -> Iterator[Spot]:
    """Yield what texts and attributes of a file tell.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    problems: list[str] = []
    with path.open("rb", buffering=0) as file:

        def fields() -> Iterator[Field]:
            for record in read_apart(READER, file, what="HDF5"):
                if record.kind is Kind.PROBLEM:
                    problems.append(record.content.decode())
                else:
                    *names, text = json.loads(record.content)
                    yield tuple(names), text

        for spot in field_spots(name, fields()):
            yield as_field(spot)
    for problem in problems:
        yield Spot(code="PRIVACY_NOT_READ", location=name, details={"problem": problem})


def as_field(spot: Spot, codes: tuple[str, str] = _CODES) -> Spot:
    """Say of a spot what helps in a file that is not cleaned here.

    Parameters
    ----------
    spot
        What would be said of a file that is cleaned.
    codes
        What is said of an error, and of what may be one.
    """
    tells = finding_codes()[spot.code].severity is Severity.ERROR
    code = codes[0] if tells else codes[1]
    key = spot.location.partition("#/")[2].partition("/")[0]
    named = spot.details.get("field") or spot.details.get("key") or key
    field = "a text" if not named or named.startswith("(") else named
    return Spot(code=code, location=spot.location, details={"field": field})
