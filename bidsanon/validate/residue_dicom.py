"""The residue search in DICOM that is to be delivered: every header, decoded and as bytes.

Within encapsulated pixel data only long forms count; native pixel data pass through unchanged and
are not searched. Several workers share the files, and nothing in the result depends on how many.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import filterfalse

from bidsanon.dicom.encoding import NotUnderstoodError
from bidsanon.dicom.reading import read_path, text_of
from bidsanon.findings import Finding, finding
from bidsanon.identity import IdentifyingValue, ValueKind
from bidsanon.profile import Profile
from bidsanon.validate.residue import ResidueSearch
from bidsanon.validate.residue_headers import (
    DicomOutput,
    HeaderReport,
    HeaderSearcher,
    Hit,
    InstanceUids,
)
from bidsanon.validate.residue_needles import IgnoredValues, Needles, Source
from bidsanon.validate.residue_rules import IgnoredBecause
from bidsanon.validate.residue_uids import UidIndex
from bidsanon.workers import share_files, worker_pool

_MOST_ORIGINS = 3
_NUMBER = re.compile(r"\d+")
_LONG_NUMBER = re.compile(r"\d{6}")
"""As many digits as days and record numbers have: such names are all searched for."""
_MOST_ALIKE = 64
_DESCRIBING = (0x00081030, 0x0008103E, 0x00181030, 0x00400254, 0x00180024, 0x00321060)


@dataclass(frozen=True, kw_only=True)
class DicomSearch:
    """What the search found, and what it read on its way.

    Attributes
    ----------
    residue
        What was found and what was searched for.
    uids
        Of each file, in the order given; empty where a file could not be read.
    pixel_bytes
        How many bytes of native pixel data were passed over.
    """

    residue: ResidueSearch
    uids: tuple[InstanceUids, ...]
    pixel_bytes: int


@dataclass(frozen=True, kw_only=True)
class _Orders:
    """What a worker needs to know."""

    identity: tuple[IdentifyingValue, ...]
    allowed: tuple[str, ...]
    descriptors: tuple[str, ...]
    profile: Profile


def search_dicom(
    outputs: Sequence[DicomOutput],
    identity: Iterable[IdentifyingValue],
    *,
    profile: Profile,
    allowed: Iterable[str],
    jobs: int,
    advance: Callable[[int], None] = lambda _: None,
) -> DicomSearch:
    """Search de-identified DICOM for identifying values.

    A value that the profile keeps on purpose, by an option that retains or a rule that keeps, is
    no residue where it is kept. Anywhere else it is one.

    Parameters
    ----------
    outputs
        The files.
    identity
        Every identifying value of the source.
    profile
        What the files were de-identified by.
    allowed
        Texts that are delivered on purpose: pseudonyms.
    jobs
        How many processes may work at once. The result does not depend on it.
    advance
        Is told how many more files are done.
    """
    searched, left_out = _worth_searching(identity)
    allowed = tuple(allowed)
    orders = _Orders(
        identity=searched,
        allowed=allowed,
        descriptors=tuple(_descriptors(outputs)),
        profile=profile,
    )
    joined = HeaderReport()
    for report in _carry_out(outputs, orders, jobs=jobs):
        joined.uids += report.uids
        joined.hits |= report.hits
        joined.problems += report.problems
        joined.bytes_searched += report.bytes_searched
        joined.pixel_bytes += report.pixel_bytes
        advance(len(report.uids))
    uids, needles = _needles(orders)
    counts = needles.searched + Counter({ValueKind.UID: uids.count})
    return DicomSearch(
        residue=ResidueSearch(
            findings=tuple(_findings(joined)),
            searched={kind.value: count for kind, count in sorted(counts.items())},
            ignored=(*needles.ignored, *left_out),
            files=len(outputs),
            bytes_searched=joined.bytes_searched,
        ),
        uids=tuple(joined.uids),
        pixel_bytes=joined.pixel_bytes,
    )


def _worth_searching(
    identity: Iterable[IdentifyingValue],
) -> tuple[tuple[IdentifyingValue, ...], tuple[IgnoredValues, ...]]:
    """Leave out what is found by chance or never, and say so.

    Free text of one word that was removed as something that nobody knows is often the name of a
    coil or a protocol, and that stands in other headers too. Of names of files that differ in their
    numbers alone some stand for all: exporting programs number thousands of them.
    """
    searched: list[IdentifyingValue] = []
    left_out: Counter[tuple[ValueKind, IgnoredBecause, str]] = Counter()
    alike: Counter[str] = Counter()
    for value in identity:
        if value.kind is ValueKind.TEXT and len(value.text.split()) == 1:
            left_out[value.kind, IgnoredBecause.ONE_WORD, value.origin] += 1
            continue
        if value.kind is ValueKind.PATH and not _LONG_NUMBER.search(value.text):
            pattern = _NUMBER.sub("0", value.text)
            alike[pattern] += 1
            if alike[pattern] > _MOST_ALIKE:
                left_out[value.kind, IgnoredBecause.COUNTED_NAME, value.origin] += 1
                continue
        searched.append(value)
    return tuple(searched), tuple(
        IgnoredValues(kind=kind, reason=reason, origin=origin, count=count)
        for (kind, reason, origin), count in sorted(left_out.items())
    )


def _needles(orders: _Orders) -> tuple[UidIndex, Needles]:
    """Return what is looked up, and what is searched for."""
    uids = UidIndex(orders.identity)
    needles = Needles(uids.others, allowed=orders.allowed, descriptors=orders.descriptors)
    return uids, needles


def _descriptors(outputs: Sequence[DicomOutput]) -> Iterator[str]:
    """Yield the descriptions of each series' first file: they are delivered on purpose."""
    first = {output.place: output for output in reversed(outputs)}
    for output in first.values():
        try:
            file = read_path(output.path, until=max(_DESCRIBING) + 1)
        except (NotUnderstoodError, OSError):
            continue  # the search itself says so
        yield from filter(None, (text_of(file, tag) for tag in _DESCRIBING))


