"""Names, addresses and folders of people in texts that are no tables and no JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from bidsanon.bids.written import names_somebodys_address, names_somebodys_folder
from bidsanon.validate.privacy_names import holds_name
from bidsanon.validate.privacy_spots import Spot

_DOCUMENTS = re.compile(r"(?:README|CHANGES|LICENSE|CITATION)(?:\.\w+)?", re.IGNORECASE)


def is_document(name: str) -> bool:
    """Tell what BIDS has people write about a dataset, by its name."""
    return _DOCUMENTS.fullmatch(PurePosixPath(name).name) is not None


def text_spots(name: str, content: bytes) -> Iterator[Spot]:
    """Look through a text for names, folders and addresses, and for what is to be filled in.

    Programs may hold the word TODO.
    """
    if b"\0" in content:
        return
    document = is_document(name)
    contact = "PRIVACY_CONTACT_IN_DOCUMENT" if document else "PRIVACY_CONTACT"
    told: set[str] = set()
    for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), start=1):
        found = {
            "PRIVACY_FOLDER": names_somebodys_folder(line),
            contact: names_somebodys_address(line),
            "PRIVACY_NAME": holds_name(line),
            "PRIVACY_PLACEHOLDER": document and "TODO" in line,
        }
        for code, here in found.items():
            if here and code not in told:
                told.add(code)
                yield Spot(code=code, location=f"{name}, line {number}")
