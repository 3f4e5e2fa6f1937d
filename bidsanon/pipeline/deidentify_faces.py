"""Faces removed from de-identified DICOM, for ``deidentify --deface``.

The copies are converted as a whole, the images are defaced by the stage that ``convert`` uses too,
and what was removed is written back into the copies. What cannot be written back counts as failed:
the run is refused, or the series is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from bidsanon import __version__
from bidsanon.deface import DefaceOptions, deface_images
from bidsanon.deface.kinds import is_thin
from bidsanon.deface.options import EMBEDDED, NONE, Faces
from bidsanon.deface.stage import deface_findings
from bidsanon.deface.voxels import UnreadableImageError, read_header
from bidsanon.deidentify.defaced_copy import FLOATING_PIXELS
from bidsanon.dicom.encoding import NotUnderstoodError
from bidsanon.dicom.pixel_data import PIXEL_DATA, form_of
from bidsanon.dicom.reading import read_path
from bidsanon.external import DCM2NIIX, program_version
from bidsanon.files import fresh_folder, make_private_folder, remove_tree, storage_errors
from bidsanon.findings import Finding, finding
from bidsanon.pipeline.deidentify_run import DeidentifyRun
from bidsanon.pipeline.deidentify_scans import (
    Scan,
    looked_at,
    make_scans,
)
from bidsanon.pipeline.deidentify_write_back import WriteBack, Written, write_back
from bidsanon.pipeline.workspace import Workspace
from bidsanon.progress import Progress
from bidsanon.session import (
    CodedConcept,
    DefaceOutcome,
    DefaceVerdict,
    DeidentifiedSeries,
    QuarantinedFile,
    QuarantineReason,
)
from bidsanon.source import write_quarantine

_WITHOUT_FACE = frozenset(
    {DefaceVerdict.DEFACED, DefaceVerdict.NO_FACE, DefaceVerdict.ALREADY_DEFACED}
)
"""What is proved to show no face: what may say so."""
_CUT_ALIKE = "it was cut where other images of the person have the face"


def remove_faces(run: DeidentifyRun, space: Workspace, *, progress: Progress) -> list[Finding]:
    """Remove the face from the copies of each series that shows one, and say what became of each.

    The run's persons, their quarantine and its outcomes are brought up to date.

    Returns
    -------
    list
        What the gate says.

    Raises
    ------
    MissingToolError, StorageError, ToolFailedError, UsageError
        As :func:`bidsanon.deface.deface_images` and
        :func:`bidsanon.convert.images.convert_acquisitions` do.
    """
    options = run.request.deface
    assert options is not None  # noqa: S101 (asked for, or nobody calls this)
    if options.engine == NONE:
        run.faces = tuple(_kept(run, options.because))
        return list(deface_findings(run.faces))
    version = program_version(DCM2NIIX)
    if version:
        run.tools["dcm2niix"] = version
    work = fresh_folder(space.work / "faces")
    with storage_errors("the private folder"):
        root = make_private_folder(work / "tree")
        scans = make_scans(
            run.persons, work=work, root=root, jobs=run.request.options.jobs, progress=progress
        )
        outcomes = _deface(run, scans, root, space, progress)
        failed = _write(run, scans, root, outcomes, progress)
    run.faces = tuple(_in_words(scans, outcomes))
    findings = list(deface_findings(run.faces))
    findings += [
        finding("FACE_CUT_UNCHECKED", location=face.path)
        for face in run.faces
        if face.verdict is DefaceVerdict.UNCHECKED
    ]
    if run.request.options.withhold and failed:
        findings = _withhold(run, failed, findings)
        with storage_errors("the private folder"):
            write_quarantine(run.source, space.quarantine)
    remove_tree(work)
    return findings


def _kept(run: DeidentifyRun, because: str) -> Iterator[DefaceOutcome]:
    for series in (series for person in run.persons for series in looked_at(person)):
        yield DefaceOutcome(
            path=f"series {series.source.index}",
            verdict=DefaceVerdict.KEPT,
            engine="",
            reason=because,
        )


def _deface(
    run: DeidentifyRun, scans: tuple[Scan, ...], root: Path, space: Workspace, progress: Progress
) -> dict[str, DefaceOutcome]:
    options = run.request.deface
    assert options is not None  # noqa: S101 (the caller looked)
    images = [image.asked for scan in scans for image in scan.images]
    outcomes: dict[str, DefaceOutcome] = {}
    with progress.step("removing faces", total=len(images)) as step:
        for done in deface_images(
            root,
            images,
            options=replace(options, masks=True),
            pictures=make_private_folder(space.pictures),
            jobs=run.request.options.jobs,
        ):
            outcomes |= {outcome.path: outcome for outcome in done}
            step.advance(len(done))
    return outcomes


def _write(
    run: DeidentifyRun,
    scans: tuple[Scan, ...],
    root: Path,
    outcomes: dict[str, DefaceOutcome],
    progress: Progress,
) -> list[Scan]:
    """Write back what was removed, and return what failed before or now."""
    failed = []
    tasks = []
    for number, scan in enumerate(scans):
        trouble = _trouble(scan, outcomes)
        if trouble:
            _fail(scan, outcomes, trouble)
        verdicts = _verdicts(scan, outcomes)
        alike = () if trouble else _cut_alike(scan, scans, outcomes)
        if alike:
            tasks.append(_task(number, scan, alike, root=root, outcomes=outcomes, run=run))
        elif trouble or DefaceVerdict.FAILED in verdicts:
            failed.append(scan)
        elif scan.images and verdicts <= _WITHOUT_FACE:
            tasks.append(_task(number, scan, (scan,), root=root, outcomes=outcomes, run=run))
    with progress.step("writing DICOM without faces", total=len(tasks)) as step:
        for written in write_back(tasks, jobs=run.request.options.jobs):
            scan = scans[written.number]
            if written.trouble:
                _fail(scan, outcomes, written.trouble)
                failed.append(scan)
            else:
                _update(run, scan, written)
                _say_unchecked(scan, outcomes)
            step.advance()
    return sorted(failed, key=scans.index)  # however many work


def _cut_alike(
    scan: Scan, scans: tuple[Scan, ...], outcomes: dict[str, DefaceOutcome]
) -> tuple[Scan, ...]:
    """Return the scans of a head that show where the face is in one too thin to be checked.

    They have its frame of reference (PS3.3 C.7.4.1): the same place in the scanner, without the
    person having been taken out in between.
    """
    if _verdicts(scan, outcomes) != {DefaceVerdict.FAILED}:
        return ()
    try:
        thin = all(is_thin(read_header(image.source)) for image in scan.images)
    except UnreadableImageError:
        thin = False
    if not thin:
        return ()
    place = scan.frame_of_reference
    return tuple(
        other
        for other in scans
        if any(outcomes[image.path].mask for image in other.images)
        and DefaceVerdict.FAILED not in _verdicts(other, outcomes)
        and other.person == scan.person
        and place
        and other.frame_of_reference == place
    )


def _verdicts(scan: Scan, outcomes: dict[str, DefaceOutcome]) -> set[DefaceVerdict]:
    return {outcomes[image.path].verdict for image in scan.images}


def _task(
    number: int,
    scan: Scan,
    cut_in: tuple[Scan, ...],
    *,
    root: Path,
    outcomes: dict[str, DefaceOutcome],
    run: DeidentifyRun,
) -> WriteBack:
    proved = cut_in == (scan,)
    images = [
        image for other in cut_in for image in other.images if proved or outcomes[image.path].mask
    ]
    defaced = [i for i in images if outcomes[i.path].verdict is DefaceVerdict.DEFACED]
    assert run.request.deface is not None  # noqa: S101 (the caller looked)
    method = ""
    if defaced:
        engine = outcomes[defaced[0].path].engine
        method = method_words(engine, run.request.deface, proved=proved)
    return WriteBack(
        number=number,
        folder=scan.folder,
        files=scan.files,
        images=tuple((i.source, root / i.path) for i in images),
        masks=() if proved else tuple(root / outcomes[i.path].mask for i in images),
        method=method,
        scratch=root.with_name(f"again-{number:04d}"),
    )


def method_words(engine: str, options: DefaceOptions, *, proved: bool = True) -> str:
    """Say, in at most 64 characters, how a face was removed: a value of (0012,0063)."""
    what = "face removed" if proved else "face cut, not checked"
    parts = [f"bidsanon {__version__}: {what}"]
    if engine != EMBEDDED:
        parts.append(f"{engine} engine")
    if options.faces is Faces.PYDEFACE:
        parts.append("pydeface mask")
    elif options.keep_ears:
        parts.append("ears kept")
    return ", ".join(parts)


def _trouble(scan: Scan, outcomes: dict[str, DefaceOutcome]) -> str:
    """Say why it cannot be told of a scan whether it shows a face."""
    if not scan.images:
        return "dcm2niix makes no image of it" if _has_pixels(scan) else ""
    verdicts = {outcomes[image.path].verdict for image in scan.images}
    if DefaceVerdict.DEFACED in verdicts and DefaceVerdict.NOT_NEEDED in verdicts:
        return "only some of its images were looked at for a face"
    if DefaceVerdict.NOT_NEEDED in verdicts and not _is_stored_alike(scan):
        return "its files are stored in several ways, and dcm2niix may have passed over some"
    return ""


def _is_stored_alike(scan: Scan) -> bool:
    """Tell whether what dcm2niix makes of one file of a scan, it makes of all."""
    forms = set()
    try:
        for file in scan.files:
            copy = read_path(file)
            form, floating = form_of(copy), not FLOATING_PIXELS.isdisjoint(copy.top)
            forms.add((copy.transfer_syntax_uid, form.samples, form.bits_allocated, floating))
    except NotUnderstoodError:
        return False
    return len(forms) <= 1


def _has_pixels(scan: Scan) -> bool:
    try:
        return any(PIXEL_DATA in read_path(file).top for file in scan.files)
    except NotUnderstoodError:
        return True


def _fail(scan: Scan, outcomes: dict[str, DefaceOutcome], reason: str) -> None:
    for path in [image.path for image in scan.images] or [scan.words]:
        known = outcomes.get(path)
        verdict, words = DefaceVerdict.FAILED, f"it stays in the DICOM files: {reason}"
        outcomes[path] = (
            replace(known, verdict=verdict, reason=words)
            if known
            else DefaceOutcome(path=path, verdict=verdict, engine="", reason=words)
        )


def _say_unchecked(scan: Scan, outcomes: dict[str, DefaceOutcome]) -> None:
    for image in scan.images:
        known = outcomes[image.path]
        if known.verdict is DefaceVerdict.FAILED:
            outcomes[image.path] = replace(
                known, verdict=DefaceVerdict.UNCHECKED, reason=f"{_CUT_ALIKE}: {known.reason}"
            )


def _update(run: DeidentifyRun, scan: Scan, written: Written) -> None:
    """Let the series of a scan say what its files say."""

    def said(series: DeidentifiedSeries) -> DeidentifiedSeries:
        marks = written.marks[series.files[0].resolve()]
        codes = tuple(CodedConcept(**code._asdict()) for code in marks.codes)
        return replace(series, methods=marks.methods, method_codes=codes)

    _replace_series(run, scan, said)


def _replace_series(
    run: DeidentifyRun, scan: Scan, change: Callable[[DeidentifiedSeries], DeidentifiedSeries]
) -> None:
    persons = list(run.persons)
    person = persons[scan.person]
    series = tuple(change(one) if one.source.index in scan.series else one for one in person.series)
    persons[scan.person] = replace(person, series=series)
    run.persons = tuple(persons)


def _in_words(scans: Iterable[Scan], outcomes: dict[str, DefaceOutcome]) -> Iterator[DefaceOutcome]:
    """Yield the outcomes in the order of the series, each under the name that messages have."""
    for scan in scans:
        for image in scan.images:
            yield replace(outcomes[image.path], path=image.words)
        if not scan.images and scan.words in outcomes:
            yield outcomes[scan.words]


def _withhold(run: DeidentifyRun, failed: list[Scan], findings: list[Finding]) -> list[Finding]:
    """Leave series out that may show a face: they go to quarantine, and what refused warns."""
    left_out = []
    for scan in failed:
        _replace_series(run, scan, lambda series: replace(series, files=()))
        left_out += [
            QuarantinedFile(
                path=instance.path, reason=QuarantineReason.FACE, series_index=series.index
            )
            for series in run.parts[scan.person].series
            if series.index in scan.series
            for instance in series.instances
        ]
    known = {file.path for file in run.source.quarantine}
    added = tuple(file for file in left_out if file.path not in known)
    run.source = replace(run.source, quarantine=(*run.source.quarantine, *added))
    warned = [found for found in findings if found.code != "DEFACE_FAILED"]
    warned += [finding("DEFACE_WITHHELD", location=scan.words) for scan in failed]
    if not any(series.files for person in run.persons for series in person.series):
        warned.append(finding("ALL_WITHHELD", count=len(failed)))
    return warned
