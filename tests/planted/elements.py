"""Writes DICOM byte by byte, also what no library would write.

Knows nothing of the package's own writer, so that a mistake of that is not repeated here.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from typing import NamedTuple

IMPLICIT_LITTLE = "1.2.840.10008.1.2"
EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
EXPLICIT_BIG = "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"

_LONG = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})
_ZERO_PADDED = frozenset({"UI", "OB", "OW", "UN", "OD", "OF", "OL", "OV"})
_UNDEFINED = 0xFFFFFFFF


class Planted(NamedTuple):
    """One element to be written.

    Attributes
    ----------
    tag, vr
        What it says it is.
    value
        Its bytes, or the items of a sequence.
    undefined
        Whether a sequence has an undefined length.
    """

    tag: int
    vr: str
    value: bytes | list[list[Planted]]
    undefined: bool = False


def text(tag: int, vr: str, value: str, encoding: str = "latin-1") -> Planted:
    """Return an element of text."""
    return Planted(tag, vr, value.encode(encoding))


def sequence(tag: int, *items: list[Planted], vr: str = "SQ", undefined: bool = False) -> Planted:
    """Return a sequence of items. One of VR UN is Implicit VR Little Endian inside."""
    return Planted(tag, vr, list(items), undefined)


def private_block(group: int, block: int, creator: str, *elements: Planted) -> list[Planted]:
    """Return a private block: its creator, and elements of which the low byte is given."""
    moved = [e._replace(tag=group << 16 | block << 8 | e.tag & 0xFF) for e in elements]
    return [text(group << 16 | block, "LO", creator), *moved]


def write_data_set(elements: Iterable[Planted], syntax: str, *, ordered: bool = True) -> bytes:
    """Write elements, in the order of their tags unless `ordered` says otherwise."""
    explicit, little = syntax != IMPLICIT_LITTLE, syntax != EXPLICIT_BIG
    there = sorted(elements, key=lambda e: e.tag) if ordered else list(elements)
    return b"".join(_write(e, explicit=explicit, little=little) for e in there)


def write_file(
    elements: Iterable[Planted],
    *,
    syntax: str = EXPLICIT_LITTLE,
    preamble: bytes = b"",
    meta: Iterable[Planted] = (),
    trailing: bytes = b"",
    ordered: bool = True,
) -> bytes:
    """Write a file with preamble and file meta information.

    Parameters
    ----------
    elements
        The data set's; it names its SOP class and instance.
    syntax
        The transfer syntax UID.
    preamble
        What stands in the first 128 bytes.
    meta
        More elements of group 0002.
    trailing
        What stands after the data set.
    ordered
        Whether the elements are sorted by their tags.
    """
    elements = list(elements)
    values = {e.tag: e.value for e in elements if isinstance(e.value, bytes)}
    head = {
        0x00020001: Planted(0x00020001, "OB", b"\0\1"),
        0x00020002: Planted(0x00020002, "UI", values.get(0x00080016, b"")),
        0x00020003: Planted(0x00020003, "UI", values.get(0x00080018, b"")),
        0x00020010: text(0x00020010, "UI", syntax),
        0x00020012: text(0x00020012, "UI", "1.3.12.2.1107.5.2"),
    }
    head |= {e.tag: e for e in meta}
    body = write_data_set(head.values(), EXPLICIT_LITTLE)
    length = _write(
        Planted(0x00020000, "UL", struct.pack("<L", len(body))), explicit=True, little=True
    )
    data_set = write_data_set(elements, syntax, ordered=ordered)
    if syntax == DEFLATED:
        packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        data_set = packer.compress(data_set) + packer.flush()
        data_set += b"\0" * (len(data_set) % 2)
    return preamble.ljust(128, b"\0") + b"DICM" + length + body + data_set + trailing


def _write(element: Planted, *, explicit: bool, little: bool) -> bytes:
    value, undefined = element.value, element.undefined
    if isinstance(value, list):
        inner_explicit, inner_little = (explicit, little) if element.vr != "UN" else (False, True)
        value = _write_items(
            value, undefined=undefined, explicit=inner_explicit, little=inner_little
        )
    elif len(value) % 2:
        value += b"\0" if element.vr in _ZERO_PADDED else b" "
    length = _UNDEFINED if undefined else len(value)
    order = "<" if little else ">"
    mark = struct.pack(order + "HH", element.tag >> 16, element.tag & 0xFFFF)
    if not explicit:
        return mark + struct.pack(order + "L", length) + value
    code = element.vr.encode()
    if element.vr in _LONG or length > 0xFFFF:
        code = code if element.vr in _LONG else b"UN"
        return mark + code + struct.pack(order + "HL", 0, length) + value
    return mark + code + struct.pack(order + "H", length) + value


def _write_items(
    items: list[list[Planted]], *, undefined: bool, explicit: bool, little: bool
) -> bytes:
    order = "<" if little else ">"
    pieces = []
    for item in items:
        body = b"".join(
            _write(e, explicit=explicit, little=little) for e in sorted(item, key=lambda e: e.tag)
        )
        length = _UNDEFINED if undefined else len(body)
        pieces += [struct.pack(order + "HHL", 0xFFFE, 0xE000, length), body]
        if undefined:
            pieces.append(struct.pack(order + "HHL", 0xFFFE, 0xE00D, 0))
    if undefined:
        pieces.append(struct.pack(order + "HHL", 0xFFFE, 0xE0DD, 0))
    return b"".join(pieces)
