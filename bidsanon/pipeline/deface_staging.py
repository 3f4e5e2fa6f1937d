"""Where ``deface`` works: links to images in a hidden folder, and the way of results from there.

Defacing replaces a link by a file and never writes through it, so originals, and what the links of
a repository lead to, stay as they are until a whole, checked image takes its place.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bidsanon.bids.names import parse_name
from bidsanon.bids.sidecars import SidecarError, json_like, read_json_object
from bidsanon.files import (
    copy_file,
    file_state,
    move_file,
    storage_errors,
    write_json,
    write_text,
)
from bidsanon.scrub import add_face_kept, add_face_removed
from bidsanon.session import DefaceOutcome, DefaceVerdict

_FILE_MODE = 0o644
_TOLD_IN_SIDECAR = frozenset({DefaceVerdict.DEFACED, DefaceVerdict.KEPT})

Guard = Callable[[Path], AbstractContextManager[None]]


@dataclass(frozen=True, kw_only=True)
class Item:
    """One image on its way.

    Attributes
    ----------
    name
        What it is called in tables.
    source
        The image; it may be a link.
    target
        Where it goes: `source` itself where it is replaced; None where it is only looked at.
    staged
        Its place in the hidden folder, relative, with forward slashes.
    datatype, suffix
        What it is taken for.
    """

    name: str
    source: Path
    target: Path | None
    staged: str
    datatype: str
    suffix: str

    @property
    def replaces(self) -> bool:
        """Whether it takes the place of the original."""
        return self.source == self.target


@dataclass(frozen=True, kw_only=True)
class Placed:
    """Where an image stands in the end.

    Attributes
    ----------
    problem
        Why it could not be placed; empty if it could.
    path
        Where it stands; None where nothing was written.
    notes
        What else is worth knowing, in words.
    """

    problem: str = ""
    path: Path | None = None
    notes: tuple[str, ...] = ()


class Staging:
    """The hidden folder of one run.

    Parameters
    ----------
    root
        An empty private folder.
    guard
        What is held while an image is replaced, given its path.
    """

    def __init__(self, root: Path, *, guard: Guard) -> None:
        self.root = root
        self._guard = guard
        self._seen: dict[str, tuple[int, ...]] = {}

    def add(self, item: Item) -> str:
        """Link an image and what bears its name into the folder, or say why that cannot be."""
        if not item.source.exists():
            return "it is a link to a file that is not here: get it first (git annex get)"
        if not item.source.is_file():
            return "it is no file"
        if item.replaces and not os.access(item.source.parent, os.W_OK | os.X_OK):
            return "its folder cannot be written"
        link = self.root / item.staged
        link.parent.mkdir(parents=True, exist_ok=True)
        self._seen[item.staged] = file_state(item.source)
        link.symlink_to(item.source)
        for beside in companions(item.source):
            (link.parent / beside.name).unlink(missing_ok=True)
            (link.parent / beside.name).symlink_to(beside)
        return ""

    def place(self, item: Item, outcome: DefaceOutcome) -> Placed:
        """Put an image where it goes, with its sidecar, or leave it where it is."""
        if outcome.verdict is DefaceVerdict.FAILED or item.target is None:
            return Placed()
        defaced = outcome.verdict is DefaceVerdict.DEFACED
        if item.replaces and outcome.verdict not in _TOLD_IN_SIDECAR:
            return Placed(path=item.target)
        staged = self.root / item.staged
        if defaced and staged.is_symlink():
            raise RuntimeError("a defaced image is a link to its original")
        with storage_errors(f"the image {item.name}"), self._guard(item.source):
            if file_state(item.source) != self._seen[item.staged]:
                return Placed(problem="somebody changed it meanwhile: run it again")
            notes = []
            if item.replaces and defaced and item.source.is_symlink():
                notes.append("it was a link and is a file now; what the link led to is unchanged")
            item.target.parent.mkdir(parents=True, exist_ok=True)
            if defaced:
                move_file(staged, item.target)
                if not item.replaces:
                    item.target.chmod(_FILE_MODE)
            elif not item.replaces:
                copy_file(item.source, item.target)
            notes += _place_sidecar(item.source, item.target, outcome)
            if outcome.mask:
                self._place_mask(self.root / outcome.mask, item.target.parent)
        return Placed(path=item.target, notes=tuple(notes))

    def _place_mask(self, mask: Path, folder: Path) -> None:
        """Put a defacemask beside the first of the images that share it."""
        for file in (mask, sidecar_of(mask)):
            if file.is_file():
                move_file(file, folder / file.name)


def sidecar_of(image: Path) -> Path:
    """Return where the sidecar of an image is, if it has one of its own."""
    return image.with_name(f"{parse_name(image.name).stem}.json")


def companions(image: Path) -> list[Path]:
    """Return the files beside an image that bear its name: sidecar, gradient tables."""
    stem = parse_name(image.name).stem
    names = (f"{stem}{extension}" for extension in (".json", ".bval", ".bvec"))
    return [path for name in names if (path := image.with_name(name)).is_file()]


def _place_sidecar(image: Path, placed: Path, outcome: DefaceOutcome) -> list[str]:
    """Say in a sidecar how the face went, or why it stays; say what could not be said in it.

    Why a face stays is said in a sidecar also where the image had none.
    """
    source, target = sidecar_of(image), sidecar_of(placed)
    if not source.is_file():
        missing = source.is_symlink()
        if outcome.verdict is DefaceVerdict.KEPT and not missing:
            write_json(target, _said({}, outcome))
        return ["its sidecar is not here and does not say so"] if missing else []
    raw = source.read_bytes()
    if outcome.verdict not in _TOLD_IN_SIDECAR:
        copy_file(source, target)
        return []
    try:
        content = _said(read_json_object(raw), outcome)
    except SidecarError as error:
        if source != target:
            copy_file(source, target)
        return [f"its sidecar does not say so: {error}"]
    mode = stat.S_IMODE(source.stat().st_mode) if source == target else _FILE_MODE
    write_text(target, json_like(raw, content), mode=mode)
    return []


def _said(content: dict[str, Any], outcome: DefaceOutcome) -> dict[str, Any]:
    """Return a sidecar that says what became of the face."""
    if outcome.verdict is DefaceVerdict.KEPT:
        return add_face_kept(content, because=outcome.reason)
    return add_face_removed(content, engine_version=outcome.engine_version)
