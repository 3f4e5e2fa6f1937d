"""Which files are converted, grouped into series in acquisition order, and which are not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from bidsanon.session import QuarantinedFile, QuarantineReason, SourceInstance, SourceSeries
from bidsanon.source.duplicates import find_duplicates
from bidsanon.source.reading import Readable, Reading
from bidsanon.source.sorting import Admitted, quarantine_reason

_LAST = 1 << 62


@dataclass(frozen=True, kw_only=True)
class Sorted:
    """What is converted, and what is not.

    Attributes
    ----------
    series
        In acquisition order.
    quarantine
        By reason and path.
    conflicting
        SOP Instance UIDs of which the source holds several files that differ. Identified.
    """

    series: tuple[SourceSeries, ...]
    quarantine: tuple[QuarantinedFile, ...]
    conflicting: frozenset[str]


def sort_files(
    reading: Reading,
    admitted: Admitted,
    *,
    holding_text: Collection[Path] = frozenset(),
) -> Sorted:
    """Sort what was read into series to convert and files for the quarantine.

    Parameters
    ----------
    reading
        What was read.
    admitted
        What is let through.
    holding_text
        The images of which it was seen that their pixels hold text.
    """
    reasons = [
        (file, QuarantineReason.TEXT_IN_PIXELS)
        if file.path in holding_text
        else (file, quarantine_reason(file.header, admitted))
        for file in reading.files
    ]
    images = [file for file, reason in reasons if reason is None]
    duplicates = find_duplicates((file.path, file.header.sop_instance_uid) for file in images)
    series = _series(file for file in images if file.path not in duplicates.extra)
    taken_out = [(file, reason) for file, reason in reasons if reason is not None] + [
        (file, QuarantineReason.DUPLICATE) for file in images if file.path in duplicates.extra
    ]
    return Sorted(
        series=series,
        quarantine=_quarantine(reading, taken_out, series),
        conflicting=duplicates.conflicting,
    )


def _series(files: Iterable[Readable]) -> tuple[SourceSeries, ...]:
    by_uid: dict[str, list[Readable]] = defaultdict(list)
    for file in files:
        by_uid[file.header.series_uid].append(file)
    groups = [sorted(group, key=_instance_order) for group in by_uid.values()]
    groups.sort(key=_series_order)
    return tuple(_one_series(index, group) for index, group in enumerate(groups, 1))


def _instance_order(file: Readable) -> tuple[int, str, str]:
    return (_or_last(file.header.instance_number), file.header.start, str(file.path))


def _series_order(files: list[Readable]) -> tuple[str, int, str]:
    first = files[0].header
    return (_start(files), _or_last(first.series_number), first.series_uid)


def _or_last(number: int | None) -> int:
    return _LAST if number is None else number


def _start(files: Iterable[Readable]) -> str:
    return min(filter(None, (file.header.start for file in files)), default="")


def _one_series(index: int, files: list[Readable]) -> SourceSeries:
    first = files[0].header
    return SourceSeries(
        index=index,
        series_instance_uid=first.series_uid,
        series_number=first.series_number,
        modality=first.modality,
        description=first.description,
        study_date=first.study_date,
        start=_start(files),
        instances=tuple(_instance(file) for file in files),
    )


def _instance(file: Readable) -> SourceInstance:
    return SourceInstance(
        path=file.path,
        sop_class_uid=file.header.sop_class_uid,
        sop_instance_uid=file.header.sop_instance_uid,
        transfer_syntax_uid=file.header.transfer_syntax_uid,
        instance_number=file.header.instance_number,
    )


def _quarantine(
    reading: Reading,
    taken_out: Iterable[tuple[Readable, QuarantineReason]],
    series: Iterable[SourceSeries],
) -> tuple[QuarantinedFile, ...]:
    index = {s.series_instance_uid: s.index for s in series}
    files = [
        QuarantinedFile(
            path=file.path, reason=reason, series_index=index.get(file.header.series_uid)
        )
        for file, reason in taken_out
    ]
    files += [
        QuarantinedFile(path=path, reason=QuarantineReason.UNREADABLE)
        for path in reading.unreadable
    ]
    return tuple(sorted(files, key=lambda file: (file.reason.value, str(file.path))))
