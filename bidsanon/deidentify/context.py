"""Where an element stands while its instance is de-identified, and what is told of it.

An action gets an element, the rule that the profile made for it, and the context in which it
stands. It answers with the bytes of the element that takes its place, or with a fate. What it takes
away it tells the harvest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum, auto
from typing import TYPE_CHECKING, Protocol

from bidsanon.deidentify import content_items
from bidsanon.deidentify.harvest import Harvest, harvest_origin, kind_of_code
from bidsanon.deidentify.replacements import Replacements
from bidsanon.dicom.charset import character_set, decode_text
from bidsanon.dicom.confidentiality import Action
from bidsanon.dicom.elements import (
    DataSet,
    Element,
    Known,
    Layout,
    Passage,
    encoding_of_items,
    holds_items,
)
from bidsanon.dicom.encoding import Encoding, NotUnderstoodError
from bidsanon.dicom.parsing import read_item, read_items
from bidsanon.dicom.private import PrivateRule
from bidsanon.dicom.vrs import dictionary_vr
from bidsanon.dicom.writing import write_element
from bidsanon.notes import NoteReason
from bidsanon.profile import Decision

if TYPE_CHECKING:
    from bidsanon.deidentify.recall import Recipe, Trace

PERHAPS_SEQUENCE = frozenset({"SQ", "UN"})
"""The VRs of what may hold items: to ask :func:`is_sequence` of every element would take long."""

_REMOVED_CODE = Action.REMOVE.value


class Fate(Enum):
    """What becomes of an element that is not written anew."""

    KEPT = auto()
    """Its bytes stay as they are."""
    REMOVED = auto()
    """Nothing takes its place."""
    ENTERED = auto()
    """It is a sequence that stays, and its items are cleaned one by one."""


Outcome = bytes | Fate
Span = tuple[int, int, Outcome]
"""Where an element, or elements that stay together, begin and end, and what became of them."""
Outcomes = dict[tuple["Rule", int, str, bytes], Outcome]
"""Outcomes by rule, tag, VR and value."""


class Rule:
    """What is done to an attribute in one place of an object, decided once.

    Attributes
    ----------
    act
        The function that does it.
    decision
        What the profile says.
    code
        The action's code, under which it is counted; empty where nothing is.
    private
        The row of the curated table, for a private attribute that it lists.
    creator
        The private creator, for a private attribute.
    instead
        The function that is called where the value cannot be cleaned.
    """

    __slots__ = ("act", "code", "creator", "decision", "instead", "private")

    def __init__(
        self,
        act: Callable[[Element, Rule, Context], Outcome],
        decision: Decision,
        *,
        counted: bool = True,
        private: PrivateRule | None = None,
        creator: str = "",
        instead: Callable[[Element, Rule, Context], Outcome] | None = None,
    ) -> None:
        self.act = act
        self.instead = instead or removed
        self.decision = decision
        self.code = decision.action.value if counted else ""
        self.private = private
        self.creator = creator


@dataclass(frozen=True, kw_only=True, slots=True)
class Decided:
    """What was decided about a passage of elements.

    Attributes
    ----------
    outcomes
        What became of each element.
    spans
        The same of what stays, counted from where the passage begins.
    changes
        How many elements each action touched, those within its sequences included.
    notes
        What was noted, and how often.
    creators_before
        The private creators before it under which this holds, by block; empty: none.
    creators_within
        The private creators in it, by block, and where they stand in it.
    blocks_kept
        The blocks of creators before it of which something in it stays.
    """

    outcomes: list[Outcome]
    spans: list[Span]
    changes: Counter[str]
    notes: Counter[tuple[str, NoteReason]]
    creators_before: dict[int, str]
    creators_within: dict[int, tuple[str, int]]
    blocks_kept: frozenset[int]


class Tools:
    """What the actions work with: the same for all data sets of an instance.

    Attributes
    ----------
    replace
        Gives the replacements of values.
    harvest
        Takes the values that were removed or replaced.
    changes
        How many elements each action touched, by the action's code.
    notes
        How often a value was cut, emptied or changed for which reason, by place and reason.
    noted
        How many notes were made with these tools.
    day
        The day on which the instance was made, as it says; None where it does not say.
    decided
        What was decided about passages, by passage, place and character set.
    recipes
        What is done to items of one layout, by layout, place and character set; None: each is
        walked over by itself.
    trace
        Takes down what the walk does, while somebody wants that.
    """

    __slots__ = (
        *("_outcomes", "changes", "day", "decided", "harvest", "noted", "notes", "recipes"),
        *("replace", "trace"),
    )

    def __init__(
        self,
        replace: Replacements,
        harvest: Harvest,
        changes: dict[str, int],
        notes: Counter[tuple[str, NoteReason]] | None = None,
        day: date | None = None,
    ) -> None:
        self.replace = replace
        self.day = day
        self.harvest = harvest
        self.changes = changes
        self.notes: Counter[tuple[str, NoteReason]] = Counter() if notes is None else notes
        self.noted = 0
        self.decided: dict[tuple[Passage, object, bytes], Decided] = {}
        self.recipes: dict[tuple[Layout, object, bytes], Recipe | None] = {}
        self.trace: Trace | None = None
        self._outcomes: dict[tuple[Encoding, bytes], Outcomes] = {}

    def outcomes(self, encoding: Encoding, character_set: bytes) -> Outcomes:
        """Return the outcomes that were worked out before in data sets that are written so.

        One that goes with a note is not among them: it is noted each time.
        """
        return self._outcomes.setdefault((encoding, character_set), {})

    def recount(self, changes: Mapping[str, int], notes: Counter[tuple[str, NoteReason]]) -> None:
        """Count once more what was touched and noted when the same came before."""
        for code, count in changes.items():
            self.changes[code] = self.changes.get(code, 0) + count
        if notes:
            self.notes.update(notes)

    def note(self, element: Element, rule: Rule, reason: NoteReason) -> None:
        """Note why an element's value was cut, emptied or changed."""
        self.noted += 1
        self.notes[harvest_origin(element.tag, rule.creator), reason] += 1

    def count(self, rule: Rule, outcome: Outcome) -> None:
        """Count that a rule touched an element."""
        if rule.code:
            code = _REMOVED_CODE if outcome is Fate.REMOVED else rule.code
            self.changes[code] = self.changes.get(code, 0) + 1


