"""What HDF5 files (SNIRF, NWB, MATLAB 7.3) say of people, where h5py is there to read them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from bidsanon.apart import Kind, read_apart
from bidsanon.hdf5 import READER
from bidsanon.validate.privacy_fields import Field, field_spots
from bidsanon.validate.privacy_spots import Spot


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

        yield from field_spots(name, fields())
    for problem in problems:
        yield Spot(code="PRIVACY_NOT_READ", location=name, details={"problem": problem})
