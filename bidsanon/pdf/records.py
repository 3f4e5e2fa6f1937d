"""What the process that reads a PDF tells, one record after the other."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import Enum
from typing import BinaryIO, NamedTuple

_HEAD = struct.Struct(">cI")
LARGEST_RECORD = 1 << 27


class Kind(Enum):
    """What a record is."""

    TEXT = b"T"
    """What is shown, or what stands in an object, as UTF-8."""
    FILE = b"F"
    """What a stream holds: a file that is attached, say."""
    PROBLEM = b"P"
    """Why some of it cannot be read."""
    END = b"E"
    """That everything was told."""


class Record(NamedTuple):
    """One thing that a PDF holds."""

    kind: Kind
    content: bytes = b""


def write_record(stream: BinaryIO, record: Record) -> None:
    """Write a record."""
    stream.write(_HEAD.pack(record.kind.value, len(record.content)))
    stream.write(record.content)


def read_records(stream: BinaryIO) -> Iterator[Record]:
    """Yield the records that are whole; the last is no ``END`` where the process was ended."""
    while len(head := stream.read(_HEAD.size)) == _HEAD.size:
        kind, size = _HEAD.unpack(head)
        content = stream.read(size) if size <= LARGEST_RECORD else b""
        if len(content) < size:
            return
        yield Record(Kind(kind), content)
