"""The official validator: run for real, and failing in every way it can."""

import errno
import json
import tracemalloc
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TextIO

import pytest

from bidsanon.bids.tree import list_tree
from bidsanon.errors import MissingToolError, ToolFailedError
from bidsanon.external import Completed
from bidsanon.findings import Finding, Severity, errors
from bidsanon.validate import ask_official, check_schemas, validate_dataset
from bidsanon.validate.description import check_description
from bidsanon.validate.official import OfficialIssue, OfficialReport, bids_schema_file

Edit = Callable[..., None]


def test_a_dataset_as_the_stages_make_it_is_valid(dataset: Path) -> None:
    findings = validate_dataset(dataset)

    assert errors(findings) == ()
    assert {f.severity for f in findings} == {Severity.INFO}
    assert not any("UNKNOWN_BIDS_VERSION" in f.message for f in findings)
    assert not any("GZIP_HEADER" in f.message for f in findings)
    assert not any("UNDEFINED" in f.message for f in findings)
    assert not any("AGE_89" in f.message for f in findings)


def test_that_nobody_is_named_and_no_licence_is_said_once_each(dataset: Path) -> None:
    found = (*validate_dataset(dataset), *check_description(dataset))

    assert _about(found, "author") == ["dataset_description.json#/Authors"]
    assert _about(found, "licen") == ["dataset_description.json#/License"]


@pytest.mark.parametrize(
    ("readme", "told"),
    [("# A study\n\nWhat happens when people pump up balloons.\n", False), ("TODO\n", True)],
)
def test_a_readme_that_says_nothing_of_the_study_is_told(
    dataset: Path, readme: str, *, told: bool
) -> None:
    (dataset / "README").write_text(readme)

    found = [
        f.location for f in check_description(dataset) if f.code == "DATASET_README_SAYS_LITTLE"
    ]

    assert found == (["README"] if told else [])


def test_authors_and_licence_may_stand_in_datacite(dataset: Path) -> None:
    (dataset / "datacite.yml").write_text("authors:\n  - lastname: Example\nlicense: CC0\n")
    codes = {found.code for found in check_description(dataset)}
    assert not codes & {"DATASET_NO_AUTHORS", "DATASET_NO_LICENSE"}


@pytest.mark.parametrize("authors", [[], ["TODO"], ["First1 Last1"]])
def test_stubs_are_nobody_and_said_once(dataset: Path, edit: Edit, authors: list[str]) -> None:
    edit("dataset_description.json", Authors=authors)

    found = (*check_schemas(list_tree(dataset)), *check_description(dataset))

    assert [f.code for f in found if "Authors" in f.location] == ["DATASET_NO_AUTHORS"]


def test_that_only_one_is_named_is_said_once(dataset: Path, edit: Edit) -> None:
    edit("dataset_description.json", Authors=["Ada Example"])

    found = (*validate_dataset(dataset), *check_description(dataset))

    assert _about(found, "author") == ["dataset_description.json#/Authors"]


def _about(findings: Iterable[Finding], word: str) -> list[str]:
    """Return where something is said of a thing, by a word, in whatever case."""
    return [f.location for f in findings if word in f"{f.location} {f.message}".casefold()]


def test_its_errors_are_findings_with_its_codes(dataset: Path, edit: Edit) -> None:
    edit("*_bold.json", TaskName=None)

    (found,) = ask_official(dataset).errors

    assert found.code == "OFFICIAL_VALIDATOR_ERROR"
    assert "SIDECAR_KEY_REQUIRED: TaskName" in found.message
    assert found.location.endswith("task-rest_bold.nii.gz")


def test_no_value_of_the_dataset_is_quoted(dataset: Path) -> None:
    (dataset / "participants.tsv").write_text("participant_id\tage\nsub-01\tMara\n")

    findings = ask_official(dataset).errors

    assert findings
    assert "Mara" not in str(findings)


def test_rows_beyond_the_first_thousand_are_read(dataset: Path) -> None:
    rows = [f"sub-{n:04d}\t30" for n in range(2000)]
    table = "\n".join(["participant_id\tage", "sub-01\t30", *rows, "sub-last\tnever"])
    (dataset / "participants.tsv").write_text(table + "\n")

    assert "TSV_VALUE_INCORRECT_TYPE" in str(ask_official(dataset).errors)


def test_a_newer_standard_finds_what_the_one_that_it_brings_does_not(dataset: Path) -> None:
    """AGE_89 never fires in the schema that the validator brings."""
    assert "AGE_89" in str(ask_official(dataset, schema=bids_schema_file()).findings)


def test_a_configuration_says_how_much_a_code_weighs(dataset: Path, tmp_path: Path) -> None:
    config = tmp_path / "of a lab.json"
    config.write_text('{"error": [{"code": "NO_AUTHORS"}]}')

    report = ask_official(dataset, config=config)
    (found,) = report.findings

    assert "NO_AUTHORS" in found.message
    assert report.errors == ask_official(dataset).weighed({"NO_AUTHORS": "error"}).errors


