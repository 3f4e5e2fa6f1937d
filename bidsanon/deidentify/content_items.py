"""Content items (PS3.3 C.17.3, C.18): which of them say who, where or whose, by their concept.

The table of PS3.15 speaks of attributes, and every content item has the same ones: what a text item
is about stands in its Concept Name Code Sequence. So the Clean Structured Content Option (E.3.4)
needs the concepts of the observation context (PS3.16 TID 1001 to 1009): the value of such an item
becomes a dummy, whatever it is. All other texts are cleaned like descriptions.
"""

from __future__ import annotations

import re

from bidsanon.dicom.elements import DataSet, Element, encoding_of_items
from bidsanon.dicom.encoding import NotUnderstoodError
from bidsanon.dicom.parsing import read_item, read_items

SEQUENCES = frozenset(
    {
        0x00400440,  # Protocol Context Sequence
        0x00400441,  # Content Item Modifier Sequence
        0x00400555,  # Acquisition Context Sequence
        0x00400612,  # Specimen Preparation Step Content Item Sequence
        0x0040A730,  # Content Sequence
    }
)
"""The sequences whose items are content items."""

VALUES = frozenset(
    {
        0x0040A120,  # DateTime
        0x0040A121,  # Date
        0x0040A122,  # Time
        0x0040A123,  # Person Name
        0x0040A160,  # Text Value
        0x0040A168,  # Concept Code Sequence
        0x0040A300,  # Measured Value Sequence
        0x0040A30A,  # Numeric Value
    }
)
"""What holds a content item's value. (UIDs are replaced wherever they stand.)"""

_CONCEPT_NAME = 0x0040A043
_CODE_VALUE = 0x00080100
_SCHEME = 0x00080102
_MEANING = 0x00080104
_IDENTIFYING = frozenset(
    {
        # TID 1003, 1004: persons and devices that observe
        *("121008", "121009", "121013", "121016", "121017", "128774"),
        # TID 1005: the procedure
        *("121020", "121021", "121022"),
        # TID 1007, 1008, 1009: the subject, the fetus, the specimen
        *("121029", "121030", "121031", "121032", "121033", "121036", "121040", "121041"),
        # TID 1020, 1021: persons and devices that take part
        *("113870", "113871", "113872", "113873", "113877", "113880"),
        # TID 8001: the specimen's container and who issued its name
        *("111700", "111724"),
    }
)
"""Codes of the scheme DCM."""
_IDENTIFYING_WORDS = re.compile(
    r"\b(accession|address|birth|e-?mail|hospital|identifier|ids?|institution|issuer|location"
    r"|login|names?|organi[sz]ation|operator|phone|physician|radiologist|serial|station|telephone)\b",
    re.IGNORECASE,
)
"""What a concept of another scheme is called that says who or where."""


def says_who(content: bytes, item: DataSet) -> bool:
    """Tell whether a content item's concept is about who, where or whose.

    Parameters
    ----------
    content
        The bytes in which the item lies.
    item
        A data set of one of :data:`SEQUENCES`.
    """
    for element in item.elements:
        if element.tag == _CONCEPT_NAME:
            return any(map(_is_identifying, _codes(content, element, item)))
    return False


def _codes(content: bytes, name: Element, item: DataSet) -> list[dict[int, str]]:
    inner = encoding_of_items(name, item.encoding)
    try:
        data_sets = [
            read_item(content, code, inner, depth=1)
            for code in read_items(content, name, item.encoding, depth=1)
        ]
    except NotUnderstoodError:
        return []  # the walk meets it, and says so
    return [
        {
            element.tag: content[element.body : element.end].decode("latin-1").strip(" \0")
            for element in data_set.elements
            if element.tag in {_CODE_VALUE, _SCHEME, _MEANING}
        }
        for data_set in data_sets
    ]


def _is_identifying(code: dict[int, str]) -> bool:
    if code.get(_SCHEME) == "DCM" and code.get(_CODE_VALUE) in _IDENTIFYING:
        return True
    return _IDENTIFYING_WORDS.search(code.get(_MEANING, "")) is not None
