"""What OpenNeuro asks a person to affirm, and the records of what is known about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bidsanon.audit import FaceDecisions
from bidsanon.bids.sharing import SharedTree
from bidsanon.findings import Finding
from bidsanon.validate.residue import ResidueSearch
from bidsanon.vault import VaultContents

_SHOWN = 3


class Knowledge(StrEnum):
    """How a statement bears on what is to be affirmed. The order is that of gravity."""

    CONTRADICTED = "contradicted"
    """It speaks against it."""
    NOT_KNOWN = "not-known"
    """Only a person can say."""
    KNOWN = "known"
    """It speaks for it."""


class Point(StrEnum):
    """What OpenNeuro asks to affirm, in this program's words."""

    FACES = "faces"
    """No face is left, or consent covers it."""
    IDENTIFIERS = "identifiers"
    """Nothing identifies a participant in the sense of HIPAA."""
    KEY = "key"
    """No key leads back to the participants."""
    LICENCE = "licence"
    """It becomes public under CC0."""
    PERMISSION = "permission"
    """It may be published."""
    GDPR = "gdpr"
    """European law does not protect it."""
    ONE_ARCHIVE = "one-archive"
    """It is kept in one place."""
    MADE_UP = "made-up"
    """It is of people."""


ASKED = {
    Point.FACES: "The face is off every structural scan; or the participants agreed, and ethics "
    "allow, that scans with faces are published.",
    Point.IDENTIFIERS: "Nothing identifies a participant in the sense of HIPAA: no name, postcode, "
    "birth date, acquisition date or the like.",
    Point.KEY: "You destroy every key that tells whose label is whose.",
    Point.LICENCE: "The dataset becomes public under CC0, after 36 months at the latest.",
    Point.PERMISSION: "The dataset is yours, and you have the ethics permission to publish it.",
    Point.GDPR: "The dataset is not subject to the GDPR.",
    Point.ONE_ARCHIVE: "The data are in no other archive, or you keep them the same in both.",
    Point.MADE_UP: "Nothing in the dataset is synthetic, or you asked OpenNeuro before.",
}


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One thing that is known, or that only a person can say.

    Attributes
    ----------
    knowledge
        How it bears on the point.
    text
        What it is, without any identifying value.
    """

    knowledge: Knowledge
    text: str


@dataclass(frozen=True, kw_only=True)
class Affirmation:
    """A point and all that is known about it.

    Attributes
    ----------
    point
        What is to be affirmed.
    statements
        At least one.
    """

    point: Point
    statements: tuple[Statement, ...]

    @property
    def asked(self) -> str:
        """What OpenNeuro asks, in a sentence."""
        return ASKED[self.point]

    @property
    def knowledge(self) -> Knowledge:
        """The gravest of its statements: it is known only where nothing is left to a person."""
        return min(
            (statement.knowledge for statement in self.statements), key=list(Knowledge).index
        )


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What a dataset and its private folder say, as far as it bears on a point.

    Attributes
    ----------
    description
        dataset_description.json; None where it cannot be read.
    shared
        What of the dataset is shared.
    findings
        What its checks found.
    residue
        What it was searched for just now; None where it was not.
    private
        Whether there is a private folder.
    vault
        What is in the vault; None where there is none.
    identified
        The names of other files in the private folder that lead to a person.
    decisions
        What a person decided about defaced images.
    published
        The SHA-256 of each file as ``convert`` published it, once all gates had passed, by its path
        in the dataset.
    """

    description: Mapping[str, Any] | None
    shared: SharedTree
    findings: tuple[Finding, ...] = ()
    residue: ResidueSearch | None = None
    private: bool = False
    vault: VaultContents | None = None
    identified: tuple[str, ...] = ()
    decisions: FaceDecisions = field(default_factory=FaceDecisions)
    published: Mapping[str, str] = field(default_factory=dict)


def known(text: str) -> Statement:
    """State what speaks for a point."""
    return Statement(knowledge=Knowledge.KNOWN, text=text)


def not_known(text: str) -> Statement:
    """State what only a person can say."""
    return Statement(knowledge=Knowledge.NOT_KNOWN, text=text)


def contradicted(text: str) -> Statement:
    """State what speaks against a point."""
    return Statement(knowledge=Knowledge.CONTRADICTED, text=text)


def some_of(names: Sequence[str]) -> str:
    """Name the first of several, and say how many more there are."""
    shown = ", ".join(names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown
