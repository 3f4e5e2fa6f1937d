"""What graphics leave in an image beside its voxels: overlay planes, and bits that no voxel uses.

An overlay plane goes with everything that describes it, whatever the table says of the parts: half
an overlay is none. With the Clean Graphics Option (PS3.15 E.3.3) a plane stays if it was read and
no word was in it; nothing installed that reads, no plane. Its label and description go all the
same. Curves and overlays within the bits of pixel data are retired and never stay by an option.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from bidsanon.deidentify.context import Context, Fate, Outcome
from bidsanon.dicom.confidentiality import Action
from bidsanon.dicom.encapsulated import offsets_are_right, without_asides
from bidsanon.dicom.file_format import DicomFile
from bidsanon.dicom.frames import enlarged
from bidsanon.dicom.pixel_data import OFFSET_TABLES, PIXEL_DATA, form_of, without_hidden_bits
from bidsanon.dicom.writing import write_element
from bidsanon.notes import NoteReason
from bidsanon.ocr import TextReader, text_reader
from bidsanon.profile import Cleaning

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_OTHER_PIXELS = (0x7FE00008, 0x7FE00009)
_OVERLAYS = 0x60
_ROWS = 0x0010
_COLUMNS = 0x0011
_FRAMES = 0x0015
_BITS_ALLOCATED = 0x0100
_BIT_POSITION = 0x0102
_DATA = 0x3000
_DESCRIBES_A_PLANE = frozenset(
    {
        *(_ROWS, _COLUMNS, _FRAMES, _BITS_ALLOCATED, _BIT_POSITION, _DATA),
        *(0x0040, 0x0045, 0x0050, 0x0051),  # type, subtype, origin, first frame
        *(0x1301, 0x1302, 0x1303),  # area, mean and deviation of what it marks
    }
)
_MOST_FRAMES = 16
_PERHAPS = 0.5
"""A plane must be proven empty of words, so a word that the reader only guesses at counts."""


def keep_clean_planes(source: DicomFile, outcomes: list[Outcome], context: Context) -> None:
    """Keep the overlay planes that hold no words, where the profile cleans graphics.

    Parameters
    ----------
    source
        The instance.
    outcomes
        What became of its elements: those of a plane that stays are changed here.
    context
        That of its top level.
    """
    for group in _overlays(source):
        rule = context.place[group << 16 | _DATA]
        if rule.decision.cleaning is not Cleaning.GRAPHICS or not _is_clean(source, group):
            continue
        for index, element in enumerate(source.data_set.elements):
            if element.tag >> 16 == group and element.tag & 0xFFFF in _DESCRIBES_A_PLANE:
                if outcomes[index] is Fate.REMOVED:
                    context.tools.changes[Action.REMOVE.value] -= 1
                outcomes[index] = Fate.KEPT


def cleared_pixels(
    source: DicomFile, outcomes: list[Outcome], context: Context
) -> Iterator[tuple[int, bytes | None]]:
    """Yield the pixel data anew where anything stands in or beside them that is no voxel.

    Tables of their places that fit no fragment, and second pixels beside them, are yielded as None:
    they go.

    Raises
    ------
    NotUnderstoodError
        If an overlay that goes lies within compressed pixel data, or those cannot be understood.
    """
    elements = source.data_set.elements
    planes = bisect_left(elements, (_OVERLAYS << 24,))
    kept = {
        element.tag >> 16
        for element, outcome in zip(elements[planes:], outcomes[planes:], strict=True)
        if element.tag >> 24 == _OVERLAYS
        and element.tag & 0xFFFF == _BIT_POSITION
        and outcome is Fate.KEPT
    }
    value = without_hidden_bits(source, kept_overlays=kept)
    if value is not None:
        element = source.top[PIXEL_DATA]
        context.tools.note(element, context.place[PIXEL_DATA], NoteReason.HIDDEN_BITS)
        yield PIXEL_DATA, write_element(PIXEL_DATA, element.vr, value, context.encoding)
    if PIXEL_DATA in source.top:
        yield from _without_asides(source, context)


def _without_asides(source: DicomFile, context: Context) -> Iterator[tuple[int, bytes | None]]:
    """Yield what goes from in and beside compressed frames, and from beside native ones."""
    element, content = source.top[PIXEL_DATA], source.content
    form = form_of(source)
    encapsulated = element.after != element.end
    value = content[element.body : element.end] if encapsulated else b""
    tables = [content[e.body : e.end] for tag in OFFSET_TABLES if (e := source.top.get(tag))]
    fits = (
        encapsulated
        and len(tables) == len(OFFSET_TABLES)
        and offsets_are_right(value, *tables, frames=form.frames)
    )
    going = (*_OTHER_PIXELS, *(() if fits else OFFSET_TABLES))
    for tag in (tag for tag in going if tag in source.top):
        context.tools.note(source.top[tag], context.place[tag], NoteReason.OTHER_THAN_MEANT)
        yield tag, None
    if not encapsulated:
        return
    cleared = without_asides(
        value,
        transfer_syntax_uid=source.transfer_syntax_uid,
        frames=form.frames,
        voxels=form.rows * form.columns,
    )
    if cleared is not None:
        context.tools.note(element, context.place[PIXEL_DATA], NoteReason.HIDDEN_BITS)
        head, tail = content[element.start : element.body], content[element.end : element.after]
        yield PIXEL_DATA, head + cleared + tail


def _overlays(source: DicomFile) -> list[int]:
    return [group for group in source.groups(_OVERLAYS << 8) if group >> 8 == _OVERLAYS]


def _is_clean(source: DicomFile, group: int) -> bool:
    """Whether an overlay plane was read, and there is no word in it."""
    reader = _reader()
    pictures = _pictures(source, group)
    if reader is None or not pictures:
        return False
    return not any(
        word.certainty >= _PERHAPS and any(map(str.isalnum, word.text))
        for picture in pictures
        for word in reader.read(enlarged(picture))
    )


@cache
def _reader() -> TextReader | None:
    return text_reader(threads=1)


def _pictures(source: DicomFile, group: int) -> list[NDArray[np.uint8]]:
    """Return an overlay's frames as white on black; none where its plane is not whole."""
    import numpy as np  # noqa: PLC0415 (start-up time)

    rows, columns = (_unsigned(source, group, tag) for tag in (_ROWS, _COLUMNS))
    frames = _frames(source, group)
    element = source.top.get(group << 16 | _DATA)
    size = rows * columns
    if element is None or not size or not 0 < frames <= _MOST_FRAMES:
        return []
    packed = np.frombuffer(source.content[element.body : element.end], dtype=np.uint8)
    if element.vr == "OW" and not source.data_set.encoding.little_endian:
        packed = packed[: len(packed) // 2 * 2].reshape(-1, 2)[:, ::-1].ravel()
    bits = np.unpackbits(packed, bitorder="little")
    if len(bits) < size * frames or bits[size * frames :].any():
        return []  # too short; or something stands behind the plane
    grey = bits[: size * frames].reshape(frames, rows, columns) * np.uint8(255)
    return [np.repeat(plane[..., np.newaxis], 3, axis=2) for plane in grey]


def _frames(source: DicomFile, group: int) -> int:
    text = source.ascii(group << 16 | _FRAMES)
    return int(text) if text.strip().isdecimal() else 1 if not text else 0


def _unsigned(source: DicomFile, group: int, tag: int) -> int:
    element = source.top.get(group << 16 | tag)
    value = source.content[element.body : element.end][:2] if element else b""
    return int.from_bytes(value, "little" if source.data_set.encoding.little_endian else "big")
