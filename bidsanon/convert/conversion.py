"""Converts a de-identified session with heudiconv, and sees that every selected series came out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path, PurePosixPath

from bidsanon.bids.names import check_name
from bidsanon.convert import naming
from bidsanon.convert.acquisition import join_series
from bidsanon.convert.completion import complete_sidecars, withdraw_incomplete
from bidsanon.convert.drive import drive_worker
from bidsanon.convert.emission import complete_emission
from bidsanon.convert.job import Acquisition, Advance, Answer, Heuristic, Item, Mode, Request
from bidsanon.convert.known import NOTHING_KNOWN, KnownFacts, write_known
from bidsanon.convert.plan import (
    item_place,
    left_out,
    name_findings,
    require_names,
    without_place,
)
from bidsanon.convert.room import require_room
from bidsanon.convert.scans import keep_scans_of
from bidsanon.external import DCM2NIIX, RunningProgram, program_version
from bidsanon.files import fresh_folder, remove_tree
from bidsanon.findings import Finding, errors, finding
from bidsanon.progress import Progress
from bidsanon.session import (
    ConvertedImage,
    ConvertedPart,
    ConvertedSession,
    DeidentifiedSeries,
    DeidentifiedSession,
    SkippedSeries,
)

_EQUIDISTANT = re.compile(r"(.*_)?Eq(_\d+)?")
"""What dcm2niix adds to the name of an image that it has made even by interpolation."""
_TIMEOUT_S = 900.0
_TIMEOUT_PER_FILE_S = 0.5
_FOLDER_MODE = 0o755
_FILE_MODE = 0o644


def convert_session(
    deidentified: DeidentifiedSession,
    *,
    heuristic: Heuristic,
    subject: str,
    session: str | None,
    work: Path,
    progress: Progress,
    known: KnownFacts = NOTHING_KNOWN,
    made: Callable[[ConvertedPart], None] | None = None,
    worker: RunningProgram | None = None,
) -> ConvertedSession:
    """Convert a session with heudiconv into a fresh folder.

    What the headers say and BIDS asks for is completed in the sidecars; an image for which BIDS
    requires what the headers do not say is withdrawn, with the reason. If the names will not do,
    nothing is converted and the findings say why.

    Parameters
    ----------
    deidentified
        De-identified copies, whole.
    heuristic
        From :func:`bidsanon.convert.resolve_heuristic`.
    subject, session
        Labels without their prefix.
    work
        A private folder to work in; the session is made below it.
    progress
        Told of each name that has been converted.
    known
        What the lab knows of its images and no header says.
    made
        Called, in a thread of its own, with what was made for each name as soon as it is there.
    worker
        From :func:`bidsanon.convert.ready_worker`; without it, one is started.

    Raises
    ------
    PolicyError
        If the heuristic fails.
    SourceError
        If it matches no series.
    StorageError
        If there is no room for the images.
    ToolFailedError
        If heudiconv fails as a whole.
    """
    fresh_folder(work)
    request = Request(
        mode=Mode.CONVERT,
        heuristic=heuristic,
        subject=subject,
        session=session,
        output=fresh_folder(work / "out"),
        acquisitions=join_series(deidentified.series, links=work / "joined"),
    )
    answer = _ask(request, work=work, progress=progress, made=made, worker=worker)
    require_names(answer, heuristic, deidentified)
    findings = [*name_findings(answer, request.acquisitions)]
    skipped = [*left_out(answer, request.acquisitions)]
    findings += without_place(deidentified, skipped)
    images: tuple[ConvertedImage, ...] = ()
    if not errors(findings):
        images, withdrawn, found = _complete(request, answer, deidentified.series, known)
        skipped += withdrawn
        findings += found
    return ConvertedSession(
        deidentified=deidentified,
        root=request.output,
        subject=subject,
        session=session,
        images=images,
        skipped=tuple(sorted(skipped, key=lambda one: one.series_index)),
        tools={"dcm2niix": program_version(DCM2NIIX) or "", "heudiconv": version("heudiconv")},
        findings=tuple(findings),
    )


def _ask(
    request: Request,
    *,
    work: Path,
    progress: Progress,
    made: Callable[[ConvertedPart], None] | None,
    worker: RunningProgram | None,
) -> Answer:
    """Let the worker convert, and pass on what it says of each name."""
    acquisitions, output = request.acquisitions, request.output
    files = sum(len(acquisition.files) for acquisition in acquisitions)
    with progress.step("converting", total=len(acquisitions)) as step:

        def told(advance: Advance) -> None:
            step.advance()
            if made is not None:
                images = tuple(_images((advance.item,), acquisitions, output))
                made(ConvertedPart(root=output, images=images, to_come=advance.to_come))

        answer = drive_worker(
            request,
            work=work,
            timeout_s=_TIMEOUT_S + _TIMEOUT_PER_FILE_S * files,
            told=told,
            worker=worker,
        )
        step.advance(len(answer.left_out))
    return answer


def _complete(
    request: Request, answer: Answer, series: Sequence[DeidentifiedSeries], known: KnownFacts
) -> tuple[tuple[ConvertedImage, ...], list[SkippedSeries], list[Finding]]:
    """Complete the sidecars; return the images that are left, what is withdrawn, and why."""
    output, subject, session = request.output, request.subject, request.session
    _keep_only(output, f"sub-{subject}")
    if session:
        _keep_only(output / f"sub-{subject}", f"ses-{session}")
    images = tuple(_images(answer.items, request.acquisitions, output))
    findings = [*_strays(request, answer), *_outcome_findings(request, answer, images)]
    write_known(output, images, known)
    complete_sidecars(output, images)
    findings += complete_emission(output, images, series)
    images, withdrawn, said = withdraw_incomplete(output, images)
    findings += said
    if not images and not errors(findings):
        reasons = "; ".join(dict.fromkeys(one.reason for one in withdrawn))
        findings.append(finding("NOTHING_LEFT", reasons=reasons))
    keep_scans_of(output, images, subject=subject, session=session)
    _open_permissions(output)
    return images, withdrawn, findings


def _keep_only(folder: Path, name: str) -> None:
    """Remove what a heuristic wrote beside the one folder that it was to write in."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name == name and path.is_dir() and not path.is_symlink():
            continue
        if path.is_dir() and not path.is_symlink():
            remove_tree(path)
        else:
            path.unlink()


