"""PS3.15 Annex E as data: Table E.1-1, the attributes' Types that decide it, and CID 7050.

Nothing else in the package knows what the standard says about an attribute's confidentiality.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Action(StrEnum):
    """What is done to one attribute: the action codes of PS3.15 Table E.1-1a, resolved."""

    REMOVE = "X"
    """The attribute is removed."""
    EMPTY = "Z"
    """The attribute keeps its place with a value of zero length."""
    DUMMY = "D"
    """The value is replaced by one of non-zero length that fits the VR and means nothing."""
    KEEP = "K"
    """The value stays as it is; the items of a sequence are cleaned."""
    CLEAN = "C"
    """The value is replaced by one of similar meaning that identifies nobody."""
    REPLACE_UID = "U"
    """A UID is replaced by a consistent one; a sequence is kept and its UIDs are replaced."""


class Option(StrEnum):
    """The ten options of PS3.15 Table E.1-1, in the order of its columns."""

    RETAIN_SAFE_PRIVATE = "retain-safe-private"
    """Private attributes that are known to identify nobody stay."""
    RETAIN_UIDS = "retain-uids"
    """Unique identifiers stay as they are."""
    RETAIN_DEVICE_IDENTITY = "retain-device-identity"
    """What says which device acquired the images stays."""
    RETAIN_INSTITUTION_IDENTITY = "retain-institution-identity"
    """What says where the images were acquired stays."""
    RETAIN_PATIENT_CHARACTERISTICS = "retain-patient-characteristics"
    """Sex, age, size, weight and the like stay."""
    RETAIN_FULL_DATES = "retain-full-dates"
    """Dates and times stay as they are."""
    RETAIN_MODIFIED_DATES = "retain-modified-dates"
    """Dates are shifted so that intervals stay; excludes RETAIN_FULL_DATES."""
    CLEAN_DESCRIPTORS = "clean-descriptors"
    """Descriptions and comments lose what identifies and keep the rest."""
    CLEAN_STRUCTURED_CONTENT = "clean-structured-content"
    """Content items of structured reports and acquisition contexts are cleaned one by one."""
    CLEAN_GRAPHICS = "clean-graphics"
    """Overlays and graphic annotations are cleaned."""


class MethodCode(NamedTuple):
    """A code of CID 7050, as (0012,0064) holds it."""

    value: str
    scheme: str
    meaning: str
