"""What a heuristic would name a session's series, and what is wrong with those names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bidsanon.convert import naming
from bidsanon.convert.acquisition import join_series
from bidsanon.convert.drive import drive_worker
from bidsanon.convert.job import Acquisition, Answer, Heuristic, Item, Mode, Request
from bidsanon.errors import SourceError
from bidsanon.files import fresh_folder
from bidsanon.findings import Finding, finding
from bidsanon.session import DeidentifiedSession, SkippedSeries

_COMPUTED_TOMOGRAPHY = "CT"
_TIMEOUT_S = 300.0
_TIMEOUT_PER_FILE_S = 0.1
_NOT_GROUPED = "the heuristic's own grouping leaves it out"
_DISCARDED = "the heuristic marks it as a discarded repeat"
_UNNAMED_TASK = "_task-unnamed_"
"""What the heuristic ``auto`` calls a functional run of which nobody says what it is."""


@dataclass(frozen=True, kw_only=True)
class PlannedSeries:
    """What is to become of one series.

    Attributes
    ----------
    series_index
        Which series.
    names
        The proposed paths within the dataset. heudiconv adds ``echo-`` and ``part-`` where a
        series turns out to hold several images.
    reason
        Why it is left out; empty where it has names.
    """

    series_index: int
    names: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class PlannedRule:
    """What a rule of a drafted heuristic matches.

    Attributes
    ----------
    line
        Where it stands in the heuristic's file.
    name
        The name that it gives, or an empty string where it leaves series out.
    series
        The indices of the series that it matches, whether or not an earlier rule does too.
    """

    line: int
    name: str
    series: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class ConversionPlan:
    """What is to become of a session.

    Attributes
    ----------
    series
        One for each series of the session, in acquisition order.
    findings
        What the conversion gate says of the names.
    rules
        The heuristic's rules in their order, where it is a drafted one.
    """

    series: tuple[PlannedSeries, ...]
    findings: tuple[Finding, ...] = ()
    rules: tuple[PlannedRule, ...] = ()


def sample_positions(count: int) -> tuple[int, ...]:
    """Say which of a series' files a plan needs to agree with the conversion.

    ``heuristics/auto.py`` opens the same ones and says why these; it imports nothing from here,
    and a test holds the two together.
    """
    spread = {0, 1, 2, 3, count // 8, 3 * count // 8, 5 * count // 8, 7 * count // 8, count - 1}
    return tuple(sorted(position for position in spread if 0 <= position < count))


def plan_conversion(
    deidentified: DeidentifiedSession,
    *,
    heuristic: Heuristic,
    subject: str,
    session: str | None,
    work: Path,
) -> ConversionPlan:
    """Ask a heuristic for names, and convert nothing.

    Parameters
    ----------
    deidentified
        The session. Of each series only the first file must exist; those that
        :func:`sample_positions` names make the answer the same as at conversion.
    heuristic
        From :func:`bidsanon.convert.resolve_heuristic`.
    subject, session
        Labels without their prefix.
    work
        A private folder to work in.

    Raises
    ------
    PolicyError
        If the heuristic fails.
    """
    fresh_folder(work)
    acquisitions = join_series(deidentified.series, links=work / "joined")
    answer = ask_worker(
        Request(
            mode=Mode.PLAN,
            heuristic=heuristic,
            subject=subject,
            session=session,
            output=fresh_folder(work / "out"),
            acquisitions=acquisitions,
        ),
        work=work,
    )
    named: dict[int, list[str]] = {}
    for item in answer.items:
        if not item.duplicate:
            for number in item.acquisitions:
                named.setdefault(number, []).append(item.name + naming.IMAGE)
    skipped = tuple(left_out(answer, acquisitions))
    reasons = {one.series_index: one.reason for one in skipped}
    planned = [
        PlannedSeries(
            series_index=index,
            names=tuple(named.get(number, ())),
            reason=reasons.get(index, ""),
        )
        for number, acquisition in enumerate(acquisitions)
        for index in acquisition.series
    ]
    return ConversionPlan(
        series=tuple(sorted(planned, key=lambda one: one.series_index)),
        findings=(*name_findings(answer, acquisitions), *without_place(deidentified, skipped)),
        rules=tuple(
            PlannedRule(
                line=rule.line,
                name=rule.name,
                series=tuple(i for n in rule.acquisitions for i in acquisitions[n].series),
            )
            for rule in answer.rules
        ),
    )


def ask_worker(request: Request, *, work: Path) -> Answer:
    """Run the worker in plan mode, or return an empty answer for an empty session."""
    files = sum(len(acquisition.files) for acquisition in request.acquisitions)
    return drive_worker(request, work=work, timeout_s=_TIMEOUT_S + _TIMEOUT_PER_FILE_S * files)


def require_names(answer: Answer, heuristic: Heuristic, deidentified: DeidentifiedSession) -> None:
    """Refuse a heuristic that matches nothing.

    Raises
    ------
    SourceError
        If no series has a name.
    """
    if any(not item.duplicate for item in answer.items):
        return
    if {series.source.modality for series in deidentified.series} == {_COMPUTED_TOMOGRAPHY}:
        raise SourceError(
            "the source holds computed tomography alone, for which BIDS has no place",
            cure="`bidsanon deidentify SOURCE OUT --format nifti` delivers it as images",
        )
    counts = Counter(one.reason for one in answer.left_out)
    told = "; ".join(f"{reason} ({count})" for reason, count in counts.items())
    raise SourceError(
        f"the heuristic {heuristic.name} matches none of the session's series"
        f"{': ' if told else ''}{told}",
        cure="`bidsanon inspect SOURCE` lists the series and says of each why it is left out",
    )


def without_place(
    deidentified: DeidentifiedSession, skipped: Iterable[SkippedSeries]
) -> Iterator[Finding]:
    """Name the series that are left out because BIDS has no place for their modality."""
    left = {one.series_index for one in skipped}
    for series in deidentified.series:
        source = series.source
        if source.modality == _COMPUTED_TOMOGRAPHY and source.index in left:
            yield finding("CT_HAS_NO_PLACE", location=f"series {source.index}")


def series_place(acquisition: Acquisition) -> str:
    """Name an acquisition in a message."""
    first, *others = acquisition.series
    return f"series {first} to {others[-1]}" if others else f"series {first}"


def item_place(item: Item, acquisitions: Sequence[Acquisition]) -> str:
    """Name an item's acquisitions in a message."""
    return ", ".join(series_place(acquisitions[number]) for number in item.acquisitions)


