"""What places the template on a head: the engines, one of them always there.

An engine proposes registrations, the likeliest first. Whether one is trusted is not its own to
say: the self-check is the same for all.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from bidsanon import __version__
from bidsanon.deface.grid import Grid, Matrix, inverse
from bidsanon.deface.head import flattened
from bidsanon.deface.options import AUTO, EMBEDDED, NONE, PYDEFACE
from bidsanon.deface.registration import (
    Registration,
    axis_turns,
    landmarks_apart_mm,
    register,
    register_near,
)
from bidsanon.deface.selfcheck import LIMITS, Limits
from bidsanon.deface.template import pydeface_version, template_file
from bidsanon.deface.voxels import mean_volume, read_header, write_volume
from bidsanon.errors import ToolFailedError
from bidsanon.external import FLIRT, find_program, program_version, require_program, run_program

_FLIRT_TIMEOUT_S = 1800.0
_MOVED_MM = 20.0
_CHILD_SCALE = 0.75
# Where another image says what lies outside, a third of the brain's height is enough to hold on to.
_NEARBY_LIMITS = replace(LIMITS, brain_in_view=0.15)


@dataclass(frozen=True, kw_only=True, eq=False)
class Attempt:
    """One try at placing the template.

    Attributes
    ----------
    registration
        Where the template lies.
    head
        The head as it was registered, brightness 0 to 1: what the self-check measures it on.
    limits
        What the registration must reach.
    doubts
        What speaks against it before it is measured.
    made_by
        The engine that made it, where it is not the one that was asked.
    """

    registration: Registration
    head: Grid
    limits: Limits = LIMITS
    doubts: tuple[str, ...] = ()
    made_by: Engine | None = None


class Engine(Protocol):
    """What places the template on a head."""

    @property
    def name(self) -> str:
        """Its name on the command line and in reports."""

    @property
    def version(self) -> str:
        """What it is and which version, for the record of what was done to an image."""

    def attempts(self, reference: Grid, head: Grid) -> Iterator[Attempt]:
        """Yield attempts, the likeliest first; the caller stops at the first that passes.

        Parameters
        ----------
        reference
            The image as it is, or the mean of what was acquired together.
        head
            The same, coarse, brightness 0 to 1.
        """


@dataclass(frozen=True, kw_only=True)
class EngineRow:
    """What ``bidsanon doctor`` says of an engine.

    Attributes
    ----------
    name
        As on the command line.
    available
        Whether it can be used here.
    version
        What it is made of, where it is available.
    adds
        What it does.
    cure
        How to get it, where it is not.
    """

    name: str
    available: bool
    version: str
    adds: str
    cure: str = ""


class EmbeddedEngine:
    """Registration in numpy and scipy, from many starts."""

    name = EMBEDDED

    @property
    def version(self) -> str:
        """The versions of this package and of the template."""
        return f"bidsanon {__version__} with the template of pydeface {pydeface_version()}"

    def attempts(self, reference: Grid, head: Grid) -> Iterator[Attempt]:  # noqa: ARG002
        """Yield the usual registration, and what else is worth a try.

        One with the coil's shading evened out; one from any side, for an image whose header lost
        its orientation; one that starts from a small child's head.
        """
        yield Attempt(registration=register(head), head=head)
        even = flattened(head)
        yield Attempt(registration=register(even), head=even)
        yield Attempt(registration=register(head, turns=axis_turns()), head=head)
        yield Attempt(registration=register(head, scale=_CHILD_SCALE), head=head)


class NearbyEngine:
    """Registration in numpy and scipy, from where other images of the session have the template.

    For an image that no start of its own leads to: a slab, a map without air around the head. What
    is found must pass the self-check on this image, and lie near: patients move between images,
    but not far.

    Parameters
    ----------
    places
        From the template's world to the head's, each of shape (4, 4).
    """

    name = EMBEDDED

    def __init__(self, places: Sequence[Matrix]) -> None:
        self._places = places

    @property
    def version(self) -> str:
        """The versions of this package and of the template, and that this was no usual start."""
        return f"{EmbeddedEngine().version}, started from another image of the session"

    def attempts(self, reference: Grid, head: Grid) -> Iterator[Attempt]:  # noqa: ARG002
        """Yield a registration for each place."""
        for place in self._places:
            found = register_near(head, place)
            moved = landmarks_apart_mm(found.to_head, place)
            far = (f"the head lies {moved:.0f} mm from where another image has it",)
            yield Attempt(
                registration=found,
                head=head,
                limits=_NEARBY_LIMITS,
                doubts=far if moved > _MOVED_MM else (),
            )


class RescuedEngine:
    """An engine, and others that try where it fails.

    Parameters
    ----------
    engines
        The likeliest first. One whose program fails has nothing to say.
    """

    def __init__(self, *engines: Engine) -> None:
        self._engines = engines

    @property
    def name(self) -> str:
        """The first engine's name."""
        return self._engines[0].name

    @property
    def version(self) -> str:
        """What the first engine is."""
        return self._engines[0].version

    def attempts(self, reference: Grid, head: Grid) -> Iterator[Attempt]:
        """Yield what each engine finds."""
        yield from self._engines[0].attempts(reference, head)
        for engine in self._engines[1:]:
            with contextlib.suppress(ToolFailedError):
                for attempt in engine.attempts(reference, head):
                    yield replace(attempt, made_by=engine)


