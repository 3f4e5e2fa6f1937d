"""Made-up sessions put into a dataset without converting anything."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from bidsanon.audit import JournalEntry, Outcome, now
from bidsanon.bids.dataset_facts import NOTHING_SAID, DatasetFacts
from bidsanon.publish import Publication, SessionPlace, publish_session
from bidsanon.publish.removal import Removal, remove_session


def place_of(dataset: Path, name: str) -> SessionPlace:
    """Return the place of "01" or "01/02": a subject, or a subject's session."""
    subject, _, session = name.partition("/")
    return SessionPlace(dataset=dataset, subject=subject, session=session or None)


def journal_line(name: str, outcome: Outcome) -> str:
    subject, _, session = name.partition("/")
    return JournalEntry(
        when=now(),
        command="test",
        outcome=outcome,
        subject=subject,
        session=session or None,
        profile="",
        profile_digest="",
    ).line


def add(
    dataset: Path,
    name: str,
    *,
    overwrite: bool = False,
    series: str = "",
    facts: DatasetFacts = NOTHING_SAID,
) -> SessionPlace:
    """Publish a session of which everything follows from its name."""
    place = place_of(dataset, name)
    private = dataset.with_name(f"{dataset.name}.private")
    folder = private / "made" / place.name
    (folder / "anat").mkdir(parents=True)
    (folder / "anat" / f"{place.name}_T1w.json").write_text(name)
    number = hashlib.sha256(name.encode()).digest()[0]
    sex = {"sex": "F"} if number % 2 else {}
    publication = Publication(
        place=place,
        folder=folder,
        participant={"participant_id": f"sub-{place.subject}", "age": str(20 + number % 60)} | sex,
        tools={"bidsanon": "0.1.0", "dcm2niix": f"v{number % 3}"},
        series=(series or f"2.25.{number}.{len(name)}.{place.subject}",),
        private=private,
        journal_line=journal_line(name, Outcome.PUBLISHED),
        facts=facts,
    )
    publish_session(publication, bind=lambda: None, overwrite=overwrite)
    return place


def remove(dataset: Path, name: str, *, by_hand_too: bool = False) -> Removal:
    return remove_session(
        place_of(dataset, name),
        private=dataset.with_name(f"{dataset.name}.private"),
        journal_line=journal_line(name, Outcome.REMOVED),
        by_hand_too=by_hand_too,
    )


def journal(dataset: Path) -> list[tuple[str, str]]:
    """Return what happened to which session, the oldest first."""
    text = (dataset.with_name(f"{dataset.name}.private") / "journal.jsonl").read_text()
    entries = map(json.loads, text.splitlines())
    return [(entry["outcome"], f"{entry['subject']}/{entry['session']}") for entry in entries]
