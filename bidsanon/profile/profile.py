"""What a profile decides about each attribute, and in what words it says so."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bidsanon.dicom.confidentiality import Action, MethodCode, Option


class Cleaning(StrEnum):
    """How an attribute with action C is cleaned."""

    DATES = "dates"
    """Dates are shifted by whole days; times of day stay."""
    DESCRIPTORS = "descriptors"
    """Text loses what says who, where and when, and keeps what says how."""
    CHARACTERISTICS = "characteristics"
    """Ages are capped at 89; text about the person is cleaned like a descriptor."""
    STRUCTURED_CONTENT = "structured-content"
    """The items of a sequence are cleaned one by one."""
    GRAPHICS = "graphics"
    """Overlays and annotations are removed where they may hold text."""
    DEVICE = "device"
    """An identifier of a device or place is replaced by a keyed pseudonym."""
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


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A rule table: Table E.1-1, overridden by options, overridden by rules.

    Attributes
    ----------
    name
        Its name: "bids", or the stem of a user's file.
    options
        The options of Table E.1-1 that are selected.
    modalities
        The modalities (0008,0060) that are let through.
    method
        (0012,0063) De-identification Method, in words.
    method_codes
        (0012,0064), from CID 7050.
    """

    name: str
    options: frozenset[Option]
    modalities: frozenset[str]
    method: str
    method_codes: tuple[MethodCode, ...]

    def decide(self, tag: int, *, sop_class_uid: str, path: tuple[int, ...]) -> Decision:
        """Return what is done to a standard attribute, or to private attributes as a whole.

        A private tag (odd group) gives X, or C with Cleaning.PRIVATE where safe private
        attributes are retained: then the curated table decides, unless
        :meth:`decide_private` has a rule.

        Parameters
        ----------
        tag
            The attribute's tag, 0xGGGGEEEE.
        sop_class_uid
            The instance's SOP class: decides conditional actions.
        path
            The tags of the enclosing sequences, the outermost first.
        """
        raise NotImplementedError

    def decide_private(self, group: int, creator: str, element: int) -> Decision | None:
        """Return what the profile's own rules say of a private attribute; None: nothing.

        Parameters
        ----------
        group
            The odd group.
        creator
            The private creator, as the block's creator element says.
        element
            The element within its block, 0x00 to 0xFF.
        """
        raise NotImplementedError

    @property
    def digest(self) -> str:
        """A SHA-256 over everything that the profile decides."""
        raise NotImplementedError
