"""The defacing stage: which images, acquisition by acquisition, in as many processes as wished."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass, replace
from pathlib import Path

from bidsanon.bids.names import parse_name
from bidsanon.deface.acquisition import Acquisition, group_acquisitions
from bidsanon.deface.engines import Engine, NearbyEngine, choose_engine
from bidsanon.deface.faces import shows_face
from bidsanon.deface.grid import Matrix
from bidsanon.deface.image import DefacedAcquisition, deface_acquisition, kept
from bidsanon.deface.options import NONE, PYDEFACE, DefaceOptions, require_options
from bidsanon.deface.voxels import Nifti, UnreadableImageError, read_header
from bidsanon.files import make_private_folder
from bidsanon.findings import Finding, finding
from bidsanon.progress import Progress
from bidsanon.session import (
    ConvertedImage,
    ConvertedSession,
    DefacedSession,
    DefaceOutcome,
    DefaceVerdict,
)
from bidsanon.workers import worker_pool

_FAILED = "DEFACE_FAILED"
_TRIED_NEARBY = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class _Task:
    """One acquisition's work, as it goes to another process."""

    acquisition: Acquisition
    options: DefaceOptions
    pictures: Path | None
    look_only: bool = False
    nearby: tuple[Matrix, ...] = ()

    @property
    def session(self) -> tuple[str, ...]:
        """Whose head it is, and when: the subject's and the session's labels, or its folder."""
        name = parse_name(self.acquisition.shown.path)
        if "sub" in name.entities:
            return name.entities["sub"], name.entities.get("ses", "")
        return (str(self.acquisition.shown.nifti.path.parent),)


_Done = tuple[_Task, DefacedAcquisition]


def deface_session(
    converted: ConvertedSession,
    *,
    options: DefaceOptions,
    pictures: Path,
    jobs: int,
    progress: Progress,
) -> DefacedSession:
    """Remove the face from each image that shows one, in place in the session's private root.

    Parameters
    ----------
    converted
        The session.
    options
        By which engine, and what goes.
    pictures
        A private folder for pictures of the heads before and after.
    jobs
        How many processes may work. The bytes do not depend on it.
    progress
        What listens.

    Returns
    -------
    DefacedSession
        With an error among its findings for each image whose face could not be removed for
        certain.

    Raises
    ------
    MissingToolError
        If the engine's program is not installed.
    ToolFailedError
        If the engine's program failed, or a process died.
    UsageError
        If the options do not go together.
    StorageError
        If there is no room.
    """
    outcomes: dict[str, DefaceOutcome] = {}
    with progress.step("removing faces", total=len(converted.images)) as step:
        for done in deface_images(
            converted.root, converted.images, options=options, pictures=pictures, jobs=jobs
        ):
            outcomes |= {outcome.path: outcome for outcome in done}
            step.advance(len(done))
    ordered = tuple(outcomes[image.path] for image in converted.images)
    return DefacedSession(converted=converted, outcomes=ordered, findings=tuple(_findings(ordered)))


def deface_images(
    root: Path,
    images: Iterable[ConvertedImage],
    *,
    options: DefaceOptions,
    pictures: Path | None,
    jobs: int,
    look_only: bool = False,
) -> Iterator[tuple[DefaceOutcome, ...]]:
    """Remove the face from each image that shows one, in place of its file.

    A file that is a link is replaced; what it leads to stays as it is.

    Parameters
    ----------
    root
        Where the images are.
    images
        The images, relative to `root`.
    options
        By which engine, and what goes.
    pictures
        A private folder for pictures of the heads before and after; none are drawn if None.
    jobs
        How many processes may work. The bytes do not depend on it.
    look_only
        Whether faces stay: "defaced" then means that there is one which would go.

    Yields
    ------
    tuple
        The outcomes of images that belong together, as soon as they are done: in an order that
        depends on `jobs`.

    Raises
    ------
    MissingToolError, ToolFailedError, UsageError, StorageError
        As :func:`deface_session` does.
    """
    options = require_options(options)
    if options.engine != NONE:
        choose_engine(options.engine, scratch=pictures and make_private_folder(pictures))
    asked: dict[str, Nifti] = {}
    for image in images:
        answer = _ask(root, image, options)
        if isinstance(answer, DefaceOutcome):
            yield (answer,)
        elif options.engine == NONE:
            yield (kept(image.path, options.because),)
        else:
            asked[image.path] = answer
    yield from _run(
        [
            _Task(acquisition=acquisition, options=options, pictures=pictures, look_only=look_only)
            for acquisition in group_acquisitions(root, asked)
        ],
        jobs,
    )


