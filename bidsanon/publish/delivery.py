"""De-identified files into their OUT: a new folder or an archive, in one step or not at all.

Everything is laid out in a hidden folder beside OUT first. Where nothing stands at OUT yet, one
rename puts it there. Where an earlier delivery is replaced, the change is decided by a mark in the
hidden folder, and a crash after that is brought to its end by :func:`settle_delivery` at the next
run. What is replaced must be just what bidsanon put there: the private folder remembers the name,
size and time of each file, and anything else, or anything more, is somebody's data and stays.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import stat
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bidsanon.errors import ConflictError, StorageError, UsageError
from bidsanon.files import (
    PRIVATE_FILE_MODE,
    fresh_folder,
    make_private_folder,
    remove_tree,
    sync_all,
    sync_path,
    write_text,
)
from bidsanon.packing import members_of, pack_tar_gz, pack_zip
from bidsanon.publish.lock import change_folder, out_lock
from bidsanon.reached import mark_reached

_FOLDER_MODE = 0o755
_FILE_MODE = 0o644
_TOP = "deidentified"
"""What holds all in an archive. An archive is renamed with ease, and what is in it is not."""
_DECIDED = "decided"
_NEW = "new"
_OLD = "old"


class Packing(StrEnum):
    """What OUT becomes."""

    FOLDER = "folder"
    """A folder."""
    ZIP = "zip"
    """A ZIP archive."""
    TAR_GZ = "tar.gz"
    """A tar archive, compressed by gzip."""


_SUFFIXES = {".zip": Packing.ZIP, ".tar.gz": Packing.TAR_GZ, ".tgz": Packing.TAR_GZ}
_OTHER_ARCHIVES = (".7z", ".rar", ".tar", ".tar.bz2", ".tar.xz", ".tar.zst", ".txz", ".gz")


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """Where de-identified files go.

    Attributes
    ----------
    out
        The folder or archive, with links resolved.
    packing
        What it becomes.
    record
        The file in the private folder that remembers what was put there.
    """

    out: Path
    packing: Packing
    record: Path

    @property
    def change(self) -> Path:
        """The hidden folder beside OUT in which a change of it is prepared."""
        return change_folder(self.out)


def packing_of_out(out: Path) -> tuple[Packing, str]:
    """Tell by the name of OUT what it becomes, and return its name without an archive's suffix.

    Raises
    ------
    UsageError
        If nothing is left of the name without the suffix, or it is that of another archive.
    """
    for suffix, packing in _SUFFIXES.items():
        if out.name.lower().endswith(suffix):
            stem = out.name[: -len(suffix)]
            if not stem:
                raise UsageError("OUT has no name before its suffix", cure="name it OUT.zip, say")
            return packing, stem
    if out.name.lower().endswith(_OTHER_ARCHIVES) and not out.is_dir():
        raise UsageError(
            "OUT is named like an archive of a kind that is not written",
            cure=f"end its name in {' or '.join(_SUFFIXES)}; a folder's name has no such suffix",
        )
    return Packing.FOLDER, out.name


def require_place(delivery: Delivery, *, overwrite: bool) -> None:
    """Refuse an OUT that holds something, unless it is to be replaced and is bidsanon's own.

    Raises
    ------
    ConflictError
        If something stands there and `overwrite` is not set, or it is not just what an earlier run
        with the same private folder put there.
    UsageError
        If OUT is a folder where an archive is asked for, or the other way round.
    """
    out, is_folder = delivery.out, delivery.packing is Packing.FOLDER
    if not os.path.lexists(out):
        return
    if not (out.is_dir() if is_folder else out.is_file()):
        kind = "no folder" if is_folder else "no file"
        raise UsageError(f"OUT is there and is {kind}", cure="choose another name for OUT")
    if is_folder and not any(out.iterdir()):
        return
    if not overwrite:
        raise ConflictError(
            "OUT exists already and is not empty",
            cure="choose another OUT, or replace what bidsanon made there with --overwrite",
        )
    if not _is_as_delivered(delivery):
        raise ConflictError(
            "OUT holds files that bidsanon did not put there, or that were changed since",
            cure="choose another OUT, or move it away: --overwrite replaces nothing else",
        )


def delivery_lock(delivery: Delivery) -> contextlib.AbstractContextManager[None]:
    """Hold OUT alone: see :func:`~bidsanon.publish.lock.out_lock`."""
    return out_lock(delivery.out)


def deliver(delivery: Delivery, folder: Path, *, overwrite: bool, jobs: int = 1) -> None:
    """Put a folder's content at OUT, as a folder or packed. The caller holds the lock.

    Parameters
    ----------
    delivery
        Where it goes.
    folder
        What goes there; a folder is moved, and what is packed stays.
    overwrite
        Whether what an earlier run put there is replaced.
    jobs
        How many threads compress at once; the bytes do not depend on it.

    Raises
    ------
    ConflictError
        If something stands there that may not be replaced.
    """
    settle_delivery(delivery)
    change = fresh_folder(delivery.change)
    new = change / _NEW
    try:
        _lay_out(delivery, folder, new, jobs=jobs)
        require_place(delivery, overwrite=overwrite)
        _remember(delivery, new)
        write_text(change / _DECIDED, "", mode=PRIVATE_FILE_MODE)
    except BaseException:
        remove_tree(change)
        raise
    sync_path(change)
    settle_delivery(delivery)


def settle_delivery(delivery: Delivery) -> None:
    """Bring a change of OUT that a crash interrupted to its end, or undo it.

    The caller holds the lock. A change that was decided is undone too where somebody put something
    else at OUT meanwhile.
    """
    change = delivery.change
    new = change / _NEW
    if (change / _DECIDED).is_file() and new.exists() and _may_be_moved_away(delivery, change):
        mark_reached()
        if os.path.lexists(delivery.out):
            delivery.out.rename(change / _OLD)
        new.rename(delivery.out)
        sync_path(delivery.out.parent)
    remove_tree(change)


def _may_be_moved_away(delivery: Delivery, change: Path) -> bool:
    """Whether nothing stands at OUT but what is to be replaced."""
    out = delivery.out
    if not os.path.lexists(out) or (out.is_dir() and not any(out.iterdir())):
        return True
    return not (change / _OLD).exists() and _listing(out) in _remembered(delivery)


def _lay_out(delivery: Delivery, folder: Path, new: Path, *, jobs: int) -> None:
    if delivery.packing is Packing.FOLDER:
        _open_to_readers(folder)
        try:
            shutil.move(folder, new)
        except shutil.Error as error:  # of a copy to another disk: which errors, it does not say
            raise StorageError(
                "OUT cannot be written whole", cure="make room for it and run it again"
            ) from error
        sync_all((new, *new.rglob("*")))
        return
    if delivery.packing is Packing.ZIP:
        pack_zip(members_of(folder, top=_TOP), new)
    else:
        pack_tar_gz(members_of(folder, top=_TOP), new, threads=jobs)
    new.chmod(_FILE_MODE)
    sync_path(new)


def _remember(delivery: Delivery, new: Path) -> None:
    """Write down what is to stand at OUT, beside what stands there now."""
    listings = [*_remembered(delivery)[-1:], _listing(new)]
    make_private_folder(delivery.record.parent)
    write_text(delivery.record, json.dumps(listings), mode=PRIVATE_FILE_MODE)


def _remembered(delivery: Delivery) -> list[dict[str, list[int]]]:
    """Return what was put at OUT by this run and by the one before it."""
    try:
        listings = json.loads(delivery.record.read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return []
    return listings if isinstance(listings, list) else []


def _is_as_delivered(delivery: Delivery) -> bool:
    return _listing(delivery.out) in _remembered(delivery)


def _listing(root: Path) -> dict[str, list[int]]:
    """List all below a place, or a file itself: size and time of each; a folder has neither."""
    listing: dict[str, list[int]] = {}
    if not root.is_dir():
        _list_entry(root, "", listing)
        return listing
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = Path(folder) / name
            _list_entry(path, path.relative_to(root).as_posix(), listing)
    return listing


def _list_entry(path: Path, name: str, listing: dict[str, list[int]]) -> None:
    status = path.lstat()
    is_folder = stat.S_ISDIR(status.st_mode)
    sizes = [-1, -1] if is_folder else [status.st_size, status.st_mtime_ns]
    listing[os.fsencode(name).decode("utf-8", "backslashreplace")] = [
        stat.S_IFMT(status.st_mode),
        *sizes,
    ]


def _open_to_readers(root: Path) -> None:
    for folder, folders, files in os.walk(root):
        for name in folders:
            os.chmod(os.path.join(folder, name), _FOLDER_MODE)  # noqa: PTH101, PTH118 (thousands)
        for name in files:
            os.chmod(os.path.join(folder, name), _FILE_MODE)  # noqa: PTH101, PTH118 (thousands)
    root.chmod(_FOLDER_MODE)
