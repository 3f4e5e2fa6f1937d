"""EEGLAB's recordings that are stored already (.set): who, where and when goes, no number changes.

Blanks take the places of texts. What is written is read back: but for these, it holds the same.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from pathlib import Path

from bidsanon.bids.identifying import is_of_date, labels_in
from bidsanon.bids.matlab import (
    MatlabText,
    Place,
    contents,
    is_matlab,
    read_matlab,
    without_moment,
    write_changed,
)
from bidsanon.bids.matlab_elements import HEADING_BYTES, MatlabError
from bidsanon.bids.recorded_fields import FieldKind, field_says_nothing, kind_of_any_field
from bidsanon.bids.written import holds_unshifted_day
from bidsanon.scrub.columns import TablePolicy
from bidsanon.scrub.telling import tells_of_person

_EMPTIED = frozenset(
    (
        *(FieldKind.SUBJECT, FieldKind.STAFF, FieldKind.PLACE, FieldKind.TYPED),
        FieldKind.FOLDER,
    )
)


def scrub_stored_matlab(
    source: Path, target: Path | None, policy: TablePolicy, *, name: str, keep_times: bool
) -> tuple[str, ...]:
    """Write a recording without what its fields say of a person, where they say something.

    Parameters
    ----------
    source
        The recording.
    target
        Where it is written if it changes; None: it is only looked at.
    policy
        How texts are cleaned.
    name
        Its place in the dataset.
    keep_times
        Whether times of day stay.

    Returns
    -------
    What changes, in words.

    Raises
    ------
    MatlabError
        If it is none, or holds what nobody can read here.
    """
    if not source.stat().st_size:
        return ()  # examples of datasets hold empty files
    with source.open("rb") as stream:
        if not is_matlab(stream.read(HEADING_BYTES)):
            raise MatlabError("it is no MATLAB file of level 5; HDF5 is read by validate alone")
        stream.seek(0)
        facts = read_matlab(stream)
    if facts.unread:
        raise MatlabError("it holds objects that only MATLAB understands")
    own = labels_in(name)
    changes: dict[Place, bytes] = {}
    for text in facts.texts:
        left = _cleaned(text, policy, own, keep_times=keep_times)
        if left != text.text:
            changes[text.place] = text.written(left)
    heading = without_moment(facts.heading)
    said = [f"{len(changes)} field(s) that say who, where or when emptied"] if changes else []
    said += ["when it was written taken out of the heading"] if heading != facts.heading else []
    if said and target is not None:
        with source.open("rb") as stream, target.open("wb") as copy:
            write_changed(stream, copy, heading, changes)
        if _checksum(source, changes) != _checksum(target, {}):
            raise MatlabError("the copy that was to be stored differs from it")
    return tuple(said)


def _cleaned(
    text: MatlabText, policy: TablePolicy, own: frozenset[str], *, keep_times: bool
) -> str:
    said, key = text.text.strip(), text.names[-1] if text.names else ""
    if field_says_nothing(said) or said in own:
        return text.text
    kind = kind_of_any_field(key)
    if kind in _EMPTIED or (kind is FieldKind.TIME and not keep_times):
        return ""
    is_date = kind in {FieldKind.BEGAN, FieldKind.WRITTEN} or is_of_date(key)
    if is_date and holds_unshifted_day(said):
        return ""
    if not tells_of_person(said, policy):
        return text.text
    left = policy.cleaned(text.text)
    return "" if tells_of_person(left, policy) else left


def _checksum(path: Path, changes: Mapping[Place, bytes]) -> int:
    checksum = 0
    with path.open("rb") as stream:
        for chunk in contents(stream, changes):
            checksum = zlib.crc32(chunk, checksum)
    return checksum
