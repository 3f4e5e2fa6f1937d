"""Heads looked at while their session converts: what is begun when, and that nobody can tell."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from heads import KnowingEngine, write_image
from sessions.converted import defaced_session
from tree_digests import tree_digest

from bidsanon.bids.names import parse_name
from bidsanon.deface import USUAL, DefaceOptions, LooksAhead, ahead, deface_session, image, stage
from bidsanon.deface.acquisition import Acquisition, group_acquisitions
from bidsanon.deface.deciding import Decision
from bidsanon.deface.grid import Grid
from bidsanon.deface.look import Look
from bidsanon.deface.voxels import read_header
from bidsanon.progress import Silent
from bidsanon.session import (
    ConvertedImage,
    ConvertedPart,
    ConvertedSession,
    DefaceOutcome,
    DefaceVerdict,
)

ANAT = "sub-01/anat/sub-01"
T1W, T2W = f"{ANAT}_T1w.nii.gz", f"{ANAT}_T2w.nii.gz"
ECHOES = (f"{ANAT}_echo-1_MEGRE.nii.gz", f"{ANAT}_echo-2_MEGRE.nii.gz")
BOLD = "sub-01/func/sub-01_task-rest_bold.nii.gz"
NO_FACE = Look(decision=Decision(verdict=DefaceVerdict.NO_FACE, reason="", figures={}))


def image_of(path: str) -> ConvertedImage:
    name = parse_name(path)
    return ConvertedImage(path=path, series_index=1, datatype=name.datatype, suffix=name.suffix)


def part(root: Path, *paths: str, to_come: tuple[str, ...] = ()) -> ConvertedPart:
    return ConvertedPart(root=root, images=tuple(map(image_of, paths)), to_come=to_come)


def session_of(root: Path, *paths: str) -> ConvertedSession:
    converted = defaced_session(root, list(paths)).converted
    object.__setattr__(converted, "images", tuple(map(image_of, sorted(paths))))
    return converted


def acquisition_of(root: Path, *paths: str) -> Acquisition:
    (one,) = group_acquisitions(root, {path: read_header(root / path) for path in paths})
    return one


class Watching:
    """Looks that are counted, and that end when they are let."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.let = threading.Event()
        self.let.set()

    def __call__(self, acquisition: Acquisition, **_: object) -> Look:
        self.seen.append(acquisition.shown.path)
        assert self.let.wait(30)
        return NO_FACE


