"""DICOM files as bytes (PS3.5, PS3.10): where each element lies, and how elements are written.

A file is read into spans, not values: an element says where its header begins and where its value
lies, and nothing is decoded or copied until somebody asks. A sequence of defined length is entered
only when its items are asked for. What cannot be understood to the last byte raises
:class:`NotUnderstoodError`: an element that nobody could place is one that nobody could clean.
"""

from __future__ import annotations

import re
import struct
import zlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache
from operator import itemgetter
from typing import NamedTuple, Protocol

from pydicom.datadict import dictionary_VR

MAX_DEPTH = 32
"""How deep sequences may nest: the deepest objects of the standard need about ten levels."""

BEYOND_ALL_TAGS = 1 << 32

IMPLEMENTATION_CLASS_UID = "2.25.199317352209716245172146917431385474261"
IMPLEMENTATION_VERSION_NAME = "BIDSANON"

IMPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2"
EXPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
EXPLICIT_VR_BIG_ENDIAN = "1.2.840.10008.1.2.2"
DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2.1.99"
_STANDARD_TRANSFER_SYNTAX = re.compile(r"1\.2\.840\.10008\.1\.2(\.\d{1,3}){1,3}")
_GE_PRIVATE_IMPLICIT = "1.2.840.113619.5.2"

_UNDEFINED = 0xFFFFFFFF
_ITEM = 0xFFFEE000
_ITEM_END = 0xFFFEE00D
_SEQUENCE_END = 0xFFFEE0DD
_FIRST_ITEM = b"\xfe\xff\x00\xe0"
_DELIMITERS = 0xFFFE
_TRANSFER_SYNTAX_UID = 0x00020010

_SHORT_VRS = {
    b"AE": "AE",
    b"AS": "AS",
    b"AT": "AT",
    b"CS": "CS",
    b"DA": "DA",
    b"DS": "DS",
    b"DT": "DT",
    b"FD": "FD",
    b"FL": "FL",
    b"IS": "IS",
    b"LO": "LO",
    b"LT": "LT",
    b"PN": "PN",
    b"SH": "SH",
    b"SL": "SL",
    b"SS": "SS",
    b"ST": "ST",
    b"TM": "TM",
    b"UI": "UI",
    b"UL": "UL",
    b"US": "US",
}
_LONG_VRS = {
    b"OB": "OB",
    b"OD": "OD",
    b"OF": "OF",
    b"OL": "OL",
    b"OV": "OV",
    b"OW": "OW",
    b"SQ": "SQ",
    b"SV": "SV",
    b"UC": "UC",
    b"UN": "UN",
    b"UR": "UR",
    b"UT": "UT",
    b"UV": "UV",
}
_LATER_VR = re.compile(rb"[A-Z]{2}")
_FRAGMENTED = frozenset({"OB", "OW"})
_PADDED_WITH_ZERO = frozenset({"UI", "OB", "OD", "OF", "OL", "OV", "OW", "SV", "UN", "UV"})
_LONGEST_SHORT = 0xFFFF
_WORTH_REMEMBERING = 512  # bytes: a shorter data set is read faster than it is recognised
_MOST_KEPT_ITEMS = 512
"""Of how many items of a sequence what was read to find their ends is kept: thousands of frames
take less memory when they are read again one by one."""
_LONGEST_INFLATED = 1 << 32
_HARMLESS_INFLATED = 1 << 28
_HIGHEST_RATIO = 100
_LONGEST_BEGINNING = 1 << 24
_INFLATED_AT_ONCE = 1 << 12
_CHOICES = {"US or SS": "US", "OB or OW": "OW", "US or OW": "OW", "US or SS or OW": "OW"}
# What pydicom 3.0.2's dictionary lacks of the attributes in Table E.1-1: without VRs in a file,
# their dates could not be shifted nor their descriptions cleaned.
_LATER_ATTRIBUTES = {
    **dict.fromkeys((0x00081301, 0x00081302, 0x00081303, 0x00081304), "SQ"),
    **dict.fromkeys((0x00100011, 0x00100014, 0x00100015, 0x00100041), "SQ"),
    **dict.fromkeys((0x00100043, 0x00100044, 0x00100046), "SQ"),
    **dict.fromkeys((0x0040A034, 0x0040A035, 0x0040B034, 0x0040B036), "DT"),
    **dict.fromkeys((0x00100012, 0x0040B03B, 0x0040B03F, 0x3004007F), "LO"),
    **dict.fromkeys((0x00100013, 0x00100016, 0x00100042, 0x00100045), "UT"),
    **dict.fromkeys((0x00100047, 0x0040E012), "UR"),
    0x00102162: "UC",
}

