"""The vault: the same person gets the same plan, and only its owner can read it."""

from __future__ import annotations

import sqlite3
import stat
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bidsanon.dicom.dates import DateShift, format_date, parse_date
from bidsanon.dicom.uids import replace_uid
from bidsanon.errors import StorageError, UsageError
from bidsanon.vault import VAULT_NAME, PersonPlan, Vault

PERSON, OTHER = "4711|CLINIC", "4712|CLINIC"


def plan_of(private: Path, person: str, subject: str = "01") -> PersonPlan:
    with Vault.open(private) as vault:
        return vault.person_plan(person, subject=subject, anchor_date="20180307")


def bind(private: Path, person: str, subject: str) -> None:
    with Vault.open(private) as vault:
        vault.person_plan(person, subject=subject)
        vault.bind_subject(person, subject)


def test_only_the_owner_can_enter_the_folder_and_read_the_vault(tmp_path: Path) -> None:
    private = tmp_path / "set.private"
    Vault.open(private).close()
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert stat.S_IMODE((private / VAULT_NAME).stat().st_mode) == 0o600


def test_a_vault_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    Vault.open(tmp_path).close()
    (tmp_path / VAULT_NAME).chmod(0o644)
    Vault.open(tmp_path).close()
    assert stat.S_IMODE((tmp_path / VAULT_NAME).stat().st_mode) == 0o600


def test_the_same_person_gets_the_same_plan_for_ever(tmp_path: Path) -> None:
    first = plan_of(tmp_path, PERSON)
    with Vault.open(tmp_path) as vault:
        later = vault.person_plan(PERSON, subject="01", anchor_date="20240101")
    assert later == first


def test_two_persons_share_the_keys_and_not_the_shift(tmp_path: Path) -> None:
    one, other = plan_of(tmp_path, PERSON), plan_of(tmp_path, OTHER, "02")
    assert (one.uid_key, one.label_key) == (other.uid_key, other.label_key)
    assert one.shift_days != other.shift_days
    assert one.patient_id != other.patient_id


def test_two_vaults_have_nothing_in_common(tmp_path: Path) -> None:
    one, other = plan_of(tmp_path / "a", PERSON), plan_of(tmp_path / "b", PERSON)
    assert one.uid_key != other.uid_key
    assert one.label_key != other.label_key
    assert one.shift_days != other.shift_days


def test_the_keys_of_one_vault_are_three_different_secrets(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, PERSON)
    assert len({plan.uid_key, plan.label_key}) == 2
    assert len(plan.uid_key) == len(plan.label_key) == 32


def test_the_pseudonym_is_the_label_or_made_of_the_key(tmp_path: Path) -> None:
    assert plan_of(tmp_path, PERSON).patient_id == "sub-01"
    unlabelled = plan_of(tmp_path, PERSON, "")
    assert unlabelled.patient_id.startswith("anon-")
    assert unlabelled.patient_id != plan_of(tmp_path, OTHER, "").patient_id


def test_nothing_of_the_person_is_in_the_file(tmp_path: Path) -> None:
    bind(tmp_path, "Doe^Jane|4711", "01")
    content = (tmp_path / VAULT_NAME).read_bytes()
    assert b"Doe" not in content
    assert b"4711" not in content
    assert b"20180307" not in content


def test_a_plan_does_not_show_its_keys() -> None:
    plan = PersonPlan(
        subject="01",
        patient_id="sub-01",
        patient_name="sub-01",
        shift_days=-1,
        uid_key=b"secret",
        label_key=b"secret",
    )
    assert "secret" not in repr(plan)


def test_somebody_elses_label_is_refused(tmp_path: Path) -> None:
    bind(tmp_path, PERSON, "01")
    with pytest.raises(UsageError, match="sub-01 is somebody else") as caught:
        plan_of(tmp_path, OTHER)
    assert "4712" not in caught.value.message + caught.value.cure


def test_a_second_label_for_the_same_person_is_refused(tmp_path: Path) -> None:
    bind(tmp_path, PERSON, "01")
    with pytest.raises(UsageError, match="this person is sub-01") as caught:
        plan_of(tmp_path, PERSON, "02")
    assert "--subject 01" in caught.value.cure


