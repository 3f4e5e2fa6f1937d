"""Write the JSON Schemas of BIDS sidecars from the machine-readable BIDS standard.

Run ``python schemas/generate.py``; it needs bidsschematools and no network. What it writes to
``schemas/bids`` is committed, and a test holds it equal to what this script writes.

- ``metadata.schema.json``: one definition for each metadata field.
- ``rules.schema.json``: one definition for each rule of BIDS about sidecars, under BIDS's own name.
- ``sidecars/<datatype>_<suffix>.schema.json``: which rules hold for that kind of image. Rules that
  hold only for file names with a certain entity stand under ``$defs/entity:<entity>``, since a
  sidecar does not know its own name.
- ``not_expressed.tsv``: what BIDS says and JSON Schema cannot, with the reason for each.

BIDS writes its conditions in a small language of expressions. They are evaluated here as far as
the kind of image decides them; what is left is about the sidecar and becomes JSON Schema, about
the name and becomes an entity's definition, or about something else and is listed.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import bidsschematools.schema
from bidsschematools import expressions

DATATYPES = ("anat", "dwi", "fmap", "func", "perf", "pet")
DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]

_ANNOTATIONS = {"unit": "x-unit", "recommended": "x-recommended"}
_KEPT = frozenset(
    [
        "type",
        "enum",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "minItems",
        "maxItems",
        "uniqueItems",
        "minLength",
        "pattern",
        "required",
        "additionalProperties",
    ]
)
_COLUMN_FIELDS = [
    "Delimiter",
    "Description",
    "Format",
    "HED",
    "Levels",
    "LongName",
    "Maximum",
    "Minimum",
    "TermURL",
    "Units",
]
_AGE = {
    "x-recommended": ["Description", "Format", "Maximum", "Units"],
    "if": {"properties": {"Units": {"pattern": "^years?$"}}},
    "then": {"properties": {"Maximum": {"maximum": 89}}},
}
_OTHER_FILES = {"dataset", "associations", "schema", "subject", "columns", "index"}
_THE_IMAGE = {"nifti_header", "gzip", "size"}


class NotExpressibleError(Exception):
    """The expression is about something that a sidecar's schema cannot see."""


@dataclass(frozen=True)
class Entity:
    """A condition on the file's name: that it has an entity, with a certain value or any."""

    name: str
    value: str | None = None

    @property
    def definition(self) -> str:
        """The name under which a sidecar schema holds what depends on it."""
        return f"entity:{self.name}" + (f"={self.value}" if self.value else "")


Condition = bool | Schema | Entity


@dataclass(frozen=True)
class Kind:
    """A kind of image: what the conditions of BIDS are evaluated for."""

    datatype: str
    suffix: str

    def constant(self, name: str) -> object:
        """Return what a name in an expression is for this kind of image."""
        known: dict[str, object] = {
            "datatype": self.datatype,
            "suffix": self.suffix,
            "modality": "pet" if self.datatype == "pet" else "mri",
            "extension": ".nii.gz",
            "null": None,
            "true": True,
            "false": False,
            "ome": None,
            "tiff": None,
            "dataset.dataset_description.DatasetType": "raw",
        }
        return known[name]


@dataclass(frozen=True)
class Case:
    """One rule of BIDS, looked at for one kind of image.

    Attributes
    ----------
    kind
        The kind of image.
    name
        The rule's name in the standard.
    rule
        What the standard says.
    translator
        Translates its expressions.
    conditions
        Those of its selectors that are about the sidecar.
    unclear
        Those that JSON Schema cannot say, each with the reason.
    """

    kind: Kind
    name: str
    rule: Schema
    translator: Translator
    conditions: list[Schema] = field(default_factory=list)
    unclear: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Output:
    """What has been generated so far."""

    metadata: dict[str, Schema] = field(default_factory=dict)
    rules: dict[str, Schema] = field(default_factory=dict)
    sidecars: dict[str, Schema] = field(default_factory=dict)
    not_expressed: dict[tuple[str, str, str], set[str]] = field(default_factory=dict)

    def leave_out(self, case: Case, what: str, reason: str) -> None:
        """Note what JSON Schema cannot say."""
        row = (case.name, " ".join(what.split()), reason)
        kind = f"{case.kind.datatype}/{case.kind.suffix}"
        self.not_expressed.setdefault(row, set()).add(kind)


