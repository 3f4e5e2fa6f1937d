"""FreeSurfer volumes that are stored already: command lines and paths go, no voxel changes.

Zeros take their places, so that all else stays where it is.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from bidsanon.bids.mgh import MghError, MghText, opened_mgh, read_mgh
from bidsanon.files import is_gzip, write_gzip
from bidsanon.scrub.columns import TablePolicy
from bidsanon.scrub.gzip_member import NotOneMemberError, read_gzip
from bidsanon.scrub.telling import tells_of_person

_CHUNK = 1 << 20


def scrub_stored_mgh(source: Path, target: Path | None, policy: TablePolicy) -> tuple[str, ...]:
    """Write a volume without what says by which commands it was made, where it says so.

    Parameters
    ----------
    source
        The volume, compressed or not.
    target
        Where it is written if it changes; None: it is only looked at.
    policy
        How texts are judged.

    Returns
    -------
    What changes, in words.

    Raises
    ------
    MghError
        If it is none, is damaged, or texts that have to stay may identify somebody.
    """
    if not source.stat().st_size:
        return ()  # examples of datasets hold empty files
    with opened_mgh(source) as stream:
        facts = read_mgh(stream)
    if any(tells_of_person(text, policy) for text in facts.texts):
        raise MghError("a text behind its voxels may identify somebody")
    said = Counter(f"{text.what} emptied" for text in facts.made_by)
    head = ["name, time or comment taken out of the gzip header"] if _head_tells(source) else []
    words = (*(f"{count} {what}" for what, count in sorted(said.items())), *head)
    if words and target is not None:
        _write(source, target, facts.made_by)
    return words


def _head_tells(source: Path) -> bool:
    """Tell whether a gzip header says more than it has to."""
    if not is_gzip(source):
        return False
    with source.open("rb") as stream:
        try:
            return read_gzip(stream).tells
        except NotOneMemberError:
            return True


def _write(source: Path, target: Path, emptied: list[MghText]) -> None:
    checksum = 0

    def content() -> Iterator[bytes]:
        nonlocal checksum
        with opened_mgh(source) as stream:
            for chunk in _with_zeros(stream, emptied):
                checksum = zlib.crc32(chunk, checksum)
                yield chunk

    if is_gzip(source):
        write_gzip(target, content())
    else:
        with target.open("wb") as plain:
            plain.writelines(content())
    written = 0
    with opened_mgh(target) as stream:
        while chunk := stream.read(_CHUNK):
            written = zlib.crc32(chunk, written)
    if written != checksum:
        raise MghError("the copy that was to be stored differs from it")


def _with_zeros(stream: BinaryIO, emptied: list[MghText]) -> Iterator[bytes]:
    position = 0
    while chunk := stream.read(_CHUNK):
        changed = bytearray(chunk)
        for text in emptied:
            begin = max(0, text.place - position)
            end = min(len(chunk), text.place + len(text.content) - position)
            if begin < end:
                changed[begin:end] = bytes(end - begin)
        yield bytes(changed)
        position += len(chunk)
