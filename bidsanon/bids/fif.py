"""What a FIF file (Elekta, MEGIN, MNE) says of who and when: its tags, one after the other.

A tag has a head of sixteen bytes (kind, type, size, place of the next; big-endian) and its data
behind it. Only the heads and what is short and tells something are read, never the signals.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import BinaryIO

EXTENSION = ".fif"

_HEAD = struct.Struct(">iIii")
_FILE_ID, _DOUBLE, _STRING, _ID = 100, 5, 10, 31
_NOT_TOLD = frozenset({0.0, -(2.0**31)})
_FARTHEST = 2.0**32
_MADE_UP = date(2000, 1, 1)
_JULIAN_OF_YEAR_0 = 1_721_425
_LONGEST_TEXT = 1 << 16
_MOST_TAGS = 1 << 20
_END, _FOLLOWS = -1, 0
_BEGIN = struct.pack(">iIi", _FILE_ID, _ID, 20)
_SECONDS_AT = 12
PERSON = {
    401: "the first name",
    402: "the middle name",
    403: "the last name",
    409: "the comment on the participant",
    410: "the participant's number",
    212: "the experimenter",
    503: "the persons of the project",
}
"""Tags that hold texts about people."""
_BIRTH, _MEASURED = 404, 204


class FifError(ValueError):
    """It is no FIF file, or damaged. The text holds nothing of its content."""


class FifFacts:
    """What a FIF file says.

    Attributes
    ----------
    people
        What says who it is, or who recorded it, in words and with the value.
    born
        Days of birth.
    measured
        On which days it was recorded, by its own word.
    written
        On which days it and what it was made of were written.
    texts
        Its other texts.
    """

    def __init__(self) -> None:
        self.people: list[tuple[str, str]] = []
        self.born: list[date] = []
        self.measured: list[date] = []
        self.written: list[date] = []
        self.texts: list[str] = []


def is_fif(begin: bytes) -> bool:
    """Tell FIF by its first bytes: the tag that gives the file its number."""
    return begin.startswith(_BEGIN)


def read_fif(stream: BinaryIO) -> FifFacts:
    """Read what a file says.

    Parameters
    ----------
    stream
        The file, at its beginning.

    Raises
    ------
    FifError
        If it is none, or is damaged.
    OSError
        If it cannot be read.
    """
    facts = FifFacts()
    for kind, form, content in _tags(stream):
        if kind in PERSON and form == _STRING:
            facts.people.append((PERSON[kind], _text(content)))
        elif form == _STRING:
            facts.texts.append(_text(content))
        elif kind == _BIRTH:
            facts.born += _julian_day(content)
        elif kind == _MEASURED:
            facts.measured += _days(_seconds(form, content))
        elif form == _ID:
            facts.written += _days(_seconds(form, content[_SECONDS_AT:]))
    return facts


def _tags(stream: BinaryIO) -> Iterator[tuple[int, int, bytes]]:
    """Yield the short tags: their kind, their type and their data."""
    place = 0
    for number in range(_MOST_TAGS):
        stream.seek(place)
        head = stream.read(_HEAD.size)
        if not head and number:
            return
        if len(head) < _HEAD.size:
            raise FifError("it ends within a tag")
        kind, form, size, following = _HEAD.unpack(head)
        if size < 0 or (number == 0 and not is_fif(head)):
            raise FifError("it is no FIF file, or damaged")
        if size <= _LONGEST_TEXT and (form in {_STRING, _ID} or kind in {_BIRTH, _MEASURED}):
            yield kind, form, stream.read(size)
        if following == _END:
            return
        behind = place + _HEAD.size + size
        if following not in {_FOLLOWS, behind} and following <= place:
            raise FifError("its tags lead in a circle")
        place = following or behind
    raise FifError("it has more tags than any recording")


def _text(content: bytes) -> str:
    return content.decode("latin-1").strip(" \0")


def _julian_day(content: bytes) -> list[date]:
    """Return the day that a Julian day number writes; none where that is no day."""
    ordinal = int.from_bytes(content[:4], "big", signed=True) - _JULIAN_OF_YEAR_0
    return [date.fromordinal(ordinal)] if 0 < ordinal <= date.max.toordinal() else []


def _seconds(form: int, content: bytes) -> float:
    """Return when something was, in seconds since 1970."""
    if form == _DOUBLE:
        (since,) = struct.unpack(">d", content[:8].ljust(8, b"\0"))
        return float(since)
    return int.from_bytes(content[:4], "big", signed=True)


def _days(since: float) -> list[date]:
    """Return the day of a moment; none where it is not told, or is MNE's made-up one."""
    if since in _NOT_TOLD or not abs(since) <= _FARTHEST:
        return []
    day = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=since)).date()
    return [] if day == _MADE_UP else [day]