class Translator:
    """Turns BIDS's expressions into constants, entities or JSON Schema of the sidecar.

    Parameters
    ----------
    kind
        The kind of image that the expressions are evaluated for.
    entity_names
        Each entity as file names write it ("acq"), by its name in the standard ("acquisition").
    """

    def __init__(self, kind: Kind, entity_names: Mapping[str, str]) -> None:
        self._kind = kind
        self._entity_names = entity_names

    def condition(self, expression: str) -> Condition:
        """Translate one expression.

        Raises
        ------
        NotExpressibleError
            If it is about more than the kind, the name and the sidecar.
        """
        return self._truth(_parse(expression))

    def _truth(self, node: object) -> Condition:
        if isinstance(node, expressions.RightOp):
            return _negate(self._truth(node.rh))
        if isinstance(node, expressions.BinOp):
            return self._comparison(node)
        if isinstance(node, expressions.Function):
            return self._call(str(node.name), node.args)
        sidecar_key = self._sidecar_key(node)
        if sidecar_key:
            return _has(sidecar_key, {"not": {"enum": [None, False, 0, ""]}})
        entity = self._entity(node)
        if entity:
            return Entity(entity)
        return bool(self._value(node))

    def _comparison(self, node: expressions.BinOp) -> Condition:
        left, operator, right = node.lh, str(node.op), node.rh
        if operator in {"||", "&&"}:
            return _join(operator, self._truth(left), self._truth(right))
        if operator == "in":
            return self._membership(str(self._value(left)), right)
        entity = self._entity(left)
        if operator == "!=" and entity and self._value(right) is None:
            return Entity(entity)
        if operator == "!=":
            return _negate(self._equality(left, right))
        if operator == "==":
            return self._equality(left, right)
        if operator in {"<=", "<", ">=", ">"}:
            return self._bound(left, operator, self._value(right))
        raise NotExpressibleError(operator)

    def _membership(self, name: str, container: object) -> Condition:
        if str(container) == "sidecar":
            return {"required": [name]}
        if str(container) == "entities":
            return Entity(self._entity_names.get(name, name))
        raise NotExpressibleError(str(container))

    def _equality(self, left: object, right: object) -> Condition:
        value = self._value(right)
        if isinstance(left, expressions.Function) and str(left.name) == "type":
            return self._type_is(left.args[0], str(value))
        sidecar_key, entity = self._sidecar_key(left), self._entity(left)
        if sidecar_key:
            absent = {"not": {"required": [sidecar_key]}}
            return absent if value is None else _has(sidecar_key, {"const": value})
        if entity:
            return _negate(Entity(entity)) if value is None else Entity(entity, str(value))
        return self._value(left) == value

    def _type_is(self, node: object, kind: str) -> Condition:
        sidecar_key = self._sidecar_key(node)
        entity = self._entity(node)
        if sidecar_key and kind == "null":
            return {"not": {"required": [sidecar_key]}}
        if sidecar_key:
            return _has(sidecar_key, {"type": kind})
        if entity and kind == "null":
            return _negate(Entity(entity))
        raise NotExpressibleError(str(node))

    def _bound(self, left: object, operator: str, limit: object) -> Condition:
        keyword = {
            "<=": "maximum",
            "<": "exclusiveMaximum",
            ">=": "minimum",
            ">": "exclusiveMinimum",
        }[operator]
        largest = False
        if isinstance(left, expressions.Function) and str(left.name) == "max":
            largest, left = True, left.args[0]
        sidecar_key = self._sidecar_key(left)
        if not sidecar_key or not isinstance(limit, int | float):
            raise NotExpressibleError(str(left))
        bound: Schema = {keyword: limit}
        return _has(sidecar_key, bound | {"items": bound} if largest else bound)

    def _call(self, name: str, arguments: list[object]) -> Condition:
        if name == "match":
            return bool(re.search(str(self._value(arguments[1])), str(self._value(arguments[0]))))
        if name == "intersects":
            return self._intersects(arguments[0], self._value(arguments[1]))
        raise NotExpressibleError(name)

    def _intersects(self, node: object, allowed: object) -> Condition:
        if not isinstance(allowed, list):
            raise NotExpressibleError(str(node))
        single = node.elements[0] if isinstance(node, expressions.Array) else None
        key_of_item, key_of_list = self._sidecar_key(single), self._sidecar_key(node)
        if key_of_item:
            return _has(key_of_item, {"enum": allowed})
        if key_of_list:
            one_of = {"enum": allowed}
            return _has(key_of_list, {"anyOf": [one_of, {"type": "array", "contains": one_of}]})
        value = self._value(node)
        return bool(set(value if isinstance(value, list) else [value]) & set(allowed))

    def _sidecar_key(self, node: object) -> str | None:
        if isinstance(node, expressions.Property) and str(node.name) == "sidecar":
            return str(node.field)
        return None

    def _entity(self, node: object) -> str | None:
        if isinstance(node, expressions.Property) and str(node.name) == "entities":
            name = str(node.field)
            return self._entity_names.get(name, name)
        return None

    def _value(self, node: object) -> object:
        if isinstance(node, expressions.Array):
            return [self._value(element) for element in node.elements]
        if isinstance(node, int | float):
            return node
        if not isinstance(node, str | expressions.Property):
            raise NotExpressibleError(str(node))
        text = str(node).replace("(", "").replace(")", "") if not isinstance(node, str) else node
        if text[:1] in {"'", '"'}:
            return text[1:-1].replace("\\\\", "\\")
        try:
            return self._kind.constant(text)
        except KeyError:
            raise NotExpressibleError(text) from None


