"""Which private attributes are kept, cleaned or removed, creator by creator.

The table (``data/private_2026d.tsv``) joins PS3.15 Table E.3.10-1 with what dcm2niix reads and
what BIDS sidecars need. An element is found by its group, its private creator and the low byte of
its element number: the block in which a creator sits differs from file to file. What the table
does not list is removed.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from bidsanon.dicom.confidentiality import Action
from bidsanon.resources import data_path

TABLE = "private_2026d.tsv"

_THE_FILE_ITSELF = "the file itself"
_LISTED = "listed"
_METHODS_OF_CLAIMS = {
    Action.KEEP: _LISTED,
    Action.EMPTY: "empty",
    Action.DUMMY: "dummy",
    Action.REPLACE_UID: "uid",
}


class Disposition(StrEnum):
    """What becomes of a private attribute under Retain Safe Private."""

    KEEP = "keep"
    """Its bytes stay as they are; a sequence is entered, and its items are decided one by one."""
    CLEAN = "clean"
    """It is rewritten by the rule's method, or removed where that cannot be done."""
    REMOVE = "remove"
    """It goes, although dcm2niix or the standard's list names it."""


@dataclass(frozen=True, kw_only=True)
class PrivateRule:
    """What becomes of one private attribute, and why.

    Attributes
    ----------
    group
        The group number (odd).
    creator
        The private creator, without padding.
    element
        The low byte of the element number.
    vr
        Its value representation where the file does not say; "SQ" for a sequence to be entered.
    name
        What it holds.
    disposition
        Keep, clean or remove.
    method
        How it is cleaned (a name that ``deidentify.vendor`` knows); empty unless it is cleaned.
    pattern
        What each of its values must match in full, where the method is "pattern"; what it need not
        be cleaned of, where it is a text that can be a known term.
    source
        Where the row comes from: the standard's list, dcm2niix's or CATI's reading, or bidsanon's
        own of real headers.
    reason
        Why it is safe, or how it is cleaned, or why it goes.
    """

    group: int
    creator: str
    element: int
    vr: str
    name: str
    disposition: Disposition
    method: str
    pattern: str
    source: str
    reason: str

    @property
    def claimed(self) -> bool:
        """Whether nothing but the file's own word speaks for keeping it."""
        return self.source == _THE_FILE_ITSELF

    @property
    def enters(self) -> bool:
        """Whether it stays where it is a sequence, its items being decided one by one."""
        if self.vr == "SQ":
            return self.disposition is Disposition.KEEP
        return self.claimed and self.method == _LISTED


@cache
def private_rules() -> tuple[PrivateRule, ...]:
    """Read the table, in its order."""
    lines = data_path(TABLE).read_text("utf-8").splitlines()
    return tuple(_rule(row) for row in _rows(lines))


def private_rule(group: int, creator: str, element: int) -> PrivateRule | None:
    """Return what becomes of a private attribute, or None where it is not listed (it goes).

    Parameters
    ----------
    group
        Its group number.
    creator
        The value of its private creator element; padding is ignored.
    element
        Its element number; only the low byte counts.
    """
    return _by_key().get((group, creator.strip(" \0"), element & 0xFF))


def claimed_rule(
    rule: PrivateRule | None, claim: Action, *, group: int, creator: str, element: int
) -> PrivateRule | None:
    """Return what becomes of a private attribute of which the file itself says something.

    What the file calls safe is kept as the table says, or, where the table does not list it, once
    its value has been cleaned by its kind. What the file calls identifying goes, or becomes what
    the file recommends; of a block that is neither, what the table knows how to clean stays.

    Parameters
    ----------
    rule
        The table's rule, if it lists the attribute.
    claim
        What the file says (``dicom.private_characteristics``).
    group, creator, element
        Which attribute it is.

    Returns
    -------
    PrivateRule or None
        None where it goes.
    """
    if rule is not None and (rule.disposition is Disposition.REMOVE or claim is Action.KEEP):
        return rule
    if claim is Action.CLEAN:
        cleaned = rule is not None and (rule.vr == "SQ" or rule.disposition is Disposition.CLEAN)
        return rule if cleaned else None
    if claim not in _METHODS_OF_CLAIMS:
        return None
    return PrivateRule(
        group=group,
        creator=creator,
        element=element & 0xFF,
        vr="",
        name="",
        disposition=Disposition.CLEAN,
        method=_METHODS_OF_CLAIMS[claim],
        pattern="",
        source=_THE_FILE_ITSELF,
        reason="what (0008,0300) says of it",
    )


def _rows(lines: list[str]) -> csv.DictReader[str]:
    return csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)


@cache
def _by_key() -> dict[tuple[int, str, int], PrivateRule]:
    return {(rule.group, rule.creator, rule.element): rule for rule in private_rules()}


def _rule(row: dict[str, str]) -> PrivateRule:
    disposition, _, method = row["disposition"].partition(":")
    return PrivateRule(
        group=int(row["group"], 16),
        creator=row["creator"],
        element=int(row["element"], 16),
        vr=row["vr"],
        name=row["name"],
        disposition=Disposition(disposition),
        method=method,
        pattern=row["pattern"],
        source=row["source"],
        reason=row["reason"],
    )
