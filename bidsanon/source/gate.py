"""The source gate: one person, readable, and only images for conversion."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from bidsanon.errors import SourceError
from bidsanon.findings import Finding, errors, finding
from bidsanon.ocr import TextReader
from bidsanon.progress import Progress
from bidsanon.session import (
    PixelReading,
    QuarantinedFile,
    QuarantineReason,
    SourceSeries,
    SourceSession,
)
from bidsanon.source.facts import incomplete_volume
from bidsanon.source.header import Header, Soundness
from bidsanon.source.person import count_persons, person_key, person_keys
from bidsanon.source.pixels import LookedAt, look_at_pixels
from bidsanon.source.reading import Reading, read_files
from bidsanon.source.series import Sorted, sort_files
from bidsanon.source.sorting import Admitted, quarantine_reason
from bidsanon.source.walk import collect_files

_HAVE_THEIR_OWN = {QuarantineReason.UNREADABLE, QuarantineReason.TRUNCATED}
_IMAGES_TAKEN_OUT = {
    QuarantineReason.BURNED_IN,
    QuarantineReason.MODALITY,
    QuarantineReason.PATIENT_PROTOCOL,
    QuarantineReason.SECONDARY_CAPTURE,
    QuarantineReason.TEXT_IN_PIXELS,
}


def read_source(
    sources: Sequence[Path],
    *,
    unpack_into: Path,
    modalities: Collection[str],
    progress: Progress,
    reader: TextReader | None = None,
    structured_content: bool = False,
    graphics: bool = False,
) -> SourceSession:
    """Find, read and sort the DICOM of one session. Nothing is ever written into a source.

    Parameters
    ----------
    sources
        Folders, archives, DICOMDIRs and single files, as the user gave them.
    unpack_into
        Where private folders are made for what is unpacked.
    modalities
        The modalities (0008,0060) to be converted.
    progress
        Who listens.
    reader
        Looks for text in the pixels (:func:`~bidsanon.ocr.text_reader`); None: nobody does.
    structured_content
        Whether structured reports stay with the images: their content is cleaned.
    graphics
        Whether presentation states do.

    Returns
    -------
    SourceSession
        Its findings say what the gate found: it is the caller's to stop at an error.

    Raises
    ------
    UsageError
        If a SOURCE is not there.
    SourceError
        If something in the source cannot be read, an archive is refused, there is no DICOM, or
        none of it is an image to convert.
    """
    found = collect_files(sources, unpack_into=unpack_into)
    reading = read_files(found, unpack_into=unpack_into, progress=progress)
    found.require_all_read()
    if not (reading.files or reading.unreadable):
        raise SourceError(
            f"there is no DICOM in the source, and {reading.other_files} file(s) of other kinds",
            cure="give the folder, archive or DICOMDIR that holds the scanner's files",
        )
    admitted = Admitted(
        modalities=frozenset(modalities), structured_content=structured_content, graphics=graphics
    )
    looked_at = _look_at_pixels(reading, admitted, reader, progress)
    with_text = looked_at.with_text if looked_at else frozenset[Path]()
    sorted_files = sort_files(reading, admitted, holding_text=with_text)
    findings = (*_findings(reading, sorted_files), *_about_pixels(looked_at))
    if not sorted_files.series and not errors(findings):
        raise SourceError(
            "no image is left, all of the source goes to quarantine: "
            f"{_counts(sorted_files.quarantine)}",
            cure="`bidsanon profile show` says which modalities the profile lets through, and "
            "--modality lets another through",
        )
    headers = [file.header for file in reading.files]
    persons = person_keys([(h.patient, h.study_uid) for h in headers])
    return SourceSession(
        roots=tuple(dict.fromkeys(reading.roots)),
        given=tuple(sorted(found.names)),
        person=person_key((h.patient for h in headers), study_uid=_first_study(headers)),
        series=sorted_files.series,
        quarantine=sorted_files.quarantine,
        other_files=reading.other_files,
        findings=findings,
        persons=dict(zip((file.path for file in reading.files), persons.keys, strict=True)),
        pixels=_pixel_reading(looked_at, reader),
        unpacked=reading.unpacked,
    )


def _look_at_pixels(
    reading: Reading, admitted: Admitted, reader: TextReader | None, progress: Progress
) -> LookedAt | None:
    if reader is None:
        return None
    images = [
        file
        for file in reading.files
        if file.header.soundness is Soundness.WHOLE
        and quarantine_reason(file.header, admitted) is None
    ]
    return look_at_pixels(images, reader=reader, progress=progress)


def _pixel_reading(looked_at: LookedAt | None, reader: TextReader | None) -> PixelReading | None:
    if looked_at is None or reader is None:
        return None
    return PixelReading(
        reader=reader.name, frames=looked_at.frames, undecoded=len(looked_at.undecoded)
    )


def _findings(reading: Reading, sorted_files: Sorted) -> tuple[Finding, ...]:
    series, quarantine = sorted_files.series, sorted_files.quarantine
    return (
        *_about_persons([file.header for file in reading.files]),
        *_about_damage(series, quarantine),
        *_about_duplicates(series, sorted_files.conflicting),
        *_about_gaps(series, quarantine),
        *_about_volumes(series),
        *_about_days(series),
        *_about_leftovers(reading),
        *_about_quarantine(quarantine),
    )


def _about_persons(headers: Sequence[Header]) -> list[Finding]:
    persons = count_persons(header.patient for header in headers)
    if persons > 1:
        shared = person_keys([(h.patient, h.study_uid) for h in headers]).shared
        sharing = [finding("PERSONS_SHARE_ID", count=shared)] if shared else []
        return [finding("SEVERAL_PERSONS", count=persons), *sharing]
    if persons == 1:
        return []
    studies = {header.study_uid for header in headers if header.study_uid}
    if len(studies) > 1:
        return [finding("PERSONS_UNCLEAR", count=len(studies))]
    return [finding("PERSON_NOT_TOLD")]


def _about_damage(
    series: Iterable[SourceSeries], quarantine: Iterable[QuarantinedFile]
) -> list[Finding]:
    unreadable = sum(file.reason is QuarantineReason.UNREADABLE for file in quarantine)
    truncated = Counter(
        file.series_index for file in quarantine if file.reason is QuarantineReason.TRUNCATED
    )
    findings = [finding("UNREADABLE_FILES", count=unreadable)] if unreadable else []
    places = {s.index: f"series {s.index}" for s in series}
    findings += [
        finding("TRUNCATED_FILES", location=place, count=truncated[index], series=place)
        for index, place in places.items()
        if truncated[index]
    ]
    if truncated[None]:
        place = "series of which no file is whole"
        findings.append(finding("TRUNCATED_FILES", count=truncated[None], series=place))
    return findings


def _about_duplicates(
    series: Iterable[SourceSeries], conflicting: Collection[str]
) -> list[Finding]:
    findings = []
    for one in series:
        count = sum(instance.sop_instance_uid in conflicting for instance in one.instances)
        if count:
            place = f"series {one.index}"
            findings.append(finding("DUPLICATE_INSTANCES", location=place, count=count))
    return findings


def _about_gaps(
    series: Iterable[SourceSeries], quarantine: Iterable[QuarantinedFile]
) -> list[Finding]:
    """Say which series lack images: dcm2niix makes a shorter run of them without a word."""
    elsewhere = [f for f in quarantine if f.reason is not QuarantineReason.DUPLICATE]
    gone = Counter(f.series_index for f in elsewhere)
    images = Counter(f.series_index for f in elsewhere if f.reason in _IMAGES_TAKEN_OUT)
    findings = []
    for one in series:
        numbers = {i.instance_number for i in one.instances if i.instance_number is not None}
        span = max(numbers) - min(numbers) + 1 if numbers else 0
        missing = span - len(numbers) - gone[one.index]
        counts = {"SERIES_IN_PART": images[one.index], "INSTANCES_MISSING": missing}
        findings += [
            finding(code, location=f"series {one.index}", count=count)
            for code, count in counts.items()
            if count > 0
        ]
    return findings


def _about_volumes(series: Iterable[SourceSeries]) -> list[Finding]:
    """Say which series end within a volume: no instance number is missing between two others."""
    findings = []
    for one in series:
        slices = incomplete_volume(one)
        if slices:
            count, place = len(one.instances), f"series {one.index}"
            found = finding("VOLUME_INCOMPLETE", location=place, count=count, slices=slices)
            findings.append(found)
    return findings


def _about_days(series: Iterable[SourceSeries]) -> list[Finding]:
    days = {one.study_date for one in series if one.study_date}
    return [finding("SEVERAL_DAYS", count=len(days))] if len(days) > 1 else []


def _about_pixels(looked_at: LookedAt | None) -> list[Finding]:
    undecoded = len(looked_at.undecoded) if looked_at else 0
    return [finding("PIXELS_NOT_DECODED", count=undecoded)] if undecoded else []


def _about_leftovers(reading: Reading) -> list[Finding]:
    counts = {"DANGLING_REFERENCES": reading.dangling, "ARCHIVES_INSIDE": reading.archives}
    return [finding(code, count=count) for code, count in counts.items() if count]


def _about_quarantine(quarantine: Iterable[QuarantinedFile]) -> list[Finding]:
    counts = Counter(file.reason for file in quarantine if file.reason not in _HAVE_THEIR_OWN)
    return [
        finding("QUARANTINED", count=counts[reason], reason=reason.value)
        for reason in QuarantineReason
        if counts[reason]
    ]


def _counts(quarantine: Iterable[QuarantinedFile]) -> str:
    counts = Counter(file.reason for file in quarantine)
    return ", ".join(f"{r.value} ({counts[r]})" for r in QuarantineReason if counts[r])


def _first_study(headers: Iterable[Header]) -> str:
    return min((header.study_uid for header in headers if header.study_uid), default="")
