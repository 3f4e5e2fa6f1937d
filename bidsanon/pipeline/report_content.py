"""What a dataset and its private folder hold for its pages, whoever made them, whatever state."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

from bidsanon.audit import FaceDecisions, Journal
from bidsanon.bids.root_documents import DESCRIPTION
from bidsanon.bids.sidecars import IMAGE_EXTENSIONS, SidecarError, read_json_file
from bidsanon.bids.tables import TableError, open_table
from bidsanon.bids.toplevel import PARTICIPANTS
from bidsanon.bids.tree import list_tree
from bidsanon.findings import Finding
from bidsanon.pipeline.workspace import Workspace
from bidsanon.publish import Ledger
from bidsanon.report import SessionReport, read_record
from bidsanon.report.dataset import RunEntry

_PASSED_OVER = (".git", ".datalad")
_LARGEST_TABLE = 1 << 24
_MOST_RUNS = 200
_LONGEST_NAME = 120
_TEXTS = {"BIDSVersion": "BIDS", "License": "Licence", "DatasetType": "Type"}
_SEXES = {"F": "Female", "M": "Male", "O": "Other"}
_AGE = re.compile(r"\d{1,3}(\.\d+)?")
_NOT_IN_A_NAME = re.compile(r"[^0-9A-Za-z_+-]")


@dataclass(frozen=True, kw_only=True)
class SessionContent:
    """One session's images.

    Attributes
    ----------
    folder
        Relative to the dataset, with forward slashes.
    images
        Their paths in the dataset, in order.
    problems
        The images that cannot be read, and why.
    """

    folder: str
    images: tuple[str, ...] = ()
    problems: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What the session is called in file names: ``sub-01_ses-02``.

        A folder whose name BIDS does not allow gets one of its own that is safe in an address.
        """
        name = self.folder.replace("/", "_")
        safe = _NOT_IN_A_NAME.sub("-", name)[:_LONGEST_NAME]
        return name if safe == name else f"{safe}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"

    @property
    def label(self) -> str:
        """What it is called in words: "sub-01, ses-02"."""
        return self.folder.replace("/", ", ")


@dataclass(frozen=True, kw_only=True)
class DatasetContent:
    """What a dataset holds.

    Attributes
    ----------
    sessions
        In the order of their folders.
    files, size
        How many files there are, and how many bytes.
    """

    sessions: tuple[SessionContent, ...]
    files: int
    size: int

    @property
    def subjects(self) -> int:
        """How many subjects have a session."""
        return len({session.folder.partition("/")[0] for session in self.sessions})


def list_content(dataset: Path) -> DatasetContent:
    """Find the sessions of a dataset and their images."""
    tree = list_tree(dataset, skip=_PASSED_OVER)
    images: dict[str, list[str]] = {}
    problems: dict[str, dict[str, str]] = {}
    folders: set[str] = set()
    for file in tree.files:
        folder = _session_of(file.name)
        folders.add(folder)
        if _is_image(file.name):
            images.setdefault(folder, []).append(file.name)
    for problem in tree.problems:
        folder = _session_of(problem.name)
        folders.add(folder)
        if _is_image(problem.name):
            images.setdefault(folder, []).append(problem.name)
            problems.setdefault(folder, {})[problem.name] = f"it {problem.problem}"
    with_sessions = {folder.partition("/")[0] for folder in folders if "/" in folder}
    return DatasetContent(
        sessions=tuple(
            SessionContent(
                folder=folder,
                images=tuple(sorted(images.get(folder, ()))),
                problems=problems.get(folder, {}),
            )
            for folder in sorted(folders)
            # What lies beside a subject's sessions is a session only where it holds images.
            if folder and (folder in images or folder not in with_sessions)
        ),
        files=len(tree.files),
        size=sum(file.size for file in tree.files),
    )


def findings_by_session(found: Iterable[Finding]) -> Mapping[str, Sequence[Finding]]:
    """Return the findings that are about a session's files, by the session's folder."""
    theirs: dict[str, list[Finding]] = {}
    for one in found:
        theirs.setdefault(_session_of(one.location), []).append(one)
    return theirs


def _session_of(name: str) -> str:
    """Return the folder of the session that a file belongs to; empty where it belongs to none."""
    subject, _, below = name.partition("/")
    if not subject.startswith("sub-") or not below:
        return ""
    session, _, rest = below.partition("/")
    return f"{subject}/{session}" if session.startswith("ses-") and rest else subject


