"""What was decided before and holds again: for a value, and for items that are written alike.

Items of one layout differ in some values alone. So the elements that hold these are looked at, each
as the walk would, and what became of all the others is recalled: for each way in which those came
out (kept, removed, or written with so many bytes) the whole item was put together once by the walk.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from bidsanon.deidentify.content_items import SEQUENCES
from bidsanon.deidentify.context import Context, Fate, Outcome, Rule
from bidsanon.dicom.elements import DataSet, Element, Item, Layout
from bidsanon.dicom.encoding import Encoding
from bidsanon.dicom.layouts import moved
from bidsanon.dicom.writing import written_around
from bidsanon.notes import NoteReason

_KEPT, _REMOVED, _ENTERED = Fate
_REMEMBERED_BYTES = 256
_REMEMBERED_OUTCOMES = 1 << 15
_MOST_WAYS = 64

Way = tuple[Fate | int, ...]
"""In which way the elements that vary came out: their fates, or how long they are now."""


def act(element: Element, rule: Rule, context: Context) -> Outcome:
    """Carry out a rule, or recall what came of it for the same value."""
    if element.end - element.body > _REMEMBERED_BYTES:
        return rule.act(element, rule, context)
    remembered = context.outcomes
    # The tag too: one rule holds for an attribute in whichever block its private creator reserved.
    key = (rule, element.tag, element.vr, context.content[element.body : element.end])
    outcome = remembered.get(key)
    if outcome is None:
        noted = context.tools.noted
        outcome = rule.act(element, rule, context)
        if context.tools.noted == noted:
            if len(remembered) >= _REMEMBERED_OUTCOMES:
                remembered.clear()
            remembered[key] = outcome
    return outcome


class Acted(NamedTuple):
    """An element of an item, and what was done to it."""

    element: Element
    rule: Rule
    context: Context
    outcome: Outcome


class Inside(NamedTuple):
    """An item of a sequence that was written anew.

    Attributes
    ----------
    item
        Where it lay.
    data_set, outcomes
        What became of its elements; None where it stays as it is.
    length
        How long its data set is now.
    """

    item: Item
    data_set: DataSet
    outcomes: Sequence[Outcome] | None
    length: int


class Trace:
    """What the walk did to each element of one item, at every depth.

    Parameters
    ----------
    given
        What became of elements that were acted on before, by where they begin.

    Attributes
    ----------
    acted
        The others.
    inside
        What became of the items of the sequences that were written anew, by where these begin.
    """

    def __init__(self, given: Mapping[int, Outcome]) -> None:
        self.given = given
        self.acted: list[Acted] = []
        self.inside: dict[int, list[Inside]] = {}

    def act(self, element: Element, rule: Rule, context: Context) -> Outcome:
        """Carry out a rule, unless that was done already, and take it down."""
        outcome = self.given.get(element.start)
        if outcome is None:
            outcome = act(element, rule, context)
            self.acted.append(Acted(element, rule, context, outcome))
        return outcome


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """How an item is put together that came out in one way.

    Attributes
    ----------
    pieces
        Bytes; or where what is kept begins and ends in the item; or where in it an element begins
        that was written anew. None: all of it is kept.
    changes
        How many elements each action touched.
    notes
        What was noted of the elements that do not vary, and how often.
    """

    pieces: list[bytes | tuple[int, int] | int] | None
    changes: Counter[str]
    notes: Counter[tuple[str, NoteReason]]

    def put_together(
        self, content: bytes, position: int, outcomes: Mapping[int, Outcome]
    ) -> bytes | None:
        """Return an item's bytes; None: it stays as it is.

        Parameters
        ----------
        content
            The bytes in which it lies.
        position
            Where it begins.
        outcomes
            What became of the elements that vary, by where in it they begin.
        """
        if self.pieces is None:
            return None
        parts: list[bytes] = []
        for piece in self.pieces:
            if isinstance(piece, tuple):
                parts.append(content[position + piece[0] : position + piece[1]])
            else:
                part = outcomes[piece] if isinstance(piece, int) else piece
                assert isinstance(part, bytes)  # noqa: S101 (the way in which it came out)
                parts.append(part)
        return b"".join(parts)


class _Varying(NamedTuple):
    """An element that holds values that differ from item to item; it lies where the item begins."""

    element: Element
    rule: Rule
    context: Context


@dataclass(kw_only=True, slots=True)
class Recipe:
    """What is done to the items of one layout in one place.

    Attributes
    ----------
    varying
        The elements that are looked at in each of them.
    made
        How an item is put together, by the way in which those came out.
    """

    varying: tuple[_Varying, ...]
    made: dict[Way, Made] = field(default_factory=dict)

    def outcomes(self, content: bytes, position: int) -> dict[int, Outcome]:
        """Act on the elements that vary, and return what became of each by where it begins."""
        found: dict[int, Outcome] = {}
        for element, rule, context in self.varying:
            tag, vr, start, body, end, _, _ = element
            key = (rule, tag, vr, content[position + body : position + end])
            outcome = context.outcomes.get(key)
            if outcome is None:
                (at,) = moved([element], position)
                outcome = act(at, rule, replace(context, content=content))
            found[start] = outcome
        return found

    def keep(self, way: Way, made: Made) -> None:
        """Remember how an item is put together."""
        if len(self.made) >= _MOST_WAYS:
            self.made.clear()
        self.made[way] = made


def recipe_of(trace: Trace, layout: Layout, position: int) -> Recipe | None:
    """Return what is done to items of a layout; None where each must be walked over by itself.

    Parameters
    ----------
    trace
        What the walk did to one of them.
    layout
        Their layout.
    position
        Where that one begins.
    """
    begins = [position + begin for begin, _ in layout.varying]
    varying: list[_Varying] = []
    covered = 0
    for element, rule, context, outcome in trace.acted:
        held = bisect_left(begins, element.after) - bisect_left(begins, element.start)
        if held and outcome is _ENTERED and element.tag in SEQUENCES:
            return None  # what is done within depends on what its concepts are
        if held and outcome is not _ENTERED:
            covered += held
            (at,) = moved([element], -position)
            varying.append(_Varying(at, rule, replace(context, content=b"", known=None)))
    return Recipe(varying=tuple(varying)) if covered == len(begins) else None


def way_of(outcomes: Mapping[int, Outcome]) -> Way:
    """Return the way in which the elements that vary came out."""
    return tuple([len(o) if isinstance(o, bytes) else o for o in outcomes.values()])


def pieces_of(
    data_set: DataSet, outcomes: Sequence[Outcome], trace: Trace
) -> list[bytes | tuple[int, int] | int] | None:
    """Return what an item is put together of, after the walk, as :class:`Made` has it."""
    if outcomes.count(_KEPT) == len(outcomes):
        return None
    pieces: list[bytes | tuple[int, int] | int] = []
    for piece in _pieces(data_set, outcomes, trace, data_set.position):
        last = pieces[-1] if pieces else None
        if isinstance(piece, tuple) and isinstance(last, tuple) and last[1] == piece[0]:
            pieces[-1] = (last[0], piece[1])
        elif isinstance(piece, bytes) and isinstance(last, bytes):
            pieces[-1] = last + piece
        else:
            pieces.append(piece)
    return pieces


def _pieces(
    data_set: DataSet, outcomes: Iterable[Outcome], trace: Trace, position: int
) -> Iterator[bytes | tuple[int, int] | int]:
    for element, outcome in zip(data_set.elements, outcomes, strict=True):
        if outcome is _KEPT:
            yield element.start - position, element.after - position
        elif not isinstance(outcome, bytes):
            continue
        elif element.start in trace.inside:
            yield from _pieces_of_sequence(element, trace, position, data_set.encoding)
        elif element.start in trace.given:
            yield element.start - position
        else:
            yield outcome


def _pieces_of_sequence(
    element: Element, trace: Trace, position: int, encoding: Encoding
) -> Iterator[bytes | tuple[int, int] | int]:
    inside = trace.inside[element.start]
    lengths = [(length, item.undefined) for item, _, _, length in inside]
    before, *behind = written_around(element, lengths, encoding)
    yield before
    for (item, data_set, outcomes, _), after in zip(inside, behind, strict=True):
        if outcomes is None:
            yield item.body - position, item.end - position
        else:
            yield from _pieces(data_set, outcomes, trace, position)
        yield after