def test_a_run_that_is_refused_binds_nobody(tmp_path: Path) -> None:
    plan_of(tmp_path, PERSON, "01")
    bind(tmp_path, OTHER, "01")
    assert plan_of(tmp_path, PERSON, "02").patient_id == "sub-02"


def test_binding_twice_is_binding_once(tmp_path: Path) -> None:
    bind(tmp_path, PERSON, "01")
    bind(tmp_path, PERSON, "01")
    assert plan_of(tmp_path, PERSON).subject == "01"


def test_of_two_runs_that_want_one_label_the_second_is_refused_at_binding(tmp_path: Path) -> None:
    plan_of(tmp_path, PERSON)
    plan_of(tmp_path, OTHER)
    bind(tmp_path, PERSON, "01")
    with Vault.open(tmp_path) as vault, pytest.raises(UsageError):
        vault.bind_subject(OTHER, "01")


def test_a_person_without_a_plan_cannot_be_bound(tmp_path: Path) -> None:
    with Vault.open(tmp_path) as vault, pytest.raises(KeyError):
        vault.bind_subject(PERSON, "01")


def test_a_preview_of_nothing_writes_nothing(tmp_path: Path) -> None:
    private = tmp_path / "set.private"
    with Vault.preview(private) as vault:
        assert vault.person_plan(PERSON, subject="01").subject == "01"
    assert not private.exists()


def test_a_preview_answers_as_the_vault_does_and_changes_nothing(tmp_path: Path) -> None:
    bind(tmp_path, PERSON, "01")
    plan = plan_of(tmp_path, PERSON)
    before = (tmp_path / VAULT_NAME).read_bytes()
    with Vault.preview(tmp_path) as vault:
        assert vault.person_plan(PERSON, subject="01") == plan
        vault.person_plan("a third", subject="03")
        with pytest.raises(UsageError):
            vault.person_plan(OTHER, subject="01")
    assert (tmp_path / VAULT_NAME).read_bytes() == before


@given(
    anchor=st.dates(min_value=date(1970, 1, 1), max_value=date(2100, 12, 31)),
    person=st.text(min_size=1),
)
def test_the_shift_brings_the_anchor_into_1905_to_1915(anchor: date, person: str) -> None:
    with Vault.preview(Path("nowhere")) as vault:
        plan = vault.person_plan(person, subject="", anchor_date=format_date(anchor))
    moved = parse_date(DateShift(days=plan.shift_days).da(format_date(anchor)))
    assert moved is not None
    assert date(1905, 1, 1) <= moved <= date(1915, 12, 31)


@pytest.mark.parametrize("anchor", ["", "***", "20181399"])
def test_without_an_anchor_the_shift_is_plausible(anchor: str) -> None:
    with Vault.preview(Path("nowhere")) as vault:
        plan = vault.person_plan(PERSON, subject="", anchor_date=anchor)
    moved = parse_date(DateShift(days=plan.shift_days).da("20180307"))
    assert moved is not None
    assert 1905 <= moved.year <= 1920


@pytest.mark.parametrize("anchor", ["19100307", "19000101", "00010101", "18581117", "99991231"])
def test_a_day_on_which_nobody_was_scanned_makes_no_small_shift(anchor: str) -> None:
    with Vault.preview(Path("nowhere")) as vault:
        plan = vault.person_plan(PERSON, subject="", anchor_date=anchor)
    moved = parse_date(DateShift(days=plan.shift_days).da("20180307"))
    assert moved is not None
    assert 1905 <= moved.year <= 1920


PATIENT = "id\x1f4711\x1fclinic"


@pytest.mark.parametrize("named", ["id\x1fsub-ab1", "name\x1fab1 sub", "id\x1fsub-ab1\x1fclinic"])
def test_a_label_of_the_vault_names_the_person_who_has_it(tmp_path: Path, named: str) -> None:
    bind(tmp_path, PATIENT, "AB1")
    plan = plan_of(tmp_path, PATIENT, "AB1")
    assert plan_of(tmp_path, named, "AB1") == plan
    assert plan_of(tmp_path, named, "") == plan
    with pytest.raises(UsageError, match="this person is sub-AB1"):
        plan_of(tmp_path, named, "02")


