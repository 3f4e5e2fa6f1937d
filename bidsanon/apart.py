"""Has a file read in a process of its own, which neither its size nor its making can take along.

What reads formats that are large and old (PDF, HDF5) may be led astray by a damaged file: into
endless work, out of memory, out of its own bounds. The process is ended then, and that is said.
"""

from __future__ import annotations

import os
import resource
import struct
import sys
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from typing import BinaryIO, NamedTuple

from bidsanon.external import started_module

LARGEST_RECORD = 1 << 27
_HEAD = struct.Struct(">cI")
_MOST_MEMORY = 5 << 27
_MOST_SECONDS = 120


class Kind(Enum):
    """What a record is."""

    TEXT = b"T"
    """A text that stands in the file, as UTF-8."""
    FILE = b"F"
    """A file within it."""
    PROBLEM = b"P"
    """Why some of it cannot be read."""
    END = b"E"
    """That everything was told."""


class Record(NamedTuple):
    """One thing that a file holds."""

    kind: Kind
    content: bytes = b""


def read_apart(module: str, file: BinaryIO, *, what: str) -> Iterator[Record]:
    """Yield what a module of bidsanon tells of a file, and why some of it cannot be read.

    Parameters
    ----------
    module
        Its name; run as a program it calls :func:`tell`.
    file
        A file with a descriptor of its own.
    what
        What the file is, in words: "a PDF".
    """
    with started_module(module, file) as told:
        for record in _read_records(told):
            if record.kind is Kind.END:
                return
            yield record
    overdue = f"it is {what} that takes too long, or too much memory, to read"
    yield Record(Kind.PROBLEM, overdue.encode())


def tell(read: Callable[[BinaryIO], Iterable[Record]]) -> None:
    """Read standard input within bounds, and write what it holds to standard output.

    Parameters
    ----------
    read
        Gives what a file holds. The file can be read in any order.
    """
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_MOST_SECONDS, _MOST_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with os.fdopen(sys.stdin.fileno(), "rb", closefd=False) as stream:
        for record in read(stream):
            _write(record)
    _write(Record(Kind.END))
    sys.stdout.buffer.flush()


def _write(record: Record) -> None:
    sys.stdout.buffer.write(_HEAD.pack(record.kind.value, len(record.content)))
    sys.stdout.buffer.write(record.content)


def _read_records(stream: BinaryIO) -> Iterator[Record]:
    """Yield the records that are whole; the last is no ``END`` where the process was ended."""
    while len(head := stream.read(_HEAD.size)) == _HEAD.size:
        kind, size = _HEAD.unpack(head)
        content = stream.read(size) if size <= LARGEST_RECORD else b""
        if len(content) < size:
            return
        yield Record(Kind(kind), content)