def issue(code: str, *, severity: str = "warning", location: str = "a") -> OfficialIssue:
    return OfficialIssue(code=code, field="", severity=severity, location=location, meaning="m")


def test_what_it_would_say_under_other_severities_follows_from_what_it_says() -> None:
    report = OfficialReport(issues=(issue("A"), issue("B", severity="error"), issue("C")))
    other = report.weighed({"A": "error", "B": "warning", "C": "ignore"})
    assert other.codes == {"A"}
    assert [(f.severity, f.message.split(": ")[0][-1]) for f in other.findings] == [
        ("error", "A"),
        ("info", "B"),
    ]
    assert report.codes == {"B"}


def test_codes_can_be_left_out_everywhere_or_at_one_place() -> None:
    two = (issue("A", severity="error"), issue("A", severity="error", location="b"))
    report = OfficialReport(issues=two)
    assert report.without({"B"}) == report
    assert report.without({"A"}).issues == ()
    assert report.without({"A"}, location="a").issues == two[1:]


def test_warnings_of_one_code_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"code": "X", "severity": "warning"}
    issues = [said | {"location": "/one"}, said | {"location": "/two"}, {"code": "E"}]
    _answering(monkeypatch, 16, json.dumps({"issues": {"issues": issues}}))
    error, warning = ask_official(Path()).issues
    assert (error.code, error.severity) == ("E", "error"), "without a severity it weighs most"
    assert (warning.location, warning.count) == ("one", 2)


def _answering(monkeypatch: pytest.MonkeyPatch, returncode: int, *said: str) -> None:
    def run(*_: object, output: TextIO, timeout_s: float) -> Completed:
        assert timeout_s > 60
        output.writelines(said)
        return Completed(returncode=returncode, stdout="", stderr="")

    monkeypatch.setattr("bidsanon.validate.official.run_program", run)


@pytest.mark.slow
def test_a_report_that_repeats_much_of_a_dataset_is_read_in_little_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    value = ("m" * (1 << 20) for _ in range(30))
    participants = (json.dumps({"participantId": str(n), "age": n}) + "," for n in range(100_000))
    _answering(
        monkeypatch,
        16,
        '{"issues":{"issues":[{"code":"X","subCode":"age","issueMessage":"',
        *value,
        '","location":"/participants.tsv"}],"codeMessages":{"X":"Of old. And more."}},',
        '"summary":{"subjectMetadata":[',
        *participants,
        '{}],"schemaVersion":"1.2.7"}}',
    )
    tracemalloc.start()

    report = ask_official(Path())

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert report.schema == "1.2.7"
    assert [(i.location, i.field, i.meaning) for i in report.issues] == [
        ("participants.tsv", "age", "Of old")
    ]
    assert peak < 10 << 20


def test_a_report_that_cannot_be_kept_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> Completed:
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr("bidsanon.validate.official.TemporaryFile", full)

    with pytest.raises(ToolFailedError, match="cannot be kept"):
        ask_official(Path())


@pytest.mark.parametrize(
    ("returncode", "stdout", "said"),
    [
        (1, "", "ended with code 1"),
        (2, "", "ended with code 2"),
        (0, "", "cannot be understood"),
        (0, "[]", "cannot be understood"),
        (0, '{"issues": {"issues": 1}}', "cannot be understood"),
        (0, '{"issues": {"issues": [{}]}}', "cannot be understood"),
        (0, '{"issues": {"issues": []}', "cannot be understood"),
        (0, '{"issues": {"issues": []}}}', "cannot be understood"),
        (0, '{"issues": {}}', "cannot be understood"),
        (0, "{}", "cannot be understood"),
        (0, '{"issues": ' + "[" * 100_000, "cannot be understood"),
        (16, json.dumps({"issues": {"issues": []}}), "lists none"),
    ],
)
def test_a_crash_is_an_error_and_not_a_clean_dataset(
    dataset: Path, monkeypatch: pytest.MonkeyPatch, returncode: int, stdout: str, said: str
) -> None:
    _answering(monkeypatch, returncode, stdout)

    with pytest.raises(ToolFailedError, match=said):
        ask_official(dataset)


def test_a_missing_validator_is_told(dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bidsanon.external.find_program", lambda _program: None)

    with pytest.raises(MissingToolError, match="bids-validator-deno is not installed"):
        ask_official(dataset)


def test_its_warnings_are_told_once_each_with_how_often(dataset: Path) -> None:
    warnings = [f for f in validate_dataset(dataset) if f.code == "OFFICIAL_VALIDATOR_WARNING"]

    issues = [found.message.partition(" of ")[2].partition(":")[0] for found in warnings]
    assert issues
    assert len(issues) == len(set(issues))
    assert all(found.severity is Severity.INFO for found in warnings)
