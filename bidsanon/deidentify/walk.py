"""The walk over a data set, as PS3.15 E.1.1 has it: each attribute, at every depth.

What is done to an attribute is looked up before a sequence is entered, so that a sequence which is
removed goes whole. Kept elements stay spans of the original bytes.
"""

from __future__ import annotations

from collections.abc import Iterable

from bidsanon.deidentify.context import UNLISTED, Context, Fate, Outcome, Rule, value_vr
from bidsanon.dicom.encoding import (
    DataSet,
    Element,
    NotUnderstoodError,
    encoding_of_items,
    read_item,
    read_items,
    write_sequence,
)

_KEPT, _REMOVED, _ENTERED = Fate  # an enum's member costs a lookup at each element
_PRIVATE = 0x10000
_FIRST_BLOCK = 0x10
_LAST_BLOCK = 0xFF
_REMEMBERED_BYTES = 256
_REMEMBERED_OUTCOMES = 1 << 15


def clean_data_set(data_set: DataSet, context: Context) -> list[Outcome]:
    """Decide about each element of a data set and act, and return what became of each."""
    outcomes: list[Outcome] = []
    blocks, place, count = _Blocks(context), context.place, context.tools.count
    for element in data_set.elements:
        private = element.tag & _PRIVATE
        rule = blocks.rule(element, len(outcomes)) if private else place[element.tag]
        outcome = _act(element, rule, context)
        if outcome is _ENTERED:
            outcome = _clean_sequence(element, context)
        if outcome is not _KEPT:
            count(rule, outcome)
        if private and outcome is not _REMOVED:
            outcomes[blocks.creator_of(element)] = _KEPT
        outcomes.append(outcome)
    return outcomes


def assemble(
    content: bytes, elements: Iterable[Element], outcomes: Iterable[Outcome]
) -> list[bytes | memoryview]:
    """Join what became of the elements: new elements, and spans of the original between them."""
    view = memoryview(content)
    pieces: list[bytes | memoryview] = []
    begin = end = 0
    for element, outcome in zip(elements, outcomes, strict=True):
        if outcome is _KEPT:
            if element.start != end:
                pieces.append(view[begin:end])
                begin = element.start
            end = element.after
        elif isinstance(outcome, bytes):
            pieces += [view[begin:end], outcome]
            begin = end
    pieces.append(view[begin:end])
    return pieces


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
        creator, _ = self._creators.get(tag >> 8, ("", -1))
        return self._context.place.private(tag, creator) if creator else UNLISTED

    def creator_of(self, element: Element) -> int:
        """Return the place in the data set of the creator of a private element's block."""
        return self._creators[element.tag >> 8][1]


def _act(element: Element, rule: Rule, context: Context) -> Outcome:
    """Carry out a rule, or recall what came of it for the same value."""
    if element.end - element.body > _REMEMBERED_BYTES:
        return rule.act(element, rule, context)
    remembered = context.tools.outcomes
    key = (rule, element.vr, context.content[element.body : element.end])
    outcome = remembered.get(key)
    if outcome is None:
        noted = context.tools.noted
        outcome = rule.act(element, rule, context)
        if context.tools.noted == noted:
            if len(remembered) >= _REMEMBERED_OUTCOMES:
                remembered.clear()
            remembered[key] = outcome
    return outcome


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
    changed = False
    for item in read_items(context.content, element, context.encoding, depth=depth):
        data_set = read_item(context.content, item, encoding, depth=depth)
        outcomes = clean_data_set(data_set, context.within(element, data_set))
        if outcomes.count(_KEPT) == len(outcomes):
            items.append((context.content[item.body : item.end], item.undefined))
        else:
            pieces = assemble(context.content, data_set.elements, outcomes)
            items.append((b"".join(pieces), item.undefined))
            changed = True
    return write_sequence(element, items, context.encoding) if changed else _KEPT


def _leave_to_block(element: Element, rule: Rule, context: Context) -> Outcome:  # noqa: ARG001
    return _REMOVED


_CREATOR = Rule(_leave_to_block, UNLISTED.decision, counted=False)
