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
from bidsanon.session import ConvertedImage, ConvertedPart, ConvertedSession, DeidentifiedSession

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
    output = fresh_folder(work / "out")
    acquisitions = join_series(deidentified.series, links=work / "joined")
    files = sum(len(acquisition.files) for acquisition in acquisitions)
    with progress.step("converting", total=len(acquisitions)) as step:

        def told(advance: Advance) -> None:
            step.advance()
            if made is not None:
                images = tuple(_images((advance.item,), acquisitions, output))
                made(ConvertedPart(root=output, images=images, to_come=advance.to_come))

        answer = drive_worker(
            Request(
                mode=Mode.CONVERT,
                heuristic=heuristic,
                subject=subject,
                session=session,
                output=output,
                acquisitions=acquisitions,
            ),
            work=work,
            timeout_s=_TIMEOUT_S + _TIMEOUT_PER_FILE_S * files,
            told=told,
            worker=worker,
        )
        step.advance(len(answer.left_out))
    require_names(answer, heuristic, deidentified)
    findings = [*name_findings(answer, acquisitions)]
    skipped = [*left_out(answer, acquisitions)]
    findings += without_place(deidentified, skipped)
    images: tuple[ConvertedImage, ...] = ()
    if not errors(findings):
        _keep_only(output, f"sub-{subject}")
        if session:
            _keep_only(output / f"sub-{subject}", f"ses-{session}")
        images = tuple(_images(answer.items, acquisitions, output))
        findings += _strays(answer, acquisitions, subject, session)
        findings += _outcome_findings(answer, acquisitions, images, output)
        write_known(output, images, known)
        complete_sidecars(output, images)
        findings += complete_emission(output, images, deidentified.series)
        images, withdrawn, said = withdraw_incomplete(output, images)
        findings += said
        skipped += withdrawn
        if not images and not errors(findings):
            reasons = "; ".join(dict.fromkeys(one.reason for one in withdrawn))
            findings.append(finding("NOTHING_LEFT", reasons=reasons))
        keep_scans_of(output, images, subject=subject, session=session)
        _open_permissions(output)
    return ConvertedSession(
        deidentified=deidentified,
        root=output,
        subject=subject,
        session=session,
        heuristic=heuristic.name,
        heuristic_digest=heuristic.digest,
        images=images,
        skipped=tuple(sorted(skipped, key=lambda one: one.series_index)),
        tools={"dcm2niix": program_version(DCM2NIIX) or "", "heudiconv": version("heudiconv")},
        findings=tuple(findings),
    )


def _keep_only(folder: Path, name: str) -> None:
    """Remove what a heuristic wrote beside the one folder that it was to write in."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name == name and path.is_dir() and not path.is_symlink():
            continue
        if path.is_dir() and not path.is_symlink():
            remove_tree(path)
        else:
            path.unlink()


def _strays(
    answer: Answer, acquisitions: Sequence[Acquisition], subject: str, session: str | None
) -> Iterator[Finding]:
    """Say which images a heuristic wrote where it was not to write."""
    for item in answer.items:
        for name in item.outputs:
            within = naming.lies_within_session(name, subject=subject, session=session)
            if name.endswith(naming.IMAGE) and not within:
                place = item_place(item, acquisitions)
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
    answer: Answer,
    acquisitions: Sequence[Acquisition],
    images: Sequence[ConvertedImage],
    output: Path,
) -> Iterator[Finding]:
    made = {image.path: image for image in images}
    for item in answer.items:
        place = item_place(item, acquisitions)
        own = [made[name] for name in item.outputs if name in made]
        if not own and not item.duplicate:
            require_room(
                output, (file for n in item.acquisitions for file in acquisitions[n].files)
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
