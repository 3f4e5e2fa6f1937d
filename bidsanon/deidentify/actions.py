"""What the action codes of PS3.15 Table E.1-1a do to one element: a function for each code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bidsanon.deidentify.cleanings import CLEANINGS, clean_descriptor, patient_pseudonym
from bidsanon.deidentify.context import (
    PERHAPS_SEQUENCE,
    Context,
    Fate,
    Outcome,
    Rule,
    harvest_element,
    is_sequence,
    removed,
    replaced,
    value_vr,
)
from bidsanon.deidentify.dummies import dummy_sequence, dummy_value
from bidsanon.deidentify.harvest import WORDS
from bidsanon.dicom.confidentiality import Action
from bidsanon.dicom.elements import Element

DESCRIBING = frozenset({"LO", "LT", "ST", "UC", "UT"})


def remove(element: Element, rule: Rule, context: Context) -> Outcome:
    """X: the attribute is removed; a sequence goes with all its items."""
    return removed(element, rule, context)


def empty(element: Element, rule: Rule, context: Context) -> Outcome:
    """Z: the value is emptied; the patient's name and ID become the pseudonyms of the vault."""
    pseudonym = patient_pseudonym(element.tag, context)
    return replaced(element, pseudonym.encode(), rule, context)


def dummy(element: Element, rule: Rule, context: Context) -> Outcome:
    """D: the value becomes a meaningless one that fits the VR, or what the profile forces."""
    vr = value_vr(element)
    if vr == "SQ":
        written = dummy_sequence(element, context)
        if written == context.content[element.start : element.after]:
            return Fate.KEPT
        harvest_element(element, rule, context)
        return written
    text = rule.decision.value or patient_pseudonym(element.tag, context)
    return replaced(element, dummy_value(vr, text, context), rule, context)


def keep(element: Element, rule: Rule, context: Context) -> Outcome:  # noqa: ARG001 (an action)
    """K: the value stays as it is; a sequence stays, and its items are cleaned one by one."""
    vr = element.vr
    if vr in WORDS:
        context.tools.harvest.keep(context.value(element), context.character_set)
    elif vr in PERHAPS_SEQUENCE and is_sequence(element, context):
        return Fate.ENTERED
    return Fate.KEPT


def clean(element: Element, rule: Rule, context: Context) -> Outcome:
    """C: the value becomes one of similar meaning that identifies nobody."""
    if element.body == element.end:
        return Fate.KEPT
    cleaning = rule.decision.cleaning
    act = removed if cleaning is None else CLEANINGS[cleaning]
    return act(element, rule, context)


def replace_uid(element: Element, rule: Rule, context: Context) -> Outcome:
    """U: a UID becomes its consistent replacement; in a sequence, each UID does."""
    if element.vr in PERHAPS_SEQUENCE and is_sequence(element, context):
        return Fate.ENTERED
    uid = context.tools.replace.uid(context.ascii(element))
    return replaced(element, uid.encode("ascii"), rule, context)


def drop(element: Element, rule: Rule, context: Context) -> Outcome:  # noqa: ARG001 (an action)
    """Leave out what does not belong into a data set and says nothing: group lengths."""
    return Fate.REMOVED


def clean_words(element: Element, rule: Rule, context: Context) -> Outcome:
    """Clean what is kept within the items of a sequence that is itself cleaned."""
    if element.vr in DESCRIBING:
        return clean_descriptor(element, rule, context)
    return keep(element, rule, context)


@dataclass(frozen=True, kw_only=True)
class Operator:
    """An action code and the function that carries it out."""

    code: str
    act: Callable[[Element, Rule, Context], Outcome]

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        return (self.act.__doc__ or "").partition(": ")[2]


OPERATORS = {
    action: Operator(code=action.value, act=act)
    for action, act in (
        (Action.REMOVE, remove),
        (Action.EMPTY, empty),
        (Action.DUMMY, dummy),
        (Action.KEEP, keep),
        (Action.CLEAN, clean),
        (Action.REPLACE_UID, replace_uid),
    )
}
