"""Passages: consecutive elements that came before, byte for byte, in the same place.

The thousands of files of a session, and the thousands of frames of a multi-frame file, say mostly
the same in the same order. What was read once need not be read again, and what was decided about a
passage holds wherever it comes again. A passage is found by its bytes alone, so that whoever uses
one gets exactly what reading and deciding anew would give.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bidsanon.dicom.elements import DataSet, Element, Placed, values_of
from bidsanon.dicom.encoding import Encoding
from bidsanon.dicom.layouts import Layout, Layouts, moved

_KEY_BYTES = 16
_FEWEST_ELEMENTS = 2  # two headers are as long as the key
_LONGEST_ELEMENT = 1 << 14
_MOST_ALIKE = 8
_MOST_SEEN = 1 << 16
_MOST_BYTES = 1 << 24


class Passage:
    """Consecutive elements, in the order of their tags, that came more than once.

    Attributes
    ----------
    content
        Their bytes.
    length
        How many they are.
    tags
        The first and the last of their tags.
    """

    __slots__ = ("_elements", "_start", "_values", "_wanted", "content", "length", "tags")

    def __init__(self, content: bytes, elements: list[Element]) -> None:
        self.content = content
        self.length = len(elements)
        self.tags = (elements[0].tag, elements[-1].tag)
        self._start = elements[0].start
        self._elements = moved(elements, 0)
        self._wanted: frozenset[int] = frozenset()
        self._values: dict[int, bytes] = {}

    def elements_at(self, position: int) -> list[Element]:
        """Return its elements as they lie where it begins at a position."""
        return moved(self._elements, position - self._start)

    def values(self, wanted: frozenset[int]) -> dict[int, bytes]:
        """Return the values of the wanted ones among them, by tag."""
        if wanted is not self._wanted:
            self._wanted = wanted
            self._values = values_of(self.content, self.elements_at(0), wanted)
        return self._values


class Passages:
    """The passages of one place: the top level of files, or the items of one sequence."""

    def __init__(self) -> None:
        self._written: dict[Encoding, KnownPassages] = {}
        self._below: dict[int, Passages] = {}

    def written(self, encoding: Encoding) -> KnownPassages:
        """Return the passages that are written in one way."""
        known = self._written.get(encoding)
        if known is None:
            known = self._written[encoding] = KnownPassages()
        return known

    def below(self, tag: int) -> Passages:
        """Return the passages within the items of a sequence."""
        place = self._below.get(tag)
        if place is None:
            place = self._below[tag] = Passages()
        return place


class KnownPassages:
    """The passages of one place that are written in one way."""

    def __init__(self) -> None:
        self._passages: dict[bytes, list[Passage]] = {}
        self._seen: set[int] = set()
        self._bytes = 0
        self._layouts = Layouts()

    def at(self, content: bytes, position: int, limit: int) -> Passage | None:
        """Return a passage that begins at a position and ends within a limit; None: none does."""
        for passage in self._passages.get(content[position : position + _KEY_BYTES], ()):
            end = position + len(passage.content)
            if content[position:end] == passage.content:
                return passage if end <= limit else None
        return None

    def layout_at(
        self, content: bytes, position: int, limit: int, *, delimited: bool
    ) -> Layout | None:
        """Return the layout of the item whose data set begins at a position; None: not known."""
        return self._layouts.at(content, position, limit, delimited=delimited)

    def learn_layout(
        self, content: bytes, data_set: DataSet, stretch: tuple[int, int], *, delimited: bool
    ) -> None:
        """Look for what an item has in common with others, from where it begins and ends."""
        self._layouts.learn(content, data_set, stretch, delimited=delimited)

    def learn(self, content: bytes, singles: Sequence[Element], placed: Sequence[Placed]) -> None:
        """Find new passages among the elements of a data set, in the order in which they lie.

        Parameters
        ----------
        content
            The bytes in which they lie.
        singles
            The elements of the data set that are in no known passage.
        placed
            The known passages between them.
        """
        begin = 0
        for before, _, _ in placed:
            if before > begin:
                self._learn(content, singles[begin:before])
                begin = before
        self._learn(content, singles[begin:])

    def _learn(self, content: bytes, elements: Iterable[Element]) -> None:
        """Find new passages among consecutive elements."""
        run: list[Element] = []
        for element in elements:
            came_before = self._came_before(content, element)
            if run and not (came_before and element.tag > run[-1].tag):
                run = self._keep(content, run)
            if came_before:
                run.append(element)
        if run:
            self._keep(content, run)

    def _came_before(self, content: bytes, element: Element) -> bool:
        if element.after - element.start > _LONGEST_ELEMENT:
            return False
        # Of two different elements with the same hash one would count as seen, and no more.
        mark = hash(content[element.start : element.after])
        if mark in self._seen:
            return True
        if len(self._seen) >= _MOST_SEEN:
            self._seen.clear()
        self._seen.add(mark)
        return False

    def _keep(self, content: bytes, run: list[Element]) -> list[Element]:
        """Keep a run of elements as a passage, if it is worth it, and begin a new one."""
        if len(run) < _FEWEST_ELEMENTS:
            return []
        passage = Passage(content[run[0].start : run[-1].after], run)
        if self._bytes > _MOST_BYTES:
            self._passages.clear()
            self._bytes = 0
        self._bytes += len(passage.content)
        alike = self._passages.setdefault(passage.content[:_KEY_BYTES], [])
        alike.insert(0, passage)
        del alike[_MOST_ALIKE:]
        return []
