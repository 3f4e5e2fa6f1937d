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

from bidsanon.resources import data_path

TABLE = "private_2026d.tsv"


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
        What each of its values must match in full, where the method is "pattern".
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
