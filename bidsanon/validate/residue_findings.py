"""What the residue search says of a find: where it is and of what kind, never what it is."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence

from bidsanon.bids.tree import shown_name
from bidsanon.findings import Finding, finding
from bidsanon.identity import ValueKind
from bidsanon.validate.residue_needles import Source
from bidsanon.validate.residue_search import Found, Hit, Search, SearchedFile

_MOST_ORIGINS = 3
_DOCUMENTS = ("README", "CHANGES", "LICENSE", "CITATION", "dataset_description.json")
_PATIENT_GROUP = "(0010,"
_OF_THE_STUDY = frozenset({ValueKind.PLACE, ValueKind.TEXT, ValueKind.PATH})
_STAFF = frozenset({"(0008,0090)", "(0008,1048)", "(0008,1050)", "(0008,1060)", "(0008,1070)"})
"""Physicians and operators: they are authors of datasets too."""


class Places:
    """How files are called in findings: a name that is itself a find is not repeated.

    Parameters
    ----------
    search
        What searches names.
    names
        The places of all files and folders within the dataset.
    """

    def __init__(self, search: Search, names: Collection[str]) -> None:
        self._shown: dict[str, str] = {"": ""}
        self._found: dict[str, list[Found]] = {}
        found = search.names(name.rpartition("/")[2] for name in names)
        entries: Counter[str] = Counter()
        for name in sorted(names):
            folder, _, own = name.rpartition("/")
            entries[folder] += 1
            shown = shown_name(own)
            if own in found:
                self._found[name] = found[own]
                shown = f"[entry {entries[folder]}]"
            self._shown[name] = f"{self._shown[folder]}/{shown}".removeprefix("/")

    def of(self, name: str) -> str:
        """Return how a file or folder is called, by its place within the dataset."""
        return self._shown[name]

    def findings(self) -> Iterator[Finding]:
        """Yield the findings for names that hold a value."""
        for name, found in sorted(self._found.items()):
            hits = [Hit("its name", None, one.sources) for one in found]
            yield from file_findings(self._shown[name], SearchedFile(hits, 0, ""))


def file_findings(location: str, searched: SearchedFile) -> Iterator[Finding]:
    """Yield a finding for each place and kind of value in a file."""
    grouped: dict[tuple[str, ValueKind], list[Hit]] = defaultdict(list)
    for hit in searched.hits:
        for kind in dict.fromkeys(source.kind for source in hit.sources):
            grouped[hit.place, kind].append(hit)
    for (place, kind), hits in sorted(grouped.items()):
        yield _finding(location, place, kind, hits)
    if searched.problem:
        yield finding("RESIDUE_NOT_SEARCHED", location=location, problem=searched.problem)


def _finding(location: str, place: str, kind: ValueKind, hits: Sequence[Hit]) -> Finding:
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
