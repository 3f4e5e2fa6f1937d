"""What Table E.1-1 expects of each attribute, read from the standard's rows and nothing else.

Profiles are read as the TOML that they are written in. None of it goes through the package's own
reading of the table, of Types or of profiles.
"""

from __future__ import annotations

import csv
import re
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from pydicom.datadict import dictionary_VR, tag_for_keyword

DATA = Path(__file__).resolve().parents[2] / "bidsanon" / "data"
TABLE = DATA / "ps3.15_2026d_table_e1-1.tsv"
TYPES = DATA / "ps3.3_highdicom-0.28.2_types_for_e1-1.tsv"
_SOP_CLASS_ROOT = "1.2.840.10008.5.1.4."
_TAG = re.compile(r"\(([0-9A-F]{4}),([0-9A-F]{4})\)")
_OPTION_COLUMNS = {
    "retain-safe-private": "retain_safe_private",
    "retain-uids": "retain_uids",
    "retain-device-identity": "retain_device_identity",
    "retain-institution-identity": "retain_institution_identity",
    "retain-patient-characteristics": "retain_patient_characteristics",
    "retain-full-dates": "retain_longitudinal_full_dates",
    "retain-modified-dates": "retain_longitudinal_modified_dates",
    "clean-descriptors": "clean_descriptors",
    "clean-structured-content": "clean_structured_content",
    "clean-graphics": "clean_graphics",
}
_LATER_VRS = {"DateTime": "DT", "Comment": "UT", "URI": "UR", "Sequence": "SQ"}
_NAMED_LATER = {"Name to Use": "LO", "Ethnic Groups": "UC"}

STRICTER_DATES = frozenset(
    {
        # An offset from UTC, a signed and a binary time stamp.
        *(0x00080201, 0x04000310, 0x00340007),
        # Dates that others know: of the standard's versions, of a device's history, of a study's
        # approval. A shifted one beside the known one would give the shift away.
        *(0x00080106, 0x00080107, 0x0040DB06, 0x0040DB07),
        *(0x00181200, 0x00181201, 0x00181202, 0x00181203, 0x00181204, 0x00181205),
        *(0x0014407C, 0x0014407E, 0x0018700C, 0x0018700E),
        *(0x00120086, 0x00120087),
    }
)
"""Dates that have their basic action although the option would have them shifted."""


class Wanted(StrEnum):
    """What is to become of an attribute."""

    GONE = "gone"
    """Its value goes, and it may go itself."""
    EMPTIED = "emptied"
    """It stays, empty or with a dummy."""
    DUMMY = "dummy"
    """It stays, with a value of non-zero length."""
    NEW_UID = "new UID"
    """Its UID, or each UID in it, is replaced."""
    KEPT = "kept"
    """It stays as it is."""
    SHIFTED = "shifted"
    """Its date is shifted; its time stays."""
    CLEANED = "cleaned"
    """Its text loses what identifies, and keeps the rest."""
    GONE_OR_CLEANED = "gone or cleaned"
    """What identifies goes; the rest may stay."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One attribute of the table.

    Attributes
    ----------
    tag, name, vr
        The attribute; the VR by pydicom's dictionary, or by its name where that is too old.
    basic
        The basic profile's action code.
    options
        The options' actions (K or C), by the option's name.
    """

    tag: int
    name: str
    vr: str
    basic: str
    options: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Policy:
    """A profile as its file says it.

    Attributes
    ----------
    name
        Its name.
    options
        The options that are selected.
    own
        What its own lists say of an attribute: "remove", "empty", "keep" or "clean".
    """

    name: str
    options: tuple[str, ...]
    own: dict[int, str]


@cache
def rows() -> tuple[Row, ...]:
    """Read the rows that name one attribute; masks are planted by hand."""
    lines = csv.DictReader(
        TABLE.read_text("utf-8").splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE
    )
    return tuple(_row(line) for line in lines if _TAG.fullmatch(line["tag"]))


