"""One written form of an identifying value: its text, and what may stand beside it.

And why a value, or a part of it, has no form, which is said and never dropped.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import NamedTuple


class Rule(Enum):
    """What may stand beside a form for it to count as found."""

    WORD = "word"
    """A short word stands alone, a long one may be part of another; digits end where they end."""
    ALONE = "alone"
    """It always stands alone."""
    NUMBER = "number"
    """Digits: never within a longer number; zeros may lead it."""
    DAY = "day"
    """YYYYMMDD and the like: never within a longer number, but a time of day may follow."""
    TIME = "time"
    """HHMMSS: never within a longer number, but a fraction may follow and a day precede."""
    ANYWHERE = "anywhere"
    """Ideographs, and bytes of a character set."""


class Form(NamedTuple):
    """One written form.

    Attributes
    ----------
    text
        In canonical form.
    rule
        What may stand beside it.
    is_piece
        Whether it is a piece of a longer text rather than a whole value or name.
    """

    text: str
    rule: Rule
    is_piece: bool = False


class IgnoredBecause(StrEnum):
    """Why a value, or a part of it, is not searched for."""

    TOO_SHORT = "too short"
    """It would be found everywhere by chance."""
    COMMON = "common"
    """It is made of words and numbers that stand in every dataset."""
    COUNTED_NAME = "name that only counts"
    """A file or folder name of common words and small numbers (IM_0001)."""
    PUBLISHED = "published on purpose"
    """It is, or is part of, what is published on purpose."""
    ONE_WORD = "one word"
    """Free text of one word: in headers, the name of a setting."""
    PART_TOO_SHORT = "part too short"
    """The value is searched for, and a short part of it only beside the others."""
    PART_COMMON = "part common"
    """The value is searched for, and a common word in it only beside the others."""


@dataclass(kw_only=True)
class Forms:
    """The forms in which a value is searched for, and what of it is left out."""

    found: set[Form] = field(default_factory=set)
    ignored: set[IgnoredBecause] = field(default_factory=set)

    def add(self, text: str, rule: Rule, *, is_piece: bool = False) -> None:
        """Add a form."""
        self.found.add(Form(text, rule, is_piece))
