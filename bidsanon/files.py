"""Files written whole or not at all, private where they must be, and the same bytes every time."""

from __future__ import annotations

import contextlib
import errno
import gzip
import hashlib
import json
import mmap
import os
import shutil
import stat
import struct
import tempfile
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

from bidsanon.errors import StorageError, UsageError

PRIVATE_FOLDER_MODE = 0o700
PRIVATE_FILE_MODE = 0o600
GZIP_LEVEL = 4
"""On MR images zlib's level 6 takes three to four times as long and saves 1 % (T1w, dwi, bold)."""
LARGE_FILE_BYTES = 1 << 26
"""From here on a file is mapped rather than read."""

_SYNC_THREADS = 16
_CHUNK = 1 << 20
_PART = 1 << 24
GZIP_HEADER = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
_DEFLATE_WINDOW = 1 << 15
_SAMPLE, _SAMPLES = 1 << 12, 4
DEFLATE_END = b"\x03\0"
_OUT_OF_ROOM = {errno.ENOSPC, errno.EDQUOT}
_NOT_WRITABLE = {errno.EACCES, errno.EPERM, errno.EROFS}


def content_of(stream: BinaryIO) -> bytes:
    """Return the bytes of an open file.

    Those of a large one are mapped, and behave like bytes as far as slices and views go: what
    nobody looks at is never read, and :func:`in_parts` lets go of what was looked at.
    """
    if os.fstat(stream.fileno()).st_size >= LARGE_FILE_BYTES:
        return cast("bytes", mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))
    stream.seek(0)
    return stream.read()


