"""One session: every file of it copied as it may be published, and nothing else copied.

heudiconv's own traces (``.heudiconv``, stubs of event tables, the columns it adds to scans.tsv)
do not come along, and a kind of file that this stage does not know stops the session.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from bidsanon.bids.field_maps import USUAL_LINKS, FieldMapOptions
from bidsanon.bids.keys import KeyAction, key_rules
from bidsanon.bids.names import BidsName, parse_name
from bidsanon.bids.nifti import ImageError
from bidsanon.bids.sidecars import (
    GRADIENT_EXTENSIONS,
    IMAGE_EXTENSIONS,
    SidecarError,
    read_json_file,
)
from bidsanon.bids.tables import TableError, read_table, write_table
from bidsanon.files import files_below, write_json, write_text
from bidsanon.findings import Finding, finding
from bidsanon.scrub.field_maps import link_published
from bidsanon.scrub.gradients import GradientError, scrub_gradients
from bidsanon.scrub.images import scrub_image
from bidsanon.scrub.scans import (
    LATEST_SHIFTED_YEAR,
    latest_year,
    read_acquisition_times,
    scrub_scans,
    session_clock,
)
from bidsanon.scrub.sidecars import (
    FACE_REMOVED,
    SidecarPolicy,
    add_method,
    face_absent_method,
    face_kept_method,
    face_removed_method,
    scrub_sidecar,
)
from bidsanon.session import (
    CodedConcept,
    ConvertedSession,
    DefacedSession,
    DefaceVerdict,
    ScrubbedSession,
)

FULL_DATES = "113106"
_STUB = "TODO"
_NOTHING_TO_REMOVE = {DefaceVerdict.NO_FACE, DefaceVerdict.ALREADY_DEFACED}


@dataclass(frozen=True, kw_only=True)
class _File:
    path: Path
    name: BidsName


@dataclass(kw_only=True)
class _Scrub:
    """One session's scrub: where it reads and writes, and what it has found so far."""

    defaced: DefacedSession
    into: Path
    threads: int
    links: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    removed_keys: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    def target(self, file: _File) -> Path:
        path = self.into / file.name.path
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def note(self, code: str, file: _File, **details: object) -> None:
        self.findings.append(finding(code, location=file.name.path, **details))


def scrub_session(
    defaced: DefacedSession,
    *,
    into: Path,
    device_pseudonym: Callable[[str], str],
    clean: Callable[[str], str] = str,
    field_maps: FieldMapOptions = USUAL_LINKS,
    threads: int | None = None,
) -> ScrubbedSession:
    """Copy a session's tree as it may be published.

    Parameters
    ----------
    defaced
        The session; its files stay as they are.
    into
        A folder that holds nothing of this session yet.
    device_pseudonym
        Gives the pseudonym of a scanner's serial number.
    clean
        Takes what identifies out of a free text: of the headers', and of what a heuristic or the
        lab adds.
    field_maps
        How field maps are linked to what they correct.
    threads
        How many threads compress at once; None: one for each processor. The bytes do not depend
        on it.

    Returns
    -------
    ScrubbedSession
        With the findings of the scrub gate; where one of them is an error, files are missing.
    """
    scrub = _Scrub(defaced=defaced, into=into, threads=threads or len(os.sched_getaffinity(0)))
    files = list(_published_files(defaced))
    images = {file.name.stem: file for file in files if file.name.extension in IMAGE_EXTENSIONS}
    times = _acquisition_times(scrub, files)
    published = {file.path.name for file in images.values()}
    taken = {Path(name).name: moment for name, moment in times.items()}
    linked, said = link_published(
        defaced.converted.root, (file.name for file in images.values()), taken, field_maps
    )
    scrub.links, scrub.findings = linked.fields, [*scrub.findings, *said]
    clock = session_clock(
        {name: moment for name, moment in taken.items() if name in published},
        otherwise=defaced.converted.deidentified.first_acquisition,
    )
    policy = SidecarPolicy(
        device_pseudonym=device_pseudonym,
        to_noon=clock.time_to_noon,
        clean=clean,
        session=_session_folder(defaced),
        published=published,
    )
    for file in files:
        if file.name.extension in IMAGE_EXTENSIONS and not file.path.is_symlink():
            _image(scrub, file)
        elif file.name.extension == ".json" and file.name.stem in images:
            _sidecar(scrub, file, images[file.name.stem], policy)
        elif file.name.extension in GRADIENT_EXTENSIONS and file.name.stem in images:
            _gradients(scrub, file)
        elif file.name.suffix == "aslcontext":
            _table(scrub, file)
        elif not _is_left_behind(file):
            scrub.note("SCRUB_UNKNOWN_FILE", file, kind=file.name.extension or "no extension")
    folder = _session_folder(defaced)
    below = [file.path.relative_to(defaced.converted.root / folder) for file in images.values()]
    scans = into / folder / f"{'_'.join(Path(folder).parts)}_scans.tsv"
    if images:
        write_text(scans, scrub_scans(times, [path.as_posix() for path in below], clock))
    _summarise(scrub)
    return ScrubbedSession(
        defaced=defaced,
        root=into,
        removed_keys=dict(sorted(scrub.removed_keys.items())),
        findings=tuple(scrub.findings),
    )


def _published_files(defaced: DefacedSession) -> Iterator[_File]:
    withheld = {parse_name(path).stem for path in defaced.withheld}
    root = defaced.converted.root
    for path in files_below(root):
        name = parse_name(path.relative_to(root).as_posix())
        if name.stem not in withheld:
            yield _File(path=path, name=name)


def _session_folder(defaced: DefacedSession) -> str:
    subject = f"sub-{defaced.converted.subject}"
    session = defaced.converted.session
    return f"{subject}/ses-{session}" if session else subject


