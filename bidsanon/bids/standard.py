"""The BIDS standard as the generated files in ``schemas/bids`` hold it.

Nothing else knows where those files are or how they refer to each other. They are pinned to one
version of BIDS, so what is checked and what is kept do not depend on what pip installed.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from bidsanon.resources import schema_path

Schema = dict[str, Any]


DERIVATIVE = "derivative"
WARNING = "warning"
COLUMNS = "columns"
_ENTITY = "entity:"
_IMAGE_MODALITIES = frozenset({"mri", "pet"})
_YES = "yes"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule of BIDS that holds for a kind of file.

    Attributes
    ----------
    name
        As the standard calls it: "func.MRIFuncRequired"; "columns" for what describes the columns
        of a table.
    given
        What it asks for beside the JSON: entities of the name ("entity:echo"), each with its value
        where only one counts ("entity:part=phase"), and that the dataset is a "derivative".
    schema
        What it says, as JSON Schema.
    is_warning
        Whether breaking it deserves no more than a warning.
    """

    name: str
    given: tuple[str, ...]
    schema: Schema
    is_warning: bool = False

    def holds_for(self, entities: Mapping[str, str], *, derivative: bool = False) -> bool:
        """Tell whether it holds for a name with these entities in such a dataset."""
        for condition in self.given:
            if condition == DERIVATIVE:
                if not derivative:
                    return False
                continue
            name, _, value = condition.removeprefix(_ENTITY).partition("=")
            if name not in entities or (value and entities[name] != value):
                return False
        return True


@dataclass(frozen=True, kw_only=True)
class DataKind:
    """A kind of data in subjects' folders that JSON describes.

    Attributes
    ----------
    datatype, suffix
        "anat", "T1w".
    modality
        "mri".
    extensions
        Of its data; ".json" alone where the JSON describes no other file. Those of folders end in
        a slash.
    is_raw
        Whether raw datasets may hold it, and not only derivatives.
    """

    datatype: str
    suffix: str
    modality: str
    extensions: tuple[str, ...]
    is_raw: bool


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
def data_kinds() -> dict[tuple[str, str], DataKind]:
    """Return every kind of data that has JSON, by datatype and suffix."""
    text = schema_path("bids/kinds.tsv").read_text("utf-8")
    return {
        (row["datatype"], row["suffix"]): DataKind(
            datatype=row["datatype"],
            suffix=row["suffix"],
            modality=row["modality"],
            extensions=tuple(row["extensions"].split()),
            is_raw=row["raw"] == _YES,
        )
        for row in csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    }


@cache
def image_kinds() -> frozenset[tuple[str, str]]:
    """Return the datatypes and suffixes of the images that BIDS knows (MRI and PET)."""
    return frozenset(
        name
        for name, kind in data_kinds().items()
        if kind.is_raw and kind.modality in _IMAGE_MODALITIES and ".nii.gz" in kind.extensions
    )


@cache
def sidecar_rules(datatype: str, suffix: str) -> tuple[Rule, ...]:
    """Return the rules for the JSON of one kind of data; none for a kind not known."""
    if (datatype, suffix) not in data_kinds():
        return ()
    return tuple(_rules(f"sidecars/{datatype}_{suffix}"))


@cache
def document_rules(name: str) -> tuple[Rule, ...]:
    """Return the rules for a JSON file at the dataset's root, such as ``participants``."""
    return tuple(_rules(name))


@cache
def image_fields() -> dict[str, tuple[Schema, ...]]:
    """Return the fields that BIDS names for raw images of any kind.

    Not kind by kind: BIDS names RepetitionTime for bold images only, and it means the same in the
    sidecar of a T1w image.

    Returns
    -------
    dict
        The field's name in a sidecar, and each JSON Schema that BIDS has for it.
    """
    return _fields(sorted(image_kinds()), derived_too=False)


@cache
def suffix_fields(suffix: str) -> dict[str, tuple[Schema, ...]]:
    """Return the fields that BIDS names for data of one suffix, raw or derived; none if unknown.

    As :func:`image_fields` does. An inherited sidecar's name says no datatype.
    """
    return _fields([kind for kind in sorted(data_kinds()) if kind[1] == suffix], derived_too=True)


def _fields(
    kinds: Iterable[tuple[str, str]], *, derived_too: bool
) -> dict[str, tuple[Schema, ...]]:
    found: dict[str, list[Schema]] = {}
    for datatype, suffix in kinds:
        for rule in sidecar_rules(datatype, suffix):
            if rule.name == COLUMNS or (DERIVATIVE in rule.given and not derived_too):
                continue
            for name, reference in rule.schema.get("properties", {}).items():
                if "$ref" not in reference:
                    continue
                schema = metadata_fields()[_referred_name(reference)]
                if schema not in found.setdefault(name, []):
                    found[name].append(schema)
    return {name: tuple(schemas) for name, schemas in found.items()}


def resolve(schema: Any) -> Any:
    """Return a schema with each of its references replaced by what it refers to."""
    if isinstance(schema, list):
        return [resolve(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return resolve(_referred(schema))
    return {key: resolve(part) for key, part in schema.items()}


def _rules(name: str) -> Iterator[Rule]:
    """Read the rules of one file, the warnings last."""
    schema = _read(name)
    for reference in schema.get("allOf", ()):
        yield Rule(name=_referred_name(reference), given=(), schema=_referred(reference))
    definitions = schema.get("$defs", {})
    for definition in sorted(definitions, key=lambda name: (WARNING in name, name)):
        given = definition.split("+")
        for reference in definitions[definition]["allOf"]:
            yield Rule(
                name=_referred_name(reference),
                given=tuple(condition for condition in given if condition != WARNING),
                schema=_referred(reference),
                is_warning=WARNING in given,
            )
    if "additionalProperties" in schema:
        columns = {key: schema[key] for key in ("properties", "additionalProperties")}
        yield Rule(name=COLUMNS, given=(), schema=columns, is_warning=True)


def _referred(reference: Schema) -> Schema:
    """Return what a reference leads to: ``urn:...:rules#/$defs/func.MRIFuncRequired``."""
    address, _, _ = reference["$ref"].partition("#")
    schema: Schema = _read(address.rsplit(":", 1)[1])["$defs"][_referred_name(reference)]
    return schema


def _referred_name(reference: Schema) -> str:
    name: str = reference["$ref"].rsplit("/", 1)[1]
    return name


@cache
def _read(name: str) -> Schema:
    schema: Schema = json.loads(schema_path(f"bids/{name}.schema.json").read_text("utf-8"))
    return schema