def withhold_failed(defaced: DefacedSession) -> DefacedSession:
    """Take images whose face could not be removed for certain out of the session.

    The image goes with all that bears its name: its sidecar and gradient tables. What else names it
    (scans.tsv, IntendedFor) is for the scrubbing to bring up to date. The refusals become warnings,
    unless nothing is left.

    Parameters
    ----------
    defaced
        The session; its root is changed.
    """
    root = defaced.converted.root
    failed = [o.path for o in defaced.outcomes if o.verdict is DefaceVerdict.FAILED]
    for path in failed:
        _remove_files(root, path)
    withheld = {*defaced.withheld, *failed}
    kept = [f for f in defaced.findings if f.code != _FAILED]
    left_out = [finding("DEFACE_WITHHELD", location=path) for path in failed]
    if failed and len(failed) == len(defaced.outcomes):
        left_out.append(finding("ALL_WITHHELD", count=len(failed)))
    return replace(defaced, withheld=tuple(sorted(withheld)), findings=(*kept, *left_out))


def _ask(root: Path, image: ConvertedImage, options: DefaceOptions) -> Nifti | DefaceOutcome:
    """Return the header of an image that shows a face, or the outcome of one that need not go."""
    try:
        nifti = read_header(root / image.path)
    except UnreadableImageError as error:
        return DefaceOutcome(
            path=image.path, verdict=DefaceVerdict.FAILED, engine="", reason=str(error)
        )
    question = shows_face(
        datatype=image.datatype, suffix=image.suffix, affine=nifti.affine, also=options.also
    )
    if question.asked:
        return nifti
    return DefaceOutcome(
        path=image.path, verdict=DefaceVerdict.NOT_NEEDED, engine="", reason=question.reason
    )


def _run(tasks: Sequence[_Task], jobs: int) -> Iterator[tuple[DefaceOutcome, ...]]:
    """Work on each acquisition, and once more on those where others of their session may help."""
    workers = min(jobs, len(tasks))
    if workers <= 1:
        yield from _in_two_rounds(tasks, map)
        return
    with worker_pool(workers, doing="removes faces") as pool:

        def as_done(work: Callable[[_Task], _Done], todo: Iterable[_Task]) -> Iterator[_Done]:
            # The longest first, so that no processor is left with one at the end.
            largest = sorted(todo, key=_length, reverse=True)
            for done in as_completed([pool.submit(work, task) for task in largest]):
                yield done.result()

        yield from _in_two_rounds(tasks, as_done)


def _in_two_rounds(
    tasks: Sequence[_Task],
    each: Callable[[Callable[[_Task], _Done], Iterable[_Task]], Iterator[_Done]],
) -> Iterator[tuple[DefaceOutcome, ...]]:
    places: dict[tuple[str, ...], dict[str, Matrix]] = {}
    lost: list[_Done] = []
    for task, defaced in each(_deface, tasks):
        if defaced.to_head is not None:
            known = places.setdefault(task.session, {})
            known[task.acquisition.shown.path] = defaced.to_head
        if _is_lost(defaced):
            lost.append((task, defaced))
        else:
            yield defaced.outcomes
    again = []
    for task, defaced in sorted(lost, key=lambda done: done[0].acquisition.shown.path):
        nearby = sorted(places.get(task.session, {}).items())[:_TRIED_NEARBY]
        if nearby and task.options.engine != PYDEFACE:
            again.append(replace(task, nearby=tuple(place for _, place in nearby)))
        else:
            yield defaced.outcomes
    before = {task.acquisition.shown.path: defaced for task, defaced in lost}
    for task, defaced in each(_deface, again):
        shown = task.acquisition.shown.path
        yield (before[shown] if _is_lost(defaced) else defaced).outcomes


def _is_lost(defaced: DefacedAcquisition) -> bool:
    """Tell whether nobody knows where the head is, and whether it holds a face."""
    verdicts = {outcome.verdict for outcome in defaced.outcomes}
    return defaced.to_head is None and DefaceVerdict.FAILED in verdicts


def _length(task: _Task) -> int:
    members = task.acquisition.members
    return sum(math.prod(member.nifti.shape) for member in members)


def _deface(task: _Task) -> _Done:
    engine: Engine = choose_engine(task.options.engine, scratch=task.pictures)
    if task.nearby:
        engine = NearbyEngine(task.nearby)
    return task, deface_acquisition(
        task.acquisition,
        engine=engine,
        pictures=task.pictures,
        options=task.options,
        look_only=task.look_only,
    )


def _findings(outcomes: Sequence[DefaceOutcome]) -> Iterator[Finding]:
    for outcome in outcomes:
        if outcome.verdict is DefaceVerdict.FAILED:
            yield finding(_FAILED, location=outcome.path, reason=outcome.reason)
        elif outcome.verdict is DefaceVerdict.NO_FACE:
            yield finding("NO_FACE", location=outcome.path, reason=outcome.reason)
        elif outcome.verdict is DefaceVerdict.ALREADY_DEFACED:
            yield finding("ALREADY_DEFACED", location=outcome.path, reason=outcome.reason)
        elif outcome.verdict is DefaceVerdict.KEPT:
            yield finding("FACE_KEPT", location=outcome.path, reason=outcome.reason)


def _remove_files(root: Path, path: str) -> None:
    """Remove an image and everything beside it that bears its name."""
    name = parse_name(path)
    for file in (root / path).parent.glob(f"{name.stem}.*"):
        file.unlink()
