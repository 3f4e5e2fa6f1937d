"""The bytes of NIfTI files: read volume by volume, and removed from without touching another bit.

The only place in this stage that reads or writes images. A face is removed in the stored bytes:
header, extensions, data type, scaling, byte order and compression stay, and each file is read back
and compared with the original before it takes its place. A file of any length is handled a few
slices at a time. gzip is written without name and time.
"""

from __future__ import annotations

import contextlib
import gzip
import os
import tempfile
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from nibabel.arrayproxy import ArrayProxy
from nibabel.filebasedimages import ImageFileError
from nibabel.nifti1 import Nifti1Image
from nibabel.nifti2 import Nifti2Image
from nibabel.spatialimages import HeaderDataError

from bidsanon.deface.grid import Grid, Mask, Matrix, Volume
from bidsanon.deface.loading import load_image
from bidsanon.files import GZIP_LEVEL, is_gzip, storage_errors

_COPY_BYTES = 1 << 20
_SLAB_VOXELS = 1 << 21
_DIMENSIONS = 3
_SAME_AFFINE_MM = 1e-3
_FARTHEST_VOXELS = 1 << 28
"""Bytes of header and extensions, which are read at once; real ones are some kilobytes."""

Stored = npt.NDArray[Any]


class UnreadableImageError(Exception):
    """An image cannot be defaced because of what it is; the text says why, in words."""


class ChangedElsewhereError(Exception):
    """A file that was written differs from its original outside the mask."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Nifti:
    """A NIfTI-1 or NIfTI-2 file with one header and its voxels in one file.

    Attributes
    ----------
    path
        The file.
    shape
        All axes.
    affine
        Voxel indices to world millimetres, shape (4, 4).
    dtype
        As stored, with its byte order; structured for colours.
    offset
        Where the voxels begin in the decompressed bytes.
    slope, inter
        Value = stored * slope + inter; 1 and 0 where the header says nothing.
    compressed
        Whether it is gzip.
    repairs
        What was put right in the header to read it, in nibabel's words.
    """

    path: Path
    shape: tuple[int, ...]
    affine: Matrix
    dtype: np.dtype[Any]
    offset: int
    slope: float
    inter: float
    compressed: bool
    repairs: tuple[str, ...] = ()

    @property
    def space(self) -> tuple[int, int, int]:
        """The three spatial axes."""
        return self.shape[0], self.shape[1], self.shape[2]

    @property
    def volume_count(self) -> int:
        """How many volumes the axes after the third make."""
        return int(np.prod(self.shape[_DIMENSIONS:], dtype=np.int64))

    @property
    def slice_voxels(self) -> int:
        """How many voxels one slice across the third axis has."""
        return self.shape[0] * self.shape[1]

    def same_grid(self, other: Nifti) -> bool:
        """Tell whether another image's voxels are at the same places."""
        return self.space == other.space and bool(
            np.allclose(self.affine, other.affine, rtol=0, atol=_SAME_AFFINE_MM)
        )


def read_header(path: Path) -> Nifti:
    """Read a NIfTI file's header.

    Raises
    ------
    UnreadableImageError
        If it is no NIfTI image of at least three axes with a usable affine.
    """
    with _reading():
        try:
            image, repairs = load_image(path)
        except (ValueError, OverflowError) as error:
            raise UnreadableImageError("its header holds numbers that make no sense") from error
        except ImageFileError as error:
            if path.stat().st_size == 0:
                raise UnreadableImageError("the file is empty: get it again") from error
            raise
    proxy = image.dataobj if isinstance(image, Nifti1Image | Nifti2Image) else None
    if not isinstance(image, Nifti1Image | Nifti2Image) or not isinstance(proxy, ArrayProxy):
        raise UnreadableImageError("it is not a NIfTI image in a single file")
    shape = tuple(int(length) for length in image.shape)
    if len(shape) < _DIMENSIONS or min(shape) < 1:
        raise UnreadableImageError(f"it has {len(shape)} axes, and three are needed")
    affine = np.asarray(image.affine, dtype=np.float64)
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-9:  # noqa: PLR2004
        raise UnreadableImageError("its affine does not say where the voxels are")
    if not 0 <= proxy.offset <= _FARTHEST_VOXELS:
        raise UnreadableImageError("its header holds numbers that make no sense")
    dtype = proxy.dtype
    if not dtype.itemsize:
        raise UnreadableImageError("its voxels are smaller than a byte")
    return Nifti(
        path=path,
        shape=shape,
        affine=affine,
        dtype=dtype,
        # nibabel sets vox_offset in the header to 0; the data proxy remembers it.
        offset=int(proxy.offset),
        slope=float(proxy.slope),
        inter=float(proxy.inter),
        compressed=is_gzip(path),
        repairs=repairs,
    )


def read_codes(image: Nifti) -> tuple[int, int]:
    """Return what an image's header says that its world is: its sform and qform codes."""
    with _reading():
        header = load_image(image.path)[0].header
    return int(header["sform_code"]), int(header["qform_code"])


