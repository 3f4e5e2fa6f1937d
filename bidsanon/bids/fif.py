"""What a FIF file (Elekta, MEGIN, MNE) says of who and when: its tags, one after the other.

A tag has a head of sixteen bytes (kind, type, size, place of the next; big-endian) and its data
behind it. Only the heads and what is short and tells something are read, never the signals.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import BinaryIO

from bidsanon.bids.identifying import says_nothing
from bidsanon.bids.written import is_unshifted

EXTENSION = ".fif"

_HEAD = struct.Struct(">iIii")
_FILE_ID, _DOUBLE, _STRING, _ID = 100, 5, 10, 31
_NOT_TOLD = frozenset({0.0, -(2.0**31)})
_FARTHEST = 2.0**32
_FIRST_TOO_FAR = 2.0**31
_MADE_UP = date(2000, 1, 1)
_JULIAN_OF_YEAR_0 = 1_721_425
_LONGEST_TEXT = 1 << 20
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
_NUMBER, _BIRTH, _MEASURED = 400, 404, 204
_TELLING = frozenset({_NUMBER, _BIRTH, _MEASURED})
_NO_BIRTH = date(1900, 1, 1)


class FifError(ValueError):
    """It is no FIF file, or damaged. The text holds nothing of its content."""


@dataclass(frozen=True, kw_only=True)
class _Tag:
    """A short tag: its kind, its type, where its data are, and the data."""

    kind: int
    form: int
    place: int
    content: bytes


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
    for tag in _tags(stream):
        if tag.kind in PERSON and tag.form == _STRING:
            facts.people.append((PERSON[tag.kind], _text(tag.content)))
        elif tag.form == _STRING:
            facts.texts.append(_text(tag.content))
        elif tag.kind == _BIRTH:
            facts.born += _julian_day(tag.content)
        elif tag.kind == _MEASURED:
            facts.measured += [moment.date() for moment in _moments(tag)]
        elif tag.form == _ID:
            facts.written += [moment.date() for moment in _moments(tag)]
    return facts


def tells_somebody(text: str) -> bool:
    """Tell a text about people from what anonymisers put in its place."""
    return not says_nothing(text) and "anonym" not in text.lower()


def without_person(
    stream: BinaryIO, *, clean: Callable[[str], str], moved: Callable[[datetime], datetime]
) -> dict[int, bytes]:
    """Return what has to be written where, so that a file says neither who nor when.

    All moments move together, and nothing gets another length.

    Parameters
    ----------
    stream
        The file, at its beginning.
    clean
        Takes what identifies out of a free text.
    moved
        Gives what becomes of the moment at which it was recorded (UTC).

    Raises
    ------
    FifError
        If it is none, or is damaged.
    """
    tags = list(_tags(stream))
    told = (moment for tag in tags if tag.kind == _MEASURED for moment in _moments(tag))
    first = next(told, None)
    later = moved(first) - first if first else timedelta()
    changed = {tag.place: _changed(tag, clean, later) for tag in tags}
    return {tag.place: changed[tag.place] for tag in tags if changed[tag.place] != tag.content}


def _changed(tag: _Tag, clean: Callable[[str], str], later: timedelta) -> bytes:
    content, text = tag.content, _text(tag.content)
    if tag.form == _STRING and tag.kind in PERSON:
        return b" " * len(content) if tells_somebody(text) else content
    if tag.form == _STRING:
        left = clean(text) if text else text
        written = left.encode("latin-1", "replace")[: len(content)].ljust(len(content))
        return written if left != text else content
    if tag.kind == _NUMBER:
        return bytes(len(content))
    if tag.kind == _BIRTH:
        born = any(map(is_unshifted, _julian_day(content)))
        made_up = _NO_BIRTH.toordinal() + _JULIAN_OF_YEAR_0
        return made_up.to_bytes(4, "big") + content[4:] if born else content
    if tag.form == _ID:
        unshifted = any(is_unshifted(moment.date()) for moment in _moments(tag))
        return (
            content[:_SECONDS_AT] + bytes(4) + content[_SECONDS_AT + 4 :] if unshifted else content
        )
    return _later(tag, later)


def _later(tag: _Tag, later: timedelta) -> bytes:
    if not _moments(tag) or not later:
        return tag.content
    since = _seconds(tag.form, tag.content) + later.total_seconds()
    if tag.form == _DOUBLE:
        return struct.pack(">d", since) + tag.content[8:]
    if abs(since) >= _FIRST_TOO_FAR:
        raise FifError("the dates in it lie a lifetime apart")
    return int(since).to_bytes(4, "big", signed=True) + tag.content[4:]


def _tags(stream: BinaryIO) -> Iterator[_Tag]:
    """Yield the tags that tell something."""
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
        if form in {_STRING, _ID} or kind in _TELLING:
            if size > _LONGEST_TEXT:
                raise FifError("it holds a text of more than a megabyte")
            yield _Tag(kind=kind, form=form, place=place + _HEAD.size, content=stream.read(size))
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


def _moments(tag: _Tag) -> list[datetime]:
    """Return the moment that a tag tells; none where it is not told, or on MNE's made-up day."""
    since = _seconds(tag.form, tag.content[_SECONDS_AT if tag.form == _ID else 0 :])
    if since in _NOT_TOLD or not abs(since) <= _FARTHEST:
        return []
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=since)
    return [] if moment.date() == _MADE_UP else [moment]