_TAG_LENGTH = {True: struct.Struct("<HHL"), False: struct.Struct(">HHL")}
_TAG_VR_LENGTH = {True: struct.Struct("<HH2sH"), False: struct.Struct(">HH2sH")}
_TAG_VR_LONG_LENGTH = {True: struct.Struct("<HH2sHL"), False: struct.Struct(">HH2sHL")}
_by_tag = itemgetter(0)
_by_start = itemgetter(2)


class NotUnderstoodError(ValueError):
    """A DICOM file, or a part of it, that cannot be understood completely.

    Its text holds neither a value of the file nor a position, so that many files with the same
    trouble have the same text.
    """


class Encoding(NamedTuple):
    """How a data set is written: with or without VRs, and in which byte order."""

    explicit: bool
    little_endian: bool


EXPLICIT_LITTLE = Encoding(explicit=True, little_endian=True)
EXPLICIT_BIG = Encoding(explicit=True, little_endian=False)
IMPLICIT_LITTLE = Encoding(explicit=False, little_endian=True)

_NATIVE = {
    IMPLICIT_VR_LITTLE_ENDIAN: IMPLICIT_LITTLE,
    EXPLICIT_VR_LITTLE_ENDIAN: EXPLICIT_LITTLE,
    EXPLICIT_VR_BIG_ENDIAN: EXPLICIT_BIG,
}
_NATIVE_UID = {encoding: uid for uid, encoding in _NATIVE.items()}


class Element(NamedTuple):
    """Where one element lies.

    Attributes
    ----------
    tag
        0xGGGGEEEE.
    vr
        As the file says; from the dictionary where it does not, and "UN" where neither knows.
    start
        Where its header begins.
    body, end
        Where its value begins and ends, without the delimiter of an undefined length.
    after
        Where the next element begins; differs from `end` where the length is undefined.
    items
        The items of a sequence of undefined length; None otherwise.
    """

    tag: int
    vr: str
    start: int
    body: int
    end: int
    after: int
    items: tuple[Item, ...] | None = None


class Passage(Protocol):
    """Consecutive elements that came before, byte for byte, in the same place."""

    @property
    def content(self) -> bytes:
        """Their bytes."""
        ...

    @property
    def length(self) -> int:
        """How many they are."""
        ...

    @property
    def tags(self) -> tuple[int, int]:
        """The first and the last of their tags."""
        ...

    def elements_at(self, position: int, /) -> list[Element]:
        """Return its elements as they lie where it begins at a position."""
        ...

    def values(self, wanted: frozenset[int], /) -> dict[int, bytes]:
        """Return the values of the wanted ones among them, by tag."""
        ...


class Layout(Protocol):
    """How the items of a sequence are written that differ in nothing but some values."""

    @property
    def length(self) -> int:
        """How long the data set of such an item is."""
        ...

    @property
    def varying(self) -> Sequence[tuple[int, int]]:
        """Where the values that differ begin and end, counted from where the data set begins."""
        ...

    def elements_at(self, position: int, /) -> list[Element]:
        """Return the elements of an item whose data set begins at a position."""
        ...

    def find(self, tag: int, position: int, /) -> Element | None:
        """Return the first element with a tag of an item whose data set begins at a position."""
        ...


class Placed(NamedTuple):
    """A passage in a data set.

    Attributes
    ----------
    before
        How many single elements stand before it.
    passage
        The passage.
    position
        Where it begins.
    """

    before: int
    passage: Passage
    position: int


class KnownPassages(Protocol):
    """The passages of one place that are written in one way."""

    def at(self, content: bytes, position: int, limit: int, /) -> Passage | None:
        """Return a passage that begins at a position and ends within a limit."""
        ...

    def learn(
        self, content: bytes, singles: Sequence[Element], placed: Sequence[Placed], /
    ) -> None:
        """Look for new passages among the single elements between those that were found."""
        ...

    def layout_at(
        self, content: bytes, position: int, limit: int, /, *, delimited: bool
    ) -> Layout | None:
        """Return the layout of the item whose data set begins at a position; None: not known.

        It ends at the limit, or, where it is delimited, within it, its delimiter included.
        """
        ...

    def learn_layout(
        self, content: bytes, data_set: DataSet, stretch: tuple[int, int], /, *, delimited: bool
    ) -> None:
        """Look for what an item has in common with others, from where it begins and ends."""
        ...


