"""What the histories in a dataset keep that its files do not hold any more.

Datasets of DataLad and git-annex have a history always, so that there is one is no fault. What was
removed from the files, or stood otherwise in them, is in it for whoever gets it: originals, what
tools left, images with faces, and JSON and tables, into which is looked. Git is asked for lists and
contents only; nothing that a repository configures is run, and nothing is fetched.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bidsanon.bids.leftovers import HISTORIES, leftover_of
from bidsanon.bids.sidecars import IMAGE_EXTENSIONS
from bidsanon.bids.tree import DatasetTree
from bidsanon.errors import BidsanonError
from bidsanon.external import GIT, find_program, started_program
from bidsanon.findings import Severity, finding_codes
from bidsanon.validate.privacy_json import JsonError, json_spots, parse_any_json
from bidsanon.validate.privacy_lines import TableLines, TableUnreadableError
from bidsanon.validate.privacy_places import is_key_file
from bidsanon.validate.privacy_spots import Spot
from bidsanon.validate.privacy_tables import TableFacts, table_spots

_GIT = ".git"
_LONGEST_S = 30.0
_LARGEST = 1 << 20
_AT_ONCE = 64
_LONGEST_LINK = 4096
_SHA_256_DIGITS = 64
_DICOM = (".dcm", ".ima", ".dicom", ".dicom.tgz", ".dicom.zip")
_TABLES = (".tsv", ".csv")
_LOOKED_INTO = (".json", *_TABLES)
_ORIGINALS = "sourcedata"
_NO_ORIGINALS = frozenset({".md", ".txt", ".rst", *_LOOKED_INTO})
_ENTRY = re.compile(r"([0-9a-f]{40,64}) (.+)")
_INDEXED = re.compile(r"\d+ ([0-9a-f]{40,64}) \d\t(.+)")
_BLOB = re.compile(r"([0-9a-f]{40,64}) blob (\d+)")
_ANNEXED = re.compile(r"annex/objects/(?:([^/\s]+/[^/\s]+)/)?(?:[^/\s]+/)?([^/\s]+)\s*")
_KEPT_APART = ("refs/heads/git-annex", "refs/remotes/*/git-annex", "refs/heads/synced/git-annex")
"""Branches of git-annex, which say where contents are and hold none."""
_HARMLESS = (
    *("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "protocol.allow=never"),
    *("-c", "core.quotePath=false", "--no-replace-objects"),
)
_ENVIRONMENT = {"GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}
_TOO_LONG = "it takes git too long"
_NOT_TOLD = frozenset({"PRIVACY_NOT_READ", "PRIVACY_MAPPING"})
_IN_TEXTS = "JSON or tables with what identifies"


class _UnreadError(Exception):
    """A history cannot be looked through. The text says why."""


@dataclass(frozen=True, kw_only=True)
class _History:
    """A repository of git.

    ``folder`` holds it, ``worktree`` the files of which it keeps the history.
    """

    folder: Path
    worktree: Path
    git: Path
    until: float

    def ask(self, *arguments: str, told: str = "") -> str:
        """Ask git, and tell it on its standard input about what.

        Raises
        ------
        _UnreadError
            If it takes too long, or cannot answer.
        """
        left = self.until - time.monotonic()
        if left <= 0:
            raise _UnreadError(_TOO_LONG)
        command: list[str | Path] = [self.git, *_HARMLESS, f"--git-dir={self.folder}", *arguments]
        try:
            with started_program(command, environment=_ENVIRONMENT, waits=True) as running:
                done = running.finish(timeout_s=left, told=told)
        except BidsanonError as error:
            raise _UnreadError(_TOO_LONG) from error
        if done.returncode:
            raise _UnreadError("git cannot read it; it may be damaged, or somebody else's")
        return done.stdout


def history_spots(tree: DatasetTree) -> Iterator[Spot]:
    """Yield what the histories in a dataset keep."""
    for name in tree.skipped:
        kind = PurePosixPath(name).name
        yield Spot(code="PRIVACY_HISTORY", location=name, details={"kind": kind})
        problem = ""
        try:
            if kind == _GIT:
                yield from _spots(name, tree.root / name)
        except _UnreadError as error:
            problem = str(error)
        if problem:
            details = {"problem": problem}
            yield Spot(code="PRIVACY_HISTORY_NOT_READ", location=name, details=details)


def _spots(name: str, folder: Path) -> Iterator[Spot]:
    git = find_program(GIT)
    if git is None:
        raise _UnreadError("git is not installed")
    until = time.monotonic() + _LONGEST_S
    history = _History(folder=folder, worktree=folder.parent, git=git, until=until)
    gone = _gone(history)
    paths = [path for _, path, _ in gone]
    for what, count in Counter(filter(None, map(_what, paths))).items():
        yield _holds(name, what, count)
    images = sum(path.lower().endswith(IMAGE_EXTENSIONS) for path in paths)
    if images:
        yield Spot(code="PRIVACY_HISTORY_IMAGES", location=name, details={"files": str(images)})
    texts = [f for f in gone if f[1].lower().endswith(_LOOKED_INTO) and not _what(f[1])]
    identifying, problem = _identifying(history, texts)
    if identifying:
        yield _holds(name, _IN_TEXTS, identifying)
    if problem:
        raise _UnreadError(problem)


def _holds(name: str, what: str, count: int) -> Spot:
    details = {"what": what, "files": str(count)}
    return Spot(code="PRIVACY_HISTORY_HOLDS", location=name, details=details)


def _gone(history: _History) -> list[tuple[str, str, int]]:
    """Return the files that the history keeps and the dataset does not hold.

    What lies in the dataset with the same content is looked at there.

    Returns
    -------
    The number, one of the names, and the size of each.
    """
    apart = (f"--exclude={ref}" for ref in _KEPT_APART)
    listed = history.ask(
        "rev-list", "--objects", "--missing=allow-any", *apart, "--all", "--reflog"
    )
    indexed = _indexed(history)
    found = {}
    for line in listed.splitlines():
        entry = _ENTRY.fullmatch(line)
        if not entry or not _may_matter(entry[2]):
            continue
        number, path = entry.groups()
        names = {path, *indexed.get(number, ())}
        if not any(_is_there(history, indexed, number, name) for name in names):
            found[number] = path
    sizes = history.ask("cat-file", "--batch-check", told="".join(f"{one}\n" for one in found))
    blobs = filter(None, map(_BLOB.fullmatch, sizes.splitlines()))
    return [(blob[1], found[blob[1]], int(blob[2])) for blob in blobs]


def _indexed(history: _History) -> Mapping[str, set[str]]:
    """Return what the repository takes for the dataset's files: their names, by their numbers."""
    indexed: dict[str, set[str]] = {}
    for line in history.ask("ls-files", "--stage").splitlines():
        entry = _INDEXED.fullmatch(line)
        if entry:
            indexed.setdefault(entry[1], set()).add(entry[2])
    return indexed


