"""One file of a dataset that exists already: what of it changes, by its kind."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from bidsanon.bids.brainvision import SAMPLES_OF
from bidsanon.bids.brainvision import TEXTS as BRAINVISION
from bidsanon.bids.edf import EDF_EXTENSIONS, EdfError
from bidsanon.bids.fif import EXTENSION as FIF
from bidsanon.bids.fif import FifError
from bidsanon.bids.gifti import EXTENSION as GIFTI
from bidsanon.bids.gifti import GiftiError
from bidsanon.bids.matlab import EXTENSION as EEGLAB
from bidsanon.bids.matlab_elements import MatlabError
from bidsanon.bids.mgh import EXTENSIONS as VOLUMES
from bidsanon.bids.mgh import MghError
from bidsanon.bids.names import parse_name
from bidsanon.bids.nifti import ImageError
from bidsanon.bids.sidecars import (
    GRADIENT_EXTENSIONS,
    IMAGE_EXTENSIONS,
    SidecarError,
    read_json_object,
)
from bidsanon.bids.tables import TableError
from bidsanon.bids.tree import TreeFile
from bidsanon.files import file_state
from bidsanon.findings import Finding, finding
from bidsanon.scrub.columns import ACQUISITION_TIME, TablePolicy
from bidsanon.scrub.gradients import GradientError, scrub_gradients
from bidsanon.scrub.images import ScrubbedImage
from bidsanon.scrub.moments import SessionTimes, session_times
from bidsanon.scrub.sidecars import SidecarPolicy
from bidsanon.scrub.stored_archives import ARCHIVES, ArchiveError, scrub_stored_archive
from bidsanon.scrub.stored_images import scrub_stored_image
from bidsanon.scrub.stored_json import (
    JsonKind,
    kind_of_json,
    read_stored_json,
    scrub_stored_json,
)
from bidsanon.scrub.stored_matlab import scrub_stored_matlab
from bidsanon.scrub.stored_recordings import (
    RecordingError,
    RecordingPolicy,
    scrub_stored_brainvision,
    scrub_stored_edf,
    scrub_stored_fif,
)
from bidsanon.scrub.stored_surfaces import scrub_stored_gifti
from bidsanon.scrub.stored_tables import read_column, scrub_packed_table, scrub_stored_table
from bidsanon.scrub.stored_volumes import scrub_stored_mgh

_LARGEST_GRADIENTS = 1 << 24
_SCANS, _SESSIONS, _PET = "_scans.tsv", "_sessions.tsv", "_pet.json"
_TIME_ZERO = "TimeZero"
_OF_BIDS = frozenset({"dataset_description.json", "genetic_info.json"})
_EMPTIED = "emptied"
_CLEANED = (
    *(*IMAGE_EXTENSIONS, ".json", ".tsv", ".tsv.gz", *GRADIENT_EXTENSIONS),
    *(*ARCHIVES, *EDF_EXTENSIONS, *BRAINVISION, *SAMPLES_OF, FIF, EEGLAB, GIFTI, *VOLUMES),
)
_NOT_UNDERSTOOD = (
    *(ImageError, SidecarError, TableError, GradientError, ArchiveError, EdfError, FifError),
    *(RecordingError, GiftiError, MatlabError, MghError),
)
_OUT_OF_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}


@dataclass(frozen=True, kw_only=True)
class DatasetPolicy(TablePolicy):
    """What the scrub of a dataset needs to know, beside what its tables need.

    Attributes
    ----------
    shifts
        By how many days each subject's dates are shifted, by label; who is not there is not known.
    keep_times
        Whether times of day stay.
    """

    shifts: Mapping[str, int] = field(default_factory=dict)
    keep_times: bool = False


@dataclass(frozen=True, kw_only=True)
class FileChange:
    """What of a file changes.

    Attributes
    ----------
    name
        Its place in the dataset.
    words
        What changes, in words that repeat no value.
    state
        Tells whether somebody wrote the file since.
    staged
        What it is to hold; None in a dry run.
    was_link
        Whether a link is replaced by a file.
    """

    name: str
    words: tuple[str, ...]
    state: tuple[int, ...]
    staged: Path | None
    was_link: bool


@dataclass(frozen=True, kw_only=True)
class ScrubbedFile:
    """What became of one file: how it changes, and what a person should know."""

    change: FileChange | None = None
    findings: tuple[Finding, ...] = ()


_Said = tuple[tuple[str, ...], tuple[Finding, ...]]


class FileScrub:
    """How the files of one dataset are treated.

    Parameters
    ----------
    files
        All of them, by name.
    policy
        What is known of them.
    into
        Where changed files are laid out; None: nowhere.
    derived
        Whether a program made the dataset of other data: what it calls its fields nobody lists.
    """

    def __init__(
        self,
        files: Mapping[str, TreeFile],
        policy: DatasetPolicy,
        into: Path | None,
        *,
        derived: bool = False,
    ) -> None:
        self._files = files
        self._policy = policy
        self._into = into
        self._derived = derived
        self._times: dict[str, SessionTimes] = {}
        self._tell_times: dict[str, list[TreeFile]] = defaultdict(list)
        for name, file in files.items():
            if name.endswith((_SCANS, _PET)):
                self._tell_times[_session(name)].append(file)

    def scrub(self, number: int, file: TreeFile) -> ScrubbedFile:
        """Find out what of a file has to change, and lay it out.

        Parameters
        ----------
        number
            A number of its own, by which it is laid out.
        file
            The file.
        """
        state = file_state(file.path)
        target = None
        if self._into is not None:
            target = self._into / f"{number:07d}{_extension(file.name)}"
        try:
            words, findings = self._kind(file.name)(file, target)
        except _NOT_UNDERSTOOD as error:
            if target is not None:
                target.unlink(missing_ok=True)
            return _not_cleaned(file, str(error))
        except OSError as error:
            if error.errno in _OUT_OF_ROOM:
                raise
            return _not_cleaned(file, "it cannot be read")
        if not words:
            return ScrubbedFile(findings=findings)
        if not os.access(file.path.parent, os.W_OK | os.X_OK):
            return ScrubbedFile(findings=(finding("SCRUB_NOT_WRITABLE", location=file.name),))
        if target is not None:
            target.chmod(stat.S_IMODE(file.path.stat().st_mode))
        change = FileChange(
            name=file.name, words=words, state=state, staged=target, was_link=file.is_link
        )
        return ScrubbedFile(change=change, findings=findings)

    def _kind(self, name: str) -> Callable[[TreeFile, Path | None], _Said]:
        lowered = name.lower()
        kinds: tuple[tuple[tuple[str, ...], Callable[[TreeFile, Path | None], _Said]], ...] = (
            (IMAGE_EXTENSIONS, self._image),
            ((".json",), self._json),
            ((".tsv",), self._plain_table),
            ((".tsv.gz",), self._packed_table),
            (GRADIENT_EXTENSIONS, self._gradients),
            (ARCHIVES, self._archive),
            (EDF_EXTENSIONS, self._edf),
            (BRAINVISION, self._brainvision),
            ((FIF,), self._fif),
            ((EEGLAB,), self._eeglab),
            ((GIFTI,), self._gifti),
            (VOLUMES, self._volume),
            (tuple(SAMPLES_OF), self._samples),
        )
        return next((scrub for ends, scrub in kinds if lowered.endswith(ends)), _unknown)

    def _image(self, file: TreeFile, target: Path | None) -> _Said:
        image = scrub_stored_image(file.path, target)
        return (() if image is None else tuple(_image_words(image))), ()

    def _json(self, file: TreeFile, target: Path | None) -> _Said:
        raw, content = read_stored_json(file.path)
        scrubbed = scrub_stored_json(
            file.name, raw, content, self._sidecar_policy(file.name), derived=self._derived
        )
        if scrubbed.text is not None and target is not None:
            target.write_bytes(scrubbed.text.encode())  # brought to the disk with all others
        findings = [
            finding("SCRUB_MISFIT", location=f"{file.name}#/{key}", key=key)
            for key in scrubbed.misfits
        ]
        unknown = kind_of_json(file.name) is JsonKind.DESCRIPTION and file.name not in _OF_BIDS
        if unknown and not self._derived:
            findings.append(finding("SCRUB_JSON_UNKNOWN", location=file.name))
        return scrubbed.words, tuple(findings)

    def _plain_table(self, file: TreeFile, target: Path | None) -> _Said:
        times = self.times_of(file.name)
        words = scrub_stored_table(
            file.path,
            target,
            self._policy,
            table=file.name,
            definitions=self._definitions(file.name),
            moved=times.noon_of_its_own if file.name.endswith(_SESSIONS) else times.moved,
        )
        emptied = any("acquisition time" in word and _EMPTIED in word for word in words)
        findings = (finding("SCRUB_TIMES_EMPTIED", location=file.name),) if emptied else ()
        return words, findings

    def _packed_table(self, file: TreeFile, target: Path | None) -> _Said:
        return scrub_packed_table(file.path, target, self._policy), ()

    def _gradients(self, file: TreeFile, _: Path | None) -> _Said:
        """Look at a gradient table: what is in it beside numbers in rows makes it none."""
        scrub_gradients(_small(file), extension=PurePosixPath(file.name).suffix.lower())
        return (), ()

    def _edf(self, file: TreeFile, target: Path | None) -> _Said:
        policy = self._recording_policy(file.name)
        return scrub_stored_edf(file.path, target, policy, name=file.name), ()

    def _brainvision(self, file: TreeFile, target: Path | None) -> _Said:
        return scrub_stored_brainvision(file.path, target, self._recording_policy(file.name)), ()

    def _fif(self, file: TreeFile, target: Path | None) -> _Said:
        return scrub_stored_fif(file.path, target, self._recording_policy(file.name)), ()

    def _eeglab(self, file: TreeFile, target: Path | None) -> _Said:
        keep = self._policy.keep_times
        words = scrub_stored_matlab(
            file.path, target, self._policy, name=file.name, keep_times=keep
        )
        return words, ()

    def _gifti(self, file: TreeFile, target: Path | None) -> _Said:
        return scrub_stored_gifti(file.path, target, self._policy), ()

    def _volume(self, file: TreeFile, target: Path | None) -> _Said:
        return scrub_stored_mgh(file.path, target, self._policy), ()

    def _samples(self, file: TreeFile, target: Path | None) -> _Said:
        """Let samples be; where nothing beside them describes them they may have a header."""
        path = PurePosixPath(file.name)
        if path.with_suffix(SAMPLES_OF[path.suffix.lower()]).as_posix() in self._files:
            return (), ()
        return _unknown(file, target)

    def _recording_policy(self, name: str) -> RecordingPolicy:
        keep = self._policy.keep_times
        return RecordingPolicy(texts=self._policy, times=self.times_of(name), keep_times=keep)

    def _archive(self, file: TreeFile, target: Path | None) -> _Said:
        def member(name: str, raw: bytes) -> bytes | None:
            return self._member(file, name, raw)

        found = scrub_stored_archive(file.path, target, member)
        if not found.not_cleaned:
            return found.words, ()
        problem = f"{found.not_cleaned} file(s) in it are of kinds not cleaned in archives"
        return found.words, _not_cleaned(file, problem).findings

    def _member(self, file: TreeFile, name: str, raw: bytes) -> bytes | None:
        policy = self._sidecar_policy(file.name)
        content = read_json_object(raw)
        scrubbed = scrub_stored_json(name, raw, content, policy, derived=self._derived)
        return None if scrubbed.text is None else scrubbed.text.encode()

    def _sidecar_policy(self, name: str) -> SidecarPolicy:
        def to_noon(text: str) -> str | None:
            return self.times_of(name).clock.time_to_noon(text)

        return SidecarPolicy(
            device_pseudonym=self._policy.device_pseudonym,
            to_noon=to_noon,
            clean=self._policy.clean,
            without_known=self._policy.without_known or str,
            keep_times=self._policy.keep_times,
            keep_placeholders=True,
        )

    def _definitions(self, table: str) -> Mapping[str, Any]:
        """Return what a JSON file beside a table says of its columns."""
        beside = self._files.get(table.removesuffix(".tsv") + ".json")
        if beside is None:
            return {}
        try:
            return read_stored_json(beside.path)[1]
        except SidecarError:
            return {}

    def times_of(self, name: str) -> SessionTimes:
        """Return how the times of the session to which a file belongs are moved."""
        session = _session(name)
        if session not in self._times:
            subject = session.partition("/")[0].removeprefix("sub-")
            self._times[session] = session_times(
                self._moments(session),
                self._times_of_day(session),
                shift_days=self._policy.shifts.get(subject),
                keep_times=self._policy.keep_times,
            )
        return self._times[session]

    def _moments(self, session: str) -> Iterator[str]:
        for file in self._tell_times[session]:
            with contextlib.suppress(TableError):  # it has its finding where it is scrubbed
                if file.name.endswith(_SCANS):
                    yield from read_column(file.path, ACQUISITION_TIME)

    def _times_of_day(self, session: str) -> Iterator[str]:
        for file in self._tell_times[session]:
            with contextlib.suppress(SidecarError):
                if file.name.endswith(_PET):
                    said = read_stored_json(file.path)[1].get(_TIME_ZERO)
                    yield from (said,) if isinstance(said, str) else ()


def is_cleaned(name: str) -> bool:
    """Tell a kind of file that is cleaned, by its name."""
    return name.lower().endswith(_CLEANED)


def _session(name: str) -> str:
    """Return the session's folder, or the subject's; empty for what belongs to none."""
    parts = PurePosixPath(name).parts[:-1]
    if not parts or not parts[0].startswith("sub-"):
        return ""
    return "/".join(parts[:2]) if len(parts) > 1 and parts[1].startswith("ses-") else parts[0]


def _image_words(image: ScrubbedImage) -> Iterator[str]:
    yield from (f"{field} of the header emptied" for field in image.cleared)
    if image.extension_bytes:
        yield "what stood between header and voxels removed"
    if image.trailing:
        yield "what stood behind the voxels removed"
    if image.gzip_head:
        yield "name, time or comment taken out of the gzip header"


def _small(file: TreeFile) -> str:
    if file.size > _LARGEST_GRADIENTS:
        raise GradientError("it is too large for a gradient table")
    try:
        return file.path.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise GradientError("it is not UTF-8") from error


def _unknown(file: TreeFile, _: Path | None) -> _Said:
    kind = PurePosixPath(file.name).suffix or "no extension"
    return (), _not_cleaned(file, f"its kind is not known here ({kind})").findings


def _not_cleaned(file: TreeFile, problem: str) -> ScrubbedFile:
    found = finding("SCRUB_NOT_CLEANED", location=file.name, problem=problem)
    return ScrubbedFile(findings=(found,))


def _extension(name: str) -> str:
    """Return the extension by which a file is written: compressed or not."""
    return parse_name(name).extension if name.lower().endswith(IMAGE_EXTENSIONS) else ""
