"""How a user names an attribute: by keyword, by tag, or a private one by its creator."""

from __future__ import annotations

import re
from functools import cache

from pydicom.datadict import dictionary_has_tag, tag_for_keyword

from bidsanon.dicom.confidentiality import table_row, table_rows, tag_number
from bidsanon.profile.decision import PrivateKey

_PRIVATE = re.compile(r"\(?([0-9A-Fa-f]{4}),(.+),([0-9A-Fa-f]{2})\)?")
_BARE_TAG = re.compile(r"[0-9A-Fa-f]{4},\s?[0-9A-Fa-f]{4}")


def attribute_of(text: str) -> int | PrivateKey | None:
    """Return the attribute that a text names; None: nobody knows it.

    Parameters
    ----------
    text
        A keyword ("SeriesDescription"), a tag ("(0008,103E)" or "0008,103E"), or a private
        attribute by its group, creator and the last two digits of its element
        ("(0019,SIEMENS MR HEADER,0A)").
    """
    tag = _tag(text)
    if tag is not None:
        return tag if _is_standard(tag) else None
    private = _PRIVATE.fullmatch(text)
    if private is not None:
        group = int(private[1], 16)
        creator, element = private[2].strip(), int(private[3], 16)
        return PrivateKey(group=group, creator=creator, element=element) if group & 1 else None
    return tag_for_keyword(text) or _keywords_of_the_table().get(text)


def why_unknown(text: str) -> str:
    """Say, to follow "is", why a text names no attribute."""
    tag = _tag(text)
    if tag is None:
        return "no keyword of the standard"
    if (tag >> 16) & 1:
        return "private: write (group,creator,last two digits of the element)"
    return "no attribute of the standard"


def _tag(text: str) -> int | None:
    return tag_number(f"({text})" if _BARE_TAG.fullmatch(text) else text)


def _is_standard(tag: int) -> bool:
    private = bool((tag >> 16) & 1)
    return not private and (dictionary_has_tag(tag) or table_row(tag) is not None)


@cache
def _keywords_of_the_table() -> dict[str, int]:
    """Map keywords to tags for the rows that pydicom's dictionary lacks."""
    return {row.keyword: row.number for row in table_rows() if row.number is not None}
