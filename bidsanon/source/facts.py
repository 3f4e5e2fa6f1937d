"""What a table of series shows of each: how the images are, and nothing of whose they are."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, sqrt
from mmap import ACCESS_READ, mmap
from pathlib import Path

from bidsanon.dicom.elements import DataSet, Element, encoding_of_items
from bidsanon.dicom.encoding import NotUnderstoodError
from bidsanon.dicom.file_format import DicomFile, read_file
from bidsanon.dicom.parsing import read_item, read_items
from bidsanon.session import SourceSeries

_IMAGE_TYPE = 0x00080008
_REPETITION_TIME = 0x00180080
_ECHO_TIME = 0x00180081
_EFFECTIVE_ECHO_TIME = 0x00189082
_FRAMES = 0x00280008
_ROWS = 0x00280010
_COLUMNS = 0x00280011
_IMAGES_IN_MOSAIC = 0x0019100A
"""Siemens' own, where the image type says that it is one."""
_POSITION = 0x00200032
_PER_FRAME = 0x52009230
_PLANE_POSITION = 0x00209113
_ENOUGH = 1 << 16
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
    slices, volumes
        How many there are, echoes and parts counted as volumes; None where the files do not say, or
        are not a whole number of volumes.
    echo_time_ms, repetition_time_ms
        Of the first file and its first frame; None where it does not say.
    image_type
        (0008,0008) of the first file, as it stands there: not to be shown as it is.
    """

    files: int
    frames: int
    rows: int
    columns: int
    slices: int | None
    volumes: int | None
    echo_time_ms: float | None
    repetition_time_ms: float | None
    image_type: tuple[str, ...]


def series_facts(series: SourceSeries) -> SeriesFacts:
    """Read what a table shows of a series: from its first file, and where its slices lie.

    Raises
    ------
    OSError
        If a file cannot be read.
    """
    values, positions = _values(series.instances[0].path.read_bytes())
    image_type = values.get(_IMAGE_TYPE, b"").decode("latin-1").strip(" \0")
    frames = int(_decimal(values, _FRAMES) or 1)
    mosaic = _decimal(values, _IMAGES_IN_MOSAIC) if "MOSAIC" in image_type.split("\\") else None
    rows, columns = (int(_decimal(values, tag) or 0) for tag in (_ROWS, _COLUMNS))
    if mosaic and mosaic >= 1:
        tiles = ceil(sqrt(mosaic))
        rows, columns = rows // tiles, columns // tiles
        slices: int | None = int(mosaic)
        images = int(mosaic) * len(series.instances)
    else:
        images = frames * len(series.instances)
        slices = len(set(positions)) if frames > 1 else _count_slices(series)
    volumes = images // slices if slices and images % slices == 0 else None
    return SeriesFacts(
        files=len(series.instances),
        frames=frames,
        rows=rows,
        columns=columns,
        slices=slices or None,
        volumes=volumes,
        echo_time_ms=_decimal(values, _ECHO_TIME, _EFFECTIVE_ECHO_TIME),
        repetition_time_ms=_decimal(values, _REPETITION_TIME),
        image_type=tuple(part.strip() for part in image_type.split("\\")),
    )


def incomplete_volume(series: SourceSeries) -> int | None:
    """Return how many slices a volume has, where the files are no whole number of volumes.

    None where they are, and where that cannot be told: of files with several frames, of mosaics,
    and where slices do not follow each other volume by volume or place by place.
    """
    slices = _count_slices(series) if len(series.instances) > 1 else None
    if not slices or len(series.instances) % slices == 0:
        return None
    facts = series_facts(series)
    one_frame_each = facts.frames == 1 and "MOSAIC" not in facts.image_type
    return slices if one_frame_each else None


def _count_slices(series: SourceSeries) -> int | None:
    """Count the places at which the slices of one-frame files lie, reading no more than needed.

    Files follow each other volume by volume, and then the first place comes again after one
    volume; or slice by slice, and then one place fills the first files.
    """
    places = (_place(instance.path) for instance in series.instances)
    first = next(places)
    if not first:
        return None
    seen = [first]
    for place in places:
        if place == first and len(set(seen)) > 1:
            return len(set(seen))
        if place != first and len(seen) > 1 and len(set(seen)) == 1:
            whole, rest = divmod(len(series.instances), len(seen))
            return None if rest else whole
        seen.append(place)
    return len(set(seen))


def _place(path: Path) -> bytes:
    """Return where a file's image lies (0020,0032); nothing where it does not say."""
    with path.open("rb") as stream, mmap(stream.fileno(), 0, access=ACCESS_READ) as content:
        try:
            file = read_file(content[:_ENOUGH], until=_POSITION + 1)
        except NotUnderstoodError:
            try:
                file = read_file(content[:], until=_POSITION + 1)
            except NotUnderstoodError:
                return b""
        element = next((e for e in file.data_set.elements if e.tag == _POSITION), None)
        return b"" if element is None else bytes(file.content[element.body : element.end])


def _values(content: bytes) -> tuple[dict[int, bytes], list[bytes]]:
    """Take wanted values out of a file, numbers written as text; the first of each counts.

    Returns
    -------
    The values by tag, and where each frame lies.
    """
    wanted = {_IMAGE_TYPE, _REPETITION_TIME, _ECHO_TIME, _EFFECTIVE_ECHO_TIME}
    wanted |= {_FRAMES, _ROWS, _COLUMNS, _IMAGES_IN_MOSAIC}
    values: dict[int, bytes] = {}
    positions: list[bytes] = []
    try:
        file = read_file(content)
        for element, data_set in _elements(file, file.data_set, 0):
            if element.tag in wanted:
                values.setdefault(element.tag, _as_text(file.content, element, data_set))
        positions = _frame_positions(file)
    except NotUnderstoodError:
        pass  # the source gate has said so already
    return values, positions


def _frame_positions(file: DicomFile) -> list[bytes]:
    """Return where each frame of an enhanced object lies."""
    found: list[bytes] = []
    for groups in _items(file, file.data_set, _PER_FRAME, 0):
        for plane in _items(file, groups, _PLANE_POSITION, 1):
            found += [
                bytes(file.content[element.body : element.end])
                for element in plane.elements
                if element.tag == _POSITION
            ]
    return found


def _items(file: DicomFile, data_set: DataSet, tag: int, depth: int) -> Iterator[DataSet]:
    for element in data_set.elements:
        if element.tag == tag:
            inner = encoding_of_items(element, data_set.encoding)
            for item in read_items(file.content, element, data_set.encoding, depth=depth + 1):
                yield read_item(file.content, item, inner, depth=depth + 1)


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
