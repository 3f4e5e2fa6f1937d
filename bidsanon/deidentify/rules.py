"""The profile's decisions, each made once and kept: by SOP class, path of sequences and tag."""

from __future__ import annotations

from bidsanon.deidentify.actions import OPERATORS, clean_words, drop
from bidsanon.deidentify.cleanings import clean_private_value
from bidsanon.deidentify.context import UNLISTED, Rule
from bidsanon.dicom.confidentiality import Action
from bidsanon.dicom.private import private_rule
from bidsanon.profile import Cleaning, Decision, Profile

_FIRST_GROUP = 0x0008
_DROPPED = Rule(drop, Decision(action=Action.REMOVE), counted=False)


class Place(dict[int, Rule]):
    """What is done to each standard attribute below one path of sequences of one SOP class.

    Parameters
    ----------
    profile
        Decides.
    sop_class_uid
        The instance's SOP class.
    path
        The tags of the enclosing sequences, the outermost first.
    cleaned
        Whether an enclosing sequence is itself cleaned (action C): then the words within it are.
    """

    def __init__(
        self, profile: Profile, sop_class_uid: str, path: tuple[int, ...] = (), *, cleaned: bool
    ) -> None:
        super().__init__()
        self._profile = profile
        self._sop_class_uid = sop_class_uid
        self._path = path
        self._cleaned = cleaned
        self._below: dict[int, Place] = {}
        self._private: dict[tuple[int, str], Rule] = {}

    def __missing__(self, tag: int) -> Rule:
        """Decide about an attribute that was not met in this place before."""
        if not tag & 0xFFFF or tag >> 16 < _FIRST_GROUP:
            rule = _DROPPED
        else:
            decision = self._decide(tag)
            words = self._cleaned and decision.action is Action.KEEP
            rule = Rule(clean_words if words else OPERATORS[decision.action].act, decision)
        self[tag] = rule
        return rule

    def below(self, tag: int) -> Place:
        """Return the place within the items of a sequence."""
        place = self._below.get(tag)
        if place is None:
            cleaned = self._cleaned or (tag in self and self[tag].decision.action is Action.CLEAN)
            place = Place(self._profile, self._sop_class_uid, (*self._path, tag), cleaned=cleaned)
            self._below[tag] = place
        return place

    def private(self, tag: int, creator: str) -> Rule:
        """Return what is done to a private attribute.

        Parameters
        ----------
        tag
            The attribute's tag, whatever its block number.
        creator
            The private creator of its block.
        """
        key = (tag & 0xFFFF00FF, creator)
        rule = self._private.get(key)
        if rule is None:
            rule = self._private[key] = self._decide_private(tag, creator)
        return rule

    def _decide(self, tag: int) -> Decision:
        return self._profile.decide(tag, sop_class_uid=self._sop_class_uid, path=self._path)

    def _decide_private(self, tag: int, creator: str) -> Rule:
        group, element = tag >> 16, tag & 0xFF
        listed = private_rule(group, creator, element)
        own = self._profile.decide_private(group, creator, element)
        if own is not None:
            return Rule(OPERATORS[own.action].act, own, private=listed, creator=creator)
        decision = self._decide(tag)
        if decision.cleaning is not Cleaning.PRIVATE or listed is None:
            return Rule(UNLISTED.act, UNLISTED.decision, creator=creator)
        return Rule(clean_private_value, decision, private=listed, creator=creator)
