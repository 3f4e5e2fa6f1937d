"""The rules of a profile as a user writes them, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from bidsanon.dicom.confidentiality import EXCLUSIVE_OPTIONS
from bidsanon.profile.attributes import attribute_of, why_unknown
from bidsanon.profile.decision import Decision, PrivateKey, Rule


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


def problems_of(entries: Iterable[Entry]) -> Iterator[str]:
    """Say what is wrong with rules: unknown attributes, and attributes that are ruled twice."""
    ruled: dict[int | PrivateKey, str] = {}
    for entry in entries:
        attribute = attribute_of(entry.attribute)
        if attribute is None:
            yield f"{entry.place}: {entry.attribute} is {why_unknown(entry.attribute)}"
        elif attribute in ruled:
            yield f"{entry.place}: {entry.attribute} is ruled by {ruled[attribute]} already"
        else:
            ruled[attribute] = entry.place


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
