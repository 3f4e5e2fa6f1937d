"""The profile's decisions, each made once and kept: by SOP class, path of sequences and tag."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property, partial

from bidsanon.deidentify.actions import OPERATORS, clean_words, drop
from bidsanon.deidentify.cleanings import clean_birth_date, clean_private_value
from bidsanon.deidentify.content_items import VALUES
from bidsanon.deidentify.context import UNLISTED, Rule
from bidsanon.deidentify.kept_values import clean_unlisted_words, keep_unlisted
from bidsanon.deidentify.marks import MARKS
from bidsanon.dicom.confidentiality import Action, Option, attribute_type, resolve, table_row
from bidsanon.dicom.private import claimed_rule, private_rule
from bidsanon.dicom.private_characteristics import CHARACTERISTICS, NO_CLAIMS, PrivateClaims
from bidsanon.profile import Cleaning, Decision, Profile, protecting_row

_OF_TEXTS = (Cleaning.DESCRIPTORS, Cleaning.VOCABULARY)
_FIRST_GROUP = 0x0008
_BIRTH_DATE = 0x00100030
_AGE = 0x00101010
_PRIVATE = 0x10000
_OVERLAYS = 0x60
_OVERLAY_DATA = 0x3000
_DUMMY = Decision(action=Action.DUMMY)
# Group lengths and groups of other uses; and what is written anew: a list of the file's private
# blocks, of what is left of them (PS3.15 E.3.10), and the marks of its de-identification.
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
        Whether an enclosing sequence is private or itself cleaned (action C): then the words
        within it are.
    claims
        What the instance says of its own private blocks.
    who
        Whether it is that of content items that say who, where or whose: their values are dummies.
    """

    def __init__(
        self,
        profile: Profile,
        sop_class_uid: str,
        path: tuple[int, ...] = (),
        *,
        cleaned: bool,
        claims: PrivateClaims = NO_CLAIMS,
        who: bool = False,
    ) -> None:
        super().__init__()
        self.key = object()
        self._profile = profile
        self._sop_class_uid = sop_class_uid
        self._path = path
        self._cleaned = cleaned
        self._claims = claims
        self._who = who
        self._below: dict[int, Place] = {}
        self._private: dict[tuple[int, str], Rule] = {}

    def __missing__(self, tag: int) -> Rule:
        """Decide about an attribute that was not met in this place before."""
        if self._is_dropped(tag):
            rule = _DROPPED
        else:
            who = self._who and tag in VALUES
            rule = self._rule(tag, _DUMMY if who else self._decide(tag))
        self[tag] = rule
        return rule

    def _is_dropped(self, tag: int) -> bool:
        if tag == CHARACTERISTICS or (tag in MARKS and not self._path):
            return True
        return not tag & 0xFFFF or tag >> 16 < _FIRST_GROUP

    def _rule(self, tag: int, decision: Decision) -> Rule:
        act = OPERATORS[decision.action].act
        if decision.cleaning is Cleaning.DATES:
            act = clean_birth_date if tag == _BIRTH_DATE else act
            return Rule(act, decision, instead=OPERATORS[self._basic(tag)].act)
        if decision.cleaning in _OF_TEXTS and self._needs_value(tag):
            return Rule(act, decision, instead=OPERATORS[Action.DUMMY].act)
        if decision.action is Action.KEEP:
            if tag == _BIRTH_DATE and self._decide(_AGE).action is not Action.KEEP:
                return Rule(clean_birth_date, decision, instead=OPERATORS[Action.EMPTY].act)
            if self._is_unlisted(tag) or decision.option is Option.RETAIN_PATIENT_CHARACTERISTICS:
                act = clean_unlisted_words if self._cleaned else keep_unlisted
            elif self._cleaned:
                act = clean_words
        return Rule(act, decision)

    def _is_unlisted(self, tag: int) -> bool:
        """Tell whether neither the table nor the profile's own rules speak of an attribute."""
        return tag not in self._profile.ruled and protecting_row(tag) is None

    def _needs_value(self, tag: int) -> bool:
        """Tell whether an attribute may need a value, so that one of no words is no answer."""
        return table_row(tag) is None or self._basic(tag) is Action.DUMMY

    def _basic(self, tag: int) -> Action:
        """Return what the Basic Profile does to a date: that is done to one that is none."""
        row = protecting_row(tag)
        if row is None:
            return Action.EMPTY
        type_ = attribute_type(tag, sop_class_uid=self._sop_class_uid, path=self._path)
        return resolve(row.basic, type_)

    @cached_property
    def of_who(self) -> Place:
        """The same place in a content item that says who, where or whose."""
        return Place(
            self._profile,
            self._sop_class_uid,
            self._path,
            cleaned=self._cleaned,
            claims=self._claims,
            who=True,
        )

    def below(self, tag: int) -> Place:
        """Return the place within the items of a sequence."""
        place = self._below.get(tag)
        if place is None:
            cleaned = self._cleaned or bool(tag & _PRIVATE)
            cleaned = cleaned or (tag in self and self[tag].decision.action is Action.CLEAN)
            place = Place(
                self._profile,
                self._sop_class_uid,
                (*self._path, tag),
                cleaned=cleaned,
                claims=self._claims,
            )
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
        decide = partial(self._profile.decide, sop_class_uid=self._sop_class_uid, path=self._path)
        if tag >> 24 == _OVERLAYS:
            plane = decide(tag & 0xFFFF0000 | _OVERLAY_DATA)
            if plane.action is not Action.KEEP:
                return plane  # a plane's label and statistics go with its bits
        return decide(tag)

    def _decide_private(self, tag: int, creator: str) -> Rule:
        group, element = tag >> 16, tag & 0xFF
        listed = private_rule(group, creator, element)
        own = self._profile.decide_private(group, creator, element)
        if own is not None:
            return Rule(OPERATORS[own.action].act, own, private=listed, creator=creator)
        decision = self._decide(tag)
        claim = self._claims.claim(group, creator, element)
        if claim is not None:
            listed = claimed_rule(listed, claim, group=group, creator=creator, element=element)
        if decision.cleaning is not Cleaning.PRIVATE or listed is None:
            return Rule(UNLISTED.act, UNLISTED.decision, creator=creator)
        if self._profile.vocabulary:
            decision = replace(decision, cleaning=Cleaning.VOCABULARY)
        return Rule(clean_private_value, decision, private=listed, creator=creator)