class Known(Protocol):
    """The passages of one place: what a reader remembers of the files that it read before."""

    def written(self, encoding: Encoding, /) -> KnownPassages:
        """Return those that are written in one way."""
        ...

    def below(self, tag: int, /) -> Known:
        """Return what is known of the items of a sequence."""
        ...


class DataSet:
    """The elements of a data set.

    Parameters
    ----------
    singles
        Those in no known passage, in the order of their tags.
    encoding
        How they are written.
    placed
        The known passages, in the order of their tags.

    Attributes
    ----------
    layout
        The layout of an item that is written as others are; None for any other data set.
    position
        Where such an item begins.
    """

    __slots__ = ("_elements", "_singles", "encoding", "layout", "placed", "position")

    def __init__(
        self, singles: list[Element], encoding: Encoding, placed: Sequence[Placed] = ()
    ) -> None:
        self._singles: list[Element] | None = singles
        self.encoding = encoding
        self.placed = placed
        self.layout: Layout | None = None
        self.position = 0
        self._elements = None if placed else singles

    @classmethod
    def laid_out(cls, layout: Layout, position: int, encoding: Encoding) -> DataSet:
        """Return the data set of an item whose layout is known, without looking at its elements."""
        data_set = cls([], encoding)
        data_set.layout, data_set.position = layout, position
        data_set._singles = data_set._elements = None
        return data_set

    @property
    def singles(self) -> list[Element]:
        """Those in no known passage."""
        if self._singles is None:
            assert self.layout is not None  # noqa: S101 (laid_out gave it)
            self._singles = self.layout.elements_at(self.position)
        return self._singles

    @property
    def elements(self) -> list[Element]:
        """All of them, in the order of their tags."""
        if self._elements is None:
            self._elements = []
            begin = 0
            for index, passage, position in self.placed:
                self._elements += self.singles[begin:index]
                self._elements += passage.elements_at(position)
                begin = index
            self._elements += self.singles[begin:]
        return self._elements

    def find(self, tag: int) -> Element | None:
        """Return the element with a tag; of several the first, and None where there is none."""
        if self.layout is not None:
            return self.layout.find(tag, self.position)
        index = bisect_left(self.singles, (tag,))
        found = self.singles[index : index + 1]
        if found and found[0].tag != tag:
            found = []
        for _, passage, position in self.placed:
            first, last = passage.tags
            if first <= tag <= last:
                found += (e for e in passage.elements_at(position) if e.tag == tag)
        return min(found, key=_by_start, default=None)

    def values(self, content: bytes, wanted: frozenset[int]) -> dict[int, bytes]:
        """Return the values of the wanted attributes, by tag; of several the first.

        Parameters
        ----------
        content
            The bytes in which the elements lie.
        wanted
            The tags.
        """
        parts: list[dict[int, bytes]] = []
        begin = 0
        for index, passage, _ in self.placed:
            parts.append(values_of(content, self.singles[begin:index], wanted))
            parts.append(passage.values(wanted))
            begin = index
        parts.append(values_of(content, self.singles[begin:], wanted))
        return {tag: value for part in reversed(parts) for tag, value in part.items()}


class Item(NamedTuple):
    """Where one item of a sequence lies.

    Attributes
    ----------
    body, end
        Where its data set begins and ends, without the delimiter.
    undefined
        Whether its length is undefined.
    data_set
        Its elements, where they were read to find its end; None otherwise.
    """

    body: int
    end: int
    undefined: bool
    data_set: DataSet | None = None


@dataclass(frozen=True, kw_only=True)
class DicomFile:
    """One DICOM file.

    Attributes
    ----------
    content
        The bytes in which the elements of `data_set` lie (inflated where they were deflated).
    data_set
        All elements but the file meta information.
    transfer_syntax_uid
        (0002,0010), or what the bytes show where the file does not say, or says it wrongly.
    meta
        The values of group 0002 by tag.
    """

    content: bytes
    data_set: DataSet
    transfer_syntax_uid: str
    meta: dict[int, bytes]

    @cached_property
    def top(self) -> dict[int, Element]:
        """The elements of the top level by tag; of several with one tag, the first."""
        backwards = self.data_set.elements[::-1]
        return dict(zip(map(_by_tag, backwards), backwards, strict=True))

    def groups(self, first: int) -> list[int]:
        """Return the groups at the top level, from one on."""
        elements = self.data_set.elements
        later = elements[bisect_left(elements, (first << 16,)) :]
        return sorted({element.tag >> 16 for element in later})

    def value(self, tag: int) -> bytes:
        """Return a value of the top level without padding; empty where there is none."""
        element = self.top.get(tag)
        return self.content[element.body : element.end].strip(b" \0") if element else b""


