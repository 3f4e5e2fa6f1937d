"""How the elements of a data set are written (PS3.5 7)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bidsanon.dicom.elements import Element, encoding_of_items
from bidsanon.dicom.encoding import (
    TAG_LENGTH,
    TAG_VR_LENGTH,
    TAG_VR_LONG_LENGTH,
    UNDEFINED,
    Encoding,
)
from bidsanon.dicom.vrs import SHORT_VRS, padded

_LONGEST_SHORT = 0xFFFF


def write_element(tag: int, vr: str, value: bytes, encoding: Encoding) -> bytes:
    """Write an element of defined length, padded to an even one."""
    value = padded(vr, value)
    return _header(tag, vr, len(value), encoding) + value


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
    mark = TAG_LENGTH[encoding_of_items(element, encoding).little_endian].pack
    around = [b""]
    for length, undefined in items:
        around[-1] += mark(0xFFFE, 0xE000, UNDEFINED if undefined else length)
        around.append(mark(0xFFFE, 0xE00D, 0) if undefined else b"")
    length = UNDEFINED
    if element.after == element.end:
        length = sum(map(len, around)) + sum(length for length, _ in items)
    else:
        around[-1] += mark(0xFFFE, 0xE0DD, 0)
    around[0] = _header(element.tag, element.vr, length, encoding) + around[0]
    return around


def _header(tag: int, vr: str, length: int, encoding: Encoding) -> bytes:
    group, number, little = tag >> 16, tag & 0xFFFF, encoding.little_endian
    if not encoding.explicit:
        return TAG_LENGTH[little].pack(group, number, length)
    code = vr.encode()
    if code in SHORT_VRS:
        if length <= _LONGEST_SHORT:
            return TAG_VR_LENGTH[little].pack(group, number, code, length)
        code = b"UN"  # PS3.5 6.2.2: a value too long for the length field of its VR
    return TAG_VR_LONG_LENGTH[little].pack(group, number, code, 0, length)
