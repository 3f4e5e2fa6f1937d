"""What a FreeSurfer volume (.mgh, .mgz) says behind its voxels: the commands that made it.

The header has 284 bytes; the voxels follow, then five numbers, then tags: a number, a length and
data (big-endian). Command lines and the path of a transform name users and folders.
"""

from __future__ import annotations

import contextlib
import gzip
import math
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

from bidsanon.files import is_gzip

EXTENSIONS = (".mgz", ".mgh", ".mgh.gz")

_HEAD = struct.Struct(">7i")
_HEADER_BYTES, _USED_BYTES = 284, 90
_VERSION = 1
_BYTES = {0: 1, 1: 4, 3: 4, 4: 2, 10: 2}
_NUMBERS_BYTES = 20
_MOST_BEHIND = 1 << 26
_CHUNK = 1 << 20
_OLD_TRANSFORM = 30
_TEXTS = {
    3: "a command line",
    31: "the path of a transform",
    _OLD_TRANSFORM: "the path of a transform",
}
_WITHOUT_LENGTH = frozenset({1, 10, 11, 12, 20})
_EMPTY = 2
_RUN = re.compile(rb"[\x20-\x7e\x80-\xff]{4,}")


class MghError(ValueError):
    """It is no such volume, or damaged. The text holds nothing of its content."""


@dataclass(frozen=True, kw_only=True)
class MghText:
    """A text that says how the volume was made.

    Attributes
    ----------
    what
        What it is, in words.
    place
        Where it begins in the file, decompressed.
    content
        Its bytes.
    """

    what: str
    place: int
    content: bytes


@dataclass(kw_only=True)
class MghFacts:
    """What a volume says beside its voxels.

    Attributes
    ----------
    made_by
        Commands and paths, which nothing needs that reads the volume.
    texts
        Other texts: names of structures, say.
    """

    made_by: list[MghText] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)


@contextlib.contextmanager
def opened_mgh(path: Path) -> Iterator[BinaryIO]:
    """Open a volume, compressed or not, whatever its name says.

    Raises
    ------
    MghError
        If its compressed data turn out to be damaged while it is read.
    """
    try:
        with gzip.open(path) if is_gzip(path) else path.open("rb") as stream:
            yield cast("BinaryIO", stream)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise MghError("its compressed data are damaged") from error


def read_mgh(stream: BinaryIO) -> MghFacts:
    """Read what a volume says.

    Parameters
    ----------
    stream
        The file, decompressed, at its beginning.

    Raises
    ------
    MghError
        If it is none, or is damaged.
    """
    header = stream.read(_HEADER_BYTES)
    facts = MghFacts(texts=list(_runs(header[_USED_BYTES:])))
    place = _HEADER_BYTES + _skip_voxels(stream, header)
    behind = stream.read(_MOST_BEHIND + 1)
    if len(behind) > _MOST_BEHIND:
        raise MghError("it is longer than its header says by more than tags take")
    _read_tags(behind, place, facts)
    return facts


def _skip_voxels(stream: BinaryIO, header: bytes) -> int:
    if len(header) < _HEADER_BYTES:
        raise MghError("it ends within its header")
    version, *told = _HEAD.unpack_from(header)
    sizes: list[int] = told[:4]
    kind = told[4]
    if version != _VERSION or kind not in _BYTES or min(sizes) < 1:
        raise MghError("it has no header of a FreeSurfer volume")
    left = size = math.prod(sizes) * _BYTES[kind]
    while left:
        chunk = stream.read(min(left, _CHUNK))
        if not chunk:
            raise MghError("it ends before its voxels do")
        left -= len(chunk)
    return size


def _read_tags(behind: bytes, place: int, facts: MghFacts) -> None:
    """Take note of the texts of tags; where a tag has no length, what follows is one text."""
    position = _NUMBERS_BYTES
    while position + 4 <= len(behind):
        (tag,) = struct.unpack_from(">i", behind, position)
        if tag in _WITHOUT_LENGTH or tag == 0:
            break
        begin, size = _data(behind, position, tag)
        if begin + size > len(behind) or size < 0:
            raise MghError("a tag behind its voxels is damaged")
        content = behind[begin : begin + size]
        if tag not in _TEXTS:
            facts.texts += _runs(content)
        elif content.strip(b"\0 "):
            facts.made_by.append(MghText(what=_TEXTS[tag], place=place + begin, content=content))
        position = begin + size
    facts.texts += _runs(behind[position:])


def _data(behind: bytes, position: int, tag: int) -> tuple[int, int]:
    """Return where a tag's data begin, and how many bytes they have."""
    if tag == _EMPTY:
        return position + 4, 0
    form = ">i" if tag == _OLD_TRANSFORM else ">q"
    begin = position + 4 + struct.calcsize(form)
    if begin > len(behind):
        raise MghError("a tag behind its voxels is damaged")
    return begin, int(struct.unpack_from(form, behind, position + 4)[0])


def _runs(content: bytes) -> Iterator[str]:
    """Yield what may be text."""
    for run in _RUN.findall(content):
        yield run.decode("utf-8", "replace")
