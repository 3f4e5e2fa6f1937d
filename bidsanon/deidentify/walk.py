"""The walk over a data set, as PS3.15 E.1.1 has it: each attribute, at every depth.

What is done to an attribute is looked up before a sequence is entered, so that a sequence which is
removed goes whole. Kept elements stay spans of the original bytes. What was decided about a passage
of elements holds wherever it comes again in the same place.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from bidsanon.deidentify.context import (
    UNLISTED,
    Context,
    Decided,
    Fate,
    Outcome,
    Rule,
    Span,
    value_vr,
)
from bidsanon.deidentify.recall import Inside, Made, Trace, act, pieces_of, recipe_of, way_of
from bidsanon.dicom.elements import DataSet, Element, Placed, encoding_of_items
from bidsanon.dicom.encoding import NotUnderstoodError
from bidsanon.dicom.parsing import read_item, read_items
from bidsanon.dicom.writing import write_sequence

_KEPT, _REMOVED, _ENTERED = Fate  # an enum's member costs a lookup at each element
_PRIVATE = 0x10000
_FIRST_BLOCK = 0x10
_LAST_BLOCK = 0xFF
_NOBODY = ("", -1)
_REMEMBERED_PASSAGES = 1 << 12
_REMEMBERED_LAYOUTS = 1 << 10


def clean_data_set(data_set: DataSet, context: Context) -> list[Outcome]:
    """Decide about each element of a data set and act, and return what became of each."""
    return _clean_parts(data_set, context)[0]


def _clean_parts(data_set: DataSet, context: Context) -> tuple[list[Outcome], list[Decided]]:
    """Return what became of each element, and what was decided about each known passage."""
    outcomes: list[Outcome] = []
    decided: list[Decided] = []
    blocks = _Blocks(context)
    begin = 0
    for placed in data_set.placed:
        if placed.before > begin:
            _clean_elements(data_set.singles[begin : placed.before], outcomes, blocks, context)
            begin = placed.before
        decided.append(_clean_passage(placed, outcomes, blocks, context))
    _clean_elements(data_set.singles[begin:], outcomes, blocks, context)
    return outcomes, decided


def _clean_elements(
    elements: Iterable[Element], outcomes: list[Outcome], blocks: _Blocks, context: Context
) -> None:
    """Add what becomes of some elements to what became of those before them."""
    place, count, trace = context.place, context.tools.count, context.tools.trace
    carry_out = act if trace is None else trace.act
    for element in elements:
        private = element.tag & _PRIVATE
        rule = blocks.rule(element, len(outcomes)) if private else place[element.tag]
        outcome = carry_out(element, rule, context)
        if outcome is _ENTERED:
            outcome = _clean_sequence(element, context)
        if outcome is not _KEPT:
            count(rule, outcome)
        if private and outcome is not _REMOVED:
            outcomes[blocks.creator_of(element)] = _KEPT
        outcomes.append(outcome)


def _clean_passage(
    placed: Placed, outcomes: list[Outcome], blocks: _Blocks, context: Context
) -> Decided:
    """Do with a passage what was done when it came before, under the same private creators."""
    tools = context.tools
    _, passage, position = placed
    key = (passage, context.place.key, context.character_set)
    decided = tools.decided.get(key)
    if decided is not None and blocks.agree(decided.creators_before):
        blocks.reserve(decided.creators_within, len(outcomes))
        outcomes += decided.outcomes
        for block in decided.blocks_kept:
            outcomes[blocks.creator_at(block)] = _KEPT
        tools.recount(decided.changes, decided.notes)
        return decided
    elements = passage.elements_at(position)
    begin, changes, notes = len(outcomes), Counter(tools.changes), Counter(tools.notes)
    _clean_elements(elements, outcomes, blocks, context)
    own = outcomes[begin:]
    before, within = blocks.around(elements, begin)
    if len(tools.decided) >= _REMEMBERED_PASSAGES:
        tools.decided.clear()
    tools.decided[key] = decided = Decided(
        outcomes=own,
        spans=_joined(_spans(passage.elements_at(0), own)),
        changes=Counter(tools.changes) - changes,
        notes=tools.notes - notes,
        creators_before=before,
        creators_within=within,
        blocks_kept=frozenset(
            element.tag >> 8
            for element, outcome in zip(elements, own, strict=True)
            if outcome is not _REMOVED
            and element.tag & 0xFFFF > _LAST_BLOCK
            and element.tag >> 8 in before
        ),
    )
    return decided


def assemble(
    content: bytes, elements: Iterable[Element], outcomes: Iterable[Outcome]
) -> list[bytes | memoryview]:
    """Join what became of the elements: new elements, and spans of the original between them."""
    return _assemble_spans(content, _spans(elements, outcomes))


def _assemble_spans(content: bytes, spans: Iterable[Span]) -> list[bytes | memoryview]:
    view = memoryview(content)
    pieces: list[bytes | memoryview] = []
    begin = end = 0
    for start, after, outcome in spans:
        if outcome is _KEPT:
            if start != end:
                pieces.append(view[begin:end])
                begin = start
            end = after
        elif isinstance(outcome, bytes):
            pieces += [view[begin:end], outcome]
            begin = end
    pieces.append(view[begin:end])
    return pieces


def _spans(elements: Iterable[Element], outcomes: Iterable[Outcome]) -> list[Span]:
    return [
        (start, after, outcome)
        for (_, _, start, _, _, after, _), outcome in zip(elements, outcomes, strict=True)
        if outcome is not _REMOVED
    ]


def _joined(spans: Iterable[Span]) -> list[Span]:
    """Join what stays together."""
    joined: list[Span] = []
    for start, after, outcome in spans:
        if outcome is _KEPT and joined and joined[-1][1:] == (start, _KEPT):
            joined[-1] = (joined[-1][0], after, _KEPT)
        else:
            joined.append((start, after, outcome))
    return joined


def _spans_of_parts(
    data_set: DataSet, outcomes: list[Outcome], decided: Iterable[Decided]
) -> list[Span]:
    """Return what stays of a data set."""
    spans: list[Span] = []
    begin = at = 0
    for (before, passage, position), known in zip(data_set.placed, decided, strict=True):
        if before > begin:
            between = at + before - begin
            spans += _spans(data_set.singles[begin:before], outcomes[at:between])
            begin, at = before, between
        own = outcomes[at : at + passage.length]
        if own == known.outcomes:
            spans += [(position + start, position + after, o) for start, after, o in known.spans]
        else:  # a private creator stays for what came later
            spans += _spans(passage.elements_at(position), own)
        at += passage.length
    return spans + _spans(data_set.singles[begin:], outcomes[at:])


def put_element(
    tag: int, written: bytes | None, elements: list[Element], outcomes: list[Outcome]
) -> None:
    """Put a new element in its place among others, instead of what stood there."""
    index = bisect_left(elements, (tag,))
    while index < len(elements) and elements[index].tag == tag:
        outcomes[index] = Fate.REMOVED
        index += 1
    if written is not None:
        elements.insert(index, Element(tag, "UN", -1, -1, -1, -1))
        outcomes.insert(index, written)


class _Blocks:
    """The private blocks of one data set: which creator has reserved which (PS3.5 7.8.1).

    A creator element stays where something of its block does, and in its own block number.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._creators: dict[int, tuple[str, int]] = {}

    def rule(self, element: Element, index: int) -> Rule:
        """Return what is done to a private element; `index` is its place in the data set."""
        tag = element.tag
        number = tag & 0xFFFF
        if _FIRST_BLOCK <= number <= _LAST_BLOCK:
            name = self._context.value(element).decode("latin-1").strip(" \0")
            self._creators[tag >> 16 << 8 | number] = (name, index)
            return _CREATOR
        creator, _ = self._creators.get(tag >> 8, _NOBODY)
        return self._context.place.private(tag, creator) if creator else UNLISTED

    def creator_of(self, element: Element) -> int:
        """Return the place in the data set of the creator of a private element's block."""
        return self.creator_at(element.tag >> 8)

    def creator_at(self, block: int) -> int:
        """Return the place in the data set of the creator of a block."""
        return self._creators[block][1]

    def agree(self, creators: Mapping[int, str]) -> bool:
        """Tell whether these blocks have these creators; an empty one: none."""
        for block, name in creators.items():
            if self._creators.get(block, _NOBODY)[0] != name:
                return False
        return True

    def reserve(self, creators: Mapping[int, tuple[str, int]], begin: int) -> None:
        """Note the creators within a passage; their places are counted from its beginning."""
        for block, (name, index) in creators.items():
            self._creators[block] = (name, begin + index)

    def around(
        self, elements: Iterable[Element], begin: int
    ) -> tuple[dict[int, str], dict[int, tuple[str, int]]]:
        """Return the creators before and within a passage on which what is done to it depends."""
        before: dict[int, str] = {}
        within: dict[int, tuple[str, int]] = {}
        for element in elements:
            if not element.tag & _PRIVATE:
                continue
            number = element.tag & 0xFFFF
            if _FIRST_BLOCK <= number <= _LAST_BLOCK:
                block = element.tag >> 16 << 8 | number
                name, index = self._creators[block]
                within[block] = (name, index - begin)
            elif element.tag >> 8 not in within:
                block = element.tag >> 8
                before[block] = self._creators.get(block, _NOBODY)[0]
        return before, within