def _strays(request: Request, answer: Answer) -> Iterator[Finding]:
    """Say which images a heuristic wrote where it was not to write."""
    for item in answer.items:
        for name in item.outputs:
            within = naming.lies_within_session(
                name, subject=request.subject, session=request.session
            )
            if name.endswith(naming.IMAGE) and not within:
                place = item_place(item, request.acquisitions)
                yield finding("OUTSIDE_SESSION", location=place, name=name)


def _images(
    items: Iterable[Item], acquisitions: Sequence[Acquisition], output: Path
) -> Iterator[ConvertedImage]:
    source = {
        name: tuple(index for number in item.acquisitions for index in acquisitions[number].series)
        for item in items
        for name in item.outputs
        if name.endswith(naming.IMAGE) and (output / name).is_file()
    }
    for name in sorted(source):
        path = PurePosixPath(name)
        first, *others = source[name]
        yield ConvertedImage(
            path=name,
            series_index=first,
            datatype=path.parent.name,
            suffix=path.name.removesuffix(naming.IMAGE).rpartition("_")[2],
            joined=(first, *others) if others else (),
        )


def _outcome_findings(
    request: Request, answer: Answer, images: Sequence[ConvertedImage]
) -> Iterator[Finding]:
    acquisitions = request.acquisitions
    made = {image.path: image for image in images}
    for item in answer.items:
        place = item_place(item, acquisitions)
        own = [made[name] for name in item.outputs if name in made]
        if not own and not item.duplicate:
            require_room(
                request.output, (file for n in item.acquisitions for file in acquisitions[n].files)
            )
            yield finding("SERIES_NOT_CONVERTED", location=place, name=item.name)
        for kind in item.asides:
            code = "SLICES_UNEVEN" if _EQUIDISTANT.fullmatch(kind) else "IMAGE_ASIDE"
            yield finding(code, location=place, kind=kind)
        problems = {image.path: check_name(image.path) for image in own}
        if len(own) > 1 and any(problems.values()):
            yield finding("SEVERAL_IMAGES", location=place, name=item.name, count=len(own))
            continue
        for name, problem in problems.items():
            if problem:
                yield finding("INVALID_BIDS_NAME", location=place, name=name, problem=problem)


def _open_permissions(root: Path) -> None:
    """Make what heudiconv wrote read-only writable again, and readable as datasets are."""
    for path in [root, *root.rglob("*")]:
        path.chmod(_FOLDER_MODE if path.is_dir() else _FILE_MODE)
