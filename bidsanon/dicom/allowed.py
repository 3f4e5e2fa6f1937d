"""The allow-lists of names within vendors' blobs: what may stay of each, and why.

Siemens' CSA items, the keys of its protocol, and the keys of GE's protocol data block each have a
table in ``data/``. What a table does not name does not stay.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from bidsanon.resources import data_path

CSA_ITEMS = "private_siemens_csa_items.tsv"
SIEMENS_PROTOCOL_KEYS = "private_siemens_protocol_keys.tsv"
GE_PROTOCOL_KEYS = "private_ge_protocol_keys.tsv"

_NUMBER = re.compile(r"[-+]?(?:0x[0-9a-fA-F]{1,16}|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?)")
_DATE = re.compile(
    r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
    r"(?:(?:\.0*)?|(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d(?:\.\d*)?)?)"
)


class Allowance(StrEnum):
    """What may stay of a named value."""

    NUMBER = "number"
    """It stays where it is a number and does not read like a date."""
    PATTERN = "pattern"
    """It stays where the whole of it reads as the row's pattern says."""
    CODE = "code"
    """It stays where the whole of it reads as the row's pattern says, and repeats no known name."""
    DESCRIPTOR = "descriptor"
    """It stays without what says who, where and when."""
    UID = "uid"
    """Its UIDs are replaced."""
    PROTOCOL = "protocol"
    """A protocol: its ASCCONV sections stay, key by key."""
    POSITION = "position"
    """A patient position pattern: the position stays, all numbers become 0."""
    ALIGNMENT = "alignment"
    """What automatic alignment found: numbers stay, frames of reference are replaced."""
    REMOVE = "remove"
    """Nothing stays, although a name above it is allowed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AllowedName:
    """What may stay of the values of one name.

    Attributes
    ----------
    name
        The name; indices are left empty ("asSlice[].dThickness").
    allowance
        What may stay.
    pattern
        What the whole value must match, where the allowance says so; known terms that need not be
        cleaned, where it is a descriptor.
    reason
        Why it is safe, or why it goes.
    """

    name: str
    allowance: Allowance
    pattern: re.Pattern[str]
    reason: str

    def admits(self, text: str) -> bool:
        """Return whether a value may stay as it is, judged by itself alone."""
        if self.allowance is Allowance.NUMBER:
            return reads_as_number(text)
        judged = self.allowance in {Allowance.PATTERN, Allowance.CODE}
        return judged and bool(self.pattern.fullmatch(text))


def reads_as_number(text: str) -> bool:
    """Return whether a text is a number that is no date or moment (YYYYMMDDHHMMSS, 1900 to 2099).

    Some sequences store the date of the scan in a parameter that is free for them to use.
    """
    stripped = text.strip(" ")
    return bool(_NUMBER.fullmatch(stripped)) and not _DATE.fullmatch(stripped)


@cache
def allowed_names(table: str) -> dict[str, AllowedName]:
    """Read one of the tables, by name.

    Parameters
    ----------
    table
        ``CSA_ITEMS``, ``SIEMENS_PROTOCOL_KEYS`` or ``GE_PROTOCOL_KEYS``.
    """
    lines = data_path(table).read_text("utf-8").splitlines()
    rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    return {
        row["name"]: AllowedName(
            name=row["name"],
            allowance=Allowance(row["allowance"]),
            pattern=re.compile(row["pattern"]),
            reason=row["reason"],
        )
        for row in rows
    }
