"""What a file says of its own private blocks: (0008,0300), PS3.3 C.12.1.1.7 and PS3.15 E.3.10.

A file may say of a private block that nothing in it identifies, that some of it may, or what is to
be done to single elements of it. Whoever wrote the file may err, so what is said is read as a
claim: what it calls identifying is believed, what it calls safe is still to be checked. Where items
contradict each other, or one of them cannot be understood, nothing is safe.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bidsanon.dicom.confidentiality import Action
from bidsanon.dicom.elements import DataSet, Element, encoding_of_items, holds_items
from bidsanon.dicom.encoding import Encoding, NotUnderstoodError
from bidsanon.dicom.file_format import DicomFile
from bidsanon.dicom.parsing import read_item, read_items
from bidsanon.dicom.writing import write_element, write_sequence

CHARACTERISTICS = 0x00080300
"""Private Data Element Characteristics Sequence."""

_GROUP = 0x00080301
_CREATOR = 0x00080302
_STATUS = 0x00080303
_NONIDENTIFYING = 0x00080304
_ACTIONS = 0x00080305
_IDENTIFYING = 0x00080306
_ACTION = 0x00080307

_SAFE = "SAFE"
_MIXED = "MIXED"
_LOW_BYTE = 0xFF
_PRIVATE = 0x10000
_FIRST_BLOCK = 0x10
_LAST_BLOCK = 0xFF
_ACTION_CODES = {
    "D": Action.DUMMY,
    "Z": Action.EMPTY,
    "X": Action.REMOVE,
    "U": Action.REPLACE_UID,
}


@dataclass(frozen=True, kw_only=True)
class BlockClaim:
    """What one item of (0008,0300) says of one private block.

    Attributes
    ----------
    group
        (0008,0301), odd.
    creator
        (0008,0302), without padding.
    status
        (0008,0303): SAFE, MIXED or UNSAFE; anything else counts as UNSAFE.
    nonidentifying
        The low bytes of the elements that (0008,0304) lists.
    actions
        What (0008,0305) recommends, by the low bytes of the elements.
    """

    group: int
    creator: str
    status: str
    nonidentifying: frozenset[int] = frozenset()
    actions: tuple[tuple[int, Action], ...] = ()

    def claim(self, element: int) -> Action:
        """Return what this item says of an element, as :meth:`PrivateClaims.claim` does."""
        recommended = {action for number, action in self.actions if number == element}
        if recommended:
            return recommended.pop() if len(recommended) == 1 else Action.REMOVE
        if self.status == _SAFE:
            return Action.KEEP
        if self.status == _MIXED:
            return Action.KEEP if element in self.nonidentifying else Action.CLEAN
        return Action.REMOVE


@dataclass(frozen=True, kw_only=True)
class PrivateClaims:
    """What a file says of its private blocks, in all of its data sets.

    Attributes
    ----------
    blocks
        One for each item that says of which block it speaks.
    """

    blocks: tuple[BlockClaim, ...] = ()

    def claim(self, group: int, creator: str, element: int) -> Action | None:
        """Return what the file says of a private attribute, or None where it says nothing.

        Parameters
        ----------
        group
            Its group number.
        creator
            Its private creator.
        element
            Its element number; only the low byte counts.

        Returns
        -------
        Action or None
            K where it is called safe, C where it stands in a block of which only other elements
            are, and else what is to be done to it: D, Z, U or X.
        """
        said = {
            block.claim(element & _LOW_BYTE)
            for block in self.blocks
            if block.group == group and block.creator == creator
        }
        if len(said) > 1:
            return Action.REMOVE
        return said.pop() if said else None


NO_CLAIMS = PrivateClaims()


def read_claims(file: DicomFile) -> PrivateClaims:
    """Read what a file says of its private blocks.

    Raises
    ------
    NotUnderstoodError
        If its sequence cannot be read.
    """
    element = file.top.get(CHARACTERISTICS)
    if element is None:
        return NO_CLAIMS
    blocks = (
        _block_claim(file.content, data_set)
        for data_set in _items(file.content, element, file.data_set.encoding, depth=1)
    )
    return PrivateClaims(blocks=tuple(block for block in blocks if block is not None))


def write_claims(claims: PrivateClaims, file: DicomFile) -> bytes | None:
    """Write what is true of a de-identified file: which blocks that were named are there, and safe.

    Nothing that identifies is left in what stays, so that every block that was named and still
    stands somewhere is safe now.

    Parameters
    ----------
    claims
        What the original said.
    file
        The de-identified file.

    Returns
    -------
    bytes or None
        (0008,0300), or None where it would list nothing.
    """
    left = set(_blocks(file.content, file.data_set, depth=0))
    named = dict.fromkeys((block.group, block.creator) for block in claims.blocks)
    encoding = file.data_set.encoding
    items = [
        (_safe_item(group, creator, encoding), False)
        for group, creator in named
        if (group, creator) in left
    ]
    if not items:
        return None
    return write_sequence(Element(CHARACTERISTICS, "SQ", 0, 0, 0, 0), items, encoding)


def _safe_item(group: int, creator: str, encoding: Encoding) -> bytes:
    return b"".join(
        (
            write_element(_GROUP, "US", _number(encoding).pack(group), encoding),
            write_element(_CREATOR, "LO", creator.encode("latin-1"), encoding),
            write_element(_STATUS, "CS", _SAFE.encode(), encoding),
        )
    )


def _block_claim(content: bytes, data_set: DataSet) -> BlockClaim | None:
    values = {element.tag: element for element in reversed(data_set.elements)}
    groups = _numbers(content, values.get(_GROUP), data_set.encoding)
    creator = _text(content, values.get(_CREATOR))
    if len(groups) != 1 or not creator:
        return None
    listed = _numbers(content, values.get(_NONIDENTIFYING), data_set.encoding)
    return BlockClaim(
        group=groups[0],
        creator=creator,
        status=_text(content, values.get(_STATUS)),
        nonidentifying=frozenset(number for number in listed if number <= _LOW_BYTE),
        actions=tuple(_recommended(content, values.get(_ACTIONS), data_set.encoding)),
    )


def _recommended(
    content: bytes, sequence: Element | None, encoding: Encoding
) -> Iterator[tuple[int, Action]]:
    if sequence is None:
        return
    for data_set in _items(content, sequence, encoding, depth=2):
        values = {element.tag: element for element in reversed(data_set.elements)}
        action = _ACTION_CODES.get(_text(content, values.get(_ACTION)), Action.REMOVE)
        for number in _numbers(content, values.get(_IDENTIFYING), data_set.encoding):
            yield number & _LOW_BYTE, action


def _items(
    content: bytes, sequence: Element, encoding: Encoding, *, depth: int
) -> Iterable[DataSet]:
    inner = encoding_of_items(sequence, encoding)
    for item in read_items(content, sequence, encoding, depth=depth):
        yield read_item(content, item, inner, depth=depth)


def _blocks(content: bytes, data_set: DataSet, *, depth: int) -> Iterator[tuple[int, str]]:
    """Find the private blocks of a data set and of all items within it, by group and creator."""
    for element in data_set.elements:
        number = element.tag & 0xFFFF
        if element.tag & _PRIVATE and _FIRST_BLOCK <= number <= _LAST_BLOCK:
            yield element.tag >> 16, _text(content, element)
        elif holds_items(content, element):
            try:
                for item in _items(content, element, data_set.encoding, depth=depth + 1):
                    yield from _blocks(content, item, depth=depth + 1)
            except NotUnderstoodError:
                if element.vr == "SQ":
                    raise


def _numbers(content: bytes, element: Element | None, encoding: Encoding) -> tuple[int, ...]:
    if element is None:
        return ()
    value = content[element.body : element.end]
    if len(value) % _number(encoding).size:
        return ()
    return tuple(number for (number,) in _number(encoding).iter_unpack(value))


def _number(encoding: Encoding) -> struct.Struct:
    return struct.Struct("<H" if encoding.little_endian else ">H")


def _text(content: bytes, element: Element | None) -> str:
    if element is None:
        return ""
    return content[element.body : element.end].decode("latin-1").strip(" \0")
