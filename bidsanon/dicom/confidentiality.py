"""PS3.15 Annex E as data: Table E.1-1, the attributes' Types that decide it, and CID 7050.

Nothing else in the package knows what the standard says about an attribute's confidentiality.
Both tables lie in ``bidsanon/data`` with their editions in their names, and are read once, when
first asked for:

- Table E.1-1 of PS3.15 2026d, with its ten options;
- the Types of the attributes whose action depends on them, in every SOP class and sequence, from
  PS3.3 by way of highdicom 0.28.2.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import NamedTuple

from bidsanon.resources import data_path

EDITION = "2026d"
TABLE = "ps3.15_2026d_table_e1-1.tsv"
TYPES = "ps3.3_highdicom-0.28.2_types_for_e1-1.tsv"

_SOP_CLASSES_BELOW = "1.2.840.10008.5.1.4."
_CURVE_GROUPS = 0x50
_OVERLAY_GROUPS = 0x60


class Action(StrEnum):
    """What is done to one attribute: the action codes of PS3.15 Table E.1-1a, resolved."""

    REMOVE = "X"
    """The attribute is removed."""
    EMPTY = "Z"
    """The attribute keeps its place with a value of zero length."""
    DUMMY = "D"
    """The value is replaced by one of non-zero length that fits the VR and means nothing."""
    KEEP = "K"
    """The value stays as it is; the items of a sequence are cleaned."""
    CLEAN = "C"
    """The value is replaced by one of similar meaning that identifies nobody."""
    REPLACE_UID = "U"
    """A UID is replaced by a consistent one; a sequence is kept and its UIDs are replaced."""


class Option(StrEnum):
    """The ten options of PS3.15 Table E.1-1, in the order of its columns."""

    RETAIN_SAFE_PRIVATE = "retain-safe-private"
    """Private attributes that are known to identify nobody stay."""
    RETAIN_UIDS = "retain-uids"
    """Unique identifiers stay as they are."""
    RETAIN_DEVICE_IDENTITY = "retain-device-identity"
    """What says which device acquired the images stays."""
    RETAIN_INSTITUTION_IDENTITY = "retain-institution-identity"
    """What says where the images were acquired stays."""
    RETAIN_PATIENT_CHARACTERISTICS = "retain-patient-characteristics"
    """Sex, age, size, weight and the like stay."""
    RETAIN_FULL_DATES = "retain-full-dates"
    """Dates and times stay as they are."""
    RETAIN_MODIFIED_DATES = "retain-modified-dates"
    """Dates are shifted so that intervals stay; excludes RETAIN_FULL_DATES."""
    CLEAN_DESCRIPTORS = "clean-descriptors"
    """Descriptions and comments lose what identifies and keep the rest."""
    CLEAN_STRUCTURED_CONTENT = "clean-structured-content"
    """Content items of structured reports and acquisition contexts are cleaned one by one."""
    CLEAN_GRAPHICS = "clean-graphics"
    """Overlays and graphic annotations are cleaned."""


_COLUMNS = {
    Option.RETAIN_SAFE_PRIVATE: "retain_safe_private",
    Option.RETAIN_UIDS: "retain_uids",
    Option.RETAIN_DEVICE_IDENTITY: "retain_device_identity",
    Option.RETAIN_INSTITUTION_IDENTITY: "retain_institution_identity",
    Option.RETAIN_PATIENT_CHARACTERISTICS: "retain_patient_characteristics",
    Option.RETAIN_FULL_DATES: "retain_longitudinal_full_dates",
    Option.RETAIN_MODIFIED_DATES: "retain_longitudinal_modified_dates",
    Option.CLEAN_DESCRIPTORS: "clean_descriptors",
    Option.CLEAN_STRUCTURED_CONTENT: "clean_structured_content",
    Option.CLEAN_GRAPHICS: "clean_graphics",
}

EXCLUSIVE_OPTIONS = ((Option.RETAIN_FULL_DATES, Option.RETAIN_MODIFIED_DATES),)
"""Options that cannot be selected together (PS3.15 E.3.6)."""


class MethodCode(NamedTuple):
    """A code of CID 7050, as (0012,0064) holds it."""

    value: str
    scheme: str
    meaning: str


BASIC_PROFILE_CODE = MethodCode("113100", "DCM", "Basic Application Confidentiality Profile")
CLEAN_PIXEL_DATA_CODE = MethodCode("113101", "DCM", "Clean Pixel Data Option")
CLEAN_VISUAL_FEATURES_CODE = MethodCode(
    "113102", "DCM", "Clean Recognizable Visual Features Option"
)
OPTION_CODES = {
    Option.CLEAN_GRAPHICS: MethodCode("113103", "DCM", "Clean Graphics Option"),
    Option.CLEAN_STRUCTURED_CONTENT: MethodCode("113104", "DCM", "Clean Structured Content Option"),
    Option.CLEAN_DESCRIPTORS: MethodCode("113105", "DCM", "Clean Descriptors Option"),
    Option.RETAIN_FULL_DATES: MethodCode(
        "113106", "DCM", "Retain Longitudinal Temporal Information Full Dates Option"
    ),
    Option.RETAIN_MODIFIED_DATES: MethodCode(
        "113107", "DCM", "Retain Longitudinal Temporal Information Modified Dates Option"
    ),
    Option.RETAIN_PATIENT_CHARACTERISTICS: MethodCode(
        "113108", "DCM", "Retain Patient Characteristics Option"
    ),
    Option.RETAIN_DEVICE_IDENTITY: MethodCode("113109", "DCM", "Retain Device Identity Option"),
    Option.RETAIN_UIDS: MethodCode("113110", "DCM", "Retain UIDs Option"),
    Option.RETAIN_SAFE_PRIVATE: MethodCode("113111", "DCM", "Retain Safe Private Option"),
    Option.RETAIN_INSTITUTION_IDENTITY: MethodCode(
        "113112", "DCM", "Retain Institution Identity Option"
    ),
}
"""CID 7050: the code of each option."""
METHOD_CODES = {
    (code.value, code.scheme): code
    for code in (
        BASIC_PROFILE_CODE,
        CLEAN_PIXEL_DATA_CODE,
        CLEAN_VISUAL_FEATURES_CODE,
        *OPTION_CODES.values(),
    )
}
"""CID 7050, by code value and coding scheme."""


def method_codes(options: Collection[Option]) -> tuple[MethodCode, ...]:
    """Return the codes of the Basic Profile and of `options`, in the order of their values."""
    return (BASIC_PROFILE_CODE, *sorted(OPTION_CODES[option] for option in options))


@dataclass(frozen=True, kw_only=True)
class TableRow:
    """One row of Table E.1-1.

    Attributes
    ----------
    tag
        As the table writes it: "(0010,0010)", "(60xx,3000)" or, for private attributes,
        "(gggg,eeee) where gggg is odd".
    name
        The attribute's name.
    basic
        The code of the Basic Profile: one action, or several between which the attribute's Type
        decides ("X/Z/D").
    options
        What the options make of it: K or C.
    """

    tag: str
    name: str
    basic: str
    options: dict[Option, Action]

    @property
    def number(self) -> int | None:
        """The tag as a number, 0xGGGGEEEE; None where the row is a mask."""
        return tag_number(self.tag)

    @property
    def keyword(self) -> str:
        """The keyword, made of the name as PS3.6 does: for what pydicom's dictionary lacks."""
        name = re.sub(r"\(see Note \d+\)|'s\b", "", self.name)
        words = re.sub(r"[^A-Za-z0-9 ]", "", name).split()
        return "".join(word[0].upper() + word[1:] for word in words)


