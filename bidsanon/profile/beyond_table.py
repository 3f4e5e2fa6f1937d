"""Where Table E.1-1 says nothing of an attribute, or asks for what cannot be done.

The standard has dates and references that the table leaves out, and the table has dates that days
cannot shift and descriptions that are no text.
"""

from __future__ import annotations

from functools import cache, lru_cache

from pydicom._dicom_dict import DicomDictionary
from pydicom.datadict import dictionary_description, dictionary_has_tag

from bidsanon.dicom.confidentiality import (
    Action,
    Option,
    TableRow,
    table_row,
    tag_text,
)
from bidsanon.dicom.vrs import dictionary_vr

_UNCLEANABLE: dict[Option, frozenset[int]] = {
    Option.RETAIN_MODIFIED_DATES: frozenset(
        {
            # An offset from UTC, a signed and a binary time stamp: no date that days shift.
            *(0x00080201, 0x04000310, 0x00340007),
            # Dates that others know (the standard's versions, a device's history, a study's
            # approval): the shifted one beside the known one gives the person's shift away.
            *(0x00080106, 0x00080107, 0x0040DB06, 0x0040DB07),
            *(0x00181200, 0x00181201, 0x00181202, 0x00181203, 0x00181204, 0x00181205),
            *(0x0014407C, 0x0014407E, 0x0018700C, 0x0018700E),
            *(0x00120086, 0x00120087),
            # Of these Table E.1-1 lists none: when a material expires, a device was calibrated,
            # and a procedure was written.
            *(0x00141020, 0x00143076, 0x00144076, 0x00144078, 0x0014407A),
        }
    ),
    # Binary, although the standard counts it among the descriptions.
    Option.CLEAN_DESCRIPTORS: frozenset({0x0016002B, 0x0016004B}),
}
"""While the option is selected, these have their basic action, whatever the table says."""

REFERENCES = frozenset(
    {
        # Instances and what belongs to them.
        *(0x00081167, 0x00083012, 0x00200242, 0x00280304, 0x0040A021, 0x0040A022, 0x00440102),
        *(0x00440108, 0x00687004, 0x0070031B, 0x00701209, 0x00701904, 0x0072007F),
        # Frames of reference.
        *(0x0018991E, 0x00209312, 0x00209313, 0x300A0675),
        # Where an instance is stored.
        *(0x0040E011, 0x0040E030, 0x0040E031),
    }
)
"""UIDs of one examination that Table E.1-1 leaves out: PS3.15 E.1.1 has references replaced too."""

DATE_VRS = frozenset({"DA", "DT"})
_AS_DATES = {
    Option.RETAIN_FULL_DATES: Action.KEEP,
    Option.RETAIN_MODIFIED_DATES: Action.CLEAN,
}
"""What the table has for the dates of an acquisition, which the Basic Profile may remove."""


def not_cleanable(option: Option) -> frozenset[int]:
    """Return the tags that keep their basic action while an option is selected."""
    return _UNCLEANABLE.get(option, frozenset())


@lru_cache(maxsize=1 << 14)
def protecting_row(tag: int) -> TableRow | None:
    """Return the row of Table E.1-1 for an attribute, or one like it for a date that it lacks.

    A date that the table does not list may be that of the acquisition all the same: it is treated
    as the table treats those.
    """
    row = table_row(tag)
    if row is not None or not (dictionary_has_tag(tag) and dictionary_vr(tag) in DATE_VRS):
        return row
    return TableRow(
        tag=tag_text(tag), name=dictionary_description(tag), basic="X/Z/D", options=_AS_DATES
    )


@cache
def unlisted_dates() -> tuple[int, ...]:
    """Return the standard's dates that Table E.1-1 does not list, by tag."""
    return tuple(
        tag
        for tag in sorted(DicomDictionary)
        if table_row(tag) is None and protecting_row(tag) is not None
    )
