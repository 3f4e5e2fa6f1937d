"""The dataset as it would be with this session in it: what the last gates look at.

The candidate holds the session alone under the dataset's own top-level files, so that checking it
costs the same however large the dataset has grown.
"""

from __future__ import annotations

from pathlib import Path

from bidsanon.bids.toplevel import TOP_LEVEL_FILES, dataset_files, participant_row
from bidsanon.pipeline.run import Run
from bidsanon.session import ScrubbedSession


def top_level_files(run: Run, scrubbed: ScrubbedSession, dataset: Path) -> dict[str, str]:
    """Return the top-level files to write once the session is in the dataset.

    Parameters
    ----------
    run
        The run, for the request and the participant.
    scrubbed
        The session.
    dataset
        The dataset as it is now; it may not exist yet.
    """
    return dataset_files(
        _existing(dataset),
        name=run.request.place.dataset.name,
        tools=run.tools,
        participant=_participant(scrubbed),
        replace=_is_only_session(run, dataset),
    )


def complete_candidate(run: Run, scrubbed: ScrubbedSession) -> None:
    """Put the top-level files beside the session, as they would be with this session alone.

    Files of the dataset's root that sidecars inherit from are copied with them.
    """
    dataset = run.request.place.dataset
    existing = _existing(dataset)
    alone = {name: text for name, text in existing.items() if name != "participants.tsv"}
    new = dataset_files(
        alone,
        name=dataset.name,
        tools=run.tools,
        participant=_participant(scrubbed),
    )
    for name, text in {**alone, **_inherited(dataset), **new}.items():
        (scrubbed.root / name).write_text(text, "utf-8")


def _existing(dataset: Path) -> dict[str, str]:
    if not dataset.is_dir():
        return {}
    names = [p.name for p in dataset.glob("README*")] + list(TOP_LEVEL_FILES)
    return {n: (dataset / n).read_text("utf-8") for n in names if (dataset / n).is_file()}


def _inherited(dataset: Path) -> dict[str, str]:
    if not dataset.is_dir():
        return {}
    paths = [*dataset.glob("*_*.json"), *dataset.glob(".bidsignore")]
    return {p.name: p.read_text("utf-8") for p in paths if p.is_file()}


def _participant(scrubbed: ScrubbedSession) -> dict[str, str]:
    participant = scrubbed.defaced.converted.deidentified.participant
    return participant_row(scrubbed.subject, age_years=participant.age_years, sex=participant.sex)


def _is_only_session(run: Run, dataset: Path) -> bool:
    subject = dataset / run.request.place.relative.parts[0]
    if run.request.place.session is None:
        return True
    others = [p for p in subject.glob("ses-*") if p.name != run.request.place.relative.name]
    return not others
