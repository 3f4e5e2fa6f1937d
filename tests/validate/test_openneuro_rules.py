"""What OpenNeuro refuses: by the official validator as it configures it, and by its own rules."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bidsanon.bids.sharing import list_shared
from bidsanon.bids.sidecars import read_json_file
from bidsanon.errors import ToolFailedError
from bidsanon.findings import Finding, finding
from bidsanon.validate import openneuro_rules as module
from bidsanon.validate.official import check_official
from bidsanon.validate.openneuro_rules import Taking, check_openneuro_rules

Edit = Callable[..., None]


def check(root: Path, *, said: tuple[Finding, ...] = ()) -> Taking:
    description = read_json_file(root / "dataset_description.json")
    return check_openneuro_rules(root, description=description, shared=list_shared(root), said=said)


def codes(taking: Taking) -> list[str]:
    return [found.code for found in taking.findings]


@pytest.mark.slow
def test_a_dataset_with_authors_is_taken_and_one_without_is_not(dataset: Path, edit: Edit) -> None:
    edit("dataset_description.json", Authors=["A", "B"], License="CC0")
    assert check(dataset) == Taking(taken=True, findings=())
    edit("dataset_description.json", Authors=None, Name="")
    plain = check_official(dataset)
    taking = check(dataset, said=plain)
    assert not taking.taken
    assert {"NO_AUTHORS", "EMPTY_DATASET_NAME"} <= {
        word.strip(":") for found in taking.findings for word in found.message.split()
    }
    assert set(codes(taking)) == {"OPENNEURO_REFUSES"}, "the newer rules say the same"


def official(
    monkeypatch: pytest.MonkeyPatch, *, now: tuple[str, ...] = (), newer: tuple[str, ...] = ()
) -> None:
    def answer(_: Path, *, config: Path, schema: Path | None = None) -> tuple[Finding, ...]:
        assert config.is_file()
        assert schema is None or schema.is_file()
        return tuple(an_error(issue) for issue in (newer if schema else now))

    monkeypatch.setattr(module, "check_official", answer)


def an_error(issue: str) -> Finding:
    return finding("OFFICIAL_VALIDATOR_ERROR", location="sub-01", issue=issue, meaning="m")


def test_what_only_newer_rules_refuse_is_a_warning(
    dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    official(monkeypatch, now=("A",), newer=("A", "B"))
    taking = check(dataset)
    assert [(f.code, f.severity) for f in taking.findings] == [
        ("OPENNEURO_REFUSES", "error"),
        ("OPENNEURO_WILL_REFUSE", "warning"),
    ]
    assert not taking.taken
    official(monkeypatch, newer=("B",))
    assert check(dataset).taken


def test_what_was_said_already_is_not_said_again_and_weighs_all_the_same(
    dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    official(monkeypatch, now=("A",), newer=("A",))
    assert check(dataset, said=(an_error("A"),)) == Taking(taken=False, findings=())


def test_nobody_knows_where_the_official_validator_cannot_be_asked(
    dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ToolFailedError("it crashed")

    monkeypatch.setattr(module, "check_official", fail)
    taking = check(dataset)
    assert taking.taken is None
    assert codes(taking) == ["OFFICIAL_VALIDATOR_FAILED"]
    said = finding("OFFICIAL_VALIDATOR_FAILED", problem="it was not run")
    assert check(dataset, said=(said,)) == Taking(taken=None, findings=())


def test_it_is_not_asked_again_where_it_was_not_run(
    dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(module, "check_official", never)
    (dataset / "sub-01" / ".hidden").write_text("x")
    said = finding("OFFICIAL_VALIDATOR_FAILED", problem="it was not run")
    assert check(dataset, said=(said,)).taken is False


@pytest.mark.parametrize(
    ("kind", "taken"), [(None, True), ("raw", True), ("derivative", True), ("study", False)]
)
def test_only_raw_and_derivative_datasets_are_taken(
    dataset: Path, edit: Edit, monkeypatch: pytest.MonkeyPatch, kind: Any, taken: bool
) -> None:
    official(monkeypatch)
    edit("dataset_description.json", DatasetType=kind)
    taking = check(dataset)
    assert taking.taken is taken
    assert codes(taking) == ([] if taken else ["OPENNEURO_TYPE"])


def test_hidden_files_in_folders_are_refused_and_those_at_the_root_stay_behind(
    dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    official(monkeypatch)
    (dataset / ".git").mkdir()
    (dataset / ".bidsignore").write_text("extra\n")
    assert codes(check(dataset)) == ["OPENNEURO_STAYS_BEHIND"]
    (dataset / "extra").mkdir()
    (dataset / "extra" / "one.txt").write_text("x")
    taking = check(dataset)
    assert taking.taken
    assert codes(taking) == ["OPENNEURO_STAYS_BEHIND", "OPENNEURO_IGNORED_GOES"]
    assert taking.findings[1].location == "extra/one.txt"
    (dataset / "sub-01" / ".DS_Store").write_text("x")
    taking = check(dataset)
    assert not taking.taken
    assert taking.findings[0].code == "OPENNEURO_HIDDEN_FILES"
    assert taking.findings[0].location == "sub-01/.DS_Store"