class PydefaceEngine:
    """FSL's flirt with the command line that pydeface gives it.

    Parameters
    ----------
    scratch
        A private folder for flirt's files; the system's folder for temporary files if None.
    """

    name = PYDEFACE

    def __init__(self, *, scratch: Path | None = None) -> None:
        self._flirt = require_program(FLIRT)
        self._scratch = scratch

    @property
    def version(self) -> str:
        """The versions of pydeface and of flirt."""
        flirt = program_version(FLIRT) or "of unknown version"
        return f"pydeface {pydeface_version()} with FSL's flirt {flirt}"

    def attempts(self, reference: Grid, head: Grid) -> Iterator[Attempt]:
        """Yield what flirt finds."""
        with (
            tempfile.TemporaryDirectory(dir=self._scratch) as folder,
            template_file() as template,
        ):
            image, matrix = Path(folder) / "head.nii", Path(folder) / "template.mat"
            write_volume(reference, image)
            self._run(template, image, matrix)
            mean_head = read_header(template)
            to_head = world_matrix(
                _read_matrix(matrix),
                moving=Grid(values=mean_volume(mean_head).values, affine=mean_head.affine),
                fixed=reference,
            )
        registration = Registration(
            to_head=to_head, similarity=0.0, starts_apart_mm=None, lead=None
        )
        yield Attempt(registration=registration, head=head)

    def _run(self, template: Path, image: Path, matrix: Path) -> None:
        completed = run_program(
            [
                *(self._flirt, "-in", template, "-ref", image),
                *("-omat", matrix, "-out", matrix.with_suffix(".nii.gz"), "-cost", "mutualinfo"),
            ],
            timeout_s=_FLIRT_TIMEOUT_S,
            environment={"FSLOUTPUTTYPE": "NIFTI_GZ"},
        )
        if completed.returncode or not matrix.exists():
            raise ToolFailedError(
                f"flirt failed with status {completed.returncode}",
                cure="use --deface bidsanon, which needs no FSL, or check FSL's installation",
            )


def choose_engine(name: str, *, scratch: Path | None = None) -> Engine:
    """Return an engine by name; "auto" is the embedded one, rescued by FSL's where that is.

    Parameters
    ----------
    name
        "auto", "bidsanon" or "pydeface".
    scratch
        A private folder for an engine's own files.

    Raises
    ------
    MissingToolError
        If the engine's program is not installed.
    ValueError
        If there is no such engine: :func:`~bidsanon.deface.options.require_options` tells users.
    """
    if name == AUTO and find_program(FLIRT):
        return RescuedEngine(EmbeddedEngine(), PydefaceEngine(scratch=scratch))
    if name in {AUTO, EMBEDDED}:
        return EmbeddedEngine()
    if name == PYDEFACE:
        return PydefaceEngine(scratch=scratch)
    raise ValueError(name)


def available_engines() -> tuple[EngineRow, ...]:
    """Return a row for each engine, for ``bidsanon doctor``."""
    flirt = find_program(FLIRT) is not None
    return (
        EngineRow(
            name=EMBEDDED,
            available=True,
            version=EmbeddedEngine().version,
            adds="removes faces with nothing but pip: the default",
        ),
        EngineRow(
            name=PYDEFACE,
            available=flirt,
            version=PydefaceEngine().version if flirt else "",
            adds="lets FSL's flirt find the head; by default only where the other does not",
            cure="" if flirt else FLIRT.install,
        ),
        EngineRow(
            name=NONE, available=True, version="", adds="keeps faces, for a reason (--because)"
        ),
    )


def world_matrix(matrix: Matrix, *, moving: Grid, fixed: Grid) -> Matrix:
    """Turn a matrix of FSL's into one between worlds.

    FSL measures in millimetres from the first voxel, and from the last one along x where the
    affine is right-handed (a positive determinant).

    Parameters
    ----------
    matrix
        From the moving image's FSL coordinates to the fixed one's, shape (4, 4).
    moving, fixed
        The images' grids.
    """
    to_world = fixed.affine @ inverse(_voxels_to_fsl(fixed))
    from_world = _voxels_to_fsl(moving) @ inverse(moving.affine)
    world: Matrix = to_world @ matrix @ from_world
    return world


def _voxels_to_fsl(grid: Grid) -> Matrix:
    sizes = grid.voxel_sizes_mm
    scaled = np.diag([*sizes, 1.0])
    if np.linalg.det(grid.affine[:3, :3]) > 0:
        scaled[0, 0] = -sizes[0]
        scaled[0, 3] = (grid.values.shape[0] - 1) * sizes[0]
    return scaled


def _read_matrix(path: Path) -> Matrix:
    try:
        matrix = np.loadtxt(path, dtype=np.float64)
    except ValueError:
        matrix = np.empty(0)
    if matrix.shape != (4, 4) or not np.isfinite(matrix).all():
        raise ToolFailedError(
            "flirt wrote no usable matrix", cure="use --deface bidsanon, which needs no FSL"
        )
    return matrix
