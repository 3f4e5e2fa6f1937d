"""One session into the dataset or out of it, with the files at the root in the same step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from bidsanon.bids.dataset_facts import NOTHING_SAID, DatasetFacts
from bidsanon.bids.root_documents import settle_facts
from bidsanon.errors import ConflictError
from bidsanon.files import files_below, sha256, storage_errors
from bidsanon.publish.ledger import Addition, Ledger, root_texts
from bidsanon.publish.lock import dataset_lock
from bidsanon.publish.place import SessionPlace, require_free
from bidsanon.publish.transaction import Item, Memory, install, interrupted, recover


@dataclass(frozen=True, kw_only=True)
class Publication:
    """A session that is to be published.

    Attributes
    ----------
    place
        Where it goes.
    folder
        The session's folder in the private folder; it is moved away from there.
    participant
        The row of participants.tsv that it brings.
    tools
        The version of each tool that made it, by name.
    series
        The UIDs that replace those of the series of which there is an image.
    private
        The private folder.
    journal_line
        The journal's entry of it.
    facts
        What the lab says of its dataset.
    """

    place: SessionPlace
    folder: Path
    participant: Mapping[str, str]
    tools: Mapping[str, str]
    series: tuple[str, ...]
    private: Path
    journal_line: str
    facts: DatasetFacts = NOTHING_SAID


def publish_session(publication: Publication, *, bind: Callable[[], None], overwrite: bool) -> None:
    """Move a session into its place and bring the dataset and the private folder up to date.

    The session, the files at the root, the ledger and the journal's entry are one step.

    Parameters
    ----------
    publication
        The session.
    bind
        Called under the dataset's lock once it is sure that the session may be there: gives the
        person their label for ever.
    overwrite
        Whether a session that stands there is replaced.

    Raises
    ------
    ConflictError
        If the session exists and `overwrite` is not set, or holds files that somebody added, or its
        scans are published under another label, or the dataset stays locked.
    StorageError
        If there is no room beside the dataset, or it cannot be written.
    """
    place = publication.place
    addition = Addition(
        session=place.name,
        participant=publication.participant,
        tools=publication.tools,
        replace=False,
        dataset_name=place.dataset.name,
        files=_digests(publication.folder, below=place.relative),
        series=publication.series,
    )
    with storage_errors("the dataset"), dataset_lock(place.dataset):
        recover(place.dataset)
        require_free(place, overwrite=overwrite)
        ledger = Ledger.read(publication.private, place.dataset)
        require_nothing_added(place, ledger)
        _require_not_elsewhere(place, ledger, publication.series)
        bind()
        existing = root_texts(place.dataset)
        facts = settle_facts(existing, publication.facts).as_json()
        addition = replace(addition, replace=place.is_alone, facts=facts)
        ledger, root = ledger.with_session(addition, existing)
        items = [Item(path=place.relative, content=publication.folder)]
        items += [Item(path=PurePosixPath(name), content=text) for name, text in root.items()]
        memory = Memory(
            private=publication.private,
            line=publication.journal_line,
            path=ledger.file,
            text=ledger.text,
        )
        install(place.dataset, items, memory=memory)


def settle_dataset(dataset: Path) -> None:
    """Bring a change that a crash interrupted to its end, before anybody reads the dataset."""
    if interrupted(dataset):
        with storage_errors("the dataset"), dataset_lock(dataset):
            recover(dataset)


def added_by_hand(place: SessionPlace, ledger: Ledger) -> tuple[str, ...]:
    """Name the files of a session's folder, by their path in the dataset, that nobody published.

    Where the ledger does not know how the session came, none is named.
    """
    known = ledger.files_of(place.name)
    if not known or not place.exists:
        return ()
    return tuple(name for name in files_of(place) if name not in known)


def files_of(place: SessionPlace) -> tuple[str, ...]:
    """Name the files of a session, by their path in the dataset."""
    folder = place.dataset / place.relative
    return tuple(path.relative_to(place.dataset).as_posix() for path in files_below(folder))


def require_nothing_added(place: SessionPlace, ledger: Ledger) -> None:
    """Refuse to replace a session to which somebody added files.

    Raises
    ------
    ConflictError
        If there are some.
    """
    added = added_by_hand(place, ledger)
    if added:
        raise ConflictError(
            f"{place.name} holds {len(added)} file(s) that were added by hand, and would lose "
            f"them: {', '.join(added)}",
            cure="move them out of the dataset, and put them back when it is done",
        )


def _require_not_elsewhere(place: SessionPlace, ledger: Ledger, series: tuple[str, ...]) -> None:
    for name in published_elsewhere(place, ledger, series):
        raise ConflictError(
            f"scans of this session were published as {name} meanwhile",
            cure=f"find out under which label they belong: {place.name} or {name}",
        )


def published_elsewhere(
    place: SessionPlace, ledger: Ledger, series: tuple[str, ...]
) -> dict[str, int]:
    """Say which other sessions of the dataset hold images of these series, and of how many.

    Parameters
    ----------
    place
        Where the session is, or is to be.
    ledger
        What was added to the dataset.
    series
        The UIDs that replace those of the series.
    """
    found = ledger.sessions_with(series, besides=place.name)
    return {
        name: count
        for name, count in found.items()
        if place.dataset.joinpath(*name.split("_")).is_dir()
    }


def _digests(folder: Path, *, below: PurePosixPath) -> dict[str, str]:
    return {
        (below / path.relative_to(folder).as_posix()).as_posix(): sha256(path)
        for path in files_below(folder)
        if not path.is_symlink()
    }
