"""The dataset as it would be with this session in it: what the last gates look at.

The candidate holds the session alone under the dataset's own top-level files, so that checking it
costs the same however large the dataset has grown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from bidsanon.bids.dataset_facts import DatasetFacts
from bidsanon.bids.root_documents import root_documents, settle_facts
from bidsanon.bids.toplevel import PARTICIPANTS, dataset_files, kept_by_hand, participant_row
from bidsanon.findings import Finding, finding
from bidsanon.pipeline.run import Run
from bidsanon.publish import root_texts
from bidsanon.session import ScrubbedSession
from bidsanon.validate.description import foresee_description


def complete_candidate(run: Run, scrubbed: ScrubbedSession) -> tuple[Finding, ...]:
    """Put the top-level files beside the session, as they would be with this session alone.

    Files of the dataset's root that sidecars inherit from are copied with them.

    Returns
    -------
    tuple of Finding
        Where the lab says something else than a person wrote into the dataset, which stays.
    """
    dataset = run.request.place.dataset
    existing = root_texts(dataset)
    alone = {name: text for name, text in existing.items() if name != PARTICIPANTS}
    facts = run.policy.profile.dataset
    new = dataset_files(
        alone,
        name=dataset.name,
        tools=run.generated_by,
        participant=participant_of(scrubbed),
        facts=settle_facts(existing, facts),
    )
    for name, text in {**alone, **_inherited(dataset), **new}.items():
        (scrubbed.root / name).write_text(text, "utf-8")
    return tuple(_kept(existing, name=dataset.name, facts=facts))


def foresee_root(dataset: Path, facts: DatasetFacts) -> tuple[Finding, ...]:
    """Say what a dataset would not say of itself once a session is in it, and whose words stay.

    Parameters
    ----------
    dataset
        Its folder, which need not be there.
    facts
        What the lab says of it.

    Raises
    ------
    PolicyError
        If a file at its root cannot be understood.
    """
    existing = root_texts(dataset)
    name, settled = dataset.name, settle_facts(existing, facts)
    new = root_documents(existing, name=name, tools={}, facts=settled)
    kept = _kept(existing, name=name, facts=facts)
    return (*kept, *foresee_description(existing | new))


def _kept(existing: Mapping[str, str], *, name: str, facts: DatasetFacts) -> Iterator[Finding]:
    """Say where the lab says something else than a person wrote into the dataset."""
    for place in kept_by_hand(existing, name=name, facts=facts):
        yield finding("DATASET_TEXT_KEPT", location=place)


def _inherited(dataset: Path) -> dict[str, str]:
    if not dataset.is_dir():
        return {}
    paths = [*dataset.glob("*_*.json"), *dataset.glob(".bidsignore")]
    return {p.name: p.read_text("utf-8") for p in paths if p.is_file()}


def participant_of(scrubbed: ScrubbedSession) -> dict[str, str]:
    """Return the row of participants.tsv that a session brings."""
    participant = scrubbed.defaced.converted.deidentified.participant
    return participant_row(scrubbed.subject, age_years=participant.age_years, sex=participant.sex)
