"""The rules of a profile as a user writes them, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from pydicom.datadict import dictionary_has_tag, dictionary_VM

from bidsanon.dicom.confidentiality import (
    EXCLUSIVE_OPTIONS,
    Action,
    Option,
    table_row,
)
from bidsanon.dicom.private import private_rule
from bidsanon.dicom.values import count_of_values, why_no_value
from bidsanon.dicom.vrs import dictionary_vr
from bidsanon.profile.attributes import attribute_of, why_unknown
from bidsanon.profile.decision import Cleaning, Decision, PrivateKey, Rule

_FIRST_GROUP = 0x0008
_WRITTEN = frozenset({0x00120062, 0x00120063, 0x00120064, 0x00280303})
_INSTANCE = frozenset({0x00080005, 0x00080016})  # Specific Character Set, SOP Class UID
_HIERARCHY = frozenset({0x00080018, 0x0020000D, 0x0020000E})  # SOP Instance, Study, Series
_PIXELS = frozenset(
    {
        *(0x7FE00008, 0x7FE00009, 0x7FE00010),  # the pixels
        *(0x00280002, 0x00280004, 0x00280006, 0x00280008, 0x00280010, 0x00280011),  # their shape
        *(0x00280100, 0x00280101, 0x00280102, 0x00280103),  # their type
    }
)
_NEEDED = {
    _PIXELS: "without it as it is the pixels cannot be read",
    _INSTANCE: "without it as it is the instance cannot be read",
    _HIERARCHY: "every instance needs one of its own: it is always replaced",
}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One rule as it is written.

    Attributes
    ----------
    place
        Where it stands: "keep[0]" in a file, "--keep" on the command line.
    attribute
        What it is about, as the user names it.
    decision
        What is done.
    """

    place: str
    attribute: str
    decision: Decision


def problems_of(entries: Iterable[Entry], *, options: Collection[str]) -> Iterator[str]:
    """Say what is wrong with rules, each with its place.

    Unknown attributes, attributes that are ruled twice, rules that could not be obeyed, and values
    that do not fit. A value is never repeated: it may be identifying.

    Parameters
    ----------
    entries
        The rules.
    options
        The options that are selected beside them.
    """
    ruled: dict[int | PrivateKey, str] = {}
    for entry in entries:
        attribute = attribute_of(entry.attribute)
        if attribute is None:
            yield f"{entry.place}: {entry.attribute} is {why_unknown(entry.attribute)}"
            continue
        if attribute in ruled:
            yield f"{entry.place}: {entry.attribute} is ruled by {ruled[attribute]} already"
            continue
        ruled[attribute] = entry.place
        problem = _why_senseless(attribute, entry.decision, options) or _why_unfit(
            attribute, entry.decision
        )
        if problem:
            yield f"{entry.place}: {entry.attribute}: {problem}"


def exclusive(options: Collection[str]) -> Iterator[str]:
    """Say which of the selected options exclude each other (PS3.15 E.3.6)."""
    for pair in EXCLUSIVE_OPTIONS:
        if set(pair) <= set(options):
            yield f"{' and '.join(pair)} exclude each other"


def rules_of(entries: Iterable[Entry]) -> Iterator[Rule]:
    """Turn valid entries into rules."""
    for entry in entries:
        attribute = attribute_of(entry.attribute)
        if attribute is not None:
            yield Rule(attribute=attribute, decision=entry.decision)


def _why_senseless(
    attribute: int | PrivateKey, decision: Decision, options: Collection[str]
) -> str:
    """Say why no profile can decide this about an attribute; '' where it can."""
    if isinstance(attribute, PrivateKey):
        listed = private_rule(attribute.group, attribute.creator, attribute.element)
        unlisted = decision.cleaning is Cleaning.PRIVATE and listed is None
        return "the table of private attributes does not list it" if unlisted else ""
    if decision.cleaning is Cleaning.PRIVATE:
        return "it is not private"
    if attribute >> 16 < _FIRST_GROUP:
        return "this group is written anew or left out, whatever a profile says"
    if attribute in _WRITTEN:
        return "it says that the instance was de-identified, and is written by bidsanon"
    if decision.action is Action.KEEP:
        return _why_not_kept(attribute, options)
    return next((why for tags, why in _NEEDED.items() if attribute in tags), "")


def _why_not_kept(attribute: int, options: Collection[str]) -> str:
    row = table_row(attribute)
    replaced = row is not None and row.basic == Action.REPLACE_UID
    if replaced and dictionary_vr(attribute) == "UI" and Option.RETAIN_UIDS not in options:
        return (
            "a UID that is kept in one place and replaced in others tears references apart: "
            "select retain-uids, which keeps all of them"
        )
    return ""


def _why_unfit(attribute: int | PrivateKey, decision: Decision) -> str:
    """Say why the value that is forced does not fit the attribute; '' where it does."""
    if decision.value is None:
        return ""
    if not decision.value.strip():
        return "no value is given: remove takes an attribute out"
    vr = _vr_of(attribute)
    if not vr:
        return ""
    if isinstance(attribute, int) and _is_uid_replaced(attribute):
        return "a UID that is given by hand tears references apart"
    problem = why_no_value(vr, decision.value)
    if problem:
        return f"the value {problem}"
    count = count_of_values(vr, decision.value)
    return "" if _admits(attribute, count) else f"{count} values are too many or too few"


def _vr_of(attribute: int | PrivateKey) -> str:
    if isinstance(attribute, PrivateKey):
        listed = private_rule(attribute.group, attribute.creator, attribute.element)
        return listed.vr if listed else ""
    return dictionary_vr(attribute)


def _is_uid_replaced(attribute: int) -> bool:
    row = table_row(attribute)
    return row is not None and row.basic == Action.REPLACE_UID


def _admits(attribute: int | PrivateKey, count: int) -> bool:
    """Tell whether an attribute may hold so many values: its VM is "1", "1-3", "2-2n" or "1-n"."""
    if isinstance(attribute, PrivateKey) or not dictionary_has_tag(attribute):
        return True
    least, _, most = dictionary_VM(attribute).partition("-")
    if not most:
        return count == int(least)
    if most.endswith("n"):
        step = int(most.removesuffix("n") or 1)
        return count >= int(least) and count % step == 0
    return int(least) <= count <= int(most)
