"""The residue search in DICOM that is to be delivered: every header, decoded and as bytes.

Each file is parsed to its last byte, and each value of it searched: at every depth, private and
unknown attributes too, the file meta information and the preamble. Within encapsulated pixel data
only long forms count; native pixel data pass through unchanged and are not searched. The same value
of the same attribute is searched once a worker, since most of a series' headers are alike.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from itertools import filterfalse
from pathlib import Path
from typing import AnyStr, NamedTuple

from bidsanon.dicom.charset import character_set, decode_text
from bidsanon.dicom.confidentiality import Action, tag_text
from bidsanon.dicom.encoding import (
    DataSet,
    DicomFile,
    Element,
    Encoding,
    Known,
    Layout,
    NotUnderstoodError,
    dictionary_vr,
    encoding_of_items,
    looks_like_items,
    read_file,
    read_item,
    read_items,
)
from bidsanon.dicom.passages import Passages
from bidsanon.dicom.reading import read_path, text_of
from bidsanon.findings import Finding, finding
from bidsanon.profile import Cleaning, Decision, Profile
from bidsanon.session import IdentifyingValue, ValueKind
from bidsanon.validate.residue import ResidueSearch
from bidsanon.validate.residue_forms import IgnoredBecause
from bidsanon.validate.residue_needles import Context, IgnoredValues, Needles, Source
from bidsanon.validate.residue_runs import alphabet_table, runs
from bidsanon.validate.residue_text import View, byte_views, text_views
from bidsanon.validate.residue_uids import UidIndex
from bidsanon.workers import share_files, worker_pool

_MOST_SEEN = 1 << 17
_LONGEST_SEEN = 1 << 12
_MOST_LAYOUTS = 1 << 10
_MOST_ORIGINS = 3
_PRIVATE = 0x10000
_MEDIA_INSTANCE_UID = 0x00020003
_SOP_CLASS_UID = 0x00080016
_SOP_INSTANCE_UID = 0x00080018
_STUDY_UID = 0x0020000D
_SERIES_UID = 0x0020000E
_PIXELS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
_PREAMBLE = 128
_TEXT_VRS = frozenset(
    {"AE", "AS", "CS", "DA", "DT", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT"}
)
_NUMBER_VRS = frozenset({"DS", "IS"})
_PERHAPS_TEXT = frozenset({"OB", "OW", "UN"})
_PRINTABLE = re.compile(rb"[\x20-\x7e\r\n\t]{3,}")
_ESCAPES = re.compile(rb"[\x1b%&]|\\[ux]")
"""What makes a text other than it is written: code extensions, and the escapes of programs."""
_SHORTEST_RUN_IN_BYTES = 3
_SHORTEST_RUN_IN_PIXELS = 8
_FEWEST_BYTES = 4
_FEWEST_DIGITS_IN_BYTES = 6
_NUMBER = re.compile(r"\d+")
_LONG_NUMBER = re.compile(r"\d{6}")
"""As many digits as days and record numbers have: such names are all searched for."""
_MOST_ALIKE = 64
_SEPARATOR = b"\xff\xfe\xff\xfe"
_DESCRIBING = (0x00081030, 0x0008103E, 0x00181030, 0x00400254, 0x00180024, 0x00321060)


class DicomOutput(NamedTuple):
    """One file that is to be searched.

    Attributes
    ----------
    path
        Where it is.
    place
        How it is called in findings ("series 3").
    """

    path: Path
    place: str


class InstanceUids(NamedTuple):
    """What a file is called by: its UIDs of study, series and instance."""

    study: str
    series: str
    instance: str


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


class _Hit(NamedTuple):
    """A find: in which series, at which attribute, of what form, and whose it is."""

    series: str
    attribute: str
    form: str
    sources: tuple[Source, ...]


@dataclass(frozen=True, kw_only=True)
class _Orders:
    """What a worker needs to know."""

    identity: tuple[IdentifyingValue, ...]
    allowed: tuple[str, ...]
    descriptors: tuple[str, ...]
    profile: Profile


@dataclass(kw_only=True)
class _Report:
    """What came of some files."""

    uids: list[InstanceUids] = field(default_factory=list)
    hits: set[_Hit] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    bytes_searched: int = 0
    pixel_bytes: int = 0


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
    joined = _Report()
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


def _carry_out(outputs: Sequence[DicomOutput], orders: _Orders, *, jobs: int) -> Iterator[_Report]:
    sizes = [output.path.stat().st_size for output in outputs]
    workers, size = share_files(sizes, jobs=jobs)
    batches = [outputs[i : i + size] for i in range(0, len(outputs), size)]
    if workers <= 1:
        yield from map(_Searcher(orders).search, batches)
        return
    with worker_pool(workers, doing="searches", initializer=_begin, initargs=(orders,)) as pool:
        yield from pool.map(_search_here, batches)


_searcher: _Searcher | None = None


def _begin(orders: _Orders) -> None:
    global _searcher  # noqa: PLW0603 (one a process: what it has seen serves all its files)
    _searcher = _Searcher(orders)


def _search_here(outputs: Sequence[DicomOutput]) -> _Report:
    assert _searcher is not None  # noqa: S101 (the pool's initializer made it)
    return _searcher.search(outputs)


_TEXT, _DESCRIPTOR, _KEPT, _PIXEL_DATA = range(4)
"""How an attribute's values are searched: as text that people or programs wrote; as a description
that the de-identification has cleaned; not at all, since the profile keeps it on purpose; not at
all where native, and for long forms where encapsulated. Plain numbers: they are hashed often."""


class _Place(dict[int, int]):
    """How the attributes in one place of an object are searched: below one path of sequences."""

    def __init__(self, profile: Profile, sop_class_uid: str, path: tuple[int, ...]) -> None:
        super().__init__()
        self._profile = profile
        self._sop_class_uid = sop_class_uid
        self._path = path
        self._below: dict[int, _Place] = {}
        self._private: dict[tuple[int, str], int] = {}

    def __missing__(self, tag: int) -> int:
        decision = self._profile.decide(tag, sop_class_uid=self._sop_class_uid, path=self._path)
        treatment = _PIXEL_DATA if tag in _PIXELS else _treatment(decision)
        self[tag] = treatment
        return treatment

    def private(self, tag: int, creator: str) -> int:
        key = (tag & 0xFFFF00FF, creator)
        treatment = self._private.get(key)
        if treatment is None:
            own = self._profile.decide_private(tag >> 16, creator, tag & 0xFF)
            treatment = _treatment(own) if own else _TEXT
            self._private[key] = treatment
        return treatment

    def below(self, tag: int) -> _Place:
        place = self._below.get(tag)
        if place is None:
            place = _Place(self._profile, self._sop_class_uid, (*self._path, tag))
            self._below[tag] = place
        return place


def _treatment(decision: Decision) -> int:
    on_purpose = decision.option is not None or bool(decision.reason)
    if (decision.action is Action.KEEP and on_purpose) or decision.value:
        return _KEPT
    if decision.cleaning is Cleaning.DESCRIPTORS:
        return _DESCRIPTOR
    return _TEXT


class _Where(NamedTuple):
    """Where a data set stands within a file."""

    content: bytes
    encoding: Encoding
    character_set: bytes
    place: _Place
    path: str
    depth: int
    known: Known | None
    traced: list[_Traced] | None = None
    """Takes down each value, while somebody wants that."""


class _Traced(NamedTuple):
    """A value of an item: where it begins and ends, how it is searched, and where it stands."""

    begin: int
    end: int
    treatment: int
    vr: str
    attribute: str
    character_set: bytes


class _Value(NamedTuple):
    """A value that was not seen before: how it is searched, and where it stands."""

    treatment: int
    vr: str
    value: bytes
    attribute: str
    character_set: bytes


class _Gathered:
    """What of one file was not seen before, by the context in which it is searched.

    Attributes
    ----------
    texts
        Plain ASCII, with the attribute that each is the value of.
    bytes
        What is no text.
    views
        The readings of texts that are not plain.
    pixel_bytes
        How long the native pixel data are.
    """

    def __init__(self) -> None:
        self.texts: dict[Context, list[tuple[str, str]]] = defaultdict(list)
        self.bytes: dict[Context, list[tuple[str, bytes]]] = defaultdict(list)
        self.views: list[tuple[str, Context, tuple[View, ...]]] = []
        self.pixel_bytes = 0

    def take(self, found: _Value) -> None:
        """Put a value with others that are searched alike."""
        treatment, vr, value, attribute, character_set = found
        if treatment == _KEPT:
            return
        if vr in _NUMBER_VRS:
            self.texts[Context.MEASURED].append((attribute, value.decode("latin-1")))
        elif _is_text(vr, value):
            context = Context.DESCRIPTOR if treatment == _DESCRIPTOR else Context.TEXT
            if value.isascii() and not _ESCAPES.search(value):
                self.texts[context].append((attribute, value.decode("ascii").rstrip(" \0")))
            else:
                views = (*text_views(decode_text(value, character_set)), *byte_views(value))
                self.views.append((attribute, context, views))
        elif len(value) >= _FEWEST_BYTES:
            self.bytes[Context.BYTES].append((attribute, value))


class _Searcher:
    """Searches files one after the other, and remembers which values it has searched."""

    def __init__(self, orders: _Orders) -> None:
        self._profile = orders.profile
        self._uids, self._needles = _needles(orders)
        self._tables = {
            Context.BYTES: self._table(_SHORTEST_RUN_IN_BYTES),
            Context.VOXELS: self._table(_SHORTEST_RUN_IN_PIXELS),
        }
        self._places: dict[str, _Place] = {}
        self._seen: dict[bytes, set[tuple[int, str, bytes]]] = {}
        self._passages = Passages()
        self._walked: dict[tuple[object, ...], dict[int, str]] = {}
        self._varying: dict[tuple[Layout, bytes, int], tuple[_Traced, ...] | None] = {}

    def search(self, outputs: Sequence[DicomOutput]) -> _Report:
        """Search some files, and report."""
        report = _Report()
        for output in outputs:
            try:
                content = output.path.read_bytes()
                file = read_file(content, known=self._passages)
                gathered = self._gather(file, content)
            except (NotUnderstoodError, OSError):
                report.problems.append(output.place)
                report.uids.append(InstanceUids("", "", ""))
                continue
            report.uids.append(_uids(file))
            report.hits.update(self._hits(gathered, output.place))
            report.bytes_searched += len(content) - gathered.pixel_bytes
            report.pixel_bytes += gathered.pixel_bytes
        return report

    def _table(self, shortest: int) -> tuple[bytes, int]:
        return alphabet_table(self._needles.alphabet(shortest=shortest)), shortest

    def _gather(self, file: DicomFile, content: bytes) -> _Gathered:
        gathered = _Gathered()
        preamble = content[:_PREAMBLE] if content[128:132] == b"DICM" else b""
        if preamble.strip(b"\0"):
            gathered.bytes[Context.BYTES].append(("preamble", preamble))
        sop_class_uid = file.value(_SOP_CLASS_UID).decode("ascii", "replace")
        place = self._places.get(sop_class_uid)
        if place is None:
            place = self._places[sop_class_uid] = _Place(self._profile, sop_class_uid, ())
        characters = character_set(file.content, file.data_set)
        for tag, value in file.meta.items():
            treatment = place[_SOP_INSTANCE_UID] if tag == _MEDIA_INSTANCE_UID else _TEXT
            gathered.take(_Value(treatment, "UN", value, tag_text(tag), characters))
        self._walk(
            file.data_set,
            _Where(file.content, file.data_set.encoding, characters, place, "", 0, self._passages),
            gathered,
        )
        return gathered

    def _walk(self, data_set: DataSet, where: _Where, gathered: _Gathered) -> None:
        """Gather what is new: a passage that came before in the same place was searched there."""
        creators: dict[int, str] = {}
        begin = 0
        for before, passage, position in data_set.placed:
            if before > begin:
                self._walk_elements(data_set.singles[begin:before], where, creators, gathered)
                begin = before
            key = (passage, where.character_set, id(where.place), tuple(creators.items()))
            known = self._walked.get(key)
            if known is not None:
                creators.update(known)
                continue
            pixel_bytes = gathered.pixel_bytes
            elements = passage.elements_at(position)
            self._walk_elements(elements, where, creators, gathered)
            if gathered.pixel_bytes == pixel_bytes:
                if len(self._walked) > _MOST_SEEN:
                    self._walked.clear()
                self._walked[key] = creators.copy()
        self._walk_elements(data_set.singles[begin:], where, creators, gathered)

    def _walk_alike(
        self, data_set: DataSet, layout: Layout, where: _Where, gathered: _Gathered
    ) -> None:
        """Gather what is new in an item of a known layout: only some values can be."""
        key = (layout, where.character_set, id(where.place))
        if key not in self._varying:
            if len(self._varying) > _MOST_LAYOUTS:
                self._varying.clear()
            self._varying[key] = self._walk_first(data_set, layout, where, gathered)
            return
        varying, position = self._varying[key], data_set.position
        if varying is None:
            self._walk(data_set, where, gathered)
            return
        content = where.content
        for begin, end, treatment, vr, attribute, characters in varying:
            value = content[position + begin : position + end]
            mark = _seen_key(treatment, vr, value)
            seen = self._seen_with(characters)
            if mark not in seen:
                seen.add(mark)
                gathered.take(_Value(treatment, vr, value, attribute, characters))

    def _walk_first(
        self, data_set: DataSet, layout: Layout, where: _Where, gathered: _Gathered
    ) -> tuple[_Traced, ...] | None:
        """Gather what is new in the first item of a layout, and return the values that vary.

        None: each has to be walked over by itself. It may hold pixel data, which are counted.
        """
        traced: list[_Traced] = []
        pixel_bytes, position = gathered.pixel_bytes, data_set.position
        self._walk(data_set, where._replace(known=None, traced=traced), gathered)
        places = set(layout.varying)
        moved = (v._replace(begin=v.begin - position, end=v.end - position) for v in traced)
        varying = [value for value in moved if value[:2] in places]
        if gathered.pixel_bytes != pixel_bytes or len(varying) != len(places):
            return None
        return tuple(value for value in varying if value.treatment != _KEPT)

    def _walk_elements(
        self,
        elements: Iterable[Element],
        where: _Where,
        creators: dict[int, str],
        gathered: _Gathered,
    ) -> None:
        content, place, path, traced = where.content, where.place, where.path, where.traced
        seen = self._seen_with(where.character_set)
        for element in elements:
            tag, vr, _, body, end, _, _ = element
            private = tag & _PRIVATE
            treatment = self._private(element, where, creators) if private else place[tag]
            if (vr == "SQ" or vr == "UN") and self._enter(element, where, gathered):  # noqa: PLR1714 (speed)
                continue
            if treatment is _PIXEL_DATA:
                self._pixels(element, where, gathered)
                continue
            if traced is not None:
                name = path + _name(tag)
                traced.append(_Traced(body, end, treatment, vr, name, where.character_set))
            value = content[body:end]
            key = _seen_key(treatment, vr, value)
            if key in seen:
                continue
            seen.add(key)
            found = _Value(treatment, vr, value, path + _name(tag), where.character_set)
            gathered.take(found)

    def _seen_with(self, character_set: bytes) -> set[tuple[int, str, bytes]]:
        seen = self._seen.setdefault(character_set, set())
        if len(seen) > _MOST_SEEN:
            seen.clear()
        return seen

    def _private(self, element: Element, where: _Where, creators: dict[int, str]) -> int:
        tag = element.tag
        number = tag & 0xFFFF
        if number <= 0xFF:  # noqa: PLR2004 (PS3.5 7.8.1: private creators)
            name = where.content[element.body : element.end].decode("latin-1").strip(" \0")
            creators[tag >> 16 << 8 | number] = name
            return _TEXT
        return where.place.private(tag, creators.get(tag >> 8, ""))

    def _enter(self, element: Element, where: _Where, gathered: _Gathered) -> bool:
        """Search the items of a sequence; say whether it is one."""
        if element.vr == "UN" and not (
            element.end > element.body
            and (dictionary_vr(element.tag) == "SQ" or looks_like_items(where.content, element))
        ):
            return False
        inner = encoding_of_items(element, where.encoding)
        depth = where.depth + 1
        place = where.place.below(element.tag)
        path = f"{where.path}{tag_text(element.tag)} > "
        try:
            known = where.known.below(element.tag) if where.known else None
            items = read_items(where.content, element, where.encoding, depth=depth, known=known)
            for item in items:
                data_set = read_item(where.content, item, inner, depth=depth, known=known)
                characters = character_set(where.content, data_set, where.character_set)
                inside = where._replace(
                    encoding=data_set.encoding,
                    character_set=characters,
                    place=place,
                    path=path,
                    depth=depth,
                    known=known,
                )
                if data_set.layout is None:
                    self._walk(data_set, inside, gathered)
                else:
                    self._walk_alike(data_set, data_set.layout, inside, gathered)
        except NotUnderstoodError:
            if element.vr == "SQ":
                raise
            return False
        return True

    def _pixels(self, element: Element, where: _Where, gathered: _Gathered) -> None:
        if element.after == element.end:
            gathered.pixel_bytes += element.end - element.body
            return
        value = where.content[element.body : element.end]
        gathered.bytes[Context.VOXELS].append((tag_text(element.tag), value))

    def _hits(self, gathered: _Gathered, series: str) -> Iterator[_Hit]:
        for context, texts in gathered.texts.items():
            joined, starts = _join([text for _, text in texts], "\n")
            view = View(text=joined.lower(), cased=joined)
            for start, form, sources in self._finds(view, context):
                attribute = texts[bisect_right(starts, start) - 1][0]
                yield _Hit(series, attribute, form, sources)
        for context, values in gathered.bytes.items():
            yield from self._hits_in_bytes(context, values, series)
        for attribute, context, views in gathered.views:
            for view in views:
                for _, form, sources in self._finds(view, context):
                    yield _Hit(series, attribute, form, sources)

    def _finds(self, view: View, context: Context) -> Iterator[tuple[int, str, tuple[Source, ...]]]:
        """Yield where in a view a form of a value begins, the form, and whose it is."""
        if context is not Context.VOXELS or self._needles.may_be_in(view.text):
            for find in self._needles.find(view, context):
                yield find.start, find.form.text, find.sources
        for uid in self._uids.find(view.text):
            yield uid.start, uid.form, (uid.source,)

    def _hits_in_bytes(
        self, context: Context, values: Sequence[tuple[str, bytes]], series: str
    ) -> Iterator[_Hit]:
        table, shortest = self._tables[context]
        joined, starts = _join([value for _, value in values], _SEPARATOR)
        for text, positions in runs(joined, table, shortest):
            for start, form, sources in self._finds(View(text=text), context):
                if form.isdigit() and len(form) < _FEWEST_DIGITS_IN_BYTES:
                    continue  # settings hold such numbers by chance
                number = bisect_right(starts, int(positions[start])) - 1
                yield _Hit(series, values[number][0], form, sources)


def _seen_key(treatment: int, vr: str, value: bytes) -> tuple[int, str, bytes]:
    """Return what a value is remembered by.

    A long one is by its digest: a protocol stands in each file of a series.
    """
    short = value if len(value) <= _LONGEST_SEEN else sha256(value).digest()
    return treatment, vr, short


def _is_text(vr: str, value: bytes) -> bool:
    return vr in _TEXT_VRS or (
        vr in _PERHAPS_TEXT and bool(_PRINTABLE.fullmatch(value.strip(b"\0")))
    )


def _join(parts: Sequence[AnyStr], separator: AnyStr) -> tuple[AnyStr, list[int]]:
    starts, position = [], 0
    for part in parts:
        starts.append(position)
        position += len(part) + len(separator)
    return separator.join(parts), starts


def _name(tag: int) -> str:
    """Name an attribute; a private one without its creator, which could be a hospital's name."""
    return tag_text(tag) if not tag & _PRIVATE else f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


def _uids(file: DicomFile) -> InstanceUids:
    return InstanceUids(
        *(
            file.value(tag).decode("ascii", "replace")
            for tag in (_STUDY_UID, _SERIES_UID, _SOP_INSTANCE_UID)
        )
    )


def _findings(report: _Report) -> Iterator[Finding]:
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


def _is_setting(hit: _Hit, source: Source) -> bool:
    """Whether a private text that nobody knows stands where the standard has what it is."""
    return (
        source.kind is ValueKind.TEXT
        and _is_private(source.origin)
        and not _is_private(hit.attribute.rpartition("> ")[2])
    )


def _is_private(attribute: str) -> bool:
    """Whether an attribute's group, as "(0029,...)" has it, is odd."""
    return attribute[4:5] in set("13579BDF")
