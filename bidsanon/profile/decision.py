"""What a profile can say of one attribute: the records that its rules are made of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bidsanon.dicom.confidentiality import Action, Option


class Cleaning(StrEnum):
    """How an attribute with action C is cleaned."""

    DATES = "dates"
    """Dates are shifted by whole days; times of day stay."""
    DESCRIPTORS = "descriptors"
    """Text loses what says who, where and when, and keeps what says how; a sequence is entered."""
    VOCABULARY = "vocabulary"
    """Of text only words on the list of acquisition terms stay; a sequence is entered."""
    CHARACTERISTICS = "characteristics"
    """An age is capped at 89 years; text is cleaned like a descriptor."""
    STRUCTURED_CONTENT = "structured-content"
    """The items of a sequence are cleaned one by one."""
    GRAPHICS = "graphics"
    """Overlays, curves and annotations are removed, since they may hold text."""
    PSEUDONYM = "pseudonym"
    """Patient ID and name become the person's of the vault, all else a device's pseudonym."""
    PRIVATE = "private"
    """A private attribute is treated by the curated table of private attributes."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What is done to one attribute.

    Attributes
    ----------
    action
        The action, with conditional codes already resolved by the attribute's Type.
    option
        Which option made it so; None where the basic profile or a rule of the profile did.
    cleaning
        How it is cleaned, for action C; None otherwise.
    value
        What a profile's ``force`` writes, with action D; None where the dummy is free.
    reason
        Why a rule of the profile overrules the table; empty where the table decided.
    """

    action: Action
    option: Option | None = None
    cleaning: Cleaning | None = None
    value: str | None = None
    reason: str = ""


@dataclass(frozen=True, kw_only=True, order=True)
class PrivateKey:
    """What tells a private attribute from all others, in whatever block it stands.

    Attributes
    ----------
    group
        The odd group.
    creator
        The private creator.
    element
        The element within its block, 0x00 to 0xFF.
    """

    group: int
    creator: str
    element: int

    def __str__(self) -> str:
        return f"({self.group:04X},{self.creator},{self.element:02X})"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A profile's own rule about one attribute, at every depth.

    Attributes
    ----------
    attribute
        A standard attribute's tag, or a private attribute.
    decision
        What is done to it, whatever the table says.
    asked
        Whether the user asked for it for one run.
    """

    attribute: int | PrivateKey
    decision: Decision
    asked: bool = False


@dataclass(frozen=True, kw_only=True)
class Variation:
    """A switch that users know from another program, and how it is given here.

    Attributes
    ----------
    name
        What the other program calls it.
    give
        The options of the command line that do the same; empty where none do.
    reason
        What it is for, or why there is none.
    """

    name: str
    give: str
    reason: str