@dataclass(frozen=True, kw_only=True, eq=False)
class Slab:
    """Some slices of one of an image's volumes.

    Attributes
    ----------
    first
        The number of the first slice within its volume.
    values
        Shape (i, j, slices).
    finite
        Whether all of them were numbers.
    """

    first: int
    values: Volume
    finite: bool = True


def slabs(image: Nifti, *, only: Collection[int] | None = None) -> Iterator[Slab]:
    """Yield an image's volumes as values, in the file's order, some slices at a time.

    Complex values become their magnitude, colours their mean; what is not finite becomes 0. Where
    the slabs begin depends on the grid alone: images of one grid can be read side by side.

    Parameters
    ----------
    image
        The image.
    only
        The numbers of the volumes that are wanted; all if None.

    Raises
    ------
    UnreadableImageError
        If the file ends early or is damaged.
    """
    wanted = range(image.volume_count) if only is None else sorted(only)
    with _reading(), _decompressed(image) as stream:
        _read_exactly(stream, image.offset)
        read = 0
        for number in wanted:
            for run in _runs(image) * (number - read):
                _read_exactly(stream, _bytes_of(image, run))
            for run in _runs(image):
                stored = _stored(image, _read_exactly(stream, _bytes_of(image, run)))
                yield _slab(image, run.start, stored)
            read = number + 1


def magnitude_slabs(real: Nifti, imaginary: Nifti) -> Iterator[Slab]:
    """Yield the magnitudes of an image whose real and imaginary parts are files of their own.

    Raises
    ------
    UnreadableImageError
        If one of the files ends early or is damaged, or one has more volumes than the other.
    """
    if real.volume_count != imaginary.volume_count:
        raise UnreadableImageError("its real and imaginary parts have different numbers of volumes")
    for one, other in zip(slabs(real), slabs(imaginary), strict=True):
        values = np.hypot(one.values, other.values)
        yield Slab(first=one.first, values=values, finite=one.finite and other.finite)


def mean_volume(image: Nifti) -> Grid:
    """Return the mean of a small image's volumes; see :func:`slabs`."""
    total = np.zeros(image.space, dtype=np.float32)
    for slab in slabs(image):
        total[:, :, slab.first : slab.first + slab.values.shape[2]] += slab.values
    if not image.volume_count:
        raise UnreadableImageError("it has no volumes")
    total /= np.float32(image.volume_count)
    return Grid(values=total, affine=image.affine)


def write_volume(grid: Grid, path: Path) -> None:
    """Write a volume as a NIfTI-1 file of its own, for a program that reads files."""
    image = Nifti1Image(grid.values, grid.affine)  # type: ignore[no-untyped-call]
    image.to_filename(path)


def background(image: Nifti, value: float = 0.0) -> Stored:
    """Return the stored number, shape (), that is nearest to a value that stands for nothing.

    In a magnitude image 0 is air. In a phase image whose stored numbers begin at 0 for -pi it is a
    phase of 0, which the stored 0 is not. Colours have no scaling, and become black.
    """
    if image.dtype.fields:
        return np.zeros((), dtype=image.dtype)
    stored = (value - image.inter) / image.slope
    if image.dtype.kind in "iu":
        limits = np.iinfo(image.dtype)
        stored = float(np.clip(np.round(stored), limits.min, limits.max))
    return np.asarray(stored).astype(image.dtype)


def remove(image: Nifti, mask: Mask, *, value: float = 0.0) -> int:
    """Set the masked voxels of every volume to the background, in place of the file.

    Parameters
    ----------
    image
        The image; its file may be read-only, its folder may not.
    mask
        Shape of the image's three spatial axes; True goes.
    value
        What stands for nothing in this image.

    Returns
    -------
    int
        How many voxels of each volume were set.

    Raises
    ------
    UnreadableImageError
        If the file ends early or is damaged; it is then as it was.
    ChangedElsewhereError
        If what was written differs outside the mask; the file is then as it was.
    StorageError
        If there is no room.
    """
    cut = _Cut(goes=mask.ravel(order="F"), nothing=background(image, value))
    mode = image.path.stat().st_mode & 0o777
    with storage_errors("a defaced image"):
        descriptor, name = tempfile.mkstemp(dir=image.path.parent, prefix=".writing-")
        written = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                _write_without(image, cut, file)
            _verify(image, cut, written)
            written.chmod(mode)
            written.replace(image.path)
        except BaseException:
            written.unlink(missing_ok=True)
            raise
    return int(np.count_nonzero(cut.goes))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Cut:
    """Which voxels of a volume go, in the file's order, and the stored number they become."""

    goes: Mask
    nothing: Stored

    def within(self, image: Nifti, run: range) -> Mask:
        """Return which voxels of some slices go."""
        return self.goes[run.start * image.slice_voxels : run.stop * image.slice_voxels]


