"""Native pixel data (PS3.5 8.1): how long they are, and the bits of them that no voxel uses.

A voxel fills Bits Stored of Bits Allocated. Overlays used to be put into the bits above (retired in
2004), and anything may stand there, or behind the last voxel: no viewer shows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bidsanon.dicom.encoding import NotUnderstoodError
from bidsanon.dicom.file_format import DicomFile
from bidsanon.files import in_parts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PIXEL_DATA = 0x7FE00010
SAMPLES = 0x00280002
PHOTOMETRIC = 0x00280004
FRAMES = 0x00280008
ROWS = 0x00280010
COLUMNS = 0x00280011
BITS_ALLOCATED = 0x00280100
BITS_STORED = 0x00280101
HIGH_BIT = 0x00280102
PIXEL_REPRESENTATION = 0x00280103
FORM = frozenset(
    {
        *(SAMPLES, PHOTOMETRIC, FRAMES, ROWS, COLUMNS),
        *(BITS_ALLOCATED, BITS_STORED, HIGH_BIT, PIXEL_REPRESENTATION),
    }
)
"""The attributes that say how pixel data are written."""

OFFSET_TABLES = (0x7FE00001, 0x7FE00002)
"""Where the frames of compressed pixel data begin, and how long they are (PS3.3 C.7.6.3.1.8)."""

_OVERLAY_DATA = 0x3000
_OVERLAY_BITS_ALLOCATED = 0x0100
_OVERLAY_BIT_POSITION = 0x0102
_OVERLAYS = 0x60
_RGB = 3
_WHOLE_BYTES = frozenset({8, 16, 32, 64})


@dataclass(frozen=True, kw_only=True, slots=True)
class PixelForm:
    """How native pixel data are written (PS3.5 8.1, PS3.3 C.7.6.3).

    Attributes
    ----------
    rows, columns, frames
        How many there are of each.
    samples
        Samples of a voxel, on average: YBR_FULL_422 has two.
    bits_allocated, bits_stored
        How many bits a sample takes, and how many of them are its value.
    high_bit
        The highest bit of a voxel; bits above it, and below its lowest, are unused.
    signed
        Whether values are two's complement.
    """

    rows: int
    columns: int
    frames: int
    samples: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: bool

    @property
    def length(self) -> int:
        """How many bytes the voxels take, at least one."""
        bits = self.rows * self.columns * self.samples * self.frames * self.bits_allocated
        return max(1, (bits + 7) // 8)


def pixel_form(values: Mapping[int, bytes], *, little_endian: bool) -> PixelForm:
    """Read how pixel data are written.

    Parameters
    ----------
    values
        The values of :data:`FORM` by tag; what is missing has its usual value.
    little_endian
        The byte order of the data set.
    """

    def unsigned(tag: int) -> int:
        return int.from_bytes(values.get(tag, b"")[:2], "little" if little_endian else "big")

    samples = unsigned(SAMPLES) or 1
    if samples == _RGB and _text(values, PHOTOMETRIC) == "YBR_FULL_422":
        samples = 2
    stored = unsigned(BITS_STORED) or unsigned(BITS_ALLOCATED)
    return PixelForm(
        rows=unsigned(ROWS),
        columns=unsigned(COLUMNS),
        frames=_frames(values),
        samples=samples,
        bits_allocated=unsigned(BITS_ALLOCATED),
        bits_stored=stored,
        high_bit=unsigned(HIGH_BIT) or max(stored - 1, 0),
        signed=unsigned(PIXEL_REPRESENTATION) == 1,
    )


def form_of(file: DicomFile) -> PixelForm:
    """Read how a file's pixel data are written."""
    values = {tag: file.content[e.body : e.end] for tag in FORM if (e := file.top.get(tag))}
    return pixel_form(values, little_endian=file.data_set.encoding.little_endian)