def read_file(
    content: bytes, *, known: Known | None = None, until: int = BEYOND_ALL_TAGS
) -> DicomFile:
    """Read a DICOM file of any transfer syntax, with or without preamble and file meta.

    Parameters
    ----------
    content
        The file.
    known
        What was learnt from the files read before, and learns from this one. It makes reading
        faster, and nothing else.
    until
        The first tag at the top level that is not wanted: what stands there and behind it is not
        looked at.

    Raises
    ------
    NotUnderstoodError
        If any of it cannot be understood.
    """
    start = 132 if content[128:132] == b"DICM" else 0
    try:
        meta, start = _read_meta(content, start)
    except struct.error as error:
        raise NotUnderstoodError("it ends within its file meta information") from error
    stated = meta.get(_TRANSFER_SYNTAX_UID, b"").strip(b" \0").decode("ascii", "replace")
    if stated == DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN:
        content, start = _inflate(content[start:]), 0
    first_trouble = None
    for uid, encoding in _ways_to_read(content, start, stated):
        try:
            stretch = _Stretch(content, start, len(content), encoding, 0, known, until=until)
            data_set, _ = _read_data_set(stretch)
        except NotUnderstoodError as error:
            first_trouble = first_trouble or error
            continue
        return DicomFile(content=content, data_set=data_set, transfer_syntax_uid=uid, meta=meta)
    raise first_trouble or NotUnderstoodError("it holds no data set")


def read_beginning(content: bytes) -> DicomFile:
    """Read a damaged file as far as it can be understood: the elements before the first trouble.

    Whose it is stands before its pixel data, where most damaged files end. Nothing of it may be
    passed on.

    Raises
    ------
    NotUnderstoodError
        If not even one element can be.
    """
    start = 132 if content[128:132] == b"DICM" else 0
    meta: dict[int, bytes] = {}
    with suppress(NotUnderstoodError, struct.error):
        meta, start = _read_meta(content, start)
    stated = meta.get(_TRANSFER_SYNTAX_UID, b"").strip(b" \0").decode("ascii", "replace")
    if stated == DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN:
        content, start = _inflate_beginning(content[start:]), 0
    longest = None
    for uid, encoding in _ways_to_read(content, start, stated):
        elements: list[Element] = []
        read = _read_explicit if encoding.explicit else _read_implicit
        with suppress(NotUnderstoodError, struct.error):
            read(_Stretch(content, start, len(content), encoding, 0, None), elements, None, [])
        whole = sorted((e for e in elements if e.after <= len(content)), key=_by_tag)
        if whole and (longest is None or len(whole) > len(longest.data_set.elements)):
            data_set = DataSet(whole, encoding)
            longest = DicomFile(
                content=content, data_set=data_set, transfer_syntax_uid=uid, meta=meta
            )
    if longest is None:
        raise NotUnderstoodError("nothing of it can be understood")
    return longest


def read_items(
    content: bytes,
    element: Element,
    encoding: Encoding,
    *,
    depth: int,
    known: Known | None = None,
) -> tuple[Item, ...]:
    """Find the items of a sequence.

    Parameters
    ----------
    content
        The bytes in which the element lies.
    element
        A sequence. One with VR UN is Implicit VR Little Endian inside (PS3.5 6.2.2).
    encoding
        That of the data set which holds the element.
    depth
        How many sequences enclose an item, this one included.
    known
        What is known of its items: see :func:`read_file`.

    Raises
    ------
    NotUnderstoodError
        If its value is no whole number of items.
    """
    if element.items is not None:
        return element.items
    inner = encoding_of_items(element, encoding)
    return _read_items(_Stretch(content, element.body, element.end, inner, depth, known))[0]


def read_item(
    content: bytes, item: Item, encoding: Encoding, *, depth: int, known: Known | None = None
) -> DataSet:
    """Read the data set of an item.

    Parameters
    ----------
    content
        The bytes in which it lies.
    item
        From :func:`read_items`.
    encoding
        From :func:`encoding_of_items`. An item that is written otherwise is read as it is written:
        some writers leave items without VRs in a data set that has them.
    depth
        How many sequences enclose it.
    known
        What is known of the sequence's items: see :func:`read_file`.

    Raises
    ------
    NotUnderstoodError
        If any of it cannot be understood.
    """
    if item.data_set is not None:
        return item.data_set
    encoding = _as_written(content, item.body, encoding)
    return _read_data_set(_Stretch(content, item.body, item.end, encoding, depth, known))[0]


