"""Heads looked at while the rest of their session still converts.

Nothing is changed here and nothing decided for good: the stage that removes faces asks what was
seen of an acquisition, and looks itself where nothing was, or where an image is not the same any
more. What comes out does not depend on what was begun when.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from bidsanon.deface.acquisition import Acquisition, acquisition_key, group_acquisitions
from bidsanon.deface.engines import choose_engine
from bidsanon.deface.faces import ask_image
from bidsanon.deface.gate import says_defaced
from bidsanon.deface.look import Look, look_at
from bidsanon.deface.options import NONE, DefaceOptions
from bidsanon.deface.voxels import Nifti
from bidsanon.files import file_state
from bidsanon.session import ConvertedPart
from bidsanon.workers import worker_pool


@dataclass(frozen=True, kw_only=True, eq=False)
class _Begun:
    """A look that was begun, and what its images were then."""

    state: tuple[object, ...]
    look: Future[Look]


class LooksAhead:
    """Looks at a session's heads that begin before all of it is converted.

    As a context: its processes end with it, and what has not begun is dropped. While the session
    converts, one of the processes that there may be is left to that; with one job nothing begins.

    Parameters
    ----------
    options
        By which engine, and what goes.
    pictures
        A private folder for pictures of the heads before; it has to be there.
    jobs
        How many processes may work.
    """

    def __init__(self, *, options: DefaceOptions, pictures: Path, jobs: int) -> None:
        self._options = options
        self._pictures = pictures
        self._jobs = jobs
        self._at_once = 0 if options.engine == NONE else jobs - 1
        self._free = False
        self._headers: dict[str, Nifti] = {}
        self._waiting: list[Acquisition] = []
        self._begun: dict[str, _Begun] = {}
        self._running = 0
        self._pool: ProcessPoolExecutor | None = None
        self._open = ExitStack()
        # Images are told of in one thread, looks end in another; what ends may begin the next.
        self._lock = threading.RLock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.hand_over()
        self._open.__exit__(kind, error, trace)

    def add(self, part: ConvertedPart) -> None:
        """Take note of images that were converted, and look at them once their group is whole."""
        if self._at_once < 1:
            return
        with self._lock:
            for image in part.images:
                header = ask_image(part.root, image, self._options)
                if isinstance(header, Nifti):
                    self._headers[image.path] = header
            expected = {acquisition_key(name) for name in part.to_come}
            for acquisition in group_acquisitions(part.root, self._headers):
                if acquisition_key(acquisition.shown.path) not in expected:
                    self._waiting.append(acquisition)
                    for member in acquisition.members:
                        del self._headers[member.path]
            self._go_on()

    def begin(self) -> None:
        """Let looks begin: nothing else but the conversion is at work from now on."""
        with self._lock:
            self._free = True
            self._go_on()

    def hand_over(self) -> ProcessPoolExecutor | None:
        """Begin no more looks, and return the processes: all of them may work now.

        Returns
        -------
        ProcessPoolExecutor or None
            None where no look was begun.
        """
        with self._lock:
            self._at_once = 0
            self._waiting.clear()
            return self._pool

    def look_of(self, acquisition: Acquisition) -> Future[Look] | None:
        """Return what was seen of an acquisition, or will be; None if it has to be looked at anew.

        It has where nobody looked, or where one of its images or its sidecar was written since.
        """
        begun = self._begun.get(acquisition.shown.path)
        if begun is None or begun.state != _state_of(acquisition):
            return None
        return begun.look

    def _go_on(self) -> None:
        while self._free and self._waiting and self._running < self._at_once:
            acquisition = self._waiting.pop(0)
            try:
                self._look(acquisition)
            except BrokenProcessPool:
                # Who takes the processes over meets it again, and can say so.
                self._waiting.clear()

    def _look(self, acquisition: Acquisition) -> None:
        if self._pool is None:
            self._pool = self._open.enter_context(worker_pool(self._jobs, doing="looks for faces"))
        state = _state_of(acquisition)
        look = self._pool.submit(_look_at, acquisition, self._options, self._pictures)
        self._begun[acquisition.shown.path] = _Begun(state=state, look=look)
        self._running += 1
        look.add_done_callback(self._ended)

    def _ended(self, _look: Future[Look]) -> None:
        with self._lock:
            self._running -= 1
            self._go_on()


def _look_at(acquisition: Acquisition, options: DefaceOptions, pictures: Path) -> Look:
    engine = choose_engine(options.engine, scratch=pictures)
    return look_at(acquisition, engine=engine, pictures=pictures, options=options)


def _state_of(acquisition: Acquisition) -> tuple[object, ...]:
    """Return what a look depends on, so that it differs once one of its files was written."""
    return (
        says_defaced(acquisition.sidecar),
        *((m.path, m.component, m.shows, file_state(m.nifti.path)) for m in acquisition.members),
    )
