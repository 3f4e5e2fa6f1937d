"""Identifying keys, dates, ages, addresses and placeholders in JSON, at any depth.

Derivatives, dumps of headers (``global.const`` as dcmstack has it, the DICOM JSON model) and tables
written as JSON nest what identifies. Keys that may themselves be names are not repeated.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from pydicom.datadict import tag_for_keyword

from bidsanon.bids.identifying import (
    IDENTIFYING,
    OF_AUTHORS,
    KeyKind,
    is_of_age,
    is_of_date,
    is_record_number,
    is_telling,
    kind_of_key,
    names_person,
    says_nothing,
)
from bidsanon.bids.keys import key_rules
from bidsanon.bids.root_documents import DESCRIPTION
from bidsanon.bids.sidecars import SidecarError, read_bounded
from bidsanon.bids.standard import metadata_fields
from bidsanon.bids.written import (
    OLDEST_AGE,
    age_years,
    holds_unshifted_day,
    is_unshifted,
    names_somebodys_address,
    names_somebodys_folder,
    written_date,
)
from bidsanon.dicom_names import holds_name
from bidsanon.plain_names import is_surely_person
from bidsanon.validate.privacy_spots import Spot

_OF_PROGRAMS = frozenset({"GeneratedBy", "SourceDatasets", "Provenance", "environment"})
_DEFINITION = frozenset(
    {"Description", "LongName", "Levels", "Units", "TermURL", "HED", "Maximum", "Minimum"}
)
_PLACEHOLDER = re.compile(r"\bTODO\b")
_BURNED_IN, _IMAGE_TYPE = "BurnedInAnnotation", "ImageType"
_SCREENS = frozenset({"SCREEN SAVE", "SCREENSAVE", "SCREEN_SAVE", "SECONDARY CAPTURE"})
_TAG = re.compile(r"\(?(?:0x)?[0-9A-Fa-f]{4}[,|]?\s?[0-9A-Fa-f]{4}\)?")
_CLOCK = re.compile(r"(?:[01]\d|2[0-3]):?[0-5]\d:?[0-5]\d(?:\.\d+)?")
_NOON = re.compile(r"12:?00:?00(?:\.0*)?")
_DEEPEST = 200
_LONGEST_REMEMBERED, _MOST_REMEMBERED = 256, 1 << 14


class JsonError(ValueError):
    """A JSON file cannot be understood. The text says why, and holds none of its content."""


@dataclass(frozen=True, kw_only=True)
class _Place:
    """Where the walk is.

    ``names`` and ``pointer`` are the keys above, the second as they may be shown; ``document``
    says that the file is the dataset's own description, whose authors give their addresses.
    """

    file: str
    names: tuple[str, ...] = ()
    pointer: tuple[str, ...] = ()
    labels: frozenset[str] = frozenset()
    document: bool = False
    of_program: bool = field(default=False)

    def at(self, key: str, position: int) -> _Place:
        shown = key if _may_be_shown(key) else f"({position})"
        return _Place(
            file=self.file,
            names=(*self.names, key),
            pointer=(*self.pointer, shown),
            labels=self.labels,
            document=self.document,
            of_program=self.of_program or key in _OF_PROGRAMS,
        )

    def spot(self, code: str, **details: str) -> Spot:
        pointer = "".join(f"/{part}" for part in self.pointer)
        return Spot(code=code, location=f"{self.file}#{pointer}", details=details)


def read_any_json(path: Path) -> Any:
    """Read a JSON file of a bounded size: an object, a list or a single value.

    Raises
    ------
    JsonError
        If it is too large, no UTF-8, no JSON, nested too deeply, or has a key twice in one object:
        of these, readers see the last.
    OSError
        If it cannot be read.
    """
    try:
        content = read_bounded(path)
    except SidecarError as error:
        raise JsonError(str(error)) from error
    return parse_any_json(content)


def parse_any_json(content: bytes) -> Any:
    """Return what JSON holds.

    Raises
    ------
    JsonError
        As :func:`read_any_json` does.
    """
    try:
        return json.loads(content.decode("utf-8-sig"), object_pairs_hook=_object)
    except UnicodeDecodeError as error:
        raise JsonError("it is not UTF-8") from error
    except json.JSONDecodeError as error:
        raise JsonError(f"it is not JSON: line {error.lineno}, column {error.colno}") from error
    except JsonError:
        raise
    except (RecursionError, ValueError) as error:  # the second: a number of thousands of digits
        raise JsonError("it is nested too deeply, or holds a number without end") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        raise JsonError("an object in it has one key twice: `bidsanon scrub DATASET` mends that")
    return content


def json_spots(file: str, content: Any, *, labels: frozenset[str] = frozenset()) -> Iterator[Spot]:
    """Yield what is private in the content of a JSON file.

    Parameters
    ----------
    file
        Its name within the dataset.
    content
        What it holds.
    labels
        The dataset's own labels, with and without prefix: they are pseudonyms.

    Raises
    ------
    JsonError
        If it is nested too deeply.
    """
    document = PurePosixPath(file).name == DESCRIPTION
    yield from _walk(content, _Place(file=file, labels=labels, document=document))


def is_column_definition(value: Any) -> bool:
    """Tell what BIDS writes about a column of a table from a value of its own."""
    return isinstance(value, dict) and bool(value) and not _DEFINITION.isdisjoint(value)


def _walk(value: Any, place: _Place) -> Iterator[Spot]:
    if len(place.names) > _DEEPEST:
        raise JsonError("it is nested too deeply")
    if _tells_who_is_who(value, place.labels):
        yield place.spot("PRIVACY_MAPPING")
    elif isinstance(value, dict):
        for position, (key, child) in enumerate(value.items(), start=1):
            if _is_plain(child) and not _is_telling(key):
                continue
            below = place.at(key, position)
            if holds_name(key):
                yield below.spot("PRIVACY_NAME")
            yield from _entry(key, child, below)
            yield from _walk(child, below)
    elif isinstance(value, list):
        for position, child in enumerate(value):
            if not _is_plain(child):
                yield from _walk(child, place.at(str(position), position))
    elif isinstance(value, str):
        yield from _text(value, place)


def _is_plain(value: Any) -> bool:
    """Tell what says nothing by itself, as most values do: a number, say, or a list of them."""
    return all(map(_is_plain_leaf, value)) if isinstance(value, list) else _is_plain_leaf(value)


def _is_plain_leaf(value: Any) -> bool:
    return not (_told(value) if isinstance(value, str) else isinstance(value, (dict, list)))


def _is_telling(key: str) -> bool:
    """Tell a key that may say something together with its value, or by itself."""
    return _is_short_telling(key) if len(key) <= _LONGEST_REMEMBERED else True


@lru_cache(maxsize=_MOST_REMEMBERED)
def _is_short_telling(key: str) -> bool:
    if key in {_BURNED_IN, _IMAGE_TYPE} or kind_of_key(key) is not None:
        return True
    return is_of_date(key) or is_of_age(key) or holds_name(key)


def _tells_who_is_who(value: Any, labels: frozenset[str]) -> bool:
    """Tell labels with persons beside them: as keys, or in records of a list."""
    if isinstance(value, dict):
        if labels.isdisjoint(value):
            return False
        beside = [str(child) for key, child in value.items() if key in labels]
        return any(names_person(text) or is_record_number(text) for text in beside)
    records = [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
    return any(
        any(isinstance(part, str) and part in labels for part in record.values())
        and any(kind_of_key(k) in IDENTIFYING and _tells(v, labels) for k, v in record.items())
        for record in records
    )


def _entry(key: str, value: Any, place: _Place) -> Iterator[Spot]:
    """Yield what a key says together with its value."""
    if is_column_definition(value):
        return
    kind = kind_of_key(key)
    if kind and _tells(value, place.labels):
        yield from _of_kind(kind, value, place)
    if key == _BURNED_IN and str(value).upper() == "YES":
        yield place.spot("PRIVACY_BURNED_IN")
    if key == _IMAGE_TYPE and not _SCREENS.isdisjoint(map(str, _leaves(value))):
        yield place.spot("PRIVACY_BURNED_IN")
    if is_of_date(key) and kind is not KeyKind.BIRTH and not (place.document or place.of_program):
        days = (written_date(text, loosely=True) for text in _leaves(value))
        if any(day and is_unshifted(day) for day in days):
            yield place.spot("PRIVACY_DATE", field=_shown(place))
    if is_of_age(key):
        ages = (age_years(text) for text in _leaves(value))
        if any(age and age > OLDEST_AGE for age in ages):
            yield place.spot("PRIVACY_AGE", field=_shown(place))


def _of_kind(kind: KeyKind, value: Any, place: _Place) -> Iterator[Spot]:
    key = _shown(place)
    if kind is KeyKind.BIRTH:
        yield place.spot("PRIVACY_BIRTH_DATE", field=key)
    elif kind in IDENTIFYING:
        yield place.spot("PRIVACY_IDENTIFYING_KEY", key=key)
    elif kind is KeyKind.TEXT:
        yield place.spot("PRIVACY_FREE_TEXT", key=key)
    elif kind is KeyKind.PLACE:
        yield place.spot("PRIVACY_PLACE_KEY", key=key)
    elif any(_CLOCK.fullmatch(text) and not _NOON.fullmatch(text) for text in _leaves(value)):
        yield place.spot("PRIVACY_TIME_OF_DAY", key=key)


def _text(text: str, place: _Place) -> Iterator[Spot]:
    """Yield what a text says, under whatever key."""
    told = _told(text)
    for code in ("PRIVACY_PLACEHOLDER", "PRIVACY_FOLDER"):
        if code in told:
            yield place.spot(code)
    if not OF_AUTHORS.isdisjoint(place.names) and place.document:
        return
    named = any(kind_of_key(name) in IDENTIFYING for name in place.names)
    if "PRIVACY_NAME" in told and not named:
        yield place.spot("PRIVACY_NAME")
    elif "PRIVACY_NAME_PERHAPS" in told and not _is_told_otherwise(place):
        yield place.spot("PRIVACY_NAME_PERHAPS", field=_shown(place))
    if "PRIVACY_CONTACT" in told:
        code = "PRIVACY_CONTACT_IN_DOCUMENT" if place.document else "PRIVACY_CONTACT"
        yield place.spot(code)
    dated = any(is_of_date(name) or kind_of_key(name) is KeyKind.BIRTH for name in place.names)
    if place.document or place.of_program or dated:
        return
    if "PRIVACY_DATE_PERHAPS" in told and not _is_made_later(place):
        yield place.spot("PRIVACY_DATE_PERHAPS", field=_shown(place))


def _told(text: str) -> frozenset[str]:
    """Return the codes of what a text may say; each is looked at once where it is short."""
    return _told_shortly(text) if len(text) <= _LONGEST_REMEMBERED else _codes(text)


@lru_cache(maxsize=_MOST_REMEMBERED)
def _told_shortly(text: str) -> frozenset[str]:
    return _codes(text)


def _codes(text: str) -> frozenset[str]:
    codes = {
        "PRIVACY_PLACEHOLDER": _PLACEHOLDER.search(text),
        "PRIVACY_FOLDER": names_somebodys_folder(text),
        "PRIVACY_NAME": holds_name(text),
        "PRIVACY_NAME_PERHAPS": is_surely_person(text),
        "PRIVACY_CONTACT": names_somebodys_address(text),
        "PRIVACY_DATE_PERHAPS": holds_unshifted_day(text),
    }
    return frozenset(code for code, is_there in codes.items() if is_there)


def _is_told_otherwise(place: _Place) -> bool:
    """Tell what programs and columns are called, and what is said to name a person elsewhere."""
    if place.of_program or place.document or not _DEFINITION.isdisjoint(place.names):
        return True
    return any(kind_of_key(name) in IDENTIFYING for name in place.names)


def _is_made_later(place: _Place) -> bool:
    """Tell a date of a file or a program, by its key, from one that may be of a person."""
    last = next((name for name in reversed(place.names) if not name.isdigit()), "")
    return "date" in last.lower() and not is_of_date(last)


def _tells(value: Any, labels: frozenset[str]) -> bool:
    """Tell whether a value, or one within it, stands for something."""
    return any(not says_nothing(text) and text not in labels for text in _leaves(value))


def _leaves(value: Any) -> Iterator[str]:
    """Yield the texts and numbers of a value, as texts; the VR of the DICOM JSON model is none."""
    if isinstance(value, Mapping):
        for key, child in value.items():
            if key != "vr":
                yield from _leaves(child)
    elif isinstance(value, list):
        for child in value:
            yield from _leaves(child)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def _may_be_shown(key: str) -> bool:
    """Tell a key that programs write from one that could be somebody's name."""
    if key.isdigit() or key in key_rules() or key in metadata_fields() or _TAG.fullmatch(key):
        return True
    return key in _USUAL_ABOVE or is_telling(key) or tag_for_keyword(key) is not None


def _shown(place: _Place) -> str:
    """Return the last key of a pointer that is no position."""
    return next((part for part in reversed(place.pointer) if not part.isdigit()), "a value")


_USUAL_ABOVE = frozenset(
    (
        *("global", "const", "time", "samples", "slices", "Value", "Alphabetic", "metadata"),
        *("bids_meta", "header", "dicom", "Description", "Levels", "Units", "LongName", "Name"),
        *("BIDSVersion", "Authors", "License", "Funding", "Acknowledgements", "GeneratedBy"),
        *("EthicsApprovals", "DatasetDOI", "Keywords", "SourceDatasets", "Version", "CodeURL"),
        *("URL", "HowToAcknowledge", "ReferencesAndLinks", "Container", "Sources", "RawSources"),
    )
)
"""Keys above others that programs and BIDS write."""
