"""The JSON files of a dataset against the JSON Schemas in ``schemas/bids``.

Inheritance is resolved first, so what is checked is what holds for an image, a recording or a
table, wherever it is written. What BIDS only advises against is a warning.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import islice
from pathlib import PurePosixPath
from typing import Any

from jsonschema import Draft202012Validator

from bidsanon.bids.ignored import read_ignored
from bidsanon.bids.keys import KeyAction, key_rules
from bidsanon.bids.names import BidsName, parse_name
from bidsanon.bids.root_documents import DESCRIPTION, is_unfilled
from bidsanon.bids.sidecars import MergedSidecar, SidecarError, SidecarTree
from bidsanon.bids.standard import (
    COLUMNS,
    DERIVATIVE,
    Rule,
    Schema,
    data_kinds,
    document_rules,
    resolve,
    sidecar_rules,
)
from bidsanon.bids.tree import DatasetTree
from bidsanon.findings import Finding, finding
from bidsanon.validate.description import ASKED
from bidsanon.validate.schema_findings import findings_of

_AT_ROOT = {
    DESCRIPTION: "dataset_description",
    "genetic_info.json": "genetic_info",
    "participants.json": "participants",
    "samples.json": "samples",
}
_AT_ANY_LEVEL = {"scans", "sessions"}
_ATLAS = "atlas-"
_PHENOTYPE = "phenotype"
_FEW_AUTHORS = "checks.hints.TooFewAuthors"
_MOST_OF_A_RULE = 20
_TOLD_ONCE = {"SCHEMA_REQUIRED_MISSING", "SCHEMA_VALUE_INVALID"}
_NOTHING = MergedSidecar(content={}, origins={})


@dataclass(frozen=True, kw_only=True)
class _Check:
    """A rule of BIDS, ready to be checked.

    ``condition`` is met by the JSON that the rule is about; None where it is about all.
    """

    rule: Rule
    validator: Draft202012Validator
    condition: Draft202012Validator | None

    def recommended(self, content: Mapping[str, Any]) -> list[str]:
        """Return the fields that the rule recommends."""
        schema = self.rule.schema
        if self.condition is not None:
            schema = schema["then"] if self.condition.is_valid(content) else {}
        return list(schema.get("x-recommended", ()))


@dataclass(kw_only=True)
class _Recommendations:
    """Which recommended fields are missing, and in which files."""

    places: dict[tuple[str, tuple[str, ...]], list[str]] = field(default_factory=dict)

    def note(self, name: BidsName, content: Mapping[str, Any], checks: Iterable[_Check]) -> None:
        """Note what a file's JSON lacks."""
        wanted = {key for check in checks for key in check.recommended(content)}
        kind = _document(name) or name.suffix
        asked = ASKED.keys() if name.path == DESCRIPTION else set()
        missing = tuple(sorted(wanted - content.keys() - _never_published() - asked))
        if missing:
            self.places.setdefault((kind, missing), []).append(name.path)

    def findings(self) -> Iterator[Finding]:
        """Yield one for all files of a kind that lack the same fields."""
        for (kind, missing), places in sorted(self.places.items()):
            yield finding(
                "SCHEMA_RECOMMENDED_MISSING",
                location=places[0],
                kind=kind,
                count=len(places),
                keys=", ".join(missing),
            )


def check_schemas(tree: DatasetTree) -> tuple[Finding, ...]:
    """Check a dataset's JSON files against the schemas.

    Parameters
    ----------
    tree
        What the dataset's folder holds.

    Returns
    -------
    tuple of Finding
        Errors where BIDS requires something else, warnings where it advises against it; one info
        for all files of a kind whose recommended fields are missing.
    """
    sidecars = SidecarTree(tree.root)
    derivative = _is_derivative(sidecars)
    recommendations = _Recommendations()
    findings: list[Finding] = []
    done: set[str] = set()
    for name in _names_of(tree):
        try:
            content, rules = _content_and_rules(name, sidecars, derivative=derivative)
        except SidecarError as error:
            path, _, problem = str(error).partition(": ")
            findings.append(finding("SCHEMA_NOT_JSON", location=path, problem=problem))
            continue
        checks = [
            check
            for check in rules
            if check.rule.holds_for(name.entities, derivative=derivative)
            and not _asks_for_authors(check.rule, content.content)
        ]
        own = name.path.removesuffix(name.extension) + ".json"
        if checks and own not in done:
            done.add(own)
            findings += _check(own, content, checks)
            recommendations.note(name, content.content, checks)
    findings += recommendations.findings()
    return tuple(dict.fromkeys(findings))


def _is_derivative(sidecars: SidecarTree) -> bool:
    try:
        return sidecars.read(DESCRIPTION).get("DatasetType") == DERIVATIVE
    except SidecarError:
        return False


def _asks_for_authors(rule: Rule, content: Mapping[str, Any]) -> bool:
    """Tell whether a rule that asks for more authors than one finds none at all: that is asked for.

    Parameters
    ----------
    content
        What is said of a file: only dataset_description.json has the rule.
    """
    return rule.name == _FEW_AUTHORS and is_unfilled(content.get("Authors"))


