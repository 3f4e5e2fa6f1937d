"""The journal: a line for each run, appended and never changed, without identity."""

from __future__ import annotations

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, ValidationError

from bidsanon.audit import Journal, JournalEntry, Outcome, count_findings, now
from bidsanon.errors import StorageError
from bidsanon.findings import finding
from bidsanon.notes import Note, NoteReason, notes_by_place
from bidsanon.resources import schema_path

VALIDATOR = Draft202012Validator(json.loads(schema_path("journal.schema.json").read_text("utf-8")))


def make_entry(subject: str = "01", outcome: Outcome = Outcome.PUBLISHED) -> JournalEntry:
    return JournalEntry(
        when=now(),
        command="convert",
        outcome=outcome,
        subject=subject,
        session=None,
        profile="bids",
        profile_digest="0" * 64,
        heuristic="auto",
        heuristic_digest="1" * 64,
        tools={"dcm2niix": "v1"},
        counts={"series": 3},
        findings={"QUARANTINED": 2},
    )


def test_entries_come_back_in_their_order(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(make_entry("01"))
    journal.append(make_entry("02"))
    assert [entry["subject"] for entry in journal.entries()] == ["01", "02"]


@pytest.mark.parametrize("outcome", Outcome)
def test_an_entry_is_as_its_schema_says(tmp_path: Path, outcome: Outcome) -> None:
    Draft202012Validator.check_schema(VALIDATOR.schema)
    journal = Journal(tmp_path)
    journal.append(make_entry(outcome=outcome))
    (entry,) = journal.entries()
    VALIDATOR.validate(entry)
    assert entry["outcome"] == outcome


def test_the_schema_lets_nothing_else_in(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(make_entry())
    (entry,) = journal.entries()
    with pytest.raises(ValidationError):
        VALIDATOR.validate({**entry, "PatientName": "Doe^Jane"})


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "set.private")
    journal.append(make_entry())
    assert stat.S_IMODE(journal.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(journal.path.parent.stat().st_mode) == 0o700


def test_what_was_written_is_never_changed(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(make_entry("01"))
    before = journal.path.read_bytes()
    journal.append(make_entry("02"))
    assert journal.path.read_bytes().startswith(before)


def test_a_line_that_a_crash_left_unfinished_spoils_no_other(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(make_entry("01"))
    with journal.path.open("ab") as stream:
        stream.write(b'{"when": "2026-')
    journal.append(make_entry("02"))
    assert [entry["subject"] for entry in journal.entries()] == ["01", "02"]


def test_runs_that_end_together_do_not_mix_their_lines(tmp_path: Path) -> None:
    subjects = [f"{number:02d}" for number in range(20)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda subject: Journal(tmp_path).append(make_entry(subject)), subjects))
    assert sorted(entry["subject"] for entry in Journal(tmp_path).entries()) == subjects


def test_a_journal_that_is_not_there_has_no_entries(tmp_path: Path) -> None:
    assert list(Journal(tmp_path).entries()) == []


def test_a_journal_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.path.mkdir()
    with pytest.raises(StorageError):
        list(journal.entries())


def test_findings_are_counted_by_code() -> None:
    findings = [
        finding("QUARANTINED", count=1, reason="burned-in"),
        finding("QUARANTINED", count=2, reason="modality"),
        finding("SEVERAL_PERSONS", count=2),
    ]
    assert count_findings(findings) == {"QUARANTINED": 2, "SEVERAL_PERSONS": 1}


def test_what_was_cut_shows_as_a_place_and_a_reason(tmp_path: Path) -> None:
    notes = [
        Note(place="(0008,103E)", reason=NoteReason.NAME, count=3),
        Note(place="(0008,103E)", reason=NoteReason.E_MAIL, count=1),
        Note(place="(0029,SIEMENS CSA HEADER,20)", reason=NoteReason.NAME, count=1),
    ]
    journal = Journal(tmp_path)
    journal.append(replace(make_entry(), notes=notes_by_place(notes)))
    (entry,) = journal.entries()
    VALIDATOR.validate(entry)
    assert entry["notes"]["(0008,103E)"] == {"name": 3, "e-mail": 1}
    with pytest.raises(ValidationError):
        VALIDATOR.validate({**entry, "notes": {"Doe^Jane": {"name": 1}}})


@pytest.mark.parametrize("reason", NoteReason)
def test_each_reason_has_a_sentence_and_fits_the_schema(tmp_path: Path, reason: NoteReason) -> None:
    assert reason.sentence
    note = Note(place="(0008,103E)", reason=reason, count=1)
    Journal(tmp_path).append(replace(make_entry(), notes=notes_by_place([note])))
    (entry,) = Journal(tmp_path).entries()
    VALIDATOR.validate(entry)
