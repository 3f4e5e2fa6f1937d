"""Which keys a published sidecar may hold, in which shape, and what is done with each.

The fields of BIDS may stay, and so may those keys of dcm2niix and heudiconv that
``data/sidecar_keys.tsv`` lists as kept, each with its reason. The same table says which fields of
BIDS may not, and which keys of theirs are known to identify. Whatever is in neither goes.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from bidsanon.bids.standard import Schema, image_fields
from bidsanon.resources import data_path

MISFIT = object()
"""What :func:`fit` returns for a value that has none of the allowed shapes."""

_LIST = "[]"


class KeyAction(StrEnum):
    """What is done with a key of a sidecar."""

    KEEP = "keep"
    """It stays, if its value has the right shape."""
    REMOVE = "remove"
    """It goes: it says who, where or when."""
    PSEUDONYM = "pseudonym"
    """Its value is replaced by a pseudonym."""
    NOON = "noon"
    """A time of day: moved as the session's acquisition times are."""


@dataclass(frozen=True, kw_only=True)
class KeyRule:
    """What is done with one key.

    Attributes
    ----------
    key
        The key.
    action
        What is done with it.
    shapes
        The JSON Schemas of which its value must have one's shape.
    reason
        Why it is kept or removed; empty for the fields of BIDS.
    """

    key: str
    action: KeyAction
    shapes: tuple[Schema, ...]
    reason: str


@cache
def key_rules() -> dict[str, KeyRule]:
    """Return the rule for each key that is known."""
    rules = {
        key: KeyRule(key=key, action=KeyAction.KEEP, shapes=shapes, reason="")
        for key, shapes in image_fields().items()
    }
    text = data_path("sidecar_keys.tsv").read_text("utf-8")
    for row in csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE):
        rules[row["key"]] = KeyRule(
            key=row["key"],
            action=KeyAction(row["action"]),
            shapes=(_shape(row["shape"]),),
            reason=row["reason"],
        )
    return rules


def fit(value: Any, shape: Schema) -> Any:
    """Return what of a value has a shape, or :data:`MISFIT`.

    Only the shape counts: whether it is a number, a text, a list of them, an object with certain
    keys. Whether a number is large enough is for validation to say.
    """
    if "anyOf" in shape:
        fitted = (fit(value, alternative) for alternative in shape["anyOf"])
        return next((result for result in fitted if result is not MISFIT), MISFIT)
    if isinstance(value, dict):
        return _fit_object(value, shape)
    if isinstance(value, list):
        return _fit_list(value, shape)
    return value if _is_scalar(value, shape.get("type")) else MISFIT


def _fit_object(value: dict[str, Any], shape: Schema) -> Any:
    if shape.get("type") != "object":
        return MISFIT
    others = shape.get("additionalProperties")
    kept: dict[str, Any] = {}
    for key, part in value.items():
        part_shape = shape.get("properties", {}).get(key, others)
        fitted = fit(part, part_shape) if isinstance(part_shape, dict) else MISFIT
        if fitted is not MISFIT:
            kept[key] = fitted
    return kept or MISFIT


def _fit_list(value: list[Any], shape: Schema) -> Any:
    if shape.get("type") != "array":
        return MISFIT
    fitted = [fit(item, shape["items"]) for item in value]
    return MISFIT if any(item is MISFIT for item in fitted) else fitted


def _is_scalar(value: Any, kind: str | None) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if isinstance(value, int | float):
        return kind in {"number", "integer"}
    return isinstance(value, str) and kind == "string"


def _shape(text: str) -> Schema:
    """Turn "number[]" into JSON Schema; a list may also come as its only item."""
    if text.endswith(_LIST):
        item = _shape(text.removesuffix(_LIST))
        return {"anyOf": [{"type": "array", "items": item}, item]}
    return {"type": text}