def test_a_pseudonym_of_the_vault_names_its_person(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, PATIENT, "")
    assert plan_of(tmp_path, f"id\x1f{plan.patient_id}", "") == plan
    bind(tmp_path, f"id\x1f{plan.patient_id}", "01")
    assert plan_of(tmp_path, PATIENT, "").patient_id == "sub-01"
    assert plan_of(tmp_path, f"id\x1f{plan.patient_id}", "").shift_days == plan.shift_days


def test_another_vaults_pseudonym_names_somebody_new(tmp_path: Path) -> None:
    foreign = plan_of(tmp_path / "a", PATIENT, "").patient_id
    known = plan_of(tmp_path / "b", PATIENT, "")
    assert plan_of(tmp_path / "b", f"id\x1f{foreign}", "").patient_id != known.patient_id


def test_a_person_whose_own_number_looks_like_a_label_is_themselves(tmp_path: Path) -> None:
    own = plan_of(tmp_path, "id\x1fsub-07", "")
    bind(tmp_path, PATIENT, "07")
    assert plan_of(tmp_path, "id\x1fsub-07", "").shift_days == own.shift_days
    assert plan_of(tmp_path, PATIENT, "07").shift_days != own.shift_days


def test_a_scanner_that_calls_somebody_by_a_label_means_somebody_else(tmp_path: Path) -> None:
    bind(tmp_path, PATIENT, "07")
    plan = plan_of(tmp_path, PATIENT, "07")
    label, uid = "id\x1fsub-07", "1.3.12.2.1107"
    own = replace_uid(uid, key=plan.uid_key)
    with Vault.open(tmp_path) as vault:
        for date, instance in (("20180307", own), ("19100307", uid), ("", uid)):
            known = vault.person_plan(label, subject="", anchor_date=date, instance_uid=instance)
            assert known == plan
        other = vault.person_plan(label, subject="", anchor_date="20180307", instance_uid=uid)
        assert other.shift_days != plan.shift_days
        with pytest.raises(UsageError, match="somebody else"):
            vault.bind_subject(label, "07")


def test_a_study_of_nobody_is_known_by_its_uid_replaced_or_not(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, "study\x1f1.3.12.2.1107", "")
    replaced = replace_uid("1.3.12.2.1107", key=plan.uid_key)
    assert plan_of(tmp_path, f"study\x1f{replaced}", "") == plan
    assert plan_of(tmp_path, "study\x1f1.3.12.2.1108", "") != plan


def test_many_who_open_a_new_vault_at_once_agree(tmp_path: Path) -> None:
    with ProcessPoolExecutor(4) as pool:
        plans = list(pool.map(plan_of, [tmp_path] * 12, [PERSON] * 12))
    assert all(plan == plans[0] for plan in plans)


def test_a_damaged_vault_is_told_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / VAULT_NAME
    path.write_bytes(b"no database at all, but long enough to be read as one" * 100)
    before = path.read_bytes()
    with pytest.raises(StorageError, match="damaged"):
        Vault.open(tmp_path)
    with pytest.raises(StorageError, match="damaged"):
        Vault.preview(tmp_path)
    assert path.read_bytes() == before


def test_a_newer_bidsanons_vault_is_not_touched(tmp_path: Path) -> None:
    Vault.open(tmp_path).close()
    connection = sqlite3.connect(tmp_path / VAULT_NAME)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StorageError, match="newer"):
        Vault.open(tmp_path)


def test_a_vault_that_another_process_holds_is_waited_for_and_then_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bidsanon.vault.storage._BUSY_S", 0.05)
    Vault.open(tmp_path).close()
    holder = sqlite3.connect(tmp_path / VAULT_NAME, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StorageError, match="cannot be written"):
        Vault.open(tmp_path)
    holder.close()
