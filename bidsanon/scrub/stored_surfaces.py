"""Surfaces that are stored already (GIFTI): their metadata lose who, where and when.

No byte of their data changes.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from bidsanon.bids.gifti import GiftiEntry, GiftiError, GiftiFacts, Span, read_gifti, written_gifti
from bidsanon.scrub.columns import TablePolicy
from bidsanon.scrub.telling import tells_of_person

_FOLDERS = re.compile(r"(?<!\S)(?:~|\.{1,2}|[A-Za-z]:)?[/\\](?:[^\s/\\]+[/\\])*")


def scrub_stored_gifti(source: Path, target: Path | None, policy: TablePolicy) -> tuple[str, ...]:
    """Write a surface without metadata that are not about it, where it has some.

    Parameters
    ----------
    source
        The surface.
    target
        Where it is written if it changes; None: it is only looked at.
    policy
        How texts are cleaned.

    Returns
    -------
    What changes, in words.

    Raises
    ------
    GiftiError
        If it is none, or texts that have to stay may identify somebody.
    """
    if not source.stat().st_size:
        return ()  # examples of datasets hold empty files
    with source.open("rb") as stream:
        facts = read_gifti(stream)
    if any(tells_of_person(text, policy) for text in facts.texts):
        raise GiftiError("its labels, or the names of its files, may identify somebody")
    changes, said = _changes(facts, policy)
    if not changes:
        return ()
    if target is not None:
        written_gifti(source, target, changes)
        with target.open("rb") as stream:
            if _changes(read_gifti(stream), policy)[0]:
                raise GiftiError("its metadata cannot be cleaned")
    return tuple(f"{count} {what}" for what, count in sorted(said.items()))


def _changes(facts: GiftiFacts, policy: TablePolicy) -> tuple[dict[Span, bytes], Counter[str]]:
    """Return what has to stand where, and what is said of it."""
    said: Counter[str] = Counter()
    changes = dict.fromkeys(facts.asides, b"")
    said["comment(s) removed"] += len(changes)
    for entry in facts.entries:
        if not entry.is_about_data:
            changes[entry.whole] = b""
            said["metadata of who, where and when removed"] += 1
            continue
        value = _cleaned(entry, policy)
        if value != entry.value:
            changes[entry.whole] = entry.written(value)
            said["text(s) of metadata cleaned"] += 1
    return changes, +said


def _cleaned(entry: GiftiEntry, policy: TablePolicy) -> str:
    value = _FOLDERS.sub("", entry.value) if entry.is_text else entry.value
    return policy.cleaned(value).strip() if tells_of_person(value, policy) else value
