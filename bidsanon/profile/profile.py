"""What a profile decides about each attribute: the table, its options, and its own rules."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from pydicom.datadict import dictionary_has_tag

from bidsanon.bids.dataset_facts import NOTHING_SAID, DatasetFacts
from bidsanon.dicom.confidentiality import (
    EDITION,
    Action,
    MethodCode,
    Option,
    TableRow,
    attribute_type,
    method_codes,
    resolve,
    table_row,
    table_rows,
)
from bidsanon.dicom.private import private_rules
from bidsanon.dicom.vrs import dictionary_vr
from bidsanon.findings import Severity
from bidsanon.profile.beyond_table import (
    DATE_VRS,
    REFERENCES,
    not_cleanable,
    protecting_row,
    unlisted_dates,
)
from bidsanon.profile.decision import Cleaning, Decision, PrivateKey, Rule, Variation
from bidsanon.profile.description import (
    AttributeRow,
    row_of_private_table,
    row_of_rule,
    row_of_table,
    rows_of_marks,
)

_PATIENT_NAME = 0x00100010
_PATIENT_ID = 0x00100020
_PATIENT_AGE = 0x00101010

_CLEANINGS = {
    Option.RETAIN_SAFE_PRIVATE: Cleaning.PRIVATE,
    Option.RETAIN_DEVICE_IDENTITY: Cleaning.PSEUDONYM,
    Option.RETAIN_PATIENT_CHARACTERISTICS: Cleaning.CHARACTERISTICS,
    Option.RETAIN_MODIFIED_DATES: Cleaning.DATES,
    Option.CLEAN_DESCRIPTORS: Cleaning.DESCRIPTORS,
    Option.CLEAN_STRUCTURED_CONTENT: Cleaning.STRUCTURED_CONTENT,
    Option.CLEAN_GRAPHICS: Cleaning.GRAPHICS,
}
_PLAIN = {action: Decision(action=action) for action in Action}
_UNKNOWN = Decision(
    action=Action.REMOVE, reason="no edition of the standard that bidsanon knows lists it"
)
_UNLISTED = Decision(action=Action.REMOVE, reason="it is not on the profile's list")
_REFERENCE = Decision(
    action=Action.REPLACE_UID, reason="it refers to what has a UID of its own, which is replaced"
)


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A rule table: Table E.1-1, overridden by options, overridden by rules.

    Attributes
    ----------
    name
        Its name: "bids", or what a user's file calls itself.
    description
        What it is for, in a sentence.
    options
        The options of Table E.1-1 that are selected.
    modalities
        The modalities (0008,0060) that are let through.
    rules
        Its own rules; a later one overrules an earlier one.
    allow_list
        Whether only what a rule lists is kept: an attribute that no rule lists has the basic
        action, whatever the options say, and is removed where Table E.1-1 does not list it.
    vocabulary
        Whether descriptions keep only words of the list of acquisition terms.
    words
        What a lab adds to these words, in lower case.
    admitted
        With an allow-list: options that were added to it, and that act on what no rule lists.
    amended
        Whether a run changed it: then it is not what its name says alone.
    variations
        What users of another program know as its switches, and how each is given here.
    severities
        What codes of findings weigh for the lab, where not as much as for everybody.
    dataset
        What the lab says of its dataset.
    """

    name: str
    description: str
    options: frozenset[Option]
    modalities: frozenset[str]
    rules: tuple[Rule, ...] = ()
    allow_list: bool = False
    vocabulary: bool = False
    words: frozenset[str] = frozenset()
    admitted: frozenset[Option] = frozenset()
    amended: bool = False
    variations: tuple[Variation, ...] = ()
    severities: Mapping[str, Severity] = field(default_factory=dict)
    dataset: DatasetFacts = NOTHING_SAID
    _known: dict[object, Decision] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def title(self) -> str:
        """What it is called where a run is recorded: "bids", or "bids, amended"."""
        return f"{self.name}, amended" if self.amended else self.name

    @property
    def method(self) -> str:
        """(0012,0063) De-identification Method, in words: at most 64 characters."""
        return f"bidsanon, profile {self.title}, PS3.15 {EDITION} Annex E"

    @property
    def method_codes(self) -> tuple[MethodCode, ...]:
        """(0012,0064) De-identification Method Code Sequence, from CID 7050."""
        return method_codes(self.options)

    @property
    def digest(self) -> str:
        """A SHA-256 over everything that the profile decides."""
        content = [
            EDITION,
            sorted(self.options),
            sorted(self.modalities),
            [self.allow_list, self.vocabulary, *sorted(self.admitted)],
            sorted(self.words),
            [[str(rule.attribute), _plain(rule.decision)] for rule in self.rules],
        ]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()

    @property
    def temporal_information(self) -> str:
        """(0028,0303) Longitudinal Temporal Information Modified (PS3.15 E.3.6)."""
        if Option.RETAIN_MODIFIED_DATES in self.options:
            return "MODIFIED"
        if Option.RETAIN_FULL_DATES in self.options or self._keeps_a_date:
            return "UNMODIFIED"
        shifts = any(decision.cleaning is Cleaning.DATES for decision in self._own.values())
        return "MODIFIED" if shifts else "REMOVED"

    @property
    def names_everybody_alike(self) -> bool:
        """Whether a rule gives every person the same ID or name: then one run is one person's."""
        ruled = (self._own.get(tag) for tag in (_PATIENT_ID, _PATIENT_NAME))
        return any(decision is not None and decision.value is not None for decision in ruled)

    @cached_property
    def ruled(self) -> frozenset[int | PrivateKey]:
        """The attributes of which its own rules speak, and not only admit."""
        return frozenset(self._own) - self._admitted_unlisted

    @cached_property
    def forced(self) -> tuple[tuple[int, str], ...]:
        """The standard attributes that are set to a value, with the value, by tag."""
        return tuple(
            (attribute, decision.value)
            for attribute, decision in sorted(
                (tag, decision) for tag, decision in self._own.items() if isinstance(tag, int)
            )
            if decision.value is not None
        )

    def with_options(self, options: frozenset[Option]) -> Profile:
        """Return the profile with other options.

        An option that is added overrules the profile's own rules about the attributes for which
        Table E.1-1 has it: what comes later overrules what came earlier.
        """
        added = options - self.options
        return replace(
            self,
            options=options,
            admitted=(self.admitted | added) & options if self.allow_list else frozenset(),
            rules=tuple(rule for rule in self.rules if not _governed(rule.attribute, added)),
        )

    def decide(self, tag: int, *, sop_class_uid: str, path: tuple[int, ...]) -> Decision:
        """Return what is done to a standard attribute, or to private attributes as a whole.

        A private tag (odd group) gives X, or C with Cleaning.PRIVATE where safe private
        attributes are retained: then the curated table decides, unless
        :meth:`decide_private` has a rule. An attribute that Table E.1-1 does not list is kept,
        but for dates, which are treated as those that it lists; one that no edition of the
        standard lists is removed.

        Parameters
        ----------
        tag
            The attribute's tag, 0xGGGGEEEE.
        sop_class_uid
            The instance's SOP class: decides conditional actions.
        path
            The tags of the enclosing sequences, the outermost first.
        """
        key: object = tag
        decision = self._known.get(key)
        if decision is None:
            key = (tag, sop_class_uid, path)
            decision = self._known.get(key)
        if decision is None:
            ruling = self._ruling(tag)
            if isinstance(ruling, Decision):
                key, decision = tag, ruling
            else:
                type_ = attribute_type(tag, sop_class_uid=sop_class_uid, path=path)
                decision = _PLAIN[resolve(ruling.basic, type_)]
            self._known[key] = decision
        return decision

    def decide_private(self, group: int, creator: str, element: int) -> Decision | None:
        """Return what the profile's own rules say of a private attribute; None: nothing.

        Parameters
        ----------
        group
            The odd group.
        creator
            The private creator, as the block's creator element says; padding is ignored.
        element
            The element; only its low byte counts.
        """
        key = PrivateKey(group=group, creator=creator.strip(" \0"), element=element & 0xFF)
        return self._own.get(key)

    def describe(self) -> tuple[AttributeRow, ...]:
        """Say what happens to each standard attribute that it or Table E.1-1 speaks of, by tag."""
        own = {tag: decision for tag, decision in self._own.items() if isinstance(tag, int)}
        rows = []
        for row in table_rows():
            decision = own.pop(row.number, None) if row.number is not None else None
            rows.append(row_of_table(row, decision or self.ruling_of(row)))
        for tag in unlisted_dates():
            date = None if self.allow_list else protecting_row(tag)
            if date is not None and tag not in own:
                rows.append(row_of_table(date, self.ruling_of(date)))
        unlisted = {tag: self._reference for tag in REFERENCES if tag not in own}
        rows += [row_of_rule(tag, decision) for tag, decision in (*own.items(), *unlisted.items())]
        rows += rows_of_marks(self._marks)
        return tuple(sorted(rows, key=lambda row: row.tag))

    @property
    def _marks(self) -> dict[int, str]:
        """What is written into every instance, whatever it says, by tag."""
        return {
            0x00120062: "YES",
            0x00120063: self.method,
            0x00120064: ", ".join(code.value for code in self.method_codes),
            0x00280303: self.temporal_information,
        }

    def describe_private(self) -> tuple[AttributeRow, ...]:
        """Say what happens to each private attribute that its rules or the curated table list.

        By creator and element; every other private attribute is removed, unless the file's own
        (0008,0300) says that it is safe and safe private attributes are retained.
        """
        rows = {
            PrivateKey(group=rule.group, creator=rule.creator, element=rule.element): (
                row_of_private_table(rule)
            )
            for rule in (private_rules() if self.retains_private else ())
        }
        for attribute, decision in self._own.items():
            if isinstance(attribute, PrivateKey):
                rows[attribute] = row_of_rule(attribute, decision)
        return tuple(row for _, row in sorted(rows.items(), key=lambda pair: _by_creator(pair[0])))

    @property
    def retains_private(self) -> bool:
        """Whether the curated table decides about private attributes."""
        return Option.RETAIN_SAFE_PRIVATE in self.options

    @cached_property
    def _own(self) -> dict[int | PrivateKey, Decision]:
        return {rule.attribute: self._in_words(rule.decision) for rule in self.rules}

    @cached_property
    def _admitted_unlisted(self) -> frozenset[int]:
        """What an allow-list admits of the attributes that Table E.1-1 does not list.

        It stays as it would without an allow-list: as far as it names nobody. Only what the user
        asks to keep stays whole.
        """
        if not self.allow_list:
            return frozenset()
        rules = {rule.attribute: rule for rule in self.rules}
        return frozenset(
            attribute
            for attribute, rule in rules.items()
            if isinstance(attribute, int)
            and rule.decision.action is Action.KEEP
            and not rule.asked
            and table_row(attribute) is None
        )

    @property
    def _reference(self) -> Decision:
        if Option.RETAIN_UIDS in self.options:
            return Decision(action=Action.KEEP, option=Option.RETAIN_UIDS)
        return _REFERENCE

    @cached_property
    def _keeps_a_date(self) -> bool:
        return any(
            decision.action is Action.KEEP
            and isinstance(attribute, int)
            and dictionary_vr(attribute) in DATE_VRS
            for attribute, decision in self._own.items()
        )

    @cached_property
    def _speaking(self) -> frozenset[Option]:
        """The options that act on what no rule lists."""
        if not self.allow_list:
            return self.options
        return self.options & (self.admitted | {Option.RETAIN_SAFE_PRIVATE})

    def _in_words(self, decision: Decision) -> Decision:
        """Let a description be cleaned by the vocabulary where the profile says so."""
        if self.vocabulary and decision.cleaning is Cleaning.DESCRIPTORS:
            return replace(decision, cleaning=Cleaning.VOCABULARY)
        return decision

    def _ruling(self, tag: int) -> Decision | TableRow:
        """Return the decision about an attribute, or the row whose code its Type resolves."""
        own = self._own.get(tag)
        if own is not None:
            return _PLAIN[Action.KEEP] if tag in self._admitted_unlisted else own
        row = protecting_row(tag)
        if row is None:
            if not dictionary_has_tag(tag):
                return _UNKNOWN
            if tag in REFERENCES:
                return self._reference
            return _UNLISTED if self.allow_list else _PLAIN[Action.KEEP]
        if self.allow_list and not self._speaking & row.options.keys() and table_row(tag) is None:
            return _UNLISTED
        return self.ruling_of(row)

    def ruling_of(self, row: TableRow) -> Decision | TableRow:
        """Return what the options make of a row, or the row where its Type has to decide.

        Where one option keeps and another cleans, it is cleaned.
        """
        action, option = self._option_for(row)
        if option is None:
            return _PLAIN[Action(row.basic)] if row.basic in _PLAIN else row
        if row.number == _PATIENT_AGE:
            action = Action.CLEAN
        cleaning = _CLEANINGS[option] if action is Action.CLEAN else None
        return self._in_words(Decision(action=action, option=option, cleaning=cleaning))

    def _option_for(self, row: TableRow) -> tuple[Action, Option | None]:
        selected = {
            option: row.options[option] for option in row.options if option in self._speaking
        }
        if not any(row.number in not_cleanable(option) for option in selected):
            for wanted in (Action.CLEAN, Action.KEEP):
                for option, action in selected.items():
                    if action is wanted:
                        return action, option
        return Action.REMOVE, None


def _plain(decision: Decision) -> list[str | None]:
    return [decision.action, decision.cleaning, decision.value]


def _by_creator(key: PrivateKey) -> tuple[str, int, int]:
    return key.creator, key.group, key.element


def _governed(attribute: int | PrivateKey, options: frozenset[Option]) -> bool:
    """Tell whether Table E.1-1 has one of the options for an attribute."""
    row = protecting_row(attribute) if isinstance(attribute, int) else None
    return row is not None and not options.isdisjoint(row.options)
