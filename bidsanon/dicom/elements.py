"""Where the elements of a data set lie.

An element says where its header begins and where its value lies, and nothing is decoded or copied
until somebody asks. What came before, byte for byte, needs no reading: it may lie in a passage or
in an item whose layout is known. What a reader knows of such are Protocols here, so that parsing
does not depend on how it is remembered.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from operator import itemgetter
from typing import NamedTuple, Protocol

from bidsanon.dicom.encoding import IMPLICIT_LITTLE, Encoding
from bidsanon.dicom.vrs import dictionary_vr

_FIRST_ITEM = b"\xfe\xff\x00\xe0"
by_tag = itemgetter(0)
_by_start = itemgetter(2)


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


def values_of(
    content: bytes, elements: Sequence[Element], wanted: frozenset[int]
) -> dict[int, bytes]:
    """Return the values of the wanted ones among elements, by tag; of several the first."""
    return {
        tag: content[body:end] for tag, _, _, body, end, _, _ in reversed(elements) if tag in wanted
    }


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
