"""The official validator: run for real, and failing in every way it can."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bidsanon.errors import MissingToolError, ToolFailedError
from bidsanon.external import Completed
from bidsanon.findings import Severity, errors
from bidsanon.validate import check_official, validate_dataset
from bidsanon.validate.official import bids_schema_file

Edit = Callable[..., None]


def test_a_dataset_as_the_stages_make_it_is_valid(dataset: Path) -> None:
    findings = validate_dataset(dataset)

    assert errors(findings) == ()
    assert {f.severity for f in findings} == {Severity.INFO}
    assert not any("UNKNOWN_BIDS_VERSION" in f.message for f in findings)
    assert not any("GZIP_HEADER" in f.message for f in findings)
    assert not any("UNDEFINED" in f.message for f in findings)
    assert not any("AGE_89" in f.message for f in findings)


def test_its_errors_are_findings_with_its_codes(dataset: Path, edit: Edit) -> None:
    edit("*_bold.json", TaskName=None)

    (found,) = errors(check_official(dataset))

    assert found.code == "OFFICIAL_VALIDATOR_ERROR"
    assert "SIDECAR_KEY_REQUIRED: TaskName" in found.message
    assert found.location.endswith("task-rest_bold.nii.gz")


def test_no_value_of_the_dataset_is_quoted(dataset: Path) -> None:
    (dataset / "participants.tsv").write_text("participant_id\tage\nsub-01\tMara\n")

    findings = errors(check_official(dataset))

    assert findings
    assert "Mara" not in str(findings)


def test_rows_beyond_the_first_thousand_are_read(dataset: Path) -> None:
    rows = [f"sub-{n:04d}\t30" for n in range(2000)]
    table = "\n".join(["participant_id\tage", "sub-01\t30", *rows, "sub-last\tnever"])
    (dataset / "participants.tsv").write_text(table + "\n")

    assert "TSV_VALUE_INCORRECT_TYPE" in str(errors(check_official(dataset)))


def test_a_newer_standard_finds_what_the_one_that_it_brings_does_not(dataset: Path) -> None:
    """AGE_89 never fires in the schema that the validator brings."""
    assert "AGE_89" in str(check_official(dataset, schema=bids_schema_file()))


def test_a_configuration_says_how_much_a_code_weighs(dataset: Path, tmp_path: Path) -> None:
    config = tmp_path / "of a lab.json"
    config.write_text('{"error": [{"code": "NO_AUTHORS"}]}')

    (found,) = errors(check_official(dataset, config=config))

    assert "NO_AUTHORS" in found.message


def _answering(monkeypatch: pytest.MonkeyPatch, returncode: int, stdout: str) -> None:
    completed = Completed(returncode=returncode, stdout=stdout, stderr="")
    monkeypatch.setattr("bidsanon.validate.official.run_program", lambda *_, **__: completed)


@pytest.mark.parametrize(
    ("returncode", "stdout", "said"),
    [
        (1, "", "ended with code 1"),
        (2, "", "ended with code 2"),
        (0, "", "cannot be understood"),
        (0, "[]", "cannot be understood"),
        (16, json.dumps({"issues": {"issues": []}}), "lists none"),
    ],
)
def test_a_crash_is_an_error_and_not_a_clean_dataset(
    dataset: Path, monkeypatch: pytest.MonkeyPatch, returncode: int, stdout: str, said: str
) -> None:
    _answering(monkeypatch, returncode, stdout)

    with pytest.raises(ToolFailedError, match=said):
        check_official(dataset)


def test_a_missing_validator_is_told(dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bidsanon.external.find_program", lambda _program: None)

    with pytest.raises(MissingToolError, match="bids-validator-deno is not installed"):
        check_official(dataset)
