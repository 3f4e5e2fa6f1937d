"""What recordings and pictures call who, where and when: SNIRF, NWB, EEGLAB, EXIF and OME."""

from __future__ import annotations

import re
from enum import StrEnum

from bidsanon.bids.identifying import KeyKind, kind_of_key, says_nothing

_NO_LETTER = re.compile(r"[^a-z]")
_NO_WORDS = re.compile(r"(?:no|none|see) (?:comments?|descriptions?)", re.IGNORECASE)


class FieldKind(StrEnum):
    """What a field says."""

    SUBJECT = "subject"
    """Who was recorded."""
    STAFF = "staff"
    """Who recorded it."""
    PLACE = "place"
    """Where."""
    BEGAN = "began"
    """When it was recorded."""
    WRITTEN = "written"
    """When the file was written."""
    TIME = "time"
    """At what time of day."""
    TYPED = "typed"
    """What somebody typed."""
    FOLDER = "folder"
    """In which folder the file was."""


_FIELDS = {
    FieldKind.SUBJECT: ("subjectid", "subject", "patientid", "participantid"),
    FieldKind.STAFF: (
        *("experimenter", "operator", "technician", "relatedpersons"),
        *("artist", "cameraownername", "xpauthor", "creator", "byline"),
    ),
    FieldKind.PLACE: (
        *("institution", "lab", "hospital"),
        *("hostcomputer", "bodyserialnumber", "lensserialnumber", "serialnumber"),
    ),
    FieldKind.BEGAN: (
        *("measurementdate", "sessionstarttime", "timestampsreferencetime", "recordingdate"),
        *("datetimeoriginal", "datetimedigitized", "acquisitiondate", "datecreated"),
    ),
    FieldKind.WRITTEN: (
        *("filecreatedate", "datetime", "creationtime", "createdate", "modifydate"),
    ),
    FieldKind.TIME: ("measurementtime",),
    FieldKind.TYPED: (
        *("comments", "notes", "usercomment", "subjectcomment", "surgery", "pharmacology"),
        *("xpcomment", "usercomments"),
    ),
    FieldKind.FOLDER: ("filepath",),
}
_KINDS = {name: kind for kind, names in _FIELDS.items() for name in names}
_OF_KEYS = {
    KeyKind.PERSON: FieldKind.SUBJECT,
    KeyKind.NUMBER: FieldKind.SUBJECT,
    KeyKind.BIRTH: FieldKind.SUBJECT,
    KeyKind.CONTACT: FieldKind.SUBJECT,
    KeyKind.UID: FieldKind.SUBJECT,
    KeyKind.TEXT: FieldKind.TYPED,
    KeyKind.PLACE: FieldKind.PLACE,
    KeyKind.TIME: FieldKind.TIME,
}


def plain_field(name: str) -> str:
    """Return a field's name without anything but letters: `session_start_time` as one word."""
    return _NO_LETTER.sub("", name.lower())


def kind_of_field(name: str) -> FieldKind | None:
    """Return what a field says that only recordings have; None: it is called as others are."""
    return _KINDS.get(plain_field(name))


def kind_of_any_field(name: str) -> FieldKind | None:
    """Return what a field says, by the names of recordings and by those of sidecars."""
    kind = kind_of_key(name)
    return kind_of_field(name) or (_OF_KEYS.get(kind) if kind else None)


def field_says_nothing(text: str) -> bool:
    """Tell a value that stands for none, as programs write it in recordings."""
    return says_nothing(text) or _NO_WORDS.fullmatch(text.strip()) is not None