class Place(Protocol):
    """What is done to each attribute in one place of an object: below one path of sequences."""

    @property
    def key(self) -> object:
        """What tells this place from all others."""
        ...

    @property
    def of_who(self) -> Place:
        """The same place in a content item that says who, where or whose."""
        ...

    def __getitem__(self, tag: int, /) -> Rule:
        """Return what is done to a standard attribute."""
        ...

    def private(self, tag: int, creator: str, /) -> Rule:
        """Return what is done to a private attribute."""
        ...

    def below(self, tag: int, /) -> Place:
        """Return the place within the items of a sequence."""
        ...


@dataclass(slots=True, kw_only=True)
class Context:
    """Where an element stands: its data set, and the tools of its instance.

    Attributes
    ----------
    content
        The bytes in which the data set's elements lie.
    encoding
        How the data set is written.
    character_set
        The value of (0008,0005) that holds for it.
    place
        What is done to each attribute here.
    tools
        The instance's tools.
    depth
        How many sequences enclose it.
    known
        The passages that came before in this place.
    outcomes
        Outcomes that were worked out before and hold here.
    """

    content: bytes
    encoding: Encoding
    character_set: bytes
    place: Place
    tools: Tools
    depth: int = 0
    known: Known | None = None
    outcomes: Outcomes = field(init=False)
    _inside: dict[tuple[int, bool, Encoding, bytes], Context] = field(
        init=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        self.outcomes = self.tools.outcomes(self.encoding, self.character_set)

    def within(self, element: Element, data_set: DataSet) -> Context:
        """Return the context of an item's data set."""
        who = element.tag in content_items.SEQUENCES and content_items.says_who(
            self.content, data_set
        )
        characters = character_set(self.content, data_set, self.character_set)
        key = (element.tag, who, data_set.encoding, characters)
        inside = self._inside.get(key)
        if inside is None:
            place = self.place.below(element.tag)
            inside = self._inside[key] = Context(
                content=self.content,
                encoding=data_set.encoding,
                character_set=characters,
                place=place.of_who if who else place,
                tools=self.tools,
                depth=self.depth + 1,
                known=self.known_below(element),
            )
        return inside

    def known_below(self, sequence: Element) -> Known | None:
        """Return the passages that came before within the items of a sequence."""
        return self.known.below(sequence.tag) if self.known else None

    def value(self, element: Element) -> bytes:
        """Return the bytes of an element's value."""
        return self.content[element.body : element.end]

    def ascii(self, element: Element) -> str:
        """Return a value that is made of digits and signs: a UID, a date, an age."""
        return self.value(element).decode("ascii", "replace").rstrip(" \0")

    def text(self, element: Element) -> str:
        """Return the characters of an element's value, without padding."""
        return decode_text(self.value(element), self.character_set).rstrip(" \0")


def is_sequence(element: Element, context: Context) -> bool:
    """Tell whether an element holds items, also where its VR is UN."""
    return holds_items(context.content, element)


def value_vr(element: Element) -> str:
    """Return the VR of an element's value, from the dictionary where the file says UN."""
    return dictionary_vr(element.tag) if element.vr == "UN" else element.vr


def removed(element: Element, rule: Rule, context: Context) -> Outcome:
    """Take an element out, with all its items where it is a sequence."""
    harvest_element(element, rule, context)
    return Fate.REMOVED


def harvest_element(element: Element, rule: Rule, context: Context) -> None:
    """Tell the harvest what a removed or replaced element says, all its items included."""
    if element.vr in PERHAPS_SEQUENCE and is_sequence(element, context):
        try:
            _harvest_items(element, context)
        except NotUnderstoodError:
            if value_vr(element) == "SQ":
                raise
        return
    context.tools.harvest.take(
        element.tag,
        element.vr,
        context.value(element),
        character_set=context.character_set,
        creator=rule.creator,
    )


def _harvest_items(sequence: Element, context: Context) -> None:
    """Harvest what within a removed sequence would not have been kept for itself."""
    encoding = encoding_of_items(sequence, context.encoding)
    depth = context.depth + 1
    for item in read_items(context.content, sequence, context.encoding, depth=depth):
        data_set = read_item(context.content, item, encoding, depth=depth)
        within = context.within(sequence, data_set)
        for element in data_set.elements:
            rule = UNLISTED if element.tag & 0x10000 else within.place[element.tag]
            kind = kind_of_code(element.tag, sequence.tag)
            if kind is not None:
                within.tools.harvest.take(
                    element.tag,
                    element.vr,
                    within.value(element),
                    character_set=within.character_set,
                    kind=kind,
                )
            elif rule.decision.action is not Action.KEEP or is_sequence(element, within):
                harvest_element(element, rule, within)


def replaced(element: Element, value: bytes, rule: Rule, context: Context) -> Outcome:
    """Write an element with another value, unless it is the same one."""
    if value == context.value(element).rstrip(b" \0"):
        return Fate.KEPT
    harvest_element(element, rule, context)
    return write_element(element.tag, value_vr(element), value, context.encoding)


UNLISTED = Rule(removed, Decision(action=Action.REMOVE))
"""What is done to a private attribute that nothing lists."""
