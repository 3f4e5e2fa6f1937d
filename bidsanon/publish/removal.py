"""One session out of a dataset: what goes with it, what stays, and what somebody added to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bidsanon.bids.toplevel import PARTICIPANTS, values_added_by_hand, without_participant
from bidsanon.errors import ConflictError, UsageError
from bidsanon.files import files_below, sha256, storage_errors
from bidsanon.publish.ledger import Ledger, root_texts
from bidsanon.publish.lock import dataset_lock
from bidsanon.publish.place import SessionPlace
from bidsanon.publish.session import files_of
from bidsanon.publish.transaction import Item, Memory, install, recover

_ELSEWHERE = ("derivatives", "sourcedata", "code")
_DEEPEST = 3


@dataclass(frozen=True, kw_only=True)
class Removal:
    """What taking a session out does.

    Attributes
    ----------
    place
        The session.
    files
        What goes, by its path in the dataset.
    root
        The files at the root that change, by name: their text, or None where the file goes.
    by_hand
        What of that nobody but the user can bring back: files that were added or changed since,
        values of the participant's row. Empty where all is as it was published.
    known
        Whether the ledger knows how the session came.
    participant_goes
        Whether it is the participant's last session.
    left
        What else the dataset holds of the session, by its path: derivatives and the like.
    ledger
        The ledger without the session.
    """

    place: SessionPlace
    files: tuple[str, ...]
    root: Mapping[str, str | None]
    by_hand: tuple[str, ...]
    known: bool
    participant_goes: bool
    left: tuple[str, ...]
    ledger: Ledger


def plan_removal(place: SessionPlace, *, private: Path) -> Removal:
    """Find out what taking a session out of a dataset would do.

    Raises
    ------
    UsageError
        If the dataset holds no such session.
    PolicyError
        If a file at the root cannot be understood.
    """
    _require_there(place)
    ledger = Ledger.read(private, place.dataset)
    digests = ledger.files_of(place.name)
    subject = place.dataset / f"sub-{place.subject}"
    goes = place.is_alone
    files = files_of(place) if not goes else tuple(_names(subject, place.dataset))
    texts = root_texts(place.dataset)
    left, root = ledger.without_session(place.name, texts, participant_left=not goes)
    by_hand = [
        name
        for name in files
        if name not in digests or _digest(place.dataset / name) != digests[name]
    ]
    if goes:
        by_hand += _row_values_by_hand(place, ledger, before=texts, after={**texts, **root})
    return Removal(
        place=place,
        files=files,
        root=root,
        by_hand=tuple(by_hand),
        known=bool(digests),
        participant_goes=goes,
        left=tuple(_elsewhere(place)),
        ledger=left,
    )


def remove_session(
    place: SessionPlace, *, private: Path, journal_line: str, by_hand_too: bool
) -> Removal:
    """Take a session out of a dataset, as one step.

    Parameters
    ----------
    place
        The session.
    private
        The private folder.
    journal_line
        The journal's entry of it.
    by_hand_too
        Whether what was added or changed by hand goes too.

    Raises
    ------
    ConflictError
        If something was added or changed by hand and `by_hand_too` is not set, or the dataset stays
        locked.
    UsageError
        If the dataset holds no such session.
    StorageError
        If the dataset cannot be written.
    """
    with storage_errors("the dataset"), dataset_lock(place.dataset):
        recover(place.dataset)
        removal = plan_removal(place, private=private)
        if not by_hand_too:
            require_as_published(removal)
        whole = PurePosixPath(f"sub-{place.subject}")
        gone = whole if removal.participant_goes else place.relative
        items = [Item(path=gone, content=None)]
        items += [Item(path=PurePosixPath(n), content=text) for n, text in removal.root.items()]
        memory = Memory(
            private=private,
            line=journal_line,
            path=removal.ledger.file,
            text=removal.ledger.text,
        )
        install(place.dataset, items, memory=memory)
    return removal


def require_as_published(removal: Removal) -> None:
    """Refuse to remove what the user added or changed.

    Raises
    ------
    ConflictError
        If there is something of that kind, or nobody knows.
    """
    if not removal.by_hand:
        return
    if not removal.known:
        raise ConflictError(
            f"the private folder does not know how {removal.place.name} came into the dataset",
            cure="name the folder with --private; --all removes what is there all the same",
        )
    raise ConflictError(
        f"{len(removal.by_hand)} thing(s) were added or changed since {removal.place.name} was "
        f"published: {', '.join(removal.by_hand)}",
        cure="move away what you want to keep; --all removes the rest with the session",
    )


def _row_values_by_hand(
    place: SessionPlace,
    ledger: Ledger,
    *,
    before: Mapping[str, str],
    after: Mapping[str, str | None],
) -> list[str]:
    """Name what somebody wrote into the participant's row, where the row goes."""
    participant = f"sub-{place.subject}"
    if without_participant(after.get(PARTICIPANTS), participant) is not None:
        return []
    brought = {column for one in ledger.additions for column in one.participant}
    row = dict.fromkeys(brought, "") | {"participant_id": participant}
    columns = values_added_by_hand(before.get(PARTICIPANTS), row)
    return [f"{PARTICIPANTS} (the row's {column})" for column in columns]


def _require_there(place: SessionPlace) -> None:
    subject = place.dataset / f"sub-{place.subject}"
    sessions = sorted(path.name for path in subject.glob("ses-*")) if subject.is_dir() else []
    if place.session is None and sessions:
        raise UsageError(
            f"sub-{place.subject} has sessions in this dataset",
            cure=f"name one with -ss: {', '.join(name.removeprefix('ses-') for name in sessions)}",
        )
    if not (place.dataset / place.relative).is_dir():
        raise UsageError(
            f"the dataset holds no {place.name}", cure="look how it is called in the dataset"
        )


def _digest(path: Path) -> str:
    """Return a file's digest; empty for a link that leads nowhere."""
    return sha256(path) if path.exists() else ""


def _names(folder: Path, dataset: Path) -> Iterator[str]:
    return (path.relative_to(dataset).as_posix() for path in files_below(folder))


def _elsewhere(place: SessionPlace) -> Iterator[str]:
    """Yield the folders of the session that lie apart from it: others made them."""
    for top in _ELSEWHERE:
        for depth in range(_DEEPEST):
            pattern = "/".join([top, *["*"] * depth, *place.relative.parts])
            yield from sorted(
                path.relative_to(place.dataset).as_posix() for path in place.dataset.glob(pattern)
            )
