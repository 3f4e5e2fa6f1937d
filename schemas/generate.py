"""Write the JSON Schemas of a BIDS dataset's JSON files from the machine-readable BIDS standard.

Run ``python schemas/generate.py``; it needs bidsschematools and no network. What it writes to
``schemas/bids`` is committed, and a test holds it equal to what this script writes.

- ``metadata.schema.json``: one definition for each metadata field.
- ``rules.schema.json``: one definition for each rule of BIDS, under BIDS's own name.
- ``columns.schema.json``: what describes a column of a table.
- ``sidecars/<datatype>_<suffix>.schema.json``: which rules hold for the JSON of that kind of data.
  Rules that ask for more than the JSON itself stand under ``$defs``, by what they ask for
  (``entity:<entity>``, ``derivative``), and so does what only deserves a warning.
- ``<name>.schema.json``: the same for the JSON files at a dataset's root.
- ``kinds.tsv``: the kinds of data, and which extensions they have.
- ``not_expressed.tsv``: what BIDS says and JSON Schema cannot, with the reason for each.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import bidsschematools.schema
from conditions import Condition, Given, Kind, NotExpressibleError, Schema, Translator
from writing import Row, write_kinds, write_not_expressed, write_schema

DIALECT = "https://json-schema.org/draft/2020-12/schema"
WARNING = "warning"
COLUMNS = "columns"

DOCUMENTS = {
    "dataset_description.json, of a raw dataset or a derivative": Kind(
        suffix="dataset_description", path="/dataset_description.json", alone=True
    ),
    "genetic_info.json": Kind(suffix="genetic_info", path="/genetic_info.json", alone=True),
    "atlas-<label>_description.json": Kind(suffix="description", alone=True),
    "participants.json": Kind(
        suffix="participants", path="/participants.tsv", extensions=(".tsv",)
    ),
    "samples.json": Kind(suffix="samples", path="/samples.tsv", extensions=(".tsv",)),
    "sessions.json, at any level": Kind(suffix="sessions", extensions=(".tsv",)),
    "scans.json, at any level": Kind(suffix="scans", extensions=(".tsv",)),
    "phenotype/<name>.json": Kind(datatype="phenotype", extensions=(".tsv",)),
}

_ANNOTATIONS = {"unit": "x-unit", "recommended": "x-recommended"}
_DROPPED = frozenset(["name", "display_name", "description"])
_KEPT = frozenset(
    [
        "type",
        "enum",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "minItems",
        "maxItems",
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
_ROOT_NAMES = {kind.name for kind in DOCUMENTS.values()}
_BESIDE_DATA = {".json", ".bval", ".bvec"}
_OTHER_FILES = {"dataset", "associations", "subject", "columns", "index"}
_THE_IMAGE = {"nifti_header", "gzip", "ome", "size", "tiff"}


@dataclass(frozen=True)
class Case:
    """One rule of BIDS, looked at for one kind of file.

    Attributes
    ----------
    kind
        The kind of file.
    name
        The rule's name in the standard.
    rule
        What the standard says.
    translator
        Translates its expressions.
    conditions
        Those of its selectors that are about the JSON.
    unclear
        Those that JSON Schema cannot say, each with the reason.
    """

    kind: Kind
    name: str
    rule: Schema
    translator: Translator
    conditions: list[Schema] = field(default_factory=list)
    unclear: list[tuple[str, str]] = field(default_factory=list)

    @property
    def level(self) -> str:
        """How much the rule weighs: "error" or "warning"; "fields" where each field says it."""
        return str(self.rule["issue"]["level"]) if "issue" in self.rule else "fields"


@dataclass
class Output:
    """What has been generated so far."""

    metadata: dict[str, Schema] = field(default_factory=dict)
    rules: dict[str, Schema] = field(default_factory=dict)
    sidecars: dict[str, Schema] = field(default_factory=dict)
    documents: dict[str, Schema] = field(default_factory=dict)
    not_expressed: dict[Row, set[str]] = field(default_factory=dict)

    def leave_out(self, case: Case, what: str, reason: str) -> None:
        """Note what JSON Schema cannot say."""
        row = (case.name, case.level, " ".join(what.split()), reason)
        self.not_expressed.setdefault(row, set()).add(case.kind.name)


class Generator:
    """Generates all schemas from one version of the BIDS standard."""

    def __init__(self) -> None:
        self._standard = json.loads(bidsschematools.schema.load_schema().to_json())
        self._output = Output()
        self._bids = f"bids-{self._standard['bids_version']}"
        self._tool = f"bidsschematools-{version('bidsschematools')}"
        self._prefix = f"urn:bidsanon:{self._bids}:{self._tool}"
        entities = self._standard["objects"]["entities"]
        self._entity_names = {name: entity["name"] for name, entity in entities.items()}

    def generate(self) -> Output:
        """Generate everything."""
        for kind in self.kinds():
            extensions = " ".join(kind.extensions)
            title = f"JSON of {kind.datatype}/*_{kind.suffix} ({extensions}), inheritance merged"
            self._output.sidecars[kind.name] = self._schema(kind, title)
        for title, kind in DOCUMENTS.items():
            self._output.documents[kind.name] = self._schema(kind, title)
        return self._output

    def head(self, name: str, title: str) -> Schema:
        """Return how each generated schema begins."""
        return {
            "$schema": DIALECT,
            "$id": f"{self._prefix}:{name}",
            "title": title,
            "$comment": f"generated by schemas/generate.py from {self._bids} as in {self._tool}",
        }

    def kinds(self) -> Iterator[Kind]:
        """Yield the kinds of data in subjects' folders that may have JSON, sorted by name."""
        extensions: dict[tuple[str, str], list[str]] = {}
        for rule in self._file_rules():
            if ".json" not in rule.get("extensions", ()):
                continue
            for datatype in rule.get("datatypes", ()):
                for suffix in rule["suffixes"]:
                    extensions.setdefault((datatype, suffix), []).extend(rule["extensions"])
        modalities = self._standard["rules"]["modalities"].items()
        of_datatype = {d: name for name, modality in modalities for d in modality["datatypes"]}
        for (datatype, suffix), found in sorted(extensions.items()):
            data = tuple(dict.fromkeys(e for e in found if e not in _BESIDE_DATA))
            yield Kind(
                datatype=datatype,
                suffix=suffix,
                modality=of_datatype[datatype],
                extensions=data or (".json",),
                alone=not data,
            )

    def raw_kinds(self) -> frozenset[tuple[str, str]]:
        """Return the kinds of data that raw datasets may hold."""
        rules = list(self._file_rules("raw"))
        return frozenset(
            (d, s) for r in rules for d in r.get("datatypes", ()) for s in r["suffixes"]
        )

    def columns(self) -> Schema:
        """Generate the schema of what describes a column of a table."""
        fields = dict.fromkeys(_COLUMN_FIELDS, "optional")
        column = {"type": "object"} | self._levels(fields, inline=True)
        definitions = {"column": column, "age": column | _AGE}
        return self.head(COLUMNS, "A column of a table") | {"$defs": definitions}

    def _file_rules(self, *sources: str) -> Iterator[Schema]:
        for source in sources or ("raw", "deriv"):
            for group in self._standard["rules"]["files"][source].values():
                yield from group.values()

    def _schema(self, kind: Kind, title: str) -> Schema:
        always: list[str] = []
        given: dict[str, list[str]] = {}
        fields: set[str] = set()
        for rule, condition in self._rules_for(kind):
            (given.setdefault(condition, []) if condition else always).append(rule)
            fields |= set(self._output.rules[rule].get("properties", ()))
        where = "sidecar:" if kind.datatype and kind.suffix else ""
        schema = self.head(f"{where}{kind.name}", title) | {"type": "object"}
        if always:
            schema["allOf"] = [self._reference("rules", rule) for rule in always]
        definitions = {
            condition: {"allOf": [self._reference("rules", rule) for rule in rules]}
            for condition, rules in sorted(given.items())
        }
        if kind.extensions[0].startswith(".tsv"):
            schema |= self._columns_of(kind, fields)
        return schema | ({"$defs": definitions} if definitions else {})

    def _columns_of(self, kind: Kind, fields: Iterable[str]) -> Schema:
        """Say what else the JSON of a table holds: its columns.

        In subjects' folders other keys than columns may stand there too.
        """
        column = self._reference(COLUMNS, "column")
        properties: Schema = dict.fromkeys(sorted(fields), True)
        if kind.suffix == "participants":
            properties["age"] = self._reference(COLUMNS, "age")
        apart = kind.datatype and kind.suffix
        return {
            "properties": properties,
            "additionalProperties": {"if": {"type": "object"}, "then": column} if apart else column,
        }

    def _rules_for(self, kind: Kind) -> Iterator[tuple[str, str]]:
        """Yield the rules that hold for a kind of file, each with what it asks for beside it."""
        rules = self._standard["rules"]
        for name, rule in _flatten(rules["json" if kind.alone else "sidecars"], "fields"):
            yield from self._apply(kind, name, rule, self._requirement)
        for name, rule in _flatten(rules["checks"], "checks"):
            if f"{kind.content}." in json.dumps(rule) or f"in {kind.content}" in json.dumps(rule):
                yield from self._apply(kind, f"checks.{name}", rule, self._check)

    def _apply(
        self, kind: Kind, name: str, rule: Schema, define: Callable[[Case], Schema | None]
    ) -> Iterator[tuple[str, str]]:
        case = Case(kind, name, rule, Translator(kind, self._entity_names))
        given: list[str] = []
        for selector in rule["selectors"]:
            try:
                condition = case.translator.condition(selector)
            except NotExpressibleError as error:
                case.unclear.append((selector, _reason(selector, error)))
                continue
            if condition is False or _never(condition, kind):
                return
            if isinstance(condition, Given):
                given.append(condition.asked)
            elif isinstance(condition, dict):
                case.conditions.append(condition)
        definition = define(case)
        if definition is None:
            return
        if self._output.rules.setdefault(name, definition) != definition:
            raise ValueError(f"{name} does not mean the same for {kind.name}")
        if case.level == WARNING:
            given.append(WARNING)
        yield name, "+".join(given)

    def _requirement(self, case: Case) -> Schema:
        """Define a rule that says which fields are required, recommended or deprecated."""
        levels = self._levels(case.rule["fields"])
        for key, level in case.rule["fields"].items():
            prose = isinstance(level, dict) and level.get("level_addendum")
            if prose:
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
            elif keyword not in _DROPPED:
                raise ValueError(f"what is the keyword {keyword}?")
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