def encoding_of_items(element: Element, encoding: Encoding) -> Encoding:
    """Return how the items of a sequence in a data set of this encoding are written."""
    return IMPLICIT_LITTLE if element.vr == "UN" else encoding


def looks_like_items(content: bytes, element: Element) -> bool:
    """Tell whether a value whose VR is not known begins as a sequence does."""
    return element.items is not None or content[element.body : element.body + 4] == _FIRST_ITEM


def holds_items(content: bytes, element: Element) -> bool:
    """Tell whether an element is a sequence, also where its VR is UN."""
    if element.vr != "UN":
        return element.vr == "SQ"
    if element.body == element.end:
        return False
    return dictionary_vr(element.tag) == "SQ" or looks_like_items(content, element)


def values_of(
    content: bytes, elements: Sequence[Element], wanted: frozenset[int]
) -> dict[int, bytes]:
    """Return the values of the wanted ones among elements, by tag; of several the first."""
    return {
        tag: content[body:end] for tag, _, _, body, end, _, _ in reversed(elements) if tag in wanted
    }


def write_element(tag: int, vr: str, value: bytes, encoding: Encoding) -> bytes:
    """Write an element of defined length, padded to an even one."""
    value = padded(vr, value)
    return _header(tag, vr, len(value), encoding) + value


def padded(vr: str, value: bytes) -> bytes:
    """Return a value of even length (PS3.5 6.2)."""
    if len(value) & 1:
        value += b"\0" if vr in _PADDED_WITH_ZERO else b" "
    return value


def write_sequence(
    element: Element, items: Iterable[tuple[bytes, bool]], encoding: Encoding
) -> bytes:
    """Write a sequence anew, with lengths defined or undefined as they were.

    Parameters
    ----------
    element
        The sequence as it was read: gives the tag, the VR and the kind of length.
    items
        The bytes of each item, and whether its length was undefined.
    encoding
        That of the data set which holds the sequence.
    """
    written = list(items)
    around = written_around(
        element, [(len(body), undefined) for body, undefined in written], encoding
    )
    pieces = [around[0]]
    for (body, _), after in zip(written, around[1:], strict=True):
        pieces += [body, after]
    return b"".join(pieces)


def written_around(
    element: Element, items: Sequence[tuple[int, bool]], encoding: Encoding
) -> list[bytes]:
    """Return what a sequence that is written anew holds before, between and after its items.

    Parameters
    ----------
    element, encoding
        As for :func:`write_sequence`.
    items
        How long the data set of each item is, and whether its length was undefined.
    """
    mark = _TAG_LENGTH[encoding_of_items(element, encoding).little_endian].pack
    around = [b""]
    for length, undefined in items:
        around[-1] += mark(0xFFFE, 0xE000, _UNDEFINED if undefined else length)
        around.append(mark(0xFFFE, 0xE00D, 0) if undefined else b"")
    length = _UNDEFINED
    if element.after == element.end:
        length = sum(map(len, around)) + sum(length for length, _ in items)
    else:
        around[-1] += mark(0xFFFE, 0xE0DD, 0)
    around[0] = _header(element.tag, element.vr, length, encoding) + around[0]
    return around


def write_file_head(
    *, sop_class_uid: bytes, sop_instance_uid: bytes, transfer_syntax_uid: str
) -> bytes:
    """Write an empty preamble and the file meta information that PS3.10 7.1 requires."""
    values = (
        (0x00020001, "OB", b"\x00\x01"),
        (0x00020002, "UI", sop_class_uid),
        (0x00020003, "UI", sop_instance_uid),
        (_TRANSFER_SYNTAX_UID, "UI", transfer_syntax_uid.encode()),
        (0x00020012, "UI", IMPLEMENTATION_CLASS_UID.encode()),
        (0x00020013, "SH", IMPLEMENTATION_VERSION_NAME.encode()),
    )
    body = b"".join(write_element(tag, vr, value, EXPLICIT_LITTLE) for tag, vr, value in values)
    length = write_element(0x00020000, "UL", struct.pack("<L", len(body)), EXPLICIT_LITTLE)
    return bytes(128) + b"DICM" + length + body


