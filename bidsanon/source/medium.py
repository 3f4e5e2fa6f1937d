"""A medium's directory (DICOMDIR, PS3.3 annex F): which files it says the medium holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bidsanon.dicom.elements import encoding_of_items
from bidsanon.dicom.encoding import NotUnderstoodError
from bidsanon.dicom.file_format import DicomFile, read_file
from bidsanon.dicom.parsing import read_item, read_items

_RECORDS = 0x00041220
_FILE_ID = 0x00041500


@dataclass(frozen=True, kw_only=True)
class References:
    """What a DICOMDIR refers to.

    Attributes
    ----------
    found
        The files that are there, each once, sorted.
    dangling
        How many references lead to nothing, or out of the medium.
    """

    found: tuple[Path, ...]
    dangling: int


def references(directory: Path) -> References:
    """Follow the references of a DICOMDIR; one that cannot be understood refers to nothing.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    try:
        identifiers = list(_file_identifiers(read_file(directory.read_bytes())))
    except NotUnderstoodError:
        identifiers = []
    paths = [_resolve(directory.parent, parts) for parts in identifiers]
    return References(
        found=tuple(sorted({path for path in paths if path is not None})),
        dangling=sum(path is None for path in paths),
    )


def _file_identifiers(file: DicomFile) -> Iterator[list[str]]:
    encoding = file.data_set.encoding
    for element in file.data_set.elements:
        if element.tag != _RECORDS:
            continue
        inner = encoding_of_items(element, encoding)
        for item in read_items(file.content, element, encoding, depth=1):
            for inside in read_item(file.content, item, inner, depth=1).elements:
                if inside.tag == _FILE_ID and inside.end > inside.body:
                    value = file.content[inside.body : inside.end].decode("latin-1")
                    yield [part.strip(" \0") for part in value.split("\\")]


def _resolve(folder: Path, parts: list[str]) -> Path | None:
    """Find a referenced file, in whatever case a copy of the medium has its name."""
    path = folder
    for part in parts:
        if part in {"", ".", ".."} or "/" in part:
            return None
        path = path / part if (path / part).exists() else _in_another_case(path, part)
        if not path.exists():
            return None
    return path if path.is_file() else None


def _in_another_case(folder: Path, name: str) -> Path:
    if folder.is_dir():
        for entry in sorted(folder.iterdir()):
            if entry.name.partition(";")[0].casefold() == name.casefold():
                return entry
    return folder / name
