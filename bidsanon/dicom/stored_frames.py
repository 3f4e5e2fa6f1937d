"""The frames of an image as the numbers that are stored, and the bytes that stored numbers make.

Voxels that are delivered come from here, so nothing is scaled or windowed. Compressed frames are
decoded one at a time, to be written as they are, uncompressed: Explicit VR Little Endian.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bidsanon.dicom.encoding import NotUnderstoodError
from bidsanon.dicom.file_format import DicomFile
from bidsanon.dicom.frames import FrameNotDecodedError, decoding
from bidsanon.dicom.pixel_data import PIXEL_DATA, PixelForm, form_of

if TYPE_CHECKING:
    from pathlib import Path

_WHOLE_BYTES = frozenset({8, 16, 32})
_BYTE = 8

Stored = NDArray[Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class StoredFrames:
    """The frames of one image.

    Attributes
    ----------
    path, file
        The image.
    form
        How its pixel data are written.
    dtype
        A stored number, with its byte order.
    compressed
        Whether they have to be decoded.
    """

    path: Path
    file: DicomFile
    form: PixelForm
    dtype: np.dtype[Any]
    compressed: bool

    @property
    def limits(self) -> tuple[int, int]:
        """The least and the greatest number that can be stored."""
        if self.form.signed:
            return -(1 << self.form.bits_stored - 1), (1 << self.form.bits_stored - 1) - 1
        return 0, (1 << self.form.bits_stored) - 1

    def frame(self, number: int) -> Stored:
        """Return a frame's stored numbers, shape (rows, columns), to be changed at will.

        Raises
        ------
        NotUnderstoodError
            If it cannot be decoded, or its pixel data end before it.
        """
        shape = (self.form.rows, self.form.columns)
        if self.compressed:
            return _decoded(self.path, number, shape).astype(self.dtype)
        element = self.file.top[PIXEL_DATA]
        count = shape[0] * shape[1]
        start = element.body + number * count * self.dtype.itemsize
        if start + count * self.dtype.itemsize > element.end:
            raise NotUnderstoodError("its pixel data end before its last frame")
        read = np.frombuffer(self.file.content, self.dtype, count, start)
        return read.reshape(shape).copy()

    @property
    def behind(self) -> bytes:
        """What stands behind the last frame: padding, to be written again."""
        if self.compressed:
            return bytes(self.form.length & 1)
        element = self.file.top[PIXEL_DATA]
        return bytes(self.file.content[element.body + self.form.length : element.end])

    @property
    def length(self) -> int:
        """How many bytes the pixel data take, uncompressed, with what stands behind them."""
        return self.form.length + len(self.behind)


def stored_frames(path: Path, file: DicomFile) -> StoredFrames:
    """Open the frames of an image.

    Parameters
    ----------
    path
        Where it is, for the decoders.
    file
        The same as it was read.

    Raises
    ------
    NotUnderstoodError
        If it has no pixel data, or its numbers are not stored in whole words from the lowest bit.
    """
    element, form = file.top.get(PIXEL_DATA), form_of(file)
    if element is None:
        raise NotUnderstoodError("it has no pixel data")
    compressed = element.after != element.end
    little = compressed or file.data_set.encoding.little_endian
    if (
        form.samples != 1
        or form.bits_allocated not in _WHOLE_BYTES
        or form.high_bit != form.bits_stored - 1
        or (form.bits_allocated == _BYTE and not little)
    ):
        raise NotUnderstoodError("its pixels are stored in an unusual way")
    kind = f"{'<' if little else '>'}{'i' if form.signed else 'u'}{form.bits_allocated // _BYTE}"
    return StoredFrames(
        path=path, file=file, form=form, dtype=np.dtype(kind), compressed=compressed
    )


def _decoded(path: Path, number: int, shape: tuple[int, int]) -> Stored:
    from pydicom.pixels.utils import pixel_array  # noqa: PLC0415 (loads decoders)

    try:
        with decoding():
            frame: Stored = pixel_array(path, index=number, raw=True)
    except FrameNotDecodedError as error:
        raise NotUnderstoodError(
            "its compressed pixels cannot be decoded here: they are damaged, or a decoder is "
            "missing (`pip install pylibjpeg pylibjpeg-libjpeg pylibjpeg-openjpeg`)"
        ) from error
    if frame.shape != shape:
        raise NotUnderstoodError("its compressed pixels have another size than its header says")
    return frame