@pytest.fixture(autouse=True)
def _threads(monkeypatch: pytest.MonkeyPatch, knowing_engine: KnowingEngine) -> None:
    """Let threads of this process look, and know where heads lie."""

    @contextmanager
    def threads(workers: int, **_: object) -> Iterator[ThreadPoolExecutor]:
        with ThreadPoolExecutor(workers) as pool:
            yield pool

    monkeypatch.setattr(ahead, "worker_pool", threads)
    for module in (ahead, stage):
        monkeypatch.setattr(module, "choose_engine", lambda *_args, **_kwargs: knowing_engine)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Watching:
    watching = Watching()
    monkeypatch.setattr(ahead, "look_at", watching)
    return watching


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Make a session of images that nobody looks into."""
    for path in (T1W, T2W, *ECHOES, BOLD):
        write_image(tmp_path / "root" / path, np.ones((4, 4, 4)), np.diag([30.0, 30.0, 30.0, 1]))
    return tmp_path / "root"


def looking(tmp_path: Path, *, jobs: int = 2, options: DefaceOptions = USUAL) -> LooksAhead:
    return LooksAhead(options=options, pictures=tmp_path, jobs=jobs)


def test_no_look_begins_before_it_may(tmp_path: Path, root: Path, looks: Watching) -> None:
    with looking(tmp_path) as begun:
        begun.add(part(root, T1W, BOLD))
        assert begun.hand_over() is None
    with looking(tmp_path) as begun:
        begun.add(part(root, T1W, BOLD))
        begun.begin()
        look = begun.look_of(acquisition_of(root, T1W))
        assert look is not None
        assert look.result(30) is NO_FACE
        assert begun.look_of(acquisition_of(root, BOLD)) is None
    assert looks.seen == [T1W]


@pytest.mark.parametrize(
    ("jobs", "options"),
    [(1, USUAL), (4, DefaceOptions(engine="none", because="consent for faces"))],
    ids=["one job", "faces that stay"],
)
def test_nothing_begins_where_nothing_may(
    tmp_path: Path, root: Path, looks: Watching, jobs: int, options: DefaceOptions
) -> None:
    with looking(tmp_path, jobs=jobs, options=options) as begun:
        begun.begin()
        begun.add(part(root, T1W))
        assert begun.hand_over() is None
    assert looks.seen == []


def test_a_look_waits_until_its_group_is_whole(tmp_path: Path, root: Path, looks: Watching) -> None:
    with looking(tmp_path) as begun:
        begun.begin()
        begun.add(part(root, ECHOES[0], to_come=(f"{ANAT}_echo-2_MEGRE", f"{ANAT}_T1w")))
        assert begun.look_of(acquisition_of(root, ECHOES[0])) is None
        begun.add(part(root, ECHOES[1], to_come=(f"{ANAT}_T1w",)))
        look = begun.look_of(acquisition_of(root, *ECHOES))
        assert look is not None
        look.result(30)
    assert looks.seen == [ECHOES[0]]


@pytest.mark.parametrize(("jobs", "at_once"), [(2, 1), (3, 2)])
def test_one_process_is_left_to_the_conversion_until_it_has_ended(
    tmp_path: Path, root: Path, looks: Watching, jobs: int, at_once: int
) -> None:
    looks.let.clear()
    with looking(tmp_path, jobs=jobs) as begun:
        begun.begin()
        begun.add(part(root, T1W, T2W, *ECHOES))
        known = [begun.look_of(acquisition_of(root, path)) for path in (T1W, T2W)]
        assert sum(look is not None for look in known) + 1 >= at_once
        assert len(begun._begun) == at_once
        looks.let.set()
        for look in list(begun._begun.values()):
            look.look.result(30)
        for _ in range(300):
            if len(begun._begun) == 3:
                break
            threading.Event().wait(0.01)
        assert len(begun._begun) == 3


def test_what_has_not_begun_when_it_ends_is_dropped(
    tmp_path: Path, root: Path, looks: Watching
) -> None:
    looks.let.clear()
    with looking(tmp_path) as begun:
        begun.begin()
        begun.add(part(root, T1W, T2W))
        assert begun.hand_over() is not None
        looks.let.set()
    assert len(looks.seen) == 1


def overwrite(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


def say_defaced(path: Path) -> None:
    sidecar = path.with_name(f"{parse_name(path.name).stem}.json")
    sidecar.write_text('{"DeidentificationMethod": ["Face removed"]}')


@pytest.mark.parametrize("change", [overwrite, say_defaced])
def test_what_was_written_since_is_looked_at_anew(
    tmp_path: Path, root: Path, looks: Watching, change: Callable[[Path], None]
) -> None:
    with looking(tmp_path) as begun:
        begun.begin()
        begun.add(part(root, T1W))
        acquisition = acquisition_of(root, T1W)
        assert begun.look_of(acquisition) is not None
        (root / T1W).chmod(0o600)
        assert begun.look_of(acquisition) is not None
        change(root / T1W)
        assert begun.look_of(acquisition) is None
    assert looks.seen == [T1W]


def test_processes_that_died_are_met_again_where_it_can_be_said(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(ThreadPoolExecutor):
        def submit(self, *_args: object, **_kwargs: object) -> Future[object]:
            raise BrokenProcessPool

    @contextmanager
    def broken(workers: int, **_: object) -> Iterator[Broken]:
        yield Broken(workers)

    monkeypatch.setattr(ahead, "worker_pool", broken)
    with looking(tmp_path) as begun:
        begun.begin()
        begun.add(part(root, T1W))
        with pytest.raises(BrokenProcessPool):
            deface(session_of(root, T1W), tmp_path, begun)


def deface(converted: ConvertedSession, pictures: Path, begun: LooksAhead) -> DefaceOutcome:
    pictures.mkdir(mode=0o700, exist_ok=True)
    (outcome,) = deface_session(
        converted, options=USUAL, pictures=pictures, jobs=2, progress=Silent(), ahead=begun
    ).outcomes
    return outcome


def test_a_look_that_failed_is_tried_again_where_it_can_be_said(
    tmp_path: Path, root: Path, looks: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(_acquisition: Acquisition, **_: object) -> Look:
        raise OSError("something that a process of its own met")

    monkeypatch.setattr(ahead, "look_at", failing)
    monkeypatch.setattr(image, "look_at", looks)
    with looking(tmp_path) as begun:
        begun.begin()
        begun.add(part(root, T1W))
        outcome = deface(session_of(root, T1W), tmp_path, begun)
    assert outcome.verdict is DefaceVerdict.NO_FACE
    assert looks.seen == [T1W]


@pytest.mark.slow
def test_what_was_looked_at_ahead_gives_the_same_bytes(tmp_path: Path, upright_head: Grid) -> None:
    ends = []
    for way in ("afterwards", "ahead"):
        root, pictures = tmp_path / way, tmp_path / f"{way}-pictures"
        write_image(root / T1W, upright_head.values, upright_head.affine)
        converted = session_of(root, T1W)
        pictures.mkdir(mode=0o700)
        with looking(pictures) as begun:
            if way == "ahead":
                begun.begin()
            begun.add(part(root, T1W))
            assert len(begun._begun) == (way == "ahead")
            (root / T1W).chmod(0o644)
            outcome = deface(converted, pictures, begun)
        assert outcome.verdict is DefaceVerdict.DEFACED
        assert set(outcome.pictures) >= {"before-front", "after-front"}
        ends.append((tree_digest(root), outcome.figures, tree_digest(pictures)))
    assert ends[0] == ends[1]