def without_hidden_bits(file: DicomFile, *, kept_overlays: Iterable[int]) -> bytes | None:
    """Return the value of (7FE0,0010) with all bits that no voxel uses cleared; None: none is set.

    The bits of voxels stay as they are. Above a signed voxel its sign is repeated, as many writers
    do: a reader that takes whole words then reads the same numbers.

    Parameters
    ----------
    file
        An image.
    kept_overlays
        The overlay groups (60xx) that stay: while one of them lies in the pixel data, nothing is
        cleared.

    Raises
    ------
    NotUnderstoodError
        If an overlay that does not stay lies within compressed pixel data.
    """
    element = file.top.get(PIXEL_DATA)
    if element is None:
        return None
    embedded, kept = _embedded_overlays(file), frozenset(kept_overlays)
    if element.after != element.end:
        if embedded - kept:
            raise NotUnderstoodError("an overlay lies within its compressed pixel data")
        return None
    if embedded & kept:
        return None
    little = file.data_set.encoding.little_endian
    form = form_of(file)
    value = memoryview(file.content)[element.body : element.end]
    voxels = _without_unused_bits(value[: form.length], form, little_endian=little)
    rest = value[form.length :]
    behind = bytes(rest).strip(b"\0 ") != b""
    if voxels is None and not behind:
        return None
    return bytes(value[: form.length] if voxels is None else voxels) + bytes(len(rest))


def _without_unused_bits(
    value: memoryview, form: PixelForm, *, little_endian: bool
) -> bytes | None:
    """Clear what stands above and below the voxels' bits; None where nothing does."""
    lowest = form.high_bit + 1 - form.bits_stored
    if (
        form.bits_allocated not in _WHOLE_BYTES
        or form.bits_stored >= form.bits_allocated
        or not 0 <= lowest <= form.bits_allocated - form.bits_stored
    ):
        return None
    import numpy as np  # noqa: PLC0415 (start-up time)

    kind = np.dtype(f"{'<' if little_endian else '>'}u{form.bits_allocated // 8}")
    whole = value[: len(value) - len(value) % kind.itemsize]
    used = ((1 << form.bits_stored) - 1) << lowest
    parts = (np.frombuffer(part, dtype=kind) for part in in_parts(whole))
    if not any(int(np.bitwise_or.reduce(part)) & ~used for part in parts):
        return None
    words = np.frombuffer(whole, dtype=kind)
    voxels = words & words.dtype.type(used)
    if form.signed and not lowest:
        voxels = _sign_repeated(voxels, form)
        if np.array_equal(voxels, words):
            return None
    cleared: bytes = voxels.astype(words.dtype).tobytes()
    return cleared + bytes(value[len(whole) :])


def _sign_repeated(voxels: NDArray[np.unsignedinteger[Any]], form: PixelForm) -> NDArray[Any]:
    import numpy as np  # noqa: PLC0415 (start-up time)

    kind = voxels.dtype.type
    above = kind(((1 << form.bits_allocated) - 1) ^ ((1 << form.bits_stored) - 1))
    return np.where(voxels & kind(1 << form.high_bit), voxels | above, voxels)


def _embedded_overlays(file: DicomFile) -> frozenset[int]:
    """Return the overlay groups whose plane lies in the pixel data (PS3.3 C.9.2, retired)."""
    groups = (group for group in file.groups(_OVERLAYS << 8) if group >> 8 == _OVERLAYS)
    return frozenset(group for group in groups if _is_embedded(file, group << 16))


def _is_embedded(file: DicomFile, group: int) -> bool:
    order = file.data_set.encoding.little_endian

    def unsigned(tag: int) -> int:
        element = file.top.get(group | tag)
        value = file.content[element.body : element.end][:2] if element else b""
        return int.from_bytes(value, "little" if order else "big")

    return bool(unsigned(_OVERLAY_BIT_POSITION)) or (
        group | _OVERLAY_DATA not in file.top and unsigned(_OVERLAY_BITS_ALLOCATED) > 1
    )


def _text(values: Mapping[int, bytes], tag: int) -> str:
    return values.get(tag, b"").decode("ascii", "replace").strip(" \0")


def _frames(values: Mapping[int, bytes]) -> int:
    try:
        return max(1, int(float(_text(values, FRAMES).split("\\")[0])))
    except (ValueError, OverflowError):
        return 1
