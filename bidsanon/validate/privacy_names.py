"""Names of people within texts, as DICOM writes them: ``Family^Given``."""

from __future__ import annotations

import re

from bidsanon.bids.written import written_names
from bidsanon.dicom.terms import is_acquisition_term

_BETWEEN = re.compile(r"[\^ '-]+")


def holds_name(text: str) -> bool:
    """Tell whether a name stands in a text; scanners write "Brain^Head" of a body's region."""
    return any(
        not any(map(is_acquisition_term, _BETWEEN.split(name))) for name in written_names(text)
    )
