"""The header of EDF and BDF recordings: where it says who and when, and what says nothing.

Both begin with 256 bytes of ASCII in fields of fixed lengths (Kemp et al. 1992); EDF+ (Kemp and
Olivan 2003) says what stands in the fields of the patient and of the recording, word by word, with
``X`` for what is not told. Two figures write the year, 1985 to 2084, so that a date of 1925 cannot
stand there: where the day is not known it is 01.01.85.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import count
from typing import BinaryIO

from bidsanon.bids.identifying import says_nothing
from bidsanon.bids.written import is_unshifted, written_date

EDF_EXTENSIONS = (".edf", ".bdf")
HEADER_BYTES = 256

_MAGIC = (b"0       ", b"\xffBIOSEMI")
_PATIENT, _RECORDING = slice(8, 88), slice(88, 168)
_DAY, _TIME = slice(168, 176), slice(176, 184)
_NO_DAY, _NO_TIME = "01.01.85", "00.00.00"
_NO_DAYS = frozenset({_NO_DAY, "01.01.01", "00.00.00", "01.01.00"})
_NOBODY = "X {sex} X X"
_START = "Startdate"
_SIZES = (slice(184, 192), slice(252, 256))
_BYTES_OF_A_SAMPLE = {b"0": 2, b"\xff": 3}
_ANNOTATIONS = frozenset({b"EDF Annotations", b"BDF Annotations"})
_MOST_SIGNALS = 4096
_LARGEST_RECORD = 1 << 26
_SEX = frozenset({"m", "f", "male", "female"})
_SHORT_NUMBER = re.compile(r"\d{1,3}")
_MADE_UP_DAY = "01-JAN-1985"
_STAFF = slice(2, 4)
"""Of the words of the recording: the hospital's number of it, and the technician."""


class EdfError(ValueError):
    """It is no EDF or BDF. The text holds nothing of its content."""


@dataclass(frozen=True, kw_only=True)
class EdfHeader:
    """What the header says of a person and of a moment.

    Attributes
    ----------
    patient, recording
        Who it is, and by whom, where and with what it was recorded.
    day, time
        When it began, as dd.mm.yy and hh.mm.ss.
    """

    patient: str
    recording: str
    day: str
    time: str

    def told(self, own: Collection[str] = ()) -> tuple[str, ...]:
        """Return the fields that say who or when.

        Parameters
        ----------
        own
            Labels of the dataset, which are pseudonyms.
        """
        told = {
            "the patient": not all(_is_nobody(word, own) for word in self.patient.split()),
            "the recording": self._recording_tells(own),
            "the start date": self.day not in _NO_DAYS and _is_of_today(self.day),
        }
        return tuple(field for field, tells in told.items() if tells)

    def _recording_tells(self, own: Collection[str]) -> bool:
        words = self.recording.split()
        if words[:1] != [_START]:
            return False
        told = words[1:2] != [_MADE_UP_DAY] and any(map(_is_of_today, words[1:2]))
        return told or not all(_is_nobody(word, own) for word in words[_STAFF])


def read_edf_header(begin: bytes) -> EdfHeader:
    """Read what a header says.

    Raises
    ------
    EdfError
        If it is none.
    """
    if not begin.startswith(_MAGIC) or len(begin) < HEADER_BYTES:
        raise EdfError("it does not begin as EDF or BDF does")
    fields = (begin[part].decode("latin-1").strip(" \0") for part in _PARTS)
    patient, recording, day, moment = fields
    return EdfHeader(patient=patient, recording=recording, day=day, time=moment)