def _may_matter(path: str) -> bool:
    return bool(_what(path)) or path.lower().endswith((*_LOOKED_INTO, *IMAGE_EXTENSIONS))


def _what(path: str) -> str:
    """Return what a file is, where its name alone says that nobody should get it."""
    lowered = path.lower()
    parts = PurePosixPath(path).parts
    if lowered.endswith(_DICOM):
        return "DICOM"
    kind = PurePosixPath(lowered).suffix
    if parts[0] == _ORIGINALS and len(parts) > 1 and kind and kind not in _NO_ORIGINALS:
        return "originals (sourcedata)"
    left = leftover_of(path)
    if left and left[1] not in HISTORIES:
        return "what other tools left"
    return "keys, or lists of who is who" if is_key_file(PurePosixPath(path).name) else ""


def _is_there(history: _History, indexed: Mapping[str, set[str]], number: str, path: str) -> bool:
    """Tell whether the dataset holds a file with the same content."""
    file = history.worktree / path
    try:
        if file.is_symlink():
            content = str(file.readlink()).encode()
        elif not file.is_file():
            return False
        elif file.stat().st_size > _LARGEST:
            return path in indexed.get(number, ())
        else:
            content = file.read_bytes()
    except OSError:
        return False
    digest = hashlib.sha256 if len(number) == _SHA_256_DIGITS else hashlib.sha1
    return digest(b"blob %d\0" % len(content) + content).hexdigest() == number


def _identifying(history: _History, texts: Sequence[tuple[str, str, int]]) -> tuple[int, str]:
    """Count former JSON files and tables of which an error would be said.

    Returns
    -------
    How many they are, and why not all could be read; empty where all were.
    """
    wanted = {number: path for number, path, size in texts if size <= _LARGEST}
    problem = "some former JSON files or tables in it are larger than a megabyte"
    problem = problem if len(wanted) < len(texts) else ""
    count, numbers = 0, list(wanted)
    try:
        for start in range(0, len(numbers), _AT_ONCE):
            for number, content in _contents(history, numbers[start : start + _AT_ONCE]):
                count += _identifies(history, wanted[number], content)
    except _UnreadError as error:
        problem = str(error)
    return count, problem


def _contents(history: _History, numbers: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield what files of the history hold, by their numbers: git gives one after the other."""
    told = history.ask("cat-file", "--batch", told="".join(f"{n}\n" for n in numbers))
    heads = "|".join(numbers)
    parts = re.split(rf"^({heads}) blob \d+\n", told, flags=re.MULTILINE)
    yield from zip(parts[1::2], parts[2::2], strict=True)


def _identifies(history: _History, path: str, text: str) -> bool:
    """Tell whether an error would be said of a former JSON file or table."""
    link = _ANNEXED.search(text) if len(text) < _LONGEST_LINK else None
    content = _annexed(history.folder, link) if link else text.encode()
    try:
        return any(map(_is_error, _content_spots(path, content)))
    except (JsonError, TableUnreadableError, RecursionError):
        return False  # nobody reads it as what it is called


def _content_spots(path: str, content: bytes) -> Iterator[Spot]:
    if path.lower().endswith(_TABLES):
        facts = TableFacts(labels=frozenset(), definitions={})
        yield from table_spots(path, TableLines.of_content(content), facts)
    else:
        yield from json_spots(path, parse_any_json(content))


def _is_error(spot: Spot) -> bool:
    return finding_codes()[spot.code].severity is Severity.ERROR and spot.code not in _NOT_TOLD


def _annexed(folder: Path, link: re.Match[str]) -> bytes:
    """Return what git-annex keeps of a file; nothing where it is not here."""
    objects = folder / "annex" / "objects"
    where, key = link[1], link[2]
    file = objects / where / key / key if where else objects / key
    try:
        with file.open("rb") as stream:
            return stream.read(_LARGEST)
    except OSError:
        return b""
