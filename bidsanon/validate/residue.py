"""The residue search: no identifying value of the source is in what is to be published.

Every name and every byte below a folder is searched, decompressed and decoded, for everything that
the source said about the person, the staff, the place and the time. What was not searched for,
because it is too short or too common, is counted and said.
"""

from __future__ import annotations

import json
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from bidsanon.dicom.terms import is_acquisition_term
from bidsanon.files import files_below
from bidsanon.findings import Finding, finding
from bidsanon.session import IdentifyingValue, ValueKind
from bidsanon.validate.residue_content import NotSearchableError, Piece, pieces
from bidsanon.validate.residue_needles import Context, Find, IgnoredValues, Needles, Source
from bidsanon.validate.residue_runs import alphabet_table, runs
from bidsanon.validate.residue_text import View, byte_views, canonical, text_views
from bidsanon.validate.residue_words import is_common, is_known_key

_SHORTEST_RUN_IN_VOXELS = 8
_SHORTEST_RUN_IN_BYTES = 3
_MOST_ORIGINS = 3
_DESCRIPTORS = ("SeriesDescription", "ProtocolName")
_WORDS = re.compile(r"[a-z]+")
_SHORTEST_TELLING = 4
_DOCUMENTS = ("README", "CHANGES", "LICENSE", "CITATION", "dataset_description.json")
_PATIENT_GROUP = "(0010,"
_OF_THE_STUDY = frozenset({ValueKind.PLACE, ValueKind.TEXT, ValueKind.PATH})
_STAFF = frozenset({"(0008,0090)", "(0008,1048)", "(0008,1050)", "(0008,1060)", "(0008,1070)"})
"""Physicians and operators: they are authors of datasets too."""


@dataclass(frozen=True, kw_only=True)
class ResidueSearch:
    """What the residue search found, and what it looked for.

    Attributes
    ----------
    findings
        One for each place and kind of value. They hold no value.
    searched
        How many values of each kind were searched for.
    ignored
        The values that were not searched for, or a part of which was not, and why.
    files
        How many files were searched through.
    bytes_searched
        How long they are, decompressed.
    """

    findings: tuple[Finding, ...]
    searched: dict[str, int]
    ignored: tuple[IgnoredValues, ...]
    files: int
    bytes_searched: int


class _Hit(NamedTuple):
    """A find, and where: within which part of the file, and at which byte if that is known."""

    place: str
    offset: int | None
    sources: tuple[Source, ...]


class _Searched(NamedTuple):
    """What searching through one file gave."""

    hits: list[_Hit]
    size: int
    problem: str


def search_residue(
    root: Path, identity: Iterable[IdentifyingValue], *, allowed: Iterable[str], jobs: int
) -> ResidueSearch:
    """Search all names and all bytes below a folder for identifying values.

    Parameters
    ----------
    root
        What is to be published.
    identity
        Every identifying value of the source.
    allowed
        Texts that are published on purpose, whatever the source says: the subject's label, a
        device's model. Series descriptions and protocol names in sidecars need not be named.
    jobs
        How many files are searched through at once. The result does not depend on it.
    """
    identity = tuple(identity)
    descriptors = tuple(_published_descriptors(root))
    needles = Needles(identity, allowed=allowed, descriptors=descriptors)
    search = _Search(needles)
    files = list(files_below(root))
    with ThreadPoolExecutor(max_workers=max(1, jobs)) as pool:
        searched = list(pool.map(search.file, files))
    places = _Places(root, search)
    findings = places.findings()
    for path, result in zip(files, searched, strict=True):
        findings += _findings(places.of(path), result)
    shared = _names_in_descriptors(identity, descriptors)
    if shared:
        findings.append(finding("FOLDER_NAME_IN_DESCRIPTION", count=shared))
    return ResidueSearch(
        findings=tuple(findings),
        searched={kind.value: count for kind, count in sorted(needles.searched.items())},
        ignored=needles.ignored,
        files=len(files),
        bytes_searched=sum(result.size for result in searched),
    )


class _Search:
    """Searches names and files for the needles."""

    def __init__(self, needles: Needles) -> None:
        self._needles = needles
        self._in_voxels = alphabet_table(needles.alphabet(shortest=_SHORTEST_RUN_IN_VOXELS))
        self._in_bytes = alphabet_table(needles.alphabet(shortest=_SHORTEST_RUN_IN_BYTES))

    def name(self, name: str) -> list[Find]:
        """Search a name of a file or folder."""
        views = [*text_views(name), *byte_views(os.fsencode(name))]
        return [find for view in views for find in self._needles.find(view, Context.TEXT)]

    def file(self, path: Path) -> _Searched:
        """Search through one file; say where it could not be."""
        hits: list[_Hit] = []
        size = 0
        try:
            if path.is_symlink():
                hits += self._hits(Piece(str(path.readlink()), Context.TEXT, ("target of a link",)))
            if not path.is_file():
                return _Searched(hits, size, "it is no file, or a link that leads nowhere")
            for piece in pieces(path):
                size = max(size, piece.offset + len(piece.content))
                hits += self._hits(piece)
        except NotSearchableError as error:
            return _Searched(hits, size, str(error))
        except OSError:
            return _Searched(hits, size, "it cannot be read")
        return _Searched(hits, size, "")

    def _hits(self, piece: Piece) -> Iterator[_Hit]:
        if piece.is_key and is_known_key(str(piece.content)):
            return
        for find, offset in self._finds(piece):
            yield _Hit(self._place(piece), offset, find.sources)

    def _finds(self, piece: Piece) -> Iterator[tuple[Find, int | None]]:
        content = piece.content
        if isinstance(content, str):
            for view in text_views(content):
                yield from ((find, None) for find in self._needles.find(view, piece.context))
        elif piece.context in {Context.VOXELS, Context.BYTES}:
            yield from self._finds_in_runs(content, piece)
        else:
            for view in byte_views(content):
                for find in self._needles.find(view, piece.context):
                    yield find, piece.offset + find.start if view.exact else None

    def _finds_in_runs(self, content: bytes, piece: Piece) -> Iterator[tuple[Find, int]]:
        in_voxels = piece.context is Context.VOXELS
        table = self._in_voxels if in_voxels else self._in_bytes
        shortest = _SHORTEST_RUN_IN_VOXELS if in_voxels else _SHORTEST_RUN_IN_BYTES
        for text, positions in runs(content, table, shortest):
            if in_voxels and not self._needles.may_be_in(text):
                continue
            for find in self._needles.find(View(text=text), piece.context):
                yield find, piece.offset + int(positions[find.start])

    def _place(self, piece: Piece) -> str:
        """Write where a piece stands; the name of a JSON member may itself be a find."""
        if not isinstance(piece.content, str):
            return ", ".join(piece.place)
        steps = ["[name withheld]" if self.name(step) else step for step in piece.place]
        return "".join(f"/{step}" for step in steps)


