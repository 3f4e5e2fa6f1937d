"""The residue search: no identifying value of the source is in what is to be published.

Every name and every byte below a folder is searched, decompressed and decoded, for everything that
the source said about the person, the staff, the place and the time. What was not searched for,
because it is too short or too common, is counted and said.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bidsanon.bids.tree import DatasetTree, TreeFile, list_tree
from bidsanon.dicom.terms import is_acquisition_term
from bidsanon.findings import Finding, finding
from bidsanon.identity import IdentifyingValue, ValueKind
from bidsanon.threads import in_turn
from bidsanon.validate.residue_digests import DigestIndex
from bidsanon.validate.residue_findings import Places, file_findings
from bidsanon.validate.residue_json import LARGEST
from bidsanon.validate.residue_needles import IgnoredValues, Needles
from bidsanon.validate.residue_search import Found, Hit, Lookup, Search, SearchedFile
from bidsanon.validate.residue_text import canonical
from bidsanon.validate.residue_uids import UidIndex
from bidsanon.validate.residue_words import is_common

_DESCRIPTORS = ("SeriesDescription", "ProtocolName")
_WORDS = re.compile(r"[a-z]+")
_SHORTEST_TELLING = 4


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


def search_residue(
    root: Path,
    identity: Iterable[IdentifyingValue],
    *,
    allowed: Iterable[str],
    jobs: int,
    lookups: Sequence[Lookup] = (),
    advance: Callable[[int], None] = lambda _: None,
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
    lookups
        What finds values that are known by other things than their text.
    advance
        Is told how many more files are done.
    """
    identity = tuple(identity)
    tree = list_tree(root)
    descriptors = tuple(published_descriptors(tree))
    uids = UidIndex(identity)
    needles = Needles(uids.others, allowed=allowed, descriptors=descriptors)
    search = Search(needles, uids, (DigestIndex(identity), *lookups))
    places = Places(search, _names(tree))
    searched = list(_search_files(tree, search, jobs=jobs, advance=advance))
    findings = [*places.findings(), *_problem_findings(tree, search, places)]
    for name, one in searched:
        findings += file_findings(places.of(name), one)
    shared = _names_in_descriptors(identity, descriptors)
    if shared:
        findings.append(finding("FOLDER_NAME_IN_DESCRIPTION", count=shared))
    counts = needles.searched + Counter({ValueKind.UID: uids.count})
    return ResidueSearch(
        findings=tuple(findings),
        searched={kind.value: counts[kind] for kind in sorted({*counts, *needles.searched})},
        ignored=needles.ignored,
        files=len(searched) + len(tree.problems),
        bytes_searched=sum(one.size for _, one in searched),
    )


def residue_in_texts(
    identity: Iterable[IdentifyingValue],
    *,
    allowed: Iterable[str],
    descriptors: Iterable[str],
    lookups: Sequence[Lookup] = (),
) -> Callable[[str], bool]:
    """Return what tells whether the search would find something in a text.

    Parameters
    ----------
    identity, allowed, lookups
        As for :func:`search_residue`.
    descriptors
        The series descriptions and protocol names that are published.
    """
    identity = tuple(identity)
    uids = UidIndex(identity)
    needles = Needles(uids.others, allowed=allowed, descriptors=descriptors)
    search = Search(needles, uids, (DigestIndex(identity), *lookups))
    return lambda text: bool(search.name(text))


def _names(tree: DatasetTree) -> set[str]:
    """Return the names of all that is below a folder, of the folders too."""
    names = {file.name for file in tree.files} | {problem.name for problem in tree.problems}
    for name in list(names):
        while name := name.rpartition("/")[0]:
            names.add(name)
    return names


def _search_files(
    tree: DatasetTree, search: Search, *, jobs: int, advance: Callable[[int], None]
) -> Iterator[tuple[str, SearchedFile]]:
    """Search every file once, under the name of a link that leads to it if there is one."""
    linked = {file.path.resolve() for file in tree.files if file.is_link}
    files = [f for f in tree.files if f.is_link or not linked or f.path.resolve() not in linked]

    def one(file: TreeFile) -> SearchedFile:
        searched = search.file(file.path)
        return searched._replace(hits=[*_in_target(file.path, search), *searched.hits])

    searches = in_turn(one, files, size=lambda file: file.size, jobs=jobs)
    for file, searched in zip(files, searches, strict=True):
        advance(1)
        yield file.name, searched


def _in_target(path: Path, search: Search) -> list[Hit]:
    """Search what a link says of where it leads."""
    found: list[Found] = search.name(str(path.readlink())) if path.is_symlink() else []
    return [Hit("target of a link", None, one.sources) for one in found]


def _problem_findings(tree: DatasetTree, search: Search, places: Places) -> Iterator[Finding]:
    for problem in tree.problems:
        hits = _in_target(problem.path, search)
        what = SearchedFile(hits, 0, f"it {problem.problem}")
        yield from file_findings(places.of(problem.name), what)


def published_descriptors(tree: DatasetTree) -> Iterator[str]:
    """Yield the series descriptions and protocol names that the sidecars hold."""
    for file in tree.files:
        if not file.name.endswith(".json") or file.size > LARGEST:
            continue
        try:
            content = json.loads(file.path.read_bytes())
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
