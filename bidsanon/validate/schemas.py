"""Sidecars and the dataset's own JSON files against the JSON Schemas in ``schemas/bids``.

Inheritance is resolved first, so what is checked is what holds for an image, wherever it is
written. A finding names the rule of BIDS, and holds no value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from bidsanon.bids.keys import KeyAction, key_rules
from bidsanon.bids.names import BidsName
from bidsanon.bids.sidecars import MergedSidecar, SidecarError, SidecarTree, read_json_file
from bidsanon.bids.standard import SidecarRule, document_schema, resolve, sidecar_rules
from bidsanon.findings import Finding, finding
from bidsanon.validate.images import dataset_images

_DOCUMENTS = ("dataset_description", "participants", "scans")
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


@dataclass(frozen=True, kw_only=True)
class _Check:
    """A rule of BIDS, ready to be checked.

    ``condition`` is met by the sidecars that the rule is about; None where it is about all.
    """

    rule: SidecarRule
    validator: Draft202012Validator
    condition: Draft202012Validator | None

    def recommended(self, content: dict[str, Any]) -> list[str]:
        """Return the fields that the rule recommends for a sidecar."""
        schema = self.rule.schema
        if self.condition is not None:
            schema = schema["then"] if self.condition.is_valid(content) else {}
        return list(schema.get("x-recommended", ()))


def check_schemas(root: Path) -> tuple[Finding, ...]:
    """Check a dataset's JSON files against the schemas.

    Parameters
    ----------
    root
        The dataset's folder.

    Returns
    -------
    tuple of Finding
        Errors where BIDS requires something else; one info for each kind of image whose
        recommended fields are missing.
    """
    findings: list[Finding] = []
    for name in _DOCUMENTS:
        if (root / f"{name}.json").is_file():
            findings += _check_document(root, name)
    tree = SidecarTree(root)
    recommended: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for image in dataset_images(root):
        checks = [c for c in _checks(image.datatype, image.suffix) if _holds(c, image)]
        if not checks:
            continue
        try:
            sidecar = tree.merged(image.path)
        except SidecarError as error:
            path, _, problem = str(error).partition(": ")
            findings.append(finding("SCHEMA_NOT_JSON", location=path, problem=problem))
            continue
        findings += _check_sidecar(image, sidecar, checks)
        wanted = {key for check in checks for key in check.recommended(dict(sidecar.content))}
        missing = tuple(sorted(wanted - sidecar.content.keys() - _never_published()))
        if missing:
            recommended.setdefault((image.suffix, missing), []).append(image.path)
    findings += _summarise(recommended)
    return tuple(dict.fromkeys(findings))


def _check_document(root: Path, name: str) -> Iterator[Finding]:
    path = f"{name}.json"
    try:
        content = read_json_file(root / path)
    except SidecarError as error:
        yield finding("SCHEMA_NOT_JSON", location=path, problem=error)
        return
    for broken in Draft202012Validator(document_schema(name)).iter_errors(content):
        yield from _findings(broken, rule=name, file_of=lambda _key: path)


def _check_sidecar(
    image: BidsName, sidecar: MergedSidecar, checks: list[_Check]
) -> Iterator[Finding]:
    own = image.path.removesuffix(image.extension) + ".json"
    for check in checks:
        rule = check.rule
        for error in check.validator.iter_errors(dict(sidecar.content)):
            if "description" in rule.schema:
                meaning = rule.schema["description"]
                yield finding("SCHEMA_RULE_BROKEN", location=own, rule=rule.name, meaning=meaning)
            else:
                yield from _findings(
                    error, rule=rule.name, file_of=lambda key: sidecar.origins.get(key, own)
                )


def _findings(
    error: ValidationError, *, rule: str, file_of: Callable[[str], str]
) -> Iterator[Finding]:
    """Say what an error of jsonschema means, without the value that its own text quotes.

    Parameters
    ----------
    file_of
        Gives the file that holds a key of the sidecar, or should.
    """
    parts = [str(part) for part in error.absolute_path]
    pointer = "".join(f"/{part}" for part in parts)
    keyword, value = str(error.validator), cast("Any", error.validator_value)
    if keyword == "required":
        for key in value:
            if key not in cast("Any", error.instance):
                location = f"{file_of([*parts, key][0])}#{pointer}/{key}"
                yield finding("SCHEMA_REQUIRED_MISSING", location=location, key=key, rule=rule)
        return
    yield finding(
        "SCHEMA_VALUE_INVALID",
        location=f"{file_of(parts[0] if parts else '')}#{pointer}",
        key=next((part for part in reversed(parts) if not part.isdigit()), "the object"),
        problem=_problem(keyword, value),
        rule=rule,
    )


def _problem(keyword: str, value: Any) -> str:
    if keyword in _BOUNDS:
        return f"{_BOUNDS[keyword]} {value}"
    if keyword == "type":
        return f"is not of the type {value}"
    if keyword == "enum":
        allowed = ", ".join(map(str, value[:_SHORT_ENUM]))
        more = ", ..." if len(value) > _SHORT_ENUM else ""
        return f"is none of {allowed}{more}"
    if keyword == "pattern":
        return "is not written as BIDS asks"
    if keyword == "anyOf":
        return f"is not {' or '.join(dict.fromkeys(map(_allowed, value)))}"
    return f"does not keep the schema's {keyword!r}"


def _allowed(option: dict[str, Any]) -> str:
    """Say what one alternative allows: "number > 0 <= 360"."""
    bounds = [f"{sign} {option[word]}" for word, sign in _SIGNS.items() if word in option]
    return " ".join([str(option.get("type", "another form")), *bounds])


@cache
def _checks(datatype: str, suffix: str) -> tuple[_Check, ...]:
    return tuple(
        _Check(
            rule=rule,
            validator=Draft202012Validator(resolve(rule.schema)),
            condition=Draft202012Validator(rule.schema["if"]) if "if" in rule.schema else None,
        )
        for rule in sidecar_rules(datatype, suffix)
    )


@cache
def _never_published() -> frozenset[str]:
    """Return the fields that BIDS recommends and that say who, where or when."""
    rules = key_rules().values()
    return frozenset(rule.key for rule in rules if rule.action is KeyAction.REMOVE)


def _holds(check: _Check, image: BidsName) -> bool:
    return check.rule.holds_for(image.entities)


def _summarise(recommended: dict[tuple[str, tuple[str, ...]], list[str]]) -> Iterator[Finding]:
    for (suffix, missing), images in sorted(recommended.items()):
        yield finding(
            "SCHEMA_RECOMMENDED_MISSING",
            location=images[0],
            suffix=suffix,
            count=len(images),
            keys=", ".join(missing),
        )
