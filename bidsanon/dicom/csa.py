"""The Siemens CSA header, a list of named items: read into records and written back.

Two forms exist (both little-endian whatever the data set is): "SV10", written since 2004, and the
older one without a signature, whose item lengths are counted from the first tag's item count. A
header that is read and written unchanged comes out byte for byte as it was, with whatever memory
the scanner left behind the names: real headers hold rows of pixels there, which is why
:meth:`CsaTag.with_values` writes such room as zeros.

The layout follows the descriptions in nibabel (``nicom/csareader.py``) and GDCM.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from bidsanon.errors import SourceError

_SIGNATURE = b"SV10"
_SIGNATURE_TAIL_BYTES = 4
_COUNTS = struct.Struct("<II")
_NAME_BYTES = 64
_TAG = struct.Struct(f"<{_NAME_BYTES}si4siii")
_ITEM_COUNT = struct.Struct("<76xi4x")
_ITEM = struct.Struct("<4i")
_SV10_LENGTH = struct.Struct("<4xi8x")
_CSA1_LENGTH = struct.Struct("<i12x")
_SV10_BASE = -1
_ALIGNMENT = 4
_FILLED = 77
_EMPTY = 205
_MOST_TAGS = 1024
_MOST_ITEMS = 65536


class CsaError(SourceError):
    """A CSA header cannot be understood; nothing of it can be kept."""


class CsaForm(StrEnum):
    """How the header is laid out."""

    SV10 = "SV10"
    """Begins with "SV10"; an item's second number is its length."""
    CSA1 = "CSA1"
    """No signature; an item's first number less the first tag's item count is its length."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CsaItem:
    """One value of a tag.

    Attributes
    ----------
    marks
        The four numbers before it; its length is one of them.
    value
        Its bytes, as a rule text that ends with NUL.
    padding
        The bytes up to the next multiple of four.
    """

    marks: tuple[int, int, int, int]
    value: bytes
    padding: bytes

    @property
    def text(self) -> str:
        """The value up to its first NUL, as Latin-1."""
        return self.value.partition(b"\0")[0].decode("latin-1")


@dataclass(frozen=True, kw_only=True, slots=True)
class CsaTag:
    """One named element of the header.

    Attributes
    ----------
    head
        84 bytes: the name, the value representation and the counts, and what happened to be in
        memory between them.
    body
        The items as they stand in the header, the empty ones included.
    length_base
        What the older form adds to each length; -1 in SV10.
    """

    head: bytes
    body: bytes
    length_base: int = _SV10_BASE

    @property
    def name(self) -> str:
        """The name, without what follows it in memory."""
        return _text(self.head[:_NAME_BYTES])

    @property
    def vr(self) -> str:
        """The value representation."""
        return _text(_TAG.unpack(self.head)[2])

    @property
    def items(self) -> tuple[CsaItem, ...]:
        """The items, the empty ones included."""
        items: list[CsaItem] = []
        position = 0
        while position < len(self.body):
            marks = _ITEM.unpack_from(self.body, position)
            start = position + _ITEM.size
            length = marks[1] if self._is_sv10 else marks[0] - self.length_base
            end = start + length
            position = end + -length % _ALIGNMENT
            items.append(
                CsaItem(marks=marks, value=self.body[start:end], padding=self.body[end:position])
            )
        return tuple(items)

    @property
    def values(self) -> tuple[str, ...]:
        """The items' texts, "" where an item is empty, without the empty ones at the end."""
        texts = [item.text for item in self.items]
        while texts and not texts[-1]:
            texts.pop()
        return tuple(texts)

    def with_values(self, values: Sequence[str]) -> CsaTag:
        """Return this tag with other values, and with zeros wherever no value stands.

        Parameters
        ----------
        values
            Latin-1 texts; none for an empty tag.
        """
        contents = [value.encode("latin-1") + b"\0" if value else b"" for value in values]
        _, vm, _, syngo_type, item_count, _ = _TAG.unpack(self.head)
        # The older form counts every length from the first tag's item count: it must stay.
        if values or not self._is_sv10:
            contents += [b""] * (item_count - len(contents))
        return CsaTag(
            head=_TAG.pack(
                self.name.encode("latin-1"),
                vm,
                self.vr.encode("latin-1"),
                syngo_type,
                len(contents),
                _FILLED if values else _EMPTY,
            ),
            body=b"".join(self._item_bytes(content) for content in contents),
            length_base=self.length_base,
        )

    @property
    def _is_sv10(self) -> bool:
        return self.length_base == _SV10_BASE

    def _item_bytes(self, content: bytes) -> bytes:
        length = len(content)
        mark = _FILLED if length else _EMPTY
        first = length if self._is_sv10 else length + self.length_base
        marks = (first, length, mark, length)
        return _ITEM.pack(*marks) + content + bytes(-length % _ALIGNMENT)


