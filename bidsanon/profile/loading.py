"""Reads profiles, bundled and a user's own, from TOML. All that is wrong is said at once."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema.exceptions import ValidationError, best_match

from bidsanon.dicom.confidentiality import Action, Option
from bidsanon.errors import PolicyError
from bidsanon.profile.decision import Cleaning, Decision, Variation
from bidsanon.profile.entries import Entry, exclusive, problems_of, rules_of
from bidsanon.profile.lab_tables import TABLES, dataset_of, problems_of_tables, severities_of
from bidsanon.profile.profile import Profile
from bidsanon.resources import data_path, schema_errors

SCHEMA = "profile.schema.json"
UNNAMED = "own"

_BARE = Profile(name=UNNAMED, description="", options=frozenset(), modalities=frozenset())
_WORDS = {False: "shapes", True: "vocabulary"}

_FOLDER = "profiles"
_TYPES = {
    "string": "a text, in quotes",
    "array": "a list, in square brackets",
    "boolean": "true or false",
    "object": "a table, in curly brackets",
}
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
    if not os.path.isfile(path):  # noqa: PTH113 - Path.is_file raises below a closed folder
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
    well_formed = _well_formed(content)
    problems = [
        *_against_schema(content),
        *_missing(content),
        *_against_the_standard(well_formed),
        *problems_of_tables(well_formed, path.parent),
    ]
    if problems:
        raise PolicyError(
            "the profile is invalid:\n" + "\n".join(f"  {problem}" for problem in problems),
            cure=f"mend these places; schemas/{SCHEMA} describes what a profile holds",
        )
    return _profile(content, path.parent)


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
    for error in schema_errors(SCHEMA, content):
        telling = best_match([error]) or error
        steps = (f"[{x}]" if isinstance(x, int) else f".{x}" for x in telling.absolute_path)
        place = "".join(steps).removeprefix(".")
        yield f"{place}: {_words_of(telling)}" if place else _words_of(telling)


def _words_of(error: ValidationError) -> str:
    """Say what is wrong to somebody who has not read the schema."""
    schema: Any = error.schema
    written: Any = error.instance
    expected: Any = error.validator_value
    match error.validator:
        case "pattern" | "oneOf":
            return f"{written!r} will not do. {schema['description']}"
        case "type":
            return f"{written!r} will not do: write {_TYPES[expected]}"
        case "enum":
            return f"{written!r} will not do: give one of {', '.join(expected)}"
        case "additionalProperties":
            known = schema["properties"]
            unknown = sorted(key for key in written if key not in known)
            return f"there is no {', no '.join(unknown)} here, only {', '.join(known)}"
        case "required":
            return f"{', '.join(key for key in expected if key not in written)} missing"
        case _:
            return error.message


def _missing(content: Mapping[str, Any]) -> Iterator[str]:
    if "start" not in content and "modalities" not in content:
        yield "modalities: needed where the profile starts from no other"


def _well_formed(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parts of a profile that are as the JSON Schema has them: they are read further.

    Of a list of rules, those that are not are None; a table of the lab's lacks such keys.
    """
    parts = dict(content)
    for error in schema_errors(SCHEMA, content):
        match list(error.path):
            case [str(key), int(index), *_] if key in _ACTIONS and key in parts:
                rules = parts[key]
                parts[key] = [*rules[:index], None, *rules[index + 1 :]]
            case [str(table), str(key), *_] if table in TABLES and table in parts:
                parts[table] = {name: x for name, x in parts[table].items() if name != key}
            case [str(table)] if table in TABLES and error.validator == "additionalProperties":
                pass  # what is unknown is not read further
            case [str(key), *_]:
                parts.pop(key, None)
    return parts


def _against_the_standard(content: Mapping[str, Any]) -> Iterator[str]:
    """Say what a schema cannot: unknown names, twice-ruled attributes, exclusive options."""
    start = content.get("start")
    if start is not None and start not in bundled_profiles():
        yield f"start: there is no bundled profile {start!r}, only {', '.join(bundled_profiles())}"
    yield from (f"options: {problem}" for problem in exclusive(content.get("options", ())))
    yield from problems_of(_entries(content), options=_options(content))


def _profile(content: Mapping[str, Any], folder: Path) -> Profile:
    start = _bundled(content["start"]) if "start" in content else _BARE
    if "options" in content:
        start = start.with_options(frozenset(map(Option, content["options"])))
    return replace(
        start,
        name=content.get("name", UNNAMED),
        description=content["description"],
        modalities=frozenset(content.get("modalities", start.modalities)),
        rules=(*start.rules, *rules_of(_entries(content))),
        allow_list=content.get("allow-list", start.allow_list),
        variations=tuple(Variation(**fields) for fields in content.get("variations", ())),
        vocabulary=content.get("descriptors", _WORDS[start.vocabulary]) == _WORDS[True],
        severities=severities_of(content),
        dataset=dataset_of(content, folder),
        words=start.words | {word.lower() for word in content.get("vocabulary", ())},
    )


def _options(content: Mapping[str, Any]) -> Collection[str]:
    start = str(content.get("start"))
    if "options" in content or start not in bundled_profiles():
        return frozenset(content.get("options", ()))
    return _bundled(start).options


def _entries(content: Mapping[str, Any]) -> Iterator[Entry]:
    for name, action in _ACTIONS.items():
        written = content.get(name, ())
        if isinstance(written, dict):
            written = [{"attribute": key, "value": value} for key, value in written.items()]
        for index, item in enumerate(written):
            if item is None:
                continue
            fields = {"attribute": item} if isinstance(item, str) else item
            yield Entry(
                place=f"{name}[{index}]",
                attribute=fields["attribute"],
                decision=Decision(
                    action=action,
                    cleaning=Cleaning(fields["how"]) if "how" in fields else None,
                    value=fields.get("value"),
                    reason=fields.get("reason", ""),
                ),
            )
