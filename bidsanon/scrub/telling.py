"""Whether a text that a program wrote among data tells of a person."""

from __future__ import annotations

from bidsanon.bids.written import (
    holds_unshifted_day,
    names_somebodys_address,
    names_somebodys_folder,
)
from bidsanon.dicom_names import holds_name
from bidsanon.plain_names import names_in_words
from bidsanon.scrub.columns import TablePolicy


def tells_of_person(text: str, policy: TablePolicy) -> bool:
    """Tell a text that names somebody, by what is known or by its shape, or says when.

    Parameters
    ----------
    text
        A text.
    policy
        What is known of persons.
    """
    known = policy.without_known
    if known is not None and known(text) != text:
        return True
    if names_somebodys_folder(text) or names_somebodys_address(text) or holds_unshifted_day(text):
        return True
    return holds_name(text) or bool(names_in_words(text))
