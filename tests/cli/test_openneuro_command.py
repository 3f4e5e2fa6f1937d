"""``bidsanon validate --openneuro`` as people meet it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from additions import add
from tree_digests import tree_digest

from bidsanon.cli import cli
from bidsanon.cli.outcome import run
from bidsanon.findings import finding
from bidsanon.pipeline import validate as checks
from bidsanon.validate import DatasetChecks, OfficialReport
from bidsanon.validate.openneuro_rules import RELEASE
from bidsanon.vault import Vault, destroy_vault


@pytest.fixture
def dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A dataset in which the checks find nothing, and a vault that knows its person."""
    nothing = DatasetChecks(findings=(), official=OfficialReport(issues=(), schema="1.2.7"))
    monkeypatch.setattr(checks, "check_dataset", lambda *_, **__: nothing)
    add(tmp_path / "ds", "01/a")
    with Vault.open(tmp_path / "ds.private") as vault:
        vault.person_plan("id\x1f4711", subject="01", anchor_date="20180307")
    sidecar = next((tmp_path / "ds").rglob("*_T1w.json"))
    sidecar.write_text("{}")
    return tmp_path / "ds"


def test_the_checklist_is_there_for_people_and_for_programs(
    dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = tree_digest(dataset.parent)
    assert run(cli, ["validate", str(dataset), "--openneuro"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert run(cli, ["validate", str(dataset), "--openneuro", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["openneuro"]["taken"] is True
    assert (printed["openneuro"]["release"], printed["openneuro"]["schemas"]) == (
        RELEASE,
        ["1.2.7"],
    )
    assert "asked: by the schema of BIDS 1.2.7, with the settings of OpenNeuro's release" in text
    marks = {"known": "known", "not-known": "not known, you must", "contradicted": "contradicted"}
    for one in printed["openneuro"]["affirmations"]:
        assert f"[{marks[one['knowledge']]}] {one['point']}: {one['asked']}" in text
        for said in one["statements"]:
            assert f"- {marks[said['knowledge']]}: {said['text']}" in text
    assert "OPENNEURO_AFFIRM" not in text, "the checklist says it at length"
    assert {"OPENNEURO_AFFIRM", "OPENNEURO_CONTRADICTED"} <= {
        found["code"] for found in printed["findings"]
    }
    assert tree_digest(dataset.parent) == before


def test_the_key_is_contradicted_until_it_is_destroyed(
    dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def knowledge() -> str:
        run(cli, ["validate", str(dataset), "--openneuro", "--json"])
        points = json.loads(capsys.readouterr().out)["openneuro"]["affirmations"]
        return next(str(one["knowledge"]) for one in points if one["point"] == "key")

    assert knowledge() == "contradicted"
    destroy_vault(dataset.with_name("ds.private"))
    assert knowledge() == "not-known"


def test_that_nobody_could_be_asked_is_said(
    dataset: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failed = finding("OFFICIAL_VALIDATOR_FAILED", problem="it crashed")
    said = DatasetChecks(findings=(failed,))
    monkeypatch.setattr(checks, "check_dataset", lambda *_, **__: said)
    assert run(cli, ["validate", str(dataset), "--openneuro"]) == 4
    text = " ".join(capsys.readouterr().out.split())
    assert "whether OpenNeuro would take it is not known" in text
    assert "(the official validator could not be asked;" in text


def test_without_the_option_nothing_is_said_of_it(
    dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(cli, ["validate", str(dataset), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["openneuro"] is None
    assert not [f for f in printed["findings"] if f["code"].startswith("OPENNEURO_")]