def _clean_sequence(element: Element, context: Context) -> Outcome:
    """Clean the items of a sequence that stays.

    A value of VR UN that begins like a sequence and is none cannot be cleaned, and goes.
    """
    try:
        return _clean_items(element, context)
    except NotUnderstoodError:
        if value_vr(element) == "SQ":
            raise
        return _REMOVED


def _clean_items(element: Element, context: Context) -> Outcome:
    encoding = encoding_of_items(element, context.encoding)
    depth = context.depth + 1
    items: list[tuple[bytes, bool]] = []
    inside: list[Inside] = []
    changed = False
    known, trace = context.known_below(element), context.tools.trace
    for item in read_items(context.content, element, context.encoding, depth=depth, known=known):
        data_set = read_item(context.content, item, encoding, depth=depth, known=known)
        within = context.within(element, data_set)
        if data_set.layout is None:
            outcomes, written = _clean_item(data_set, within)
        else:
            outcomes, written = None, _clean_alike(data_set, within)
        kept = written is None
        body = context.content[item.body : item.end] if written is None else written
        items.append((body, item.undefined))
        changed = changed or not kept
        if trace is not None:
            inside.append(Inside(item, data_set, None if kept else outcomes, len(body)))
    if not changed:
        return _KEPT
    if trace is not None:
        trace.inside[element.start] = inside
    return write_sequence(element, items, context.encoding)


