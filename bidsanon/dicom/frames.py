"""Frames of an image as pictures that can be looked at: decoded, windowed, 8 bits, RGB.

Pictures are for finding what stands in the pixels and for nothing else: no voxel of what is
converted comes from here.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.uid import UID

from bidsanon.dicom.quiet import quiet_pydicom

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_WINDOW_PERCENTILES = (1.0, 99.5)
_WHITE = 255.0
_LEAST_SIDE = 512
_MOST_TIMES = 4
_GREY_DIMENSIONS = 2
_DECODING_ERRORS = (
    ArithmeticError,
    AttributeError,
    BytesLengthException,
    EOFError,
    InvalidDicomError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    RecursionError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
"""What pydicom and its decoders raise where pixels are damaged, or no decoder is installed."""


class FrameNotDecodedError(Exception):
    """A frame whose pixels cannot be decoded here."""


def render_frames(
    path: Path, frames: Iterable[int], *, transfer_syntax_uid: str
) -> Iterator[NDArray[np.uint8]]:
    """Decode frames of an image, each to a picture of rows, columns and RGB.

    Grey values are windowed between the 1st and the 99.5th percentile of the frame, so that what
    is bright and small stays bright; MONOCHROME1 is inverted; palettes and YBR become RGB.

    Parameters
    ----------
    path
        A DICOM file.
    frames
        Which frames, counted from 0.
    transfer_syntax_uid
        How it is written, for a file that does not say so itself.

    Raises
    ------
    FrameNotDecodedError
        If a frame cannot be decoded: it is damaged, or its decoder is not installed.
    """
    with decoding():
        data_set = dcmread(path, force=True)
        if "TransferSyntaxUID" not in data_set.file_meta:
            data_set.file_meta.TransferSyntaxUID = UID(transfer_syntax_uid)
    for frame in frames:
        with decoding():
            picture = _picture(data_set, frame)
        yield picture


def enlarged(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Enlarge a small picture by a whole number of times: readers of text want larger letters."""
    import numpy as np  # noqa: PLC0415 (start-up time)
    from PIL import Image  # noqa: PLC0415 (the same)

    rows, columns = picture.shape[:2]
    times = min(_MOST_TIMES, -(-_LEAST_SIDE // max(rows, columns)))
    if times <= 1:
        return picture
    size = (columns * times, rows * times)
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC))


def _picture(data_set: Dataset, frame: int) -> NDArray[np.uint8]:
    from pydicom.pixels.processing import apply_color_lut  # noqa: PLC0415 (loads decoders)
    from pydicom.pixels.utils import pixel_array  # noqa: PLC0415 (the same)

    photometric = str(data_set.get("PhotometricInterpretation", ""))
    pixels = pixel_array(data_set, index=frame)
    if photometric == "PALETTE COLOR":
        pixels = apply_color_lut(pixels, data_set)
    if pixels.ndim == _GREY_DIMENSIONS:
        return _windowed(pixels, inverted=photometric == "MONOCHROME1")
    return _eight_bits(pixels)


def _windowed(pixels: NDArray[Any], *, inverted: bool) -> NDArray[np.uint8]:
    import numpy as np  # noqa: PLC0415 (start-up time)

    values = np.nan_to_num(pixels.astype(np.float32))
    low, high = np.percentile(values, _WINDOW_PERCENTILES)
    if low == high:  # nearly all of it has one value: whatever differs counts
        low, high = values.min(), values.max()
    grey = np.clip((values - low) / ((high - low) or 1), 0, 1) * _WHITE
    if inverted:
        grey = _WHITE - grey
    return np.repeat(grey.astype(np.uint8)[..., np.newaxis], 3, axis=2)


def _eight_bits(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    import numpy as np  # noqa: PLC0415 (start-up time)

    brightest = float(pixels.max(initial=0))
    scale = _WHITE / brightest if brightest > _WHITE else 1.0
    return np.clip(pixels[..., :3] * scale, 0, _WHITE).astype(np.uint8)


@contextmanager
def decoding() -> Iterator[None]:
    """Keep pydicom quiet, and make one error of all that damaged pixels raise.

    Raises
    ------
    FrameNotDecodedError
        If they are damaged, or no decoder is installed.
    """
    try:
        with quiet_pydicom():
            yield
    except _DECODING_ERRORS as error:
        raise FrameNotDecodedError("the pixels cannot be decoded") from error
