"""A copy of a dataset: what goes along beside defaced images, and what may not."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path, PurePosixPath

from bidsanon.bids.names import parse_name
from bidsanon.errors import SourceError
from bidsanon.files import copy_file
from bidsanon.pipeline.deface_content import DatasetContent

_FILE_MODE, _PROGRAM_MODE = 0o644, 0o755
_ANYONE_RUNS = 0o111
_SCANS = "_scans.tsv"

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
