"""Reads profiles, bundled and a user's own, from TOML. All that is wrong is said at once."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from pydicom.datadict import dictionary_has_tag, tag_for_keyword

from bidsanon.dicom.confidentiality import (
    EXCLUSIVE_OPTIONS,
    Action,
    Option,
    table_row,
    table_rows,
    tag_number,
)
from bidsanon.errors import PolicyError
from bidsanon.profile.decision import Cleaning, Decision, PrivateKey, Rule
from bidsanon.profile.profile import Profile
from bidsanon.resources import data_path, schema_path

SCHEMA = "profile.schema.json"
UNNAMED = "own"

_FOLDER = "profiles"
_PRIVATE = re.compile(r"\(([0-9A-Fa-f]{4}),(.+),([0-9A-Fa-f]{2})\)")
_ACTIONS = {
    "keep": Action.KEEP,
    "remove": Action.REMOVE,
    "empty": Action.EMPTY,
    "clean": Action.CLEAN,
    "force": Action.DUMMY,
}


def bundled_profiles() -> tuple[str, ...]:
    """Return the names of the profiles that ship with bidsanon, sorted."""
    return tuple(sorted(path.stem for path in data_path(_FOLDER).glob("*.toml")))


def load_profile(name_or_path: str) -> Profile:
    """Load a bundled profile by its name, or a user's own by the path of its file.

    Parameters
    ----------
    name_or_path
        "bids", or the path of a TOML file that ``schemas/profile.schema.json`` describes.

    Raises
    ------
    PolicyError
        If there is no such profile, or it is invalid: names all that is wrong, and where.
    """
    if name_or_path in bundled_profiles():
        return _bundled(name_or_path)
    path = Path(name_or_path)
    if not path.is_file():
        raise PolicyError(
            "there is no such profile, neither bundled nor as a file",
            cure=f"give one of {', '.join(bundled_profiles())}, or the path of a TOML file",
        )
    return _read(path)


@cache
def _bundled(name: str) -> Profile:
    return _read(data_path(_FOLDER) / f"{name}.toml")


def _read(path: Path) -> Profile:
    content = _parse(path)
    problems = list(_against_schema(content)) or list(_against_the_standard(content))
    if problems:
        raise PolicyError(
            "the profile is invalid:\n" + "\n".join(f"  {problem}" for problem in problems),
            cure=f"mend these places; schemas/{SCHEMA} describes what a profile holds",
        )
    return _profile(content)


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"the profile is no TOML: {error}", cure="mend that line") from error
    except UnicodeDecodeError as error:
        raise PolicyError(
            "the profile is no UTF-8 text", cure="save it as UTF-8, as TOML demands"
        ) from error
    except OSError as error:
        raise PolicyError("the profile cannot be read", cure="check its permissions") from error


def _against_schema(content: Mapping[str, Any]) -> Iterator[str]:
    """Say what is not as the JSON Schema has it, each with its place."""
    for error in sorted(_validator().iter_errors(content), key=lambda error: error.json_path):
        telling = best_match([error]) or error
        yield f"{telling.json_path.removeprefix('$').lstrip('.') or 'top'}: {telling.message}"


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(json.loads(schema_path(SCHEMA).read_text("utf-8")))


def _against_the_standard(content: Mapping[str, Any]) -> Iterator[str]:
    """Say what a schema cannot: unknown names, twice-ruled attributes, exclusive options."""
    start = content.get("start")
    if start is not None and start not in bundled_profiles():
        yield f"start: there is no bundled profile {start!r}, only {', '.join(bundled_profiles())}"
    if start is None and "modalities" not in content:
        yield "modalities: needed where the profile starts from no other"
    for pair in EXCLUSIVE_OPTIONS:
        if set(pair) <= set(content.get("options", ())):
            yield f"options: {' and '.join(pair)} exclude each other"
    ruled: dict[int | PrivateKey, str] = {}
    for entry in _entries(content):
        attribute = _attribute(entry.attribute)
        if attribute is None:
            yield f"{entry.place}: {entry.attribute} is {_why_unknown(entry.attribute)}"
        elif attribute in ruled:
            yield f"{entry.place}: {entry.attribute} is ruled by {ruled[attribute]} already"
        else:
            ruled[attribute] = entry.place


def _profile(content: Mapping[str, Any]) -> Profile:
    start = _bundled(content["start"]) if "start" in content else None
    options = content.get("options", start.options if start else ())
    modalities = content.get("modalities", start.modalities if start else ())
    return Profile(
        name=content.get("name", UNNAMED),
        description=content["description"],
        options=frozenset(Option(option) for option in options),
        modalities=frozenset(modalities),
        rules=(*(start.rules if start else ()), *_rules(content)),
    )


def _rules(content: Mapping[str, Any]) -> Iterator[Rule]:
    for entry in _entries(content):
        attribute = _attribute(entry.attribute)
        if attribute is not None:
            yield Rule(attribute=attribute, decision=entry.decision)


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """One rule as the file has it."""

    place: str
    attribute: str
    decision: Decision


def _entries(content: Mapping[str, Any]) -> Iterator[_Entry]:
    for name, action in _ACTIONS.items():
        written = content.get(name, ())
        if isinstance(written, dict):
            written = [{"attribute": key, "value": value} for key, value in written.items()]
        for index, item in enumerate(written):
            fields = {"attribute": item} if isinstance(item, str) else item
            yield _Entry(
                place=f"{name}[{index}]",
                attribute=fields["attribute"],
                decision=Decision(
                    action=action,
                    cleaning=Cleaning(fields["how"]) if "how" in fields else None,
                    value=fields.get("value"),
                    reason=fields.get("reason", ""),
                ),
            )


def _attribute(text: str) -> int | PrivateKey | None:
    """Return the attribute that a keyword, a tag or a private key names; None: nobody knows it."""
    tag = tag_number(text)
    if tag is not None:
        return tag if _is_ruled(tag) else None
    private = _PRIVATE.fullmatch(text)
    if private is not None:
        return PrivateKey(
            group=int(private[1], 16), creator=private[2].strip(), element=int(private[3], 16)
        )
    return tag_for_keyword(text) or _keywords_of_the_table().get(text)


def _is_ruled(tag: int) -> bool:
    private = bool((tag >> 16) & 1)
    return not private and (dictionary_has_tag(tag) or table_row(tag) is not None)


def _why_unknown(text: str) -> str:
    tag = tag_number(text)
    if tag is None:
        return "no keyword of the standard"
    if (tag >> 16) & 1:
        return "private: write (group,creator,last two digits of the element)"
    return "no attribute of the standard"


@cache
def _keywords_of_the_table() -> dict[str, int]:
    """Map keywords to tags for the rows that pydicom's dictionary lacks."""
    return {row.keyword: row.number for row in table_rows() if row.number is not None}