def _names_of(tree: DatasetTree) -> Iterator[BidsName]:
    """Yield what schemas may say something of: files, and folders that are one recording."""
    seen: set[str] = set()
    ignored = read_ignored(tree.root)
    for file in tree.files:
        parts = PurePosixPath(file.name).parts
        if ignored.hides(file.name):
            continue
        if len(parts) > 1 and parts[0] != _PHENOTYPE and not parts[0].startswith("sub-"):
            continue
        path = _recording_folder(parts) or file.name
        if path not in seen:
            seen.add(path)
            yield parse_name(path)


def _recording_folder(parts: tuple[str, ...]) -> str:
    """Return the folder above a file that is one recording (``.ds``), empty where there is none."""
    for depth, part in enumerate(parts[:-1], start=1):
        if part.endswith(_folder_extensions()):
            return "/".join(parts[:depth])
    return ""


def _content_and_rules(
    name: BidsName, sidecars: SidecarTree, *, derivative: bool
) -> tuple[MergedSidecar, tuple[_Check, ...]]:
    """Return what is said of a file, and the rules about that; no rules where BIDS has none.

    Raises
    ------
    SidecarError
        If a JSON file cannot be understood; the text begins with its path.
    """
    if name.extension == ".json":
        content = sidecars.read(name.path)
        alone = MergedSidecar(content=content, origins=dict.fromkeys(content, name.path))
        document = _document(name)
        return alone, _document_checks(document) if document else _data_checks(
            name, derivative=derivative
        )
    checks = _data_checks(name, derivative=derivative)
    return (sidecars.merged(name.path) if checks else _NOTHING), checks


def _document(name: BidsName) -> str:
    """Say which schema of ``schemas/bids`` is about a JSON file; empty where none is."""
    if name.path.startswith(f"{_PHENOTYPE}/"):
        return _PHENOTYPE
    if name.suffix in _AT_ANY_LEVEL:
        return name.suffix
    if name.path.startswith(_ATLAS) and name.suffix == "description" and "/" not in name.path:
        return "description"
    return _AT_ROOT.get(name.path, "")


def _check(own: str, said: MergedSidecar, checks: Iterable[_Check]) -> Iterator[Finding]:
    """Check what is said of a file; ``own`` is the JSON file beside it, there or not.

    What several rules ask for is told once.
    """
    content, told = dict(said.content), set[tuple[str, str]]()

    def file_of(key: str) -> str:
        return said.origins.get(key, own)

    for check in checks:
        broken = check.validator.iter_errors(content)
        found = (f for error in broken for f in findings_of(error, check.rule, file_of))
        for one in islice(found, _MOST_OF_A_RULE):
            if (one.code, one.location) not in told or one.code not in _TOLD_ONCE:
                yield one
            told.add((one.code, one.location))
        if next(found, None) is not None:
            yield finding(
                "SCHEMA_MORE_PLACES", location=own, rule=check.rule.name, count=_MOST_OF_A_RULE
            )


def _data_checks(name: BidsName, *, derivative: bool) -> tuple[_Check, ...]:
    """Return the rules about data of a kind; none where JSON is written beside other data."""
    kind = data_kinds().get((name.datatype, name.suffix))
    if kind is None or not {name.extension, f"{name.extension}/"} & set(kind.extensions):
        return ()
    return _sidecar_checks(name.datatype, name.suffix, derivative=derivative)


@cache
def _sidecar_checks(datatype: str, suffix: str, *, derivative: bool) -> tuple[_Check, ...]:
    rules = sidecar_rules(datatype, suffix)
    return tuple(map(_ready, map(_asked_of_derivatives, rules) if derivative else rules))


def _asked_of_derivatives(rule: Rule) -> Rule:
    """Return what a rule asks for in a derivative.

    Only the rules about derivatives ask for fields there; the others say what a field looks like.
    """
    if DERIVATIVE in rule.given or rule.name == COLUMNS or "description" in rule.schema:
        return rule
    return replace(rule, schema={"properties": rule.schema["properties"]})


@cache
def _document_checks(name: str) -> tuple[_Check, ...]:
    return tuple(map(_ready, document_rules(name)))


def _ready(rule: Rule) -> _Check:
    schema: Schema = resolve(rule.schema)
    return _Check(
        rule=rule,
        validator=Draft202012Validator(schema),
        condition=Draft202012Validator(schema["if"]) if "if" in schema else None,
    )


@cache
def _never_published() -> frozenset[str]:
    """Return the fields that BIDS recommends and that say who, where or when."""
    rules = key_rules().values()
    return frozenset(rule.key for rule in rules if rule.action is KeyAction.REMOVE)


@cache
def _folder_extensions() -> tuple[str, ...]:
    """Return the extensions of folders that are one recording."""
    extensions = {e for kind in data_kinds().values() for e in kind.extensions}
    return tuple(e.removesuffix("/") for e in sorted(extensions) if e.endswith("/") and len(e) > 1)
