"""Layouts: how the items of a sequence are written that differ in nothing but some values.

The frames of a multi-frame file hold the same attributes in the same order, most with the same
values, and the others with values of the same lengths: positions, times, numbers. Where every byte
but those of such values agrees with an item that was read before, the item needs no reading: its
elements lie where they lay there. It is compared byte for byte, so that whoever uses a layout gets
exactly what reading the item anew would give.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from struct import Struct

from bidsanon.dicom.charset import SPECIFIC_CHARACTER_SET
from bidsanon.dicom.elements import DataSet, Element, encoding_of_items
from bidsanon.dicom.encoding import NotUnderstoodError
from bidsanon.dicom.parsing import read_item, read_items

_SHORTEST = 256
_LONGEST = 1 << 14
_MOST = 32
_MOST_TRIES = 64
_DELIMITER = 8
_PRIVATE = 0x10000
_LAST_BLOCK = 0xFF
_element = tuple.__new__  # half the time of calling a named tuple, a million times a session

_Range = tuple[int, int]


class Layout:
    """How some items are written.

    Attributes
    ----------
    length
        How long the data set of such an item is.
    varying
        Where the values that differ begin and end, counted from where the data set begins.
    """

    __slots__ = ("_alike", "_elements", "_fixed", "_size", "delimited", "length", "varying")

    def __init__(
        self,
        example: bytes,
        elements: Sequence[Element],
        varying: Sequence[_Range],
        *,
        delimited: bool,
    ) -> None:
        self.length = len(example) - _DELIMITER * delimited
        self.varying = varying
        self.delimited = delimited
        self._elements = elements
        self._size = len(example)
        self._fixed = _apart_from(varying, self._size)
        self._alike = self._fixed.unpack(example)

    def is_at(self, content: bytes, position: int, limit: int) -> bool:
        """Tell whether an item that is written so begins at a position and ends within a limit."""
        end = position + self._size
        if end > limit or (end != limit and not self.delimited):
            return False
        return self._fixed.unpack_from(content, position) == self._alike

    def elements_at(self, position: int) -> list[Element]:
        """Return the elements of an item whose data set begins at a position."""
        return moved(self._elements, position)

    def find(self, tag: int, position: int) -> Element | None:
        """Return the first element with a tag of an item whose data set begins at a position."""
        found = (element for element in self._elements if element.tag == tag)
        return next(iter(moved(found, position)), None)


class Layouts:
    """The layouts of the items of one sequence that are written in one way."""

    def __init__(self) -> None:
        self._layouts: list[Layout] = []
        self._by_headers: dict[tuple[bytes, bool], tuple[bytes, Layout]] = {}
        self._tries = _MOST_TRIES

    def at(self, content: bytes, position: int, limit: int, *, delimited: bool) -> Layout | None:
        """Return the layout of the item whose data set begins at a position; None: not known.

        It ends at the limit, or, where it is delimited, within it, its delimiter included.
        """
        for index, layout in enumerate(self._layouts):
            if layout.delimited is delimited and layout.is_at(content, position, limit):
                if index:
                    self._layouts.insert(0, self._layouts.pop(index))
                self._tries = min(self._tries + 1, _MOST_TRIES)
                return layout
        return None

    def learn(self, content: bytes, data_set: DataSet, stretch: _Range, *, delimited: bool) -> None:
        """Look for what an item has in common with others that have the same headers.

        That is given up for a while where items are hardly ever alike.

        Parameters
        ----------
        content
            The bytes in which it lies.
        data_set
            Its elements.
        stretch
            Where they begin and end.
        delimited
            Whether a delimiter stands behind them.
        """
        begin, end = stretch
        if not _SHORTEST <= end - begin <= _LONGEST or not self._tries:
            return
        self._tries -= 1
        try:
            values = [(b - begin, e - begin) for b, e in _values(content, data_set, depth=1)]
        except NotUnderstoodError:
            return  # whoever enters the sequence says so
        if values != sorted(values):
            return
        example = content[begin : end + _DELIMITER * delimited]
        headers = b"".join(_apart_from(values, len(example)).unpack(example))
        known = self._by_headers.get((headers, delimited))
        varying: list[_Range] = []
        if known is not None:
            other, layout = known
            before = set(layout.varying)
            varying = [v for v in values if v in before or example[slice(*v)] != other[slice(*v)]]
            if layout in self._layouts:
                self._layouts.remove(layout)
        elements = moved(data_set.elements, -begin)
        layout = Layout(example, elements, varying, delimited=delimited)
        self._by_headers[headers, delimited] = example, layout
        if len(self._by_headers) > _MOST:
            del self._by_headers[next(iter(self._by_headers))]
        self._layouts.insert(0, layout)
        del self._layouts[_MOST:]


def moved(elements: Iterable[Element], by: int) -> list[Element]:
    """Return elements as they lie when the bytes that hold them begin elsewhere."""
    return [
        _element(Element, (tag, vr, start + by, body + by, end + by, after + by, None))
        for tag, vr, start, body, end, after, _ in elements
    ]


def _apart_from(ranges: Sequence[_Range], size: int) -> Struct:
    """Return what takes the bytes before, between and behind some ranges out of others."""
    parts = []
    position = 0
    for begin, end in ranges:
        parts.append(f"{begin - position}s{end - begin}x")
        position = end
    return Struct("".join(parts) + f"{size - position}s")


def _values(content: bytes, data_set: DataSet, *, depth: int) -> Iterator[_Range]:
    """Yield where the values lie that may differ without anything else being another thing.

    The character set and the private creators say what others mean, and a value that has no VR may
    be a sequence.
    """
    for element in data_set.elements:
        tag, vr, _, body, end, after, _ = element
        if vr == "SQ":
            encoding = encoding_of_items(element, data_set.encoding)
            for item in read_items(content, element, data_set.encoding, depth=depth + 1):
                inside = read_item(content, item, encoding, depth=depth + 1)
                yield from _values(content, inside, depth=depth + 1)
        elif not (
            body == end
            or end != after
            or vr == "UN"
            or tag == SPECIFIC_CHARACTER_SET
            or (tag & _PRIVATE and tag & 0xFFFF <= _LAST_BLOCK)
        ):
            yield body, end