@dataclass(frozen=True, kw_only=True, slots=True)
class CsaHeader:
    """A whole CSA header.

    Attributes
    ----------
    form
        How it is laid out.
    signature_tail
        The four bytes after "SV10"; empty in the older form.
    check
        The number after the count of tags: 77.
    tags
        In their order.
    trailing
        What follows the last tag: padding.
    """

    form: CsaForm
    signature_tail: bytes
    check: int
    tags: tuple[CsaTag, ...]
    trailing: bytes

    def tag(self, name: str) -> CsaTag | None:
        """Return the first tag of that name."""
        return next((tag for tag in self.tags if tag.name == name), None)


def parse_csa(content: bytes) -> CsaHeader:
    """Read a CSA header of either form.

    Raises
    ------
    CsaError
        If it is neither, is cut short, or contradicts itself.
    """
    form = CsaForm.SV10 if content.startswith(_SIGNATURE) else CsaForm.CSA1
    start = len(_SIGNATURE) + _SIGNATURE_TAIL_BYTES if form is CsaForm.SV10 else 0
    if len(content) < start + _COUNTS.size:
        raise CsaError("a CSA header is too short to say what it holds")
    tag_count, check = _COUNTS.unpack_from(content, start)
    if check != _FILLED or not 0 < tag_count <= _MOST_TAGS:
        raise CsaError("a CSA header does not begin as one")
    tags, end = _parse_tags(content, start + _COUNTS.size, tag_count=tag_count, form=form)
    return CsaHeader(
        form=form,
        signature_tail=content[len(_SIGNATURE) : start],
        check=check,
        tags=tags,
        trailing=content[end:],
    )


def write_csa(header: CsaHeader) -> bytes:
    """Write a CSA header; one that was read and not changed comes out as it was."""
    signature = _SIGNATURE + header.signature_tail if header.form is CsaForm.SV10 else b""
    parts = [signature, _COUNTS.pack(len(header.tags), header.check)]
    for tag in header.tags:
        parts += (tag.head, tag.body)
    return b"".join(parts) + header.trailing


def _parse_tags(
    content: bytes, position: int, *, tag_count: int, form: CsaForm
) -> tuple[tuple[CsaTag, ...], int]:
    tags: list[CsaTag] = []
    length_base = _SV10_BASE
    for index in range(tag_count):
        start = position + _TAG.size
        if start > len(content):
            raise CsaError(f"a CSA header ends within its tag {index + 1} of {tag_count}")
        (item_count,) = _ITEM_COUNT.unpack_from(content, position)
        if not 0 <= item_count <= _MOST_ITEMS:
            raise CsaError(f"tag {index + 1} of a CSA header has an impossible number of items")
        if index == 0 and form is CsaForm.CSA1:
            length_base = item_count
        end = _items_end(content, start, item_count, length_base)
        tags.append(
            CsaTag(head=content[position:start], body=content[start:end], length_base=length_base)
        )
        position = end
    return tuple(tags), position


def _items_end(content: bytes, position: int, item_count: int, length_base: int) -> int:
    is_sv10 = length_base == _SV10_BASE
    length_at = (_SV10_LENGTH if is_sv10 else _CSA1_LENGTH).unpack_from
    added = 0 if is_sv10 else length_base
    try:
        for _ in range(item_count):
            length = length_at(content, position)[0] - added
            if length < 0:
                raise CsaError("an item of a CSA header has a negative length")
            position += _ITEM.size + length + -length % _ALIGNMENT
    except struct.error as error:
        raise CsaError("a CSA header ends within an item") from error
    if position > len(content):
        raise CsaError("an item of a CSA header is longer than the header")
    return position


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("latin-1")