def _is_image(name: str) -> bool:
    return name.startswith("sub-") and name.lower().endswith(IMAGE_EXTENSIONS)


@dataclass(frozen=True, kw_only=True)
class PrivateContent:
    """What a private folder knows of a dataset; nothing where there is none.

    Attributes
    ----------
    runs
        The journal's lines, the last first.
    decisions
        What a person decided about images.
    digests
        The SHA-256 of each file as it was published, by its path.
    """

    runs: tuple[RunEntry, ...] = ()
    decisions: FaceDecisions = field(default_factory=FaceDecisions)
    digests: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, private: Path, dataset: Path) -> PrivateContent:
        """Read what a private folder knows.

        Raises
        ------
        StorageError
            If the journal, the ledger or the decisions cannot be read.
        """
        runs = [_run(one) for one in Journal(private).entries() if isinstance(one, dict)]
        return cls(
            runs=tuple(reversed(runs)),
            decisions=FaceDecisions.read(private),
            digests=Ledger.read(private, dataset.resolve()).digests,
        )

    def published_run(self, space: Workspace) -> SessionReport | None:
        """Return what is known of the run that published a session; None where nothing is.

        A private folder may serve several datasets that have sessions of one name, and images are
        changed later: what is said of a face holds for the bytes that the ledger knows.
        """
        record = read_record(space.published_record)
        if record is None:
            return None
        ours = {path for path, digest in record.published.items() if self._knows(path, digest)}
        defaced = tuple(one for one in record.defaced if one.path in ours)
        return replace(record, defaced=defaced) if ours else None

    def _knows(self, path: str, digest: str) -> bool:
        return self.digests.get(path) == digest

    def runs_of(self, name: str) -> tuple[RunEntry, ...]:
        """Return the runs of one session."""
        return tuple(run for run in self.runs if run.name == name)

    @property
    def last_runs(self) -> tuple[RunEntry, ...]:
        """The last runs of all sessions."""
        return self.runs[:_MOST_RUNS]


def _run(entry: Mapping[str, Any]) -> RunEntry:
    subject, session = entry.get("subject"), entry.get("session")
    name = "_".join(filter(None, (subject and f"sub-{subject}", session and f"ses-{session}")))
    tools = entry.get("tools")
    return RunEntry(
        when=str(entry.get("when", "")),
        command=str(entry.get("command", "")),
        outcome=str(entry.get("outcome", "")),
        name=name,
        tools={str(k): str(v) for k, v in tools.items()} if isinstance(tools, dict) else {},
    )


@dataclass(frozen=True, kw_only=True)
class Description:
    """What a dataset says of itself.

    Attributes
    ----------
    name
        Empty where it says none.
    facts
        By what they are called.
    tools
        What made it, and in which version.
    """

    name: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    tools: Mapping[str, str] = field(default_factory=dict)


def read_description(dataset: Path) -> Description:
    """Read dataset_description.json, as far as it can be understood."""
    try:
        content = read_json_file(dataset / DESCRIPTION)
    except SidecarError:
        return Description()
    facts = {words: _text(content.get(key)) for key, words in _TEXTS.items()}
    authors = content.get("Authors")
    if isinstance(authors, list):
        facts["Authors"] = str(len(authors))
    made_by = content.get("GeneratedBy")
    tools = [one for one in made_by if isinstance(one, dict)] if isinstance(made_by, list) else []
    return Description(
        name=_text(content.get("Name")),
        facts={words: text for words, text in facts.items() if text},
        tools={_text(one.get("Name")): _text(one.get("Version")) for one in tools},
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def read_participants(dataset: Path) -> dict[str, str]:
    """Return what participants.tsv says of all together; nothing where it cannot be read."""
    path = dataset / PARTICIPANTS
    ages: list[float] = []
    sexes: Counter[str] = Counter()
    count = 0
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST_TABLE:
            return {}
        for row in open_table(path.read_text("utf-8"))[1]:
            count += 1
            sexes[row.get("sex", "")[:1].upper()] += 1
            if _AGE.fullmatch(row.get("age", "")):
                ages.append(float(row["age"]))
    except (OSError, UnicodeDecodeError, TableError):
        return {}
    facts = {"In participants.tsv": str(count)}
    facts |= {words: str(sexes[sex]) for sex, words in _SEXES.items() if sexes[sex]}
    if ages:
        facts["Age"] = f"{min(ages):g} to {max(ages):g}, median {median(ages):g}"
    return facts
