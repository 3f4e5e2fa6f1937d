"""Which keys a sidecar may hold when it is published, in which shape, and what becomes of others.

The fields of BIDS may stay, and so may those keys of dcm2niix and heudiconv that
``data/sidecar_keys.tsv`` lists as kept, each with its reason. The same table says which fields of
BIDS may not, and which keys of theirs are known to identify. Whatever is in neither goes.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from bidsanon.bids.standard import Schema, image_fields, suffix_fields
from bidsanon.resources import data_path

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
    CLEAN = "clean"
    """Free text: what identifies is cut from it."""
    TIME = "time"
    """A time of day: it goes, unless somebody asks for times of day."""


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


@cache
def rules_for(suffix: str) -> dict[str, KeyRule]:
    """Return the rule for each key that a sidecar of a suffix may hold, whatever its datatype.

    Those of images hold for all.
    """
    fields = {
        key: KeyRule(key=key, action=KeyAction.KEEP, shapes=shapes, reason="")
        for key, shapes in suffix_fields(suffix).items()
    }
    return fields | key_rules()


def _shape(text: str) -> Schema:
    """Turn "number[]" into JSON Schema; a list may also come as its only item."""
    if text.endswith(_LIST):
        item = _shape(text.removesuffix(_LIST))
        return {"anyOf": [{"type": "array", "items": item}, item]}
    return {"type": text}