def _carry_out(
    outputs: Sequence[DicomOutput], orders: _Orders, *, jobs: int
) -> Iterator[HeaderReport]:
    sizes = [output.path.stat().st_size for output in outputs]
    workers, size = share_files(sizes, jobs=jobs)
    batches = [outputs[i : i + size] for i in range(0, len(outputs), size)]
    if workers <= 1:
        yield from map(_searcher_for(orders).search, batches)
        return
    with worker_pool(workers, doing="searches", initializer=_begin, initargs=(orders,)) as pool:
        yield from pool.map(_search_here, batches)


_searcher: HeaderSearcher | None = None


def _searcher_for(orders: _Orders) -> HeaderSearcher:
    uids, needles = _needles(orders)
    return HeaderSearcher(profile=orders.profile, uids=uids, needles=needles)


def _begin(orders: _Orders) -> None:
    global _searcher  # noqa: PLW0603 (one a process: what it has seen serves all its files)
    _searcher = _searcher_for(orders)


def _search_here(outputs: Sequence[DicomOutput]) -> HeaderReport:
    assert _searcher is not None  # noqa: S101 (the pool's initializer made it)
    return _searcher.search(outputs)


def _findings(report: HeaderReport) -> Iterator[Finding]:
    """Yield a finding for each attribute of a series and kind of value."""
    grouped: dict[tuple[str, str, ValueKind], set[str]] = defaultdict(set)
    for hit in report.hits:
        for source in filterfalse(partial(_is_setting, hit), hit.sources):
            grouped[hit.series, hit.attribute, source.kind].add(source.origin)
    for (series, attribute, kind), origins in sorted(grouped.items()):
        shown = sorted(origins)
        more = f" and {len(shown) - _MOST_ORIGINS} more" if len(shown) > _MOST_ORIGINS else ""
        yield finding(
            "RESIDUE_FOUND",
            location=f"{series}, {attribute}",
            kind=kind.value,
            origin=", ".join(shown[:_MOST_ORIGINS]) + more,
        )
    for place in sorted(set(report.problems)):
        yield finding(
            "RESIDUE_NOT_SEARCHED",
            location=place,
            problem=f"{report.problems.count(place)} file(s) cannot be understood completely",
        )


def _is_setting(hit: Hit, source: Source) -> bool:
    """Whether a private text that nobody knows stands where the standard has what it is."""
    return (
        source.kind is ValueKind.TEXT
        and _is_private(source.origin)
        and not _is_private(hit.attribute.rpartition("> ")[2])
    )


def _is_private(attribute: str) -> bool:
    """Whether an attribute's group, as "(0029,...)" has it, is odd."""
    return attribute[4:5] in set("13579BDF")
