"""The UIDs of a source, and where one of them stands in a text.

A session has a UID for every file. They are looked up among the numbers with dots that a text
holds, rather than searched for one by one: so memory and time stay small however many they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from bidsanon.session import IdentifyingValue, ValueKind
from bidsanon.validate.residue_needles import Source
from bidsanon.validate.residue_runs import alphabet_table, spans

_SHORTEST_UID = 10
_SHORTEST_END = 12
_UID = re.compile(r"\d+(?:\.\d+)*", re.ASCII)
_IN_NAME = re.compile(r"\d+(?:\.\d+){4,}", re.ASCII)
_FIGURES = alphabet_table(b"0123456789._-")
_JOINT = re.compile(r"[._-]")


class UidFind(NamedTuple):
    """A UID that was found: where, which, and whose."""

    start: int
    form: str
    source: Source


class UidIndex:
    """The UIDs of a source, whole, and their last parts where those say when it was.

    Parameters
    ----------
    values
        Identifying values. UIDs are taken, those in names of files too; the rest is in `others`.

    Attributes
    ----------
    others
        What is left to search for by other means.
    count
        How many values are looked up here.
    """

    def __init__(self, values: Iterable[IdentifyingValue]) -> None:
        self._whole: dict[str, Source] = {}
        self._ends: dict[str, Source] = {}
        self._sources: dict[Source, Source] = {}
        self.others: list[IdentifyingValue] = []
        self.count = 0
        for value in values:
            self._take(value)
        self._perhaps = self._pattern()

    def find(self, text: str) -> Iterator[UidFind]:
        """Yield the UIDs that stand in a text, within longer ones too."""
        if not self._whole:
            return
        for start, end in spans(text, _FIGURES, _SHORTEST_UID):
            for match in self._perhaps.finditer(text, start, end):
                yield from self._within(match[0], match.start())

    def beginnings(self, length: int) -> frozenset[str]:
        """Return what the UIDs begin with, however their parts are joined."""
        whole = {uid[:length] for uid in self._whole}
        joined = {uid.replace(".", joint) for uid in whole for joint in ".-_"}
        return frozenset((*joined, *(end[:length] for end in self._ends)))

    def _take(self, value: IdentifyingValue) -> None:
        text = value.text.strip(" \0")
        if value.kind is ValueKind.UID and _UID.fullmatch(text) and len(text) >= _SHORTEST_UID:
            self.count += 1
            self._add(text, value)
        elif value.kind is ValueKind.PATH:
            for uid in _IN_NAME.findall(text):
                self._add(uid, value)
            self.others.append(replace(value, text=_IN_NAME.sub("", text)))
        else:
            self.others.append(value)

    def _add(self, uid: str, value: IdentifyingValue) -> None:
        source = Source(value.kind, value.origin)
        source = self._sources.setdefault(source, source)  # one for all: there may be many
        self._whole.setdefault(uid, source)
        end = uid.rpartition(".")[2].lstrip("0")
        if len(end) >= _SHORTEST_END:
            self._ends.setdefault(end, source)

    def _pattern(self) -> re.Pattern[str]:
        """Return what finds the numbers of as many parts as a UID has, and the long ones.

        Texts are full of numbers of two parts: the decimals of a protocol.
        """
        joints = min((uid.count(".") for uid in self._whole if "." in uid), default=1)
        several = rf"\d++(?:[._-]\d++){{{joints},}}"
        return re.compile(rf"(?<!\d)(?:{several}|\d{{{_SHORTEST_END},}})", re.ASCII)

    def _within(self, token: str, start: int) -> Iterator[UidFind]:
        parts = _JOINT.split(token)
        for part in parts:
            source = self._ends.get(part.lstrip("0"))
            if source is not None:
                yield UidFind(start, part, source)
        if len(token) < _SHORTEST_UID:
            return
        for first in range(len(parts)):
            for last in range(first + 2, len(parts) + 1):
                uid = ".".join(parts[first:last])
                source = self._whole.get(uid)
                if source is not None:
                    yield UidFind(start, uid, source)