def _clean_item(data_set: DataSet, context: Context) -> tuple[list[Outcome], bytes | None]:
    """Return what became of the elements of an item, and its bytes; None: it stays as it is."""
    outcomes, decided = _clean_parts(data_set, context)
    if outcomes.count(_KEPT) == len(outcomes):
        return outcomes, None
    spans = _spans_of_parts(data_set, outcomes, decided)
    return outcomes, b"".join(_assemble_spans(context.content, spans))


def _clean_alike(data_set: DataSet, context: Context) -> bytes | None:
    """Return what becomes of an item whose layout is known; None: it stays as it is."""
    layout, position, tools = data_set.layout, data_set.position, context.tools
    assert layout is not None  # noqa: S101 (that is what it is called for)
    key = (layout, context.place.key, context.character_set)
    if key not in tools.recipes:
        trace, _, written = _clean_traced(data_set, context, {})
        if len(tools.recipes) >= _REMEMBERED_LAYOUTS:
            tools.recipes.clear()
        tools.recipes[key] = recipe_of(trace, layout, position)
        return written
    recipe = tools.recipes[key]
    if recipe is None:
        return _clean_item(data_set, context)[1]
    varying = recipe.outcomes(context.content, position)
    way = way_of(varying)
    made = recipe.made.get(way)
    if made is None:
        given = {position + start: outcome for start, outcome in varying.items()}
        _, made, written = _clean_traced(data_set, context, given)
        recipe.keep(way, made)
        return written
    tools.recount(made.changes, made.notes)
    return made.put_together(context.content, position, varying)


def _clean_traced(
    data_set: DataSet, context: Context, given: Mapping[int, Outcome]
) -> tuple[Trace, Made, bytes | None]:
    """Clean an item, and return what was done, how it is put together, and its bytes."""
    tools = context.tools
    changes, notes = Counter(tools.changes), Counter(tools.notes)
    trace = tools.trace = Trace(given)
    try:
        outcomes, written = _clean_item(data_set, replace(context, known=None))
    finally:
        tools.trace = None
    made = Made(
        pieces=pieces_of(data_set, outcomes, trace),
        changes=Counter(tools.changes) - changes,
        notes=tools.notes - notes,
    )
    return trace, made, written


def _leave_to_block(element: Element, rule: Rule, context: Context) -> Outcome:  # noqa: ARG001
    return _REMOVED


_CREATOR = Rule(_leave_to_block, UNLISTED.decision, counted=False)
