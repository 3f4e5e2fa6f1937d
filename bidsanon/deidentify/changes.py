"""What de-identification changed in an instance, attribute by attribute.

The file before and the file after are compared, so that the walk which cleans knows nothing of it
and costs nothing more where nobody asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

from bidsanon.audit import ChangedValue
from bidsanon.deidentify.context import Place, Rule
from bidsanon.dicom.charset import character_set, decode_text
from bidsanon.dicom.confidentiality import Action, tag_text
from bidsanon.dicom.elements import DataSet, Element, encoding_of_items, looks_like_items
from bidsanon.dicom.encoding import NotUnderstoodError
from bidsanon.dicom.file_format import DicomFile
from bidsanon.dicom.parsing import read_item, read_items
from bidsanon.dicom.vrs import dictionary_vr

_TEXT_VRS = frozenset(
    (
        *("AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM"),
        *("UC", "UI", "UR", "UT"),
    )
)
_PRIVATE = 0x10000
_FIRST_BLOCK, _LAST_BLOCK = 0x10, 0xFF
_META_OF_ITS_OWN = frozenset({0x00020000, 0x00020001, 0x00020010, 0x00020012, 0x00020013})
_REMOVED, _INSERTED = Action.REMOVE.value, ""


@dataclass(frozen=True, kw_only=True)
class _Side:
    """One of the two data sets that are compared, and the bytes in which it lies."""

    content: bytes
    data_set: DataSet
    character_set: bytes
    depth: int = 0

    def by_tag(self) -> dict[int, list[Element]]:
        """Return the elements by tag: a malformed data set may hold one twice."""
        found: dict[int, list[Element]] = {}
        for element in self.data_set.elements:
            found.setdefault(element.tag, []).append(element)
        return found

    def raw(self, element: Element) -> bytes:
        """Return the bytes of a value."""
        return self.content[element.body : element.end]

    def value(self, element: Element) -> str | bytes:
        """Return a value as characters where it is text."""
        value = self.raw(element)
        if element.vr not in _TEXT_VRS:
            return value
        return decode_text(value, self.character_set).rstrip(" \0")

    def items(self, element: Element) -> list[_Side] | None:
        """Return the items of a sequence; None for what is none or cannot be understood."""
        if not self._holds_items(element):
            return None
        encoding, depth = encoding_of_items(element, self.data_set.encoding), self.depth + 1
        try:
            return [
                self._within(read_item(self.content, item, encoding, depth=depth))
                for item in read_items(self.content, element, self.data_set.encoding, depth=depth)
            ]
        except NotUnderstoodError:
            return None

    def _holds_items(self, element: Element) -> bool:
        if element.vr != "UN":
            return element.vr == "SQ"
        known = dictionary_vr(element.tag) == "SQ"
        return element.body < element.end and (known or looks_like_items(self.content, element))

    def _within(self, data_set: DataSet) -> _Side:
        return _Side(
            content=self.content,
            data_set=data_set,
            character_set=character_set(self.content, data_set, self.character_set),
            depth=self.depth + 1,
        )


def changed_values(before: DicomFile, after: DicomFile, place: Place) -> Iterator[ChangedValue]:
    """Yield what became of each attribute that is not as it was, in the order of the tags.

    Parameters
    ----------
    before
        The file as it came. Identified, and so is what this yields.
    after
        The file as it was made of it.
    place
        Says by which action, for the top level of its SOP class.
    """
    instance = after.ascii(0x00080018)
    yield from _changed_meta(before, after, instance)
    comparison = _Comparison(instance)
    yield from comparison.data_sets(_top(before), _top(after), place, "")


def _top(file: DicomFile) -> _Side:
    characters = character_set(file.content, file.data_set)
    return _Side(content=file.content, data_set=file.data_set, character_set=characters)


def _changed_meta(before: DicomFile, after: DicomFile, instance: str) -> Iterator[ChangedValue]:
    """Yield what the file meta information lost: titles of senders, private information."""
    for tag in sorted(before.meta.keys() - _META_OF_ITS_OWN):
        original, cleaned = before.meta[tag], after.meta.get(tag)
        if original != cleaned:
            yield ChangedValue(
                instance=instance,
                place=tag_text(tag),
                action=_REMOVED if cleaned is None else Action.REPLACE_UID.value,
                original=decode_text(original).rstrip(" \0"),
                cleaned=None if cleaned is None else decode_text(cleaned).rstrip(" \0"),
            )


class _Comparison:
    """Compares the data sets of one instance before and after."""

    def __init__(self, instance: str) -> None:
        self._instance = instance

    def data_sets(
        self, before: _Side | None, after: _Side | None, place: Place, path: str
    ) -> Iterator[ChangedValue]:
        """Compare two data sets; one that is None is not there."""
        olds, news = before.by_tag() if before else {}, after.by_tag() if after else {}
        creators = _creators(before or after)
        for tag in sorted(olds.keys() | news.keys()):
            creator = creators.get(tag >> 8, "") if _is_in_block(tag) else ""
            where = path + _written(tag, creator)
            rule = place.private(tag, creator) if creator else place[tag]
            for old, new in zip_longest(olds.get(tag, ()), news.get(tag, ())):
                if not (before and after and old and new and before.raw(old) == after.raw(new)):
                    sides = (before, old), (after, new)
                    yield from self._elements(*sides, rule, place.below(tag), where)

    def _elements(
        self,
        before: tuple[_Side | None, Element | None],
        after: tuple[_Side | None, Element | None],
        rule: Rule,
        below: Place,
        where: str,
    ) -> Iterator[ChangedValue]:
        """Compare two elements: item by item where they are sequences."""
        olds, news = _items(*before), _items(*after)
        if (olds or news) and (olds is not None or before[1] is None):
            for number, (old, new) in enumerate(zip_longest(olds or (), news or ()), start=1):
                yield from self.data_sets(old, new, below, f"{where}[{number}]")
            return
        original, cleaned = _value(*before), _value(*after)
        if original != cleaned:
            action = _INSERTED if original is None else rule.decision.action.value
            yield ChangedValue(
                instance=self._instance,
                place=where,
                action=_REMOVED if cleaned is None else action,
                original=original,
                cleaned=cleaned,
            )


def _items(side: _Side | None, element: Element | None) -> list[_Side] | None:
    return side.items(element) if side and element else None


def _value(side: _Side | None, element: Element | None) -> str | bytes | None:
    return side.value(element) if side and element else None


def _creators(side: _Side | None) -> dict[int, str]:
    """Return the private creators of a data set by group and block."""
    if side is None:
        return {}
    return {
        element.tag >> 16 << 8 | element.tag & 0xFFFF: side.raw(element)
        .decode("latin-1")
        .strip(" \0")
        for element in side.data_set.elements
        if element.tag & _PRIVATE and _FIRST_BLOCK <= element.tag & 0xFFFF <= _LAST_BLOCK
    }


def _is_in_block(tag: int) -> bool:
    return bool(tag & _PRIVATE) and tag & 0xFFFF > _LAST_BLOCK


def _written(tag: int, creator: str) -> str:
    return f"({tag >> 16:04X},{creator},{tag & 0xFF:02X})" if creator else tag_text(tag)
