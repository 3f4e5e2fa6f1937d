"""A de-identified copy written again once its face is gone: other pixels, and marks that say so.

Nothing else of it changes. Each copy is read back before it takes the other's place.
"""

from __future__ import annotations

import os
import struct
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bidsanon.deidentify.context import Fate, Outcome
from bidsanon.deidentify.marks import Marks, marks_without_face
from bidsanon.deidentify.walk import assemble, put_element
from bidsanon.dicom.elements import Element
from bidsanon.dicom.encoding import (
    DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    EXPLICIT_LITTLE,
    EXPLICIT_VR_LITTLE_ENDIAN,
    NotUnderstoodError,
)
from bidsanon.dicom.file_format import DicomFile, deflate, write_file_head
from bidsanon.dicom.pixel_data import OFFSET_TABLES, PIXEL_DATA
from bidsanon.dicom.reading import read_path
from bidsanon.dicom.writing import write_element
from bidsanon.files import PRIVATE_FILE_MODE, storage_errors

_SOP_CLASS_UID, _SOP_INSTANCE_UID = 0x00080016, 0x00080018
FLOATING_PIXELS = frozenset({0x7FE00008, 0x7FE00009})
"""Pixel data in floating point: dcm2niix passes over them."""
_FACELESS_PLACES = FLOATING_PIXELS | {0x00880200}
"""These and the Icon Image Sequence would show the face all the same."""
_OVERLAYS = 0x60
_LENGTH = struct.Struct("<L")
_BYTE = 8


@dataclass(frozen=True, kw_only=True)
class NewPixels:
    """What takes the place of a copy's pixel data.

    Attributes
    ----------
    parts
        The bytes, one frame after the other, with what stands behind them.
    length
        How many they are.
    decoded
        Whether they were compressed and are not any more.
    bits_allocated
        Of a pixel: decides the VR of what was decoded (PS3.5 A.2).
    """

    parts: Iterable[bytes]
    length: int
    decoded: bool
    bits_allocated: int


Judge = Callable[[DicomFile, Path], None]
"""Compares the pixels of what was written with what they were; raises NotUnderstoodError."""


def write_without_face(
    path: Path,
    file: DicomFile,
    *,
    method: str,
    proved: bool,
    pixels: NewPixels | None = None,
    judge: Judge | None = None,
) -> Marks:
    """Write a copy again, in its place, without its face.

    Parameters
    ----------
    path, file
        The copy, and what was read of it.
    method
        How the face was removed, for (0012,0063); empty where there was none.
    proved
        Whether a check has shown that there is no face: then the copy says so.
    pixels
        What takes the place of its pixel data; None: they stay.
    judge
        Looks at what was written before it counts.

    Returns
    -------
    Marks
        What it says now of its de-identification.

    Raises
    ------
    NotUnderstoodError
        If it holds the face elsewhere too, or what was written is not what it should be. The copy
        is then as it was.
    StorageError
        If there is no room.
    """
    if pixels is not None:
        _require_one_place(file)
    marks, said = marks_without_face(file, method=method, proved=proved)
    with storage_errors("the private folder"):
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
        written = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.writelines(_pieces(file, said, pixels))
            again = read_path(written)
            _require_same(file, again, but={*said, *((PIXEL_DATA,) if pixels else ())})
            if judge is not None:
                judge(again, written)
            written.chmod(PRIVATE_FILE_MODE)
            written.replace(path)
        except BaseException:
            written.unlink(missing_ok=True)
            raise
    return marks


def _require_one_place(file: DicomFile) -> None:
    """Refuse a copy whose face is not in its pixel data alone."""
    overlays = (group for group in file.groups(_OVERLAYS << 8) if group >> 8 == _OVERLAYS)
    if any(tag in file.top for tag in _FACELESS_PLACES) or any(overlays):
        raise NotUnderstoodError("an icon or an overlay could show the face too")


def _pieces(
    file: DicomFile, said: dict[int, bytes], pixels: NewPixels | None
) -> Iterator[bytes | memoryview]:
    elements = file.data_set.elements.copy()
    outcomes: list[Outcome] = [Fate.KEPT] * len(elements)
    for tag, element in said.items():
        put_element(tag, element, elements, outcomes)
    deflated = file.transfer_syntax_uid == DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN
    decoded = pixels is not None and pixels.decoded
    body = _body(file, elements, outcomes, pixels)
    yield write_file_head(
        sop_class_uid=file.value(_SOP_CLASS_UID),
        sop_instance_uid=file.value(_SOP_INSTANCE_UID),
        transfer_syntax_uid=EXPLICIT_VR_LITTLE_ENDIAN if decoded else file.transfer_syntax_uid,
    )
    if deflated:
        yield deflate(b"".join(body))
    else:
        yield from body


def _body(
    file: DicomFile, elements: list[Element], outcomes: list[Outcome], pixels: NewPixels | None
) -> Iterator[bytes | memoryview]:
    if pixels is None:
        yield from assemble(file.content, elements, outcomes)
        return
    if pixels.decoded:
        for tag in OFFSET_TABLES:
            put_element(tag, None, elements, outcomes)
    place = next(i for i, element in enumerate(elements) if element.tag == PIXEL_DATA)
    yield from assemble(file.content, elements[:place], outcomes[:place])
    yield _pixel_header(file, elements[place], pixels)
    yield from pixels.parts
    yield from assemble(file.content, elements[place + 1 :], outcomes[place + 1 :])


def _pixel_header(file: DicomFile, element: Element, pixels: NewPixels) -> bytes:
    if not pixels.decoded:
        return bytes(file.content[element.start : element.body])
    vr = "OW" if pixels.bits_allocated > _BYTE else "OB"
    empty = write_element(PIXEL_DATA, vr, b"", EXPLICIT_LITTLE)
    return empty[: -_LENGTH.size] + _LENGTH.pack(pixels.length)


def _require_same(before: DicomFile, after: DicomFile, *, but: set[int]) -> None:
    """Refuse what was written if another element than those meant differs, comes or goes."""
    passed = but | set(OFFSET_TABLES if PIXEL_DATA in but else ())
    if _elements(before, passed) != _elements(after, passed):
        raise NotUnderstoodError("what was written differs in more than its pixels and its marks")


def _elements(file: DicomFile, but: set[int]) -> list[bytes | memoryview]:
    view = memoryview(file.content)
    return [view[e.start : e.after] for e in file.data_set.elements if e.tag not in but]
