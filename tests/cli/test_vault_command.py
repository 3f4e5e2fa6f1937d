"""``bidsanon vault`` as people meet it."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from persons import JANE

from bidsanon.audit import (
    MAP_NAME,
    VALUES_NAME,
    ChangedValues,
    Journal,
    JournalEntry,
    Outcome,
    write_deident_map,
)
from bidsanon.cli import cli
from bidsanon.cli.outcome import run
from bidsanon.vault import VAULT_NAME, Vault, passphrase, vault_in_use


@pytest.fixture(autouse=True)
def _cheap_passphrases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passphrase, "RECOMMENDED_COST", passphrase.CHEAP_COST)


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Give a dataset with a vault in which one person has a label and a session."""
    private = tmp_path / "study.private"
    with Vault.open(private) as vault:
        vault.person_plan("id\x1f4711", subject="01", anchor_date="20180307")
        vault.person_plan("id\x1f4712", subject="", anchor_date="20180307")
        vault.bind_subject("id\x1f4711", "01")
    entry = JournalEntry(
        when="2026-01-01T00:00:00Z",
        command="convert",
        outcome=Outcome.PUBLISHED,
        subject="01",
        session="02",
        profile="bids",
        profile_digest="0" * 64,
    )
    Journal(private).append(entry)
    delivered = replace(
        entry, command="deidentify", outcome=Outcome.DELIVERED, subject="03", session=None
    )
    Journal(private).append(delivered)
    return tmp_path / "study"


def printed(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    shown = json.loads(capsys.readouterr().out)
    return dict(shown)


def test_show_says_what_is_in_the_vault_and_no_value_of_the_key(
    dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(cli, ["vault", "show", str(dataset), "--json"]) == 0
    shown = printed(capsys)
    assert shown == {
        "private": str(dataset.with_name("study.private")),
        "schema": 2,
        "protected": False,
        "destroyed": None,
        "persons": 2,
        "labels": ["sub-01"],
        "sessions": ["sub-01_ses-02", "sub-03"],
        "deident_map": False,
        "audit_values": False,
    }
    assert run(cli, ["vault", "show", str(dataset)]) == 0
    said = capsys.readouterr().out
    assert "sub-01_ses-02" in said
    assert "schema" not in said


def test_the_private_folder_itself_may_be_named(
    dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    private = dataset.with_name("study.private")
    assert run(cli, ["vault", "show", str(private), "--json"]) == 0
    assert printed(capsys)["private"] == str(private)


@pytest.mark.parametrize("suffix", [".zip", ".tar.gz", ".tgz"])
def test_an_archive_that_deidentify_made_may_be_named(
    dataset: Path, suffix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(cli, ["vault", "show", f"{dataset}{suffix}", "--json"]) == 0
    assert printed(capsys)["private"] == str(dataset.with_name("study.private"))


def test_a_private_folder_that_may_not_be_entered_is_told(
    dataset: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(_: Path) -> bool:
        raise PermissionError

    monkeypatch.setattr(Path, "is_file", closed)
    assert run(cli, ["vault", "show", str(dataset)]) == 2
    assert "may not be entered" in capsys.readouterr().err


def test_a_folder_without_a_vault_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(cli, ["vault", "show", str(tmp_path), "--json"]) == 2
    printed(capsys)
    assert run(cli, ["vault", "destroy", str(tmp_path), "--yes"]) == 2
    assert "there is no vault" in capsys.readouterr().err


def test_map_prints_who_became_whom(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(cli, ["vault", "map", str(dataset)]) == 2
    assert "--deident-map" in capsys.readouterr().err
    write_deident_map(dataset.with_name("study.private") / MAP_NAME, [JANE])
    assert run(cli, ["vault", "map", str(dataset)]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("4711\tDoe^Jane\tsub-01")
    assert run(cli, ["vault", "map", str(dataset), "--json"]) == 0
    (entry,) = printed(capsys)["map"]  # type: ignore[misc]
    assert entry["original_name"] == "Doe^Jane"


def test_protect_and_unprotect_take_the_passphrase_from_a_file(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("battery staple")
    option = ["--passphrase-file", str(secret)]
    assert run(cli, ["vault", "protect", str(dataset)]) == 2
    assert run(cli, ["vault", "protect", str(dataset), *option]) == 0
    capsys.readouterr()
    assert run(cli, ["vault", "show", str(dataset), "--json"]) == 0
    assert printed(capsys)["protected"] is True
    assert run(cli, ["vault", "unprotect", str(dataset), *option]) == 0


def test_forget_values_deletes_them_and_leaves_the_rest(
    dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    private = dataset.with_name("study.private")
    assert run(cli, ["vault", "forget-values", str(dataset)]) == 0
    with ChangedValues.begin(private, command="x", subject="01", session=None):
        pass
    with (private / VALUES_NAME).open("rb") as old:
        assert run(cli, ["vault", "forget-values", str(dataset), "--yes"]) == 0
        assert not old.read().strip(b"\0")
    assert not (private / VALUES_NAME).exists()
    assert run(cli, ["vault", "show", str(dataset)]) == 0
    assert "sub-01" in capsys.readouterr().out


def test_destroy_asks_first(
    dataset: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = dataset.with_name("study.private") / VAULT_NAME
    vault.with_name(".deident.map.lock").touch()
    before = vault.read_bytes()
    for answer in ("n\n", ""):
        monkeypatch.setattr("sys.stdin", io.StringIO(answer))
        assert run(cli, ["vault", "destroy", str(dataset)]) == 130
        said = capsys.readouterr().err
        assert "nothing was changed" in said
        assert ".lock" not in said
        assert vault.read_bytes() == before


def test_destroy_leaves_a_vault_that_says_so(
    dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(cli, ["vault", "destroy", str(dataset), "--yes"]) == 0
    capsys.readouterr()
    assert run(cli, ["vault", "show", str(dataset), "--json"]) == 0
    shown = printed(capsys)
    assert (shown["persons"], shown["labels"]) == (0, [])
    assert shown["destroyed"]


def test_map_says_that_the_vault_was_destroyed(
    dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_deident_map(dataset.with_name("study.private") / MAP_NAME, [JANE])
    assert run(cli, ["vault", "destroy", str(dataset), "--yes"]) == 0
    capsys.readouterr()
    assert run(cli, ["vault", "map", str(dataset)]) == 2
    said = capsys.readouterr().err
    assert "was destroyed" in said
    assert "--deident-map" not in said


def test_destroy_waits_for_nobody(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with vault_in_use(dataset.with_name("study.private")):
        assert run(cli, ["vault", "destroy", str(dataset), "--yes"]) == 7
    assert "a run uses the vault" in capsys.readouterr().err
