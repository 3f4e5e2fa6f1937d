"""What a lab's file says of a dataset that exists already: it fills what nobody wrote."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bidsanon.bids.dataset_facts import NOTHING_SAID, DatasetFacts
from bidsanon.bids.root_documents import READMES, read_root_json
from bidsanon.bids.toplevel import TOP_LEVEL_FILES, filled_files, kept_by_hand
from bidsanon.files import file_state
from bidsanon.findings import Finding, finding
from bidsanon.publish import root_texts
from bidsanon.scrub import DatasetPolicy, scrubbed_root_texts


@dataclass(frozen=True, kw_only=True)
class FilledFile:
    """A file at the dataset's root that the lab's words fill.

    Attributes
    ----------
    name
        Which one.
    words
        What is filled, without its value.
    state
        Tells whether somebody wrote the file since.
    text
        What it is to hold.
    was_link
        Whether a link is replaced by a file.
    """

    name: str
    words: tuple[str, ...]
    state: tuple[int, ...]
    text: str
    was_link: bool


@dataclass(frozen=True, kw_only=True)
class FilledRoot:
    """What a lab's words fill of a dataset, and where a person's stay instead."""

    files: tuple[FilledFile, ...] = ()
    findings: tuple[Finding, ...] = ()


def fill_root(dataset: Path, facts: DatasetFacts, policy: DatasetPolicy) -> FilledRoot:
    """Find out what a lab's words fill once the dataset is scrubbed.

    Parameters
    ----------
    dataset
        Its folder; it is only read.
    facts
        What the lab says.
    policy
        What the scrub knows.

    Raises
    ------
    PolicyError
        If a file at the root cannot be read or understood.
    """
    if facts == NOTHING_SAID:
        return FilledRoot()
    states = {name: _state(dataset / name) for name in (*READMES, *TOP_LEVEL_FILES)}
    existing = scrubbed_root_texts(dataset, root_texts(dataset), policy)
    filled = filled_files(existing, name=dataset.name, facts=facts)
    kept = kept_by_hand(existing, name=dataset.name, facts=facts)
    return FilledRoot(
        files=tuple(
            FilledFile(
                name=name,
                words=tuple(_words(name, existing.get(name), text)),
                state=states[name],
                text=text,
                was_link=(dataset / name).is_symlink(),
            )
            for name, text in sorted(filled.items())
        ),
        findings=tuple(finding("DATASET_TEXT_KEPT", location=place) for place in kept),
    )


def _state(path: Path) -> tuple[int, ...]:
    try:
        return file_state(path)
    except OSError:  # a link in a circle: whoever reads it says so
        return ()


def _words(name: str, before: str | None, text: str) -> Iterator[str]:
    if before is None:
        yield "made, as [dataset] of the lab's file says"
    elif name.endswith(".json"):
        old, new = read_root_json(before, name=name), read_root_json(text, name=name)
        yield from (f"{key} filled" for key in new if old.get(key) != new[key])
        yield from (f"{key} moved to CITATION.cff" for key in old if key not in new)
    else:
        yield "replaced by what [dataset] of the lab's file says"
