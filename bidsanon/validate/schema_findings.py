"""What an error of jsonschema means: file, JSON pointer and rule, and no value.

jsonschema's own texts quote the value that they are about, which can identify somebody.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, cast

from jsonschema.exceptions import ValidationError

from bidsanon.bids.standard import COLUMNS, Rule, Schema
from bidsanon.findings import Finding, finding
from bidsanon.redaction import printable

_BOUNDS = {
    "minimum": "is less than",
    "exclusiveMinimum": "is not greater than",
    "maximum": "is greater than",
    "exclusiveMaximum": "is not less than",
    "minItems": "has fewer items than",
    "maxItems": "has more items than",
}
_SIGNS = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"}
_SHORT_ENUM = 8
_COLUMN_AND_FIELD = 2
_LONGEST_KEY = 100
_FROM_END, _TO_END = "^(?:", ")$"


def findings_of(
    error: ValidationError, rule: Rule, file_of: Callable[[str], str]
) -> Iterator[Finding]:
    """Say what an error of jsonschema means.

    Parameters
    ----------
    error
        The error.
    rule
        The rule of BIDS that is broken.
    file_of
        Gives the file that holds a key of the JSON, or should.
    """
    if "description" in rule.schema:
        yield _broken_rule(error, rule, file_of)
    elif rule.name == COLUMNS:
        yield _bad_column(error, file_of)
    elif error.validator == "required":
        yield from _missing(error, rule, file_of)
    else:
        parts = _parts(error)
        yield finding(
            "SCHEMA_VALUE_DOUBTFUL" if _passes_elsewhere(error) else "SCHEMA_VALUE_INVALID",
            location=_location(parts, file_of),
            key=next((part for part in reversed(parts) if not part.isdigit()), "the object"),
            problem=_problem(error),
            rule=rule.name,
        )


def _passes_elsewhere(error: ValidationError) -> bool:
    """Tell whether a text only holds what a pattern asks for, and not from end to end.

    The official validator looks for the patterns of BIDS anywhere in a text: it lets a path pass
    that has other signs too, as it must, since the labels of names may have more than the patterns.
    """
    if error.validator == "pattern":
        pattern = str(error.validator_value).removeprefix(_FROM_END).removesuffix(_TO_END)
        return re.search(pattern, str(error.instance)) is not None
    if error.validator != "anyOf":
        return False
    branches: dict[Any, list[ValidationError]] = {}
    for inner in error.context or ():
        branches.setdefault(inner.relative_schema_path[0], []).append(inner)
    return any(all(map(_passes_elsewhere, branch)) for branch in branches.values())


def _missing(
    error: ValidationError, rule: Rule, file_of: Callable[[str], str]
) -> Iterator[Finding]:
    parts = _parts(error)
    for key in cast("Any", error.validator_value):
        if key not in cast("Any", error.instance):
            location = _location([*parts, key], file_of)
            yield finding("SCHEMA_REQUIRED_MISSING", location=location, key=key, rule=rule.name)


def _broken_rule(error: ValidationError, rule: Rule, file_of: Callable[[str], str]) -> Finding:
    """Say what BIDS says of fields that do not go together, at the first of them."""
    content = cast("Any", error.instance)
    there = [key for key in _keys_of(rule.schema) if isinstance(content, dict) and key in content]
    parts = _parts(error) or there[:1]
    return finding(
        "SCHEMA_RULE_DOUBTFUL" if rule.is_warning else "SCHEMA_RULE_BROKEN",
        location=_location(parts, file_of),
        rule=rule.name,
        meaning=rule.schema["description"],
    )


def _bad_column(error: ValidationError, file_of: Callable[[str], str]) -> Finding:
    """Say what is wrong with what describes a column; its levels can be values, and are not named.

    The official validator says nothing of it.
    """
    parts = _parts(error)
    told = parts[:_COLUMN_AND_FIELD]
    return finding(
        "SCHEMA_COLUMN_INVALID",
        location=_location(told, file_of),
        key=told[-1] if told == parts else f"one of the {told[-1]}",
        problem=_problem(error),
    )


def _keys_of(schema: Any) -> Iterator[str]:
    """Yield the fields that a rule names, what it asks for before what it is about."""
    if isinstance(schema, list):
        for part in schema:
            yield from _keys_of(part)
    elif isinstance(schema, dict):
        for keyword in ("then", "if", "allOf", "anyOf", "not"):
            yield from _keys_of(schema.get(keyword))
        yield from schema.get("required", ())


def _parts(error: ValidationError) -> list[str]:
    """Return the way to what an error is about, fit to be printed."""
    return [printable(str(part))[:_LONGEST_KEY] for part in error.absolute_path]


def _location(parts: list[str], file_of: Callable[[str], str]) -> str:
    """Return a file and a JSON pointer (RFC 6901)."""
    pointer = "".join(f"/{part.replace('~', '~0').replace('/', '~1')}" for part in parts)
    return f"{file_of(parts[0] if parts else '')}#{pointer}"


def _problem(error: ValidationError) -> str:
    keyword, value = str(error.validator), cast("Any", error.validator_value)
    if keyword in _BOUNDS:
        return f"{_BOUNDS[keyword]} {value}"
    match keyword:
        case "type":
            return f"is not of the type {value}"
        case "enum":
            more = ", ..." if len(value) > _SHORT_ENUM else ""
            return f"is none of {', '.join(map(str, value[:_SHORT_ENUM]))}{more}"
        case "pattern":
            return "is not written as BIDS asks"
        case "anyOf":
            return f"is not {' or '.join(dict.fromkeys(map(_allowed, value)))}"
        case _:
            return f"does not keep the schema's {keyword!r}"


def _allowed(option: Schema) -> str:
    """Say what one alternative allows: "number > 0 <= 360"."""
    bounds = [f"{sign} {option[word]}" for word, sign in _SIGNS.items() if word in option]
    return " ".join([str(option.get("type", "another form")), *bounds])
