"""The UIDs of a source, and where one of them stands in a text.

A session has a UID for every file. They are looked up among the numbers with dots that a text
holds, rather than searched for one by one: so memory and time stay small however many they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import ahocorasick

from bidsanon.identity import IdentifyingValue, ValueKind
from bidsanon.validate.residue_forms import SHORTEST_UID, SHORTEST_UID_END, UID_IN_NAME
from bidsanon.validate.residue_needles import Source
from bidsanon.validate.residue_runs import alphabet_table, spans

_UID = re.compile(r"\d+(?:\.\d+)*", re.ASCII)
_FIGURES = alphabet_table(b"0123456789._-")
_JOINTS = alphabet_table(b"._-")
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
        self._search_ends: Any = ahocorasick.Automaton()
        for end in self._ends:
            self._search_ends.add_word(end, end)
        self._search_ends.make_automaton()
        joints = [uid.count(".") for uid in self._whole if "." in uid]
        # Texts are full of numbers of two parts: the decimals of a protocol.
        self._fewest_joints = min(joints, default=1)
        self._most_parts = max(joints, default=0) + 1
        several = rf"\d++(?:[._-]\d++){{{self._fewest_joints},}}"
        self._several = re.compile(rf"(?<!\d){several}", re.ASCII)

    def find(self, text: str) -> Iterator[UidFind]:
        """Yield the UIDs that stand in a text, within longer ones too."""
        if not self._whole:
            return
        for start, end in spans(
            text, _FIGURES, SHORTEST_UID, joints=_JOINTS, fewest=self._fewest_joints
        ):
            for match in self._several.finditer(text, start, end):
                yield from self._within(match[0], match.start())
        for last, end in self._search_ends.iter(text) if self._ends else ():
            start = last + 1 - len(end)
            if _is_whole_number(text, start, last + 1):
                yield UidFind(start, end, self._ends[end])

    def beginnings(self, length: int) -> frozenset[str]:
        """Return what the UIDs begin with, however their parts are joined."""
        whole = {uid[:length] for uid in self._whole}
        joined = {uid.replace(".", joint) for uid in whole for joint in ".-_"}
        return frozenset((*joined, *(end[:length] for end in self._ends)))

    def _take(self, value: IdentifyingValue) -> None:
        text = value.text.strip(" \0")
        if value.kind is ValueKind.UID and _UID.fullmatch(text) and len(text) >= SHORTEST_UID:
            self.count += 1
            self._add(text, value)
        elif value.kind is ValueKind.PATH:
            for uid in UID_IN_NAME.findall(text):
                self._add(uid, value)
            self.others.append(replace(value, text=UID_IN_NAME.sub("", text)))
        else:
            self.others.append(value)

    def _add(self, uid: str, value: IdentifyingValue) -> None:
        source = Source(value.kind, value.origin)
        source = self._sources.setdefault(source, source)  # one for all: there may be many
        self._whole.setdefault(uid, source)
        end = uid.rpartition(".")[2].lstrip("0")
        if len(end) >= SHORTEST_UID_END:
            self._ends.setdefault(end, source)

    def _within(self, token: str, start: int) -> Iterator[UidFind]:
        parts = _JOINT.split(token)
        if len(token) < SHORTEST_UID:
            return
        for first in range(len(parts)):
            for last in range(first + 2, min(len(parts), first + self._most_parts) + 1):
                uid = ".".join(parts[first:last])
                source = self._whole.get(uid)
                if source is not None:
                    yield UidFind(start, uid, source)


def _is_whole_number(text: str, start: int, end: int) -> bool:
    """Tell whether figures are all of a number but zeros before them."""
    while start and text[start - 1] == "0":
        start -= 1
    return not (start and text[start - 1].isdecimal()) and not text[end : end + 1].isdecimal()
