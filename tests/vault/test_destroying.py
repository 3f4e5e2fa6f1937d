"""After ``vault destroy`` nothing in the private folder leads to a person."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from persons import JANE

from bidsanon.audit import (
    DECISIONS_NAME,
    JOURNAL_NAME,
    MAP_NAME,
    ChangedValue,
    ChangedValues,
    write_deident_map,
)
from bidsanon.errors import ConflictError, UsageError
from bidsanon.vault import (
    VAULT_NAME,
    Vault,
    destroy_vault,
    forgotten_by_destroying,
    protect_vault,
    read_contents,
    vault_alone,
    vault_in_use,
)

PERSON = "id\x1f4711"


@pytest.fixture
def private(tmp_path: Path) -> Path:
    """Give a private folder that has been used for everything."""
    private = tmp_path / "set.private"
    with Vault.open(private) as vault:
        vault.person_plan(PERSON, subject="01", anchor_date="20180307")
        vault.bind_subject(PERSON, "01")
    write_deident_map(private / MAP_NAME, [JANE])
    with ChangedValues.begin(private, command="x", subject="01", session=None) as changed:
        changed.add(
            [
                ChangedValue(
                    instance="2.25.1",
                    place="(0010,0010)",
                    action="Z",
                    original="Doe^Jane",
                    cleaned="sub-01",
                )
            ]
        )
    for name in ("quarantine/sub-01/000001.dcm", "reports/sub-01.html", "work/left/over"):
        (private / name).parent.mkdir(parents=True)
        (private / name).write_bytes(b"Doe^Jane")
    (private / JOURNAL_NAME).write_text("{}\n")
    (private / DECISIONS_NAME).write_text("{}\n")
    return private


def secrets_of(private: Path) -> list[bytes]:
    with closing(sqlite3.connect(private / VAULT_NAME)) as connection:
        (key,) = connection.execute("SELECT value FROM secret").fetchone()
        (person,) = connection.execute("SELECT id FROM person").fetchone()
    return [bytes(key), bytes(person), b"Doe^Jane"]


def test_no_secret_is_anywhere_in_the_private_folder_afterwards(private: Path) -> None:
    secrets = secrets_of(private)
    with (private / VAULT_NAME).open("rb") as old:
        destroy_vault(private)
        assert not old.read().strip(b"\0"), "the old file's blocks still hold the vault"
    content = b"".join(path.read_bytes() for path in private.rglob("*") if path.is_file())
    for secret in secrets:
        assert not any(secret[i : i + 8] in content for i in range(max(1, len(secret) - 8)))


def test_only_the_journal_the_decisions_and_an_empty_vault_stay(private: Path) -> None:
    assert {MAP_NAME, "audit-values.sqlite", "quarantine", "reports", "work"} <= set(
        forgotten_by_destroying(private)
    )
    destroy_vault(private)
    names = {path.name for path in private.iterdir()}
    assert names == {VAULT_NAME, JOURNAL_NAME, DECISIONS_NAME, ".vault.lock"}
    contents = read_contents(private)
    assert contents is not None
    assert (contents.persons, contents.labels, contents.protected) == (0, (), False)
    assert contents.destroyed is not None
    assert contents.is_needed


def test_what_is_removed_is_overwritten_first(private: Path) -> None:
    with (private / "quarantine/sub-01/000001.dcm").open("rb") as quarantined:
        destroy_vault(private)
        assert quarantined.read() == bytes(8)


def test_a_link_is_removed_and_what_it_leads_to_stays(private: Path, tmp_path: Path) -> None:
    original = tmp_path / "original"
    original.write_bytes(b"mine")
    (private / "quarantine" / "link").symlink_to(original)
    (private / "quarantine" / "folder").symlink_to(tmp_path)
    destroy_vault(private)
    assert original.read_bytes() == b"mine"


def test_a_later_run_is_refused_clearly(private: Path) -> None:
    destroy_vault(private)
    for opening in (Vault.open, Vault.preview):
        with pytest.raises(UsageError, match="was destroyed") as caught:
            opening(private)
        assert "--private" in caught.value.cure


def test_destroying_twice_is_destroying_once(private: Path) -> None:
    destroy_vault(private)
    destroy_vault(private)
    assert (private / VAULT_NAME).is_file()


def test_a_protected_vault_is_destroyed_without_its_passphrase(private: Path) -> None:
    protect_vault(private, "a")
    destroy_vault(private)
    with pytest.raises(UsageError, match="was destroyed"):
        Vault.open(private)


def test_a_damaged_vault_can_be_destroyed(private: Path) -> None:
    (private / VAULT_NAME).write_bytes(b"no database" * 1000)
    destroy_vault(private)
    with pytest.raises(UsageError, match="was destroyed"):
        Vault.open(private)


def test_a_folder_without_a_vault_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")
    with pytest.raises(UsageError, match="no vault"):
        destroy_vault(tmp_path)
    assert (tmp_path / "mine").read_text() == "x"


def test_a_vault_that_a_run_uses_is_not_destroyed(private: Path) -> None:
    before = (private / VAULT_NAME).read_bytes()
    with vault_in_use(private), vault_in_use(private):
        with pytest.raises(ConflictError, match="a run uses"):
            destroy_vault(private)
        assert (private / VAULT_NAME).read_bytes() == before


def test_no_run_begins_while_a_vault_is_changed(private: Path) -> None:
    with vault_alone(private), pytest.raises(ConflictError, match="is being changed"):
        Vault.open(private)


def test_another_process_is_seen(private: Path) -> None:
    context = multiprocessing.get_context("fork")
    begun, ended = context.Event(), context.Event()
    process = context.Process(target=_hold, args=(private, begun, ended))
    process.start()
    try:
        assert begun.wait(10)
        with pytest.raises(ConflictError):
            destroy_vault(private)
    finally:
        ended.set()
        process.join()
    destroy_vault(private)


def _hold(private: Path, begun: object, ended: object) -> None:
    with vault_in_use(private):
        begun.set()  # type: ignore[attr-defined]
        ended.wait(10)  # type: ignore[attr-defined]
    os._exit(0)
