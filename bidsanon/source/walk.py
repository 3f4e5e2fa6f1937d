"""Which files the SOURCE arguments name: folders walked, archives unpacked, media followed."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bidsanon.errors import SourceError, UsageError
from bidsanon.source.archive import packing_of, unpack
from bidsanon.source.header import MEDIA_STORAGE_DIRECTORY, read_header
from bidsanon.source.medium import references


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundFile:
    """A file of the source.

    Attributes
    ----------
    path
        Where it is. Identified.
    number
        Which SOURCE argument it came from: 1, 2, ...
    """

    path: Path
    number: int


@dataclass(kw_only=True)
class SourceFiles:
    """What the SOURCE arguments hold, as it is collected.

    Attributes
    ----------
    roots
        The folders in which the files are.
    names
        Every name that the user gave or that lies below it. Identified.
    files
        Every regular file once, in the order of the arguments and then of the paths.
    unread
        How many files and folders cannot be read, by the number of the SOURCE.
    special
        How many entries are no regular files (sockets, devices): they are never opened.
    unpacked
        The archive of which each folder was unpacked.
    """

    roots: list[Path] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    files: list[FoundFile] = field(default_factory=list)
    unread: Counter[int] = field(default_factory=Counter)
    special: int = 0
    unpacked: dict[Path, Path] = field(default_factory=dict)

    def require_all_read(self) -> None:
        """Refuse a source of which something cannot be read.

        Raises
        ------
        SourceError
            If there is any, of all SOURCE arguments together.
        """
        if not self.unread:
            return
        places = ", ".join(
            f"{count} file(s) or folder(s) of SOURCE number {number}"
            for number, count in sorted(self.unread.items())
        )
        raise SourceError(
            f"{places} cannot be read",
            cure="check their permissions, and links that lead nowhere; on a worn medium, "
            "copy it to a disk first",
        )


def collect_files(sources: Sequence[Path], *, unpack_into: Path) -> SourceFiles:
    """Find every file that the SOURCE arguments name.

    What cannot be read is counted in the result and left for the caller to judge, so that all of
    it is reported at once.

    Parameters
    ----------
    sources
        Folders, archives, DICOMDIRs, single files.
    unpack_into
        Where a private folder is made for each archive.

    Raises
    ------
    UsageError
        If a SOURCE is not there.
    SourceError
        If an archive is refused.
    """
    missing = [n for n, source in enumerate(sources, 1) if not os.path.lexists(source)]
    if missing:
        raise UsageError(
            f"there is no file or folder that SOURCE number {' and '.join(map(str, missing))} "
            "names",
            cure="check the spelling of the path",
        )
    collector = _Collector(unpack_into)
    for number, source in enumerate(sources, 1):
        collector.add(source.absolute(), number)
    return collector.found


def names_of(name: str) -> set[str]:
    """Return a name with and without its suffixes."""
    return {name, Path(name).stem, name.partition(".")[0]} - {""}


class _Collector:
    def __init__(self, unpack_into: Path) -> None:
        self.found = SourceFiles()
        self._unpack_into = unpack_into
        self._seen: set[str] = set()
        self._number = 0

    def add(self, source: Path, number: int) -> None:
        """Add what one SOURCE argument names."""
        self._number = number
        self._name(os.path.basename(os.path.normpath(source)))  # noqa: PTH119 (a link keeps its name)
        try:
            if source.is_dir():
                self._add_root(source)
            elif source.is_file():
                self._add_file(source)
            elif source.is_symlink():
                self.found.unread[number] += 1
            else:
                self.found.special += 1
        except OSError:
            self.found.unread[number] += 1

    def _add_root(self, folder: Path) -> None:
        self.found.roots.append(folder)
        self._walk(folder)

    def _add_file(self, path: Path) -> None:
        header = read_header(path)
        if header is not None and header.sop_class_uid == MEDIA_STORAGE_DIRECTORY:
            self._add_medium(path)
            return
        packing = packing_of(path) if header is None else None
        if packing is not None:
            into = self._unpack_into / f"source-{self._number}"
            unpack(path, packing, into, place=f"SOURCE number {self._number}")
            self.found.unpacked[into] = path
            self._add_root(into)
            return
        self.found.roots.append(path.parent)
        self._take(path, os.path.realpath(path))

    def _add_medium(self, directory: Path) -> None:
        folder = directory.parent
        self.found.roots.append(folder)
        for path in references(directory).found:
            for part in path.relative_to(folder).parts:
                self._name(part)
            self._take(path, os.path.realpath(path))
        self._take(directory, os.path.realpath(directory))

    def _walk(self, folder: Path) -> None:
        real = os.path.realpath(folder)
        if real in self._seen:
            return  # a link led here again
        self._seen.add(real)
        try:
            with os.scandir(folder) as entries:
                ordered = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            self.found.unread[self._number] += 1
            return
        for entry in ordered:
            self._name(entry.name)
            self._enter(folder / entry.name, entry, os.path.join(real, entry.name))  # noqa: PTH118 (thousands of files)

    def _enter(self, path: Path, entry: os.DirEntry[str], real: str) -> None:
        try:
            if entry.is_dir():
                self._walk(path)
            elif entry.is_file():
                self._take(path, os.path.realpath(path) if entry.is_symlink() else real)
            elif entry.is_symlink():
                self.found.unread[self._number] += 1
            else:
                self.found.special += 1
        except OSError:
            self.found.unread[self._number] += 1

    def _take(self, path: Path, real: str) -> None:
        if real not in self._seen:
            self._seen.add(real)
            self.found.files.append(FoundFile(path=path, number=self._number))

    def _name(self, name: str) -> None:
        self.found.names.update(names_of(name))
