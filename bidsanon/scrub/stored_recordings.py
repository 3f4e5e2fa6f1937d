"""Recordings that are stored already: who and when goes from their headers, no sample changes.

EDF, BDF and FIF are copied with other headers; the texts of BrainVision are written line by line.
"""

from __future__ import annotations

import os
import re
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path, PurePosixPath

from bidsanon.bids.brainvision import (
    LARGEST,
    NO_MOMENT,
    FileNamed,
    Marker,
    decoded,
    read_line,
    written_moment,
)
from bidsanon.bids.edf import HEADER_BYTES, texts_among_signals, without_person
from bidsanon.bids.fif import without_person as fif_without_person
from bidsanon.bids.identifying import labels_in
from bidsanon.bids.written import (
    holds_unshifted_day,
    is_unshifted,
    names_somebodys_address,
    words_in_a_row,
)
from bidsanon.scrub.columns import TablePolicy, is_suspicious
from bidsanon.scrub.moments import SessionTimes
from bidsanon.scrub.scans import parse_moment

_AT_A_TIME = re.compile(r"\b(at|um|à) \d{1,2}:\d{2}:\d{2}\b")
_NO_DAY, _EARLIEST = date(1920, 1, 1), date(1902, 1, 1)
"""A day that tells nothing, and the first that FIF can write."""
_NOON = time(12, tzinfo=UTC)
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)?")


class RecordingError(ValueError):
    """A recording cannot be cleaned. The text says why, and holds none of its content."""


@dataclass(frozen=True, kw_only=True)
class RecordingPolicy:
    """What the scrub of a recording needs to know.

    Attributes
    ----------
    texts
        How texts are cleaned.
    times
        How the moments of its session are moved.
    keep_times
        Whether times of day stay.
    """

    texts: TablePolicy
    times: SessionTimes
    keep_times: bool


def scrub_stored_edf(
    source: Path, target: Path | None, policy: RecordingPolicy, *, name: str
) -> tuple[str, ...]:
    """Write an EDF or BDF without what its header says of a person, where it says something.

    Parameters
    ----------
    source
        The recording.
    target
        Where it is written if it changes; None: it is only looked at.
    policy
        What the scrub needs to know.
    name
        Its place in the dataset.

    Returns
    -------
    What changes, in words.

    Raises
    ------
    EdfError
        If it is none.
    RecordingError
        If its annotations hold text that identifies.
    """
    with source.open("rb") as stream:
        begin = stream.read(HEADER_BYTES)
        if not begin:
            return ()  # examples of datasets hold empty files
        stream.seek(0)
        written = without_person(
            begin, clean=policy.texts.cleaned, own=labels_in(name), keep_time=policy.keep_times
        )
        if any(
            is_suspicious(text, policy.texts.without_known) for text in texts_among_signals(stream)
        ):
            raise RecordingError("its annotations hold text that may identify somebody")
    if written == begin:
        return ()
    _copy_patched(source, target, {0: written})
    return ("who and when taken out of the header",)


def scrub_stored_brainvision(
    source: Path, target: Path | None, policy: RecordingPolicy
) -> tuple[str, ...]:
    """Write a header or the markers of BrainVision without moments, names and comments.

    Parameters
    ----------
    source
        The text.
    target
        Where it is written if it changes; None: it is only looked at.
    policy
        What the scrub needs to know.

    Returns
    -------
    What changes, in words.

    Raises
    ------
    RecordingError
        If it is no text, or larger than any.
    """
    if source.stat().st_size > LARGEST:
        raise RecordingError("it is larger than any text of a recording")
    content = source.read_bytes()
    if b"\0" in content:
        raise RecordingError("it is no text")
    text, encoding = decoded(content)
    said: Counter[str] = Counter()
    lines = "".join(_lines(text, source, policy, said))
    if not said:
        return ()
    if target is not None:
        target.write_bytes(lines.encode(encoding, "replace"))
    return tuple(f"{count} {what}" for what, count in sorted(said.items()))