def without_person(
    begin: bytes, *, clean: Callable[[str], str], own: Collection[str], keep_time: bool
) -> bytes:
    """Return a header that says neither who nor when.

    Parameters
    ----------
    begin
        Its 256 bytes.
    clean
        Takes what identifies out of a free text.
    own
        Labels of the dataset, which are pseudonyms.
    keep_time
        Whether the time of day stays.

    Raises
    ------
    EdfError
        If it is none.
    """
    header = read_edf_header(begin)
    told = header.told(own)
    content = bytearray(begin[:HEADER_BYTES])
    if "the patient" in told:
        _put(content, _PATIENT, _NOBODY.format(sex=_sex(header.patient)))
    recording = _cleaned_recording(header.recording, clean)
    if recording != header.recording:
        _put(content, _RECORDING, recording)
    if "the start date" in told:
        _put(content, _DAY, _NO_DAY)
    if not keep_time and header.time != _NO_TIME:
        _put(content, _TIME, _NO_TIME)
    return bytes(content)


def texts_among_signals(stream: BinaryIO) -> Iterator[str]:
    """Yield the annotations that EDF+ and BDF+ hold among their signals.

    Parameters
    ----------
    stream
        The file, at its beginning.

    Raises
    ------
    EdfError
        If what its header says of its signals cannot be.
    """
    begin = stream.read(HEADER_BYTES)
    read_edf_header(begin)
    width = _BYTES_OF_A_SAMPLE[begin[:1]]
    header_bytes, signals = (_number(begin[part]) for part in _SIZES)
    if not 0 <= signals <= _MOST_SIGNALS or header_bytes != HEADER_BYTES * (signals + 1):
        raise EdfError("its header does not say what its signals are")
    described = stream.read(HEADER_BYTES * signals)
    labels = [described[16 * n : 16 * n + 16].strip() for n in range(signals)]
    counts_at = 216 * signals
    of_each = (described[counts_at + 8 * n : counts_at + 8 * n + 8] for n in range(signals))
    sizes = [width * _number(field) for field in of_each]
    if min(sizes, default=0) < 0 or max(sizes, default=0) > _LARGEST_RECORD:
        raise EdfError("its header does not say what its signals are")
    wanted = [(sum(sizes[:n]), sizes[n]) for n in range(signals) if labels[n] in _ANNOTATIONS]
    for record in count() if wanted else ():
        for place, size in wanted:
            stream.seek(header_bytes + record * sum(sizes) + place)
            content = stream.read(size)
            if not content:
                return
            yield from _texts(content)


def _texts(content: bytes) -> Iterator[str]:
    """Yield the texts of time-stamped lists: each begins with its onset, and ends with a zero."""
    for listed in content.split(b"\0"):
        for text in listed.split(b"\x14")[1:]:
            if text:
                yield text.decode("utf-8", "replace")


def _number(field: bytes) -> int:
    try:
        return int(field)
    except ValueError:
        return -1


def _put(content: bytearray, part: slice, text: str) -> None:
    length = part.stop - part.start
    content[part] = text.encode("ascii", "replace")[:length].ljust(length)


def _sex(patient: str) -> str:
    """Return the sex that EDF+ has as the second word; X where there is none."""
    second = patient.split()[1:2]
    return second[0] if second and second[0] in {"M", "F"} else "X"


def _cleaned_recording(text: str, clean: Callable[[str], str]) -> str:
    words = text.split()
    if words[:1] != [_START]:
        return clean(text) if text else text
    day = words[1:2] if words[1:2] and not _is_of_today(words[1]) else ["X"]
    return " ".join([_START, *day, "X", "X", clean(" ".join(words[4:])) or "X"])


def _is_nobody(word: str, own: Collection[str]) -> bool:
    """Tell a word that says nothing of who it is: a sex, a number made for the study, an X."""
    lowered = word.lower()
    return (
        says_nothing(word)
        or word in own
        or lowered in _SEX
        or "anonym" in lowered
        or _SHORT_NUMBER.fullmatch(word) is not None
        or not any(map(str.isalnum, word))
    )


def _is_of_today(text: str) -> bool:
    day: date | None = written_date(text, loosely=True)
    return day is not None and is_unshifted(day)


_PARTS = (_PATIENT, _RECORDING, _DAY, _TIME)