@cache
def _parse(expression: str) -> Any:
    return expressions.parse(expression)


def _has(key: str, value: Schema) -> Schema:
    return {"required": [key], "properties": {key: value}}


def _negate(condition: Condition) -> Condition:
    if isinstance(condition, bool):
        return not condition
    if isinstance(condition, Entity):
        raise NotExpressibleError(f"that the name lacks {condition.name}")
    return condition["not"] if set(condition) == {"not"} else {"not": condition}


def _join(operator: str, left: Condition, right: Condition) -> Condition:
    dominant = operator == "||"
    if isinstance(left, bool):
        return dominant if left is dominant else right
    if isinstance(right, bool):
        return dominant if right is dominant else left
    if isinstance(left, Entity) or isinstance(right, Entity):
        raise NotExpressibleError("a choice that depends on the name")
    return {"anyOf" if dominant else "allOf": [left, right]}


class Generator:
    """Generates all schemas from one version of the BIDS standard."""

    def __init__(self) -> None:
        self._standard = json.loads(bidsschematools.schema.load_schema().to_json())
        self._output = Output()
        self._prefix = f"urn:bidsanon:bids-{self._standard['bids_version']}"
        entities = self._standard["objects"]["entities"]
        self._entity_names = {name: entity["name"] for name, entity in entities.items()}

    def generate(self) -> Output:
        """Generate everything."""
        for kind in self._kinds():
            self._sidecar(kind)
        return self._output

    def head(self, name: str, title: str) -> Schema:
        """Return how each generated schema begins."""
        versions = f"BIDS {self._standard['bids_version']}"
        tool = f"bidsschematools {version('bidsschematools')}"
        return {
            "$schema": DIALECT,
            "$id": f"{self._prefix}:{name}",
            "title": title,
            "$comment": f"generated by schemas/generate.py from {versions} as in {tool}",
        }

    def dataset_description(self) -> Schema:
        """Generate the schema of dataset_description.json."""
        fields = self._standard["rules"]["json"]["dataset"]["dataset_description"]["fields"]
        schema = self.head("dataset_description", "dataset_description.json of a raw dataset")
        return schema | {"type": "object"} | self._levels(fields, inline=True)

    def columns(self, name: str, title: str) -> Schema:
        """Generate the schema of a JSON file that describes the columns of a table."""
        fields = dict.fromkeys(_COLUMN_FIELDS, "optional")
        column = {"type": "object"} | self._levels(fields, inline=True)
        schema = self.head(name, title) | {"type": "object", "additionalProperties": column}
        if name == "participants":
            schema["properties"] = {"age": column | _AGE}
        return schema

    def _kinds(self) -> Iterator[Kind]:
        found: set[tuple[str, str]] = set()
        for group in self._standard["rules"]["files"]["raw"].values():
            for rule in group.values():
                images = {".nii", ".nii.gz"} & set(rule.get("extensions", ()))
                datatypes = set(rule.get("datatypes", ())) & set(DATATYPES)
                if images:
                    found |= {(d, suffix) for d in datatypes for suffix in rule["suffixes"]}
        return (Kind(*pair) for pair in sorted(found))

    def _sidecar(self, kind: Kind) -> None:
        name = f"{kind.datatype}_{kind.suffix}"
        always: list[str] = []
        by_entity: dict[str, list[str]] = {}
        for rule, entity in self._rules_for(kind):
            (by_entity.setdefault(entity, []) if entity else always).append(rule)
        title = f"Sidecar of {kind.datatype}/*_{kind.suffix}.nii.gz, inheritance merged"
        schema = self.head(f"sidecar:{name}", title) | {
            "type": "object",
            "allOf": [self._reference("rules", rule) for rule in always],
        }
        if by_entity:
            schema["$defs"] = {
                entity: {"allOf": [self._reference("rules", rule) for rule in rules]}
                for entity, rules in sorted(by_entity.items())
            }
        self._output.sidecars[name] = schema

    def _rules_for(self, kind: Kind) -> Iterator[tuple[str, str]]:
        """Yield the rules that hold for a kind of image, each with the entity it depends on."""
        rules = self._standard["rules"]
        for name, rule in _flatten(rules["sidecars"], "fields"):
            yield from self._apply(kind, name, rule, self._requirement)
        for name, rule in _flatten(rules["checks"], "checks"):
            if rule["issue"]["level"] == "error" and "sidecar" in json.dumps(rule):
                yield from self._apply(kind, f"checks.{name}", rule, self._check)

    def _apply(
        self, kind: Kind, name: str, rule: Schema, define: Callable[[Case], Schema | None]
    ) -> Iterator[tuple[str, str]]:
        case = Case(kind, name, rule, Translator(kind, self._entity_names))
        entities: list[Entity] = []
        for selector in rule["selectors"]:
            try:
                condition = case.translator.condition(selector)
            except NotExpressibleError as error:
                case.unclear.append((selector, _reason(selector, error)))
                continue
            if condition is False:
                return
            if isinstance(condition, Entity):
                entities.append(condition)
            elif isinstance(condition, dict):
                case.conditions.append(condition)
        definition = define(case)
        if definition is None:
            return
        if self._output.rules.setdefault(name, definition) != definition:
            message = f"{name} does not mean the same for {kind.datatype}/{kind.suffix}"
            raise ValueError(message)
        yield name, "+".join(entity.definition for entity in entities)

    def _requirement(self, case: Case) -> Schema:
        """Define a rule that says which fields are required, recommended or deprecated."""
        levels = self._levels(case.rule["fields"])
        for key, level in case.rule["fields"].items():
            prose = isinstance(level, dict) and level.get("level_addendum")
            if prose and ("required" in prose or "mutually" in prose):
                reason = "written in prose; another rule may say it in part"
                self._output.leave_out(case, f"{key}: {prose}", reason)
        types: Schema = {"properties": levels.pop("properties")}
        for selector, reason in case.unclear:
            self._output.leave_out(case, selector, reason)
        return types if case.unclear else types | _when(case.conditions, levels)

    def _check(self, case: Case) -> Schema | None:
        """Define a rule that compares values, or nothing where it cannot be said."""
        translated: list[Condition] = []
        for check in case.rule["checks"]:
            try:
                translated.append(case.translator.condition(check))
            except NotExpressibleError as error:
                case.unclear.append((check, _reason(check, error)))
        for expression, reason in case.unclear:
            self._output.leave_out(case, expression, reason)
        schemas = [schema for schema in translated if isinstance(schema, dict)]
        if case.unclear or not schemas:
            return None
        meaning = " ".join(case.rule["issue"]["message"].split())
        consequence = {"allOf": schemas} if len(schemas) > 1 else schemas[0]
        return {"description": meaning} | _when(case.conditions, consequence)

    def _levels(self, fields: Schema, *, inline: bool = False) -> Schema:
        by_level: dict[str, list[str]] = {}
        properties: Schema = {}
        for key, level in fields.items():
            name = self._standard["objects"]["metadata"][key]["name"]
            level_name = level if isinstance(level, str) else level["level"]
            by_level.setdefault(level_name, []).append(name)
            properties[name] = self._field(key) if inline else self._reference("metadata", key)
            if not inline:
                self._output.metadata[key] = self._field(key)
        levels: Schema = {"properties": dict(sorted(properties.items()))}
        for level, keyword in (
            ("required", "required"),
            ("recommended", "x-recommended"),
            ("deprecated", "x-deprecated"),
        ):
            if level in by_level:
                levels[keyword] = sorted(by_level[level])
        return levels

    def _field(self, key: str) -> Schema:
        return self._fragment(self._standard["objects"]["metadata"][key])

    def _fragment(self, fragment: Schema) -> Schema:
        """Turn one of BIDS's fragments, which are nearly JSON Schema, into JSON Schema."""
        schema: Schema = {}
        for keyword, value in fragment.items():
            if keyword == "format":
                pattern = self._standard["objects"]["formats"][value]["pattern"]
                schema["pattern"] = f"^(?:{pattern})$"
            elif keyword == "properties":
                schema[keyword] = {name: self._fragment(part) for name, part in value.items()}
            elif keyword == "anyOf":
                schema[keyword] = [self._fragment(part) for part in value]
            elif keyword in {"items", "additionalProperties"} and isinstance(value, dict):
                schema[keyword] = self._fragment(value)
            elif keyword in _ANNOTATIONS:
                schema[_ANNOTATIONS[keyword]] = value
            elif keyword in _KEPT:
                schema[keyword] = value
        return schema

    def _reference(self, file: str, definition: str) -> Schema:
        return {"$ref": f"{self._prefix}:{file}#/$defs/{definition}"}


