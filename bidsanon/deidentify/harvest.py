"""What the source says about the person, the staff, the place and the time: the identity harvest.

Every value that the de-identification removes or replaces and that could identify is remembered
here, decoded, so that the residue search can look for it in what is to be published. What stays
published by decision of the profile is no residue: text that was removed in one place and kept in
another ("Head") is left out of the harvest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from pydicom.datadict import keyword_for_tag, private_dictionary_VR

from bidsanon.dicom.charset import decode_text, other_readings
from bidsanon.dicom.confidentiality import table_row, tag_text
from bidsanon.dicom.private import private_rule
from bidsanon.dicom.uids import is_well_known_uid
from bidsanon.dicom.vrs import ONE_TEXT, dictionary_vr
from bidsanon.identity import IdentifyingValue, ValueKind, merge_identity

WORDS = frozenset({"CS", "LO", "LT", "SH", "ST", "UC", "UT"})
"""The VRs whose kept values are words that may be published."""

_TEXT_VRS = frozenset({"LO", "LT", "SH", "ST", "UC", "UR", "UT"})
_KIND_OF_VR = {
    "AE": ValueKind.PLACE,
    "AS": ValueKind.TEXT,
    "DA": ValueKind.DATE,
    "DT": ValueKind.DATE,
    "PN": ValueKind.NAME,
    "TM": ValueKind.TIME,
    "UI": ValueKind.UID,
}
_KIND_OF_KEYWORD = (
    (ValueKind.NAME, re.compile(r"NameToUse$|^TopicAuthor$|^CameraOwnerName$")),
    (
        ValueKind.PLACE,
        re.compile(
            r"Institution|Station|Address|Location|Residence|Organization|Department|Sponsor"
            r"|TrialSite|CoordinatingCenter|CommitteeName|^RequestingService$"
        ),
    ),
    (
        ValueKind.IDENTIFIER,
        re.compile(
            r"IDs?$|Number|Identifi|Issuer|Telecom|RecordLocator|BarcodeValue|^InsurancePlan"
        ),
    ),
)
_CODE_VALUE = 0x00080100
_CODE_MEANING = 0x00080104
_MEANINGLESS = re.compile(r"[\W_]*")
_CODE_LIKE = re.compile(r"[A-Z0-9_ ]{0,16}|[\d.,+\-eE ]*|[A-Za-z]*|.{0,3}")
_PRINTABLE = re.compile(rb"[\x20-\x7e\r\n\t]+")
_LONGEST_UNKNOWN_TEXT = 1024
_DATE = re.compile(r"(\d{4})[.\-/]?(\d{2})[.\-/]?(\d{2})(.*)", re.DOTALL)
_TIME = re.compile(r"\d{2}(\d{2}(\d{2}(\.\d{1,6})?)?)?")


@dataclass(frozen=True, kw_only=True)
class Harvested:
    """What was found in some instances.

    Attributes
    ----------
    identity
        The identifying values, each once, sorted.
    published
        Words that stay in the instances by decision of the profile, in lower case.
    """

    identity: tuple[IdentifyingValue, ...] = ()
    published: frozenset[str] = frozenset()


class Harvest:
    """Collects identifying values while instances are walked through."""

    def __init__(self) -> None:
        self._found: dict[tuple[ValueKind, str], str] = {}
        self._kept: set[tuple[bytes, bytes]] = set()

    def take(
        self,
        tag: int,
        vr: str,
        value: bytes,
        *,
        character_set: bytes,
        creator: str = "",
        kind: ValueKind | None = None,
    ) -> None:
        """Remember what a removed or replaced value says.

        Parameters
        ----------
        tag, vr
            The element's. A VR of UN is looked up.
        value
            Its bytes.
        character_set
            (0008,0005) of its data set.
        creator
            The private creator of its block, for a private element.
        kind
            What kind of value it is, where its surroundings tell more than its tag.
        """
        private = bool(tag & 0x10000)
        if vr == "UN":
            vr = _unknown_vr(tag, creator, value)
        kind = kind or kind_of(tag, vr)
        if kind is None:
            return
        origin = harvest_origin(tag, creator)
        readings = (decode_text(value, character_set), *other_readings(value, character_set))
        for text in (part for reading in readings for part in _parts(reading, vr)):
            if not (private and kind is ValueKind.TEXT and _CODE_LIKE.fullmatch(text)):
                self.add(kind, text, origin)

    def add(self, kind: ValueKind, text: str, origin: str) -> None:
        """Remember one value."""
        text = text.strip(" \0")
        if _MEANINGLESS.fullmatch(text):
            return
        if kind is ValueKind.DATE:
            self._add_date(text, origin)
        elif kind is ValueKind.TIME:
            time = text.replace(":", "")
            self._add(ValueKind.TIME if _TIME.fullmatch(time) else ValueKind.TEXT, time, origin)
        elif kind is not ValueKind.UID or not is_well_known_uid(text):
            self._add(kind, text, origin)

    def keep(self, value: bytes, character_set: bytes) -> None:
        """Remember that words stay in an instance, where they may be published."""
        self._kept.add((value, character_set))

    def drain(self) -> Harvested:
        """Return what was collected, and begin anew."""
        harvested = Harvested(
            identity=tuple(
                sorted(
                    IdentifyingValue(kind=kind, text=text, origin=origin)
                    for (kind, text), origin in self._found.items()
                )
            ),
            published=frozenset(
                part.casefold()
                for value, character_set in self._kept
                for part in _parts(decode_text(value, character_set), "LO")
            ),
        )
        self._found.clear()
        self._kept.clear()
        return harvested

    def _add_date(self, text: str, origin: str) -> None:
        match = _DATE.fullmatch(text)
        if match is None:
            self._add(ValueKind.TEXT, text, origin)
            return
        self._add(ValueKind.DATE, match[1] + match[2] + match[3], origin)
        time = _TIME.match(match[4])
        if time:
            self._add(ValueKind.TIME, time[0], origin)

    def _add(self, kind: ValueKind, text: str, origin: str) -> None:
        key = (kind, text)
        if key not in self._found or origin < self._found[key]:
            self._found[key] = origin


def settle(harvests: Iterable[Harvested]) -> tuple[IdentifyingValue, ...]:
    """Join what was found in all instances of a session, without the words that stay published."""
    groups = tuple(harvests)
    published = frozenset[str]().union(*(group.published for group in groups))
    return tuple(
        value
        for value in merge_identity(group.identity for group in groups)
        if value.kind is not ValueKind.TEXT or value.text.casefold() not in published
    )


@lru_cache(maxsize=1 << 14)
def kind_of(tag: int, vr: str) -> ValueKind | None:
    """Return what kind of value an attribute holds; None where none of its values identifies.

    Codes of closed sets (CS) and numbers do not: "M" and "72.5" are everywhere.
    """
    if vr in _KIND_OF_VR:
        return _KIND_OF_VR[vr]
    if vr not in _TEXT_VRS and vr != "SQ":
        return None
    meant = dictionary_vr(tag)  # a date stays a date where a file calls it a text
    if meant in _KIND_OF_VR:
        return _KIND_OF_VR[meant]
    keyword = _keyword(tag).removesuffix("Sequence")
    return next(
        (kind for kind, pattern in _KIND_OF_KEYWORD if pattern.search(keyword)), ValueKind.TEXT
    )


def kind_of_code(tag: int, sequence: int) -> ValueKind | None:
    """Return what a code within a removed sequence identifies, by what the sequence is for.

    The Code Meaning of an Institution Code Sequence is a place, though Code Meaning is in no
    table; the Code Meaning of a Procedure Code Sequence is not.
    """
    kind = kind_of(sequence, "SQ")
    return kind if tag in (_CODE_VALUE, _CODE_MEANING) and kind is not ValueKind.TEXT else None


def harvest_origin(tag: int, creator: str) -> str:
    """Write where a value stood; a creator that no dictionary knows could be a hospital's name."""
    if not tag & 0x10000:
        return tag_text(tag)
    name = creator if _is_known(creator, tag) else "private"
    return f"({tag >> 16:04X},{name},{tag & 0xFF:02X})"


def _keyword(tag: int) -> str:
    if tag & 0x10000:
        return ""
    keyword = keyword_for_tag(tag)
    row = None if keyword else table_row(tag)
    return row.keyword if row else keyword


def _parts(text: str, vr: str) -> list[str]:
    parts = text.splitlines() if vr in ONE_TEXT else text.split("\\")
    return [part.strip(" \0") for part in parts]


def _is_known(creator: str, tag: int) -> bool:
    return private_rule(tag >> 16, creator, tag & 0xFF) is not None or bool(
        _private_vr(tag, creator)
    )


def _unknown_vr(tag: int, creator: str, value: bytes) -> str:
    if tag & 0x10000:
        rule = private_rule(tag >> 16, creator, tag & 0xFF)
        vr = rule.vr if rule and rule.vr else _private_vr(tag, creator)
        if vr:
            return vr
    short_text = len(value) <= _LONGEST_UNKNOWN_TEXT and _PRINTABLE.fullmatch(value.strip(b"\0"))
    return "LO" if short_text else "UN"


@lru_cache(maxsize=1 << 14)
def _private_vr(tag: int, creator: str) -> str:
    try:
        return private_dictionary_VR(tag, creator)
    except KeyError:
        return ""
