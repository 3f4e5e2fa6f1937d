"""Searches names and files for everything that is searched for, each kind of content in its way."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from bidsanon.validate.residue_codes import coded_texts
from bidsanon.validate.residue_content import pieces
from bidsanon.validate.residue_escapes import is_plain
from bidsanon.validate.residue_json import Field
from bidsanon.validate.residue_needles import Context, Needles, Source
from bidsanon.validate.residue_pieces import Piece
from bidsanon.validate.residue_prefixes import LENGTH, Beginning, PrefixFilter
from bidsanon.validate.residue_runs import alphabet_table, passages, runs
from bidsanon.validate.residue_text import View, byte_views, text_views
from bidsanon.validate.residue_uids import UidFind, UidIndex
from bidsanon.validate.residue_unpack import NotSearchableError

_SHORTEST_RUN_IN_BYTES = 3
_BEFORE, _AFTER = 64, 256
"""How much of what stands around the beginning of a form among voxels is looked at."""
_NAMES_AT_ONCE = 1 << 14
_STEPS = 12
"""So many steps of a deep place are told."""
_MOST_REMEMBERED = 1 << 16
_LONGEST_REMEMBERED = 1 << 10
_WRITTEN = frozenset({Context.TEXT, Context.DESCRIPTOR})


class Lookup(Protocol):
    """Something that finds values in texts by other means than their written forms."""

    def find(self, text: str) -> Iterator[UidFind]:
        """Yield what stands in a text, which is in lower case."""


class Found(NamedTuple):
    """A find: where in what was searched, and whose it is. The offset is None if not known."""

    offset: int | None
    sources: tuple[Source, ...]


class Hit(NamedTuple):
    """A find in a file: within which part of it, and at which byte if that is known."""

    place: str
    offset: int | None
    sources: tuple[Source, ...]


class SearchedFile(NamedTuple):
    """What searching through one file gave, and why it could not be searched to its end."""

    hits: list[Hit]
    size: int
    problem: str


class Search:
    """Searches names and files.

    Parameters
    ----------
    needles
        What is searched for by its written forms.
    uids
        What is looked up among the numbers of a text, voxels too.
    lookups
        What is looked up in what people and programs wrote.
    """

    def __init__(self, needles: Needles, uids: UidIndex, lookups: Sequence[Lookup]) -> None:
        self._needles = needles
        self._uids = uids
        self._lookups = lookups
        self._in_voxels = PrefixFilter((*needles.texts, *uids.beginnings(LENGTH)))
        self._in_bytes = alphabet_table(needles.alphabet(shortest=_SHORTEST_RUN_IN_BYTES))
        self._known: dict[tuple[Context, str], tuple[Found, ...]] = {}

    def name(self, name: str) -> list[Found]:
        """Search a name of a file or folder."""
        known = list(self._in_text(name, Context.TEXT))
        if not name.isascii():
            known += self._in_views(byte_views(os.fsencode(name)), Context.TEXT)
        return known

    def names(self, names: Iterable[str]) -> dict[str, list[Found]]:
        """Search names of files and folders, many at once; return what is found in which."""
        given = list(dict.fromkeys(names))
        found: dict[str, list[Found]] = {}
        for first in range(0, len(given), _NAMES_AT_ONCE):
            some = given[first : first + _NAMES_AT_ONCE]
            plain = self._together(list(filter(str.isascii, some)), Context.TEXT)
            found |= {name: list(what) for name, what in plain}
            found |= {name: self.name(name) for name in some if not name.isascii()}
        return {name: what for name, what in found.items() if what}

    def file(self, path: Path) -> SearchedFile:
        """Search through one file; say where it could not be."""
        hits: list[Hit] = []
        size = 0
        try:
            for piece in pieces(path):
                size = max(size, piece.end)
                hits += self._hits(piece)
        except NotSearchableError as error:
            return SearchedFile(hits, size, str(error))
        except OSError:
            return SearchedFile(hits, size, "it cannot be read")
        return SearchedFile(hits, size, "")

    def _hits(self, piece: Piece) -> Iterator[Hit]:
        content, context = piece.content, piece.context
        if isinstance(content, list):
            yield from self._in_fields(content)
            return
        place = ", ".join(piece.place)
        if isinstance(content, str):
            found = self._in_text(content, context)
        elif context is Context.VOXELS:
            found = self._in_voxel_bytes(content)
        elif context is Context.BYTES:
            found = self._in_runs(content)
        elif content.strip(b"\0"):
            found = self._in_views(byte_views(content), context)
        else:
            return
        for offset, sources in found:
            at = None if offset is None or piece.offset is None else piece.offset + offset
            yield Hit(place, at, sources)

    def _in_fields(self, fields: Iterable[Field]) -> Iterator[Hit]:
        """Search the fields of a document: plain ones of a kind in one, each text once."""
        new: dict[Context, dict[str, None]] = defaultdict(dict)
        given = list(fields)
        for text, context, _ in given:
            if (context, text) not in self._known:
                new[context][text] = None
        found = {
            (context, text): what
            for context, texts in new.items()
            for text, what in self._together(list(texts), context)
        }
        for text, context, pointer in given:
            known = self._known.get((context, text))
            for _, sources in found[context, text] if known is None else known:
                yield Hit(self._pointer(pointer), None, sources)
        self._remember(found)

    def _together(
        self, texts: Sequence[str], context: Context
    ) -> Iterator[tuple[str, tuple[Found, ...]]]:
        """Yield what each of some texts holds, of which no line's end is part of a form."""
        plain, others = self._told_apart(texts, context)
        starts, position = [], 0
        for text in plain:
            starts.append(position)
            position += len(text) + 1
        held: dict[int, list[Found]] = defaultdict(list)
        joined = "\n".join(plain)
        for one in self._in_view(View(text=joined.lower(), cased=joined, exact=True), context):
            held[bisect_right(starts, one.offset or 0) - 1].append(one)
        for number, text in enumerate(plain):
            yield text, tuple(held.get(number, ()))
        for text in others:
            yield text, tuple(self._in_text(text, context))

    def _told_apart(self, texts: Sequence[str], context: Context) -> tuple[list[str], list[str]]:
        """Return texts that say what they are written as, and those with escapes or codes."""
        plain = list(filter(is_plain, texts))
        others = [text for text in texts if not is_plain(text)] if len(plain) < len(texts) else []
        coded = coded_texts("\n".join(plain))
        if coded and any(True for _ in self._in_text(coded, context)):
            others += filter(coded_texts, plain)
            plain = [text for text in plain if not coded_texts(text)]
        return plain, others

    def _remember(self, found: dict[tuple[Context, str], tuple[Found, ...]]) -> None:
        if len(self._known) > _MOST_REMEMBERED:
            self._known = {}
        self._known.update(
            (key, what) for key, what in found.items() if len(key[1]) <= _LONGEST_REMEMBERED
        )

    def _in_text(self, text: str, context: Context) -> Iterator[Found]:
        yield from self._in_views(text_views(text), context, exact=False)

    def _in_views(
        self, views: Iterable[View], context: Context, *, exact: bool = True
    ) -> Iterator[Found]:
        for view in views:
            for offset, sources in self._in_view(view, context):
                yield Found(offset if exact and view.exact else None, sources)

    def _in_view(self, view: View, context: Context) -> Iterator[Found]:
        for find in self._needles.find(view, context):
            yield Found(find.start, find.sources)
        for lookup in (self._uids, *self._lookups) if context in _WRITTEN else (self._uids,):
            for start, _, source in lookup.find(view.text):
                yield Found(start, (source,))

    def _in_runs(self, content: bytes) -> Iterator[Found]:
        for text, positions in runs(content, self._in_bytes, _SHORTEST_RUN_IN_BYTES):
            for start, sources in self._in_view(View(text=text), Context.BYTES):
                yield Found(int(positions[start or 0]), sources)
        text = passages(content)
        if text and not (is_plain(text) and not coded_texts(text)):
            yield from self._in_text(text, Context.TEXT)

    def _in_voxel_bytes(self, content: bytes) -> Iterator[Found]:
        for beginning in self._in_voxels.find(content):
            for start in beginning.starts.tolist():
                yield from self._around(beginning, start)

    def _around(self, beginning: Beginning, start: int) -> Iterator[Found]:
        """Search what stands around a place where a form could begin."""
        octets, _, first, step = beginning
        begin = max(0, start - _BEFORE)
        text = octets[begin : start + _AFTER].tobytes().lower().decode("latin-1")
        offset = first + start * step
        for find in self._needles.find(View(text=text), Context.VOXELS):
            if find.start == start - begin:
                yield Found(offset, find.sources)
        for uid in self._uids.find(text):
            if uid.start <= start - begin < uid.start + len(uid.form):
                yield Found(offset, (uid.source,))

    def _pointer(self, pointer: tuple[str, ...]) -> str:
        """Write where a field stands; the name of a JSON member may itself be a find."""
        steps = ["[name withheld]" if self.name(step) else step for step in pointer[-_STEPS:]]
        return "".join(f"/{step}" for step in (["..."] if len(pointer) > _STEPS else []) + steps)
