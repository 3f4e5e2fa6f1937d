"""What OpenNeuro refuses: by the official validator as it configures it, and by its own rules."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bidsanon.bids.sharing import list_shared
from bidsanon.bids.sidecars import read_json_file
from bidsanon.errors import ToolFailedError
from bidsanon.validate import DatasetChecks, OfficialReport, check_dataset
from bidsanon.validate import dataset as module
from bidsanon.validate.official import OfficialIssue
from bidsanon.validate.openneuro_rules import (
    SCHEMA,
    Taking,
    check_openneuro_rules,
    openneuro_settings,
)

Edit = Callable[..., None]


def check(root: Path, checks: DatasetChecks) -> Taking:
    description = read_json_file(root / "dataset_description.json")
    shared = list_shared(root)
    return check_openneuro_rules(root, description=description, shared=shared, checks=checks)


def codes(taking: Taking) -> list[str]:
    return [found.code for found in taking.findings]


def asked(root: Path) -> Taking:
    return check(root, check_dataset(root, newest=openneuro_settings()))


@pytest.mark.slow
def test_a_dataset_with_authors_is_taken_and_one_without_is_not(dataset: Path, edit: Edit) -> None:
    edit("dataset_description.json", Authors=["A", "B"], License="CC0")
    assert asked(dataset) == Taking(taken=True, findings=())
    edit("dataset_description.json", Authors=None, Name="")
    taking = asked(dataset)
    assert not taking.taken
    assert {"NO_AUTHORS", "EMPTY_DATASET_NAME"} <= {
        word.strip(":") for found in taking.findings for word in found.message.split()
    }
    assert set(codes(taking)) == {"OPENNEURO_REFUSES"}, "the newer rules say the same"
    assert taking.said == {"DATASET_NO_AUTHORS"}


@pytest.mark.slow
def test_authors_may_stand_in_the_file_that_openneuro_knows_and_bids_does_not(
    dataset: Path,
) -> None:
    (dataset / "datacite.yml").write_text("data:\n  attributes: {}\n")
    checks = check_dataset(dataset, newest=openneuro_settings())
    assert check(dataset, checks) == Taking(taken=True, findings=())
    assert [f.location for f in checks.findings if f.severity == "error"] == ["datacite.yml"]
    (dataset / "other.yml").write_text("data: {}\n")
    assert [f.location for f in check_dataset(dataset).findings if f.severity == "error"] == [
        "datacite.yml",
        "other.yml",
    ]
    assert not asked(dataset).taken


def test_the_official_validator_is_run_twice_and_no_more(
    dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = []

    def ask(root: Path, **options: Path) -> OfficialReport:
        runs.append((root, sorted(options)))
        return OfficialReport(issues=(), schema=SCHEMA)

    monkeypatch.setattr(module, "ask_official", ask)
    assert asked(dataset).taken
    assert sorted(runs) == [(dataset, []), (dataset, ["config", "schema"])]


def said(
    *, now: tuple[OfficialIssue, ...] = (), newer: tuple[OfficialIssue, ...] = ()
) -> DatasetChecks:
    official = OfficialReport(issues=now, schema=SCHEMA)
    return DatasetChecks(
        findings=official.findings, official=official, newest=OfficialReport(issues=newer)
    )


def issue(code: str, severity: str = "error") -> OfficialIssue:
    return OfficialIssue(code=code, field="", severity=severity, location="sub-01", meaning="m")


def test_what_only_newer_rules_refuse_is_a_warning(dataset: Path) -> None:
    taking = check(dataset, said(newer=(issue("B"),)))
    assert [(f.code, f.severity) for f in taking.findings] == [("OPENNEURO_WILL_REFUSE", "warning")]
    assert taking.taken


def test_what_was_said_already_is_not_said_again_and_weighs_all_the_same(dataset: Path) -> None:
    checks = said(now=(issue("A"),), newer=(issue("A"),))
    assert check(dataset, checks) == Taking(taken=False, findings=())


@pytest.mark.parametrize("code", ["NO_AUTHORS", "SUBJECT_FOLDERS", "EMPTY_DATASET_NAME"])
def test_what_is_a_warning_elsewhere_is_refused(dataset: Path, code: str) -> None:
    taking = check(dataset, said(now=(issue(code, "warning"),)))
    assert not taking.taken
    assert codes(taking) == ["OPENNEURO_REFUSES"]
    assert taking.said == ({"DATASET_NO_AUTHORS"} if code == "NO_AUTHORS" else set())


@pytest.mark.parametrize("code", ["PARTICIPANT_ID_MISMATCH", "PHENOTYPE_SUBJECTS_MISSING"])
def test_what_is_an_error_elsewhere_can_be_taken(dataset: Path, code: str) -> None:
    assert check(dataset, said(now=(issue(code),))) == Taking(taken=True, findings=())


def test_nobody_knows_where_the_official_validator_cannot_be_asked(
    dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ToolFailedError("it crashed")

    monkeypatch.setattr(module, "ask_official", fail)
    checks = check_dataset(dataset, newest=openneuro_settings())
    failed = [f for f in checks.findings if f.code == "OFFICIAL_VALIDATOR_FAILED"]
    assert len(failed) == 1, "both runs failed in the same way"
    assert check(dataset, checks) == Taking(taken=None, findings=())
    (dataset / "sub-01" / ".hidden").write_text("x")
    assert check(dataset, checks).taken is False


def test_that_only_newer_rules_could_not_be_asked_is_an_error_and_leaves_what_is_known(
    dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(_: Path, *, schema: Path | None = None, config: Path | None = None) -> OfficialReport:
        if schema and config:
            raise ToolFailedError("it crashed")
        return OfficialReport(issues=(), schema=SCHEMA)

    monkeypatch.setattr(module, "ask_official", ask)
    checks = check_dataset(dataset, newest=openneuro_settings())
    assert [f.code for f in checks.findings if f.severity == "error"] == [
        "OFFICIAL_VALIDATOR_FAILED"
    ]
    assert check(dataset, checks).taken


def test_a_schema_that_is_not_the_one_openneuro_goes_by_is_told(dataset: Path) -> None:
    other = DatasetChecks(findings=(), official=OfficialReport(issues=(), schema="1.3.0"))
    taking = check(dataset, other)
    assert taking.taken
    (found,) = taking.findings
    assert (found.code, found.severity) == ("OPENNEURO_OTHER_SCHEMA", "warning")
    assert "1.3.0" in found.message
    assert SCHEMA in found.message


def test_the_installed_validator_brings_the_schema_that_openneuro_goes_by(dataset: Path) -> None:
    official = check_dataset(dataset).official
    assert official
    assert official.schema == SCHEMA


@pytest.mark.parametrize(
    ("kind", "taken"), [(None, True), ("raw", True), ("derivative", True), ("study", False)]
)
def test_only_raw_and_derivative_datasets_are_taken(
    dataset: Path, edit: Edit, kind: Any, taken: bool
) -> None:
    edit("dataset_description.json", DatasetType=kind)
    taking = check(dataset, said())
    assert taking.taken is taken
    assert codes(taking) == ([] if taken else ["OPENNEURO_TYPE"])


@pytest.mark.parametrize(
    ("folder", "refused"),
    [
        ("sub-01/micr", "sub-01/micr"),
        ("sub-01/ses-01/micr", "sub-01/ses-01/micr"),
        ("sub-01/ses-01/micr/sub-01_sample-A.ome.zarr/0", "sub-01/ses-01/micr"),
        ("sub-01/ses-01/anat/micr", ""),
        ("derivatives/of-it/sub-01/micr", ""),
        ("micr", ""),
    ],
)
def test_microscopy_is_not_taken(dataset: Path, folder: str, refused: str) -> None:
    (dataset / folder).mkdir(parents=True)
    for name in ("one.png", "two.png"):
        (dataset / folder / name).write_text("x")
    taking = check(dataset, said())
    assert [(f.code, f.location) for f in taking.findings] == (
        [("OPENNEURO_MODALITY", refused)] if refused else []
    )
    assert taking.taken is not bool(refused)


def test_hidden_files_in_folders_are_refused_and_those_at_the_root_stay_behind(
    dataset: Path,
) -> None:
    (dataset / ".git").mkdir()
    (dataset / ".bidsignore").write_text("extra\n")
    assert codes(check(dataset, said())) == ["OPENNEURO_STAYS_BEHIND"]
    (dataset / "extra").mkdir()
    (dataset / "extra" / "one.txt").write_text("x")
    taking = check(dataset, said())
    assert taking.taken
    assert codes(taking) == ["OPENNEURO_STAYS_BEHIND", "OPENNEURO_IGNORED_GOES"]
    assert taking.findings[1].location == "extra/one.txt"
    (dataset / "sub-01" / ".DS_Store").write_text("x")
    taking = check(dataset, said())
    assert not taking.taken
    assert taking.findings[0].code == "OPENNEURO_HIDDEN_FILES"
    assert taking.findings[0].location == "sub-01/.DS_Store"
