"""The defacing stage: which images, acquisition by acquisition, in as many processes as wished."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from bidsanon.bids.names import parse_name
from bidsanon.deface.acquisition import Acquisition, group_acquisitions
from bidsanon.deface.ahead import LooksAhead
from bidsanon.deface.engines import Engine, NearbyEngine, choose_engine
from bidsanon.deface.faces import ask_image
from bidsanon.deface.grid import Matrix
from bidsanon.deface.image import DefacedAcquisition, deface_acquisition, kept
from bidsanon.deface.look import Look
from bidsanon.deface.options import NONE, PYDEFACE, DefaceOptions, require_options
from bidsanon.deface.voxels import Nifti
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
    look: Look | None = None

    @property
    def session(self) -> tuple[str, ...]:
        """Whose head it is, and when: the subject's and the session's labels, or its folder."""
        name = parse_name(self.acquisition.shown.path)
        if "sub" in name.entities:
            return name.entities["sub"], name.entities.get("ses", "")
        return (str(self.acquisition.shown.nifti.path.parent),)


_Done = tuple[_Task, DefacedAcquisition]
_Each = Callable[[Iterable[_Task]], Iterator[_Done]]


def deface_session(
    converted: ConvertedSession,
    *,
    options: DefaceOptions,
    pictures: Path,
    jobs: int,
    progress: Progress,
    ahead: LooksAhead | None = None,
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
    ahead
        What was begun while the session was converted, with the same options and pictures.

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
            converted.root,
            converted.images,
            options=options,
            pictures=pictures,
            jobs=jobs,
            ahead=ahead,
        ):
            outcomes |= {outcome.path: outcome for outcome in done}
            step.advance(len(done))
    ordered = tuple(outcomes[image.path] for image in converted.images)
    findings = tuple(deface_findings(ordered))
    return DefacedSession(converted=converted, outcomes=ordered, findings=findings)


def deface_images(
    root: Path,
    images: Iterable[ConvertedImage],
    *,
    options: DefaceOptions,
    pictures: Path | None,
    jobs: int,
    look_only: bool = False,
    ahead: LooksAhead | None = None,
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
    ahead
        What was begun before, with the same options and pictures.

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
        answer = ask_image(root, image, options)
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
        ahead,
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


def withhold_rejected(defaced: DefacedSession, rejected: Collection[str]) -> DefacedSession:
    """Take images that a person rejected out of the session, unless nothing would be left.

    A mask of what was cut goes with the last image that it belongs to. The files stay: the
    scrubbing leaves out what is withheld.

    Parameters
    ----------
    defaced
        The session.
    rejected
        The images' paths.
    """
    left = [o for o in defaced.outcomes if o.path not in {*defaced.withheld, *rejected}]
    if not rejected or not left:
        return defaced
    masks = {o.mask for o in defaced.outcomes if o.mask} - {o.mask for o in left}
    withheld = {*defaced.withheld, *rejected, *masks}
    return replace(defaced, withheld=tuple(sorted(withheld)))


def _run(
    tasks: Sequence[_Task], jobs: int, ahead: LooksAhead | None
) -> Iterator[tuple[DefaceOutcome, ...]]:
    """Work on each acquisition, and once more on those where others of their session may help."""
    pool = ahead.hand_over() if ahead else None
    workers = min(jobs, len(tasks))
    if pool is not None:
        yield from _in_two_rounds(tasks, _working(pool, ahead))
    elif workers <= 1:
        yield from _in_two_rounds(tasks, partial(map, _deface))
    else:
        with worker_pool(workers, doing="removes faces") as pool:
            yield from _in_two_rounds(tasks, _working(pool, None))


def _working(pool: ProcessPoolExecutor, ahead: LooksAhead | None) -> _Each:
    """Return how a pool works on acquisitions, some of which may have been looked at already."""

    def each(todo: Iterable[_Task]) -> Iterator[_Done]:
        looks: dict[Future[Look], _Task] = {}
        running: set[Future[_Done]] = set()
        # The longest first, so that no processor is left with one at the end.
        for task in sorted(todo, key=_length, reverse=True):
            look = ahead.look_of(task.acquisition) if ahead and not task.nearby else None
            if look is None:
                running.add(pool.submit(_deface, task))
            else:
                looks[look] = task
        while looks or running:
            pending: list[Future[Any]] = [*looks, *running]
            ended = wait(pending, return_when=FIRST_COMPLETED).done
            for look in ended & looks.keys():
                task = looks.pop(look)
                # A look that failed is tried again: what it met is said where it belongs.
                seen = None if look.exception() else look.result()
                running.add(pool.submit(_deface, replace(task, look=seen)))
            for done in ended & running:
                running.remove(done)
                yield done.result()

    return each


def _in_two_rounds(tasks: Sequence[_Task], each: _Each) -> Iterator[tuple[DefaceOutcome, ...]]:
    places: dict[tuple[str, ...], dict[str, Matrix]] = {}
    lost: list[_Done] = []
    for task, defaced in each(tasks):
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
            again.append(replace(task, look=None, nearby=tuple(place for _, place in nearby)))
        else:
            yield defaced.outcomes
    before = {task.acquisition.shown.path: defaced for task, defaced in lost}
    for task, defaced in each(again):
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
        look=task.look,
    )


def deface_findings(outcomes: Sequence[DefaceOutcome]) -> Iterator[Finding]:
    """Yield what the gate says of outcomes."""
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
