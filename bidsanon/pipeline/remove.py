"""One session out of a dataset: what ``convert`` added is undone, under the same lock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bidsanon import __version__
from bidsanon.audit import JournalEntry, Outcome, now
from bidsanon.pipeline.existing import require_described
from bidsanon.pipeline.places import require_own_private_folder, require_possible_place
from bidsanon.pipeline.summary import heading
from bidsanon.pipeline.workspace import Workspace, claimed_workspace, private_words
from bidsanon.publish import SessionPlace, clean_label, private_beside, settle_dataset
from bidsanon.publish.removal import Removal, plan_removal, remove_session, require_as_published
from bidsanon.publish.transaction import interrupted


@dataclass(frozen=True, kw_only=True)
class RemoveRequest:
    """What the user asks for.

    Attributes
    ----------
    place
        The session.
    private
        The private folder.
    by_hand_too
        Whether what was added or changed by hand goes too.
    """

    place: SessionPlace
    private: Path
    by_hand_too: bool


def make_remove_request(
    dataset: Path,
    *,
    subject: str,
    session: str | None,
    private: Path | None,
    by_hand_too: bool = False,
) -> RemoveRequest:
    """Check what the user asks for and return it as a record.

    Raises
    ------
    UsageError
        If the dataset is none, or a label cannot be one.
    """
    dataset = dataset.resolve()
    require_possible_place(dataset, name="the dataset")
    private = (private or private_beside(dataset)).absolute()
    require_own_private_folder(private)
    if not interrupted(dataset):
        require_described(dataset)
    place = SessionPlace(
        dataset=dataset,
        subject=clean_label(subject, prefix="sub-"),
        session=clean_label(session, prefix="ses-") if session is not None else None,
    )
    return RemoveRequest(place=place, private=private, by_hand_too=by_hand_too)


def plan_remove(request: RemoveRequest) -> Removal:
    """Find out what :func:`remove` would do, and write nothing.

    Raises
    ------
    BidsanonError
        Where :func:`remove` would raise it.
    """
    removal = plan_removal(request.place, private=request.private)
    if not request.by_hand_too:
        require_as_published(removal)
    return removal


def remove(request: RemoveRequest) -> Removal:
    """Take a session out of its dataset, with a journal entry.

    Raises
    ------
    BidsanonError
        If it cannot be: the dataset is as it was, then.
    """
    words = private_words(
        request.private, beside=private_beside(request.place.dataset), name="DATASET"
    )
    with claimed_workspace(request.private, request.place.name, words=words):
        settle_dataset(request.place.dataset)
        entry = JournalEntry(
            when=now(),
            command="remove",
            outcome=Outcome.REMOVED,
            subject=request.place.subject,
            session=request.place.session,
            tools={"bidsanon": __version__},
        )
        return remove_session(
            request.place,
            private=request.private,
            journal_line=entry.line,
            by_hand_too=request.by_hand_too,
        )


def remove_summary(request: RemoveRequest, removal: Removal, *, planned: bool) -> dict[str, Any]:
    """Return the summary of ``remove``."""
    return {
        **heading("remove", "planned" if planned else "removed"),
        "exit_code": 0,
        "dataset": str(request.place.dataset),
        "subject": request.place.subject,
        "session": request.place.session,
        "files": list(removal.files),
        "root_files": _root_changes(removal.root),
        "by_hand": list(removal.by_hand),
        "participant_removed": removal.participant_goes,
        "left": list(removal.left),
        "private_left": private_left(request),
        "private": str(request.private),
    }


def private_left(request: RemoveRequest) -> list[str]:
    """Return what the private folder still holds of the session: pages, records, quarantine."""
    space = Workspace(private=request.private, name=request.place.name)
    places = (
        *(space.report, space.refused_report),
        *(space.published_record, space.refused_record),
        space.quarantine,
    )
    return [str(path) for path in places if path.exists()]


def _root_changes(root: Mapping[str, str | None]) -> list[dict[str, str]]:
    return [
        {"path": name, "change": "removed" if text is None else "changed"}
        for name, text in sorted(root.items())
    ]
