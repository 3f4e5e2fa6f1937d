"""Which profiles a BIDS dataset can be made by: those that keep no name, no number, no true date.

What a profile keeps is not searched for in what is published, so it is refused before anything is
read. The same profile may serve ``bidsanon deidentify``, whose output a user shares with whom they
may.
"""

from __future__ import annotations

from collections.abc import Iterator

from bidsanon.deidentify.harvest import kind_of
from bidsanon.dicom.confidentiality import Action, Option, table_row, tag_text
from bidsanon.dicom.vrs import dictionary_vr
from bidsanon.errors import PolicyError, UsageError
from bidsanon.identity import ValueKind
from bidsanon.profile import Profile

_NEVER_PUBLISHED = frozenset({ValueKind.NAME, ValueKind.IDENTIFIER, ValueKind.DATE})
_OF_PLACE_AND_DEVICE = frozenset(
    {Option.RETAIN_DEVICE_IDENTITY, Option.RETAIN_INSTITUTION_IDENTITY}
)

_CONTEXT_GROUP_VERSION = 0x00080106
"""A date of the standard itself, the same for everybody."""


def require_publishable(profile: Profile) -> None:
    """Refuse a profile that keeps what no dataset may hold.

    Raises
    ------
    PolicyError
        If it keeps full dates, or a rule of it a person's name or number, or a date.
    UsageError
        If it does as it is amended.
    """
    refused = UsageError if profile.amended else PolicyError
    if Option.RETAIN_FULL_DATES in profile.options:
        raise refused(
            "the profile keeps full dates, which no dataset may hold",
            cure="give --option retain-modified-dates --option no-retain-full-dates, or use "
            "`bidsanon deidentify`",
        )
    kept = sorted(set(_kept(profile)))
    if kept:
        raise refused(
            f"the profile keeps as it is what no dataset may hold: {', '.join(kept)}",
            cure="leave out those rules (--option retain-modified-dates shifts a profile's dates), "
            "or use `bidsanon deidentify`",
        )


def _kept(profile: Profile) -> Iterator[str]:
    for rule in profile.rules:
        tag = rule.attribute
        if isinstance(tag, int) and _identifies(tag):
            decision = profile.decide(tag, sop_class_uid="", path=())
            if decision.action is Action.KEEP:
                yield tag_text(tag)


def _identifies(tag: int) -> bool:
    row = table_row(tag)
    of_device = row is not None and not _OF_PLACE_AND_DEVICE.isdisjoint(row.options)
    listed = row is not None or dictionary_vr(tag) in {"PN", "DA", "DT"}
    own = listed and not of_device and tag != _CONTEXT_GROUP_VERSION
    return own and kind_of(tag, dictionary_vr(tag)) in _NEVER_PUBLISHED
