"""What a check is, and how a planted value is looked for in what a de-identifier wrote."""

from __future__ import annotations

import io
import re
import warnings
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property

import numpy as np
from pydicom import DataElement, Dataset, dcmread
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.filereader import read_sequence

UNREADABLE = (
    InvalidDicomError,
    BytesLengthException,
    AttributeError,
    EOFError,
    KeyError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What pydicom raises on files that are none."""

_DEFLATED = "1.2.840.10008.1.2.1.99"
_LONGEST_UNPACKED = 1 << 22
Path = Sequence[int]
"""Tags and item numbers, in turns: ``(0x00400275, 0, 0x00321032)``."""


class Kind(StrEnum):
    """What a check asks."""

    TAG_RETAINED = "tag_retained"
    """The attribute is still there."""
    TEXT_NOTNULL = "text_notnull"
    """It is there and holds something."""
    TEXT_RETAINED = "text_retained"
    """What does not identify reads as before."""
    TEXT_REMOVED = "text_removed"
    """The attribute does not hold the planted value any more, or is gone."""
    DATE_SHIFTED = "date_shifted"
    """The date has moved by the person's days, and its time has not."""
    INTERVAL_KEPT = "interval_kept"
    """As many days as before lie between two dates of one person."""
    UID_CHANGED = "uid_changed"
    """The UID is another valid one, or is gone."""
    UID_CONSISTENT = "uid_consistent"
    """One UID became one UID, wherever it stood."""
    PATID_CONSISTENT = "patid_consistent"
    """One person has one Patient ID, and another person another one."""
    PIXELS_RETAINED = "pixels_retained"
    """The picture is the same, bit by bit."""
    PIXELS_HIDDEN = "pixels_hidden"
    """What was drawn or hidden in the picture's data is gone, or the file was held back."""
    NO_RAW_BYTE_HIT = "no_raw_byte_hit"
    """The planted value stands nowhere in the file, in whatever encoding, unpacked or not."""
    BLOCK_NUMBER_KEPT = "block_number_kept"
    """A safe private attribute is there under the same tag, with the same value and creator."""
    BIDS_VALUE_EQUAL = "bids_value_equal"
    """dcm2niix says the same as before."""


GONE_IS_WELL = frozenset(
    {Kind.TEXT_REMOVED, Kind.UID_CHANGED, Kind.NO_RAW_BYTE_HIT, Kind.PIXELS_HIDDEN}
)
"""The kinds that a file which was held back passes."""


class File:
    """One file as it was, or as it became."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    @cached_property
    def data_set(self) -> Dataset:
        """What pydicom reads in it; nothing, where it reads nothing."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return dcmread(io.BytesIO(self.content), force=True)
            except UNREADABLE:
                return Dataset()

    @cached_property
    def everything(self) -> bytes:
        """All its bytes, and what is packed within it."""
        pieces = [self.content]
        if _DEFLATED.encode() in self.content[:1024]:
            start = self._data_set_start()
            pieces.append(_unpacked(self.content[start:], -zlib.MAX_WBITS))
        members = re.finditer(rb"\x1f\x8b\x08", self.content)
        pieces += [_unpacked(self.content[found.start() :], 31) for found in members]
        return b"\n".join(pieces)

    def element(self, path: Path) -> DataElement | None:
        """Return the element at the end of a path; None where there is none."""
        data_set: Dataset | None = self.data_set
        for tag, item in zip(path[:-1:2], path[1::2], strict=True):
            data_set = _item(data_set, tag, item)
            if data_set is None:
                return None
        return _element(data_set, path[-1]) if data_set is not None else None

    def text(self, path: Path) -> str:
        """Return the value at the end of a path as text; empty where there is none."""
        element = self.element(path)
        if element is None or element.value is None:
            return ""
        value = element.value
        if isinstance(value, bytes):
            return value.decode("latin-1").rstrip(" \0")
        if isinstance(value, str) or not hasattr(value, "__iter__") or element.VR == "PN":
            return str(value)
        if element.VR == "SQ":
            return "\n".join(str(item) for item in value)
        return "\\".join(map(str, value))

    def says(self, planted: str) -> bool:
        """Tell whether a value stands anywhere in it, in whatever encoding and case."""
        return any(form in self._lower for form in _encoded(planted))

    @cached_property
    def _lower(self) -> bytes:
        return self.everything.lower()

    def _data_set_start(self) -> int:
        length = int.from_bytes(self.content[140:144], "little")
        return 144 + length


@dataclass(frozen=True, kw_only=True)
class Cleaned:
    """The files of a case, before and after; None: held back, or not written."""

    before: dict[str, File]
    after: dict[str, File | None]


@dataclass(frozen=True, kw_only=True)
class Check:
    """One planted value, and what is asked of it.

    Attributes
    ----------
    kind
        What is asked.
    file
        The name of the file that it stands in.
    place
        Where it stands, in words, for whoever mends a leak.
    passes
        Gives the answer, from the file as it was and as it became.
    """

    kind: Kind
    file: str
    place: str
    passes: Callable[[File, File], bool]


@dataclass(frozen=True, kw_only=True)
class Across:
    """A check that needs several files of a case."""

    kind: Kind
    place: str
    passes: Callable[[Cleaned], bool]


@dataclass(frozen=True, kw_only=True)
class Case:
    """Some files of one session, and the checks on them.

    Attributes
    ----------
    name
        What it is about.
    files
        Their bytes by name.
    checks
        What is asked of them.
    may_be_held_back
        Whether quarantine is as right as cleaning: the file is malformed, or cannot be judged.
    """

    name: str
    files: dict[str, bytes]
    checks: tuple[Check | Across, ...]
    may_be_held_back: bool = False


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came of one check."""

    kind: Kind
    case: str
    place: str
    passed: bool


def answers(case: Case, cleaned: Cleaned) -> list[Answer]:
    """Put all questions of a case."""
    return [
        Answer(
            kind=check.kind, case=case.name, place=check.place, passed=_answer(check, case, cleaned)
        )
        for check in case.checks
    ]


def _answer(check: Check | Across, case: Case, cleaned: Cleaned) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if isinstance(check, Across):
            held_back = None in cleaned.after.values()
            if held_back:
                return case.may_be_held_back
            return _asked(lambda: check.passes(cleaned))
        after = cleaned.after[check.file]
        if after is None:
            return case.may_be_held_back or check.kind in GONE_IS_WELL
        return _asked(lambda: check.passes(cleaned.before[check.file], after))


def _asked(question: Callable[[], bool]) -> bool:
    """Put a question; a file that pydicom cannot read to the end answers with no."""
    try:
        return question()
    except UNREADABLE:
        return False


def tag_retained(file: str, path: Path, place: str) -> Check:
    """Ask whether an attribute is there."""
    return Check(
        kind=Kind.TAG_RETAINED,
        file=file,
        place=place,
        passes=lambda _, after: after.element(path) is not None,
    )


def text_notnull(file: str, path: Path, place: str) -> Check:
    """Ask whether an attribute is there and holds something."""

    def passes(_: File, after: File) -> bool:
        element = after.element(path)
        return element is not None and not element.is_empty

    return Check(kind=Kind.TEXT_NOTNULL, file=file, place=place, passes=passes)


def text_retained(file: str, path: Path, place: str, expected: str | None = None) -> Check:
    """Ask whether an attribute reads as before, or as expected."""

    def passes(before: File, after: File) -> bool:
        wanted = before.text(path) if expected is None else expected
        return after.element(path) is not None and after.text(path) == wanted

    return Check(kind=Kind.TEXT_RETAINED, file=file, place=place, passes=passes)


def words_retained(file: str, path: Path, place: str, *words: str) -> Check:
    """Ask whether an attribute still says some words."""

    def passes(_: File, after: File) -> bool:
        return all(word in after.text(path) for word in words)

    return Check(kind=Kind.TEXT_RETAINED, file=file, place=place, passes=passes)


def text_removed(file: str, path: Path, place: str, planted: str) -> Check:
    """Ask whether an attribute does not hold a value any more."""

    def passes(_: File, after: File) -> bool:
        said = after.text(path).lower()
        return planted.lower() not in said

    return Check(kind=Kind.TEXT_REMOVED, file=file, place=place, passes=passes)


def no_raw_byte_hit(file: str, place: str, planted: str) -> Check:
    """Ask whether a value stands nowhere in a file."""
    return Check(
        kind=Kind.NO_RAW_BYTE_HIT,
        file=file,
        place=place,
        passes=lambda _, after: not after.says(planted),
    )


def no_raw_bytes(file: str, place: str, planted: bytes, kind: Kind = Kind.NO_RAW_BYTE_HIT) -> Check:
    """Ask whether some bytes stand nowhere in a file."""
    return Check(
        kind=kind, file=file, place=place, passes=lambda _, after: planted not in after.everything
    )


def date_shifted(file: str, path: Path, place: str) -> Check:
    """Ask whether a date has moved as far as the study's, and its time of day has not."""

    def passes(before: File, after: File) -> bool:
        was, now = before.text(path), after.text(path)
        shift = shift_days(before, after)
        return bool(shift) and _days(was, now) == shift and was[8:] == now[8:]

    return Check(kind=Kind.DATE_SHIFTED, file=file, place=place, passes=passes)


def uid_changed(file: str, path: Path, place: str) -> Check:
    """Ask whether a UID has become another valid one, or is gone."""

    def passes(before: File, after: File) -> bool:
        was, now = before.text(path), after.text(path)
        return not now or (now != was and re.fullmatch(r"[0-9.]{1,64}", now) is not None)

    return Check(kind=Kind.UID_CHANGED, file=file, place=place, passes=passes)


def pixels_retained(file: str, place: str) -> Check:
    """Ask whether the picture is the same."""

    def passes(before: File, after: File) -> bool:
        if after.data_set.PixelData == before.data_set.PixelData:
            return True
        # A comment within a compressed picture may go: what it shows is compared.
        return before.data_set.file_meta.TransferSyntaxUID.is_compressed and np.array_equal(
            after.data_set.pixel_array, before.data_set.pixel_array
        )

    return Check(kind=Kind.PIXELS_RETAINED, file=file, place=place, passes=passes)


def shift_days(before: File, after: File) -> int | None:
    """Return by how many days the study has moved; None where one of its dates is gone."""
    return _days(before.text((0x00080020,)), after.text((0x00080020,)))


def days_between(first: str, second: str) -> int:
    """Return how many days lie between two dates as DICOM writes them."""
    return (_day(second) - _day(first)).days


def _days(was: str, now: str) -> int | None:
    try:
        return days_between(was, now)
    except ValueError:
        return None


def _day(written: str) -> date:
    return date(int(written[:4]), int(written[4:6]), int(written[6:8]))


def _encoded(planted: str) -> set[bytes]:
    forms = set()
    for encoding in ("utf-8", "latin-1", "utf-16-le", "utf-16-be", "gb18030", "iso2022_jp"):
        try:
            forms.add(planted.encode(encoding).lower())
        except UnicodeEncodeError:
            continue
    return forms


def _item(data_set: Dataset | None, tag: int, index: int) -> Dataset | None:
    element = _element(data_set, tag) if data_set is not None else None
    if element is None or element.value is None:
        return None
    items = element.value
    if isinstance(items, bytes):
        stream = io.BytesIO(items)
        items = read_sequence(stream, True, True, len(items), "iso8859")
    return items[index] if index < len(items) else None


def _element(data_set: Dataset | None, tag: int) -> DataElement | None:
    return data_set[tag] if data_set is not None and tag in data_set else None


def _unpacked(packed: bytes, window: int) -> bytes:
    try:
        return zlib.decompressobj(window).decompress(packed, _LONGEST_UNPACKED)
    except zlib.error:
        return b""
