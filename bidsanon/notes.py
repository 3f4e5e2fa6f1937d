"""What was cut, emptied or changed in a value, and why. A note holds no value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class NoteReason(StrEnum):
    """Why a value was cut, emptied or changed in a way that its action alone does not say.

    Each has a sentence that goes with the place: "(0008,103E) held a person's name, which was cut".
    """

    sentence: str

    def __new__(cls, value: str, sentence: str) -> Self:
        """Make a member of its value and its sentence."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.sentence = sentence
        return member

    INVALID_DATE = "invalid-date", "was no valid date and was taken out"
    PARTIAL_DATE = "partial-date", "named no day that could be shifted and was taken out"
    DATE_TOO_LATE = "date-too-late", "named a day long after the session and was taken out"
    OUTSIDE_SHIFTED_YEARS = "outside-shifted-years", "lies outside 1902 to 1925 once it is shifted"
    INVALID_TIME = "invalid-time", "was no valid time of day and was taken out"
    INVALID_AGE = "invalid-age", "was no valid age and was emptied"
    AGE_CAPPED = "age-capped", "said an age over 89, which was written as 89"
    BIRTH_DATE_EMPTIED = "birth-date-emptied", "could tell an age over 89 and was taken out"
    NAME = "name", "held a name that the headers say elsewhere, which was cut"
    IDENTIFIER = "identifier", "held an identifier that the headers say elsewhere, which was cut"
    PLACE = "place", "held a place that the headers say elsewhere, which was cut"
    DATE = "date", "held a date, which was cut"
    TIME = "time", "held a time of day, which was cut"
    TEXT = "text", "held a text that was removed elsewhere, which was cut"
    UID = "uid", "held a UID, which was cut"
    E_MAIL = "e-mail", "held an e-mail address, which was cut"
    WEB_ADDRESS = "web-address", "held a web address, which was cut"
    TELEPHONE = "telephone", "held a telephone number, which was cut"
    RECORD_NUMBER = "record-number", "held what looks like a record number, which was cut"
    LABELLED = "labelled", "held what a label calls identifying, which was cut"
    AGE = "age", "held an age or a birth, which was cut"
    TITLE_WITH_NAME = "title-with-name", "held a title or label with a name, which was cut"
    NOT_IN_VOCABULARY = "not-in-vocabulary", "held words that the vocabulary lacks, which were cut"
    OTHER_THAN_MEANT = "other-than-meant", "held what its attribute cannot and was taken out"
    HIDDEN_BITS = "hidden-bits", "held bits that no voxel uses, which were cleared"
    NOT_ASCII = "not-ascii", "held characters of which no character set is told and was emptied"
    TOO_LONG = "too-long", "was too long for a description and was emptied"


@dataclass(frozen=True, kw_only=True, order=True)
class Note:
    """What was cut, emptied or changed in one place, and how often. It holds no value.

    Attributes
    ----------
    place
        "(0008,103E)", or a private attribute "(0029,SIEMENS CSA HEADER,20)".
    reason
        Why.
    count
        How many elements it concerned.
    """

    place: str
    reason: NoteReason
    count: int


def settle_notes(counts: Iterable[Mapping[tuple[str, NoteReason], int]]) -> tuple[Note, ...]:
    """Join what was counted by place and reason, in several instances or by several workers."""
    total: Counter[tuple[str, NoteReason]] = Counter()
    for count in counts:
        total.update(count)
    return tuple(
        Note(place=place, reason=reason, count=number)
        for (place, reason), number in sorted(total.items())
    )


def notes_by_place(notes: Iterable[Note]) -> dict[str, dict[str, int]]:
    """Write notes as the journal holds them: by place, how often for which reason."""
    places: dict[str, dict[str, int]] = {}
    for note in notes:
        places.setdefault(note.place, {})[note.reason.value] = note.count
    return places
