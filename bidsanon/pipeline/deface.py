"""Faces removed from images, or from all images of a dataset, without the rest of the stages.

Where images are replaced, each is as soon as it is done: an interruption leaves the others as they
were. A copy of a dataset appears whole, once every image of it has been through, or not at all.
"""

from __future__ import annotations

import errno
import tempfile
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from bidsanon import __version__
from bidsanon.audit import Journal, JournalEntry, Outcome, now
from bidsanon.bids.names import parse_name
from bidsanon.errors import ConflictError, GateRefusedError, SourceError
from bidsanon.files import fresh_folder, make_private_folder, remove_tree, storage_errors
from bidsanon.pipeline.deface_content import DatasetContent, dataset_around, list_dataset
from bidsanon.pipeline.deface_copy import Fingerprint, amend_links, copy_rest, fingerprint
from bidsanon.pipeline.deface_request import DefaceRequest, Mode
from bidsanon.pipeline.deface_run import DefaceRun, ImageResult, Verdict
from bidsanon.pipeline.deface_staging import Guard, Item, Staging, sidecar_of
from bidsanon.progress import Progress
from bidsanon.publish import (
    dataset_lock,
    keeping_own,
    private_beside,
    publishing_folder,
    session_claim,
    settle_dataset,
)
from bidsanon.session import ConvertedImage, DefaceOutcome, DefaceVerdict
from bidsanon.workers import prepare_workers

_HIDDEN = ".bidsanon-"
_IMAGES = "images"
_COPY = "copy"
_TAKEN = {errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR}


def deface(run: DefaceRun, *, progress: Progress) -> None:
    """Deface what is asked for, or look at it.

    Parameters
    ----------
    run
        With the request; it is filled as far as the run comes, so that who interrupts it can be
        told what was done.
    progress
        What listens.

    Raises
    ------
    SourceError
        If there is no image that could be looked at.
    ConflictError
        If somebody else works on the same dataset, it changed while it was copied, or OUT was
        taken meanwhile.
    BidsanonError
        If a tool or the disk fails; images that were replaced until then are defaced.
    """
    started = time.monotonic()
    request = run.request
    if request.dataset and request.mode is not Mode.CHECK:
        settle_dataset(request.dataset)
    if request.dataset:
        run.content = list_dataset(request.dataset)
    count = len(run.content.images if run.content else request.images)
    prepare_workers("bidsanon.deface.stage", jobs=min(request.jobs, count))
    with _workplace(request) as root, _keeping_own(request, run.content):
        copy = _Copy.begin(request, run.content, root / _COPY)
        staging = Staging(root / _IMAGES, guard=_guard(request))
        todo = _stage(run, staging, _items(request, run.content, copy))
        with progress.step(_doing(request), total=len(todo)) as step:
            for done in _outcomes(request, staging.root, todo):
                for outcome in done:
                    run.results.append(_result(staging, todo[outcome.path], outcome))
                step.advance(len(done))
        run.results.sort(key=lambda result: result.name)
        if copy:
            run.amended = copy.publish(withheld={r.name for r in run.results if r.path is None})
            run.results = [r if r.path is None else copy.appeared(r) for r in run.results]
    run.refusal = _refusal(run)
    run.seconds = time.monotonic() - started
    if request.mode is not Mode.CHECK:
        _record(run)


@dataclass(frozen=True, kw_only=True)
class _Copy:
    """A copy of a dataset that is being made."""

    dataset: Path
    content: DatasetContent
    folder: Path
    out: Path
    before: Fingerprint

    @classmethod
    def begin(
        cls, request: DefaceRequest, content: DatasetContent | None, folder: Path
    ) -> _Copy | None:
        """Begin one where one is asked for."""
        if request.dataset is None or request.out is None or content is None:
            return None
        before = fingerprint(request.dataset, content)
        return cls(
            dataset=request.dataset, content=content, folder=folder, out=request.out, before=before
        )

    def appeared(self, result: ImageResult) -> ImageResult:
        """Return what is known of an image, with its place at OUT."""
        return replace(result, path=self.out / result.name)

    def publish(self, *, withheld: Collection[str]) -> tuple[str, ...]:
        """Add what is no image, let it appear, and return the sidecars that had to be amended."""
        with storage_errors("OUT"):
            self.folder.mkdir(exist_ok=True)
            copy_rest(self.dataset, self.content, into=self.folder, withheld=withheld)
            amended = amend_links(self.dataset, copy=self.folder, withheld=withheld)
            if fingerprint(self.dataset, list_dataset(self.dataset)) != self.before:
                raise ConflictError(
                    "somebody wrote the dataset while it was copied; nothing was put at OUT",
                    cure="wait until they are done, and run it again",
                )
            try:
                self.folder.rename(self.out)
            except OSError as error:
                if error.errno not in _TAKEN:
                    raise
                raise ConflictError(
                    "somebody put something at OUT meanwhile", cure="give a new folder"
                ) from error
        return amended


