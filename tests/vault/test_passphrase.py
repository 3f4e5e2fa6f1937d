"""With a passphrase on it, the vault's file says nothing to whoever does not know it."""

from __future__ import annotations

import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bidsanon.errors import ConflictError, MissingToolError, StorageError, UsageError
from bidsanon.vault import (
    VAULT_NAME,
    PersonPlan,
    Vault,
    passphrase,
    protect_vault,
    read_contents,
    read_passphrase,
    unprotect_vault,
    vault_in_use,
)
from bidsanon.vault.key import sealed

PERSON = "id\x1f4711"


def plan_of(private: Path, **options: Path) -> PersonPlan:
    with Vault.open(private, **options) as vault:
        return vault.person_plan(PERSON, subject="01", anchor_date="20180307")


def key_in(private: Path) -> bytes:
    with closing(sqlite3.connect(private / VAULT_NAME)) as connection:
        (key,) = connection.execute("SELECT value FROM secret WHERE name = 'key'").fetchone()
    return bytes(key)


def everything_below(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_a_protected_vault_gives_the_same_plan(tmp_path: Path, secret_file: Path) -> None:
    private = tmp_path / "private"
    before = plan_of(private)
    protect_vault(private, read_passphrase(secret_file))
    assert plan_of(private, passphrase_file=secret_file) == before
    unprotect_vault(private, read_passphrase(secret_file))
    assert plan_of(private) == before


def test_nothing_of_the_key_is_in_the_private_folder_afterwards(
    tmp_path: Path, secret_file: Path
) -> None:
    private = tmp_path / "private"
    plan_of(private)
    key = key_in(private)
    assert key in everything_below(private)
    with (private / VAULT_NAME).open("rb") as old:
        protect_vault(private, read_passphrase(secret_file))
        assert not old.read().strip(b"\0"), "the old file's blocks still hold the vault"
    content = everything_below(private)
    assert not any(key[i : i + 8] in content for i in range(len(key) - 8))
    assert (private / VAULT_NAME).stat().st_mode & 0o777 == 0o600


def test_a_protected_vault_does_not_tell_a_shift(tmp_path: Path) -> None:
    private = tmp_path / "private"
    plan = plan_of(private)
    with closing(sqlite3.connect(private / VAULT_NAME)) as connection:
        person, stored = connection.execute("SELECT id, sealed_shift FROM person").fetchone()
    assert stored != plan.shift_days
    assert sealed(stored, person, key_in(private)) == plan.shift_days


@given(shift=st.integers(-100_000, 100_000), person=st.binary(min_size=1), key=st.binary())
def test_sealing_a_sealed_shift_opens_it(shift: int, person: bytes, key: bytes) -> None:
    assert sealed(sealed(shift, person, key), person, key) == shift


def test_a_vault_of_version_one_gives_the_same_plan(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    with closing(sqlite3.connect(tmp_path / VAULT_NAME)) as connection:
        connection.execute("ALTER TABLE person RENAME COLUMN sealed_shift TO shift_days")
        connection.execute("UPDATE person SET shift_days = ?", (plan.shift_days,))
        connection.execute("PRAGMA user_version = 1")
        connection.commit()
    with Vault.preview(tmp_path) as vault:
        assert vault.person_plan(PERSON, subject="01") == plan
    assert plan_of(tmp_path) == plan
    assert plan_of(tmp_path) == plan
    contents = read_contents(tmp_path)
    assert contents is not None
    assert contents.schema_version == 2


def test_a_vault_that_is_made_with_a_passphrase_never_holds_the_key_in_plain(
    tmp_path: Path, secret_file: Path
) -> None:
    private = tmp_path / "private"
    plan_of(private, passphrase_file=secret_file)
    contents = read_contents(private)
    assert contents is not None
    assert contents.protected


def test_the_passphrase_may_stand_in_the_environment(
    tmp_path: Path, secret_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = tmp_path / "private"
    plan = plan_of(private, passphrase_file=secret_file)
    monkeypatch.setenv("BIDSANON_PASSPHRASE", "correct horse battery staple")
    assert plan_of(private) == plan
    with Vault.preview(private) as vault:
        assert vault.person_plan(PERSON, subject="01") == plan


def test_a_wrong_passphrase_is_told_and_changes_nothing(tmp_path: Path, secret_file: Path) -> None:
    private = tmp_path / "private"
    plan_of(private, passphrase_file=secret_file)
    before = (private / VAULT_NAME).read_bytes()
    secret_file.write_text("wrong\n")
    with pytest.raises(UsageError, match="does not open the vault"):
        Vault.open(private, passphrase_file=secret_file)
    with pytest.raises(UsageError, match="does not open the vault"):
        unprotect_vault(private, "wrong")
    assert (private / VAULT_NAME).read_bytes() == before


def test_a_missing_passphrase_is_asked_for(tmp_path: Path, secret_file: Path) -> None:
    plan_of(tmp_path / "private", passphrase_file=secret_file)
    for opening in (Vault.open, Vault.preview):
        with pytest.raises(UsageError, match="protected by a passphrase") as caught:
            opening(tmp_path / "private")
        assert "BIDSANON_PASSPHRASE" in caught.value.cure


def test_a_passphrase_for_a_vault_without_one_is_refused(tmp_path: Path, secret_file: Path) -> None:
    plan_of(tmp_path / "private")
    with pytest.raises(UsageError, match="not protected") as caught:
        Vault.open(tmp_path / "private", passphrase_file=secret_file)
    assert "vault protect" in caught.value.cure


def test_protecting_twice_or_nothing_and_freeing_what_is_free_are_refused(tmp_path: Path) -> None:
    private = tmp_path / "private"
    with pytest.raises(UsageError, match="no vault"):
        protect_vault(tmp_path, "a")
    plan_of(private)
    with pytest.raises(UsageError, match="not protected"):
        unprotect_vault(private, "a")
    with pytest.raises(UsageError, match="no passphrase"):
        protect_vault(private, None)
    protect_vault(private, "a")
    with pytest.raises(UsageError, match="already"):
        protect_vault(private, "b")
    with pytest.raises(UsageError, match="protected by a passphrase"):
        unprotect_vault(private, None)


def test_a_vault_that_a_run_uses_is_not_protected(tmp_path: Path) -> None:
    plan_of(tmp_path)
    with vault_in_use(tmp_path), pytest.raises(ConflictError, match="a run uses"):
        protect_vault(tmp_path, "a")


def test_without_cryptography_the_cure_is_told_and_plain_vaults_work(
    tmp_path: Path, secret_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    protected = tmp_path / "protected"
    plan_of(protected, passphrase_file=secret_file)
    monkeypatch.setitem(sys.modules, "cryptography", None)
    assert plan_of(tmp_path / "plain").subject == "01"
    for act in (
        lambda: Vault.open(protected, passphrase_file=secret_file),
        lambda: Vault.open(tmp_path / "new", passphrase_file=secret_file),
        lambda: protect_vault(tmp_path / "plain", "a"),
    ):
        with pytest.raises(MissingToolError) as caught:
            act()
        assert "bidsanon[passphrase]" in caught.value.cure
        assert caught.value.exit_code == 6
    assert plan_of(tmp_path / "plain").subject == "01"


@pytest.mark.parametrize("damage", [b"{}", b"no JSON", b'{"form": "other"}'])
def test_a_damaged_wrapping_is_told(tmp_path: Path, secret_file: Path, damage: bytes) -> None:
    private = tmp_path / "private"
    plan_of(private, passphrase_file=secret_file)
    with closing(sqlite3.connect(private / VAULT_NAME)) as connection:
        connection.execute("UPDATE secret SET value = ?", (damage,))
        connection.commit()
    with pytest.raises(StorageError, match="damaged"):
        Vault.open(private, passphrase_file=secret_file)


def test_a_record_whose_parameters_were_changed_does_not_open(
    tmp_path: Path, secret_file: Path
) -> None:
    private = tmp_path / "private"
    plan_of(private, passphrase_file=secret_file)
    with closing(sqlite3.connect(private / VAULT_NAME)) as connection:
        (value,) = connection.execute("SELECT value FROM secret").fetchone()
        changed = json.dumps({**json.loads(value), "extra": 1}).encode()
        connection.execute("UPDATE secret SET value = ?", (changed,))
        connection.commit()
    with pytest.raises(UsageError, match="does not open"):
        Vault.open(private, passphrase_file=secret_file)


def test_parameters_that_would_fill_the_memory_are_not_tried() -> None:
    wrapped = json.loads(passphrase.wrap_key(b"k" * 32, "a"))
    huge = json.dumps({**wrapped, "n": 1 << 40}).encode()
    with pytest.raises(StorageError, match="damaged"):
        passphrase.unwrap_key(huge, "a")


@pytest.mark.parametrize("content", ["", "\n"])
def test_an_empty_passphrase_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "p").write_text(content)
    with pytest.raises(UsageError, match="is empty"):
        read_passphrase(tmp_path / "p")


def test_a_passphrase_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_passphrase(tmp_path / "nowhere")