def deflate(data_set: bytes) -> bytes:
    """Compress a data set for the deflated transfer syntax (PS3.5 A.5)."""
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    deflated = compressor.compress(data_set) + compressor.flush()
    return deflated + b"\0" * (len(deflated) & 1)


@lru_cache(maxsize=1 << 16)
def dictionary_vr(tag: int) -> str:
    """Return the VR that the data dictionary gives a tag; "UN" where it does not know it.

    Of several possible ones the first that fits (US of "US or SS", OW of "OB or OW"). A private
    creator is LO.
    """
    if tag & 0x10000:
        return "LO" if 0x10 <= tag & 0xFFFF <= 0xFF else "UN"  # noqa: PLR2004 (PS3.5 7.8.1)
    if not tag & 0xFFFF:
        return "UL"
    try:
        vr = dictionary_VR(tag)
    except KeyError:
        return _LATER_ATTRIBUTES.get(tag, "UN")
    return _CHOICES.get(vr, vr)


def _header(tag: int, vr: str, length: int, encoding: Encoding) -> bytes:
    group, number, little = tag >> 16, tag & 0xFFFF, encoding.little_endian
    if not encoding.explicit:
        return _TAG_LENGTH[little].pack(group, number, length)
    code = vr.encode()
    if code in _SHORT_VRS:
        if length <= _LONGEST_SHORT:
            return _TAG_VR_LENGTH[little].pack(group, number, code, length)
        code = b"UN"  # PS3.5 6.2.2: a value too long for the length field of its VR
    return _TAG_VR_LONG_LENGTH[little].pack(group, number, code, 0, length)


def _read_meta(content: bytes, position: int) -> tuple[dict[int, bytes], int]:
    values = {}
    while content[position : position + 2] == b"\x02\x00":
        _, number, code, length = _TAG_VR_LENGTH[True].unpack_from(content, position)
        body = position + 8
        if code in _LONG_VRS or code not in _SHORT_VRS:
            *_, length = _TAG_VR_LONG_LENGTH[True].unpack_from(content, position)
            body = position + 12
        if code not in _LONG_VRS and code not in _SHORT_VRS:
            _, _, length = _TAG_LENGTH[True].unpack_from(content, position)
            body = position + 8
        position = body + length
        if position > len(content):
            raise NotUnderstoodError("it ends within its file meta information")
        values[0x00020000 | number] = content[body:position]
    return values, position


def _ways_to_read(content: bytes, start: int, stated: str) -> Iterator[tuple[str, Encoding]]:
    if start >= len(content):
        return
    shown = _shown(content, start)
    if stated in ("", *_NATIVE):
        if stated:
            yield stated, _NATIVE[stated]
        if shown != _NATIVE.get(stated):
            yield _NATIVE_UID[shown], shown
    elif stated == _GE_PRIVATE_IMPLICIT:
        yield stated, IMPLICIT_LITTLE
    elif _STANDARD_TRANSFER_SYNTAX.fullmatch(stated):
        yield stated, EXPLICIT_LITTLE
    else:
        raise NotUnderstoodError("its transfer syntax is not known")


def _shown(content: bytes, start: int) -> Encoding:
    if not _has_vr(content, start):
        return IMPLICIT_LITTLE
    high_byte_first = content[start] == 0 and content[start + 1] != 0
    return EXPLICIT_BIG if high_byte_first else EXPLICIT_LITTLE


def _has_vr(content: bytes, position: int) -> bool:
    code = content[position + 4 : position + 6]
    return code in _SHORT_VRS or code in _LONG_VRS


def _as_written(content: bytes, position: int, encoding: Encoding) -> Encoding:
    if encoding == EXPLICIT_LITTLE and not _has_vr(content, position):
        return IMPLICIT_LITTLE
    return encoding


def _inflate(content: bytes) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflated = inflater.decompress(content, _longest_inflated(len(content)))
    except zlib.error as error:
        raise NotUnderstoodError("its deflated data set cannot be inflated") from error
    if not inflater.eof:
        raise NotUnderstoodError("its deflated data set does not end")
    return inflated


def _longest_inflated(deflated: int) -> int:
    """Return how long a deflated data set may become before it counts as a bomb."""
    return min(_LONGEST_INFLATED, max(_HARMLESS_INFLATED, _HIGHEST_RATIO * deflated))


def _inflate_beginning(content: bytes) -> bytes:
    inflated = b""
    with suppress(zlib.error):
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        for begin in range(0, len(content), _INFLATED_AT_ONCE):
            part = content[begin : begin + _INFLATED_AT_ONCE]
            inflated += inflater.decompress(part, _LONGEST_BEGINNING - len(inflated))
            if len(inflated) >= _LONGEST_BEGINNING:
                break
    return inflated


