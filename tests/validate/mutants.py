"""Sidecars that are right but for one change, each in a subject of its own of one dataset.

One run of the official validator over the dataset says what it says of each of them.
"""

from __future__ import annotations

import gzip
import json
import subprocess
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bidsschematools.schema
from jsonschema import Draft202012Validator
from sessions.converted import nifti

from bidsanon.bids.names import entity_facts, name_rules, parse_name
from bidsanon.bids.standard import Schema, data_kinds, resolve, sidecar_rules
from bidsanon.bids.tree import list_tree
from bidsanon.external import BIDS_VALIDATOR, require_program
from bidsanon.findings import Finding, Severity
from bidsanon.validate import check_schemas
from bidsanon.validate.official import bids_schema_file

MISSING, INVALID, BROKEN = "missing", "invalid", "broken"
Said = set[tuple[str, str]]

_DESCRIPTION = {"Name": "Mutants", "BIDSVersion": "1.10.0", "Authors": ["A", "B"]}
_PLACES = {"SCHEMA_REQUIRED_MISSING": MISSING, "SCHEMA_VALUE_INVALID": INVALID}
_SCREEN = {
    "ScreenDistance": 1,
    "ScreenOrigin": ["top", "left"],
    "ScreenResolution": [1, 1],
    "ScreenSize": [1, 1],
}


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """A sidecar.

    ``kind`` is the name of its data without the subject: ``func/task-rest_bold``.
    """

    kind: str
    sidecar: dict[str, Any]

    @property
    def extension(self) -> str:
        extensions = data_kinds()[parts_of(self.kind)].extensions
        return ".nii.gz" if ".nii.gz" in extensions else extensions[0]


def parts_of(kind: str) -> tuple[str, str]:
    """Return the datatype and the suffix of a kind's name."""
    datatype, _, name = kind.partition("/")
    return datatype, name.rpartition("_")[2]


def write_mutants(root: Path, mutants: list[Mutant]) -> dict[str, Mutant]:
    """Write a dataset; return which mutant stands where, by the path without its extension."""
    (root / "README").write_text("Sidecars that are right but for one change.\n" * 5)
    (root / "dataset_description.json").write_text(json.dumps(_DESCRIPTION))
    written = {}
    for number, mutant in enumerate(mutants, start=1):
        subject = f"sub-{number:05d}"
        datatype, name = mutant.kind.split("/")
        stem = f"{subject}/{datatype}/{subject}_{name}"
        _write(root / f"{stem}{mutant.extension}")
        (root / f"{stem}.json").write_text(json.dumps(mutant.sidecar))
        if parts_of(mutant.kind)[1].startswith("physio"):
            _write_beside(root / stem)
        written[stem] = mutant
    return written


