"""Names of people within texts, as DICOM writes them: ``Family^Given``."""

from __future__ import annotations

import re

from bidsanon.bids.written import written_names
from bidsanon.dicom.terms import is_acquisition_term

_WITHIN = re.compile(r"['-]")


def holds_name(text: str) -> bool:
    """Tell whether a name stands in a text; scanners write "Brain^Head" of a body's region."""
    return any(map(_is_of_person, written_names(text)))


def _is_of_person(name: str) -> bool:
    """Tell a name by the words beside its caret: of "rest Doe^Mara", "Doe" and "Mara"."""
    family, _, given = name.partition("^")
    beside = (family.rpartition(" ")[2], given.lstrip("^"))
    return not any(is_acquisition_term(word) for part in beside for word in _WITHIN.split(part))