class _Stretch(NamedTuple):
    """A stretch of bytes that is to be read: a data set or the items of a sequence.

    It ends at `limit`, or, where it is `delimited`, at its delimiter before that; or before an
    element whose tag is not below `until`.
    """

    content: bytes
    position: int
    limit: int
    encoding: Encoding
    depth: int
    known: Known | None = None
    delimited: bool = False
    until: int = BEYOND_ALL_TAGS


def _read_data_set(stretch: _Stretch) -> tuple[DataSet, int]:
    """Read elements, and return them and where they end."""
    if stretch.depth > MAX_DEPTH:
        raise NotUnderstoodError("its sequences nest too deeply")
    read = _read_explicit if stretch.encoding.explicit else _read_implicit
    worth_it = stretch.limit - stretch.position >= _WORTH_REMEMBERING
    known = stretch.known.written(stretch.encoding) if stretch.known and worth_it else None
    content, position, limit, encoding, depth, _, delimited, _ = stretch
    if known is not None and depth:
        layout = known.layout_at(content, position, limit, delimited=delimited)
        if layout is not None:
            return DataSet.laid_out(layout, position, encoding), position + layout.length
    elements: list[Element] = []
    placed: list[Placed] = []
    try:
        end = read(stretch, elements, known, placed)
    except struct.error as error:
        raise NotUnderstoodError("it ends within an element") from error
    if known is not None:
        known.learn(content, elements, placed)
    data_set = DataSet(elements, encoding, placed)
    if not _in_order(elements, placed):
        return DataSet(sorted(data_set.elements, key=_by_tag), encoding), end
    if known is not None and depth:
        known.learn_layout(content, data_set, (position, end), delimited=delimited)
    return data_set, end


def _in_order(singles: list[Element], placed: list[Placed]) -> bool:
    """Tell whether the tags of a data set rise, or at least do not fall."""
    tags: list[int] = []
    begin = 0
    for index, passage, _ in placed:
        tags += map(_by_tag, singles[begin:index])
        tags += passage.tags
        begin = index
    tags += map(_by_tag, singles[begin:])
    return tags == sorted(tags)


def _read_explicit(
    stretch: _Stretch,
    elements: list[Element],
    known: KnownPassages | None,
    placed: list[Placed],
) -> int:
    """Add elements to those that were read, and return where they end."""
    content, position, limit, encoding, _, _, delimited, until = stretch
    append, vr_of = elements.append, _SHORT_VRS.get
    unpack = _TAG_VR_LENGTH[encoding.little_endian].unpack_from
    while position < limit:
        if known is not None:
            passage = known.at(content, position, limit)
            if passage is not None:
                placed.append(Placed(len(elements), passage, position))
                position += len(passage.content)
                continue
        group, number, code, length = unpack(content, position)
        tag = group << 16 | number
        if tag >= until:
            return position
        vr = vr_of(code)
        if vr is not None:
            body = position + 8
            after = body + length
            append(Element(tag, vr, position, body, after, after))
        elif code not in _LONG_VRS and _ends_here(stretch, position, tag):
            return position
        else:
            element = _read_long(stretch, position, tag)
            append(element)
            after = element.after
        if after > limit:
            raise NotUnderstoodError("an element is longer than what holds it")
        position = after
    if delimited:
        raise NotUnderstoodError("an item has no end")
    return position


def _read_implicit(
    stretch: _Stretch,
    elements: list[Element],
    known: KnownPassages | None,
    placed: list[Placed],
) -> int:
    """Add elements to those that were read, and return where they end."""
    content, position, limit, encoding, _, _, delimited, until = stretch
    append = elements.append
    unpack = _TAG_LENGTH[encoding.little_endian].unpack_from
    while position < limit:
        if known is not None:
            passage = known.at(content, position, limit)
            if passage is not None:
                placed.append(Placed(len(elements), passage, position))
                position += len(passage.content)
                continue
        group, number, length = unpack(content, position)
        tag = group << 16 | number
        if (not group or group == _DELIMITERS) and _ends_here(stretch, position, tag):
            return position
        if tag >= until:
            return position
        vr = dictionary_vr(tag)
        body = position + 8
        if length == _UNDEFINED:
            vr = vr if vr in _FRAGMENTED else "SQ"
            element = _read_undefined(stretch, position, body, tag, vr)
            append(element)
            after = element.after
        else:
            after = body + length
            append(Element(tag, vr, position, body, after, after))
        if after > limit:
            raise NotUnderstoodError("an element is longer than what holds it")
        position = after
    if delimited:
        raise NotUnderstoodError("an item has no end")
    return position


