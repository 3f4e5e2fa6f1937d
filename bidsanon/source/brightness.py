"""Frames whose brightest value repeats: what is drawn into an image has one value, a high one."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from heapq import nlargest
from typing import TYPE_CHECKING, Any

from bidsanon.dicom.encoding import (
    EXPLICIT_VR_BIG_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
)
from bidsanon.source.reading import Readable

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BYTE_ORDER = {
    EXPLICIT_VR_BIG_ENDIAN: ">",
    EXPLICIT_VR_LITTLE_ENDIAN: "<",
    IMPLICIT_VR_LITTLE_ENDIAN: "<",
}
_WHOLE_BYTES = frozenset({8, 16, 32})
_LEAST_REPEATED = 24
"""Four letters have more pixels, in whatever font; a measured image has fewer of one value."""
_MOST_FRAMES = 8


def most_uniform(images: Iterable[Readable]) -> list[tuple[Readable, int]]:
    """Return the frames in which most voxels share the brightest value: eight at most.

    Parameters
    ----------
    images
        Images whose pixel data are whole. Those in colour and compressed ones are left out.

    Returns
    -------
    list of tuple
        An image and the number of its frame, counted from 0; the most uniform first.
    """
    found = [
        (count, place, frame, image)
        for place, image in enumerate(images)
        for frame, count in _repeated(image)
        if count >= _LEAST_REPEATED
    ]
    first = nlargest(_MOST_FRAMES, found, key=lambda one: (one[0], -one[1], -one[2]))
    return [(image, frame) for _, _, frame, image in first]


def _repeated(image: Readable) -> Iterator[tuple[int, int]]:
    """Yield how often the brightest value stands in each frame that is not all of one value."""
    form, order = image.header.form, _BYTE_ORDER.get(image.header.transfer_syntax_uid)
    voxels = form.rows * form.columns
    if order is None or form.samples != 1 or form.bits_allocated not in _WHOLE_BYTES or not voxels:
        return
    import numpy as np  # noqa: PLC0415 (start-up time)

    size = form.bits_allocated // 8
    with image.path.open("rb") as stream:
        # Behind the pixel data there is padding at most: where a few values more or less are
        # counted, nothing is lost.
        stream.seek(-form.length, os.SEEK_END)
        for frame in range(form.frames):
            content = stream.read(voxels * size)
            words: NDArray[Any] = np.frombuffer(
                content,
                dtype=f"{order}{'i' if form.signed else 'u'}{size}",
                count=len(content) // size,
            )
            if words.size and (brightest := words.max()) != words.min():
                yield frame, int(np.count_nonzero(words == brightest))
