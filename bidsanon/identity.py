"""What identifies: the values that a source says of person, staff, place and time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class ValueKind(StrEnum):
    """What kind of identifying value it is: decides in which written forms it is searched for."""

    NAME = "name"
    """A person's name, in DICOM's component form or as typed."""
    IDENTIFIER = "identifier"
    """A number or label given to a person, visit, order or device."""
    UID = "uid"
    """A DICOM unique identifier that was replaced."""
    DATE = "date"
    """A date, YYYYMMDD."""
    TIME = "time"
    """A time of day, HHMMSS with its fraction."""
    PLACE = "place"
    """An institution, department, address or station."""
    TEXT = "text"
    """Free text that was removed."""
    PATH = "path"
    """The name of an original file or folder."""


@dataclass(frozen=True, kw_only=True, order=True)
class IdentifyingValue:
    """One thing that the source says about the person, the staff, the place or the time.

    Attributes
    ----------
    kind
        What it is.
    text
        The value, decoded.
    origin
        Where it stood: a tag "(0010,0010)", a private element "(0029,SIEMENS CSA HEADER,20)",
        or "file name". Not identifying.
    """

    kind: ValueKind
    text: str
    origin: str


def merge_identity(groups: Iterable[Iterable[IdentifyingValue]]) -> tuple[IdentifyingValue, ...]:
    """Join identifying values from many instances, each once (by kind and text), sorted."""
    known: dict[tuple[ValueKind, str], IdentifyingValue] = {}
    for group in groups:
        for value in group:
            key = (value.kind, value.text)
            if key not in known or value.origin < known[key].origin:
                known[key] = value
    return tuple(sorted(known.values()))
