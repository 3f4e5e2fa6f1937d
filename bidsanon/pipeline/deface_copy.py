"""A copy of a dataset: what goes along beside defaced images, and what may not."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from bidsanon.bids.field_maps import IDENTIFIER, INTENDED_FOR, SOURCE
from bidsanon.bids.names import parse_name
from bidsanon.bids.sidecars import SidecarError, json_like, read_json_file
from bidsanon.errors import SourceError
from bidsanon.files import copy_file, write_text
from bidsanon.pipeline.deface_content import DatasetContent
from bidsanon.pipeline.deface_staging import sidecar_of

_FILE_MODE, _PROGRAM_MODE = 0o644, 0o755
_ANYONE_RUNS = 0o111
_SCANS = "_scans.tsv"
_WITHIN_DATASET = "bids::"
_ELSEWHERE = "bids:"

Fingerprint = dict[str, tuple[int, int]]


def fingerprint(dataset: Path, content: DatasetContent) -> Fingerprint:
    """Return what changes when a file of a dataset is written: sizes and times, by name.

    Raises
    ------
    SourceError
        If a file that goes along into a copy is a link to one that is not here.
    """
    missing = [name for name in content.files if not (dataset / name).exists()]
    if missing:
        raise SourceError(
            f"{len(missing)} file(s) of the dataset are links to files that are not here",
            cure="get them first (git annex get), or deface the images that you need one by one",
        )
    states = {}
    for name in (*content.images, *content.files):
        path = dataset / name
        state = path.stat() if path.exists() else path.lstat()
        states[name] = (state.st_size, state.st_mtime_ns)
    return states


def copy_rest(
    dataset: Path, content: DatasetContent, *, into: Path, withheld: Collection[str]
) -> None:
    """Copy what a dataset holds beside images; what is there already stays as it is.

    Parameters
    ----------
    dataset
        The dataset.
    content
        What it holds.
    into
        The copy.
    withheld
        Images that do not go along: nor do the files that bear their names, nor the rows that
        name them in tables of scans.
    """
    stems = {_stem(name) for name in withheld}
    for name in content.files:
        source, target = dataset / name, into / name
        if target.exists() or _stem(name) in stems:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(_SCANS) and withheld:
            target.write_bytes(_without_rows(source.read_bytes(), name, withheld))
        else:
            runs = source.stat().st_mode & _ANYONE_RUNS
            copy_file(source, target, mode=_PROGRAM_MODE if runs else _FILE_MODE)


def amend_links(dataset: Path, *, copy: Path, withheld: Collection[str]) -> tuple[str, ...]:
    """Let no sidecar of a copy name an image that was left out, or a field that only it measured.

    What ``IntendedFor`` and ``B0FieldSource`` say of others stays; a key that would be left without
    a value goes.

    Parameters
    ----------
    dataset
        The dataset.
    copy
        Its copy, with all that goes into it.
    withheld
        Images of the dataset that did not go along.

    Returns
    -------
    The names of the sidecars that were changed.
    """
    if not withheld:
        return ()
    sidecars = {
        file.relative_to(copy).as_posix(): content
        for file in sorted(copy.rglob("*.json"))
        if (content := _read(file))
    }
    lost = _identifiers(_read(sidecar_of(dataset / name)) for name in withheld)
    lost -= _identifiers(sidecars.values())
    amended = []
    for name, content in sidecars.items():
        kept = {
            INTENDED_FOR: [
                v for v in _texts(content, INTENDED_FOR) if _target(v, name) not in withheld
            ],
            SOURCE: [v for v in _texts(content, SOURCE) if v not in lost],
        }
        changed = {key: left for key, left in kept.items() if left != _texts(content, key)}
        if changed:
            file = copy / name
            raw = file.read_bytes()
            write_text(file, json_like(raw, _with_values(content, changed)), mode=_FILE_MODE)
            amended.append(name)
    return tuple(amended)


def _read(sidecar: Path) -> dict[str, Any]:
    try:
        return read_json_file(sidecar)
    except (SidecarError, FileNotFoundError):
        return {}


def _texts(content: Mapping[str, Any], key: str) -> list[str]:
    """Return the values of a key that holds a text or several."""
    value = content.get(key, [])
    values = value if isinstance(value, list) else [value]
    return [each for each in values if isinstance(each, str)]


def _identifiers(sidecars: Iterable[Mapping[str, Any]]) -> set[str]:
    return {identifier for content in sidecars for identifier in _texts(content, IDENTIFIER)}


def _target(value: str, sidecar: str) -> str:
    """Return the image that a value of IntendedFor names, relative to the dataset.

    As a BIDS URI it says so itself; as a path it is relative to the subject's folder.
    """
    if value.startswith(_WITHIN_DATASET):
        return value.removeprefix(_WITHIN_DATASET)
    if value.startswith(_ELSEWHERE):
        return value
    return (PurePosixPath(sidecar).parts[0] / PurePosixPath(value.lstrip("/"))).as_posix()


def _with_values(content: Mapping[str, Any], changed: Mapping[str, list[str]]) -> dict[str, Any]:
    """Return a sidecar in which some keys hold fewer texts, or are gone without one."""
    amended = {}
    for key, value in content.items():
        left = changed.get(key)
        if left is None:
            amended[key] = value
        elif left:
            amended[key] = left
    return amended


def _stem(name: str) -> PurePosixPath:
    return PurePosixPath(name).parent / parse_name(name).stem


def _without_rows(table: bytes, name: str, withheld: Collection[str]) -> bytes:
    """Leave the rows of a table of scans out that name withheld images; the first column does."""
    folder = PurePosixPath(name).parent
    kept = []
    for row in table.splitlines(keepends=True):
        image = row.split(b"\t")[0].decode("utf-8", "replace").strip()
        if str(folder / image) not in withheld:
            kept.append(row)
    return b"".join(kept)