def _items(
    request: DefaceRequest, content: DatasetContent | None, copy: _Copy | None
) -> Iterator[Item]:
    if request.dataset and content:
        into = request.dataset if copy is None else copy.folder
        for name in content.images:
            parsed = parse_name(name)
            yield Item(
                name=name,
                source=request.dataset / name,
                target=None if request.mode is Mode.CHECK else into / name,
                staged=name,
                datatype=parsed.datatype,
                suffix=parsed.suffix,
            )
        return
    folders = list(dict.fromkeys(image.parent for image in request.images))
    for image, target in zip(request.images, request.targets, strict=True):
        yield Item(
            name=str(image),
            source=image,
            target=None if request.mode is Mode.CHECK else target,
            # Whatever it is called, it was given to be defaced: it is taken for an anatomical one.
            staged=f"{folders.index(image.parent)}/anat/{image.name}",
            datatype="anat",
            suffix=parse_name(image.name).suffix,
        )


@contextmanager
def _workplace(request: DefaceRequest) -> Iterator[Path]:
    """Open a hidden private folder on the file system to which results go; it is gone afterwards.

    A dataset that is changed is held for as long against others who deface it.
    """
    if request.mode is Mode.CHECK:
        with tempfile.TemporaryDirectory(prefix=_HIDDEN) as name:
            yield Path(name)
    elif request.dataset and request.mode is Mode.IN_PLACE:
        root = publishing_folder(request.dataset) / "deface"
        with storage_errors("the folder beside the dataset"):
            make_private_folder(root.parent)
        with session_claim(root, doing="defacing this dataset"), _emptied(fresh_folder(root)):
            yield root
    else:
        beside = (
            request.out.parent if request.dataset and request.out else request.targets[0].parent
        )
        made = [folder for folder in (beside, *beside.parents) if not folder.exists()]
        with storage_errors("the place of the defaced images"):
            beside.mkdir(parents=True, exist_ok=True)
            root = Path(tempfile.mkdtemp(prefix=_HIDDEN, dir=beside))
        try:
            with _emptied(root):
                yield root
        finally:
            for folder in made:
                if not any(folder.iterdir()):
                    folder.rmdir()


@contextmanager
def _emptied(folder: Path) -> Iterator[None]:
    try:
        yield
    finally:
        remove_tree(folder)


def _guard(request: DefaceRequest) -> Guard:
    """Return what holds the dataset of an image, where one is changed, while it is replaced."""

    def guard(image: Path) -> AbstractContextManager[None]:
        dataset = request.dataset or dataset_around(image.parent)
        if request.mode is not Mode.IN_PLACE or dataset is None:
            return nullcontext()
        return dataset_lock(dataset)

    return guard


def _keeping_own(
    request: DefaceRequest, content: DatasetContent | None
) -> AbstractContextManager[None]:
    """Let what was published as ours and is defaced in place stay ours."""
    dataset = request.dataset
    if dataset is None or content is None or request.mode is not Mode.IN_PLACE:
        return nullcontext()
    sidecars = (sidecar_of(Path(name)).as_posix() for name in content.images)
    return keeping_own(private_beside(dataset), dataset, {*content.images, *sidecars})


