"""A dataset's archive for sharing: put in place in one step, the same bytes every time.

What goes into it is for :mod:`bidsanon.bids.sharing` to say. A link is followed to its content, and
one that leaves the dataset goes nowhere. Programs in folders of code stay programs.

The archive holds the folder ``dataset`` and beside it ``manifest-sha256.txt``, so that nothing is
added to the dataset itself. The manifest is written as ``sha256sum`` writes it and BagIt (RFC 8493)
names it: in the folder where the archive was unpacked, ``sha256sum -c manifest-sha256.txt`` checks
every file.
"""

from __future__ import annotations

import hashlib
import os
import stat
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bidsanon.bids.sharing import SharedTree, list_shared
from bidsanon.bids.tree import TreeFile
from bidsanon.errors import ConflictError, StorageError, UsageError
from bidsanon.files import file_state, fresh_folder, remove_tree, sha256, sync_path
from bidsanon.findings import Finding, finding
from bidsanon.packing import Member, file_chunks, pack_tar_gz, pack_zip
from bidsanon.publish.delivery import Packing
from bidsanon.publish.lock import change_folder, out_lock
from bidsanon.reached import mark_reached

TOP = "dataset"
"""What holds the dataset in an archive. An archive is renamed with ease, and what is in it is not.
"""
MANIFEST = "manifest-sha256.txt"
_FILE_MODE = 0o644
_CODE = "code"
_NOT_EVERYWHERE = frozenset("\\")


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What of a dataset goes out.

    Attributes
    ----------
    files
        What goes, sorted by the bytes of its name.
    states
        What changes when somebody writes a file, by its name.
    programs
        The names of those in folders of code that can be run.
    left_out
        What does not: hidden files and folders, each folder once and ending in a slash, sorted.
    findings
        What would go and cannot be packed: errors.
    """

    files: tuple[TreeFile, ...]
    states: dict[str, tuple[int, ...]]
    programs: frozenset[str]
    left_out: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def size(self) -> int:
        """How many bytes go."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True, kw_only=True)
class Exported:
    """An archive as it stands at OUT.

    Attributes
    ----------
    digest
        Its SHA-256.
    size
        How many bytes it has.
    manifest_digest
        The SHA-256 of the manifest in it: of the dataset, however it is packed.
    """

    digest: str
    size: int
    manifest_digest: str


def select_files(dataset: Path) -> Selection:
    """Find out what of a dataset goes out.

    Parameters
    ----------
    dataset
        Its folder.
    """
    shared = list_shared(dataset)
    return Selection(
        files=shared.files,
        states={file.name: file_state(file.path) for file in shared.files},
        programs=frozenset(file.name for file in shared.files if _is_program(file)),
        left_out=shared.left_out,
        findings=tuple(_refused(shared)),
    )


def export_archive(
    selection: Selection,
    *,
    out: Path,
    packing: Packing,
    overwrite: bool,
    jobs: int = 1,
    packed: Callable[[], None],
) -> Exported:
    """Pack what goes out of a dataset and put it at OUT, whole or not at all.

    Parameters
    ----------
    selection
        What goes; it has no findings.
    out
        The archive's file.
    packing
        Its kind.
    overwrite
        Whether a file that stands there is replaced.
    jobs
        How many threads compress at once; the bytes do not depend on it.
    packed
        Called whenever a file is packed.

    Raises
    ------
    ConflictError
        If something stands at OUT that may not be replaced, another process is writing there, or
        somebody changed the dataset meanwhile.
    UsageError
        If a folder stands at OUT.
    """
    with out_lock(out):
        change = fresh_folder(change_folder(out))
        new = change / "new"
        try:
            manifest: list[str] = []
            members = _members(selection, manifest, packed)
            if packing is Packing.ZIP:
                pack_zip(members, new)
            else:
                pack_tar_gz(members, new, threads=jobs)
            _require_unchanged(selection)
            new.chmod(_FILE_MODE)
            exported = Exported(
                digest=sha256(new),
                size=new.stat().st_size,
                manifest_digest=hashlib.sha256(_text(manifest)).hexdigest(),
            )
            sync_path(new)
            require_free_out(out, overwrite=overwrite)
            mark_reached()
            new.rename(out)
            sync_path(out.parent)
        finally:
            remove_tree(change)
    return exported


def require_free_out(out: Path, *, overwrite: bool) -> None:
    """Refuse an OUT at which something stands, unless it is a file that is to be replaced.

    Raises
    ------
    ConflictError
        If a file stands there and `overwrite` is not set.
    UsageError
        If what stands there is no file.
    """
    if not os.path.lexists(out):
        return
    if not out.is_file():
        raise UsageError("OUT is there and is no file", cure="choose another name for OUT")
    if not overwrite:
        raise ConflictError(
            "OUT exists already", cure="choose another OUT, or replace that file with --overwrite"
        )


def _refused(shared: SharedTree) -> Iterator[Finding]:
    """Say what would go and cannot: what nobody can read, and names that not all systems allow."""
    for problem in shared.problems:
        yield finding("FILE_UNREADABLE", location=problem.name, problem=problem.problem)
    for name in (file.name for file in shared.files):
        if any(char in _NOT_EVERYWHERE or unicodedata.category(char) == "Cc" for char in name):
            shown = name.encode("unicode_escape").decode()
            yield finding("EXPORT_NAME_NOT_PORTABLE", location=shown)


def _is_program(file: TreeFile) -> bool:
    """Tell whether a file lies in a folder of code and its owner can run it.

    Elsewhere nothing is run, and some disks let everything be: an image's permissions are chance.
    """
    try:
        mode = file.path.stat().st_mode
    except OSError:  # whoever packs it says so
        return False
    return _CODE in file.name.split("/")[:-1] and bool(mode & stat.S_IXUSR)


def _members(
    selection: Selection, manifest: list[str], packed: Callable[[], None]
) -> Iterator[Member]:
    """Yield what goes into the archive; the manifest comes last, when all has been read."""
    for file in selection.files:
        name = f"{TOP}/{file.name}"
        digest = hashlib.sha256()
        yield Member(
            name=name,
            size=file.size,
            chunks=_digesting(file, digest.update),
            is_program=file.name in selection.programs,
        )
        manifest.append(f"{digest.hexdigest()}  {name}\n")
        packed()
    content = _text(manifest)
    yield Member(name=MANIFEST, size=len(content), chunks=lambda: iter((content,)))


def _digesting(file: TreeFile, update: Callable[[bytes], None]) -> Callable[[], Iterator[bytes]]:
    def chunks() -> Iterator[bytes]:
        try:
            for chunk in file_chunks(file.path):
                update(chunk)
                yield chunk
        except OSError as error:
            raise StorageError(
                f"{file.name} cannot be read any more", cure="see what became of it"
            ) from error

    return chunks


def _text(manifest: list[str]) -> bytes:
    return "".join(manifest).encode()


def _require_unchanged(selection: Selection) -> None:
    """Refuse a dataset that was written to after it was looked at: nobody checked what is there.

    Raises
    ------
    ConflictError
        If it was.
    """
    if any(file_state(file.path) != selection.states[file.name] for file in selection.files):
        raise ConflictError(
            "files of the dataset were changed while it was checked and packed",
            cure="wait until nobody writes there any more, and run it again",
        )