def tag_number(text: str) -> int | None:
    """Return the number of a tag written "(gggg,eeee)" in hexadecimal; None for other text."""
    match = re.fullmatch(r"\(([0-9A-Fa-f]{4}),\s?([0-9A-Fa-f]{4})\)", text)
    return int(match[1] + match[2], 16) if match else None


def tag_text(tag: int) -> str:
    """Write a tag as the standard does: "(0010,0010)"."""
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


@cache
def table_rows() -> tuple[TableRow, ...]:
    """Read Table E.1-1, in its order."""
    lines = data_path(TABLE).read_text("utf-8").splitlines()
    return tuple(
        TableRow(
            tag=row["tag"],
            name=row["name"],
            basic=row["basic"],
            options={o: Action(row[column]) for o, column in _COLUMNS.items() if row[column]},
        )
        for row in csv.DictReader(lines, delimiter="\t")
    )


def table_row(tag: int) -> TableRow | None:
    """Return the row that protects an attribute, masks included; None where none does."""
    by_tag = _rows_by_tag()
    group = tag >> 16
    if group & 1:
        return by_tag["(gggg,eeee) where gggg is odd"]
    exact = by_tag.get(tag)
    if exact is not None:
        return exact
    if group >> 8 == _CURVE_GROUPS:
        return by_tag["(50xx,xxxx)"]
    if group >> 8 == _OVERLAY_GROUPS:
        return by_tag.get(f"(60xx,{tag & 0xFFFF:04X})")
    return None