def scrub_stored_fif(source: Path, target: Path | None, policy: RecordingPolicy) -> tuple[str, ...]:
    """Write a FIF file without what its tags say of a person, where they say something.

    Parameters
    ----------
    source
        The recording.
    target
        Where it is written if it changes; None: it is only looked at.
    policy
        What the scrub needs to know.

    Returns
    -------
    What changes, in words.

    Raises
    ------
    FifError
        If it is none.
    """

    def moved(moment: datetime) -> datetime:
        return _to_shifted_days(moment, policy)

    if not source.stat().st_size:
        return ()  # examples of datasets hold empty files
    with source.open("rb") as stream:
        patches = fif_without_person(stream, clean=policy.texts.cleaned, moved=moved)
    if not patches:
        return ()
    _copy_patched(source, target, patches)
    return (f"who and when taken out of {len(patches)} tag(s)",)


def _copy_patched(source: Path, target: Path | None, patches: Mapping[int, bytes]) -> None:
    """Copy a recording with other bytes at some places; with no target, nothing is written."""
    if target is None:
        return
    shutil.copyfile(source, target)
    with target.open("r+b") as copy:
        for place, content in patches.items():
            copy.seek(place)
            copy.write(content)


def _to_shifted_days(moment: datetime, policy: RecordingPolicy) -> datetime:
    """Return when a recording is said to be made: on a made-up day where nobody can shift it."""
    if not is_unshifted(moment.date()):
        return moment
    days = policy.times.shift_days
    day = moment.date() + timedelta(days=days) if days is not None else _NO_DAY
    day = day if day >= _EARLIEST and not is_unshifted(day) else _NO_DAY
    return datetime.combine(day, moment.timetz() if policy.keep_times else _NOON)


def _lines(text: str, source: Path, policy: RecordingPolicy, said: Counter[str]) -> Iterator[str]:
    for match in _LINE.finditer(text):
        line = match[0].rstrip("\r\n")
        read = read_line(line)
        if isinstance(read, Marker):
            changed, what = _marker(read, policy).line(), "marker(s) cleaned"
        elif isinstance(read, FileNamed):
            changed, what = _file(read, source).line(), "name(s) of files corrected"
        else:
            changed, what = _comment(line, policy), "line(s) cleaned"
        if changed != line:
            said[what] += 1
        yield changed + match[0][len(line) :]


def _marker(marker: Marker, policy: RecordingPolicy) -> Marker:
    description = marker.description
    typed = marker.is_comment and words_in_a_row(description) > 1
    if typed or is_suspicious(description, policy.texts.without_known):
        description = policy.texts.cleaned(description)
    return replace(marker, description=description, moment=_moment(marker, policy.times))


def _moment(marker: Marker, times: SessionTimes) -> str:
    """Return when a marker is said to be: zeros where nobody can shift it."""
    began = marker.began
    if began is None:
        return marker.moment
    if times.clock.first is None and (is_unshifted(began.date()) or not times.keep_times):
        return NO_MOMENT
    moved = parse_moment(times.moved(began.isoformat()))
    return written_moment(moved) if moved else NO_MOMENT


def _file(named: FileNamed, source: Path) -> FileNamed:
    """Return what a text calls a file of its recording: the name that BIDS gave, if it is gone."""
    beside = source.parent / PurePosixPath(named.name.strip().replace("\\", "/")).name
    there = named.is_own(source.stem) or os.path.lexists(beside)
    return named if there else named.renamed(source.stem)


def _comment(line: str, policy: RecordingPolicy) -> str:
    """Return a line of settings or of comments; most say how the amplifier was set.

    Figures of a setting (``DataPoints=1234567``) are no number of somebody's.
    """
    if not policy.keep_times:
        line = _AT_A_TIME.sub("", line)
    is_setting = "=" in line and not holds_unshifted_day(line)
    if not is_setting or names_somebodys_address(line):
        return policy.texts.cleaned(line)
    known = policy.texts.without_known
    return line if known is None else known(line)