def _stage(run: DefaceRun, staging: Staging, items: Iterable[Item]) -> dict[str, Item]:
    """Link what can be looked at; say of what cannot why.

    Raises
    ------
    SourceError
        If there is nothing that could be looked at.
    """
    todo: dict[str, Item] = {}
    opaque = run.content.opaque if run.content else {}
    run.results += [_failed(name, reason) for name, reason in opaque.items()]
    for item in items:
        run.repository |= _is_in_repository(item.source)
        problem = staging.add(item)
        if problem:
            run.results.append(_failed(item.name, problem))
        else:
            todo[item.staged] = item
    if not todo and not opaque:
        missing = len(run.results)
        raise SourceError(
            f"none of the {missing} image(s) can be opened: {run.results[0].reason}"
            if missing
            else "there is no NIfTI image in any subject's folder",
            cure="give a BIDS dataset with images that are here, or the images themselves",
        )
    return todo


def _is_in_repository(image: Path) -> bool:
    places = (image, image.resolve())
    return any((folder / ".git").exists() for place in places for folder in place.parents)


def _outcomes(
    request: DefaceRequest, root: Path, todo: Mapping[str, Item]
) -> Iterator[tuple[DefaceOutcome, ...]]:
    # Imported here: workers load the same meanwhile.
    from bidsanon.deface import deface_images  # noqa: PLC0415

    images = [
        ConvertedImage(path=path, series_index=0, datatype=item.datatype, suffix=item.suffix)
        for path, item in sorted(todo.items())
    ]
    return deface_images(
        root,
        images,
        options=request.options,
        pictures=request.pictures,
        jobs=request.jobs,
        look_only=request.mode is Mode.CHECK,
    )


def _result(staging: Staging, item: Item, outcome: DefaceOutcome) -> ImageResult:
    """Put an image where it goes, and say what became of it."""
    placed = staging.place(item, outcome)
    verdict = Verdict(outcome.verdict.value)
    if item.target is None and outcome.verdict is DefaceVerdict.DEFACED:
        verdict = Verdict.SHOWS_FACE
    return ImageResult(
        name=item.name,
        verdict=Verdict.FAILED if placed.problem else verdict,
        reason=placed.problem or outcome.reason,
        engine_version=outcome.engine_version,
        figures=outcome.figures,
        path=placed.path,
        pictures=len(outcome.pictures),
        notes=placed.notes,
    )


def _failed(name: str, reason: str) -> ImageResult:
    return ImageResult(name=name, verdict=Verdict.FAILED, reason=reason)


def _doing(request: DefaceRequest) -> str:
    return "looking for faces" if request.mode is Mode.CHECK else "removing faces"


def _refusal(run: DefaceRun) -> GateRefusedError | None:
    count, total = run.with_a_face, len(run.results)
    if not count:
        return None
    if run.request.mode is Mode.CHECK:
        shown, unclear = run.counts[Verdict.SHOWS_FACE], run.counts[Verdict.FAILED]
        more = f"; of {unclear} nobody can tell" if unclear else ""
        return GateRefusedError(
            f"{shown} of {total} image(s) show a face{more}",
            cure="do not share them as they are; `bidsanon deface` removes faces where it can",
        )
    left = "left as they were" if run.request.mode is Mode.IN_PLACE else "not written to OUT"
    return GateRefusedError(
        f"{count} of {total} image(s) could not be defaced and were {left}: they may show a face",
        cure="do not share them: mend what the table says can be mended, and look at the others "
        "with --pictures DIR; `bidsanon doctor` names other engines",
    )


def _record(run: DefaceRun) -> None:
    """Append to the journal of the dataset's private folder, where there is one."""
    if run.request.dataset is None:
        return
    dataset = run.request.dataset
    journal = Journal(private_beside(dataset))
    if not journal.path.is_file():
        return
    counts = run.counts
    refused = run.refusal is not None and not counts[Verdict.DEFACED]
    engines = sorted({r.engine_version for r in run.results if r.verdict is Verdict.DEFACED})
    journal.append(
        JournalEntry(
            when=now(),
            command="deface",
            outcome=Outcome.REFUSED if refused else Outcome.PUBLISHED,
            tools={"bidsanon": __version__} | ({"defacing": "; ".join(engines)} if engines else {}),
            counts={verdict.value: counts[verdict] for verdict in Verdict if counts[verdict]},
            faces_kept=run.request.options.because,
        )
    )
