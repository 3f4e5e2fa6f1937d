"""What a table of series shows of each: how the images are, and nothing of whose they are."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from bidsanon.dicom.encoding import (
    DataSet,
    DicomFile,
    Element,
    NotUnderstoodError,
    encoding_of_items,
    read_file,
    read_item,
    read_items,
)
from bidsanon.session import SourceSeries

_IMAGE_TYPE = 0x00080008
_REPETITION_TIME = 0x00180080
_ECHO_TIME = 0x00180081
_EFFECTIVE_ECHO_TIME = 0x00189082
_FRAMES = 0x00280008
_ROWS = 0x00280010
_COLUMNS = 0x00280011
_GROUPS = frozenset({0x52009229, 0x52009230, 0x00189112, 0x00189114})
"""The functional groups, and the timing and echo macros within: MR's enhanced objects."""


@dataclass(frozen=True, kw_only=True)
class SeriesFacts:
    """How the images of a series are.

    Attributes
    ----------
    files
        How many files there are.
    frames
        How many frames the first file holds.
    rows, columns
        Of the first file; 0 where it does not say.
    echo_time_ms, repetition_time_ms
        Of the first file and its first frame; None where it does not say.
    image_type
        (0008,0008) of the first file, as it stands there: not to be shown as it is.
    """

    files: int
    frames: int
    rows: int
    columns: int
    echo_time_ms: float | None
    repetition_time_ms: float | None
    image_type: tuple[str, ...]


def series_facts(series: SourceSeries) -> SeriesFacts:
    """Read what a table shows of a series from its first file.

    Raises
    ------
    OSError
        If that file cannot be read.
    """
    values = _values(series.instances[0].path.read_bytes())
    image_type = values.get(_IMAGE_TYPE, b"").decode("latin-1").strip(" \0")
    return SeriesFacts(
        files=len(series.instances),
        frames=int(_decimal(values, _FRAMES) or 1),
        rows=int(_decimal(values, _ROWS) or 0),
        columns=int(_decimal(values, _COLUMNS) or 0),
        echo_time_ms=_decimal(values, _ECHO_TIME, _EFFECTIVE_ECHO_TIME),
        repetition_time_ms=_decimal(values, _REPETITION_TIME),
        image_type=tuple(part.strip() for part in image_type.split("\\")),
    )


def _values(content: bytes) -> dict[int, bytes]:
    """Take wanted values out of a file, numbers written as text; the first of each counts."""
    wanted = {_IMAGE_TYPE, _REPETITION_TIME, _ECHO_TIME, _EFFECTIVE_ECHO_TIME}
    wanted |= {_FRAMES, _ROWS, _COLUMNS}
    values: dict[int, bytes] = {}
    try:
        file = read_file(content)
        for element, data_set in _elements(file, file.data_set, 0):
            if element.tag in wanted:
                values.setdefault(element.tag, _as_text(file.content, element, data_set))
    except NotUnderstoodError:
        pass  # the source gate has said so already
    return values


def _elements(file: DicomFile, data_set: DataSet, depth: int) -> Iterator[tuple[Element, DataSet]]:
    """Yield the elements of a data set and of the first item of its functional groups."""
    for element in data_set.elements:
        yield element, data_set
        if element.tag not in _GROUPS:
            continue
        inner = encoding_of_items(element, data_set.encoding)
        for item in read_items(file.content, element, data_set.encoding, depth=depth + 1)[:1]:
            inside = read_item(file.content, item, inner, depth=depth + 1)
            yield from _elements(file, inside, depth + 1)


def _as_text(content: bytes, element: Element, data_set: DataSet) -> bytes:
    value = content[element.body : element.end]
    order = "<" if data_set.encoding.little_endian else ">"
    if element.vr == "US" and len(value) >= 2:  # noqa: PLR2004 (one number)
        return str(struct.unpack_from(order + "H", value)[0]).encode()
    if element.vr == "FD" and len(value) >= 8:  # noqa: PLR2004 (one number)
        return str(struct.unpack_from(order + "d", value)[0]).encode()
    return value


def _decimal(values: dict[int, bytes], *tags: int) -> float | None:
    for tag in tags:
        try:
            return float(values.get(tag, b"").split(b"\\")[0].strip(b" \0"))
        except ValueError:
            continue
    return None