@cache
def policy(name: str) -> Policy:
    """Read a bundled profile, and those that it starts from."""
    content = tomllib.loads((DATA / "profiles" / f"{name}.toml").read_text("utf-8"))
    start = policy(content["start"]) if "start" in content else None
    own = dict(start.own) if start else {}
    for action in ("keep", "clean", "empty", "remove"):
        for entry in content.get(action, ()):
            attribute = entry if isinstance(entry, str) else entry["attribute"]
            tag = _tag_of(attribute)
            if tag is not None:
                own[tag] = action
    options = content.get("options", start.options if start else ())
    return Policy(name=name, options=tuple(options), own=own)


def wanted(row: Row, chosen: Policy, sop_class: str) -> Wanted:
    """Return what is to become of an attribute at the top level."""
    own = chosen.own.get(row.tag)
    if own is not None:
        return {
            "remove": Wanted.GONE,
            "empty": Wanted.EMPTIED,
            "keep": Wanted.KEPT,
            "clean": Wanted.DUMMY,
        }[own]
    if row.tag in STRICTER_DATES:
        return _basic(row.basic, type_of(row.tag, sop_class))
    actions = {row.options[option] for option in row.options if option in chosen.options}
    if "C" in actions:
        return _cleaned(row)
    if "K" in actions:
        return Wanted.CLEANED if row.vr == "SQ" else Wanted.KEPT
    return _basic(row.basic, type_of(row.tag, sop_class))


def type_of(tag: int, sop_class: str) -> str:
    """Return an attribute's Type at the top level of an IOD; empty where it has no place there."""
    return _types().get((tag, sop_class.removeprefix(_SOP_CLASS_ROOT)), "")


def _cleaned(row: Row) -> Wanted:
    if row.vr in ("DA", "DT"):
        return Wanted.SHIFTED
    if row.vr == "TM":
        return Wanted.KEPT
    return Wanted.GONE_OR_CLEANED if row.vr in ("AS", "SQ", "OB", "UN") else Wanted.CLEANED


def _basic(code: str, type_: str) -> Wanted:
    """Resolve an action code by the attribute's Type (PS3.15 E.1, Table E.1-1a)."""
    if code == "X/Z/U*":
        return Wanted.NEW_UID
    allowed = code.split("/")
    needed = {"1": "D", "1C": "D", "2": "ZD", "2C": "ZD"}.get(type_, allowed[0])
    code = next((action for action in allowed if action in needed), allowed[-1])
    return {
        "X": Wanted.GONE,
        "Z": Wanted.EMPTIED,
        "D": Wanted.DUMMY,
        "U": Wanted.NEW_UID,
    }[code]


@cache
def _types() -> dict[tuple[int, str], str]:
    lines = csv.DictReader(TYPES.read_text("utf-8").splitlines(), delimiter="\t")
    return {
        (_number(line["tag"]), sop_class): line["type"]
        for line in lines
        if not line["sequence_path"]
        for sop_class in line["sop_classes_below_1.2.840.10008.5.1.4"].split()
    }


def _row(line: dict[str, str]) -> Row:
    tag = _number(line["tag"])
    return Row(
        tag=tag,
        name=line["name"],
        vr=_vr(tag, line["name"]),
        basic=line["basic"],
        options={o: line[c] for o, c in _OPTION_COLUMNS.items() if line[c]},
    )


def _number(tag: str) -> int:
    return int(tag[1:5] + tag[6:10], 16)


def _vr(tag: int, name: str) -> str:
    try:
        return dictionary_VR(tag)
    except KeyError:
        return _NAMED_LATER.get(name) or _LATER_VRS.get(name.rsplit(maxsplit=1)[-1], "LO")


def _tag_of(attribute: str) -> int | None:
    found = _TAG.fullmatch(attribute)
    if found:
        return _number(attribute)
    by_name = {re.sub(r"\W", "", row.name).lower(): row.tag for row in rows()}
    return tag_for_keyword(attribute) or by_name.get(attribute.lower())
