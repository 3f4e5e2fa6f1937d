"""Data sets as bytes, parsed into elements that say where each of them lies (PS3.5 7).

A sequence of defined length is entered only when its items are asked for. What cannot be understood
to the last byte raises :class:`~bidsanon.dicom.encoding.NotUnderstoodError`: an element that nobody
could place is one that nobody could clean.
"""

from __future__ import annotations

import re
import struct
from contextlib import suppress
from typing import NamedTuple

from bidsanon.dicom.elements import (
    DataSet,
    Element,
    Item,
    Known,
    KnownPassages,
    Placed,
    by_tag,
    encoding_of_items,
)
from bidsanon.dicom.encoding import (
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    ITEM,
    ITEM_END,
    SEQUENCE_END,
    TAG_LENGTH,
    TAG_VR_LENGTH,
    TAG_VR_LONG_LENGTH,
    UNDEFINED,
    Encoding,
    NotUnderstoodError,
)
from bidsanon.dicom.vrs import LONG_VRS, SHORT_VRS, dictionary_vr

MAX_DEPTH = 32
"""How deep sequences may nest: the deepest objects of the standard need about ten levels."""
BEYOND_ALL_TAGS = 1 << 32
_DELIMITERS = 0xFFFE
_LATER_VR = re.compile(rb"[A-Z]{2}")
_FRAGMENTED = frozenset({"OB", "OW"})
_WORTH_REMEMBERING = 512  # bytes: a shorter data set is read faster than it is recognised
_MOST_KEPT_ITEMS = 512
"""Of how many items of a sequence what was read to find their ends is kept: thousands of frames
take less memory when they are read again one by one."""


def read_data_set(
    content: bytes,
    position: int,
    encoding: Encoding,
    *,
    known: Known | None = None,
    until: int = BEYOND_ALL_TAGS,
) -> DataSet:
    """Read the data set that ends with the bytes in which it lies.

    Parameters
    ----------
    content
        The bytes.
    position
        Where it begins.
    encoding
        How it is written.
    known
        What was learnt from the data sets read before, and learns from this one. It makes reading
        faster, and nothing else.
    until
        The first tag at the top level that is not wanted: what stands there and behind it is not
        looked at.

    Raises
    ------
    NotUnderstoodError
        If any of it cannot be understood.
    """
    stretch = _Stretch(content, position, len(content), encoding, 0, known, until=until)
    return _read_data_set(stretch)[0]