def _write(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.name.endswith(".nii.gz"):
        path.write_bytes(gzip.compress(nifti(), mtime=0))
    elif path.name.endswith(".tsv.gz"):
        path.write_bytes(gzip.compress(b"1\t2\n", mtime=0))
    else:
        path.write_text("onset\tduration\n1\t2\n")


def _write_beside(stem: Path) -> None:
    """Write what the official validator crashes without: recordings have events."""
    name = stem.name.rpartition("_")[0]
    _write(stem.with_name(f"{name}_events.tsv"))
    events = {"StimulusPresentation": _SCREEN}
    stem.with_name(f"{name}_events.json").write_text(json.dumps(events))
    if stem.name.endswith("physioevents"):
        _write(stem.with_name(f"{name}_physio.tsv.gz"))
        recording = {"SamplingFrequency": 1, "StartTime": 0, "Columns": ["a", "b"]}
        stem.with_name(f"{name}_physio.json").write_text(json.dumps(recording))


def said_by_official(root: Path) -> dict[str, Said]:
    """Return the errors of the official validator that a schema could raise, by sidecar."""
    command = [str(require_program(BIDS_VALIDATOR)), str(root), "--format", "json"]
    schema = ["--schema", bids_schema_file().as_uri()]
    ended = subprocess.run([*command, *schema], capture_output=True, text=True, check=False)
    assert ended.returncode in {0, 16}, ended.stderr
    rules, fields = _codes()
    said: dict[str, Said] = defaultdict(set)
    for issue in json.loads(ended.stdout)["issues"]["issues"]:
        place = _stem(issue.get("location", "").removeprefix("/"))
        code, key = issue["code"], str(issue.get("subCode"))
        if issue["severity"] != Severity.ERROR:
            continue
        if code in {"SIDECAR_KEY_REQUIRED", "JSON_KEY_REQUIRED"}:
            said[place].add((MISSING, key))
        elif code == "JSON_SCHEMA_VALIDATION_ERROR":
            said[place].add((INVALID, key))
        elif code in fields:
            said[place].add((MISSING, fields[code]))
        elif code in rules:
            said[place].add((BROKEN, rules[code]))
    return said


def said_by_schemas(root: Path) -> dict[str, Said]:
    """Return the errors of the schemas, by sidecar."""
    said: dict[str, Said] = defaultdict(set)
    for found in check_schemas(list_tree(root)):
        if found.severity is Severity.ERROR:
            path, _, pointer = found.location.partition("#")
            said[_stem(path)].add(_told(found, pointer))
    return said


def _told(found: Finding, pointer: str) -> tuple[str, str]:
    if found.code == "SCHEMA_RULE_BROKEN":
        return BROKEN, found.message.rpartition("(rule ")[2].removesuffix(")")
    _, key, *deeper = pointer.split("/")
    return (INVALID if deeper else _PLACES[found.code]), key


def _codes() -> tuple[dict[str, str], dict[str, str]]:
    """Return the rules that the schemas hold, and fields with a code of their own, by code."""
    standard = json.loads(bidsschematools.schema.load_schema().to_json())["rules"]
    said = {rule.name for kind in data_kinds() for rule in sidecar_rules(*kind)}
    rules, fields = {}, {}
    for group, checks in standard["checks"].items():
        for name, rule in checks.items():
            if f"checks.{group}.{name}" in said:
                rules[rule["issue"]["code"]] = f"checks.{group}.{name}"
    for requirements in standard["sidecars"].values():
        for requirement in requirements.values():
            for name, level in requirement.get("fields", {}).items():
                if isinstance(level, dict) and "issue" in level:
                    fields[level["issue"]["code"]] = name
    return rules, fields


def _stem(path: str) -> str:
    return path.removesuffix(parse_name(path).extension)


def kind_name(datatype: str, suffix: str) -> str:
    """Return the shortest name of data of a kind: with the entities that it must have."""
    for rule in name_rules():
        if datatype in rule["datatypes"] and suffix in rule["suffixes"]:
            needed = [e for e, required in rule["entities"].items() if required and e != "sub"]
            labels = [
                f"{entity}-{_label(entity)}_" for entity in entity_facts() if entity in needed
            ]
            return f"{datatype}/{''.join(labels)}{suffix}"
    raise KeyError((datatype, suffix))


def _label(entity: str) -> str:
    facts = entity_facts()[entity]
    return "1" if facts["format"] == "index" else str((facts["enum"] or ["x"])[0])


def right_sidecar(kind: str) -> dict[str, Any]:
    """Make the smallest sidecar that the schemas have nothing to say against."""
    name = parse_name(f"sub-01/{kind.partition('/')[0]}/sub-01_{kind.partition('/')[2]}.nii.gz")
    rules = [r for r in sidecar_rules(name.datatype, name.suffix) if r.holds_for(name.entities)]
    schemas = [resolve(rule.schema) for rule in rules if not rule.is_warning]
    content: dict[str, Any] = {}
    for _ in range(5):  # what is required can require more
        for schema in schemas:
            for error in Draft202012Validator(schema).iter_errors(content):
                if error.validator == "required" and not error.absolute_path:
                    lacking = set(error.validator_value) - content.keys()
                    content |= {k: right_value(schema["properties"][k]) for k in lacking}
                elif error.validator == "anyOf":  # one of several fields, all of them numbers
                    content[error.validator_value[0]["required"][0]] = 0.05
    return content


def right_value(schema: Schema) -> Any:
    """Make a value that a schema takes."""
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return right_value(schema["anyOf"][0])
    kind, low = schema["type"], schema.get("minimum", schema.get("exclusiveMinimum", 0))
    if kind == "array":
        return [right_value(schema["items"])] * max(1, schema.get("minItems", 1))
    if kind == "object":
        return {key: right_value(schema["properties"][key]) for key in schema.get("required", ())}
    number = min(low + 1, schema.get("maximum", low + 1))
    text = "12:00:00" if "[0-5]" in schema.get("pattern", "") else "text"
    return {"number": number, "integer": number, "string": text, "boolean": True}[kind]
