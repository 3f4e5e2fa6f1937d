"""The BIDS standard as the generated files in ``schemas/bids`` hold it.

Nothing else knows where those files are or how they refer to each other. They are pinned to one
version of BIDS, so what is checked and what is kept do not depend on what pip installed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from bidsanon.resources import schema_path

Schema = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class SidecarRule:
    """One rule of BIDS that holds for a kind of image.

    Attributes
    ----------
    name
        As the standard calls it: "func.MRIFuncRequired".
    entity
        Empty where it holds for every name; else the entity that the name must have ("echo"), or
        several joined by "+", each with its value where only one value counts ("part=phase").
    schema
        What it says, as JSON Schema.
    """

    name: str
    entity: str
    schema: Schema

    def holds_for(self, entities: Mapping[str, str]) -> bool:
        """Tell whether the rule holds for a file name with these entities."""
        for condition in filter(None, self.entity.split("+")):
            name, _, value = condition.partition("=")
            if name not in entities or (value and entities[name] != value):
                return False
        return True


@cache
def bids_version() -> str:
    """Return the version of BIDS that the generated files say, such as ``1.10.0``."""
    identifier: str = _read("metadata")["$id"]
    return identifier.split(":")[2].removeprefix("bids-")


@cache
def metadata_fields() -> dict[str, Schema]:
    """Return each metadata field's JSON Schema, by the field's identifier in the standard.

    A field that means something else in one context has a second identifier there, such as
    ``EchoTime__fmap``.
    """
    fields: dict[str, Schema] = _read("metadata")["$defs"]
    return fields


@cache
def sidecar_rules(datatype: str, suffix: str) -> tuple[SidecarRule, ...]:
    """Return the rules for the sidecars of one kind of image; none for a kind not known."""
    if (datatype, suffix) not in image_kinds():
        return ()
    schema = _read(f"sidecars/{datatype}_{suffix}")
    rules = list(_referred(schema, entity=""))
    for definition, part in schema.get("$defs", {}).items():
        rules += _referred(part, entity=definition.replace("entity:", ""))
    return tuple(rules)


@cache
def image_kinds() -> frozenset[tuple[str, str]]:
    """Return the datatypes and suffixes of the images that BIDS knows (MRI and PET)."""
    folder = schema_path("bids/sidecars")
    names = (path.name.removesuffix(".schema.json") for path in folder.glob("*.schema.json"))
    return frozenset((name.split("_")[0], name.split("_")[1]) for name in names)


@cache
def image_fields() -> dict[str, tuple[Schema, ...]]:
    """Return the fields that BIDS names for images of any kind.

    Not kind by kind: BIDS names RepetitionTime for bold images only, and it means the same in the
    sidecar of a T1w image.

    Returns
    -------
    dict
        The field's name in a sidecar, and each JSON Schema that BIDS has for it.
    """
    found: dict[str, list[Schema]] = {}
    for datatype, suffix in sorted(image_kinds()):
        for rule in sidecar_rules(datatype, suffix):
            for name, reference in rule.schema.get("properties", {}).items():
                if "$ref" not in reference:
                    continue
                schema = metadata_fields()[_referred_name(reference)]
                if schema not in found.setdefault(name, []):
                    found[name].append(schema)
    return {name: tuple(schemas) for name, schemas in found.items()}


def resolve(schema: Schema) -> Schema:
    """Return a rule's schema with its references to metadata fields replaced by the fields."""
    properties = {
        name: metadata_fields()[_referred_name(part)]
        for name, part in schema.get("properties", {}).items()
        if "$ref" in part
    }
    return schema | {"properties": properties} if properties else schema


def document_schema(name: str) -> Schema:
    """Return the JSON Schema of a file at the dataset's root, such as ``participants``."""
    return _read(name)


def _referred(schema: Schema, *, entity: str) -> Iterator[SidecarRule]:
    definitions = _read("rules")["$defs"]
    for reference in schema["allOf"]:
        name = _referred_name(reference)
        yield SidecarRule(name=name, entity=entity, schema=definitions[name])


def _referred_name(reference: Schema) -> str:
    name: str = reference["$ref"].rsplit("/", 1)[1]
    return name


@cache
def _read(name: str) -> Schema:
    schema: Schema = json.loads(schema_path(f"bids/{name}.schema.json").read_text("utf-8"))
    return schema