def read_whole_elements(content: bytes, position: int, encoding: Encoding) -> list[Element]:
    """Read a damaged data set: what stands before the first trouble, in the order of tags."""
    elements: list[Element] = []
    read = _read_explicit if encoding.explicit else _read_implicit
    with suppress(NotUnderstoodError, struct.error):
        read(_Stretch(content, position, len(content), encoding, 0), elements, None, [])
    return sorted((e for e in elements if e.after <= len(content)), key=by_tag)


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
        What is known of its items: see :func:`read_data_set`.

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
        What is known of the sequence's items: see :func:`read_data_set`.

    Raises
    ------
    NotUnderstoodError
        If any of it cannot be understood.
    """
    if item.data_set is not None:
        return item.data_set
    encoding = _as_written(content, item.body, encoding)
    return _read_data_set(_Stretch(content, item.body, item.end, encoding, depth, known))[0]


def has_vr(content: bytes, position: int) -> bool:
    """Tell whether the element at a position says its VR, one that is known."""
    code = content[position + 4 : position + 6]
    return code in SHORT_VRS or code in LONG_VRS


def _as_written(content: bytes, position: int, encoding: Encoding) -> Encoding:
    if encoding == EXPLICIT_LITTLE and not has_vr(content, position):
        return IMPLICIT_LITTLE
    return encoding


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
        return DataSet(sorted(data_set.elements, key=by_tag), encoding), end
    if known is not None and depth:
        known.learn_layout(content, data_set, (position, end), delimited=delimited)
    return data_set, end


def _in_order(singles: list[Element], placed: list[Placed]) -> bool:
    """Tell whether the tags of a data set rise, or at least do not fall."""
    tags: list[int] = []
    begin = 0
    for index, passage, _ in placed:
        tags += map(by_tag, singles[begin:index])
        tags += passage.tags
        begin = index
    tags += map(by_tag, singles[begin:])
    return tags == sorted(tags)


def _read_explicit(
    stretch: _Stretch,
    elements: list[Element],
    known: KnownPassages | None,
    placed: list[Placed],
) -> int:
    """Add elements to those that were read, and return where they end."""
    content, position, limit, encoding, _, _, delimited, until = stretch
    append, vr_of = elements.append, SHORT_VRS.get
    unpack = TAG_VR_LENGTH[encoding.little_endian].unpack_from
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
        elif code not in LONG_VRS and _ends_here(stretch, position, tag):
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
    unpack = TAG_LENGTH[encoding.little_endian].unpack_from
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
        if length == UNDEFINED:
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
    if tag == ITEM_END and stretch.delimited:
        return True
    if tag >> 16 == _DELIMITERS:
        raise NotUnderstoodError("a delimiter stands where an element should")
    if tag or stretch.depth:
        return False
    return not stretch.content[position : stretch.limit].strip(b"\0")


def _read_long(stretch: _Stretch, position: int, tag: int) -> Element:
    """Read an element whose VR has a length field of four bytes."""
    unpack = TAG_VR_LONG_LENGTH[stretch.encoding.little_endian].unpack_from
    _, _, code, reserved, length = unpack(stretch.content, position)
    vr = LONG_VRS.get(code)
    if vr is None:
        # PS3.5 6.2: a VR that a later edition adds has the long form, so its length is known.
        if reserved or not _LATER_VR.fullmatch(code):
            raise NotUnderstoodError("an element has no valid VR")
        vr = "UN"
    body = position + 12
    if length == UNDEFINED:
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
    unpack = TAG_LENGTH[True].unpack_from
    while position < limit:
        group, number, length = unpack(content, position)
        tag = group << 16 | number
        if tag == SEQUENCE_END and not length:
            return position
        if tag != ITEM:
            break
        position += 8 + length
    raise NotUnderstoodError("its encapsulated pixel data do not end")


def _read_items(stretch: _Stretch) -> tuple[tuple[Item, ...], int]:
    """Find items, and return them and where they end."""
    content, position, limit, encoding, depth, _, delimited, _ = stretch
    if depth > MAX_DEPTH:
        raise NotUnderstoodError("its sequences nest too deeply")
    items: list[Item] = []
    unpack = TAG_LENGTH[encoding.little_endian].unpack_from
    while delimited or position < limit:
        if position + 8 > limit:
            raise NotUnderstoodError("a sequence has no end")
        group, number, length = unpack(content, position)
        tag = group << 16 | number
        if tag == SEQUENCE_END and delimited and not length:
            return tuple(items), position
        if tag != ITEM:
            raise NotUnderstoodError("a sequence holds something else than items")
        keep = depth > 1 or len(items) < _MOST_KEPT_ITEMS
        item = _read_item_span(stretch, position + 8, length, keep=keep)
        items.append(item)
        position = item.end + 8 if item.undefined else item.end
        if position > limit:
            raise NotUnderstoodError("an item is longer than its sequence")
    return tuple(items), position


def _read_item_span(stretch: _Stretch, body: int, length: int, *, keep: bool) -> Item:
    if length != UNDEFINED:
        return Item(body, body + length, undefined=False)
    encoding = _as_written(stretch.content, body, stretch.encoding)
    _, _, limit, _, depth, known, _, _ = stretch
    inside = _Stretch(stretch.content, body, limit, encoding, depth, known, delimited=True)
    data_set, end = _read_data_set(inside)
    return Item(body, end, undefined=True, data_set=data_set if keep else None)
