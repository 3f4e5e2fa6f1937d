"""How the residue search treats an attribute of DICOM, by what the profile does to it."""

from __future__ import annotations

from bidsanon.dicom.confidentiality import Action
from bidsanon.profile import Cleaning, Decision, Profile

_PIXELS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})

TEXT, DESCRIPTOR, KEPT, PIXEL_DATA = range(4)
"""How an attribute's values are searched: as text that people or programs wrote; as a description
that the de-identification has cleaned; not at all, since the profile keeps it on purpose; not at
all where native, and for long forms where encapsulated. Plain numbers: they are hashed often."""


class Place(dict[int, int]):
    """How the attributes in one place of an object are searched: below one path of sequences."""

    def __init__(self, profile: Profile, sop_class_uid: str, path: tuple[int, ...]) -> None:
        super().__init__()
        self._profile = profile
        self._sop_class_uid = sop_class_uid
        self._path = path
        self._below: dict[int, Place] = {}
        self._private: dict[tuple[int, str], int] = {}

    def __missing__(self, tag: int) -> int:
        decision = self._profile.decide(tag, sop_class_uid=self._sop_class_uid, path=self._path)
        treatment = PIXEL_DATA if tag in _PIXELS else _treatment(decision)
        self[tag] = treatment
        return treatment

    def private(self, tag: int, creator: str) -> int:
        """Return how the values of a private attribute are searched."""
        key = (tag & 0xFFFF00FF, creator)
        treatment = self._private.get(key)
        if treatment is None:
            own = self._profile.decide_private(tag >> 16, creator, tag & 0xFF)
            treatment = _treatment(own) if own else TEXT
            self._private[key] = treatment
        return treatment

    def below(self, tag: int) -> Place:
        """Return the place within the items of a sequence."""
        place = self._below.get(tag)
        if place is None:
            place = Place(self._profile, self._sop_class_uid, (*self._path, tag))
            self._below[tag] = place
        return place


def _treatment(decision: Decision) -> int:
    on_purpose = decision.option is not None or bool(decision.reason)
    if (decision.action is Action.KEEP and on_purpose) or decision.value:
        return KEPT
    if decision.cleaning is Cleaning.DESCRIPTORS:
        return DESCRIPTOR
    return TEXT
