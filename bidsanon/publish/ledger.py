"""What was added to a dataset, so that it can be taken out again: the private folder's ledger.

For each session it holds the digests of its files, the keyed UIDs of the series they came from, and
what it brought to the files at the root. Of each of those files it holds the text that stood there
before bidsanon first wrote it (or wrote it again after somebody's own edit). So the root without a
session is that text with the other sessions added anew, to the byte, in whatever order they came.
Which file is a dataset's ledger is for :mod:`bidsanon.publish.ledger_place` to say.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from bidsanon.bids.dataset_facts import DatasetFacts
from bidsanon.bids.root_documents import READMES
from bidsanon.bids.toplevel import (
    PARTICIPANTS,
    PARTICIPANTS_COLUMNS,
    TOP_LEVEL_FILES,
    dataset_files,
    without_participant,
)
from bidsanon.errors import PolicyError, StorageError
from bidsanon.publish.ledger_place import LedgerPlace, find_ledger, place_words

_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Addition:
    """One session as it was published.

    Attributes
    ----------
    number
        1, 2, ... in the order of publication.
    session
        Its name: ``sub-01_ses-02``.
    participant
        The row of participants.tsv that it brings.
    tools
        The version of each tool that made it, by name.
    replace
        Whether the row's values overrule those that stand there.
    dataset_name
        What a new dataset is called.
    made_row
        Whether the participant had no row before.
    files
        The SHA-256 of each file, by its path in the dataset.
    series
        The UIDs that replace those of the series of which there is an image.
    facts
        What the lab said of its dataset, as JSON holds it.
    """

    number: int = 0
    session: str
    participant: Mapping[str, str]
    tools: Mapping[str, str]
    replace: bool
    dataset_name: str
    made_row: bool = True
    files: Mapping[str, str] = field(default_factory=dict)
    series: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RootFile:
    """A file at the root that bidsanon writes.

    Attributes
    ----------
    before
        What stood there; None: no such file.
    after
        The number of the last addition that is in `before` already.
    digest
        The SHA-256 of what bidsanon wrote last; empty where it left no file.
    """

    before: str | None
    after: int
    digest: str


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """What was added to one dataset.

    Attributes
    ----------
    additions
        In the order of publication. A session that was redone is there more than once.
    root
        The files at the root, by name.
    dataset
        Where the dataset is.
    file
        Where the ledger is written, relative to the private folder.
    """

    additions: tuple[Addition, ...] = ()
    root: Mapping[str, RootFile] = field(default_factory=dict)
    dataset: str
    file: PurePosixPath

    @classmethod
    def read(cls, private: Path, dataset: Path) -> Ledger:
        """Read a dataset's ledger; an empty one where there is none yet.

        Raises
        ------
        StorageError
            If it cannot be understood.
        """
        return cls.read_at(find_ledger(private, dataset), private, dataset)

    @classmethod
    def read_at(cls, place: LedgerPlace, private: Path, dataset: Path) -> Ledger:
        """Read a dataset's ledger from where it was found.

        Raises
        ------
        StorageError
            If it cannot be understood.
        """
        ours = cls(dataset=place_words(dataset.resolve()), file=place.file)
        if place.found is None:
            return ours
        try:
            content = json.loads((private / place.found).read_text("utf-8"))
            return replace(
                ours,
                additions=tuple(
                    Addition(**{**one, "series": tuple(one["series"])})
                    for one in content["additions"]
                ),
                root={name: RootFile(**one) for name, one in content["root"].items()},
            )
        except (KeyError, TypeError, ValueError) as error:
            raise StorageError(
                "the ledger of the dataset in the private folder is damaged",
                cure=f"put {place.found} back from a backup, or move it away: sessions "
                "that are there can be removed with --all only, then",
            ) from error

    @property
    def text(self) -> str:
        """The ledger as its file holds it."""
        content = {
            "version": _VERSION,
            "dataset": self.dataset,
            "additions": [asdict(one) for one in self.additions],
            "root": {name: asdict(one) for name, one in self.root.items()},
        }
        return json.dumps(content, ensure_ascii=False) + "\n"

    @property
    def digests(self) -> dict[str, str]:
        """The SHA-256 of each file of all sessions, as they were last published."""
        return {name: digest for one in self.additions for name, digest in one.files.items()}

    def files_of(self, session: str) -> Mapping[str, str]:
        """Return the digests of a session's files; empty where nobody knows how it came."""
        return next((one.files for one in reversed(self.additions) if one.session == session), {})

    def with_rewritten(self, files: Mapping[str, tuple[str, str]]) -> Ledger:
        """Return the ledger after files were rewritten, and not by hand.

        Parameters
        ----------
        files
            The SHA-256 of each before and after, by its path. One that had been changed by hand
            stays as it was published, here.
        """
        additions = tuple(
            replace(
                one,
                files={path: _after(digest, files.get(path)) for path, digest in one.files.items()},
            )
            for one in self.additions
        )
        return replace(self, additions=additions)

    def sessions_with(self, series: Collection[str], *, besides: str) -> dict[str, int]:
        """Say which other sessions hold images of these series, and of how many."""
        latest = {one.session: one.series for one in self.additions if one.session != besides}
        shared = {name: len(set(series) & set(theirs)) for name, theirs in latest.items()}
        return {name: count for name, count in shared.items() if count}

    def with_session(
        self, addition: Addition, existing: Mapping[str, str]
    ) -> tuple[Ledger, dict[str, str]]:
        """Add a session.

        Parameters
        ----------
        addition
            The session; its number is given here.
        existing
            The files at the root that are there, by name, READMEs of any name among them.

        Returns
        -------
        The new ledger, and the files at the root to write.

        Raises
        ------
        PolicyError
            If a file at the root cannot be understood.
        """
        last = max((one.number for one in self.additions), default=0)
        written = _added(existing, addition)
        touched = self._touched(existing)
        root = {}
        for name in dict.fromkeys((*TOP_LEVEL_FILES, *READMES)):
            known, text = self.root.get(name), existing.get(name)
            if known is None and name not in written:
                continue
            if known is None or name in touched:
                known = RootFile(before=text, after=last, digest="")
            root[name] = replace(known, digest=_digest(written.get(name, text)))
        made_row = without_participant(existing.get(PARTICIPANTS), _row_id(addition)) is None
        numbered = replace(addition, number=last + 1, made_row=made_row)
        return replace(self, additions=(*self.additions, numbered), root=root), written

    def _touched(self, existing: Mapping[str, str]) -> set[str]:
        """Return the files at the root that are to be taken as they are now.

        Those that somebody changed, and what follows from them: participants.json defines the
        columns that participants.tsv had when a session was added.
        """
        changed = {
            name for name, one in self.root.items() if one.digest != _digest(existing.get(name))
        }
        return changed | {PARTICIPANTS_COLUMNS} if PARTICIPANTS in changed else changed

    def without_session(
        self, session: str, existing: Mapping[str, str], *, participant_left: bool
    ) -> tuple[Ledger, dict[str, str | None]]:
        """Take a session out.

        A file at the root that somebody changed since stays as it is, but for the participant's
        row.

        Parameters
        ----------
        session
            Its name.
        existing
            The files at the root that are there, by name.
        participant_left
            Whether another session of the participant stays.

        Returns
        -------
        The new ledger, and the files at the root to write; None for one that goes.
        """
        gone = [one for one in self.additions if one.session == session]
        left = tuple(one for one in self.additions if one.session != session)
        participant = session.partition("_")[0]
        of_participant = [one for one in self.additions if _row_id(one) == participant]
        ours = any(one.made_row for one in of_participant) or not gone
        undone = _replayed(self.root, left)
        changes: dict[str, str | None] = {}
        root = dict(self.root)
        for name in {*self.root, PARTICIPANTS}:
            text, known = existing.get(name), self.root.get(name)
            touched = known is None or known.digest != _digest(text)
            new = text if touched else undone.get(name)
            if name == PARTICIPANTS and ours and not participant_left:
                dropped = without_participant(new, participant)
                new = new if dropped is None else dropped
            if new != text:
                changes[name] = new
                if known is not None:
                    root[name] = _rebased(known, left, new) if touched else known
                    root[name] = replace(root[name], digest=_digest(new))
        return replace(self, additions=left, root=root if left else {}), changes


