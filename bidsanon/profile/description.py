"""Says in words what a profile does to each attribute: for people, and for the documentation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydicom.datadict import dictionary_description

from bidsanon.dicom.confidentiality import Action, Option, TableRow, tag_text
from bidsanon.dicom.private import Disposition, PrivateRule
from bidsanon.dicom.vrs import dictionary_vr
from bidsanon.profile.decision import Cleaning, Decision, PrivateKey

_WORDS = {
    Action.REMOVE: "is removed",
    Action.EMPTY: "is emptied",
    Action.DUMMY: "is replaced by a dummy",
    Action.KEEP: "is kept",
    Action.REPLACE_UID: "is replaced by a UID that the vault's key makes of it",
}
_CLEANING_WORDS = {
    Cleaning.DATES: "is shifted by the person's whole days, its time of day kept",
    Cleaning.DESCRIPTORS: "loses what says who, where and when",
    Cleaning.VOCABULARY: "keeps only words of the list of acquisition terms",
    Cleaning.CHARACTERISTICS: "loses what identifies",
    Cleaning.STRUCTURED_CONTENT: "is cleaned item by item",
    Cleaning.GRAPHICS: "is removed, since it may hold text",
    Cleaning.PSEUDONYM: "is replaced by a pseudonym of the vault",
    Cleaning.PRIVATE: "is kept, rewritten or removed by the table of private attributes",
}
_WHO = frozenset({"Patient's Name", "Patient ID"})
"""Where Z and D give the person's pseudonym: Z allows a dummy, and persons stay apart."""
_SEQUENCE_WORDS = "is kept, its items cleaned one by one"
_TIME_WORDS = "is kept, since dates are shifted by whole days"
_OVERLAY_DATA = "Overlay Data"
_PLANE_WORDS = "is removed, but for a plane that was read and holds no word"
_DISPOSITIONS = {
    Disposition.KEEP: (Action.KEEP, "is kept"),
    Disposition.CLEAN: (Action.CLEAN, "is rewritten without what identifies"),
    Disposition.REMOVE: (Action.REMOVE, "is removed"),
}
_NO_FILE = (Action.REMOVE, "is removed: it belongs to a message, and to no file")
_OUTSIDE_A_DATA_SET = {
    "(0000,1000)": _NO_FILE,
    "(0000,1001)": _NO_FILE,
    "(0002,0003)": (Action.REPLACE_UID, "is written anew: what SOP Instance UID has become"),
    "(0004,1511)": (Action.REMOVE, "is removed with its group: a DICOMDIR is never copied"),
}
"""Groups of messages, of file heads and of directories: none of them is copied."""
_DOUBTED = frozenset({Option.RETAIN_PATIENT_CHARACTERISTICS})
_DOUBTED_WORDS = "is kept, without what the headers say elsewhere about anybody"
_AGE_WORDS = "is kept, capped at 89 years"
_LAST_CHOICE = {"U*": "kept with its UIDs replaced", "D": "replaced by a dummy", "Z": "emptied"}


@dataclass(frozen=True, kw_only=True)
class AttributeRow:
    """What happens to one attribute, as ``bidsanon profile show`` prints it.

    Attributes
    ----------
    tag
        "(0010,0010)", a mask, or "(0019,SIEMENS MR HEADER,0A)".
    name
        The attribute's name.
    action
        Its action code; a conditional one as the table writes it ("X/Z").
    happens
        The same in words, to follow the name.
    option
        Which option made it so; empty where none did.
    reason
        Why the profile overrules the table; empty where it does not.
    """

    tag: str
    name: str
    action: str
    happens: str
    option: str
    reason: str


