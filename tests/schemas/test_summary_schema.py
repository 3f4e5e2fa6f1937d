"""What ``--json`` prints, as its schema has it: strict, so that a script can rely on it."""

import importlib
import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import click
import pytest
from jsonschema import Draft202012Validator

from bidsanon.cli import COMMANDS
from bidsanon.findings import Gate, Severity
from bidsanon.resources import schema_path
from bidsanon.session import DefaceVerdict, QuarantineReason

SCHEMA = json.loads(schema_path("summary.schema.json").read_text("utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)

FINDING = {
    "code": "SCRUB_MISFIT",
    "gate": "scrub",
    "severity": "warning",
    "location": "sub-01/anat/sub-01_T1w.json#/EchoTime",
    "message": "a message",
    "cure": "a cure",
}
POLICY = {"name": "bids", "digest": "0" * 64}
CONVERSION: dict[str, Any] = {
    "bidsanon": "0.1.0",
    "command": "convert",
    "outcome": "published",
    "exit_code": 0,
    "dataset": "/data/study",
    "subject": "01",
    "session": None,
    "profile": POLICY,
    "heuristic": POLICY,
    "series": [
        {"index": 1, "files": 2, "bids": ["sub-01/anat/sub-01_T1w.nii.gz"], "skipped": None},
        {"index": 2, "files": 1, "bids": [], "skipped": "a scout"},
    ],
    "quarantine": [{"reason": "burned-in", "count": 1}],
    "pixels": None,
    "gates": [{"gate": "scrub", "passed": True, "findings": [FINDING]}],
    "residue": {
        "searched": {"name": 4},
        "ignored": [{"kind": "text", "reason": "short", "origin": "(0010,0040)", "count": 1}],
    },
    "deface": [
        {
            "path": "sub-01/anat/sub-01_T1w.nii.gz",
            "verdict": "defaced",
            "reason": "",
            "figures": {"sharp": 0.03},
        }
    ],
    "report": "/data/study.private/reports/sub-01.html",
    "private": "/data/study.private",
    "seconds": 12.5,
}
REFUSED = CONVERSION | {
    "outcome": "refused",
    "exit_code": 4,
    "gates": [{"gate": "source", "passed": False, "findings": []}],
    "residue": None,
}
VALIDATION = {
    "bidsanon": "0.1.0",
    "command": "validate",
    "outcome": "valid",
    "exit_code": 0,
    "dataset": "/data/study",
    "findings": [FINDING],
    "residue": None,
    "openneuro": None,
}
FAILURE = {
    "bidsanon": "0.1.0",
    "command": "inspect",
    "outcome": "failed",
    "exit_code": 3,
    "error": {"message": "nothing there", "cure": "look elsewhere"},
}


def test_what_every_command_prints_is_described() -> None:
    described = " ".join(
        SCHEMA["$defs"][part["$ref"].rpartition("/")[2]]["description"] + ";"
        for part in SCHEMA["oneOf"]
    )
    missing = [name for name in _commands_with_json() if f"{name}: " not in described]
    assert missing == []


def _commands_with_json() -> Iterator[str]:
    for name in COMMANDS:
        command = importlib.import_module(f"bidsanon.cli.{name}").command
        below = command.commands.items() if isinstance(command, click.Group) else ()
        for full, one in [(name, command), *((f"{name} {sub}", c) for sub, c in below)]:
            if any("--json" in option.opts for option in one.params):
                yield full


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("record", [CONVERSION, REFUSED, VALIDATION, FAILURE])
def test_a_summary_is_accepted(record: dict[str, Any]) -> None:
    assert VALIDATOR.is_valid(record)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["patient"], "a name"),
        (["subject"], "a name^of"),
        (["exit_code"], 4),
        (["outcome"], "perhaps"),
        (["gates", 0, "passed"], False),
        (["gates", 0, "gate"], "luck"),
        (["gates", 0, "findings", 0, "severity"], "fatal"),
        (["gates", 0, "findings", 0, "cure"], ""),
        (["quarantine", 0, "reason"], "because"),
        (["deface", 0, "verdict"], "maybe"),
        (["series", 0, "bids", 0], "/data/identified/name.nii.gz"),
        (["profile", "path"], "/home/somebody/profile.toml"),
    ],
)
def test_anything_else_is_refused(path: list[Any], value: object) -> None:
    record = deepcopy(CONVERSION)
    place: Any = record
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value

    assert not VALIDATOR.is_valid(record)


def test_a_valid_dataset_has_no_error() -> None:
    with_error = VALIDATION | {"findings": [FINDING | {"severity": "error"}]}

    assert not VALIDATOR.is_valid(with_error)
    assert VALIDATOR.is_valid(with_error | {"outcome": "refused", "exit_code": 4})


def test_its_words_are_those_of_the_package() -> None:
    definitions = SCHEMA["$defs"]
    reasons = definitions["quarantine"]["items"]["properties"]["reason"]["enum"]

    assert definitions["gate"]["enum"] == [gate.value for gate in Gate]
    assert definitions["finding"]["properties"]["severity"]["enum"] == [s.value for s in Severity]
    assert reasons == [reason.value for reason in QuarantineReason]
    assert definitions["defacedImage"]["properties"]["verdict"]["enum"] == [
        verdict.value for verdict in DefaceVerdict
    ]