def _write_without(image: Nifti, cut: _Cut, file: BufferedIOBase) -> None:
    with _decompressed(image) as source, _compressing(image, file) as sink:
        with _reading():
            sink.write(_read_exactly(source, image.offset))
        for run in _all_runs(image):
            with _reading():
                stored = _stored(image, _read_exactly(source, _bytes_of(image, run)))
            stored[cut.within(image, run)] = cut.nothing
            sink.write(stored.data)
        with _reading():
            while rest := source.read(_COPY_BYTES):
                sink.write(rest)
    file.flush()
    os.fsync(file.fileno())


def _verify(image: Nifti, cut: _Cut, written: Path) -> None:
    """Compare what was written with its original: the same outside the mask, nothing inside it."""
    nothing = np.frombuffer(cut.nothing.tobytes(), dtype=_word(image))
    with _decompressed(image) as before, _opened(written, compressed=image.compressed) as after:
        same = before.read(image.offset) == after.read(image.offset)
        for run in _all_runs(image):
            goes = cut.within(image, run)
            one = _words(image, before.read(_bytes_of(image, run)))
            other = _words(image, after.read(_bytes_of(image, run)))
            same &= one.shape == other.shape
            same &= same and not ((one != other).any(axis=1) & ~goes).any()
            same &= same and not (other[goes] != nothing).any()
        same &= before.read() == after.read()
    if not same:
        raise ChangedElsewhereError


def _runs(image: Nifti) -> list[range]:
    """Return the slices of one volume, in runs of which each fits into memory."""
    depth = max(1, _SLAB_VOXELS // image.slice_voxels)
    return [
        range(start, min(start + depth, image.shape[2]))
        for start in range(0, image.shape[2], depth)
    ]


def _all_runs(image: Nifti) -> Iterator[range]:
    for _ in range(image.volume_count):
        yield from _runs(image)


def _bytes_of(image: Nifti, run: range) -> int:
    return len(run) * image.slice_voxels * image.dtype.itemsize


def _slab(image: Nifti, first: int, stored: Stored) -> Slab:
    with np.errstate(over="ignore", invalid="ignore"):
        values = _scaled(image, stored)
    finite = bool(np.isfinite(values).all())
    if not finite:
        values = np.nan_to_num(values, posinf=0.0, neginf=0.0)
    shaped = values.reshape((image.shape[0], image.shape[1], -1), order="F")
    return Slab(first=first, values=shaped, finite=finite)


def _scaled(image: Nifti, stored: Stored) -> Volume:
    values: Volume
    if image.dtype.fields:
        parts = [stored[name].astype(np.float32) for name in image.dtype.fields]
        values = np.mean(parts, axis=0, dtype=np.float32)
    elif image.dtype.kind == "c":
        values = np.abs(stored).astype(np.float32)
    else:
        values = stored.astype(np.float32)
    if (image.slope, image.inter) != (1.0, 0.0):
        values = values * np.float32(image.slope) + np.float32(image.inter)
    return values


def _stored(image: Nifti, content: bytearray) -> Stored:
    return np.frombuffer(content, dtype=image.dtype)


def _word(image: Nifti) -> np.dtype[np.unsignedinteger[npt.NBitBase]]:
    """Return the widest unsigned integer that voxels are made of: quick to compare, NaN or not."""
    width = max(width for width in (1, 2, 4, 8) if image.dtype.itemsize % width == 0)
    return np.dtype(f"u{width}")


def _words(image: Nifti, content: bytes) -> npt.NDArray[np.unsignedinteger[npt.NBitBase]]:
    word = _word(image)
    whole = len(content) - len(content) % image.dtype.itemsize
    words = np.frombuffer(content[:whole], dtype=word)
    return words.reshape(-1, image.dtype.itemsize // word.itemsize)


def _read_exactly(stream: BufferedIOBase, count: int) -> bytearray:
    content = bytearray(stream.read(count))
    if len(content) < count:
        raise UnreadableImageError("the file ends before its voxels do")
    return content


@contextlib.contextmanager
def _reading() -> Iterator[None]:
    """Turn what damaged files raise into one error with words."""
    try:
        yield
    except HeaderDataError as error:
        words = "its header holds what NIfTI does not define: the kind of its voxels, for example"
        raise UnreadableImageError(words) from error
    except ImageFileError as error:
        raise UnreadableImageError("it is not a NIfTI image in a single file") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        words = "the compressed file is damaged or ends early: get it again"
        raise UnreadableImageError(words) from error
    except PermissionError as error:
        raise UnreadableImageError("you may not read it: check its permissions") from error
    except FileNotFoundError as error:
        raise UnreadableImageError("it is not there") from error


@contextlib.contextmanager
def _decompressed(image: Nifti) -> Iterator[BufferedIOBase]:
    with _opened(image.path, compressed=image.compressed) as stream:
        yield stream


@contextlib.contextmanager
def _opened(path: Path, *, compressed: bool) -> Iterator[BufferedIOBase]:
    with gzip.open(path, "rb") if compressed else path.open("rb") as stream:
        yield stream


@contextlib.contextmanager
def _compressing(image: Nifti, file: BufferedIOBase) -> Iterator[BufferedIOBase]:
    if not image.compressed:
        yield file
        return
    with gzip.GzipFile("", "wb", GZIP_LEVEL, file, mtime=0) as stream:
        yield stream