def _ends_here(stretch: _Stretch, position: int, tag: int) -> bool:
    """Tell whether a data set ends at what is no element: its delimiter, or zeros to the end."""
    if tag == _ITEM_END and stretch.delimited:
        return True
    if tag >> 16 == _DELIMITERS:
        raise NotUnderstoodError("a delimiter stands where an element should")
    if tag or stretch.depth:
        return False
    return not stretch.content[position : stretch.limit].strip(b"\0")


def _read_long(stretch: _Stretch, position: int, tag: int) -> Element:
    """Read an element whose VR has a length field of four bytes."""
    unpack = _TAG_VR_LONG_LENGTH[stretch.encoding.little_endian].unpack_from
    _, _, code, reserved, length = unpack(stretch.content, position)
    vr = _LONG_VRS.get(code)
    if vr is None:
        # PS3.5 6.2: a VR that a later edition adds has the long form, so its length is known.
        if reserved or not _LATER_VR.fullmatch(code):
            raise NotUnderstoodError("an element has no valid VR")
        vr = "UN"
    body = position + 12
    if length == _UNDEFINED:
        return _read_undefined(stretch, position, body, tag, vr)
    return Element(tag, vr, position, body, body + length, body + length)


def _read_undefined(stretch: _Stretch, start: int, body: int, tag: int, vr: str) -> Element:
    """Find the end of a sequence or of encapsulated pixel data."""
    if vr in _FRAGMENTED:
        end = _fragments_end(stretch.content, body, stretch.limit)
        return Element(tag, vr, start, body, end, end + 8)
    if vr not in ("SQ", "UN"):
        raise NotUnderstoodError("an element that is no sequence has no length")
    encoding = IMPLICIT_LITTLE if vr == "UN" else stretch.encoding
    known = stretch.known.below(tag) if stretch.known else None
    inside = _Stretch(
        stretch.content, body, stretch.limit, encoding, stretch.depth + 1, known, delimited=True
    )
    items, end = _read_items(inside)
    return Element(tag, vr, start, body, end, end + 8, items)


def _fragments_end(content: bytes, position: int, limit: int) -> int:
    """Return where the delimiter of encapsulated pixel data stands (PS3.5 A.4)."""
    unpack = _TAG_LENGTH[True].unpack_from
    while position < limit:
        group, number, length = unpack(content, position)
        tag = group << 16 | number
        if tag == _SEQUENCE_END and not length:
            return position
        if tag != _ITEM:
            break
        position += 8 + length
    raise NotUnderstoodError("its encapsulated pixel data do not end")


def _read_items(stretch: _Stretch) -> tuple[tuple[Item, ...], int]:
    """Find items, and return them and where they end."""
    content, position, limit, encoding, depth, _, delimited, _ = stretch
    if depth > MAX_DEPTH:
        raise NotUnderstoodError("its sequences nest too deeply")
    items: list[Item] = []
    unpack = _TAG_LENGTH[encoding.little_endian].unpack_from
    while delimited or position < limit:
        if position + 8 > limit:
            raise NotUnderstoodError("a sequence has no end")
        group, number, length = unpack(content, position)
        tag = group << 16 | number
        if tag == _SEQUENCE_END and delimited and not length:
            return tuple(items), position
        if tag != _ITEM:
            raise NotUnderstoodError("a sequence holds something else than items")
        keep = depth > 1 or len(items) < _MOST_KEPT_ITEMS
        item = _read_item_span(stretch, position + 8, length, keep=keep)
        items.append(item)
        position = item.end + 8 if item.undefined else item.end
        if position > limit:
            raise NotUnderstoodError("an item is longer than its sequence")
    return tuple(items), position


def _read_item_span(stretch: _Stretch, body: int, length: int, *, keep: bool) -> Item:
    if length != _UNDEFINED:
        return Item(body, body + length, undefined=False)
    encoding = _as_written(stretch.content, body, stretch.encoding)
    _, _, limit, _, depth, known, _, _ = stretch
    inside = _Stretch(stretch.content, body, limit, encoding, depth, known, delimited=True)
    data_set, end = _read_data_set(inside)
    return Item(body, end, undefined=True, data_set=data_set if keep else None)