class _Places:
    """How files are called in findings: a name that is itself a find is not repeated."""

    def __init__(self, root: Path, search: _Search) -> None:
        self._root = root
        self._found: dict[Path, list[Find]] = {}
        self._shown: dict[Path, str] = {root: ""}
        for path in sorted(root.rglob("*")):
            finds = search.name(path.name)
            if finds:
                self._found[path] = finds
            shown = f"[entry {_position(path)}]" if finds else _printable(path.name)
            self._shown[path] = "/".join(filter(None, (self._shown[path.parent], shown)))

    def of(self, path: Path) -> str:
        """Return how a file or folder is called."""
        return self._shown[path]

    def findings(self) -> list[Finding]:
        """Return the finding for each name that holds a value."""
        hits = {
            path: [_Hit("its name", None, find.sources) for find in finds]
            for path, finds in self._found.items()
        }
        return [
            one
            for path, found in hits.items()
            for one in _findings(self.of(path), _Searched(found, 0, ""))
        ]


def _position(path: Path) -> int:
    return sorted(path.parent.iterdir()).index(path) + 1


def _printable(name: str) -> str:
    return os.fsencode(name).decode("utf-8", "replace")


def _findings(location: str, searched: _Searched) -> list[Finding]:
    """Return a finding for each place and kind of value."""
    grouped: dict[tuple[str, ValueKind], list[_Hit]] = defaultdict(list)
    for hit in searched.hits:
        for kind in dict.fromkeys(source.kind for source in hit.sources):
            grouped[hit.place, kind].append(hit)
    findings = [_finding(location, *key, hits) for key, hits in sorted(grouped.items())]
    if searched.problem:
        findings.append(
            finding("RESIDUE_NOT_SEARCHED", location=location, problem=searched.problem)
        )
    return findings


def _finding(location: str, place: str, kind: ValueKind, hits: Sequence[_Hit]) -> Finding:
    offsets = sorted(hit.offset for hit in hits if hit.offset is not None)
    where = filter(None, (place, f"byte {offsets[0]}" if offsets else ""))
    origins = sorted({s.origin for hit in hits for s in hit.sources if s.kind is kind})
    shown = ", ".join(origins[:_MOST_ORIGINS])
    more = f" and {len(origins) - _MOST_ORIGINS} more" if len(origins) > _MOST_ORIGINS else ""
    by_the_authors = location.startswith(_DOCUMENTS) and all(
        _may_be_meant(source) for hit in hits for source in hit.sources
    )
    return finding(
        "RESIDUE_IN_DOCUMENT" if by_the_authors else "RESIDUE_FOUND",
        location="#".join((location, ", ".join(where))).rstrip("#"),
        kind=kind.value,
        origin=shown + more,
    )


def _may_be_meant(source: Source) -> bool:
    """Whether a dataset's authors may write this on purpose: themselves, their hospital and study.

    What the source says of the person, and days, numbers and UIDs, is never meant.
    """
    if source.origin.startswith(_PATIENT_GROUP):
        return False
    return source.kind in _OF_THE_STUDY or source.origin in _STAFF


def _published_descriptors(root: Path) -> Iterator[str]:
    """Yield the series descriptions and protocol names that the sidecars hold."""
    for path in sorted(root.rglob("*.json")):
        try:
            content = json.loads(path.read_bytes())
        except (OSError, ValueError, RecursionError):
            continue  # the search itself says so
        if isinstance(content, dict):
            values = (content.get(key) for key in _DESCRIPTORS)
            yield from (value for value in values if isinstance(value, str))


def _names_in_descriptors(identity: Iterable[IdentifyingValue], descriptors: Iterable[str]) -> int:
    """Count original names that share a telling word with a series name that is published.

    A folder may be called after the person, and an operator may have typed the same name into a
    protocol's; or both after the task, which nobody but a person can tell. Folders that are called
    after a series, as exporting programs call them, do not count.
    """
    published = {canonical(text) for text in descriptors}
    wholes = {"".join(_WORDS.findall(text)) for text in published} - {""}
    telling = {
        word
        for text in published
        for word in _WORDS.findall(text)
        if len(word) >= _SHORTEST_TELLING and not (is_common(word) or is_acquisition_term(word))
    }
    count = 0
    for value in identity:
        words = _WORDS.findall(canonical(value.text)) if value.kind is ValueKind.PATH else []
        called_after_series = any(whole in "".join(words) for whole in wholes)
        count += not called_after_series and not telling.isdisjoint(words)
    return count