def in_parts(view: memoryview) -> Iterator[memoryview]:
    """Yield a long stretch of bytes part by part, each of which may be forgotten after use."""
    for begin in range(0, len(view), _PART):
        yield view[begin : begin + _PART]
        if isinstance(view.obj, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
            view.obj.madvise(mmap.MADV_DONTNEED)


@contextlib.contextmanager
def storage_errors(place: str) -> Iterator[None]:
    """Turn "no space left", "not allowed" and "a folder is in the way" into errors with words.

    Parameters
    ----------
    place
        What is being written, in words that hold nothing identifying ("the private folder").

    Raises
    ------
    StorageError
        If the disk is full, the place cannot be written, or a folder stands where a file belongs.
    """
    try:
        yield
    except IsADirectoryError as error:
        raise StorageError(
            f"a folder stands where a file of {place} should be",
            cure="move the folder away and run it again",
        ) from error
    except OSError as error:
        if error.errno in _OUT_OF_ROOM:
            raise StorageError(
                f"no space left while writing {place}", cure="free some space and run it again"
            ) from error
        if error.errno in _NOT_WRITABLE:
            raise StorageError(
                f"{place} cannot be written", cure="check its permissions and run it again"
            ) from error
        raise


def make_private_folder(path: Path) -> Path:
    """Make a folder that only its owner can enter, and return it.

    Raises
    ------
    StorageError
        If its file system lets nobody make folders (/proc).
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except FileNotFoundError as error:
        raise StorageError(
            "a folder cannot be made: its file system takes none", cure="choose another place"
        ) from error
    path.chmod(PRIVATE_FOLDER_MODE)
    return path


def fresh_folder(path: Path) -> Path:
    """Make `path` an empty private folder, whatever stood there, and return it."""
    remove_tree(path)
    return make_private_folder(path)


def remove_tree(path: Path) -> None:
    """Remove a folder with all that is in it, read-only entries too; a missing one is fine."""
    if not path.exists():
        return
    for folder, _, _ in os.walk(path):
        Path(folder).chmod(PRIVATE_FOLDER_MODE)
    shutil.rmtree(path)


def overwrite_file(stream: BinaryIO) -> None:
    """Write zeros over a file that is open for writing, and bring them to the disk."""
    left = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    while left:
        left -= stream.write(bytes(min(left, _CHUNK)))
    stream.flush()
    os.fsync(stream.fileno())


def overwrite_and_remove(path: Path) -> None:
    """Overwrite a file and remove it; a link is only removed, and a missing file is fine."""
    if not path.is_symlink():
        if not path.exists():
            return
        path.chmod(PRIVATE_FILE_MODE)
        with path.open("r+b") as stream:
            overwrite_file(stream)
    path.unlink()


def write_text(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Write a UTF-8 file whole or not at all."""
    write_bytes(path, text.encode(), mode=mode)


def write_bytes(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Write a file whole or not at all."""
    with _written_whole(path, mode=mode) as stream:
        stream.write(content)


def copy_file(source: Path, target: Path, *, mode: int = 0o644) -> None:
    """Copy a file's bytes whole or not at all; what stands at `target` is replaced."""
    with source.open("rb") as content, _written_whole(target, mode=mode) as stream:
        shutil.copyfileobj(content, stream, _CHUNK)


@contextlib.contextmanager
def _written_whole(path: Path, *, mode: int) -> Iterator[BinaryIO]:
    """Give a stream to a file beside `path`, which is then renamed over it, or goes."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(mode)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def sync_path(path: Path) -> None:
    """Bring a file, or the names that a folder holds, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_all(paths: Iterable[Path]) -> None:
    """Bring files and folders to the disk, several at once.

    Each waits for the disk alone, and a journalling file system writes those that wait together.
    That of all programs, as ``sync`` does, may be gigabytes that have nothing to do with it.
    """
    every = list(paths)
    with ThreadPoolExecutor(_SYNC_THREADS) as pool:
        for _ in pool.map(_sync_each, (every[n::_SYNC_THREADS] for n in range(_SYNC_THREADS))):
            pass


def _sync_each(paths: Iterable[Path]) -> None:
    for path in paths:
        sync_path(path)


def move_file(source: Path, target: Path) -> None:
    """Move a file to a place in one step, on another file system too."""
    try:
        source.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        copy_file(source, target, mode=stat.S_IMODE(source.stat().st_mode))
        source.unlink()


def write_json(path: Path, content: object, *, mode: int = 0o644) -> None:
    """Write JSON as BIDS datasets have it: UTF-8, indented by two spaces, keys as given."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n", mode=mode)


def gzip_bytes(content: bytes) -> bytes:
    """Compress to gzip without name and time, so that the same bytes give the same bytes."""
    return gzip.compress(content, GZIP_LEVEL, mtime=0)


def write_gzip(
    path: Path,
    chunks: Iterable[bytes],
    *,
    threads: int = 1,
    mode: int = 0o644,
    dense: bool = False,
) -> None:
    """Write one gzip member without name and time, in bounded memory.

    The content is cut into blocks of one size, and each is compressed on its own with the end of
    the one before it as its dictionary (as pigz does), so the bytes do not depend on `threads`.

    Parameters
    ----------
    path
        Where to write; not replaced in one step, so give a name that nobody reads yet.
    chunks
        The content, in pieces of any size.
    threads
        How many blocks are compressed at once.
    mode
        The file's mode.
    dense
        Whether much of the content is compressed already: such blocks are stored as they are, which
        takes a tenth of the time.
    """
    with path.open("wb") as stream, ThreadPoolExecutor(threads) as pool:
        stream.write(GZIP_HEADER)
        waiting: deque[Callable[[], bytes]] = deque()
        checksum, size, dictionary = 0, 0, b""
        for block in _blocks(chunks):
            checksum, size = zlib.crc32(block, checksum), size + len(block)
            deflate = partial(_deflate, block, dictionary, dense=dense)
            # The last block, often the only one, is not worth a thread.
            waiting.append(pool.submit(deflate).result if len(block) == _CHUNK else deflate)
            dictionary = block[-_DEFLATE_WINDOW:]
            if len(waiting) > 2 * threads:
                stream.write(waiting.popleft()())
        for compressed in waiting:
            stream.write(compressed())
        stream.write(DEFLATE_END + struct.pack("<II", checksum, size & 0xFFFFFFFF))
    path.chmod(mode)


def _blocks(chunks: Iterable[bytes]) -> Iterator[bytes]:
    rest = bytearray()
    for chunk in chunks:
        rest += chunk
        while len(rest) >= _CHUNK:
            yield bytes(rest[:_CHUNK])
            del rest[:_CHUNK]
    if rest:
        yield bytes(rest)


def _deflate(block: bytes, dictionary: bytes, *, dense: bool) -> bytes:
    level = zlib.Z_NO_COMPRESSION if dense and _is_dense(block) else GZIP_LEVEL
    compressor = zlib.compressobj(level, wbits=-zlib.MAX_WBITS, zdict=dictionary)
    return compressor.compress(block) + compressor.flush(zlib.Z_SYNC_FLUSH)


def _is_dense(block: bytes) -> bool:
    """Tell by samples of a block that compressing it would hardly make it smaller."""
    step = max(1, len(block) // _SAMPLES)
    samples = [block[begin : begin + _SAMPLE] for begin in range(0, len(block), step)]
    return all(len(zlib.compress(s, zlib.Z_BEST_SPEED)) >= len(s) for s in samples)


def is_gzip(path: Path) -> bool:
    """Tell by its first two bytes whether a file is gzip."""
    with path.open("rb") as stream:
        return stream.read(2) == b"\x1f\x8b"


def sha256(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def file_state(path: Path) -> tuple[int, ...]:
    """Return what changes when somebody writes or replaces a file, or what its link leads to.

    Empty where there is none.
    """
    try:
        states = path.lstat(), path.stat()
    except FileNotFoundError:
        return ()
    return tuple(n for s in states for n in (s.st_dev, s.st_ino, s.st_size, s.st_mtime_ns))


def files_below(folder: Path) -> Iterator[Path]:
    """Yield every file and link below a folder, hidden ones too, in sorted order."""
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_dir():
            yield path


def require_apart(first: Path, second: Path, *, first_name: str, second_name: str) -> None:
    """Refuse two folders of which one lies within the other.

    Raises
    ------
    UsageError
        If they are the same folder or one holds the other.
    """
    a, b = first.resolve(), second.resolve()
    if a == b or a.is_relative_to(b) or b.is_relative_to(a):
        raise UsageError(
            f"{first_name} and {second_name} must not lie within each other",
            cure=f"choose a place for {first_name} outside {second_name}",
        )