def _never(condition: Condition, kind: Kind) -> bool:
    """Tell whether a condition asks for an entity that no file of a dataset's root has."""
    if not isinstance(condition, Given) or (kind.datatype and kind.suffix):
        return False
    return condition.asked.startswith("entity:") and condition.asked != "entity:atlas"


def _reason(expression: str, error: NotExpressibleError) -> str:
    names = set(re.findall(r"[A-Za-z_]+", expression))
    if names & _THE_IMAGE:
        return "needs the image itself"
    if "_StandardTemplateCoordSys" in expression:
        return "says what holds for some values of an entity"
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
    metadata = generator.head("metadata", "Metadata fields of BIDS")
    write_schema(folder / "metadata.schema.json", metadata | {"$defs": _sorted(output.metadata)})
    rules = generator.head("rules", "Rules of BIDS about JSON files")
    write_schema(folder / "rules.schema.json", rules | {"$defs": _sorted(output.rules)})
    write_schema(folder / "columns.schema.json", generator.columns())
    for name, schema in output.documents.items():
        write_schema(folder / f"{name}.schema.json", schema)
    for name, schema in output.sidecars.items():
        write_schema(folder / "sidecars" / f"{name}.schema.json", schema)
    write_kinds(folder / "kinds.tsv", generator.kinds(), generator.raw_kinds())
    write_not_expressed(folder / "not_expressed.tsv", output.not_expressed, _ROOT_NAMES)


def _sorted(definitions: dict[str, Schema]) -> dict[str, Schema]:
    return dict(sorted(definitions.items()))


def main() -> None:
    """Write the schemas."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = Path(__file__).resolve().parent / "bids"
    parser.add_argument("folder", nargs="?", type=Path, default=default, help="where to write")
    write_all(parser.parse_args().folder)


if __name__ == "__main__":
    main()
