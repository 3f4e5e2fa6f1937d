"""What FreeSurfer volumes say behind their voxels: commands and paths, which name users."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bidsanon.bids.mgh import MghError, opened_mgh, read_mgh
from bidsanon.bids.written import names_somebodys_folder
from bidsanon.dicom_names import holds_name
from bidsanon.validate.privacy_spots import Spot


def volume_spots(name: str, path: Path) -> Iterator[Spot]:
    """Yield what tags of a volume tell.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    try:
        with opened_mgh(path) as stream:
            facts = read_mgh(stream)
    except MghError as error:
        yield Spot(code="PRIVACY_NOT_READ", location=name, details={"problem": str(error)})
        return
    for what in dict.fromkeys(text.what for text in facts.made_by):
        yield Spot(code="PRIVACY_HEADER_TEXT", location=name, details={"field": what})
    if any(map(names_somebodys_folder, facts.texts)):
        yield Spot(code="PRIVACY_FOLDER", location=name)
    if any(map(holds_name, facts.texts)):
        yield Spot(code="PRIVACY_NAME", location=name)