def _is_left_behind(file: _File) -> bool:
    """Tell whether a file is known and none to publish as it is: scans.tsv, an events stub."""
    if file.name.extension != ".tsv" or file.path.is_symlink():
        return False
    if file.name.suffix == "scans":
        return True
    return file.name.suffix == "events" and _STUB in file.path.read_text("utf-8", "replace")


def _acquisition_times(scrub: _Scrub, files: list[_File]) -> dict[str, datetime | None]:
    """Read when each image was acquired from heudiconv's scans.tsv, and judge it."""
    times: dict[str, datetime | None] = {}
    root = scrub.defaced.converted.root
    for file in files:
        if file.name.suffix != "scans" or file.path.is_symlink():
            continue
        try:
            times |= read_acquisition_times(file.path.read_text("utf-8"))
        except (TableError, UnicodeDecodeError) as error:
            scrub.note("SCRUB_BAD_TABLE", file, problem=_problem(error))
        withheld = {Path(path) for path in scrub.defaced.withheld}
        missing = [
            name
            for name in times
            if not (file.path.parent / name).is_file()
            and (file.path.parent / name).relative_to(root) not in withheld
        ]
        if missing:
            scrub.note("SCRUB_SCAN_MISSING", file, count=len(missing))
        codes = {code.value for code in scrub.defaced.converted.deidentified.method_codes}
        if FULL_DATES not in codes and (latest_year(times) or 0) > LATEST_SHIFTED_YEAR:
            scrub.note("SCRUB_DATE_NOT_SHIFTED", file, year=LATEST_SHIFTED_YEAR)
    return times


def _image(scrub: _Scrub, file: _File) -> None:
    try:
        image = scrub_image(file.path, scrub.target(file), threads=scrub.threads)
    except ImageError as error:
        scrub.note("SCRUB_BAD_IMAGE", file, problem=error)
        return
    if image.extension_bytes or image.trailing:
        scrub.note("SCRUB_IMAGE_EXTRAS", file)


def _sidecar(scrub: _Scrub, file: _File, image: _File, policy: SidecarPolicy) -> None:
    try:
        content = read_json_file(file.path)
    except SidecarError as error:
        scrub.note("SCRUB_BAD_SIDECAR", file, problem=error)
        return
    sidecar = scrub_sidecar(content, policy)
    scrub.removed_keys += sidecar.removed
    for key in sidecar.replaced:
        if key_rules()[key].action is KeyAction.CLEAN:
            location = f"{file.name.path}#/{key}"
            scrub.findings.append(finding("SCRUB_TEXT_CLEANED", location=location, key=key))
    for key in sidecar.misfits:
        scrub.findings.append(finding("SCRUB_MISFIT", location=f"{file.name.path}#/{key}", key=key))
    methods, codes = _method(scrub.defaced, image.name.path)
    linked = dict(sorted({**sidecar.content, **scrub.links.get(image.name.path, {})}.items()))
    write_json(scrub.target(file), add_method(linked, methods=methods, codes=codes))


def _method(defaced: DefacedSession, image: str) -> tuple[list[str], tuple[CodedConcept, ...]]:
    """Return how an image was de-identified, in words and codes."""
    methods, codes = _method_of_series(defaced.converted, image)
    masked = next((outcome for outcome in defaced.outcomes if outcome.mask == image), None)
    if masked is not None:
        return [f"0 where the face was removed by {masked.engine_version}"], ()
    outcome = next((outcome for outcome in defaced.outcomes if outcome.path == image), None)
    if outcome is not None and outcome.verdict is DefaceVerdict.KEPT:
        methods.append(face_kept_method(outcome.reason))
    if outcome is not None and outcome.verdict in _NOTHING_TO_REMOVE:
        methods.append(face_absent_method(outcome.reason))
    if outcome is None or outcome.verdict is not DefaceVerdict.DEFACED:
        return methods, codes
    methods.append(face_removed_method(outcome.engine_version))
    return methods, codes if FACE_REMOVED in codes else (*codes, FACE_REMOVED)


def _method_of_series(
    converted: ConvertedSession, image: str
) -> tuple[list[str], tuple[CodedConcept, ...]]:
    """Return how the DICOM of an image was de-identified: before, as it says itself, and now."""
    deidentified = converted.deidentified
    index = next((i.series_index for i in converted.images if i.path == image), None)
    for series in deidentified.series:
        if series.source.index == index and series.methods:
            return list(series.methods), series.method_codes
    return [deidentified.method], deidentified.method_codes


def _gradients(scrub: _Scrub, file: _File) -> None:
    try:
        text = scrub_gradients(file.path.read_text("utf-8"), extension=file.name.extension)
    except (GradientError, UnicodeDecodeError) as error:
        scrub.note("SCRUB_BAD_TABLE", file, problem=_problem(error))
        return
    write_text(scrub.target(file), text)


def _table(scrub: _Scrub, file: _File) -> None:
    try:
        table = read_table(file.path.read_text("utf-8"))
        write_text(scrub.target(file), write_table(("volume_type",), table.rows))
    except (TableError, UnicodeDecodeError) as error:
        scrub.note("SCRUB_BAD_TABLE", file, problem=_problem(error))


def _problem(error: Exception) -> str:
    return "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)


def _summarise(scrub: _Scrub) -> None:
    if scrub.removed_keys:
        scrub.findings.append(
            finding(
                "SCRUB_KEYS_REMOVED",
                location=_session_folder(scrub.defaced),
                count=scrub.removed_keys.total(),
                keys=", ".join(sorted(scrub.removed_keys)),
            )
        )
