"""NIfTI headers of both versions: where what stands, and which of it is text that goes."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Literal, Protocol

_FIRST_STATISTIC, _LAST_STATISTIC = 2, 24
_MOST_DIMENSIONS = 7
_NO_EXTENSION = bytes(4)
_CIFTI = range(3000, 3100)
_KINDS = frozenset((1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 768, 1024, 1280, 1536, 1792, 2048, 2304))
"""What nifti1.h defines as ``datatype``, but for 0 (DT_UNKNOWN) and 255 (DT_ALL)."""

ByteOrder = Literal["<", ">"]


class ImageError(ValueError):
    """An image is no NIfTI file or is damaged. The text holds nothing of its content."""


@dataclass(frozen=True, kw_only=True)
class _Layout:
    """Where a version of NIfTI has what in its header: offset, and length or format.

    ``texts`` are free text, and bytes that the version leaves unused.
    """

    size: int
    magic: tuple[int, bytes]
    dimensions: tuple[int, str]
    kind: tuple[int, str]
    bits_per_voxel: tuple[int, str]
    voxel_offset: tuple[int, str]
    intent_code: tuple[int, str]
    intent_name: tuple[int, int]
    texts: dict[str, tuple[int, int]]


_NIFTI_1 = _Layout(
    size=348,
    magic=(344, b"n+1\0"),
    dimensions=(40, "8h"),
    kind=(70, "h"),
    bits_per_voxel=(72, "h"),
    voxel_offset=(108, "f"),
    intent_code=(68, "h"),
    intent_name=(328, 16),
    texts={"data_type": (4, 10), "db_name": (14, 18), "descrip": (148, 80), "aux_file": (228, 24)},
)
_NIFTI_2 = _Layout(
    size=540,
    magic=(4, b"n+2\0\r\n\x1a\n"),
    dimensions=(16, "8q"),
    kind=(12, "h"),
    bits_per_voxel=(14, "h"),
    voxel_offset=(168, "q"),
    intent_code=(504, "i"),
    intent_name=(508, 16),
    texts={"descrip": (240, 80), "aux_file": (320, 24), "unused_str": (525, 15)},
)


class Readable(Protocol):
    """What gives its next bytes, as many as asked for or all that are left."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes."""


@dataclass(frozen=True, kw_only=True)
class NiftiHeader:
    """The header of an image in one file.

    Attributes
    ----------
    layout
        By which version it is written.
    order
        In which byte order.
    raw
        Its bytes, without extensions.
    """

    layout: _Layout
    order: ByteOrder
    raw: bytes

    def number(self, field: tuple[int, str]) -> float:
        """Return the first number of a field."""
        value: float = struct.unpack_from(self.order + field[1], self.raw, field[0])[0]
        return value

    @property
    def voxel_bytes(self) -> int:
        """How many bytes the voxels are.

        Raises
        ------
        ImageError
            If that cannot be.
        """
        offset, form = self.layout.dimensions
        count, *sizes = struct.unpack_from(self.order + form, self.raw, offset)
        if not 1 <= count <= _MOST_DIMENSIONS or min(sizes[:count]) < 1:
            raise ImageError("its header has impossible dimensions")
        bits = int(self.number(self.layout.bits_per_voxel))
        if bits < 1:
            raise ImageError("its header says that a voxel has no bits")
        voxels: int = math.prod(sizes[:count])
        return -(-voxels * bits // 8)

    @property
    def voxel_offset(self) -> int:
        """Where in the file the voxels begin.

        Raises
        ------
        ImageError
            If that cannot be.
        """
        offset = self.number(self.layout.voxel_offset)
        first = self.layout.size + len(_NO_EXTENSION)
        if not math.isfinite(offset) or not offset >= first or offset != int(offset):
            raise ImageError("its header says that the voxels begin within the header")
        return int(offset)

    @property
    def is_of_known_kind(self) -> bool:
        """Whether NIfTI defines the kind of voxels (the header's field ``datatype``)."""
        return int(self.number(self.layout.kind)) in _KINDS

    @property
    def is_cifti(self) -> bool:
        """Whether the image needs an extension to be understood: CIFTI-2 has its axes there."""
        return int(self.number(self.layout.intent_code)) in _CIFTI

    def scrubbed(self) -> tuple[bytes, tuple[str, ...]]:
        """Return the header to write, and which fields held something."""
        layout, raw = self.layout, bytearray(self.raw)
        texts = dict(layout.texts)
        if not _FIRST_STATISTIC <= self.number(layout.intent_code) <= _LAST_STATISTIC:
            texts["intent_name"] = layout.intent_name
        cleared = []
        for name, (offset, length) in texts.items():
            if any(raw[offset : offset + length]):
                cleared.append(name)
                raw[offset : offset + length] = bytes(length)
        offset, form = layout.voxel_offset
        struct.pack_into(self.order + form, raw, offset, layout.size + len(_NO_EXTENSION))
        return bytes(raw) + _NO_EXTENSION, tuple(cleared)


def read_header(stream: Readable) -> NiftiHeader:
    """Read the header with which a stream begins.

    Raises
    ------
    ImageError
        If it begins with none.
    """
    raw = stream.read(_NIFTI_1.size)
    order: ByteOrder
    for order in ("<", ">"):
        for layout in (_NIFTI_1, _NIFTI_2):
            if raw[:4] == struct.pack(order + "i", layout.size):
                raw += stream.read(layout.size - len(raw))
                header = NiftiHeader(layout=layout, order=order, raw=raw)
                offset, magic = layout.magic
                if len(raw) == layout.size and raw[offset : offset + len(magic)] == magic:
                    return header
    raise ImageError("it is no NIfTI image in one file")
