"""The residue search in DICOM headers, one file after the other: every value at every depth.

A file is parsed to its last byte, and each value of it searched: private and unknown attributes,
the file meta information and the preamble too. The same value of the same attribute is searched
once, since most of a series' headers are alike.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import AnyStr, NamedTuple

from bidsanon.dicom.charset import character_set
from bidsanon.dicom.confidentiality import tag_text
from bidsanon.dicom.elements import (
    DataSet,
    Element,
    Known,
    Layout,
    encoding_of_items,
    looks_like_items,
)
from bidsanon.dicom.encoding import Encoding, NotUnderstoodError
from bidsanon.dicom.file_format import DicomFile, read_file
from bidsanon.dicom.parsing import read_item, read_items
from bidsanon.dicom.passages import Passages
from bidsanon.dicom.vrs import dictionary_vr
from bidsanon.profile import Profile
from bidsanon.validate.residue_gathered import Gathered, Value
from bidsanon.validate.residue_needles import Context, Needles, Source
from bidsanon.validate.residue_runs import alphabet_table, runs
from bidsanon.validate.residue_text import View
from bidsanon.validate.residue_treatment import KEPT, PIXEL_DATA, TEXT, Place
from bidsanon.validate.residue_uids import UidIndex

_MOST_SEEN = 1 << 17
_LONGEST_SEEN = 1 << 12
_MOST_LAYOUTS = 1 << 10
_PRIVATE = 0x10000
_MEDIA_INSTANCE_UID = 0x00020003
_SOP_CLASS_UID = 0x00080016
_SOP_INSTANCE_UID = 0x00080018
_STUDY_UID = 0x0020000D
_SERIES_UID = 0x0020000E
_PREAMBLE = 128
_SHORTEST_RUN_IN_BYTES = 3
_SHORTEST_RUN_IN_PIXELS = 8
_FEWEST_DIGITS_IN_BYTES = 6
_SEPARATOR = b"\xff\xfe\xff\xfe"


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


class Hit(NamedTuple):
    """A find: in which series, at which attribute, of what form, and whose it is."""

    series: str
    attribute: str
    form: str
    sources: tuple[Source, ...]


@dataclass(kw_only=True)
class HeaderReport:
    """What came of some files.

    Attributes
    ----------
    uids
        Of each file, in the order given; empty where a file could not be read.
    hits
        What was found.
    problems
        The place of each file that could not be understood.
    bytes_searched, pixel_bytes
        How many bytes were searched, and how many of native pixel data were passed over.
    """

    uids: list[InstanceUids] = field(default_factory=list)
    hits: set[Hit] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    bytes_searched: int = 0
    pixel_bytes: int = 0


class _Where(NamedTuple):
    """Where a data set stands within a file."""

    content: bytes
    encoding: Encoding
    character_set: bytes
    place: Place
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


class HeaderSearcher:
    """Searches files one after the other, and remembers which values it has searched.

    Parameters
    ----------
    profile
        What the files were de-identified by.
    uids, needles
        What is looked up, and what is searched for.
    """

    def __init__(self, *, profile: Profile, uids: UidIndex, needles: Needles) -> None:
        self._profile = profile
        self._uids, self._needles = uids, needles
        self._tables = {
            Context.BYTES: self._table(_SHORTEST_RUN_IN_BYTES),
            Context.VOXELS: self._table(_SHORTEST_RUN_IN_PIXELS),
        }
        self._places: dict[str, Place] = {}
        self._seen: dict[bytes, set[tuple[int, str, bytes]]] = {}
        self._passages = Passages()
        self._walked: dict[tuple[object, ...], dict[int, str]] = {}
        self._varying: dict[tuple[Layout, bytes, int], tuple[_Traced, ...] | None] = {}

    def search(self, outputs: Sequence[DicomOutput]) -> HeaderReport:
        """Search some files, and report."""
        report = HeaderReport()
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

    def _gather(self, file: DicomFile, content: bytes) -> Gathered:
        gathered = Gathered()
        preamble = content[:_PREAMBLE] if content[128:132] == b"DICM" else b""
        if preamble.strip(b"\0"):
            gathered.bytes[Context.BYTES].append(("preamble", preamble))
        sop_class_uid = file.value(_SOP_CLASS_UID).decode("ascii", "replace")
        place = self._places.get(sop_class_uid)
        if place is None:
            place = self._places[sop_class_uid] = Place(self._profile, sop_class_uid, ())
        characters = character_set(file.content, file.data_set)
        for tag, value in file.meta.items():
            treatment = place[_SOP_INSTANCE_UID] if tag == _MEDIA_INSTANCE_UID else TEXT
            gathered.take(Value(treatment, "UN", value, tag_text(tag), characters))
        self._walk(
            file.data_set,
            _Where(file.content, file.data_set.encoding, characters, place, "", 0, self._passages),
            gathered,
        )
        return gathered

    def _walk(self, data_set: DataSet, where: _Where, gathered: Gathered) -> None:
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
        self, data_set: DataSet, layout: Layout, where: _Where, gathered: Gathered
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
                gathered.take(Value(treatment, vr, value, attribute, characters))

    def _walk_first(
        self, data_set: DataSet, layout: Layout, where: _Where, gathered: Gathered
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
        return tuple(value for value in varying if value.treatment != KEPT)

    def _walk_elements(
        self,
        elements: Iterable[Element],
        where: _Where,
        creators: dict[int, str],
        gathered: Gathered,
    ) -> None:
        content, place, path, traced = where.content, where.place, where.path, where.traced
        seen = self._seen_with(where.character_set)
        for element in elements:
            tag, vr, _, body, end, _, _ = element
            private = tag & _PRIVATE
            treatment = self._private(element, where, creators) if private else place[tag]
            if (vr == "SQ" or vr == "UN") and self._enter(element, where, gathered):  # noqa: PLR1714 (speed)
                continue
            if treatment is PIXEL_DATA:
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
            found = Value(treatment, vr, value, path + _name(tag), where.character_set)
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
            return TEXT
        return where.place.private(tag, creators.get(tag >> 8, ""))

    def _enter(self, element: Element, where: _Where, gathered: Gathered) -> bool:
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

    def _pixels(self, element: Element, where: _Where, gathered: Gathered) -> None:
        if element.after == element.end:
            gathered.pixel_bytes += element.end - element.body
            return
        value = where.content[element.body : element.end]
        gathered.bytes[Context.VOXELS].append((tag_text(element.tag), value))

    def _hits(self, gathered: Gathered, series: str) -> Iterator[Hit]:
        for context, texts in gathered.texts.items():
            joined, starts = _join([text for _, text in texts], "\n")
            view = View(text=joined.lower(), cased=joined)
            for start, form, sources in self._finds(view, context):
                attribute = texts[bisect_right(starts, start) - 1][0]
                yield Hit(series, attribute, form, sources)
        for context, values in gathered.bytes.items():
            yield from self._hits_in_bytes(context, values, series)
        for attribute, context, views in gathered.views:
            for view in views:
                for _, form, sources in self._finds(view, context):
                    yield Hit(series, attribute, form, sources)

    def _finds(self, view: View, context: Context) -> Iterator[tuple[int, str, tuple[Source, ...]]]:
        """Yield where in a view a form of a value begins, the form, and whose it is."""
        if context is not Context.VOXELS or self._needles.may_be_in(view.text):
            for find in self._needles.find(view, context):
                yield find.start, find.form.text, find.sources
        for uid in self._uids.find(view.text):
            yield uid.start, uid.form, (uid.source,)

    def _hits_in_bytes(
        self, context: Context, values: Sequence[tuple[str, bytes]], series: str
    ) -> Iterator[Hit]:
        table, shortest = self._tables[context]
        joined, starts = _join([value for _, value in values], _SEPARATOR)
        for text, positions in runs(joined, table, shortest):
            for start, form, sources in self._finds(View(text=text), context):
                if form.isdigit() and len(form) < _FEWEST_DIGITS_IN_BYTES:
                    continue  # settings hold such numbers by chance
                number = bisect_right(starts, int(positions[start])) - 1
                yield Hit(series, values[number][0], form, sources)


def _seen_key(treatment: int, vr: str, value: bytes) -> tuple[int, str, bytes]:
    """Return what a value is remembered by.

    A long one is by its digest: a protocol stands in each file of a series.
    """
    short = value if len(value) <= _LONGEST_SEEN else sha256(value).digest()
    return treatment, vr, short


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
