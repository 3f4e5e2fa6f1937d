"""How GE's blobs are cleaned: the protocol data block and the user-defined data."""

from __future__ import annotations

import re
import struct
import zlib

from bidsanon.deidentify.private_value import PrivateCleaning, PrivateValue
from bidsanon.dicom.allowed import GE_PROTOCOL_KEYS, Allowance, allowed_names

_LINE = re.compile(r'([A-Z][A-Z0-9_]*) "([^"]*)"')
_LENGTH_BYTES = 4
_GZIP_MAGIC = b"\x1f\x8b\x08"
_GZIP_HEADER = _GZIP_MAGIC + bytes(6) + b"\xff"
_GZIP_WINDOW = 31
_RAW_WINDOW = -15
_GZIP_LEVEL = 9
_MOST_TEXT_BYTES = 1 << 22

# Where dcm2niix looks in (0043,xx2A): the words that tell EPI, polarity and view order.
_OFFSET_AT = 24
_LEAST_BYTES = 916
_VERSIONS = (5.0, 40.0)
_MOVED_SINCE = 25.002
_MOVED_BY = 0x4C
_EPI_AT = 0x3A
_POLARITY_AT = 0x30
_VIEW_ORDER_AT = 0x394
_VIEW_ORDER_MOVED_BY = -0x8C


def clean_ge_protocol(value: PrivateValue, cleaning: PrivateCleaning) -> bytes | None:
    """GE protocol: unpacked; known keys stay as numbers and terms; packed without name and time."""
    text = _unpacked(value)
    if text is None:
        return None
    cleaning.note_uids(text)
    lines = [line for line in (_clean_line(line, cleaning) for line in text.splitlines()) if line]
    packed = _packed("".join(f"\n{line}" for line in lines) + "\n")
    order = "<I" if _length_is_little_endian(value) else ">I"
    return struct.pack(order, len(packed)) + packed


def clean_ge_user_data(value: PrivateValue, cleaning: PrivateCleaning) -> bytes | None:
    """GE user-defined data: the words on EPI, polarity and view order stay, the rest is 0."""
    del cleaning
    content = value.content
    if len(content) < _LEAST_BYTES:
        return None
    (offset,) = struct.unpack_from("<H", content, _OFFSET_AT)
    if len(content) < offset + _LEAST_BYTES:
        return None
    (version,) = struct.unpack_from("<f", content, offset)
    if not _VERSIONS[0] <= version <= _VERSIONS[1]:
        return None
    kept = bytearray(len(content))
    places = [(_OFFSET_AT, 2), (offset, 4), *_word_places(offset, version)]
    for start, size in places:
        kept[start : start + size] = content[start : start + size]
    return bytes(kept)


def _word_places(offset: int, version: float) -> list[tuple[int, int]]:
    moved = version >= _MOVED_SINCE
    start = offset + (_MOVED_BY if moved else 0)
    view_order = _VIEW_ORDER_AT + (_VIEW_ORDER_MOVED_BY if moved else 0)
    return [(start + _POLARITY_AT, 2), (start + _EPI_AT, 2), (start + view_order, 2)]


def _unpacked(value: PrivateValue) -> str | None:
    """Return the text of a protocol data block, or None where it is no gzip member."""
    member = value.content[_LENGTH_BYTES:]
    if not member.startswith(_GZIP_MAGIC):
        return None
    unpacker = zlib.decompressobj(_GZIP_WINDOW)
    try:
        text = unpacker.decompress(member, _MOST_TEXT_BYTES)
    except zlib.error:
        return None
    return text.decode("latin-1") if unpacker.eof else None


def _packed(text: str) -> bytes:
    content = text.encode("latin-1")
    packer = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _RAW_WINDOW)
    body = packer.compress(content) + packer.flush()
    return _GZIP_HEADER + body + struct.pack("<II", zlib.crc32(content), len(content))


def _length_is_little_endian(value: PrivateValue) -> bool:
    (length,) = struct.unpack_from("<I", value.content)
    return value.little_endian or length <= len(value.content)


def _clean_line(line: str, cleaning: PrivateCleaning) -> str | None:
    found = _LINE.fullmatch(line.strip())
    allowed = allowed_names(GE_PROTOCOL_KEYS).get(found[1]) if found else None
    if found is None or allowed is None:
        return None
    if allowed.allowance is Allowance.DESCRIPTOR:
        cleaned = cleaning.text(found[2]).replace('"', "").replace("\n", " ")
        return f'{found[1]} "{cleaned}"'
    return f'{found[1]} "{found[2]}"' if allowed.admits(found[2]) else None
