"""The journal: one line of JSON for each run, appended and never changed.

It lies in the private folder and holds no identifying value all the same: labels, names of
profiles and heuristics, digests, counts and codes of findings.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from bidsanon.errors import StorageError
from bidsanon.files import PRIVATE_FILE_MODE, make_private_folder, storage_errors
from bidsanon.findings import Finding

JOURNAL_NAME = "journal.jsonl"
JOURNAL_VERSION = 1


class Outcome(StrEnum):
    """How a run ended."""

    PUBLISHED = "published"
    """The session is in the dataset."""
    REMOVED = "removed"
    """The session was taken out of the dataset."""
    DELIVERED = "delivered"
    """What ``deidentify`` or ``export`` made is at OUT."""
    REFUSED = "refused"
    """A gate said no; the dataset is as it was."""
    FAILED = "failed"
    """The run came to no decision (a tool failed, no space); the dataset is as it was."""


@dataclass(frozen=True, kw_only=True)
class ImageOrigin:
    """Which series an image came from: one, or several where a scanner splits a run.

    Attributes
    ----------
    series
        Their places in acquisition order: "series 3" in messages and on the session's page.
    numbers
        (0020,0011) of each, or None.
    uids
        The UID that replaces each one's Series Instance UID: whoever has the vault finds the
        original.
    """

    series: tuple[int, ...]
    numbers: tuple[int | None, ...]
    uids: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class JournalEntry:
    """One run.

    Attributes
    ----------
    when
        When it ended, ISO 8601 in UTC with seconds.
    command
        What was run: "convert".
    outcome
        How it ended.
    subject, session
        The labels, without their prefixes; empty and None where it was no one session's.
    profile, profile_digest
        The profile's name, and the SHA-256 of what it decides; empty where none was used.
    heuristic, heuristic_digest
        The heuristic's name (not its path), and its file's SHA-256; empty where none was used.
    known_digest
        The SHA-256 of the file of what the lab knows of its images; empty where none was given.
    field_maps, field_maps_by
        By which fields field maps were linked, and by what they were chosen.
    tools
        Name to version.
    counts
        How many of what: series, files, elements by action, ...
    findings
        How often each finding's code was reported.
    notes
        By place, how often a value was cut, emptied or changed for which reason.
    faces_kept
        Why faces were kept, in the user's words; empty where they were removed.
    images
        Of each published image, by its path in the dataset, which series it came from.
    archive_digest
        The SHA-256 of the archive that was delivered; empty where none was, or nobody took it.
    version
        The version of this record.
    """

    when: str
    command: str
    outcome: Outcome
    subject: str = ""
    session: str | None = None
    profile: str = ""
    profile_digest: str = ""
    heuristic: str = ""
    heuristic_digest: str = ""
    known_digest: str = ""
    field_maps: tuple[str, ...] = ()
    field_maps_by: tuple[str, ...] = ()
    tools: Mapping[str, str] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    findings: Mapping[str, int] = field(default_factory=dict)
    notes: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    faces_kept: str = ""
    images: Mapping[str, ImageOrigin] = field(default_factory=dict)
    archive_digest: str = ""
    version: int = JOURNAL_VERSION

    @property
    def line(self) -> str:
        """The entry as a line of the journal, without the line's end."""
        return json.dumps(asdict(self), ensure_ascii=False)


def now() -> str:
    """Return this moment as the journal writes it."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def count_findings(findings: Iterable[Finding]) -> dict[str, int]:
    """Count findings by their code, sorted by code: what the journal keeps of them."""
    return dict(sorted(Counter(finding.code for finding in findings).items()))


class Journal:
    """The journal of one private folder.

    Parameters
    ----------
    private
        The private folder; made when first written to.
    """

    def __init__(self, private: Path) -> None:
        self.path = private / JOURNAL_NAME

    def append(self, entry: JournalEntry) -> None:
        """Add an entry. It is on the disk when this returns.

        A line that a crash left unfinished is ended first, so that it spoils no other.

        Raises
        ------
        StorageError
            If it cannot be written.
        """
        self._append(entry.line)

    def append_once(self, line: str) -> None:
        """Add an entry's line, unless it stands there: a change that is brought to its end twice.

        Raises
        ------
        StorageError
            If it cannot be read or written.
        """
        if line not in self._lines():
            self._append(line)

    def _append(self, text: str) -> None:
        line = text.encode() + b"\n"
        with storage_errors("the journal"):
            make_private_folder(self.path.parent)
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
            descriptor = os.open(self.path, flags, PRIVATE_FILE_MODE)
            try:
                if _ends_unfinished(descriptor):
                    line = b"\n" + line
                _write_at_once(descriptor, line)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def entries(self) -> Iterator[dict[str, Any]]:
        """Yield the entries, the oldest first; a line that a crash left unfinished is passed over.

        Raises
        ------
        StorageError
            If the journal cannot be read.
        """
        for line in self._lines():
            try:
                yield json.loads(line)
            except json.JSONDecodeError:
                continue

    def _lines(self) -> list[str]:
        try:
            return self.path.read_text("utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StorageError(
                "the journal cannot be read", cure="check the private folder's permissions"
            ) from error


def _ends_unfinished(descriptor: int) -> bool:
    size = os.fstat(descriptor).st_size
    return size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"


def _write_at_once(descriptor: int, line: bytes) -> None:
    """Write a line by one call: lines of runs that end together do not mix."""
    written = os.write(descriptor, line)
    while written < len(line):
        written += os.write(descriptor, line[written:])