def _flatten(node: Schema, marker: str, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Schema]]:
    if "selectors" in node and marker in node:
        yield ".".join(path), node
        return
    for name, child in node.items():
        if isinstance(child, dict):
            yield from _flatten(child, marker, (*path, name))


def _when(conditions: list[Schema], consequence: Schema) -> Schema:
    if not conditions or not consequence:
        return consequence
    return {
        "if": {"allOf": conditions} if len(conditions) > 1 else conditions[0],
        "then": consequence,
    }


def _reason(expression: str, error: NotExpressibleError) -> str:
    names = set(re.findall(r"[A-Za-z_]+", expression))
    if names & _THE_IMAGE:
        return "needs the image itself"
    if names & _OTHER_FILES or "exists(" in expression:
        return "needs other files of the dataset"
    if "lacks" in str(error):
        return "says what holds when the name lacks an entity"
    return "computes with several values"


def write_all(folder: Path) -> None:
    """Write every generated file into a folder, which is emptied first."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "sidecars").mkdir(parents=True)
    generator = Generator()
    output = generator.generate()
    title = "Metadata fields of MRI and PET sidecars"
    metadata = generator.head("metadata", title) | {"$defs": dict(sorted(output.metadata.items()))}
    title = "Rules of BIDS about MRI and PET sidecars"
    rules = generator.head("rules", title) | {"$defs": dict(sorted(output.rules.items()))}
    _write(folder / "metadata.schema.json", metadata)
    _write(folder / "rules.schema.json", rules)
    for name, schema in output.sidecars.items():
        _write(folder / "sidecars" / f"{name}.schema.json", schema)
    _write(folder / "dataset_description.schema.json", generator.dataset_description())
    for name in ("participants", "scans"):
        _write(folder / f"{name}.schema.json", generator.columns(name, f"{name}.json"))
    _write_not_expressed(folder / "not_expressed.tsv", output)


def _write(path: Path, schema: Schema) -> None:
    path.write_text(_compact(schema) + "\n", "utf-8")


def _compact(value: Any, indent: int = 0, *, key: str = "", width: int = 100) -> str:
    """Format JSON with short values on one line: readable, and a quarter of the lines."""
    label = f"{json.dumps(key)}: " if key else ""
    line = label + json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or not value or len(line) + indent < width:
        return line
    if isinstance(value, dict):
        parts = [_compact(part, indent + 1, key=name) for name, part in value.items()]
        brackets = "{}"
    else:
        parts = [_compact(part, indent + 1) for part in value]
        brackets = "[]"
    body = ",".join(f"\n{' ' * (indent + 1)}{part}" for part in parts)
    return f"{label}{brackets[0]}{body}\n{' ' * indent}{brackets[1]}"


def _write_not_expressed(path: Path, output: Output) -> None:
    lines = ["rule\twhat\treason\tholds_for"]
    for (rule, what, reason), kinds in sorted(output.not_expressed.items()):
        lines.append("\t".join([rule, what, reason, _summarise(kinds)]))
    path.write_text("\n".join(lines) + "\n", "utf-8")


def _summarise(kinds: set[str]) -> str:
    by_datatype: dict[str, list[str]] = {}
    for kind in sorted(kinds):
        datatype, suffix = kind.split("/")
        by_datatype.setdefault(datatype, []).append(suffix)
    return "; ".join(f"{d}: {' '.join(suffixes)}" for d, suffixes in by_datatype.items())


def main() -> None:
    """Write the schemas."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = Path(__file__).resolve().parent / "bids"
    parser.add_argument("folder", nargs="?", type=Path, default=default, help="where to write")
    write_all(parser.parse_args().folder)


if __name__ == "__main__":
    main()
