"""Goes through all groups, data sets and attributes of an HDF5 file, and tells their texts.

Numbers are not looked at, but for MATLAB's texts, which are numbers of characters. Links to other
files are told, and not followed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

import h5py
import numpy as np

from bidsanon.apart import Kind, Record

_MOST_OBJECTS = 1 << 18
_MOST_CHARACTERS = 1 << 24
_DEEPEST = 64
_ROWS_AT_ONCE = 1 << 12
_MATLAB_CLASS = "MATLAB_class"
_DAMAGED = (OSError, RuntimeError, ValueError, KeyError, TypeError, RecursionError, OverflowError)
"""What h5py raises for what is damaged, or for what it does not know."""


class _TooMuchError(Exception):
    """A file says more than anybody reads."""


def read_hdf5(stream: BinaryIO) -> Iterator[Record]:
    """Yield each text with the names above it, as a list in JSON, and what cannot be read.

    Parameters
    ----------
    stream
        The file; it can be read in any order.
    """
    problem = ""
    reading = _Reading()
    try:
        with h5py.File(stream, "r") as file:
            yield from reading.group(file, ())
    except _TooMuchError:
        problem = "it holds more texts than are read"
    except _DAMAGED:
        problem = "it is HDF5 that is damaged"
    if reading.unread:
        problem = problem or f"{reading.unread} of the things in it cannot be read"
    if problem:
        yield Record(Kind.PROBLEM, problem.encode())


class _Reading:
    """One file's texts.

    Attributes
    ----------
    unread
        How many of the things in it cannot be read.
    """

    def __init__(self) -> None:
        self.unread = 0
        self._seen: set[Any] = set()
        self._objects = 0
        self._characters = 0

    def group(self, group: Any, names: tuple[str, ...]) -> Iterator[Record]:
        """Yield what a group holds; what is linked twice is told once."""
        yield from self._attributes(group, names)
        for name in group:
            below = (*names, str(name))
            link = group.get(name, getlink=True)
            if isinstance(link, (h5py.SoftLink, h5py.ExternalLink)):
                yield self._told(below, getattr(link, "filename", "") or link.path)
                continue
            try:
                yield from self._object(group[name], below)
            except _DAMAGED:
                self.unread += 1

    def _object(self, found: Any, names: tuple[str, ...]) -> Iterator[Record]:
        self._objects += 1
        if self._objects > _MOST_OBJECTS or len(names) > _DEEPEST:
            raise _TooMuchError
        info = h5py.h5o.get_info(found.id)
        if (info.fileno, info.addr) in self._seen:
            return
        self._seen.add((info.fileno, info.addr))
        if isinstance(found, h5py.Group):
            yield from self.group(found, names)
            return
        yield from self._attributes(found, names)
        if isinstance(found, h5py.Dataset):
            yield from self._data(found, names)

    def _attributes(self, found: Any, names: tuple[str, ...]) -> Iterator[Record]:
        for name in found.attrs:
            try:
                value = found.attrs[name]
            except _DAMAGED:
                self.unread += 1
                continue
            for text in _texts(value):
                yield self._told((*names, str(name)), text)

    def _data(self, found: Any, names: tuple[str, ...]) -> Iterator[Record]:
        for file, *_ in found.external or ():
            yield self._told(names, str(file))
        if found.external or found.is_virtual or found.shape is None:
            return
        kind = found.attrs.get(_MATLAB_CLASS, b"")
        if kind == b"char":
            if found.size > _MOST_CHARACTERS:
                raise _TooMuchError
            yield self._told(names, _matlab_text(found[()]))
        elif found.dtype.kind in "OSV":
            yield from self._in_rows(found, names)

    def _in_rows(self, found: Any, names: tuple[str, ...]) -> Iterator[Record]:
        if not found.shape:
            for text in _texts(found[()]):
                yield self._told(names, text)
            return
        for first in range(0, found.shape[0], _ROWS_AT_ONCE):
            for text in _texts(found[first : first + _ROWS_AT_ONCE]):
                yield self._told(names, text)

    def _told(self, names: tuple[str, ...], text: str) -> Record:
        self._characters += len(text) + 1
        if self._characters > _MOST_CHARACTERS:
            raise _TooMuchError
        return Record(Kind.TEXT, json.dumps([*names, text]).encode())


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts of a value; references to other things are none."""
    if isinstance(value, bytes):
        yield value.rstrip(b"\0").decode("utf-8", "replace")
    elif isinstance(value, str):
        yield str(value)
    elif isinstance(value, np.void) and value.dtype.names:
        for name in value.dtype.names:
            yield from _texts(value[name])
    elif isinstance(value, np.ndarray) and value.dtype.kind in "OSUV":
        for one in value.ravel():
            yield from _texts(one)


def _matlab_text(codes: Any) -> str:
    """Read what MATLAB writes as the numbers of UTF-16, column by column."""
    return np.asarray(codes).astype("<u2").tobytes().decode("utf-16-le", "replace")
