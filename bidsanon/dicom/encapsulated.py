"""Encapsulated pixel data (PS3.5 A.4): what stands in and between compressed frames beside them.

Compressed pictures have room for words that no viewer shows: comments and application segments of
JPEG, comments of JPEG 2000, bytes behind a picture's end, an offset table that points nowhere, a
fragment that belongs to no frame. The pictures themselves stay byte for byte.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from bidsanon.dicom.encoding import NotUnderstoodError

RLE_LOSSLESS = "1.2.840.10008.1.2.5"

_JPEG_FAMILY = "1.2.840.10008.1.2.4."
_ITEM = b"\xfe\xff\x00\xe0"
_LENGTH = struct.Struct("<L")
_HEADER_BYTES = 8
_LONG_BYTES = 8

_SOI, _SOC = b"\xff\xd8", b"\xff\x4f"
_END = b"\xff\xd9"
_MARK = 0xFF
_COMMENT_MARKER = b"\xff\xfe"
_COMMENT_2000 = 0x64
_START_OF_SCAN, _START_OF_TILE = 0xDA, 0x90
_END_OF_IMAGE = 0xD9
# Comments and application segments, without those that say how colours are transformed.
_ASIDES = frozenset({0xFE, *range(0xE1, 0xF0)} - {0xE8, 0xEE})
_JFIF, _JFIF_BYTES = 0xE0, 14

_RLE_HEADER = struct.Struct("<16L")
_RLE_NOTHING = 128
_RLE_REPEATED = 257


def without_asides(
    value: bytes, *, transfer_syntax_uid: str, frames: int, voxels: int
) -> bytes | None:
    """Return encapsulated pixel data with nothing but pictures in them; None: there is no more.

    Parameters
    ----------
    value
        The items, without the sequence's delimiter.
    transfer_syntax_uid
        How the frames are compressed. Of what is neither RLE nor of the JPEG family only the offset
        table is looked at.
    frames
        How many there are.
    voxels
        How many voxels a frame has.

    Raises
    ------
    NotUnderstoodError
        If they are no whole number of items, or an RLE frame is none.
    """
    table, *fragments = _items(value)
    cleaned = fragments
    if transfer_syntax_uid == RLE_LOSSLESS:
        cleaned = [_cleared_rle(fragment, voxels) for fragment in fragments[:frames]]
    elif transfer_syntax_uid.startswith(_JPEG_FAMILY) and not _is_video(fragments):
        cleaned = list(_cleared_pictures(fragments))
    if not _is_right(table, cleaned):
        table = b""
    written = b"".join(_ITEM + _LENGTH.pack(len(item)) + item for item in (table, *cleaned))
    return written if written != value else None


def offsets_are_right(value: bytes, offsets: bytes, lengths: bytes, *, frames: int) -> bool:
    """Tell whether an extended offset table (7FE0,0001) and its lengths fit the fragments."""
    _, *fragments = _items(value)
    if len(offsets) != _LONG_BYTES * frames or len(lengths) != _LONG_BYTES * frames:
        return False
    sizes = dict(zip(_places(fragments), map(len, fragments), strict=True))
    stated = struct.unpack(f"<{2 * frames}Q", offsets + lengths)
    return all(
        sizes.get(place, -1) - length in (0, 1)  # a fragment of odd length is padded
        for place, length in zip(stated[:frames], stated[frames:], strict=True)
    )


def _items(value: bytes) -> list[bytes]:
    items = []
    position = 0
    while position + _HEADER_BYTES <= len(value):
        (length,) = _LENGTH.unpack_from(value, position + 4)
        start = position + _HEADER_BYTES
        position = start + length
        if value[start - _HEADER_BYTES : start - 4] != _ITEM or position > len(value):
            raise NotUnderstoodError("its encapsulated pixel data are no whole number of items")
        items.append(bytes(value[start:position]))
    return items or [b""]


def _is_right(table: bytes, fragments: list[bytes]) -> bool:
    """Tell whether a basic offset table holds places of fragments, in their order."""
    if len(table) % 4:
        return False
    stated = struct.unpack(f"<{len(table) // 4}L", table)
    places = set(_places(fragments))
    return list(stated) == sorted(set(stated)) and places.issuperset(stated)


def _places(fragments: list[bytes]) -> list[int]:
    places, place = [], 0
    for fragment in fragments:
        places.append(place)
        place += _HEADER_BYTES + len(fragment)
    return places


def _is_video(fragments: list[bytes]) -> bool:
    """Tell a video stream, which shares the root of the JPEG transfer syntaxes."""
    return not any(fragment.startswith((_SOI, _SOC)) for fragment in fragments)


def _cleared_pictures(fragments: list[bytes]) -> Iterator[bytes]:
    """Yield fragments of JPEG pictures, each of which may fill several, without asides."""
    inside = False
    for fragment in fragments:
        begins = fragment.startswith((_SOI, _SOC))
        if not begins and not inside:
            continue  # it belongs to no picture
        cleared, data = _cleared_segments(fragment) if begins else (fragment, 0)
        end = cleared.find(_END, data)
        inside = end < 0
        if not inside:
            end += len(_END)
            cleared = cleared[:end] + bytes(len(cleared) - end)
        yield cleared


def _cleared_segments(picture: bytes) -> tuple[bytes, int]:
    """Blank comments and application segments; return too where the compressed data begin."""
    cleared = bytearray(picture)
    position = 2
    while position + 4 <= len(picture) and picture[position] == _MARK:
        marker = picture[position + 1]
        if marker in (_START_OF_SCAN, _START_OF_TILE, _END_OF_IMAGE):
            break
        position = _blank_segment(cleared, position)
    data = position
    while picture.startswith(_SOI) and (position := cleared.find(_COMMENT_MARKER, position)) >= 0:
        position = max(_blank_segment(cleared, position), position + 2)
    return bytes(cleared), data


def _blank_segment(picture: bytearray, position: int) -> int:
    """Blank a segment of a picture, where it is a comment or an aside; return where it ends."""
    marker = picture[position + 1]
    if position + 4 > len(picture):
        return len(picture)
    length = int.from_bytes(picture[position + 2 : position + 4])
    end = min(position + 2 + length, len(picture))
    start = position + 4
    if marker == _COMMENT_2000 and picture.startswith(_SOC):
        start += 2  # whether it is text
    elif marker == _JFIF:
        start += _JFIF_BYTES
    elif marker not in _ASIDES:
        start = end
    if start < end:
        picture[start:end] = bytes(end - start)
    return end


def _cleared_rle(frame: bytes, voxels: int) -> bytes:
    """Blank what stands behind the last segment of an RLE frame (PS3.5 Annex G)."""
    if len(frame) < _RLE_HEADER.size:
        raise NotUnderstoodError("a frame of its RLE pixel data is too short")
    count, *starts = _RLE_HEADER.unpack_from(frame)
    if not 0 < count <= len(starts) or starts[0] != _RLE_HEADER.size:
        raise NotUnderstoodError("a frame of its RLE pixel data has no valid header")
    position, left = starts[count - 1], voxels
    while left > 0 and position < len(frame):
        control = frame[position]
        if control < _RLE_NOTHING:
            left -= control + 1
            position += control + 2
        elif control > _RLE_NOTHING:
            left -= _RLE_REPEATED - control
            position += 2
        else:
            position += 1
    return frame[:position] + bytes(len(frame) - position)