def row_of_table(row: TableRow, ruling: Decision | TableRow) -> AttributeRow:
    """Describe a row of Table E.1-1 with what a profile makes of it.

    Parameters
    ----------
    row
        The row.
    ruling
        The profile's decision, or the row itself where its conditional code stands.
    """
    if row.tag in _OUTSIDE_A_DATA_SET:
        return AttributeRow(
            tag=row.tag,
            name=row.name,
            action=_OUTSIDE_A_DATA_SET[row.tag][0],
            happens=_OUTSIDE_A_DATA_SET[row.tag][1],
            option="",
            reason="",
        )
    if isinstance(ruling, Decision):
        return _described(row.tag, row.name, ruling, vr=_vr(row.number, row.name))
    return AttributeRow(
        tag=row.tag,
        name=row.name,
        action=row.basic,
        happens=_conditional_words(row.name, row.basic),
        option="",
        reason="",
    )


def row_of_rule(attribute: int | PrivateKey, decision: Decision) -> AttributeRow:
    """Describe a profile's own rule about an attribute that Table E.1-1 does not list."""
    if isinstance(attribute, PrivateKey):
        return _described(str(attribute), "Private attribute", decision, vr="")
    name = dictionary_description(attribute)
    return _described(tag_text(attribute), name, decision, vr=_vr(attribute, name))


def rows_of_marks(marks: Mapping[int, str]) -> Iterator[AttributeRow]:
    """Describe what says that an instance was de-identified: it is written, whatever was there."""
    for tag, says in marks.items():
        yield AttributeRow(
            tag=tag_text(tag),
            name=dictionary_description(tag),
            action=Action.DUMMY,
            happens=f"is written: {says}",
            option="",
            reason="PS3.15 E.1.1",
        )


def row_of_private_table(rule: PrivateRule) -> AttributeRow:
    """Describe a row of the table of private attributes, where safe ones are retained."""
    action, happens = _DISPOSITIONS[rule.disposition]
    if rule.vr == "SQ" and rule.disposition is Disposition.KEEP:
        happens = _SEQUENCE_WORDS
    key = PrivateKey(group=rule.group, creator=rule.creator, element=rule.element)
    return AttributeRow(
        tag=str(key),
        name=rule.name,
        action=action,
        happens=happens,
        option=Option.RETAIN_SAFE_PRIVATE,
        reason=rule.reason,
    )


def _vr(tag: int | None, name: str) -> str:
    """Return an attribute's VR, as far as it decides the words."""
    vr = "" if tag is None else dictionary_vr(tag)
    return "SQ" if vr == "UN" and name.endswith("Sequence") else vr


def _described(tag: str, name: str, decision: Decision, *, vr: str) -> AttributeRow:
    return AttributeRow(
        tag=tag,
        name=name,
        action=decision.action,
        happens=_words(name, decision, vr),
        option=decision.option or "",
        reason=decision.reason,
    )


def _words(name: str, decision: Decision, vr: str) -> str:
    if decision.value is not None:
        return f'is set to "{decision.value}"'
    if vr == "SQ" and decision.action in {Action.KEEP, Action.CLEAN}:
        return _SEQUENCE_WORDS
    if name in _WHO and decision.action in {Action.EMPTY, Action.DUMMY}:
        return _CLEANING_WORDS[Cleaning.PSEUDONYM]
    if decision.cleaning is None:
        doubted = decision.action is Action.KEEP and decision.option in _DOUBTED
        return _DOUBTED_WORDS if doubted else _WORDS[decision.action]
    return _exact_cleaning_words(decision.cleaning, name, vr)


def _exact_cleaning_words(cleaning: Cleaning, name: str, vr: str) -> str:
    """Say what a cleaning does to a time of day and to an age, which it treats in their own way."""
    if cleaning is Cleaning.GRAPHICS and name == _OVERLAY_DATA:
        return _PLANE_WORDS
    if cleaning is Cleaning.DATES and vr == "TM":
        return _TIME_WORDS
    if cleaning is Cleaning.CHARACTERISTICS and vr == "AS":
        return _AGE_WORDS
    return _CLEANING_WORDS[cleaning]


def _conditional_words(name: str, codes: str) -> str:
    if name in _WHO:
        return _CLEANING_WORDS[Cleaning.PSEUDONYM]
    first, *others = codes.split("/")
    choices = [_WORDS[Action(first)], *(_LAST_CHOICE[code] for code in others)]
    return f"{', or '.join(choices)}, as its Type in the instance's IOD demands"