def left_out(answer: Answer, acquisitions: Sequence[Acquisition]) -> Iterator[SkippedSeries]:
    """Say of every series that gets no image of its own, why."""
    reasons = {one.acquisition: one.reason for one in answer.left_out}
    named = {n for item in answer.items if not item.duplicate for n in item.acquisitions}
    discarded = {n for item in answer.items if item.duplicate for n in item.acquisitions}
    for number, acquisition in enumerate(acquisitions):
        if number in named:
            continue
        reason = _DISCARDED if number in discarded else reasons.get(number, _NOT_GROUPED)
        for index in acquisition.series:
            yield SkippedSeries(series_index=index, reason=reason)


def name_findings(answer: Answer, acquisitions: Sequence[Acquisition]) -> Iterator[Finding]:
    """Say what is wrong with the names that a heuristic gave."""
    for item in answer.items:
        place = item_place(item, acquisitions)
        if item.duplicate:
            yield finding("DISCARDED_REPEAT", location=place, name=item.name)
        elif item.problem:
            problem = naming.check_prefix(item.name) or ""
            yield finding(item.problem, location=place, name=item.name, problem=problem)
    yield from _repeated_names(answer, acquisitions)
    yield from _series_named_twice(answer, acquisitions)
    yield from _unnamed_tasks(answer, acquisitions)


def _repeated_names(answer: Answer, acquisitions: Sequence[Acquisition]) -> Iterator[Finding]:
    places: dict[str, list[str]] = {}
    for item in answer.items:
        if not item.duplicate:
            places.setdefault(item.name, []).append(item_place(item, acquisitions))
    for name, where in places.items():
        if len(where) > 1:
            yield finding(
                "REPEATED_BIDS_NAME", location=", ".join(where), name=name, count=len(where)
            )


def _unnamed_tasks(answer: Answer, acquisitions: Sequence[Acquisition]) -> Iterator[Finding]:
    unnamed = [item for item in answer.items if _UNNAMED_TASK in item.name and not item.duplicate]
    if unnamed:
        places = ", ".join(item_place(item, acquisitions) for item in unnamed)
        yield finding("TASK_UNNAMED", location=places, count=len(unnamed))


def _series_named_twice(answer: Answer, acquisitions: Sequence[Acquisition]) -> Iterator[Finding]:
    counts = Counter(
        number for item in answer.items if not item.duplicate for number in item.acquisitions
    )
    for number, count in sorted(counts.items()):
        if count > 1:
            place = series_place(acquisitions[number])
            yield finding("SERIES_NAMED_TWICE", location=place, count=count)