@cache
def _rows_by_tag() -> dict[int | str, TableRow]:
    return {row.tag if row.number is None else row.number: row for row in table_rows()}


def resolve(codes: str, type_: str | None) -> Action:
    """Choose between conditional codes by the attribute's Type (PS3.15 Table E.1-1a).

    Type 3, and an attribute that the IOD does not know, take the first and strictest code. Type 2
    needs the attribute to be there, Type 1 needs a value too: a dummy where the code has one, and
    where it has none a dummy all the same, since Z allows one.

    Parameters
    ----------
    codes
        The table's code: "X", "X/Z", "X/Z/U*", ...
    type_
        "1", "1C", "2", "2C" or "3"; None where the IOD does not know the attribute. A condition
        is taken to be met.
    """
    choices = [Action(code) for code in codes.removesuffix("*").split("/")]
    if len(choices) == 1 or type_ is None or type_ == "3":
        return choices[0]
    if type_.startswith("2"):
        return Action.EMPTY if Action.EMPTY in choices else Action.DUMMY
    return choices[-1] if choices[-1] is not Action.EMPTY else Action.DUMMY


def attribute_type(tag: int, *, sop_class_uid: str, path: tuple[int, ...]) -> str | None:
    """Return an attribute's Type in a SOP class; None where the IOD does not know it there.

    Where several modules of the IOD hold it, the strictest of its Types.

    Parameters
    ----------
    tag
        An attribute with a conditional code in Table E.1-1.
    sop_class_uid
        The instance's SOP class.
    path
        The tags of the enclosing sequences, the outermost first.
    """
    return _types_at(tag, path).get(sop_class_uid)


@cache
def _types_at(tag: int, path: tuple[int, ...]) -> dict[str, str]:
    """Map SOP classes to the Type of one attribute in one place."""
    place = "/".join(f"{sequence:08X}" for sequence in path)
    types: dict[str, str] = {}
    for type_, sop_classes in sorted(_type_lines().get((tag_text(tag), place), ()), reverse=True):
        for sop_class in sop_classes.split():
            types[_SOP_CLASSES_BELOW + sop_class] = type_
    return types


@cache
def _type_lines() -> dict[tuple[str, str], list[tuple[str, str]]]:
    lines: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for tag, place, type_, sop_classes in _type_rows():
        lines.setdefault((tag, place), []).append((type_, sop_classes))
    return lines


def _type_rows() -> Iterator[tuple[str, str, str, str]]:
    _, *rows = data_path(TYPES).read_text("utf-8").splitlines()
    for row in rows:
        tag, place, type_, sop_classes = row.split("\t")
        yield tag, place, type_, sop_classes