def root_texts(dataset: Path) -> dict[str, str]:
    """Return the text of each file at the root that bidsanon writes, and of READMEs, by name.

    Raises
    ------
    PolicyError
        If one of them is no text, or a link that leads nowhere: it would be written over.
    """
    texts = {}
    for name in sorted({*READMES, *TOP_LEVEL_FILES}):
        if not os.path.lexists(dataset / name):
            continue
        try:
            texts[name] = (dataset / name).read_bytes().decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise PolicyError(
                f"{name} of the dataset is no text in UTF-8 that can be read",
                cure="save it as UTF-8 (fetch it, where it is a link), or move it away",
            ) from error
    return texts


def _added(existing: Mapping[str, str], addition: Addition) -> dict[str, str]:
    return dataset_files(
        existing,
        name=addition.dataset_name,
        tools=addition.tools,
        participant=addition.participant,
        replace=addition.replace,
        facts=DatasetFacts.from_json(addition.facts),
    )


def _replayed(root: Mapping[str, RootFile], additions: Iterable[Addition]) -> dict[str, str]:
    """Return the files at the root as these sessions alone would have made them."""
    files = {name: one.before for name, one in root.items() if one.before is not None}
    for addition in additions:
        files |= {
            name: text
            for name, text in _added(files, addition).items()
            if name in root and addition.number > root[name].after
        }
    return files


def _rebased(known: RootFile, additions: Iterable[Addition], text: str | None) -> RootFile:
    last = max((one.number for one in additions), default=known.after)
    return replace(known, before=text, after=last)


def _after(digest: str, rewritten: tuple[str, str] | None) -> str:
    return rewritten[1] if rewritten and rewritten[0] == digest else digest


def _row_id(addition: Addition) -> str:
    return addition.participant["participant_id"]


def _digest(text: str | None) -> str:
    return "" if text is None else hashlib.sha256(text.encode()).hexdigest()
